"""Data columns + a width → a number format and a range per input that hold every value of the data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from sr2hls.errors import FormatError
from sr2hls.formats import Format

WIDTH = 12  # bits of an input whose word is taken from data
_SMALLEST = -64  # exponent below which a column counts as zero


def format_for(low: float, high: float, width: int = WIDTH) -> Format:
    """The word of `width` bits with the most fraction bits that holds [low, high]; signed only where low < 0.

    The ends are rounded outward to codes first. Raises FormatError for an empty or infinite range.
    """
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise FormatError(f"the range {low:g}:{high:g} is empty or not finite")
    signed = low < 0
    if low == high == 0:
        return Format(False, width, width - 1)
    size = max(abs(low), abs(high), 2.0**_SMALLEST)
    integer = math.floor(math.log2(size)) + signed  # at most one less than needed: the loop finds the least
    while True:
        fmt = Format(signed, width, width - integer)
        if fmt.holds(*codes_of(fmt, low, high)):
            return fmt
        integer += 1


def codes_of(fmt: Format, low: float, high: float) -> tuple[int, int]:
    """The range's ends in codes, rounded outward; they may lie outside the format."""
    scale = 1 / fmt.ulp
    return math.floor(Fraction(low) * scale), math.ceil(Fraction(high) * scale)


def words_from_data(
    columns: Mapping[str, NDArray[np.float64]], width: int = WIDTH
) -> dict[str, tuple[Format, tuple[float, float]]]:
    """For each column its format and the range of its values, rounded outward to values of the format."""
    found = {}
    for name, column in columns.items():
        low, high = float(column.min()), float(column.max())
        fmt = format_for(low, high, width)
        first, last = codes_of(fmt, low, high)
        found[name] = fmt, (float(fmt.value(first)), float(fmt.value(last)))
    return found
