"""An HLS project folder → the C-synthesis report of Vitis HLS, where it is installed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from sr2hls.errors import ToolError
from sr2hls.synth.vivado import not_installed
from sr2hls.synth.yosys import run_tool


def vitis_command(script: str) -> tuple[str, list[str]] | None:
    """(tool, command) that runs a Tcl script: `vitis-run` (2025.1 and later), else `vitis_hls`, else None."""
    if program := shutil.which("vitis-run"):
        return "vitis-run", [program, "--mode", "hls", "--tcl", script]
    if program := shutil.which("vitis_hls"):
        return "vitis_hls", [program, "-f", script]
    return None


def vitis(project: Path, script: str, *, timeout_s: float = 7200) -> dict[str, Any]:
    """Run `project/script` there and parse the newest `*_csynth.xml`/`csynth.xml` below the folder.

    Returns {"tool": ..., "status": "done", "report": ...}, or status "not installed". Raises ToolError when the
    script is missing or the tool fails.
    """
    if not (project / script).exists():
        raise ToolError(f"the HLS project '{project.name}' has no script {script}")
    chosen = vitis_command(script)
    if chosen is None:
        return not_installed(
            "vitis", "Vitis HLS", "source its settings64.sh so that 'vitis-run' or 'vitis_hls' is on PATH"
        )
    tool, command = chosen
    before = {path: path.stat().st_mtime_ns for path in project.rglob("*csynth.xml")}
    run_tool(tool, command, project, timeout_s)
    # only a report that this run wrote counts; csynth.xml is the top function's
    fresh = [p for p in project.rglob("*csynth.xml") if p.stat().st_mtime_ns != before.get(p)]
    if not fresh:
        raise ToolError(f"{tool} ended without writing a csynth.xml")
    report = min(fresh, key=lambda path: (path.name != "csynth.xml", len(path.parts), path.name))
    from sr2hls.synth.reports import parse_csynth_xml

    return {"tool": tool, "status": "done", "report": parse_csynth_xml(report)}
