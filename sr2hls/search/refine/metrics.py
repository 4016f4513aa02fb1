"""Predictions and targets → loss and score, weighted, in float64; and the slopes of the loss for a fit.

Of one row with the residual r = p - y: mse r^2; mae |r|; huber r^2/2 up to |r| = 1, |r| - 1/2 beyond, as LossFunctions'
HuberLoss(1); logistic log(1 + exp(p)) - y p, where p is the logit and y is 0 or 1.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sr2hls.search.problem import Problem
from sr2hls.task.metric import auc

__all__ = ["auc", "loss", "mean", "row_losses", "score", "slopes"]

Floats = NDArray[np.float64]
HUBER = 1.0
_SMOOTH = 1e-9  # of the residuals' size: where |r| counts as smooth in a fit


def row_losses(kind: str, predicted: Floats, target: Floats) -> Floats:
    """The loss of each row; inf where the prediction is not finite."""
    with np.errstate(all="ignore"):
        residual = predicted - target
        size = np.abs(residual)
        if kind == "mse":
            found = residual * residual
        elif kind == "mae":
            found = size
        elif kind == "huber":
            found = np.where(size <= HUBER, residual * residual / 2, HUBER * (size - HUBER / 2))
        else:
            found = np.logaddexp(0.0, predicted) - target * predicted
    return np.where(np.isfinite(found), found, np.inf)


def mean(values: Floats, weights: Floats | None) -> float:
    """The weighted mean; inf where any row of positive weight is."""
    if weights is None:
        return float(values.mean())
    kept = weights > 0
    return float((values[kept] * weights[kept]).sum() / weights.sum())


def loss(problem: Problem, predicted: Floats) -> float:
    """The problem's loss of predictions of shape (n,); inf where one is not finite."""
    return mean(row_losses(problem.loss, predicted, problem.y), problem.weights)


def slopes(kind: str, predicted: Floats, target: Floats) -> tuple[Floats, Floats]:
    """Per row the derivative of the loss by the prediction, and a curvature above 0 for Gauss-Newton steps."""
    residual = predicted - target
    if kind == "mse":
        return 2 * residual, np.full_like(residual, 2.0)
    size = np.abs(residual)
    if kind == "mae":
        return np.sign(residual), 1 / np.maximum(size, _SMOOTH + 1e-6 * float(np.median(size)))
    if kind == "huber":
        return np.clip(residual, -HUBER, HUBER), HUBER / np.maximum(size, HUBER)
    chance = 1 / (1 + np.exp(-np.clip(predicted, -700, 700)))
    return chance - target, np.maximum(chance * (1 - chance), 1e-12)


def score(problem: Problem, predicted: Floats) -> float:
    """R² of the predictions (shape (n,)), or the area under the ROC curve for the logistic loss; nan if undefined."""
    if problem.loss == "logistic":
        return auc(problem.y, predicted, problem.weights)
    middle = mean(problem.y, problem.weights)
    spread = mean((problem.y - middle) ** 2, problem.weights)
    error = mean(row_losses("mse", predicted, problem.y), problem.weights)
    return 1 - error / spread if spread > 0 and math.isfinite(error) else math.nan
