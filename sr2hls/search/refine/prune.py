"""A formula and rows → the simpler formula that the rows prefer: edits, each refitted, accepted by BIC.

The criterion is n log(loss) + 1.5 log(n) nodes + log(n) free constants (Schwarz 1978, with a price for structure):
-2 log likelihood of normal errors for mse, of Laplace errors for mae (twice n log), of Bernoulli labels for logistic.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from sr2hls.search.refine.constants import Fit, Rows, refit
from sr2hls.search.refine.edits import edits, grown
from sr2hls.search.refine.expand import expanded, factored
from sr2hls.search.refine.normal import normal
from sr2hls.search.refine.restart import refitted_waves
from sr2hls.search.refine.size import size
from sr2hls.search.refine.tree import Tree, constants, freed, shape

NODE_PRICE = 1.5
CONSTANT_PRICE = 1.0
EXACT = 1e-12  # of the target's mean square: a loss below this is no better
LARGEST = 120  # nodes; a larger formula is refitted only
_QUICK_STEPS = 3
_GROWN_STEPS = 5
_FULL_GROWN = 3
_MOST_GROWN = 6
_FULL = 8  # edits of a round that get a full refit
_ROUNDS = 60


@dataclass(frozen=True, slots=True)
class Criterion:
    """The Bayesian information criterion of a fit, for `count` rows."""

    kind: str
    count: int
    floor: float

    def of(self, fit: Fit) -> float:
        """Lower is better."""
        if not math.isfinite(fit.loss):
            return math.inf
        price = NODE_PRICE * size(fit.tree) + CONSTANT_PRICE * len(constants(fit.tree))
        return self.deviance(fit.loss) + math.log(self.count) * price

    def of_constants(self, fit: Fit) -> float:
        """The same without the price of the nodes: between formulas of one size, or of one cost."""
        return self.of(fit) - math.log(self.count) * NODE_PRICE * size(fit.tree)

    def deviance(self, loss: float) -> float:
        """-2 log likelihood, but for a constant."""
        if self.kind == "logistic":
            return 2 * self.count * loss
        return self.count * (2 if self.kind == "mae" else 1) * math.log(max(loss, self.floor, 1e-300))


def criterion(rows: Rows, count: int | None = None) -> Criterion:
    """The criterion for rows that stand for `count` of them."""
    target = rows.target
    middle = float(target.mean())
    if rows.kind == "mae":
        floor = math.sqrt(EXACT) * float(abs(target - middle).mean())
    else:
        floor = EXACT * float(((target - middle) ** 2).mean())
    return Criterion(rows.kind, rows.count if count is None else count, floor)


def pruned(
    tree: Tree,
    rows: Rows,
    judge: Criterion,
    *,
    known: set[Tree] | None = None,
    late: Callable[[], bool] = lambda: False,
) -> list[Fit]:
    """The fits on the way from a formula to the one of the least criterion, which comes last.

    Of several forms of the formula (as given, expanded, factored, its small numbers set free) the best one is edited.
    known: marks of formulas already gone through: a way that meets one ends there; the new ones are added. late: a
    safety stop, asked before each round.
    """
    start = refit(normal(tree), rows)
    if size(tree) > LARGEST or not math.isfinite(start.loss):
        return [start]
    loose = normal(freed(start.tree))
    fits = [start, *[refit(form, rows) for form in (*_forms(start.tree), loose) if form != start.tree]]
    fits += [refitted_waves(fit, rows) for fit in (fits[0], fits[-1])]
    best = min(fits, key=judge.of)
    for _ in range(_MOST_GROWN):  # before anything is cut: a part may seem useless for want of a constant
        better = _with_constant(best, rows, judge)
        if better is None or late():
            break
        best = better
    path = [start] if best is start else [start, best]
    gone = set() if known is None else known
    seen: set[Tree] = set()
    for _ in range(_ROUNDS):
        if late() or mark(path[-1].tree) in gone:
            break
        gone.add(mark(path[-1].tree))
        better = _round(path[-1], rows, judge, seen) or _second_wind(path[-1], rows, judge, seen)
        if better is None:
            break
        path.append(better)
    return path


def _second_wind(fit: Fit, rows: Rows, judge: Criterion, seen: set[Tree]) -> Fit | None:
    """Where no edit of the formula betters it: an edit of another form of it, or one constant more."""
    least, best = judge.of(fit) - 1e-9, None
    for form in _forms(fit.tree):
        start = refit(form, rows)
        for found in (start, _round(start, rows, judge, seen)):
            if found is not None and judge.of(found) < least:
                least, best = judge.of(found), found
    return best or _with_constant(fit, rows, judge)


def _with_constant(fit: Fit, rows: Rows, judge: Criterion) -> Fit | None:
    """The formula with one constant more, at the place where that betters it most."""
    if size(fit.tree) >= LARGEST or fit.loss <= judge.floor:
        return None
    trials = sorted((refit(tree, rows, steps=_GROWN_STEPS) for tree in grown(fit.tree)), key=judge.of)
    best = min((refit(trial.tree, rows) for trial in trials[:_FULL_GROWN]), key=judge.of, default=None)
    return best if best is not None and judge.of(best) < judge.of(fit) - 1e-9 else None


def _forms(tree: Tree) -> list[Tree]:
    found: dict[Tree, None] = {}
    for form in (expanded(tree), factored(tree), factored(expanded(tree))):
        if form != tree and size(form) <= min(LARGEST, 2 * size(tree) + 10):
            found.setdefault(form)
    return list(found)


def _round(fit: Fit, rows: Rows, judge: Criterion, seen: set[Tree]) -> Fit | None:
    """The best edit that lowers the criterion, or None."""
    now = judge.of(fit)
    quick: list[tuple[float, int, Fit]] = []
    for order, tree in enumerate(edits(fit.tree, rows)):
        if size(tree) > size(fit.tree):
            continue
        trial = refit(tree, rows, steps=_QUICK_STEPS)
        quick.append((judge.of(trial), order, trial))
    quick.sort(key=lambda item: item[:2])
    best, least = None, now - 1e-9
    full = 0
    for _, _, trial in quick:
        if not math.isfinite(trial.loss):
            break
        here = mark(trial.tree)
        if here in seen:
            continue
        full += 1
        if full > _FULL:
            break
        done = refit(trial.tree, rows)
        value = judge.of(done)
        if value < least:
            best, least = done, value
        elif value > now + 0.1 * abs(now) + 100:
            seen.add(here)
    return best


def mark(tree: Tree) -> Tree:
    """What two fits have in common that differ in the values of their free constants only."""
    return shape(tree)
