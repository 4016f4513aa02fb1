"""A word and a one-bit condition → the word where the bit is 1, else its complement: an XNOR from small tables.

Complementing is mirroring: of the codes 0 to 2^n - 1 of n bits, the complement of c is 2^n - 1 - c.
"""

from __future__ import annotations

from sr2hls.builder import CircuitBuilder

_GROUP = 3  # bits complemented by one table, whose address is four bits with the condition's: one LUT for each bit


def mirrored(b: CircuitBuilder, upright: int, word: int, bits: int, fraction: int = 0) -> int:
    """`bits` bits of `word` (unsigned) where the node `upright` is 1, their complement where it is 0.

    The codes of the result have `fraction` fraction bits.
    """
    result = None
    for low in range(0, bits, _GROUP):
        count = min(_GROUP, bits - low)
        codes = range(1 << count)
        entries = (*((1 << count) - 1 - code for code in codes), *codes)
        group = b.lookup(b.concat(upright, b.slice(word, low + count - 1, low)), entries, 0, "mirror")
        result = group if result is None else b.concat(group, result)
    if result is None:
        raise ValueError("no bits to mirror")
    return b.shift(result, -fraction)


def sizes(bits: int) -> set[int]:
    """The entries of the tables that mirror so many bits."""
    return {2 << min(_GROUP, bits - low) for low in range(0, bits, _GROUP)}
