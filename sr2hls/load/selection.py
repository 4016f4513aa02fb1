"""Which row of a hall of fame to use: PySR's own rules, an index, or a complexity."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sr2hls.errors import LoadError

RULES = ("best", "accuracy", "score")


@dataclass(frozen=True, slots=True)
class Row:
    """One equation of a hall of fame; None where the source does not say. preferred: the best, whatever its score."""

    equation: str
    complexity: int | None = None
    loss: float | None = None
    score: float | None = None
    preferred: bool = False


def scores(complexities: Sequence[int], losses: Sequence[float]) -> list[float]:
    """PySR's score of each row: -d(log loss)/d(complexity) from the row before; 0 for the first, inf at loss 0."""
    found: list[float] = []
    for at, (complexity, loss) in enumerate(zip(complexities, losses, strict=True)):
        if at == 0:
            found.append(0.0)
        elif loss > 0:
            step, before = complexity - complexities[at - 1], losses[at - 1]
            usable = step != 0 and before > 0 and math.isfinite(before) and math.isfinite(loss)
            found.append(-math.log(loss / before) / step if usable else math.nan)
        else:
            found.append(math.inf)
    return found


def _by_rule(rows: Sequence[Row], rule: str, scored: bool) -> int:
    losses = [math.inf if r.loss is None or math.isnan(r.loss) else r.loss for r in rows]
    accurate = min(range(len(rows)), key=losses.__getitem__)
    if rule == "accuracy" or not scored:
        return accurate
    pool = [i for i in range(len(rows)) if rule == "score" or losses[i] <= 1.5 * losses[accurate]]
    marks = {i: mark for i in pool if (mark := rows[i].score) is not None and not math.isnan(mark)}
    return max(marks, key=marks.__getitem__) if marks else accurate


def pick(rows: Sequence[Row], choice: str | int, scored: bool = True) -> int:
    """The index of the chosen row.

    choice: "best" (the preferred row, else the highest score among losses up to 1.5 times the least), "accuracy" (the
    least loss), "score" (the highest score), an index from 0 (negative ones from the end; also as text), or
    "complexity=N".
    Without scores (PySR's loss_scale="linear") the rules fall to "accuracy", as in PySR.
    Raises LoadError for a choice that is none of these or that no row meets.
    """
    if not rows:
        raise LoadError("there are no equations to choose from")
    text = str(choice).strip()
    if text == "best" and any(row.preferred for row in rows):
        return next(at for at, row in enumerate(rows) if row.preferred)
    if text in RULES:
        return _by_rule(rows, text, scored)
    if re.fullmatch(r"-?\d{1,9}", text):
        index = int(text)
        if not -len(rows) <= index < len(rows):
            raise LoadError(f"there is no equation {index}; the indices are 0 to {len(rows) - 1}")
        return index % len(rows)
    match = re.fullmatch(r"complexity\s*[=:]\s*(\d{1,9})", text)
    if match is None:
        raise LoadError(f"unknown choice {text!r}; use best, accuracy, score, an index, or complexity=N")
    for index, row in enumerate(rows):
        if row.complexity == int(match[1]):
            return index
    listed = ", ".join(str(r.complexity) for r in rows if r.complexity is not None) or "none known"
    raise LoadError(f"no equation has complexity {match[1]}; there are: {listed}")
