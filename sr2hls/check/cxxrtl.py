"""`Design` + input codes → output codes and latency, as Yosys reads the emitted Verilog and its CXXRTL simulates it."""

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
    head='#include "model.cc"\n#include <memory>',
    create=f"auto owner = std::make_unique<cxxrtl_design::p_{TOP.replace('_', '__')}>(); auto& model = *owner;",
    write="model.p_{port}.set<{type}>({value});",
    read="model.p_{port}.get<{type}>()",
    settle="model.step(); model.step();",  # an output that a register drives is settled only by the second
)
_SCRIPT = f"""read_verilog top.v
hierarchy -check -top {TOP}
write_cxxrtl -g0 model.cc
"""


def run(design: Design, inputs: Mapping[str, ArrayLike], text: str | None = None) -> EngineResult:
    """Simulate one design on int64 input codes of shape (n,); arguments and errors as in `sr2hls.check.verilator`."""
    return run_many([(design, inputs)], texts=None if text is None else [text])[0]


def run_many(cases: Sequence[Case], *, texts: Sequence[str] | None = None, size: int = 50) -> list[EngineResult]:
    """Simulate many designs, `size` of them in each build; results in the order of the cases."""
    results: list[EngineResult] = []
    for start in range(0, len(cases), size):
        part = slice(start, start + size)
        results += _run_batch(batch(cases[part], None if texts is None else texts[part]))
    return results


def _run_batch(work: Batch) -> list[EngineResult]:
    flags = toolchain.cxxrtl_flags()
    with tempfile.TemporaryDirectory(prefix="sr2hls-") as place:
        folder = Path(place)
        (folder / "top.v").write_text("\n".join((*work.modules, work.top)), encoding="utf-8")
        toolchain.run_yosys(_SCRIPT, folder)
        (folder / "engine.cc").write_text(stream_source(work, _ACCESS), encoding="utf-8")
        command = [
            gxx.compiler(),
            "-std=c++17",
            "-O1",
            *flags,
            "-shared",
            gxx.ISOLATED,
            "-I.",
            "engine.cc",
            "-o",
            "engine.so",
        ]
        toolchain.run_tool(command, folder)
        return stream(folder / "engine.so", work, "cxxrtl", "Yosys CXXRTL", toolchain.yosys_version())
