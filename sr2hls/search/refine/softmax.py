"""A formula per class → the same formulas with all constants fitted together to the softmax cross-entropy.

The loss of a row is log sum_c exp(z_c) - z_label, where z_c are the formulas' values. Fisher scoring with the damping
of Levenberg and Marquardt: with p = softmax(z) and the Jacobians J_c of the formulas, the normal matrix has the blocks
J_c' diag(p_c) J_c on its diagonal, less the products of the stacked p_c J_c, summed over rows (D. Böhning 1992).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sr2hls.search.refine.program import Program, compiled
from sr2hls.search.refine.tree import Tree, constants, with_constants

Floats = NDArray[np.float64]
MAX_STEPS = 60
_MOST_DAMPING = 1e10
_LEAST_GAIN = 1e-7  # relative; two steps in a row that gain less end a fit


@dataclass(frozen=True, slots=True)
class Labeled:
    """Rows of several classes: columns by name, shape (n,) each; the place of each row's class; weights or None."""

    columns: dict[str, Floats]
    label: NDArray[np.intp]
    weights: Floats | None = None

    @property
    def count(self) -> int:
        return int(self.label.shape[0])

    def part(self, rows: NDArray[np.intp]) -> Labeled:
        """Some of the rows."""
        weights = None if self.weights is None else self.weights[rows]
        return replace(
            self, columns={n: c[rows] for n, c in self.columns.items()}, label=self.label[rows], weights=weights
        )


@dataclass(frozen=True, slots=True)
class Joint:
    """A tree per class, their cross-entropy, and their values, shape (classes, n)."""

    trees: tuple[Tree, ...]
    loss: float
    scores: Floats


def cross_entropy(scores: Floats, rows: Labeled) -> float:
    """The weighted mean over rows of scores of shape (classes, n); inf where one is not finite."""
    if not np.isfinite(scores).all():
        return np.inf
    losses = _log_sum(scores) - scores[rows.label, np.arange(rows.count)]
    return float(np.average(losses, weights=rows.weights))


def accuracy(scores: Floats, rows: Labeled) -> float:
    """The weighted share of rows whose class has the largest score; of equal ones the first counts."""
    return float(np.average(np.argmax(scores, axis=0) == rows.label, weights=rows.weights))


def values(trees: Sequence[Tree], rows: Labeled) -> Floats:
    """The values of the trees, shape (classes, n)."""
    with np.errstate(all="ignore"):
        return np.stack([_Part.of(tree, rows).scores for tree in trees])


def fit(
    trees: Sequence[Tree],
    rows: Labeled,
    *,
    moving: Sequence[int] | None = None,
    start: Floats | None = None,
    steps: int = MAX_STEPS,
) -> Joint:
    """The trees with the constants of the `moving` classes (all) at a local minimum of the cross-entropy.

    start: known values of the other classes' trees, shape (classes, n); steps: the most there are.
    """
    with np.errstate(all="ignore"):
        which = range(len(trees)) if moving is None else moving
        parts = {at: _Part.of(trees[at], rows) for at in which}
        scores = values(trees, rows) if start is None else start.copy()
        for at, part in parts.items():
            scores[at] = part.scores
        return _minimize(trees, parts, scores, rows, steps)


@dataclass(frozen=True, slots=True)
class _Part:
    """One moving tree at a point."""

    program: Program
    point: Floats
    places: list[object]
    scores: Floats

    @classmethod
    def of(cls, tree: Tree, rows: Labeled) -> _Part:
        return cls.at(compiled(tree, rows.columns), np.array(constants(tree), dtype=np.float64), rows)

    @classmethod
    def at(cls, program: Program, point: Floats, rows: Labeled) -> _Part:
        places = program.values(point)
        scores = np.broadcast_to(np.asarray(places[program.output], dtype=np.float64), (rows.count,))
        return cls(program, point, places, scores)


def _log_sum(scores: Floats) -> Floats:
    top = scores.max(axis=0)
    return np.asarray(top + np.log(np.exp(scores - top).sum(axis=0)))


def _minimize(trees: Sequence[Tree], parts: dict[int, _Part], scores: Floats, rows: Labeled, steps: int) -> Joint:
    loss = cross_entropy(scores, rows)
    sizes = [part.point.size for part in parts.values()]
    weights = np.ones(rows.count) if rows.weights is None else rows.weights
    weights = weights / weights.sum()
    damping, scale, slow = 1e-3, np.zeros(sum(sizes)), 0
    for _ in range(steps if np.isfinite(loss) and sum(sizes) else 0):
        gradient, normal = _slopes(parts, scores, rows, weights)
        scale = np.maximum(scale, np.sqrt(np.maximum(np.diag(normal), 0.0)))
        unit = np.where(scale > 0, scale, 1.0)
        scaled, right = normal / np.outer(unit, unit), -gradient / unit
        if not (np.isfinite(scaled).all() and np.isfinite(right).all()):
            break
        gain = 0.0
        while damping < _MOST_DAMPING:
            step = np.linalg.solve(scaled + damping * np.eye(right.size), right) / unit
            moves = np.split(step, np.cumsum(sizes)[:-1])
            there = {
                at: _Part.at(part.program, part.point + move, rows)
                for (at, part), move in zip(parts.items(), moves, strict=True)
            }
            scores_there = scores.copy()
            for at, part in there.items():
                scores_there[at] = part.scores
            loss_there = cross_entropy(scores_there, rows)
            if loss_there < loss:
                gain = (loss - loss_there) / loss
                parts, scores, loss = there, scores_there, loss_there
                damping = max(damping * 0.1, 1e-12)
                break
            damping *= 8
        slow = slow + 1 if gain < _LEAST_GAIN else 0
        if gain == 0.0 or slow >= 2:
            break
    found = [
        with_constants(tree, iter(parts[at].point.tolist())) if at in parts else tree for at, tree in enumerate(trees)
    ]
    return Joint(tuple(found), loss, scores)


def _slopes(parts: dict[int, _Part], scores: Floats, rows: Labeled, weights: Floats) -> tuple[Floats, Floats]:
    """The gradient and the Fisher matrix over the constants of all moving trees."""
    chance = np.exp(scores - _log_sum(scores))
    root = np.sqrt(weights)
    gradients, stacked, blocks = [], [], []
    for at, part in parts.items():
        jacobian = part.program.jacobian(part.places, rows.count)
        gradients.append(jacobian @ (weights * (chance[at] - (rows.label == at))))
        blocks.append((jacobian * (weights * chance[at])) @ jacobian.T)
        stacked.append(jacobian * (chance[at] * root))
    whole = np.concatenate(stacked)
    normal = -(whole @ whole.T)
    at = 0
    for block in blocks:
        normal[at : at + len(block), at : at + len(block)] += block
        at += len(block)
    return np.concatenate(gradients), normal
