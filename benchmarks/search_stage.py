"""Trees of any engine → pruned and refitted formulas: the same second stage and the same choice for every engine."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import sympy
from numpy.typing import NDArray

from sr2hls.errors import Sr2hlsError
from sr2hls.search.found import Found
from sr2hls.search.problem import Problem
from sr2hls.search.refine.constants import Fit, Rows, predictions, refit
from sr2hls.search.refine.normal import normal
from sr2hls.search.refine.prune import criterion, mark, pruned
from sr2hls.search.refine.selection import best
from sr2hls.search.refine.size import size
from sr2hls.search.refine.tree import Tree, to_sympy

TOP = 12  # candidates that are pruned, the best by the criterion
SECONDS = 60.0  # CPU, at which pruning ends


@dataclass(frozen=True, slots=True)
class Refined:
    """front: fits not beaten in (size, loss), by rising size; selected: a place in it, -1 for an empty front.

    given: the engine's own formulas, refitted only.
    """

    front: tuple[Fit, ...]
    selected: int
    cpu: float
    given: tuple[Fit, ...]


def second_stage(trees: Sequence[Tree], problem: Problem) -> Refined:
    """Refit all trees, prune the best of them, keep the front, choose by `sr2hls.search.refine.best` ("bic")."""
    begun = time.process_time()
    rows = Rows.of(problem)
    judge = criterion(rows)
    pool: dict[Tree, Fit] = {}

    def put(fit: Fit) -> None:
        here = mark(fit.tree)
        if math.isfinite(fit.loss) and (here not in pool or fit.loss < pool[here].loss):
            pool[here] = fit

    for tree in trees:
        try:
            put(refit(normal(tree), rows))
        except (Sr2hlsError, OverflowError, ZeroDivisionError, RecursionError):
            continue  # no finite real formula

    def late() -> bool:
        return time.process_time() - begun > SECONDS

    given = tuple(pool.values())
    known: set[Tree] = set()
    for fit in sorted(given, key=judge.of)[:TOP]:
        if not late():
            for step in pruned(fit.tree, rows, judge, known=known, late=late):
                put(step)
    front: list[Fit] = []
    for fit in sorted(pool.values(), key=lambda f: (size(f.tree), f.loss)):
        if not front or fit.loss < front[-1].loss:
            front.append(fit)
    # the choice is made among all, as the product makes it; a chosen one is always on the front
    shown = [Found(to_sympy(f.tree), "", f.loss, math.inf, size(f.tree), "benchmark") for f in front]
    chosen = best(shown, problem)
    place = -1 if chosen is None else next(i for i, f in enumerate(shown) if f is chosen)
    return Refined(tuple(front), place, time.process_time() - begun, given)


def problem_of(x: NDArray[np.float64], y: NDArray[np.float64], names: Sequence[str], loss: str = "mse") -> Problem:
    return Problem(np.ascontiguousarray(x, dtype=np.float64), tuple(names), np.asarray(y, dtype=np.float64), loss=loss)


def missing(tree: Tree, train: Problem, test: Problem) -> float:
    """1 - R² on `test` after a refit of the free constants on `train`; infinite where a value is not finite."""
    fitted = refit(tree, Rows.of(train)).tree
    return unexplained(test.y, predictions(fitted, Rows.of(test)))


def unexplained(y: NDArray[np.float64], predicted: NDArray[np.float64]) -> float:
    """1 - R²."""
    if not np.isfinite(predicted).all():
        return math.inf
    return float(((y - predicted) ** 2).sum() / ((y - y.mean()) ** 2).sum())


def text_of(tree: Tree) -> str:
    """The formula with six digits of its constants."""
    expression = to_sympy(tree)
    long = {r: sympy.Float(r, 6) for r in expression.atoms(sympy.Rational) if r.q > 64 or abs(r.p) > 999}
    return str(expression.xreplace(long))
