"""Fronts of several classes, one against the rest → the same with formulas that a softmax chose and fitted together.

One against the rest is kept where its circuits are right on more of the held-out rows, by more than a standard error.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sr2hls.errors import FormatError
from sr2hls.search.data import Task
from sr2hls.search.refine.together import Scores, apart, together
from sr2hls.search.result import OutputFound, order
from sr2hls.search.settings import Settings

MULTI_CLASS = ("auto", "ovr", "softmax")


@dataclass(frozen=True, slots=True)
class Joined:
    """Fronts; the output word that all classes' formulas share where a softmax chose them, else None; what to say."""

    fronts: tuple[OutputFound, ...]
    word: str | None
    note: str


def wanted(multi_class: str, loss: str, classes: int) -> bool:
    """Whether the classes are to be fitted together: "auto" means for the logistic loss. Raises FormatError."""
    if multi_class not in MULTI_CLASS:
        raise FormatError(f"several classes are told apart by {', '.join(MULTI_CLASS)}, not '{multi_class}'")
    if multi_class == "softmax" and loss != "logistic":
        raise FormatError(f"a softmax is of logits: it takes the loss logistic, not {loss}")
    return multi_class != "ovr" and loss == "logistic" and classes > 2


def joined(tasks: Sequence[Task], fronts: Sequence[OutputFound], settings: Settings) -> Joined:
    """Choose and refit a formula per class within `max_cycles`, or else within the latency of those chosen so far.

    The fronts are of all classes, none of them empty.
    """
    train, held_out = [task.train for task in tasks], [task.held_out for task in tasks]
    best = [front.best for front in fronts]
    before = apart(train, held_out, best, settings)
    limit = settings.max_cycles
    if limit is None and before is not None:
        limit = before.cycles
    after = together(train, held_out, [front.front for front in fronts], settings, limit)
    if after is None:
        return Joined(tuple(fronts), None, "one against the rest: no formulas fitted together are within the limits")
    rows = held_out[0].rows
    if before is not None and before.accuracy > after.accuracy + _error(after.accuracy, rows):
        return Joined(tuple(fronts), None, f"one against the rest: {_compared(before, after, rows)}")
    kept = tuple(_with(front, found) for front, found in zip(fronts, after.found, strict=True))
    said = f"accuracy {after.accuracy:.3f}" if before is None else _compared(after, before, rows)
    return Joined(kept, after.word, f"softmax over {len(kept)} classes, every output as {after.word}: {said}")


def _error(share: float, rows: int) -> float:
    """The standard error of a share."""
    return math.sqrt(share * (1 - share) / rows)


def _compared(kept: Scores, other: Scores, rows: int) -> str:
    return f"accuracy of the circuits {kept.accuracy:.3f} on {rows} held-out rows ({other.accuracy:.3f} the other way)"


def _with(front: OutputFound, found: object) -> OutputFound:
    rows = order([*front.front, found])  # type: ignore[list-item]
    return replace(front, front=rows, together=next(at for at, row in enumerate(rows) if row is found))
