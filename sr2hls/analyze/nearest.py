"""Where a function is defined + its arguments at the rows of the data → the pieces that `--domain clamp` keeps.

An end of a piece that is no end of the argument's range is a pole or the edge of a domain. It is moved inward: by the
floor that the user gives; else to the row that comes nearest, but by 1/4096 of the range at least. A piece in which no
row lies is dropped, if rows lie in another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from sr2hls.errors import DomainError

Piece = tuple[Fraction, Fraction]
Whole = tuple[Fraction | None, Fraction | None]  # the ends of the range; None where it ends in a pole or an edge
Values = NDArray[np.float64]

LEAST = 4096  # the part of the range by which a pole is avoided at least, where no floor is given


@dataclass(frozen=True, slots=True)
class Kept:
    """The pieces; `how`: what their ends follow, for the note; may be empty."""

    pieces: tuple[Piece, ...]
    how: str = ""


def kept(
    pieces: Sequence[Piece],
    whole: Whole,
    rows: Values | None,
    floor: Fraction | None,
    least: Fraction,
) -> Kept:
    """The pieces, in order, with their inner ends moved. Raises DomainError where nothing is left of them.

    Args:
        pieces: where the function is defined, up to poles and edges.
        whole: the argument's range, see `whole_of`.
        rows: the argument at each row, shape (n,); not finite where an earlier function is undefined.
        floor: the distance that the user asks for.
        least: the distance otherwise, where no row asks for more; with a floor, the least that it can be.
    """
    if floor is not None:
        floor = max(floor, least)
        moved = [_moved(piece, whole, floor, floor) for piece in pieces]
        return Kept(_not_empty(moved), f", {float(floor):g} from where it is not defined")
    if rows is None or not any(_beside(piece, whole, rows).size for piece in pieces):
        return Kept(_not_empty([_moved(piece, whole, least, least) for piece in pieces]))
    result, nearer = [], 0
    for piece in pieces:
        values = _beside(piece, whole, rows)
        if values.size:
            low, high = (max(least, _distance(values, end)) for end in piece)
            result.append(_moved(piece, whole, low, high))
            nearer += values.size - _inside(result[-1], values).size
    how = ", as near to where it is not defined as the rows of the data come"
    outside = int(np.size(rows)) - sum(_beside(piece, whole, rows).size for piece in pieces)
    if nearer + outside:
        how += f" but for {nearer + outside} of {np.size(rows)}"
    return Kept(_not_empty(result), how)


def whole_of(pieces: Sequence[Piece], low: Fraction, high: Fraction) -> Whole:
    """The ends of a range up to which the function is defined."""
    return low if pieces[0][0] == low else None, high if pieces[-1][1] == high else None


def snapped(pieces: Sequence[Piece], whole: Whole, cell: Fraction) -> tuple[Piece, ...]:
    """The inner ends, known up to two cells, at the roundest numbers beside them, where pole or edge most likely is.

    The function may be undefined up to two cells inside of these ends.
    """
    return tuple(
        (
            low if low == whole[0] else _roundest(low - 2 * cell, low),
            high if high == whole[1] else _roundest(high, high + 2 * cell),
        )
        for low, high in pieces
    )


def _roundest(low: Fraction, high: Fraction) -> Fraction:
    """The multiple of the largest power of two in an interval."""
    if low <= 0 <= high:
        return Fraction(0)
    unit = Fraction(2) ** math.ceil(math.log2(max(abs(low), abs(high))))
    while math.ceil(low / unit) * unit > high:
        unit /= 2
    return math.ceil(low / unit) * unit


def _moved(piece: Piece, whole: Whole, low: Fraction, high: Fraction) -> Piece:
    return (
        piece[0] if piece[0] == whole[0] else piece[0] + low,
        piece[1] if piece[1] == whole[1] else piece[1] - high,
    )


def _not_empty(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    left = tuple(piece for piece in pieces if piece[0] <= piece[1])
    if not left:
        raise DomainError("nothing is left of its argument's range so far from its poles; ask for a smaller distance")
    return left


def _inside(piece: Piece, values: Values) -> Values:
    with np.errstate(invalid="ignore"):
        inside: Values = values[(values >= float(piece[0])) & (values <= float(piece[1]))]
    return inside


def _beside(piece: Piece, whole: Whole, values: Values) -> Values:
    """Those inside, and not on the pole or edge itself: they are of no side."""
    inside = _inside(piece, values)
    for end in piece:
        if end not in whole:
            inside = inside[inside != float(end)]
    return inside


def _distance(values: Values, end: Fraction) -> Fraction:
    """The least distance to an end, rounded down to four bits: a short constant."""
    away = np.abs(values - float(end))
    least = float(away[away > 0].min(initial=math.inf))
    if not math.isfinite(least):
        return Fraction(0)
    unit = Fraction(2) ** (math.frexp(least)[1] - 4)
    return math.floor(Fraction(least) * (1 + Fraction(1, 1 << 40)) / unit) * unit  # floats end just below round numbers
