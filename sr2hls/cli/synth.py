"""`sr2hls synth`: the files of a folder → resources and clock frequency by the tools that are here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer


def synth_command(
    folder: Annotated[Path, typer.Argument(help="A folder that 'sr2hls compile' wrote.")],
    seeds: Annotated[int, typer.Option("--seeds", min=1, max=100, help="Place-and-route runs of nextpnr.")] = 3,
    tool: Annotated[
        list[str] | None,
        typer.Option("--tool", help="yosys-xc7, yosys-ecp5, nextpnr-ecp5, vivado, vitis; repeatable [default: all]."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
) -> None:
    """Count resources and find the clock frequency: Yosys, nextpnr-ecp5, and Vivado or Vitis where on PATH."""
    from sr2hls.report import terminal
    from sr2hls.report.data import report_text, update_report
    from sr2hls.report.folder import design_in

    design = design_in(folder)
    results = run_tools(design, folder, seeds, tool, json)
    update_report(design, folder, synthesis=results)
    if json:
        typer.echo(report_text({"synthesis": results}), nl=False)
        return
    terminal.show_synthesis(terminal.console(), results)


def run_tools(design: Any, folder: Path, seeds: int, tools: Sequence[str] | None, quiet: bool) -> list[dict[str, Any]]:
    """Run the tools with a progress bar."""
    from sr2hls.cli.progress import progress
    from sr2hls.synth import TOOLS, synthesize

    chosen = list(tools or TOOLS)
    with progress(quiet) as tell:
        place = {name: index / len(chosen) for index, name in enumerate(chosen)}
        return synthesize(design, folder, seeds=seeds, tools=chosen, tell=lambda name: tell(name, place.get(name, 0.0)))
