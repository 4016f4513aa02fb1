"""`Design` + its Verilog → Vivado's own utilization and timing, where Vivado is installed; never an imitation."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from sr2hls.design import Design
from sr2hls.emit.hls_project import part_of, vivado_project
from sr2hls.emit.verilog import module_name
from sr2hls.errors import LoadError, ToolError
from sr2hls.synth.reports import parse_timing_summary, parse_utilization
from sr2hls.synth.yosys import run_tool

_REPORTS = ("utilization_route.rpt", "timing_route.rpt")


def vivado(design: Design, verilog: str, *, timeout_s: float = 7200) -> dict[str, Any]:
    """Run `vivado -mode batch` out of context on the Verilog text, up to routing, and parse its reports.

    Returns {"tool": "vivado", "status": "done", "utilization": ..., "timing": ...}, or status "not installed".
    Raises ToolError when Vivado fails or writes reports of another layout.
    """
    program = shutil.which("vivado")
    if program is None:
        return not_installed("vivado", "Vivado", "source its settings64.sh so that 'vivado' is on PATH")
    with tempfile.TemporaryDirectory(prefix="sr2hls_vivado_") as name:
        folder = Path(name)
        (folder / f"{module_name(design)}.v").write_text(verilog)
        for file, text in vivado_project(design).items():
            (folder / file).write_text(text)
        command = [program, "-mode", "batch", "-nojournal", "-source", "vivado_synth.tcl"]
        log = run_tool("vivado", command, folder, timeout_s)
        missing = [report for report in _REPORTS if not (folder / report).exists()]
        if missing:
            raise ToolError(f"vivado ended without writing {' and '.join(missing)}")
        try:
            utilization, timing = parse_utilization(folder / _REPORTS[0]), parse_timing_summary(folder / _REPORTS[1])
        except LoadError as error:
            raise ToolError(f"vivado's reports could not be read: {error}") from error
    version = re.search(r"Vivado v(\S+)", log)
    return {
        "tool": "vivado",
        "status": "done",
        "version": version[1] if version else "unknown",
        "part": part_of(design),
        "clock_ns": design.clock_ns,
        "utilization": utilization,
        "timing": timing,
    }


def not_installed(tool: str, product: str, remedy: str) -> dict[str, Any]:
    """What a run of a missing vendor tool returns: said plainly, no numbers."""
    return {"tool": tool, "status": "not installed", "message": f"{product} is not installed here; {remedy}"}
