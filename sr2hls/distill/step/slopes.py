"""A formula, one of its variables and a box → a proven bound of |d formula / d variable| on the box.

The derivative is symbolic; at the kinks of max, min and absolute value it is any convex combination of the one-sided
ones (Clarke's generalized gradient), for which the mean value theorem holds (Lebourg 1975). It is enclosed by interval
arithmetic with outward rounding on cells, which are halved where the bound is largest.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from fractions import Fraction
from itertools import count

import flint
import sympy
from flint import arb

from sr2hls.analyze.evaluate import ball_function
from sr2hls.analyze.interval import Interval, exact
from sr2hls.analyze.meaning import MEANINGS
from sr2hls.errors import DomainError, UnsupportedError
from sr2hls.operators import Clamp

_PRECISION = 64
_CELLS = 2000
_CLOSE = 1.02  # the bound is this near to a value that is taken: near enough

Box = Mapping[str, Interval]


def largest_slope(formula: sympy.Expr, variable: sympy.Symbol, box: Box) -> Fraction:
    """The bound, exact and rounded upward.

    Args:
        box: an interval for the name of every symbol of the formula.

    Raises:
        DomainError: no finite bound was found. UnsupportedError: the formula jumps, or its derivative is not known.
    """
    slack: dict[sympy.Symbol, Interval] = {}
    slope = _derivative(formula, variable, slack)
    symbols = sorted(slope.free_symbols, key=lambda s: (s.name, s in slack))
    with flint.ctx.workprec(_PRECISION):
        found = _largest(slope, symbols, [slack[s] if s in slack else box[s.name] for s in symbols])
        if not found.is_finite():
            raise DomainError(f"'{formula}' has no bounded slope in {variable.name} on the declared ranges")
        return exact(found.upper())


def _largest(slope: sympy.Expr, symbols: list[sympy.Symbol], box: list[Interval]) -> arb:
    run = ball_function(slope, symbols)

    def bound(cell: list[Interval]) -> tuple[float, arb]:
        value = abs(run(*[part.ball for part in cell]))
        upper = value.upper() if value.is_finite() else arb("inf")
        return -float(upper), upper

    order = count()
    reached = arb(0)
    heap = [(*bound(box)[:1], next(order), box, bound(box)[1])]
    for _ in range(_CELLS):
        _, _, cell, upper = heap[0]
        middle = abs(run(*[part.middle for part in cell]))
        if middle.is_finite() and middle.lower() > reached:
            reached = middle.lower()
        widths = [float(c.high - c.low) / (float(w.high - w.low) or 1.0) for c, w in zip(cell, box, strict=True)]
        if not symbols or max(widths) == 0 or (upper.is_finite() and upper <= reached * _CLOSE):
            break
        heapq.heappop(heap)
        widest = widths.index(max(widths))
        for half in cell[widest].split(2):
            part = [*cell[:widest], half, *cell[widest + 1 :]]
            key, top = bound(part)
            heapq.heappush(heap, (key, next(order), part, top))
    return heap[0][3]


def _derivative(formula: sympy.Expr, variable: sympy.Symbol, slack: dict[sympy.Symbol, Interval]) -> sympy.Expr:
    """The derivative; `slack` gets the weights of convex combinations with their intervals."""
    if variable not in formula.free_symbols:
        return sympy.S.Zero
    if formula == variable:
        return sympy.S.One
    if isinstance(formula, sympy.Max | sympy.Min):
        result = _derivative(formula.args[0], variable, slack)
        for part in formula.args[1:]:
            weight = _weight(slack, 0)
            result = weight * result + (1 - weight) * _derivative(part, variable, slack)
        return result
    if isinstance(formula, sympy.Abs):
        return _weight(slack, -1) * _derivative(formula.args[0], variable, slack)
    if isinstance(formula, Clamp) and (formula.args[1] <= formula.args[2]) == True:  # noqa: E712 - else it jumps
        value, low, high = formula.args
        return _derivative(sympy.Min(sympy.Max(value, low), high), variable, slack)
    meaning = MEANINGS.get(type(formula))
    if not isinstance(formula, sympy.Add | sympy.Mul | sympy.Pow) and (meaning is None or not meaning.smooth):
        raise UnsupportedError(f"'{formula}' may jump: no bound on how it passes an error on; use the parallel form")
    places = [sympy.Dummy(real=True) for _ in formula.args]
    outer = formula.func(*places)
    result = sympy.S.Zero
    for place, part in zip(places, formula.args, strict=True):
        inner = _derivative(part, variable, slack)
        if inner != 0:
            result += _known(outer.diff(place), formula).xreplace(dict(zip(places, formula.args, strict=True))) * inner
    return result


def _weight(slack: dict[sympy.Symbol, Interval], low: int) -> sympy.Symbol:
    weight = sympy.Dummy(f"weight{len(slack)}", real=True)
    slack[weight] = Interval(arb(low), arb(1))
    return weight


def _known(slope: sympy.Expr, formula: sympy.Expr) -> sympy.Expr:
    if slope.has(sympy.Derivative, sympy.Subs, sympy.DiracDelta, sympy.Heaviside):
        raise UnsupportedError(f"the derivative of '{formula}' is not known; use the parallel form of the step")
    return slope
