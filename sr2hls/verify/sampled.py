"""A formula of one symbol and result codes for many arguments → the exact hull of result - formula over all of them.

Long stretches of arguments share a Taylor model evaluated in float64 with a bound of all its errors (Higham, Accuracy
and Stability of Numerical Algorithms, chapters 3 and 5); the arguments that may hold the extremes are then evaluated
as balls, so that the hull is that of a ball of 128 bits at every argument.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise

import numpy as np
from flint import arb
from numpy.typing import NDArray

from sr2hls.verify.evaluate import Formula
from sr2hls.verify.refused import Open, Wrong
from sr2hls.verify.rules import ball
from sr2hls.verify.run import Codes
from sr2hls.verify.span import Span, of_value, to_arb, to_fmpq

Reals = NDArray[np.float64]

_TERMS = 8
_FEW = 1 << 13  # arguments that are evaluated one by one
_SHORT = 32
_MOST_CANDIDATES = 1 << 17
_CLOSE = 2.0**-40  # of a value's size: how close a model must be


class Sampled:
    """f at start + i · unit for i = 0 ... count - 1: `middle` in float64, at most `radius` off."""

    def __init__(self, formula: Formula, start: Fraction, unit: Fraction, count: int) -> None:
        self.formula, self.start, self.unit, self.count = formula, start, unit, count
        self.middle: Reals = np.zeros(count)
        self.radius: Reals = np.zeros(count)
        self._points: dict[int, Span] = {}
        if count <= _FEW:
            for i in range(count):
                self._single(i)
        else:
            self._models()

    def at(self, i: int) -> Span:
        """A narrow enclosure of the value at one argument. Raises Wrong where there is none."""
        if i not in self._points:
            value = of_value(self.formula(to_fmpq(self.start + i * self.unit)))
            if value is None:
                raise Wrong(f"a function is not finite at its argument {float(self.start + i * self.unit):.6g}")
            self._points[i] = value
        return self._points[i]

    def hull(self) -> Span:
        """Of all values."""
        return self._extremes(self.middle, self.at)

    def hull_of(self, first: int, end: int) -> Span:
        """Of the values at the arguments first ... end - 1."""
        chosen = np.zeros(self.count, dtype=bool)
        chosen[first:end] = True
        return self._extremes(self.middle, self.at, chosen)

    def errors(self, codes: Codes, ulp: Fraction, chosen: NDArray[np.bool_] | None = None) -> Span:
        """The hull of code · ulp - f over the chosen arguments."""
        if np.abs(codes).max() >= 1 << 53:
            raise Open("result codes of more than 53 bits")
        hardware = codes * float(ulp)
        return self._extremes(hardware - self.middle, lambda i: _minus(int(codes[i]) * ulp, self.at(i)), chosen)

    def _extremes(self, values: Reals, exact: Callable[[int], Span], chosen: NDArray[np.bool_] | None = None) -> Span:
        slack = self.radius + np.abs(values) * 2.0**-51 + np.abs(self.middle) * 2.0**-51
        above, below = values + slack, values - slack
        if chosen is not None:
            above, below = np.where(chosen, above, -np.inf), np.where(chosen, below, np.inf)
            inner_high, inner_low = np.where(chosen, values - slack, -np.inf), np.where(chosen, values + slack, np.inf)
        else:
            inner_high, inner_low = values - slack, values + slack
        high = [int(i) for i in np.flatnonzero(above >= inner_high.max())]
        low = [int(i) for i in np.flatnonzero(below <= inner_low.min())]
        if max(len(high), len(low)) > _MOST_CANDIDATES:
            raise Open(f"{len(high)} arguments share the largest error")
        return Span(min(exact(i).low for i in low), max(exact(i).high for i in high))

    def _single(self, i: int) -> None:
        span = self.at(i)
        self.middle[i] = float(span.low)
        self.radius[i] = abs(self.middle[i]) * 2.0**-51 + float(span.width) * 1.01

    def _models(self) -> None:
        block = max(_SHORT, min(1 << 12, self.count // 64))
        waiting = [(first, min(first + block, self.count)) for first in range(0, self.count, block)]
        while waiting:
            first, end = waiting.pop()
            if end - first >= _SHORT and self._model(first, end):
                continue
            if end - first >= 2 * _SHORT:
                middle = (first + end) // 2
                waiting += [(first, middle), (middle, end)]
            else:
                for i in range(first, end):
                    self._single(i)

    def _model(self, first: int, end: int) -> bool:
        """Evaluate one stretch by its Taylor model in t in [-1, 1]; False where there is none that is close enough."""
        count = end - first - 1
        center = to_arb(self.start + (2 * first + count) * self.unit / 2)
        half = to_arb(count * self.unit / 2)
        taylor = self.formula.series(center, _TERMS)
        left, right = to_arb(self.start + first * self.unit), to_arb(self.start + (end - 1) * self.unit)
        remainder = self.formula.series(left.union(right), _TERMS + 1)[_TERMS]
        if not (remainder.is_finite() and all(a.is_finite() for a in taylor)):
            return False
        scaled = [a * half**j for j, a in enumerate(taylor)]
        numbers = [float(a.mid()) for a in scaled]
        total = sum(map(abs, numbers))
        off = abs(remainder).upper() * half**_TERMS
        for a, number in zip(scaled, numbers, strict=True):
            off += abs(a - arb(number)).upper()
        radius = float(off.upper()) * (1 + 2.0**-40) + total * (8 * _TERMS + 16) * 2.0**-53
        if not radius <= _CLOSE * max(total, 2.0**-200):
            return False
        t = (2.0 * np.arange(count + 1) - count) / count
        value = np.full(t.shape, numbers[-1])
        for number in reversed(numbers[:-1]):
            value = value * t + number
        self.middle[first:end], self.radius[first:end] = value, radius
        return True


def _minus(value: Fraction, span: Span) -> Span:
    return Span(value - span.high, value - span.low)


def cells(domain: Span, count: int) -> Iterator[Span]:
    """Equal cells that cover an interval."""
    if domain.width == 0:
        yield domain
        return
    step = domain.width / count
    edges = [domain.low, *(domain.low + i * step for i in range(1, count)), domain.high]
    for low, high in pairwise(edges):
        yield Span(low, high)


def values_on(formula: Formula, cell: Span) -> Span | None:
    """The formula's values on an interval: at the ends where it is monotone, else the best of two enclosures."""
    direct = of_value(ball(formula(cell.ball()))) if cell.width else of_value(formula(to_fmpq(cell.low)))
    if cell.width == 0:
        return direct
    slope = slope_on(formula, cell)
    if slope is None:
        return direct
    ends = [of_value(formula(to_fmpq(end))) for end in (cell.low, cell.high)]
    if slope.low >= 0 or slope.high <= 0:
        if ends[0] is not None and ends[1] is not None:
            return ends[0].hull(ends[1])
        return direct
    middle = (cell.low + cell.high) / 2
    center = of_value(formula(to_fmpq(middle)))
    if center is None:
        return direct
    mean = center + slope * Span(cell.low - middle, cell.high - middle)
    return mean if direct is None else (mean.meet(direct) or direct)


