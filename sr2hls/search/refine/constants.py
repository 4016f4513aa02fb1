"""A tree and a problem → the tree with the free constants that minimize the loss: Levenberg-Marquardt in float64.

Every loss is minimized by the same steps: with the slope g and the curvature h of each row's loss and the Jacobian J of
the formula, (J'hJ + damping) d = -J'g (Gauss-Newton for mse, iteratively reweighted least squares for mae and huber,
Fisher scoring for logistic). Scaling and damping after K. Levenberg (1944), D. Marquardt (1963) and J. Moré (1978).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sr2hls.search.problem import Problem
from sr2hls.search.refine.metrics import mean, row_losses, slopes
from sr2hls.search.refine.program import Program, compiled
from sr2hls.search.refine.tree import Tree, constants, with_constants

Floats = NDArray[np.float64]
MAX_STEPS = 80
_MOST_DAMPING = 1e10
_LEAST_GAIN = 1e-9  # relative; two steps in a row that gain less end a fit


@dataclass(frozen=True, slots=True)
class Rows:
    """A problem as the fits read it: columns by name, contiguous."""

    columns: dict[str, Floats]
    target: Floats
    weights: Floats | None
    kind: str
    floor: float  # a loss below this is exact: what rounding in float64 leaves

    @property
    def count(self) -> int:
        return int(self.target.shape[0])

    @classmethod
    def of(cls, problem: Problem) -> Rows:
        columns = {name: np.ascontiguousarray(problem.X[:, i]) for i, name in enumerate(problem.names)}
        spread = float(np.mean(problem.y**2)) if problem.loss != "mae" else float(np.mean(np.abs(problem.y)))
        floor = 0.0 if problem.loss == "logistic" else spread * (1e-16 if problem.loss == "mae" else 1e-31)
        return cls(columns, problem.y, problem.weights, problem.loss, floor)

    def loss(self, predicted: Floats) -> float:
        if self.kind == "mse" and self.weights is None:  # most fits: one pass
            with np.errstate(all="ignore"):
                residual = predicted - self.target
                found = float(residual @ residual) / self.count
            return found if np.isfinite(found) else np.inf
        return mean(row_losses(self.kind, predicted, self.target), self.weights)


@dataclass(frozen=True, slots=True)
class Fit:
    """A tree and its loss; inf where the tree is not finite on every row."""

    tree: Tree
    loss: float


def predictions(tree: Tree, rows: Rows) -> Floats:
    """The values of a tree, shape (n,)."""
    program = compiled(tree, rows.columns)
    with np.errstate(all="ignore"):
        return _output(program, program.values(constants(tree)), rows.count)


def loss_of(tree: Tree, rows: Rows) -> float:
    """The loss of a tree as it stands."""
    return rows.loss(predictions(tree, rows))


def refit(tree: Tree, rows: Rows, *, steps: int = MAX_STEPS, give_up: float | None = None) -> Fit:
    """The tree with its free constants at a local minimum of the loss, from where they stand.

    steps: the most Levenberg-Marquardt steps. give_up: end after a few steps that do not head below this loss.
    """
    start = np.array(constants(tree), dtype=np.float64)
    program = compiled(tree, rows.columns)
    with np.errstate(all="ignore"):
        if start.size == 0 or start.size >= rows.count:
            return Fit(tree, rows.loss(_output(program, program.values(start), rows.count)))
        best, loss = _minimize(program, start, rows, steps, give_up)
    return Fit(with_constants(tree, iter(best.tolist())), loss)


def _output(program: Program, values: list[object], rows: int) -> Floats:
    found = values[program.output]
    if isinstance(found, np.ndarray) and found.shape == (rows,):
        return found
    return np.full(rows, found, dtype=np.float64)


def _minimize(program: Program, start: Floats, rows: Rows, steps: int, give_up: float | None) -> tuple[Floats, float]:
    point, values = start, program.values(start)
    predicted = _output(program, values, rows.count)
    loss = rows.loss(predicted)
    damping, scale, slow = 1e-3, np.zeros(start.size), 0
    if not np.isfinite(loss):
        return point, np.inf
    for step in range(steps):
        if loss <= rows.floor:
            break
        jacobian = program.jacobian(values, rows.count)
        slope, curvature = slopes(rows.kind, predicted, rows.target)
        if rows.weights is not None:
            slope, curvature = slope * rows.weights, curvature * rows.weights
        normal = (jacobian * curvature) @ jacobian.T
        gradient = jacobian @ slope
        diagonal = np.diag(normal)
        scale = np.maximum(scale, np.sqrt(np.where(np.isfinite(diagonal), diagonal, 0.0)))
        unit = np.where(scale > 0, scale, 1.0)
        scaled, right = normal / np.outer(unit, unit), -gradient / unit
        if not (np.isfinite(scaled).all() and np.isfinite(right).all()):
            break
        gained = False
        while damping < _MOST_DAMPING:
            trial = point + _solved(scaled, right, damping) / unit
            values_there = program.values(trial)
            predicted_there = _output(program, values_there, rows.count)
            there = rows.loss(predicted_there)
            if there < loss:
                gain = (loss - there) / loss
                point, values, predicted, loss = trial, values_there, predicted_there, there
                damping, gained = max(damping * 0.1, 1e-15), True
                slow = slow + 1 if gain < _LEAST_GAIN else 0
                break
            damping *= 8
        if not gained or slow >= 2 or (give_up is not None and step >= 6 and loss > give_up * 4 and gain < 0.02):
            break
    return point, loss


def _solved(matrix: Floats, right: Floats, damping: float) -> Floats:
    damped = matrix + damping * np.eye(right.size)
    try:
        return np.asarray(np.linalg.solve(damped, right), dtype=np.float64)
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.lstsq(damped, right, rcond=None)[0], dtype=np.float64)
