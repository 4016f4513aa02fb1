"""Columns and a target → `Problem`: what a search fits, checked once so that no engine meets bad numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LOSSES = ("mse", "mae", "huber", "logistic")


@dataclass(frozen=True, slots=True)
class Problem:
    """One output to fit.

    X: shape (n, k), finite; names: the k inputs, distinct words; y: shape (n,), finite (0 or 1 for the logistic
    loss); weights: shape (n,), not negative, mean 1, or None; output: the target's name; units: text per input and for
    the output (such as "m/s^2"), or None where none were given; spans: least and largest value of each input in all
    data, held-out rows included, for the ranges of a circuit's ports; None: of these rows.
    """

    X: Floats
    names: tuple[str, ...]
    y: Floats
    output: str = "y"
    weights: Floats | None = None
    loss: str = "mse"
    input_units: tuple[str, ...] | None = None
    output_unit: str | None = None
    spans: tuple[tuple[float, float], ...] | None = None

    @property
    def rows(self) -> int:
        return int(self.X.shape[0])

    def part(self, rows: NDArray[np.intp]) -> Problem:
        """The same problem on some of the rows."""
        weights = None if self.weights is None else self.weights[rows]
        return replace(self, X=self.X[rows], y=self.y[rows], weights=weights)

    def features(self, columns: Sequence[int]) -> Problem:
        """The same problem with some of the inputs, in this order."""
        chosen = list(columns)
        units = None if self.input_units is None else tuple(self.input_units[c] for c in chosen)
        spans = None if self.spans is None else tuple(self.spans[c] for c in chosen)
        return replace(
            self, X=self.X[:, chosen], names=tuple(self.names[c] for c in chosen), input_units=units, spans=spans
        )

    def columns(self) -> dict[str, Floats]:
        """The inputs by name."""
        return {name: self.X[:, i] for i, name in enumerate(self.names)}

    def port_columns(self) -> dict[str, Floats]:
        """The same with two more rows where `spans` are known: what the ports must be able to take."""
        if self.spans is None:
            return self.columns()
        return replace(self, X=np.concatenate([self.X, np.array(self.spans).T])).columns()
