"""`sr2hls simulate`: the files of a folder → every engine compared, bit for bit, and the error measured."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def simulate_command(
    folder: Annotated[Path, typer.Argument(help="A folder that 'sr2hls compile' wrote.")],
    samples: Annotated[int, typer.Option("--samples", min=1, max=10_000_000, help="Random vectors.")] = 1000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the random vectors.")] = 0,
    data: Annotated[Path | None, typer.Option("--data", help="CSV, npz or parquet with more vectors.")] = None,
    hls4ml: Annotated[bool, typer.Option("--hls4ml", help="Run hls4ml's prediction, too.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the evidence as JSON.")] = False,
) -> None:
    """Check a compiled folder: all engines bit for bit, the latency, and the error against the formula."""
    from sr2hls import api
    from sr2hls.cli.progress import progress
    from sr2hls.report import terminal
    from sr2hls.report.data import report_text

    with progress(json) as tell:
        evidence = api.simulate(folder, samples=samples, seed=seed, data=data, hls4ml=hls4ml, tell=tell)
    if json:
        typer.echo(report_text(evidence.data()), nl=False)
        return
    out = terminal.console()
    terminal.show_simulation(out, evidence.data())
    terminal.line(out, "vectors", f"{evidence.vectors} ({evidence.choice})")
    terminal.line(out, "next", f"sr2hls synth {folder}")
