"""States of bodies, as data → the number format and the box of each field of a body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from sr2hls.distill.trajectories import AXES, Trajectories
from sr2hls.errors import FormatError, LoadError
from sr2hls.formats import Format
from sr2hls.quantize.from_data import codes_of, format_for

WIDTH = 16

Columns = Mapping[str, ArrayLike]


@dataclass(frozen=True, slots=True)
class Words:
    """formats: field of a body → its word, the same for every body; limits: field → (low, high), values of that word.

    A circuit clamps a field to its limits at the port, so that every bit pattern is a state.
    """

    formats: Mapping[str, Format]
    limits: Mapping[str, tuple[float, float]]

    def of(self, fields: Sequence[str]) -> Words:
        """Of some fields. Raises FormatError for one that has no word."""
        missing = [field for field in fields if field not in self.formats]
        if missing:
            raise FormatError(
                f"no number format for {', '.join(missing)} of the bodies; the step reads {', '.join(fields)}"
            )
        return Words({f: self.formats[f] for f in fields}, {f: self.limits[f] for f in fields})

    def codes(self, field: str) -> tuple[int, int]:
        """The limits of a field as codes."""
        fmt = self.formats[field]
        low, high = (Fraction(end) / fmt.ulp for end in self.limits[field])
        return int(low), int(high)


def columns_of(states: Trajectories | Columns) -> dict[str, np.ndarray]:
    """Field → all its values in one row, whatever the shape was."""
    if not isinstance(states, Trajectories):
        return {name: np.asarray(values, dtype=np.float64).ravel() for name, values in states.items()}
    axes = AXES[: states.shape[-1]]
    found = {axis: states.positions[..., k].ravel() for k, axis in enumerate(axes)}
    found |= {f"v{axis}": states.velocities[..., k].ravel() for k, axis in enumerate(axes)}
    return found | {name: values.ravel() for name, values in states.scalars.items()}


def words_of(
    states: Trajectories | Columns,
    width: int | Mapping[str, int] = WIDTH,
    *,
    room: float = 1.0,
    quantile: float = 0.0,
    whole: bool = True,
) -> Words:
    """Words from data: all axes of the position share one, those of the velocity another, each scalar has its own.

    Args:
        states: trajectories, or columns by field.
        width: bits of a word, for all or by field ("x" and "vx" speak for all axes).
        room: positions and velocities get a box this many times as wide as the data, about the same middle.
        quantile: this share of the data may lie outside the box at either end (the heavy tails of velocities).
        whole: a position's and a velocity's box is all of its word, which needs no clamp; else it is the data's range.
            A scalar's box is the data's range in either case, because laws divide by masses.

    Raises FormatError: nothing to go by, or `room` below 1.
    """
    if room < 1 or not 0 <= quantile < 0.5:
        raise FormatError("room is 1 or more, and the quantile lies in [0, 0.5)")
    columns = columns_of(states)
    formats: dict[str, Format] = {}
    limits: dict[str, tuple[float, float]] = {}
    for group in _groups(columns):
        values = np.concatenate([columns[field] for field in group])
        if not values.size or not np.isfinite(values).all():
            raise LoadError(f"'{group[0]}' of the bodies has no values, or some that are no finite numbers")
        low, high = (float(end) for end in np.quantile(values, [quantile, 1 - quantile]))
        if group[0] in _MOVING:
            middle, half = (low + high) / 2, (high - low) / 2 * room
            low, high = middle - half, middle + half
        bits = width if isinstance(width, int) else width.get(group[0], WIDTH)
        fmt = format_for(low, high, bits)
        first, last = codes_of(fmt, low, high)
        if whole and group[0] in _MOVING:
            first, last = fmt.least, fmt.greatest
        for field in group:
            formats[field], limits[field] = fmt, (float(fmt.value(first)), float(fmt.value(last)))
    return Words(formats, limits)


_MOVING = (*AXES, *(f"v{axis}" for axis in AXES))


def _groups(columns: Mapping[str, np.ndarray]) -> list[list[str]]:
    moving = [[a for a in AXES if a in columns], [f"v{a}" for a in AXES if f"v{a}" in columns]]
    return [g for g in moving if g] + [[name] for name in columns if name not in _MOVING]
