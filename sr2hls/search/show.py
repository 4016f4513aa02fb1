"""A `SearchResult` → the table of each front and the command to run next."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from sr2hls.search.found import Found
from sr2hls.search.result import OutputFound, SearchResult

_RIGHT = ("index", "cycles", "ns", "LUT", "DSP", "loss")


def front_table(result: SearchResult, found: OutputFound) -> Any:
    """Cycles, ns, LUT, DSP, score, loss, output word and equation; a star marks the formula that compile takes."""
    from sr2hls.report.terminal import table

    score = "AUC" if result.asked.get("loss") == "logistic" else "R2"
    rows = table(
        "", "index", "cycles", "ns", "LUT", "DSP", score, "loss", "output", f"{found.name} =", right=(*_RIGHT, score)
    )
    best, clock = found.index(), clock_of(result)
    for at, formula in enumerate(found.front):
        star = "*" if at == best else ""
        rows.add_row(star, str(at), *_figures(formula, clock), _plain(formula.equation))
    for column in rows.columns[:-1]:  # of a narrow terminal the equation gets what is left, folded
        column.min_width = max(len(str(cell)) for cell in (column.header, *column.cells))
    rows.columns[-1].no_wrap, rows.columns[-1].overflow = False, "fold"
    return rows


def _plain(text: str) -> Any:
    from rich.text import Text

    return Text(text)


def widest(result: SearchResult) -> int:
    """Columns that no line of a front needs more of."""
    return 120 + max(len(formula.equation) for output in result.outputs for formula in output.front)


def clock_of(result: SearchResult) -> float:
    """The clock period in ns that the circuits were made for."""
    if result.settings.clock_ns is not None:
        return result.settings.clock_ns
    from sr2hls.targets import load_target

    return load_target(result.settings.target).clock_ns


def _figures(formula: Found, clock: float) -> list[str]:
    if formula.cycles is None:
        return ["-", "-", "-", "-", "-", f"{formula.held_out:.4g}", "-"]
    loss = formula.held_out if formula.circuit_loss is None else formula.circuit_loss
    return [
        str(formula.cycles),
        f"{formula.cycles * clock:g}",
        _count(formula.luts),
        _count(formula.dsps),
        "-" if formula.score is None else f"{formula.score:.6f}",
        f"{loss:.4g}",
        formula.output_format or "-",
    ]


def _count(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"


def next_command(folder: Path) -> str:
    """`sr2hls compile` of the folder, which knows for which device, formats and error."""
    return shlex.join(["sr2hls", "compile", str(folder)])
