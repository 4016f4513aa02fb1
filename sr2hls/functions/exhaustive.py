"""Everything of a sum but its segments' constants → those constants, and the error proven for every argument.

The constants are centered, segment by segment, on the exact behavior of what is already quantized, truncations and the
last one included: the result is a slice of the sum, without an adder to round.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from flint import arb

from sr2hls.analyze.interval import Interval
from sr2hls.functions.reference import Codes, Reals, reference_of
from sr2hls.functions.spec import FunctionSpec

_LEAST_DROP, _MOST_DROP = 14, 60  # bits that the reference is finer than the result


@dataclass(frozen=True, slots=True)
class Centered:
    """The constants by segment, result - function over all arguments, and the least and greatest result code."""

    constants: Codes
    error: Interval
    reach: tuple[int, int]


class Exhaustive:
    """The function at every code of the word, in the order of the codes: `values` in ulps, NaN where none occurs."""

    def __init__(self, spec: FunctionSpec) -> None:
        reference = reference_of(spec)
        self.spec, self.drop = spec, reference.fraction - spec.fraction
        size, first = 1 << spec.word.width, spec.low - spec.word.least
        self.inside = slice(first, first + spec.high - spec.low + 1)
        self._lower, self._upper = reference.lower, reference.upper
        self.values: Reals = np.full(size, np.nan)
        self.values[self.inside] = np.ldexp(reference.lower / 2 + reference.upper / 2, -self.drop)
        self.room = float(spec.tolerance * arb(2) ** spec.fraction) - 0.5  # ulps beyond the final rounding
        largest = max(abs(int(self._lower.min())), abs(int(self._upper.max())))
        self.bits = (largest >> max(0, self.drop)).bit_length() + 1  # of the result

    @property
    def possible(self) -> bool:
        """Whether there is room beyond the final rounding, and the reference is exact enough."""
        return self.room > 0.01 and _LEAST_DROP <= self.drop <= _MOST_DROP

    def center(self, inner: Codes, offset_bits: int, guard: int) -> Centered | None:
        """Constants so that (constant + inner) >> guard is the function; None where that misses the tolerance.

        `inner` is at guard bits below the result; a constant serves 2^offset_bits codes.
        """
        gap: Reals = np.asarray(np.ldexp(self.values, guard) - inner, dtype=np.float64)
        cells = gap.reshape(-1, 1 << offset_bits)
        start = np.floor(filled(middles(cells)) + (1 << guard) / 2).astype(np.int64)
        best, least = start, self._worst(start, inner, guard)
        for shift in (-1, 1) if guard else ():
            worst = self._worst(start + shift, inner, guard)
            best, least = np.where(worst < least, start + shift, best), np.minimum(worst, least)
        below, above = self._errors(best, inner, guard)
        scale = arb(2) ** -(self.drop + self.spec.fraction)
        error = Interval(arb(int(below.min())) * scale, arb(int(above.max())) * scale)
        if not error.magnitude <= self.spec.tolerance:
            return None
        total = (np.repeat(best, 1 << offset_bits) + inner)[self.inside] >> guard
        return Centered(best, error, (int(total.min()), int(total.max())))

    def _errors(self, constants: Codes, inner: Codes, guard: int) -> tuple[Codes, Codes]:
        """Result - function at every argument, from below and from above, in units of the reference."""
        result = ((inner.reshape(constants.size, -1) + constants[:, None]) >> guard).reshape(-1)[self.inside]
        result = result << self.drop
        return result - self._upper, result - self._lower

    def _worst(self, constants: Codes, inner: Codes, guard: int) -> Codes:
        """The largest error of each segment, in units of the reference."""
        below, above = self._errors(constants, inner, guard)
        full = np.zeros(inner.size, dtype=np.int64)
        full[self.inside] = np.maximum(np.abs(below), np.abs(above))
        worst: Codes = full.reshape(constants.size, -1).max(axis=1)
        return worst


def middles(cells: Reals) -> Reals:
    """Per row the middle between its least and greatest number; NaN where it has none."""
    middle: Reals = (np.fmin.reduce(cells, axis=1) + np.fmax.reduce(cells, axis=1)) / 2
    return middle


def filled(values: Reals) -> Reals:
    """Entries that no argument reaches repeat their nearest neighbor: smooth tables are small."""
    flat = values.reshape(-1)
    known = np.flatnonzero(~np.isnan(flat))
    if known.size == flat.size:
        return values
    nearest = np.clip(np.searchsorted(known, np.arange(flat.size)), 0, known.size - 1)
    return flat[known[nearest]].reshape(values.shape)


def by_pattern(spec: FunctionSpec, rows: Codes) -> Codes:
    """Rows in the order of the codes → in the order of the word's bit patterns."""
    return np.roll(rows, rows.shape[0] // 2, axis=0) if spec.word.signed else rows
