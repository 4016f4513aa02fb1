"""Bodies over time, simulated or measured → `Trajectories`, checked once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sr2hls.errors import LoadError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
AXES = ("x", "y", "z")
MASS, CHARGE = "m", "q"


@dataclass(frozen=True, slots=True)
class Trajectories:
    """`k` runs of `n` bodies in `d` dimensions at `t` times each.

    positions, velocities, accelerations: shape (k, t, n, d); scalars: properties of the bodies that do not change, name
    → shape (k, n): "m" is the mass and "q" the charge, others are free words; dt: time between two rows; edges: shape
    (e, 2), pairs (sender, receiver) that interact, or None where all do; softening: what a distance `r` of the formulas
    has in addition to |x_i - x_j|; units: unit texts by quantity ("length", "time", and the names of scalars); notes:
    what a user should know about them, a line each.
    """

    positions: Floats
    velocities: Floats
    accelerations: Floats
    scalars: Mapping[str, Floats]
    dt: float
    name: str = "trajectories"
    edges: Ints | None = None
    softening: float = 0.0
    units: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(k, t, n, d)."""
        k, t, n, d = self.positions.shape
        return k, t, n, d


def check(trajectories: Trajectories) -> Trajectories:
    """The same, or LoadError in one line: shapes that differ, numbers that are not finite, no rows."""
    shape = trajectories.positions.shape
    if len(shape) != 4 or 0 in shape:
        raise LoadError(f"positions have the shape {shape}; (runs, times, bodies, dimensions) is needed")
    if shape[3] > len(AXES):
        raise LoadError(f"{shape[3]} dimensions; bodies move in 1 to {len(AXES)}")
    if shape[2] < 2:
        raise LoadError("one body: interactions need two or more")
    for name in ("positions", "velocities", "accelerations"):
        values = getattr(trajectories, name)
        if values.shape != shape:
            raise LoadError(f"{name} have the shape {values.shape}, positions {shape}")
        if not np.isfinite(values).all():
            raise LoadError(f"{name}: row {_first_bad(values)} is not a finite number")
    for name, values in trajectories.scalars.items():
        if values.shape != (shape[0], shape[2]):
            raise LoadError(f"'{name}' has the shape {values.shape}; {(shape[0], shape[2])} (runs, bodies) is needed")
        if not np.isfinite(values).all():
            raise LoadError(f"'{name}': row {_first_bad(values)} is not a finite number")
    if MASS in trajectories.scalars and not (trajectories.scalars[MASS] > 0).all():
        raise LoadError("a mass 'm' is not above zero")
    return trajectories


def _first_bad(values: Floats) -> tuple[int, ...]:
    return tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
