"""One formula that an engine proposes for one output: expression, training loss, search cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sympy


@dataclass(frozen=True, slots=True)
class Candidate:
    """A formula before the second stage.

    expression: over `sr2hls.model.symbol(name)`, constants exact rationals of the floats that the search used; loss:
    of the problem, on all its rows, in float64; cost: in the units of the search's objective; cycles: the objective's
    critical path in clock cycles where the engine knows one.
    """

    expression: sympy.Expr
    loss: float
    cost: float
    cycles: float | None = None
    source: str = "native"


@dataclass(frozen=True, slots=True)
class Progress:
    """What an engine tells while it runs: the candidates found so far, best cost first."""

    engine: str
    done: float  # share of the budget, 0 to 1
    evaluations: int
    seconds: float
    front: tuple[tuple[float, float, str], ...]  # (cost, loss, text), cost rising, loss falling


Tell = Callable[[Progress], None]
