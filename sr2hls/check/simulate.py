"""`Design` (+ its files) → `Evidence`: every engine on the same vectors, bit for bit, and the error measured.

The interpreter is the reference. A missing tool is an error that names the command which installs it; only Icarus,
which pip does not have, is reported as not installed.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sr2hls.check import cocotb_run, cpp, cxxrtl, hls, icarus, verilator
from sr2hls.check.compare import reference, require_equal
from sr2hls.check.engine import EngineResult
from sr2hls.check.measure import MeasuredError, measured_errors
from sr2hls.check.vectors import EXHAUSTIVE_BITS, input_bits, input_vectors
from sr2hls.design import Design
from sr2hls.emit.design_json import short_digest, stated_digest
from sr2hls.emit.emulator import emulator
from sr2hls.emit.hls import hls_source
from sr2hls.emit.project import emulator_path, verilog_path
from sr2hls.emit.testbench import testbench
from sr2hls.emit.verilog import verilog
from sr2hls.errors import LoadError, MismatchError
from sr2hls.interpret import Codes
from sr2hls.values import to_codes

NOT_INSTALLED = "not installed"
EQUAL = "equal"
# vectors that the slow engines are given at most (some thousand a second); the others take all
LIMITS = {"icarus": 4096, "cocotb": 256, "hls4ml": 2000}

Run = Callable[[Design, Mapping[str, ArrayLike]], EngineResult]
Tell = Callable[[str, float], None]  # what is being done, and the fraction of all work that is behind it


@dataclass(frozen=True, slots=True)
class EngineEvidence:
    """One engine: "equal" on `vectors` vectors, or "not installed". latency: measured cycles, where it has any."""

    engine: str
    status: str
    vectors: int
    latency: int | None = None
    tool: str = ""
    version: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a simulation showed. `vectors` are those of the reference; the slower engines ran some of them."""

    design: str
    digest: str
    latency: int  # promised
    vectors: int
    choice: str  # "all inputs", or what they were made of
    engines: tuple[EngineEvidence, ...]
    errors: tuple[MeasuredError, ...]
    seconds: float

    def data(self) -> dict[str, Any]:
        """The same as JSON data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Files:
    """The texts that are simulated."""

    verilog: str
    header: str
    hls: dict[str, str]


def simulate(
    design: Design,
    folder: Path | None = None,
    *,
    samples: int = 1000,
    seed: int = 0,
    data: Mapping[str, ArrayLike] | None = None,
    hls4ml: bool = False,
    tell: Tell = lambda _what, _done: None,
) -> Evidence:
    """Python interpreter = C++ header = Verilator = CXXRTL = Icarus = HLS C++, the protocol by cocotb, and the error.

    Args:
        folder: where the design's files lie (see `sr2hls.emit.project`); they are what is simulated. None prints them.
        samples: random vectors, beside corners and data; with at most 20 input bits all inputs are taken instead.
        data: real values of shape (m,) per input, rounded and saturated to the ports.
        hls4ml: run hls4ml's prediction, too.

    Raises:
        MismatchError: an engine disagrees, a latency is not the promised one, an error exceeds the proven bound, or
            the files are of another design. LoadError: a file is missing. ToolError: a tool is missing or fails.
        FormatError: the data lack an input.
    """
    start = time.perf_counter()
    files = printed(design) if folder is None else read_files(design, folder)
    codes = None if data is None else data_codes(design, data)
    vectors = input_vectors(design, samples, seed, codes)
    few = input_vectors(design, samples, seed, codes, exhaustive_bits=0)
    engines: dict[str, Run] = {
        "cpp": lambda d, v: cpp.run(d, v, files.header),
        "verilator": lambda d, v: verilator.run(d, v, files.verilog),
        "cxxrtl": lambda d, v: cxxrtl.run(d, v, files.verilog),
        "icarus": lambda d, v: icarus.run(d, v, files.verilog),
        "hls": lambda d, v: hls.run(d, v, files.hls),
    }
    if hls4ml:
        engines["hls4ml"] = _hls4ml
    work = len(engines) + 4
    tell("python", 0.0)
    begun = time.perf_counter()
    expected = reference(design, vectors)
    seconds = time.perf_counter() - begun
    found = [EngineEvidence("python", EQUAL, _size(vectors), None, "NumPy", np.__version__, seconds)]
    for index, (name, run) in enumerate(engines.items()):
        tell(name, (index + 1) / work)
        given = _limited(vectors, few, LIMITS.get(name))
        found.append(_engine(design, name, run, given, expected if given is vectors else reference(design, given)))
    for index, sim in enumerate(("verilator", "icarus")):
        tell(f"cocotb with {sim}", (len(engines) + 1 + index) / work)
        found.append(_cocotb(design, sim, _limited(vectors, few, LIMITS["cocotb"]), files.verilog))
    tell("error against the formula", (work - 1) / work)
    errors = measured_errors(design, vectors, lambda part: tell("error against the formula", (work - 1 + part) / work))
    total = time.perf_counter() - start
    choice = _choice(design, data is not None)
    return Evidence(
        design.name,
        short_digest(design),
        design.latency,
        _size(vectors),
        choice,
        tuple(found),
        errors,
        total,
    )


def printed(design: Design) -> Files:
    """The files as the printers write them now."""
    return Files(verilog(design, short_digest(design)), emulator(design), hls_source(design))


def read_files(design: Design, folder: Path) -> Files:
    """The files in a folder. Raises LoadError for a missing one, MismatchError for one of another design."""
    return Files(
        _read(design, folder / verilog_path(design)),
        _read(design, folder / emulator_path(design)),
        {name: _read(design, folder / "hls" / name) for name in hls_source(design)},
    )


def _read(design: Design, path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise LoadError(f"{path}: cannot be read ({why}); compile the model again") from None
    digest = stated_digest(text)
    if digest != short_digest(design):
        raise MismatchError(
            f"{path} is of another design (digest {digest or 'none'}) than design.json ({short_digest(design)}); "
            "compile the model again"
        )
    return text


def data_codes(design: Design, data: Mapping[str, ArrayLike]) -> dict[str, Codes]:
    """Real values → codes of the ports."""
    return {name: to_codes(fmt, data[name], name) for name, fmt in design.input_formats.items() if name in data}


def _engine(
    design: Design, name: str, run: Run, vectors: Mapping[str, Codes], expected: Mapping[str, Codes]
) -> EngineEvidence:
    if name == "icarus" and not icarus.available():
        return EngineEvidence("icarus", NOT_INSTALLED, 0)
    result = run(design, vectors)
    require_equal(design, vectors, result, expected)
    return EngineEvidence(
        name, EQUAL, _size(vectors), result.latency, result.tool, result.version, round(result.seconds, 6)
    )


def _cocotb(design: Design, sim: str, vectors: Mapping[str, Codes], text: str) -> EngineEvidence:
    """The valid protocol: idle, single samples, back to back, gaps; the Verilog is `text`."""
    name = f"cocotb-{sim}"
    if sim == "icarus" and not icarus.available():
        return EngineEvidence(name, NOT_INSTALLED, 0)
    with tempfile.TemporaryDirectory(prefix="sr2hls-") as place:
        folder = Path(place)
        for file, content in testbench(design, vectors, "design.v", stated_digest(text) or "none").items():
            (folder / file).write_text(content, encoding="utf-8")
        (folder / "design.v").write_text(text, encoding="utf-8")
        result = cocotb_run.run_cocotb(folder, sim)
    if not result.passed:
        raise MismatchError(
            f"cocotb under {sim}, design '{design.name}': {result.failed} of {result.tests} tests failed: "
            + "; ".join(result.messages)
        )
    return EngineEvidence(
        name, EQUAL, result.samples, design.latency, f"cocotb under {sim}", result.version, round(result.seconds, 3)
    )


def _hls4ml(design: Design, vectors: Mapping[str, ArrayLike]) -> EngineResult:
    from sr2hls.check import hls4ml_run

    return hls4ml_run.run(design, vectors)


def _limited(vectors: dict[str, Codes], few: dict[str, Codes], limit: int | None) -> dict[str, Codes]:
    """All vectors where the engine is fast enough, else corners, data and random ones, evenly thinned to the limit."""
    if limit is None or _size(vectors) <= limit:
        return vectors
    if _size(few) <= limit:
        return few
    places = np.linspace(0, _size(few) - 1, limit).astype(np.int64)
    return {name: codes[places] for name, codes in few.items()}


def _size(vectors: Mapping[str, Codes]) -> int:
    return len(next(iter(vectors.values()))) if vectors else 1


def _choice(design: Design, with_data: bool) -> str:
    if input_bits(design) <= EXHAUSTIVE_BITS:
        return "all inputs"
    return "corners, data and random" if with_data else "corners and random"
