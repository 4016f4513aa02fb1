"""Factors → their product without a multiplier: rows of bits, added in chains whose sums are added as a tree.

A row is one factor where a bit of the other one is 1, else 0. What a chain has summed passes on without its lowest
bit, which no later row reaches, so that each sum is one carry chain as wide as a row: on LUTs of six inputs the row's
AND gates fit in front of it. Synthesizers that see `a * b` build a tree of carry-save adders instead, nearly twice the
LUTs (`benchmarks/products.py`). A square has rows of half the bits: with V(k) = floor(x / 2^k), whose lowest bit is
x_k, V(k)² = x_k · (1 + 4 · V(k + 1)) + 4 · V(k + 1)². A factor that is constant leaves one row for each of its signed
digits, no two beside each other (Reitwiesner, Advances in Computers 1, 1960).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from math import ceil, log2

from sr2hls.builder import CircuitBuilder
from sr2hls.circuit import Op
from sr2hls.parts import cut_at, high_part, joined


@dataclass(frozen=True, slots=True)
class Row:
    """A value that is a multiple of 2^power, to be added, or subtracted where it is `negative`."""

    value: int
    power: int
    negative: bool = False


def product_in_rows(b: CircuitBuilder, x: int, y: int) -> int:
    """x · y. Raises UnsupportedError where the sums need words wider than there are."""
    for constant, other in ((x, y), (y, x)):
        if b[constant].op is Op.CONSTANT:
            return times_constant(b, other, b[constant].value, b[constant].format.fraction)
    if x == y:
        return _total(b, _square(b, x), b[x].format.width)
    x, y = sorted((x, y), key=lambda factor: (-b[factor].format.width, b[factor].format.signed))
    return _total(b, _rows(b, x, y), b[y].format.width)


def times_constant(b: CircuitBuilder, x: int, code: int, fraction: int) -> int:
    """x · code · 2^-fraction, by the signed digits of the code."""
    rows, position = [], -fraction
    while code:
        if code & 1:
            digit = 2 - (code & 3)
            rows.append(Row(b.shift(x, position), position - b[x].format.fraction, digit < 0))
            code -= digit
        code, position = code >> 1, position + 1
    return _total(b, iter(rows), len(rows)) if rows else b.constant(0, b[x].format.fraction + fraction)


def chains(rows: int) -> int:
    """Into how many chains rows are put: the fewest for which no sum comes later than in a tree of single rows."""
    return min(range(1, rows + 1), key=lambda count: (ceil(rows / count) - 1 + ceil(log2(count)), count))


# Rows are made when they are needed, behind the sum that they are added to: Yosys orders the operands of a sum by
# their names' age, and only the younger one's AND gates fit in front of a carry chain.


def _rows(b: CircuitBuilder, x: int, y: int) -> Iterator[Row]:
    """One for each bit of y."""
    zero, wide, narrow = b.constant(0, b[x].format.fraction), b[x].format, b[y].format
    for i in range(narrow.width):
        value = b.shift(b.select(b.slice(y, i, i), x, zero), i - narrow.fraction)
        yield Row(value, i - narrow.fraction - wide.fraction, narrow.signed and i == narrow.width - 1)


def _square(b: CircuitBuilder, x: int) -> Iterator[Row]:
    """One for each bit: x_k · (1 + 4 · V(k + 1)), where no bits are left above x_k."""
    word, zero = b[x].format, b.constant(0)
    for k in range(word.width):
        value = bit = b.slice(x, k, k)
        if k < word.width - 1:
            above = b.shift(high_part(b, x, k + 1), word.fraction - k - 1)
            value = joined(b, b.shift(b.select(bit, above, zero), 2), bit, 2, 0)
        power = 2 * (k - word.fraction)
        yield Row(b.shift(value, power), power)


def _total(b: CircuitBuilder, rows: Iterator[Row], length: int) -> int:
    count = chains(length)
    level = [_chain(b, islice(rows, length * (i + 1) // count - length * i // count)) for i in range(count)]
    while len(level) > 1:
        level = [_chain(b, iter(level[i : i + 2])) for i in range(0, len(level), 2)]
    (total,) = level
    return b.negate(total.value) if total.negative else total.value


def _chain(b: CircuitBuilder, rows: Iterator[Row]) -> Row:
    """The sum of rows in ascending order of their powers."""
    total = next(rows)
    for row in rows:
        total = _sum(b, total, row)
    return total


def _sum(b: CircuitBuilder, first: Row, second: Row) -> Row:
    """The bits of the first one below the second one's pass through, unless they are subtracted."""
    if first.negative and not second.negative:
        return Row(b.sub(second.value, first.value), first.power)
    combine = b.add if first.negative == second.negative else b.sub
    low, high = cut_at(b, first.value, second.power)
    if high is None:
        total = b.negate(second.value) if combine == b.sub else second.value
    else:
        total = combine(high, second.value)
    if low is not None:
        fraction = b[first.value].format.fraction
        total = joined(b, total, low, second.power + fraction, fraction)
    return Row(total, first.power, first.negative and second.negative)
