"""Finished formulas → the one to take: by information criterion, or by PySR's score in cycles."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from sr2hls.search.found import Found
from sr2hls.search.problem import Problem
from sr2hls.search.refine.constants import Rows
from sr2hls.search.refine.prune import NODE_PRICE, criterion
from sr2hls.search.refine.rank import hall_of_fame

RULES = ("bic", "score", "accuracy")
_TOLERANCE = 1.5  # as in PySR: losses up to this multiple of the least are candidates of the score


def best(found: Sequence[Found], train: Problem, rule: str = "bic") -> Found | None:
    """The formula to take; None where there is none.

    rule: "bic", the least n log(loss) + 1.5 log(n) nodes of the formula on the training rows; "score", PySR's
    -d log(loss) / d cycles between rows of the hall of fame, among losses up to 1.5 times the least; "accuracy", the
    least loss of the circuit.
    """
    if rule == "bic":
        judge = criterion(Rows.of(train))
        rated = [(judge.deviance(f.loss) + NODE_PRICE * math.log(train.rows) * f.nodes, i) for i, f in enumerate(found)]
        return found[min(rated)[1]] if rated else None
    rows = hall_of_fame(found)
    if not rows:
        return None
    losses = [row.circuit_loss or 0.0 for row in rows]
    if rule == "accuracy":
        return rows[losses.index(min(losses))]
    marks = scores(rows)
    pool = [i for i, loss in enumerate(losses) if loss <= _TOLERANCE * min(losses)]
    return rows[max(pool, key=lambda i: (marks[i], -i))]


def scores(rows: Sequence[Found]) -> list[float]:
    """PySR's score of each row of a hall of fame, with cycles as the complexity; 0 for the first."""
    found = [0.0]
    for before, row in itertools.pairwise(rows):
        lost, had = row.circuit_loss or 0.0, before.circuit_loss or 0.0
        step = (row.cycles or 0) - (before.cycles or 0)
        if lost <= 0:
            found.append(math.inf)
        else:
            found.append(-math.log(lost / had) / step if had > 0 and step > 0 else 0.0)
    return found[: len(rows)]
