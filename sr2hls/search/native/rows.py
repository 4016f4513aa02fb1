"""`Problem` → `Rows`: float32 columns, the target in units of its deviation, and the loss of the best constant."""

from __future__ import annotations

import numpy as np

from sr2hls.errors import FormatError
from sr2hls.search.native.score import HUBER, LOGISTIC, MAE, MSE, Rows
from sr2hls.search.problem import Problem
from sr2hls.search.refine.metrics import HUBER as HUBER_DELTA
from sr2hls.search.table import MAX_VALUE

CODES = {"mse": MSE, "mae": MAE, "huber": HUBER, "logistic": LOGISTIC}


def rows_of(problem: Problem, formats: tuple[int, int] | None = None) -> tuple[Rows, float]:
    """The rows, and the unit that y was divided by. formats: (width, fraction bits) of the fake quantization.

    Raises FormatError for an unknown loss and for inputs beyond float32.
    """
    if problem.loss not in CODES:
        raise FormatError(f"the loss is one of {', '.join(CODES)}, not '{problem.loss}'")
    for name, column in zip(problem.names, problem.X.T, strict=True):
        if np.abs(column).max() > MAX_VALUE:
            raise FormatError(f"input '{name}' reaches {np.abs(column).max():.3g}; scale it below {MAX_VALUE:g}")
    loss = CODES[problem.loss]
    weights = np.ones(problem.rows) if problem.weights is None else problem.weights
    unit = 1.0 if loss == LOGISTIC else float(np.sqrt(np.average((problem.y - problem.y.mean()) ** 2))) or 1.0
    y = (problem.y / unit).astype(np.float32)
    held = y.astype(np.float64)
    mean = float(np.average(held, weights=weights))
    delta = HUBER_DELTA / unit
    step, top = (0.0, 0.0) if formats is None else (2.0 ** -formats[1], 2.0 ** (formats[0] - 1 - formats[1]))
    return (
        Rows(
            np.ascontiguousarray(problem.X.T, dtype=np.float32),
            y,
            weights.astype(np.float32),
            mean,
            _base(held, weights, loss, mean, delta),
            loss,
            delta,
            step,
            top,
        ),
        unit,
    )


def _base(y: np.ndarray, weights: np.ndarray, loss: int, mean: float, delta: float) -> float:
    """The loss of the best constant, summed over the rows."""
    if loss == MSE:
        return float(np.sum(weights * (y - mean) ** 2)) or 1.0
    if loss == LOGISTIC:
        p = min(max(mean, 1e-9), 1 - 1e-9)
        return float(-np.sum(weights * (y * np.log(p) + (1 - y) * np.log1p(-p)))) or 1.0
    order = np.argsort(y, kind="stable")
    share = np.cumsum(weights[order])
    median = y[order][np.searchsorted(share, share[-1] / 2)]
    d = np.abs(y - median)
    each = d if loss == MAE else np.where(d <= delta, 0.5 * d * d / delta, d - 0.5 * delta)
    return float(np.sum(weights * each)) or 1.0
