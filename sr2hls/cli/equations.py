"""`sr2hls equations`: a model file → its hall of fame as a table."""

from __future__ import annotations

from typing import Annotated

import typer


def equations_command(
    model: Annotated[str, typer.Argument(help="PySR checkpoint, run folder, or hall of fame.")],
    json: Annotated[bool, typer.Option("--json", help="Print the rows as JSON.")] = False,
) -> None:
    """List the equations of a model; a star marks the one that compile takes by default."""
    from dataclasses import asdict

    from sr2hls.load import read
    from sr2hls.load.selection import pick
    from sr2hls.report import terminal
    from sr2hls.report.data import report_text

    catalog = read(model)
    marked = [pick(rows, catalog.model_selection, catalog.scored) for rows in catalog.outputs]
    if json:
        rows = [
            {"output": name, "default": star, "rows": [asdict(row) for row in found]}
            for name, star, found in zip(catalog.names, marked, catalog.outputs, strict=True)
        ]
        typer.echo(report_text({"source": catalog.source, "inputs": catalog.inputs, "outputs": rows}), nl=False)
        return
    out = terminal.console()
    terminal.line(out, "source", f"{catalog.source}{', ' if catalog.writer else ''}{catalog.writer}")
    terminal.line(out, "inputs", ", ".join(catalog.inputs))
    for name, star, found in zip(catalog.names, marked, catalog.outputs, strict=True):
        rows_table = terminal.table(
            "", "index", "complexity", "loss", "score", f"{name} =", right=("index", "complexity")
        )
        for index, row in enumerate(found):
            loss, score = ("" if value is None else f"{value:.4g}" for value in (row.loss, row.score))
            complexity = "" if row.complexity is None else str(row.complexity)
            rows_table.add_row("*" if index == star else "", str(index), complexity, loss, score, row.equation)
        out.print()
        out.print(rows_table)
