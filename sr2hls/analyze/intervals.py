"""Many closed intervals at once: arrays of float64 ends, every result rounded outward.

A float64 sum or product is the nearest double of the exact one (IEEE 754, no overflow here), so the next double
outward bounds it (Moore, Kearfott, Cloud, Introduction to Interval Analysis, section 2.3).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from flint import arb
from numpy.typing import NDArray

from sr2hls.analyze.interval import KEPT_BITS, Interval

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Intervals:
    """`low[i]` to `high[i]`; both of shape (n,)."""

    low: Reals
    high: Reals

    @staticmethod
    def of(parts: Sequence[Interval]) -> Intervals:
        """Intervals rounded outward to doubles."""
        ends = np.array([part.floats() for part in parts])
        return Intervals(ends[:, 0], ends[:, 1])

    @property
    def hull(self) -> Interval:
        """The least interval that holds all of them."""
        return Interval(arb(float(self.low.min())), arb(float(self.high.max())))

    @property
    def magnitude(self) -> Reals:
        """The largest absolute values."""
        return np.maximum(np.abs(self.low), np.abs(self.high))

    def __len__(self) -> int:
        return len(self.low)

    def __iter__(self) -> Iterator[Interval]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> Interval:
        return Interval(arb(float(self.low[index])), arb(float(self.high[index])))

    def __add__(self, other: Intervals) -> Intervals:
        return _outward(self.low + other.low, self.high + other.high)

    def __sub__(self, other: Intervals) -> Intervals:
        return _outward(self.low - other.high, self.high - other.low)

    def __mul__(self, other: Intervals) -> Intervals:
        corners = (self.low * other.low, self.low * other.high, self.high * other.low, self.high * other.high)
        least = np.minimum(np.minimum(corners[0], corners[1]), np.minimum(corners[2], corners[3]))
        most = np.maximum(np.maximum(corners[0], corners[1]), np.maximum(corners[2], corners[3]))
        return _outward(least, most)

    def plus(self, other: Interval) -> Intervals:
        """The same interval added to all."""
        low, high = other.floats()
        return _outward(self.low + low, self.high + high)

    def times(self, other: Interval) -> Intervals:
        """All multiplied by the same interval."""
        low, high = other.floats()
        return self * Intervals(np.array([low]), np.array([high]))

    def join(self, other: Intervals) -> Intervals:
        """The hulls of both, one by one."""
        return Intervals(np.minimum(self.low, other.low), np.maximum(self.high, other.high))

    def meet(self, other: Intervals) -> Intervals:
        """The common parts, one by one; each two must overlap."""
        return Intervals(np.maximum(self.low, other.low), np.minimum(self.high, other.high))

    def rounded(self) -> Intervals:
        """Each as `Interval.rounded` has it."""
        unit = np.ldexp(1.0, np.frexp(self.magnitude)[1] - KEPT_BITS)
        unit = np.maximum(unit, np.finfo(np.float64).smallest_subnormal)  # what has no finer digits stays as it is
        return Intervals(np.floor(self.low / unit) * unit, np.ceil(self.high / unit) * unit)

    def with_zero(self) -> Intervals:
        """The hulls with zero."""
        return Intervals(np.minimum(self.low, 0.0), np.maximum(self.high, 0.0))


def _outward(low: Reals, high: Reals) -> Intervals:
    return Intervals(np.nextafter(low, -np.inf), np.nextafter(high, np.inf))
