"""Two expressions + the domains of the inputs → whether they agree at random points and on random boxes, by Arb."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import sympy
from flint import arb, ctx

from sr2hls.analyze.evaluate import ball_function
from sr2hls.analyze.ranges import Domain
from sr2hls.errors import UnsupportedError

POINTS, BOXES = 24, 8
_PRECISION = 256
_CLOSE = arb(2) ** -160  # relative: far below what equal real numbers at this precision may differ by
_BOX = 2.0**-12  # of the width of a domain


def agree(before: sympy.Expr, after: sympy.Expr, domains: Mapping[str, Domain], seed: int) -> bool:
    """Whether both are finite and the same at points of the inputs' words, the corners among them, and on boxes.

    At a point the difference must be below 2^-160 of the value; over a box the enclosures must meet. A value that is
    not finite on either side counts as a difference: an identity must neither add to a domain nor take from it.
    """
    symbols = sorted(before.free_symbols | after.free_symbols, key=lambda s: s.name)
    rng = random.Random(seed)
    try:
        first, second = ball_function(before, symbols), ball_function(after, symbols)
    except UnsupportedError:
        return False
    words = [domains[symbol.name] for symbol in symbols]
    corners = [[word.low for word in words], [word.high for word in words]]
    drawn = [[rng.randint(word.low, word.high) for word in words] for _ in range(POINTS - len(corners))]
    with ctx.workprec(_PRECISION):
        for codes in corners + drawn:
            point = [arb(code) * arb(2) ** -word.format.fraction for code, word in zip(codes, words, strict=True)]
            a, b = arb(first(*point)), arb(second(*point))
            if not (a.is_finite() and b.is_finite()):
                return False
            if not abs(a - b).upper() <= _CLOSE * (1 + _size(a, point)):
                return False
        return all(_meet(first(*box), second(*box)) for box in (_box(words, rng) for _ in range(BOXES)))


def _size(value: arb, point: Sequence[arb]) -> arb:
    """How large the terms may be that cancel in a value: a power of the operands is beyond no identity here."""
    largest = abs(value).upper()
    for coordinate in point:
        largest = largest + coordinate**16
    return largest


def _box(words: Sequence[Domain], rng: random.Random) -> list[arb]:
    sides = []
    for word in words:
        span = word.range
        middle = span.low + (span.high - span.low) * rng.uniform(_BOX, 1 - _BOX)
        radius = (span.high - span.low) * _BOX
        sides.append(arb(middle.mid(), radius.upper()))
    return sides


def _meet(a: Any, b: Any) -> bool:
    """A box may reach beyond what a ball evaluation can bound; there is nothing to compare then."""
    first, second = arb(a), arb(b)
    return bool(not first.is_finite() or not second.is_finite() or first.overlaps(second))
