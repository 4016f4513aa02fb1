"""`sr2hls show`: a folder → what is known of its design."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def show_command(
    folder: Annotated[Path, typer.Argument(help="A folder that 'sr2hls compile' wrote.")],
    nodes: Annotated[bool, typer.Option("--nodes", help="The proof's ledger, one line a step.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Show a compiled folder: formula, ports, proven bound, latency, and what was simulated and synthesized."""
    from dataclasses import asdict

    from sr2hls.report import terminal
    from sr2hls.report.data import read_report, report_text
    from sr2hls.report.folder import design_in

    design = design_in(folder)
    report = read_report(design, folder if folder.is_dir() else folder.parent)
    if json:
        typer.echo(report_text(report), nl=False)
        return
    out = terminal.console()
    terminal.show_design(out, report)
    if nodes:
        out.print()
        terminal.show_nodes(out, [asdict(node) for node in design.certificate.nodes])
    out.print()
    terminal.show_simulation(out, report["simulation"])
    out.print()
    terminal.show_synthesis(out, report["synthesis"])
    terminal.show_proof(out, report["proof"])
    terminal.show_verification(out, report["verification"])
    terminal.show_standing(out, report)
