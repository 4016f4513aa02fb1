"""Nodes that bring a positive word into its highest octave and a result back: the stages of variable shifts."""

from __future__ import annotations

from collections.abc import Callable

from sr2hls.builder import CircuitBuilder
from sr2hls.formats import Format


def zeros_table(b: CircuitBuilder, zeros: int, entry: Callable[[int], int], fraction: int = 0, name: str = "") -> int:
    """`entry` at the count of leading zeros, for the counts that occur; the others repeat the last."""
    node = b[zeros]
    most = node.high
    codes = tuple(entry(min(max(count, node.low), most)) for count in range(1 << node.format.width))
    return b.lookup(zeros, codes, fraction, name or "amount")


def moved_up(b: CircuitBuilder, word: int, amount: int, keep: int, least: int = 0) -> int:
    """The highest `keep` bits, as an integer, of an unsigned word shifted to the left by an unsigned node.

    Bits of the amount below the bit `least` do not count. What is shifted out at the top is lost: zeros, for a word
    that is normalized.
    """
    width = b[word].format.width
    result = b.slice(word, width - 1, 0)
    for bit in range(b[amount].format.width - 1, least - 1, -1):
        step, have = 1 << bit, b[result].format.width
        if step < have:
            kept = b.slice(result, have - 1 - step, 0)
            moved = b.cast(b.shift(kept, step), Format(False, have, 0))
        else:
            moved = b.constant(0)
        chosen = b.select(b.slice(amount, bit, bit), moved, result)
        result = b.cast(chosen, Format(False, have, 0), claim=(0, (1 << have) - 1))
        need = keep + step - (1 << least)  # the later stages move by less than this one
        if need < have:
            result = b.slice(result, have - 1, have - need)
    have = b[result].format.width
    return b.slice(result, have - 1, have - keep) if keep < have else result


def moved_down(b: CircuitBuilder, value: int, amount: int) -> int:
    """value · 2^-amount, rounded toward minus infinity to the fraction bits of the value."""
    fraction = b[value].format.fraction
    for bit in range(b[amount].format.width - 1, -1, -1):
        step = 1 << bit
        less = b.round_to(b.shift(value, -step), fraction)
        value = b.select(b.slice(amount, bit, bit), less, value)
    return value
