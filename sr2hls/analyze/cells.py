"""A function of one variable on an interval → cells with proven bounds of value and slope.

Each cell is bounded by the mean-value form f(m) + f'(C)·(C - m) and by the plain ball evaluation, whichever is
tighter (Moore, Kearfott, Cloud, Introduction to Interval Analysis, chapter 6). Cells are halved where that helps most.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy
from flint import arb, arb_series

from sr2hls.analyze.evaluate import ball_function, exact_function, series_function
from sr2hls.analyze.interval import ZERO, Interval, ball
from sr2hls.analyze.ties import fraction, jumps
from sr2hls.errors import DomainError, UnsupportedError

_DEEPEST = 60  # halvings before a cell without a finite bound counts as a pole
_LARGEST = arb(2) ** 62
_MOST_PARTS = 1 << 14  # an interval is halved into, for a bound of the value on each


class Univariate:
    """A sympy expression of one symbol, ready to be evaluated on points, balls and Taylor series."""

    def __init__(self, expression: sympy.Expr, variable: sympy.Symbol, origin: str) -> None:
        self.expression = expression
        self.variable = variable
        self.origin = origin
        self.tables: dict[object, Any] = {}  # evaluators already planned, by their words
        self.values: list[arb] = []  # at all codes of an input that is enumerated
        self.reached: Interval | None = None  # by these values
        self._ball = ball_function(expression, (variable,))
        self._series = series_function(expression, (variable,))
        self._exact = exact_function(expression, (variable,)) if jumps(expression) else None

    def at(self, x: arb) -> arb:
        """An enclosure of f over the ball x; at a single point, ties of rational values are decided."""
        if self._exact is not None and (point := fraction(x)) is not None:
            return ball(self._exact(point))
        result = self._ball(x)
        return result if isinstance(result, arb) else arb(result)

    def taylor(self, x: arb, terms: int) -> list[arb]:
        """Enclosures of f(x), f'(x), f''(x)/2!, ... over the ball x, at most 10 of them; NaN where undefined."""
        try:
            result = self._series(arb_series([x, 1], prec=terms))
        except (ValueError, ZeroDivisionError):  # a division by a series whose value may be zero
            return [arb("nan")] * terms
        if isinstance(result, arb_series):
            return [result[i] for i in range(terms)]
        return [result, *([arb(0)] * (terms - 1))]


@dataclass(frozen=True, slots=True)
class Cell:
    """An interval of the argument, a bound of the value there, and of the slope (None: unbounded or a jump)."""

    domain: Interval
    value: Interval
    slope: Interval | None


@dataclass(frozen=True)
class Cells:
    """Adjacent cells that cover an interval, in order."""

    parts: tuple[Cell, ...]

    @cached_property
    def range(self) -> Interval:
        """A bound of the value over the whole interval."""
        return Interval.hull(*(cell.value for cell in self.parts)).rounded()

    @cached_property
    def steepest(self) -> float:
        """The largest slope over the cells that have one; a typical slope where none has."""
        slopes = [float(c.slope.magnitude) for c in self.parts if c.slope is not None]
        return max(slopes) if slopes else 1.0

    def slope_on(self, domain: Interval) -> Interval | None:
        """A bound of the slope on a part of the covered interval; None where it has none."""
        lows = [float(cell.domain.low) for cell in self.parts]
        first = max(0, bisect_left(lows, float(domain.low)) - 2)
        last = min(len(lows), bisect_left(lows, float(domain.high)) + 2)
        slopes = [
            cell.slope
            for cell in self.parts[first:last]
            if not (cell.domain.high < domain.low or cell.domain.low > domain.high)
        ]
        if not slopes or None in slopes:
            return None
        return Interval.hull(*(slope for slope in slopes if slope is not None))

    def variation(self, error: Interval) -> Interval:
        """A bound of f(t + e) - f(t) for all t and all e in `error`, t + e projected into the covered interval."""
        if error == ZERO:
            return ZERO
        lows = [float(cell.domain.low) for cell in self.parts]
        results = []
        for index, cell in enumerate(self.parts):
            start, end = cell.domain.low + error.low, cell.domain.high + error.high
            first = min(index, max(0, bisect_left(lows, float(start)) - 2))
            last = max(index, min(len(lows), bisect_left(lows, float(end)) + 2) - 1)
            reached = [
                part
                for place, part in enumerate(self.parts[first : last + 1], first)
                if place == index or not (part.domain.high < start or part.domain.low > end)
            ]
            results.append(_variation(cell, reached, error))
        return Interval.hull(*results)


