"""A front of priced formulas → the one to take: -d log(error) / d complexity, with latency as complexity.

Cranmer et al. 2020 (section 3, "symbolic regression") take the equation that maximizes the drop of the logarithm of
the error over the rise of the complexity from the next simpler equation. Two things are added. Alone the rule may take
a bad formula, when the first step from a constant is a cheap one; as in PySR, only formulas whose loss comes near the
least one are candidates. And cycles are coarse: many formulas share a latency, so the rule is used twice, first with
cycles, which gives the latency, then with nodes among the formulas that are no slower.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sympy

from sr2hls.errors import LoadError

GUARD = 4.0  # times the least loss, a mean square: twice the least error
_EXACT = 1e-24  # of the largest loss: losses below are rounding


@dataclass(frozen=True, slots=True)
class Priced:
    """A formula with its cost: cycles of the circuit as the search predicts them, nodes; and its loss on rows that the
    fit has not seen."""

    expression: sympy.Expr
    cycles: int
    nodes: int
    loss: float


def stairs(rows: Sequence[Priced], cost: Callable[[Priced], float]) -> list[Priced]:
    """The formulas that are more exact than all cheaper ones, by rising cost; of equals the one of fewer nodes."""
    found: list[Priced] = []
    for row in sorted(rows, key=lambda r: (cost(r), r.loss, r.nodes, str(r.expression))):
        if math.isfinite(row.loss) and (not found or row.loss < found[-1].loss):
            if found and cost(found[-1]) == cost(row):
                found.pop()
            found.append(row)
    return found


def scores(rows: Sequence[Priced], cost: Callable[[Priced], float], floor: float = 0.0) -> list[float]:
    """-d log(loss) / d cost of each step of the stairs; 0 for the first. floor: smaller losses count as this one."""
    least = max(floor, _EXACT * max((row.loss for row in rows), default=0.0), 1e-300)
    steps = []
    for before, row in itertools.pairwise(rows):
        drop = math.log(max(before.loss, least) / max(row.loss, least))
        steps.append(drop / (cost(row) - cost(before)))
    return [0.0, *steps][: len(rows)]


def choose(rows: Sequence[Priced], guard: float = GUARD, floor: float = 0.0) -> Priced:
    """The formula to take; see the module.

    guard: losses up to this multiple of the least are candidates. floor: so are all losses up to this one, and no gain
    below it counts: what is known of the data is not more exact.

    Raises LoadError where no formula has a finite loss.
    """
    quick = _best(rows, lambda row: float(row.cycles), guard, floor)
    return _best([row for row in rows if row.cycles <= quick.cycles], lambda row: float(row.nodes), guard, floor)


def _best(rows: Sequence[Priced], cost: Callable[[Priced], float], guard: float, floor: float) -> Priced:
    steps = stairs(rows, cost)
    if not steps:
        raise LoadError("no formula has a finite error on the held-out rows; take more rows or a larger budget")
    marks = scores(steps, cost, floor)
    limit = max(floor, guard * max(steps[-1].loss, _EXACT * steps[0].loss))
    return max((k for k in zip(steps, marks, strict=True) if k[0].loss <= limit), key=lambda k: k[1])[0]
