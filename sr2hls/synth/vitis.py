"""`Design` + its folder → the C-synthesis report of Vitis HLS (or Vivado HLS), where it is installed."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from sr2hls.design import Design
from sr2hls.emit.hls import top_name
from sr2hls.emit.hls_project import hls_project
from sr2hls.errors import LoadError, ToolError
from sr2hls.synth.reports import parse_csynth_xml
from sr2hls.synth.vivado import not_installed
from sr2hls.synth.yosys import run_tool

SCRIPT = "build_prj.tcl"


def vitis_command(script: str = SCRIPT) -> tuple[str, list[str]] | None:
    """(tool, command) that runs a Tcl script: `vitis-run` (2025.1 and later), else `vitis_hls`, else `vivado_hls`."""
    if program := shutil.which("vitis-run"):
        return "vitis-run", [program, "--mode", "hls", "--tcl", script]
    for tool in ("vitis_hls", "vivado_hls"):
        if program := shutil.which(tool):
            return tool, [program, "-f", script]
    return None


def vitis(design: Design, folder: Path, *, timeout_s: float = 7200) -> dict[str, Any]:
    """Run C simulation and synthesis of the design's HLS project and parse the report of its top function.

    The project is the one below `folder`, copied, so that the folder stays as it was; else it is printed anew, with a
    test bench of one vector. Returns {"tool": ..., "status": "done", "report": ...}, or status "not installed".
    Raises ToolError when the tool fails or writes no report.
    """
    chosen = vitis_command()
    if chosen is None:
        remedy = "source its settings64.sh so that 'vitis-run' or 'vitis_hls' is on PATH"
        return not_installed("vitis", "Vitis HLS", remedy)
    tool, command = chosen
    top = top_name(design)
    with tempfile.TemporaryDirectory(prefix="sr2hls_vitis_") as name:
        project = Path(name) / "project"
        _copy_project(design, folder, project, top)
        run_tool(tool, command, project, timeout_s)
        reports = [*project.rglob(f"{top}_csynth.xml"), *project.rglob("csynth.xml")]
        if not reports:
            raise ToolError(f"{tool} ended without writing {top}_csynth.xml")
        try:
            return {"tool": tool, "status": "done", "report": parse_csynth_xml(reports[0])}
        except LoadError as error:
            raise ToolError(f"the report of {tool} could not be read: {error}") from error


def _copy_project(design: Design, folder: Path, project: Path, top: str) -> None:
    for script in sorted(folder.rglob(SCRIPT)):
        if (script.parent / f"{top}.cpp").exists():
            shutil.copytree(script.parent, project, ignore=shutil.ignore_patterns("*_prj"))
            return
    project.mkdir()
    zero = {name: [max(0, design.circuit.nodes[index].low)] for name, index in design.circuit.inputs}
    for file, text in hls_project(design, zero).items():
        (project / file).write_text(text)
