"""A word → its parts below and above a power of two, and two such parts → a word: wiring only."""

from __future__ import annotations

from sr2hls.builder import CircuitBuilder
from sr2hls.formats import Format


def low_part(b: CircuitBuilder, x: int, k: int) -> int:
    """What the lowest k bits of a word are worth, not below 0."""
    return b.shift(b.slice(x, k - 1, 0), -b[x].format.fraction)


def high_part(b: CircuitBuilder, x: int, k: int) -> int:
    """The rest of the value: what the bits above are worth, with the word's sign."""
    word = b[x].format
    bits = b.slice(x, word.width - 1, k)
    if word.signed:
        bits = b.cast(bits, Format(True, word.width - k, 0))
    return b.shift(bits, k - word.fraction)


def cut_at(b: CircuitBuilder, x: int, power: int) -> tuple[int | None, int | None]:
    """A value as (its part below 2^power, not negative; a multiple of 2^power); None: that part is 0."""
    word = b[x].format
    k = power + word.fraction
    if k <= 0:
        return None, x
    if k >= word.width:
        if not word.signed:
            return x, None
        x = b.cast(x, Format(True, k + 1, word.fraction))
    return low_part(b, x, k), high_part(b, x, k)


def joined(b: CircuitBuilder, high: int, low: int, k: int, fraction: int) -> int:
    """high + low, for a multiple of 2^(k - fraction) and a lower part of 0 … 2^(k - fraction)."""
    word = b[high].format
    gap = fraction - k - word.fraction
    if gap > 0:
        high = b.cast(high, Format(word.signed, word.width + gap, word.fraction + gap))
        word = b[high].format
    low = b.cast(low, Format(False, k, fraction))
    both = b.shift(b.concat(high, low), -fraction)
    return b.cast(both, Format(True, word.width + k, fraction)) if word.signed else both