def slope_on(formula: Formula, cell: Span) -> Span | None:
    """The derivative's values on an interval; None where it has no bound."""
    return of_value(formula.series(cell.ball(), 2)[1])


def slope_between(formula: Formula, cell: Span) -> Span | None:
    """The derivative's values on an interval where it is monotone: between those at both ends; else None."""
    bend = of_value(formula.series(cell.ball(), 3)[2])
    if bend is None or bend.low < 0 < bend.high:
        return None
    ends = [of_value(formula.series(to_arb(end), 2)[1]) for end in (cell.low, cell.high)]
    return None if ends[0] is None or ends[1] is None else ends[0].hull(ends[1])


def range_within(formula: Formula, domain: Span, stated: Span, what: str, first: int = 64) -> Span:
    """The formula's range on an interval, as tight as cells show it, once it is inside the stated one.

    `first`: cells to begin with.
    """
    found: Span | None = None
    smallest = domain.width / 2**40
    waiting = list(cells(domain, first))
    tried = 0
    while waiting:
        cell = waiting.pop()
        tried += 1
        value = values_on(formula, cell)
        if value is not None and value.inside(stated):
            found = value if found is None else found.hull(value)
            continue
        if cell.width <= smallest or tried > 20_000:
            if value is not None and value.meet(stated) is None:
                raise Wrong(f"{what}: it takes the values {value}, outside the stated {stated}")
            where = "no value" if value is None else str(value)
            raise Wrong(f"{what}: it has {where} for arguments in {cell}, the certificate says {stated}")
        waiting += cell.halves()
    if found is None:
        raise Open(f"{what}: an empty range")
    return found


def change_within(
    formula: Formula,
    domain: Span,
    values: Span,
    error: Span,
    stated: Span,
    what: str,
    *,
    wraps: bool,
    whole: Span | None = None,
    first: int = 64,
) -> Span:
    """The hull of f(t + e) - f(t), t and t + e in the domain (with `wraps`: t only), once inside the stated one.

    `values` holds those of f. `whole`: where t + e is, if not in the domain of t; `first`: cells to begin with.
    """
    span = Span(min(error.low, Fraction(0)), max(error.high, Fraction(0)))
    if span.width == 0:
        return span
    found: Span | None = None
    waiting, tried = list(cells(domain, first)), 0
    while waiting:
        cell = waiting.pop()
        tried += 1
        reach = cell + span
        if not wraps:
            reach = reach.meet(whole or domain) or cell
        slope = slope_on(formula, reach)
        change = None if slope is None else slope * span
        if change is not None and not change.inside(stated):
            slope = slope_between(formula, reach)
            change = change if slope is None else slope * span
        if change is None or not change.inside(stated):
            after, before = values_on(formula, reach), values_on(formula, cell)
            if after is not None and before is not None:
                by_range = (after.meet(values) or after) - (before.meet(values) or before)
                change = by_range if change is None or by_range.inside(stated) else change
        if change is not None and change.inside(stated):
            found = change if found is None else found.hull(change)
            continue
        if tried > 4000 or cell.width * 256 < span.width:
            raise Wrong(
                f"{what}: an argument off by {span} changes it by {change} near {cell}, the certificate says {stated}"
            )
        waiting += cell.halves()
    if found is None:
        raise Open(f"{what}: an empty range")
    return found
