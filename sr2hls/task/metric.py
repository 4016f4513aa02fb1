"""Labels + predictions → a metric; a text such as `0.1%` → how much worse a circuit's metric may be."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sr2hls.errors import FormatError

Floats = NDArray[np.float64]


def rmse(target: Floats, predicted: Floats) -> float:
    """Root of the mean squared difference."""
    return float(np.sqrt(np.mean((predicted - target) ** 2)))


def auc(target: Floats, predicted: Floats, weights: Floats | None = None) -> float:
    """Area under the ROC curve: the chance that a row with y = 1 ranks above one with y = 0; ties count half."""
    weight = np.ones_like(target) if weights is None else weights
    _, group = np.unique(predicted, return_inverse=True)
    positive = np.bincount(group, weights=weight * (target > 0.5))
    negative = np.bincount(group, weights=weight * (target <= 0.5))
    pairs = positive.sum() * negative.sum()
    if pairs == 0:
        return math.nan
    below = np.cumsum(negative) - negative
    return float((positive * (below + negative / 2)).sum() / pairs)


METRICS: dict[str, Callable[[Floats, Floats], float]] = {"rmse": rmse, "auc": auc}


@dataclass(frozen=True, slots=True)
class Allowed:
    """How much worse than the formula's the circuit's metric may be, `relative` to the formula's or in its own unit."""

    metric: str
    amount: float
    relative: bool

    def loss(self, formula: float, circuit: float) -> float:
        """How much worse the circuit is, in the unit of `amount`; negative where it is better."""
        worse = circuit - formula if self.metric == "rmse" else formula - circuit
        return worse / formula if self.relative else worse

    def __str__(self) -> str:
        return f"{100 * self.amount:g} %" if self.relative else f"{self.amount:g}"


def allowed(metric: str, max_loss: str | float) -> Allowed:
    """`0.1%` of the formula's metric, or 0.001 in its own unit. Raises FormatError."""
    if metric not in METRICS:
        raise FormatError(f"the metric is {' or '.join(METRICS)}, not '{metric}'")
    text = str(max_loss).strip()
    try:
        amount = float(text.removesuffix("%"))
    except ValueError:
        amount = math.nan
    if not (math.isfinite(amount) and amount >= 0):
        raise FormatError(f"--max-loss '{text}' is no loss; write for example 0.1% or 0.001")
    relative = text.endswith("%")
    return Allowed(metric, amount / 100 if relative else amount, relative)
