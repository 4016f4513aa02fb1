"""A `Design` and its folder → one JSON result a tool: Yosys counts, nextpnr timing, Vivado and Vitis reports."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sr2hls.design import Design
from sr2hls.errors import ToolError
from sr2hls.synth.nextpnr import nextpnr_ecp5
from sr2hls.synth.vitis import vitis
from sr2hls.synth.vivado import vivado
from sr2hls.synth.yosys import yosys_counts
from sr2hls.targets import Target, load_target

Json = dict[str, Any]

TOOLS = ("yosys-xc7", "yosys-ecp5", "nextpnr-ecp5", "vivado", "vitis")


def synthesize(
    design: Design,
    folder: Path,
    *,
    seeds: int = 3,
    tools: Sequence[str] = TOOLS,
    tell: Callable[[str], None] = lambda _: None,
) -> list[Json]:
    """Run the tools on the design's files; the results are JSON data in the order of `tools`.

    `folder` is the output folder of a compile: its `*.v` that holds the design's module is used (else the module is
    printed anew), and its HLS project where Vitis is installed. Each result has `tool` and `status`: "done", "failed"
    (with the tool's `message`) or "not installed". nextpnr runs on the design's own target when that is an ECP5, else
    on ecp5-6, and the result says so.

    Raises ToolError on the name of an unknown tool.
    """
    unknown = [tool for tool in tools if tool not in TOOLS]
    if unknown:
        raise ToolError(f"no synthesis tool is called {', '.join(unknown)}; choose from {', '.join(TOOLS)}")
    text, top = _verilog(design, folder)
    results = []
    for tool in tools:
        tell(tool)
        try:
            results.append(_RUN[tool](design, text, top, folder, seeds))
        except ToolError as error:
            missing = "is missing" in str(error)
            results.append({"tool": tool, "status": "not installed" if missing else "failed", "message": str(error)})
    return results


def predicted(design: Design) -> Json:
    """What the target's model says of the design: LUTs, DSPs, register bits, the slowest stage."""
    from sr2hls.schedule import register_bits

    areas = [design.target.area(design.circuit, index) for index in range(len(design.circuit.nodes))]
    return {
        "target": design.target.name,
        "estimate": design.target.estimate,
        "lut": round(sum(area.lut for area in areas)),
        "dsp": round(sum(area.dsp for area in areas)),
        "register_bits": register_bits(design.circuit, design.cycles, design.stages) + _port_registers(design),
        "critical_ns": design.critical_ns,
    }


def _port_registers(design: Design) -> int:
    inputs = sum(fmt.width for fmt in design.input_formats.values()) if design.register_inputs else 0
    return inputs + (sum(fmt.width for fmt in design.output_formats.values()) if design.register_outputs else 0)


def _verilog(design: Design, folder: Path) -> tuple[str, str]:
    """The text of the design's module and its name."""
    from sr2hls.emit.verilog import module_name, verilog

    top = module_name(design)
    for path in sorted(folder.rglob(f"{top}.v")):
        text = path.read_text()
        if f"module {top}" in text:
            return text, top
    return verilog(design), top


def _yosys(family: str) -> Callable[[Design, str, str, Path, int], Json]:
    def run(design: Design, text: str, top: str, _folder: Path, _seeds: int) -> Json:
        found = yosys_counts(text, top, family, dsp=design.target.has_dsp)
        return {
            **asdict(found),
            "tool": f"yosys-{family}",
            "engine": found.tool,
            "status": "done",
            "note": "open synthesis, not the vendor's; adders outside of DSP blocks" if family == "xc7" else "",
        }

    return run


def _nextpnr(design: Design, text: str, top: str, _folder: Path, seeds: int) -> Json:
    target = _ecp5(design.target)
    run = nextpnr_ecp5(
        *(text, top, target),
        seeds=range(1, seeds + 1),
        clock_ns=design.clock_ns,
        latency=design.latency,
        dsp=design.target.has_dsp,
    )
    data = asdict(run)
    return {
        **{key: list(value) if isinstance(value, tuple) else value for key, value in data.items()},
        "tool": "nextpnr-ecp5",
        "engine": run.tool,
        "status": "done",
        "target": target.name,
        "note": "" if target is design.target else f"the design is scheduled for {design.target.name}",
    }


def _ecp5(target: Target) -> Target:
    return target if target.nextpnr else load_target("ecp5-6")


def _vivado(design: Design, text: str, _top: str, _folder: Path, _seeds: int) -> Json:
    return vivado(design, text)


def _vitis(design: Design, _text: str, _top: str, folder: Path, _seeds: int) -> Json:
    return vitis(design, folder)


_RUN: dict[str, Callable[[Design, str, str, Path, int], Json]] = {
    "yosys-xc7": _yosys("xc7"),
    "yosys-ecp5": _yosys("ecp5"),
    "nextpnr-ecp5": _nextpnr,
    "vivado": _vivado,
    "vitis": _vitis,
}
