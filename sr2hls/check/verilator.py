"""`Design` + input codes → output codes and latency, as Verilator simulates the emitted Verilog."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from numpy.typing import ArrayLike

from sr2hls.check import gxx, toolchain
from sr2hls.check.engine import EngineResult
from sr2hls.check.stream import TOP, Access, Batch, Case, batch, stream, stream_source
from sr2hls.design import Design

_ACCESS = Access(
    head=f'#include "V{TOP}.h"\ndouble sc_time_stamp() {{ return 0; }}',
    create=f"VerilatedContext context; V{TOP} model{{&context}};",
    write="model.{port} = {value};",
    read="model.{port}",
    settle="model.eval();",
)
# its C++ multiplies signed 32-bit words and relies on wrapping: without the flag g++ takes a square for less than 2^31
WRAPPING = "-fwrapv"
_OPTIONS = ("-O3", "-Wno-fatal", "-Wno-lint", "--x-assign", "fast", "--x-initial", "fast", "--noassert")


def run(design: Design, inputs: Mapping[str, ArrayLike], text: str | None = None) -> EngineResult:
    """Simulate one design on int64 input codes of shape (n,).

    Args:
        text: the Verilog as it lies on disk; by default it is printed from the design.

    Raises:
        ToolError: a tool is missing or refuses the text. FormatError: the inputs do not suit the ports.
        MismatchError: the valid protocol is broken (results missing, or at varying latency).
    """
    return run_many([(design, inputs)], texts=None if text is None else [text])[0]


def run_many(cases: Sequence[Case], *, texts: Sequence[str] | None = None, size: int = 50) -> list[EngineResult]:
    """Simulate many designs, `size` of them in each build; results in the order of the cases."""
    results: list[EngineResult] = []
    for start in range(0, len(cases), size):
        part = slice(start, start + size)
        results += _run_batch(batch(cases[part], None if texts is None else texts[part]))
    return results


def lint(text: str, name: str) -> list[str]:
    """The warnings and errors of `verilator --lint-only -Wall` on one module; empty when it is clean."""
    with tempfile.TemporaryDirectory(prefix="sr2hls-") as place:
        folder = Path(place)
        (folder / f"{name}.v").write_text(text, encoding="utf-8")
        command = [_program(), "--lint-only", "-Wall", "-Wno-fatal", "--top-module", name, f"{name}.v"]
        log = toolchain.run_tool(command, folder, environment=toolchain.verilator_environment())
    return [line for line in log.splitlines() if line.startswith("%")]


def _program() -> str:
    return str(toolchain.verilator_root() / "bin" / "verilator")


def _run_batch(work: Batch) -> list[EngineResult]:
    runtime = toolchain.verilator_runtime()
    with tempfile.TemporaryDirectory(prefix="sr2hls-") as place:
        folder = Path(place)
        (folder / "top.v").write_text("\n".join((*work.modules, work.top)), encoding="utf-8")
        command = [_program(), "--cc", *_OPTIONS, "--top-module", TOP, "-Mdir", "model", "top.v"]
        toolchain.run_tool(command, folder, environment=toolchain.verilator_environment())
        model = folder / "model"
        units = sorted(path.name for path in model.glob("*.cpp"))
        includes = "".join(f'#include "{unit}"\n' for unit in units)
        (model / "engine.cc").write_text(includes + stream_source(work, _ACCESS), encoding="utf-8")
        flags = toolchain.verilator_flags()
        compile_command = [
            gxx.compiler(),
            "-O1",
            WRAPPING,
            *flags,
            "-shared",
            gxx.ISOLATED,
            "-I.",
            "engine.cc",
            str(runtime),
            "-o",
            "engine.so",
        ]
        toolchain.run_tool(compile_command, model)
        return stream(model / "engine.so", work, "verilator", "Verilator", toolchain.verilator_version())
