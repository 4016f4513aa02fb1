"""`sr2hls verify`: a folder → its certificate checked again by a separate program, a line for each output."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

REFUSED = 2


def verify_command(
    folder: Annotated[Path, typer.Argument(help="A folder that 'sr2hls compile' wrote.")],
    json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")] = False,
) -> None:
    """Check the certificate again: that the circuit is as near to the formula as stated, for every input.

    The check shares no code with the compiler but the circuit, its reader, and interval arithmetic. Exit code: 0
    verified, 2 refused (the first discrepancy is named) or not decided.
    """
    from sr2hls.cli.progress import progress
    from sr2hls.report import terminal
    from sr2hls.report.data import report_text, update_report
    from sr2hls.report.folder import design_in
    from sr2hls.verify import verify_folder

    with progress(json) as tell:
        tell("certificate", 0.0)
        verdict = verify_folder(folder)
    if verdict.verified:
        update_report(design_in(folder), folder if folder.is_dir() else folder.parent, verification=verdict.data())
    if json:
        typer.echo(report_text(verdict.data()), nl=False)
    else:
        terminal.show_verification(terminal.console(), verdict.data())
    if not verdict.verified:
        raise typer.Exit(REFUSED)
