"""Word lengths by sensitivity: LUTs at each effort under the same proven error, and what a task's metric allows.

    python benchmarks/word_lengths.py [--only proof task] [--cases ...] [--efforts low normal high] [--synth CASE ...]

First table: the shipped examples, a ten-operator formula and the five published jet formulas (12-bit inputs), each
within 1 ulp of its output, proven. Effort "low" shares the error equally, as before the descent; "normal" is the
default. LUTs, DSPs and cycles by the target's model; with `--synth`, Yosys counts for 7-series beside them.

Second table: `metric`, `max_loss` on held-out rows, input widths included. Labels are seeded: the formula and noise.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import sr2hls
from sr2hls.compiler import Options, compile_model
from sr2hls.design import Design
from sr2hls.formats import Format
from sr2hls.load import load
from sr2hls.load.data import read_columns
from sr2hls.model import SymbolicModel
from sr2hls.quantize.from_data import words_from_data
from sr2hls.synth import synthesize
from sr2hls.task.rows import formula_values
from sr2hls.wordlength import Timing, bill_of

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
TEN = "x0*sin(x1 + 0.3*x2) + exp(-x2^2)/(1.5 + x1)"
JETS = ("g", "q", "t", "w", "z")
WORD = Format.parse("fixed<12,3>")
LOSSES = ("0.1%", "1%")


@dataclass(frozen=True)
class Case:
    """A model, what is asked of its circuit, and rows for a task."""

    name: str
    model: SymbolicModel
    options: Options
    columns: dict[str, Any]


def cases() -> Iterator[Case]:
    for folder in ("quickstart", "kepler", "momentum"):
        model = load(EXAMPLES / folder / "model.pkl")
        names = {s.name for output in model.outputs for s in output.expression.free_symbols}
        columns = read_columns(EXAMPLES / folder / "data.csv", [n for n in model.inputs if n in names])
        words = words_from_data(columns)
        options = Options(
            inputs={name: word for name, (word, _) in words.items()},
            ranges={name: span for name, (_, span) in words.items()},
        )
        yield Case(folder, model, options, columns)
    ten = Options(inputs={"*": WORD}, ranges={"x1": (-1.0, 4.0)})
    yield Case("ten", load(TEN), ten, _drawn({"x0": (-4, 4), "x1": (-1, 4), "x2": (-4, 4)}))
    jets = Options(inputs={"*": WORD}, output={"*": Format.parse("fixed<16,6>")}, clock_ns=5.0, target="vu9p-2")
    for name in (*JETS, "all"):
        published = EXAMPLES / "jets" / "published.txt"
        model = load(published) if name == "all" else load(published, output=name)
        names = sorted({s.name for output in model.outputs for s in output.expression.free_symbols})
        yield Case(f"jets {name}", model, jets, _drawn(dict.fromkeys(names, (-4, 4))))


def _drawn(limits: dict[str, tuple[float, float]]) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    return {name: np.clip(rng.normal(0, (high - low) / 6, 4000), low, high) for name, (low, high) in limits.items()}


def bill(design: Design) -> Any:
    ports = int(design.register_inputs) + int(design.register_outputs)
    return bill_of(design.circuit, design.target, Timing(design.clock_ns, ports))


def yosys(design: Design) -> str:
    with tempfile.TemporaryDirectory() as folder:
        (result,) = synthesize(design, Path(folder), tools=["yosys-xc7"], seeds=1)
    return f"{result['lut']}/{result['dsp']}/{result['ff']}" if result["status"] == "done" else str(result["status"])


def by_effort(case: Case, efforts: list[str], synth: bool) -> None:
    first = None
    for effort in efforts:
        start = time.process_time()
        design = compile_model(load_again(case), replace(case.options, effort=effort, name="words"))
        seconds = time.process_time() - start
        cost = bill(design)
        first = first or cost
        share = max(output.bound / output.target for output in design.certificate.outputs)
        row = [
            case.name,
            design.target.name,
            effort,
            f"{cost.luts:.0f}",
            f"{cost.luts / first.luts:.2f}" if first.luts else "-",
            f"{cost.dsp:.0f}",
            str(cost.latency),
            f"{share:.3f}",
            f"{seconds:.1f}",
            yosys(design) if synth else "-",
        ]
        print(f"| {' | '.join(row)} |", flush=True)


def load_again(case: Case) -> SymbolicModel:
    """The same model without what an earlier compilation may have kept."""
    from sr2hls.load import from_json
    from sr2hls.load.native import to_json

    return from_json(to_json(case.model))


def by_task(case: Case) -> None:
    (output,) = case.model.outputs
    truth = formula_values(case.model, case.columns)[output.name]
    rng = np.random.default_rng(2)
    spread = float(np.std(truth))
    noisy = truth + rng.normal(0, 0.1 * spread, truth.size)
    classes = (truth + rng.normal(0, spread, truth.size) > np.median(truth)).astype(float)
    plain = bill(sr2hls.compile(case.model, data=case.columns, target="vu9p-2", clock="5ns"))
    print(f"| {case.name} | 1 ulp | - | 12 each | {plain.luts:.0f} | {plain.dsp:.0f} | {plain.latency} | - | - |")
    for metric, labels in (("rmse", noisy), ("auc", classes)):
        for loss in LOSSES:
            start = time.process_time()
            design = sr2hls.compile(
                case.model, data=case.columns, labels=labels, metric=metric, max_loss=loss, target="vu9p-2", clock="5ns"
            )
            cost = bill(design)
            widths = " ".join(f"{name} {fmt.width}" for name, fmt in design.input_formats.items())
            note = design.certificate.notes[-1].rpartition("a loss of ")[2]
            row = [case.name, metric, loss, widths, f"{cost.luts:.0f}", f"{cost.dsp:.0f}", str(cost.latency), note]
            print(f"| {' | '.join(row)} | {time.process_time() - start:.1f} |", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=("proof", "task"), default=["proof", "task"])
    parser.add_argument("--cases", nargs="+", help="names, such as ten quickstart 'jets g'")
    parser.add_argument("--efforts", nargs="+", default=["low", "normal"])
    parser.add_argument("--synth", nargs="*", default=[], help="cases that Yosys counts, too")
    arguments = parser.parse_args()
    chosen = [case for case in cases() if arguments.cases is None or case.name in arguments.cases]
    if "proof" in arguments.only:
        columns = ("formula", "target", "effort", "LUT", "of low", "DSP", "cycles", "proven / allowed", "CPU s")
        print(f"| {' | '.join(columns)} | Yosys xc7 LUT/DSP/FF |\n{'|---' * (len(columns) + 1)}|")
        for case in chosen:
            by_effort(case, arguments.efforts, case.name in arguments.synth)
    if "task" in arguments.only:
        columns = ("formula", "metric", "allowed", "input bits", "LUT", "DSP", "cycles", "loss", "CPU s")
        print(f"\n| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
        for case in chosen:
            if len(case.model.outputs) == 1:
                by_task(case)
    return 0


if __name__ == "__main__":
    sys.exit(main())