def _variation(cell: Cell, reached: list[Cell], error: Interval) -> Interval:
    values = Interval.hull(*(part.value for part in reached))
    by_range = values - cell.value
    slopes = [part.slope for part in reached]
    if any(slope is None for slope in slopes):
        return by_range
    by_slope = Interval.hull(*(s for s in slopes if s is not None)) * Interval.hull(error, ZERO)
    return by_slope if by_slope.magnitude < by_range.magnitude else by_range


def cells_of(function: Univariate, domain: Interval, *, most: int = 48) -> Cells:
    """Bound a function over a domain by at most about `most` cells.

    Raises:
        DomainError: a pole or a domain edge lies inside; the message gives the sub-expression and the box.
        UnsupportedError: the value exceeds 2^62, or is bounded on tiny parts only.
    """
    if domain.low == domain.high:
        only = bounded_cell(function, domain)
        return Cells((only,)) if only.value.finite else _fail(function, domain)
    done: list[Cell] = []
    heap: list[tuple[float, int, int, Cell]] = []  # looseness, then the deepest first: a pole is found at once
    serial = 0
    for part in domain.split(8):
        cell = bounded_cell(function, part)
        heapq.heappush(heap, (-_loose(cell), 0, serial, cell))
        serial += 1
    while heap:
        badness, negative_depth, _, cell = heapq.heappop(heap)
        depth = -negative_depth
        room = len(heap) + len(done) < most
        if not cell.value.finite and depth > _DEEPEST:
            _fail(function, cell.domain)
        if serial > _MOST_PARTS:
            raise UnsupportedError(
                f"no bound of '{function.origin}' was found on {domain}, though it was cut into {_MOST_PARTS} parts; "
                "declare a narrower range (--range)"
            )
        if cell.value.finite and (not room or depth > 24 or badness == 0):
            done.append(cell)
            continue
        for part in cell.domain.split(2):
            half = bounded_cell(function, part)
            heapq.heappush(heap, (-_loose(half), -depth - 1, serial, half))
            serial += 1
    done.sort(key=lambda cell: float(cell.domain.low))
    result = Cells(tuple(done))
    if not result.range.magnitude < _LARGEST:
        raise UnsupportedError(
            f"'{function.origin}' reaches {result.range} for arguments in {domain}: no fixed-point word holds that; "
            "declare a narrower range (--range)"
        )
    return result


def _loose(cell: Cell) -> float:
    """How much is to be gained by halving: the overestimation of the value, infinite where there is no bound."""
    if not cell.value.finite:
        return float("inf")
    width = float(cell.domain.high - cell.domain.low)
    spread = float(cell.value.high - cell.value.low)
    if cell.slope is None:
        return spread
    return float(cell.slope.high - cell.slope.low) * width


def bounded_cell(function: Univariate, domain: Interval) -> Cell:
    """One cell; its value is not finite where there is no bound."""
    x = domain.ball
    direct = function.at(x)
    value = Interval(direct.lower(), direct.upper())
    slope: Interval | None = None
    if domain.low != domain.high:
        derivative = function.taylor(x, 2)[1]
        if derivative.is_finite():
            slope = Interval(derivative.lower(), derivative.upper())
            middle = domain.middle
            center = function.at(middle)
            if center.is_finite():
                mean = Interval(center.lower(), center.upper()) + slope * (domain - Interval(middle, middle))
                value = mean if not value.finite else value.meet(mean)
    else:
        slope = ZERO
    return Cell(domain, value, slope)


def _fail(function: Univariate, box: Interval) -> Cells:
    raise DomainError(
        f"'{function.origin}' is not finite for its argument near {box}. "
        "Declare a range that avoids it (--range), or clamp the argument (--domain clamp)"
    )
