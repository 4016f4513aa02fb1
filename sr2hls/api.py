"""A model and what is asked of its circuit → `Design` with methods to predict, save, simulate and synthesize."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sr2hls import design as core
from sr2hls.check.vectors import input_vectors
from sr2hls.errors import FormatError, LoadError
from sr2hls.formats import Format
from sr2hls.interpret import Codes, interpret
from sr2hls.load import load
from sr2hls.load.data import Columns, columns_of, read_columns
from sr2hls.model import SymbolicModel
from sr2hls.options import ALL, Limits, all_or_each, clock_ns, design_name, domain_rule, name_of_source
from sr2hls.options import max_error as error_target
from sr2hls.values import to_codes, to_values
from sr2hls.wordlength.limits import Limits as Most

if TYPE_CHECKING:
    from sr2hls.check.simulate import Evidence
    from sr2hls.task import Task

BENCH_VECTORS = 256  # in the test benches that are written
MOST_BOXES = 1024
REGISTERS = ("in", "out", "both", "none")

Word = Format | str
Told = Callable[[str, float], None]


class Design(core.Design):
    """A compiled circuit. All that `sr2hls.design.Design` says, and:"""

    __slots__ = ()

    @classmethod
    def read(cls, folder: str | Path) -> Design:
        """The design in a folder that `save` or `sr2hls compile` wrote. Raises LoadError, MismatchError."""
        from sr2hls.report.folder import design_in

        return cls.of(design_in(Path(folder)))

    @classmethod
    def of(cls, design: core.Design) -> Design:
        """The same design with the methods of this class."""
        return cls(**{field.name: getattr(design, field.name) for field in fields(core.Design)})

    def predict(self, X: Any) -> NDArray[np.float64]:  # noqa: N803 - as scikit-learn and PySR call it
        """What the hardware gives, bit for bit, as real values.

        Args:
            X: a mapping or frame of columns by input name, or an array of shape (n, k) whose columns are the ports in
                order (or, where the ports are called x0, x1, ..., column i for port xi). Each value is rounded to the
                nearest value of its port's format, ties up, and saturated; the circuit then clamps it to the port's
                declared range, as it does in hardware.

        Returns:
            Shape (n,) for one output, (n, outputs) for several.

        Raises:
            LoadError: a column is missing or holds no finite numbers.
        """
        columns = self._columns(X)
        codes = {name: to_codes(fmt, columns[name], name) for name, fmt in self.input_formats.items()}
        outputs = interpret(self.circuit, codes)
        values = [to_values(fmt, outputs[name]) for name, fmt in self.output_formats.items()]
        return values[0] if len(values) == 1 else np.stack(values, axis=1)

    def _columns(self, data: Any) -> Columns:
        names = list(self.input_formats)
        if isinstance(data, Mapping) or hasattr(data, "columns"):
            return columns_of(data, names)
        array = np.asarray(data)
        if all(re.fullmatch(r"x\d+", name) for name in names) and array.ndim == 2:
            return columns_of(array, names)
        if array.ndim != 2 or array.shape[1] != len(names):
            raise LoadError(f"X has the shape {array.shape}, not (n, {len(names)}) for the inputs {', '.join(names)}")
        return columns_of(dict(zip(names, array.T, strict=True)))

    def simulate(
        self,
        *,
        samples: int = 1000,
        seed: int = 0,
        data: Any = None,
        hls4ml: bool = False,
        tell: Told = lambda _what, _done: None,
    ) -> Evidence:
        """All engines against each other, bit for bit, and the error: see `sr2hls.check.simulate.simulate`."""
        from sr2hls.check.simulate import simulate as run

        columns = None if data is None else read_data(data, list(self.input_formats))
        return run(self, None, samples=samples, seed=seed, data=columns, hls4ml=hls4ml, tell=tell)

    def save(self, folder: str | Path, *, data: Any = None, force: bool = False) -> Path:
        """Write Verilog, C++, HLS and Vivado projects, test bench, certificate and report; returns the folder.

        Raises OutputError when the folder holds something else (unless `force`) or cannot be written.
        """
        columns = None if data is None else read_data(data, list(self.input_formats))
        with staged_project(self, Path(folder), data=columns, force=force):
            pass
        return Path(folder)

    def synthesize(
        self, *, seeds: int = 3, tools: Sequence[str] | None = None, folder: str | Path | None = None
    ) -> list[dict[str, Any]]:
        """Counts, clock frequencies and latencies of the tools: see `sr2hls.synth.synthesize`."""
        import tempfile

        from sr2hls.synth import TOOLS, synthesize

        with tempfile.TemporaryDirectory(prefix="sr2hls-") as empty:
            return synthesize(self, Path(folder or empty), seeds=seeds, tools=tools or TOOLS)

    def to_hls4ml(self, output_dir: str | Path, backend: Literal["Vitis", "Vivado"] = "Vitis", **options: Any) -> Any:
        """An hls4ml `ModelGraph` with this circuit inside: see `sr2hls.emit.hls4ml_model.to_hls4ml`."""
        from sr2hls.emit.hls4ml_model import to_hls4ml

        return to_hls4ml(self, output_dir, backend, **options)


def compile(
    model: Any,
    *,
    inputs: Mapping[str, Word] | Word | None = None,
    ranges: Mapping[str, Limits] | Limits | None = None,
    data: Any = None,
    width: int | None = None,
    labels: Any = None,
    metric: str | None = None,
    max_loss: float | str | None = None,
    output: Mapping[str, Word] | Word = "auto",
    max_error: float | str | None = None,
    precision: Word | None = None,
    target: str = "ecp5-6",
    clock: float | str | None = None,
    latency: int | None = None,
    max_latency: int | None = None,
    max_luts: int | None = None,
    max_dsp: int | None = None,
    effort: str = "normal",
    subdivide: int | None = None,
    registers: str = "out",
    select: Any = None,
    name: str | None = None,
    domain: str = "strict",
) -> Design:
    """Compile a formula to a circuit with a proven error bound.

    Args:
        model: a `SymbolicModel`, or anything that `sr2hls.load` takes: a PySR checkpoint, a hall of fame, formula text,
            sympy expressions.
        inputs: the format of each input, such as {"x0": "fixed<12,4>"}; one format for all.
        ranges: (low, high) of each input, real values; one pair for all. The circuit clamps to it.
        data: a CSV, npz or parquet file, a mapping of columns, a frame or an array. Gives format and range of the
            inputs that `inputs` does not name.
        width: bits of the formats that come from data (12).
        labels, metric, max_loss: the task. Of all circuits with at most `width` input bits, the cheapest is taken whose
            metric ("rmse", "auc") on 30 % of the rows, held out, is at most `max_loss` ("0.1%" of the formula's, or in
            its own unit) worse than the formula's. `labels`: a column, a column or array per output, or an array; None:
            the columns called as the outputs, or the last one. `max_error` is then where the search begins.
        output: "auto", one format, or a format per output.
        max_error: largest error, absolute (0.001) or in units of the last place of the output ("2ulp"). None: 1 ulp.
        precision: one format for every value, as hls4ml's default precision; the certificate says what it costs. It is
            the inputs' format, too, where `inputs` does not name one.
        target: a name of `sr2hls targets`.
        clock: period in ns, or text such as "5ns" or "200MHz". None: the target's default.
        latency: cycles to reach exactly. None: as few as the clock allows.
        max_latency, max_luts, max_dsp: cycles, LUTs and multipliers at most, by the target's model. Where `max_error`
            is None, the error is doubled until a circuit keeps them; the design's notes say so.
        effort: how long cheaper words are looked for under the same error: "low" (not at all), "normal", "high".
        subdivide: the most boxes that the inputs' domain is cut into where that makes ranges and errors tighter, as
            where the operands of a product are correlated. 1: none. None: 16, 48 or 192, by effort.
        registers: at the ports: "in", "out", "both" or "none".
        select: which equation of a hall of fame, see `sr2hls.load`.
        name: of module and functions. None: from the file's name.
        domain: "strict" refuses poles and domain edges, "clamp" clamps the arguments to where they are defined: as
            near to a pole as the rows of `data` come, without data to 1/4096 of the argument's range; "clamp=0.05" to
            that distance.

    Raises:
        Sr2hlsError: its subclasses say what is wrong and what to do.
    """
    from sr2hls.compiler import compile_model

    symbolic = load(model, select=select)
    task = None if metric is None and max_loss is None else _task(symbolic, data, labels, metric, max_loss, width)
    columns = task.every if task else None if data is None else read_data(data, used_inputs(symbolic), width)
    options = compiler_options(
        symbolic,
        inputs={key: _word(value) for key, value in all_or_each(inputs).items()},
        ranges=dict(all_or_each(ranges)),  # type: ignore[arg-type]
        columns=None if task else columns,
        width=width,
        output={} if output == "auto" else {key: _word(value) for key, value in all_or_each(output).items()},
        error=max_error,
        precision=None if precision is None else _word(precision),
        target=target,
        clock=clock,
        latency=latency,
        limits=Most(max_latency, max_luts, max_dsp),
        effort=effort,
        subdivide=subdivide,
        registers=registers,
        name=name or name_of_source(model),
        domain=domain,
    )
    if task is not None:
        from sr2hls.task import cheapest_design

        return Design.of(cheapest_design(symbolic, options, task, width))
    return Design.of(compile_model(symbolic, options))


def _task(symbolic: SymbolicModel, data: Any, labels: Any, metric: Any, max_loss: Any, width: int | None) -> Task:
    from sr2hls.task import allowed, labeled, task_of

    if metric is None or max_loss is None or data is None:
        raise FormatError("a task needs all of --data, --metric and --max-loss")
    if width is not None and not 2 <= width <= 32:
        raise FormatError(f"inputs from data can have 2 to 32 bits, not {width}")
    wanted = allowed(metric, max_loss)
    return task_of(symbolic, *labeled(symbolic, data, labels, used_inputs(symbolic)), wanted)


def compiler_options(
    model: SymbolicModel,
    *,
    inputs: Mapping[str, Format],
    ranges: Mapping[str, Limits],
    columns: Columns | None,
    width: int | None,
    output: Mapping[str, Format],
    error: float | str | None,
    precision: Format | None,
    target: str,
    clock: float | str | None,
    latency: int | None,
    limits: Most,
    effort: str,
    subdivide: int | None = None,
    registers: str,
    name: str,
    domain: str,
) -> Any:
    """The `sr2hls.compiler.Options`; formats and ranges not given come from the columns. Raises FormatError."""
    from sr2hls.compiler import Options
    from sr2hls.wordlength import EFFORTS

    if registers not in REGISTERS:
        raise FormatError(f"registers can be at {', '.join(REGISTERS)}, not '{registers}'")
    rule, floor = domain_rule(domain)
    if latency is not None and latency < 0:
        raise FormatError(f"a latency of {latency} cycles makes no sense")
    if effort not in EFFORTS:
        raise FormatError(f"the effort is {', '.join(EFFORTS)}, not '{effort}'")
    if subdivide is not None and not 1 <= subdivide <= MOST_BOXES:
        raise FormatError(f"the domain can be cut into 1 to {MOST_BOXES} boxes, not {subdivide}")
    if precision is not None and limits.any:
        raise FormatError("--precision fixes every word: it leaves nothing to --max-latency, --max-luts, --max-dsp")
    outputs = [item.name for item in model.outputs]
    for key in output:
        if key not in (ALL, *outputs):
            raise FormatError(f"the model has no output '{key}'; its outputs are {', '.join(outputs)}")
    absolute, ulps = error_target(error)
    words = inputs if precision is None else {ALL: precision, **inputs}
    found, spans = _from_columns(model, words, ranges, columns, width)
    if precision is not None and columns is not None:  # the words are given, so the data say the ranges only
        spans = {name: (float(c.min()), float(c.max())) for name, c in columns.items()} | spans
    return Options(
        inputs=found,
        ranges=spans,
        output=output,
        max_error=absolute,
        max_error_ulps=ulps,
        target=target,
        clock_ns=None if clock is None else clock_ns(clock),
        latency=latency,
        limits=limits,
        effort=effort,
        boxes=subdivide,
        registers=registers,
        precision=precision,
        domain=rule,
        floor=floor,
        rows=columns or {},
        name=design_name(name),
    )


def _from_columns(
    model: SymbolicModel,
    inputs: Mapping[str, Format],
    ranges: Mapping[str, Limits],
    columns: Columns | None,
    width: int | None,
) -> tuple[dict[str, Format], dict[str, Limits]]:
    """Formats and ranges as given, and from the data for inputs without a format; a given range is always kept."""
    from sr2hls.quantize.from_data import WIDTH, format_for, words_from_data

    found, limits = dict(inputs), dict(ranges)
    if columns is None:
        return found, limits
    bits = WIDTH if width is None else width
    for name, (fmt, span) in words_from_data(columns, bits).items():
        if name in inputs or ALL in inputs or name not in model.inputs:
            continue
        given = ranges.get(name, ranges.get(ALL))
        if given is None:
            found[name], limits[name] = fmt, span
        else:
            found[name] = format_for(*given, bits)
    return found, limits


def used_inputs(model: SymbolicModel) -> list[str]:
    """The inputs that a formula uses, in order."""
    used = {symbol.name for output in model.outputs for symbol in output.expression.free_symbols}
    return [name for name in model.inputs if name in used]


def read_data(data: Any, names: Sequence[str], width: int | None = None) -> Columns:
    if width is not None and not 2 <= width <= 32:
        raise FormatError(f"inputs from data can have 2 to 32 bits, not {width}")
    return read_columns(data, names) if isinstance(data, str | Path) else columns_of(data, names)


def _word(value: object) -> Format:
    if isinstance(value, Format):
        return value
    return Format.parse(str(value))


def bench_vectors(design: core.Design, data: Mapping[str, ArrayLike] | None = None) -> dict[str, Codes]:
    """Codes for the written test benches: corners, data and random ones, `BENCH_VECTORS` at most."""
    codes = None
    if data is not None:
        codes = {n: to_codes(f, data[n], n)[:BENCH_VECTORS] for n, f in design.input_formats.items()}
    every = input_vectors(design, BENCH_VECTORS, 0, codes, exhaustive_bits=0)
    size = len(next(iter(every.values()))) if every else 1
    places = np.linspace(0, size - 1, min(size, BENCH_VECTORS)).astype(np.int64)
    return {name: column[places] for name, column in every.items()}


@contextmanager
def staged_project(
    design: core.Design, folder: Path, *, data: Mapping[str, ArrayLike] | None = None, force: bool = False
) -> Iterator[Path]:
    """All files of the design in a temporary folder, which takes the place of `folder` when the block ends well."""
    from sr2hls.emit.project import project_files
    from sr2hls.report.data import REPORT, report_data, report_text
    from sr2hls.report.folder import check_destination, staged

    check_destination(folder, force=force)
    files = project_files(design, bench_vectors(design, data))
    files[REPORT] = report_text(report_data(design))
    with staged(folder, files, force=force) as place:
        yield place


def simulate(folder: str | Path, **options: Any) -> Evidence:
    """Check the files of a folder that `sr2hls compile` wrote; the result is added to its report.json.

    Options as `sr2hls.check.simulate.simulate`, and `data` as in `compile`.
    """
    from sr2hls.check.simulate import simulate as run
    from sr2hls.report.data import update_report
    from sr2hls.report.folder import design_in

    place = Path(folder)
    design = design_in(place)
    if options.get("data") is not None:
        options["data"] = read_data(options["data"], list(design.input_formats))
    evidence = run(design, place, **options)
    update_report(design, place, evidence=evidence)
    return evidence
