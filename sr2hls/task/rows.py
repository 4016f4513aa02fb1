"""Columns and labels → the rows that say the inputs' ranges, and those on which a circuit is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sr2hls.analyze.evaluate import array_function
from sr2hls.errors import LoadError
from sr2hls.load.data import Columns
from sr2hls.model import SymbolicModel, symbol
from sr2hls.task.metric import METRICS, Allowed, Floats

HELD_OUT = 0.3  # of the rows
_SEED = 0
_FEWEST = 20  # rows


@dataclass(frozen=True, slots=True)
class Task:
    """`every` row gives ranges; on those of `held_out` each output, against its `labels`, has the metric `formula`."""

    allowed: Allowed
    every: Columns
    held_out: Columns
    labels: Mapping[str, Floats]
    formula: Mapping[str, float]

    def losses(self, predicted: Mapping[str, Floats]) -> dict[str, float]:
        """Per output, how much worse than the formula predictions of the held-out rows are."""
        metric = METRICS[self.allowed.metric]
        return {
            name: self.allowed.loss(self.formula[name], metric(labels, predicted[name]))
            for name, labels in self.labels.items()
        }

    def kept(self, predicted: Mapping[str, Floats]) -> bool:
        return max(self.losses(predicted).values()) <= self.allowed.amount


def task_of(model: SymbolicModel, columns: Columns, labels: Mapping[str, Floats], allowed: Allowed) -> Task:
    """Hold out 30 % of the rows, seeded, and measure the formula itself on them, in float64 on unrounded inputs.

    Args:
        columns: the formula's inputs; labels: per output of the model; all of shape (n,).

    Raises LoadError: too few rows, a metric that is not defined (one class, an infinite value).
    """
    count = next(iter(columns.values())).size if columns else 0
    if count < _FEWEST:
        raise LoadError(f"{count} rows are too few to hold some out; give at least {_FEWEST}")
    order = np.random.default_rng(_SEED).permutation(count)
    held = order[: max(1, round(HELD_OUT * count))]
    inside = {name: column[held] for name, column in columns.items()}
    truth = {name: column[held] for name, column in labels.items()}
    formula = {}
    for name, predicted in formula_values(model, inside).items():
        formula[name] = METRICS[allowed.metric](truth[name], predicted)
        if not np.isfinite(formula[name]):
            raise LoadError(f"the {allowed.metric} of output '{name}' is not defined on the {held.size} held-out rows")
        if allowed.relative and formula[name] == 0.0:
            raise LoadError(f"the formula's own {allowed.metric} is 0: give --max-loss without '%'")
    return Task(allowed, dict(columns), inside, truth, formula)


def formula_values(model: SymbolicModel, columns: Columns) -> dict[str, Floats]:
    """Every output in float64."""
    count = next(iter(columns.values())).size
    symbols = [symbol(name) for name in columns]
    return {
        output.name: np.broadcast_to(
            np.asarray(array_function(output.expression, symbols)(*columns.values()), dtype=np.float64), (count,)
        )
        for output in model.outputs
    }
