"""Verilog → Vivado's own utilization and timing, where Vivado is installed; never an imitation of them."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from sr2hls.errors import ToolError
from sr2hls.synth.yosys import run_tool, source_text

_TCL = """\
# {top} on {part}: out-of-context synthesis, placement and routing
read_verilog -sv {{top.v}}
synth_design -top {{{top}}} -part {{{part}}} -mode out_of_context -flatten_hierarchy full
if {{[llength [get_ports -quiet clk]]}} {{ create_clock -name clk -period {clock:.4f} [get_ports clk] }}
opt_design
place_design
phys_opt_design
route_design
report_utilization -file utilization.rpt
report_timing_summary -max_paths 1 -file timing_summary.rpt
"""


def vivado_tcl(top: str, part: str, clock_ns: float) -> str:
    """The batch script; it reads `top.v` and writes `utilization.rpt` and `timing_summary.rpt` beside it."""
    return _TCL.format(top=top, part=part, clock=clock_ns)


def vivado(verilog: Path | str, top: str, part: str, clock_ns: float, *, timeout_s: float = 7200) -> dict[str, Any]:
    """Run `vivado -mode batch` out of context and parse its reports.

    Returns {"tool": "vivado", "status": "done", "utilization": ..., "timing": ...}, or status "not installed".
    Raises ToolError when Vivado fails.
    """
    program = shutil.which("vivado")
    if program is None:
        return not_installed("vivado", "Vivado", "source its settings64.sh so that 'vivado' is on PATH")
    with tempfile.TemporaryDirectory(prefix="sr2hls_vivado_") as name:
        folder = Path(name)
        (folder / "top.v").write_text(source_text(verilog))
        (folder / "run.tcl").write_text(vivado_tcl(top, part, clock_ns))
        command = [program, "-mode", "batch", "-nojournal", "-notrace", "-source", "run.tcl"]
        log = run_tool("vivado", command, folder, timeout_s)
        return {
            "tool": "vivado",
            "status": "done",
            "version": _version(log),
            "part": part,
            "clock_ns": clock_ns,
            **_reports(folder),
        }


def not_installed(tool: str, product: str, remedy: str) -> dict[str, Any]:
    """What a run of a missing vendor tool returns: said plainly, no numbers."""
    return {"tool": tool, "status": "not installed", "message": f"{product} is not installed here; {remedy}"}


def _reports(folder: Path) -> dict[str, Any]:
    from sr2hls.synth.reports import parse_timing_summary, parse_utilization

    missing = [name for name in ("utilization.rpt", "timing_summary.rpt") if not (folder / name).exists()]
    if missing:
        raise ToolError(f"vivado ended without writing {' and '.join(missing)}")
    return {
        "utilization": parse_utilization(folder / "utilization.rpt"),
        "timing": parse_timing_summary(folder / "timing_summary.rpt"),
    }


def _version(log: str) -> str:
    line = next((line for line in log.splitlines() if "Vivado v" in line), "")
    return line.split("Vivado v")[-1].split()[0] if line else "unknown"
