"""The errors of a step's operands, box by box → the error that the exact step makes of them in each box.

As `errors`, with the ranges of each box in place of those on the whole domain; None stands for no error in any box.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import sympy
from numpy.typing import NDArray

from sr2hls.analyze.cells import Cells
from sr2hls.analyze.evaluate import constant_ball
from sr2hls.analyze.interval import Interval
from sr2hls.analyze.intervals import Intervals
from sr2hls.program import Assignment, Kind, linear_terms

Errors = Intervals | None
Places = NDArray[np.intp]


def propagated_in_boxes(
    step: Assignment, ranges: Mapping[str, Intervals], errors: Mapping[str, Errors], count: int
) -> Errors:
    """The propagated error of every kind but `function`, in each of `count` boxes."""
    args = step.expression.args
    match step.kind:
        case Kind.LINEAR | Kind.TURNS:
            return _linear(step.expression if step.kind is Kind.LINEAR else args[0], errors)
        case Kind.PRODUCT:
            a, b = ((args[0], args[0]) if isinstance(step.expression, sympy.Pow) else args)[:2]
            return _product(ranges[a.name], ranges[b.name], errors[a.name], errors[b.name])
        case Kind.MAXIMUM | Kind.MINIMUM:
            return _either(errors[args[0].name], errors[args[1].name], count)
        case Kind.SELECT:
            return _either(errors[args[1].name], errors[args[2].name], count)
        case Kind.ABSOLUTE:
            error = errors[args[0].name]
            if error is None:
                return None
            keeps, size = ranges[args[0].name].low >= 0, error.magnitude
            return Intervals(np.where(keeps, error.low, -size), np.where(keeps, error.high, size))
        case _:
            return None


def _linear(expression: sympy.Expr, errors: Mapping[str, Errors]) -> Errors:
    total: Errors = None
    for symbol, coefficient in (linear_terms(expression) or ({}, None))[0].items():
        error = errors[symbol.name]
        if error is not None:
            k = constant_ball(coefficient)
            total = _sum(total, error.times(Interval(k.lower(), k.upper())))
    return total


def _product(a: Intervals, b: Intervals, error_a: Errors, error_b: Errors) -> Errors:
    """(a + da)(b + db) - ab."""
    total: Errors = None
    if error_b is not None:
        total = a * error_b
    if error_a is not None:
        total = _sum(total, b * error_a)
    return total if error_a is None or error_b is None else _sum(total, error_a * error_b)


def _sum(a: Errors, b: Errors) -> Errors:
    return b if a is None else a if b is None else a + b


def _either(a: Errors, b: Errors, count: int) -> Errors:
    if a is None and b is None:
        return None
    zero = Intervals(np.zeros(count), np.zeros(count))
    return (zero if a is None else a).join(zero if b is None else b)


def variation_in_boxes(cells: Cells, domain: Intervals, error: Intervals) -> Intervals:
    """A bound of f(t + e) - f(t) in each box, for t in its `domain` and e in its `error`.

    t + e is projected into the interval that the cells cover. Within a cell the mean value theorem bounds it by the
    slopes of the cells that t + e may lie in, the ranges of both ends do so as well.
    """
    parts = [(cell.domain, cell.value, cell.slope) for cell in cells.parts]
    edges, values = Intervals.of([part[0] for part in parts]), Intervals.of([part[1] for part in parts])
    steep = Interval.of(-np.inf, np.inf)
    slopes = Intervals.of([steep if part[2] is None else part[2] for part in parts])
    touched = (edges.high >= domain.low[:, None]) & (edges.low <= domain.high[:, None])
    if not touched.any(axis=1).all():  # a value lies both in its box's range and in the whole one
        raise ArithmeticError("a box's argument lies outside the range of all boxes")
    box, cell = np.nonzero(touched)  # in the order of the boxes
    low = np.maximum(edges.low[cell], domain.low[box])
    high = np.minimum(edges.high[cell], domain.high[box])
    start, end = np.nextafter(low + error.low[box], -np.inf), np.nextafter(high + error.high[box], np.inf)
    last = len(parts) - 1
    first_cell = np.minimum(np.clip(np.searchsorted(edges.high, start, side="left"), 0, last), cell)
    last_cell = np.maximum(np.clip(np.searchsorted(edges.low, end, side="right") - 1, 0, last), cell)
    change = _over(values, first_cell, last_cell) - _pick(values, cell)
    slope = _over(slopes, first_cell, last_cell)
    bounded = np.isfinite(slope.low) & np.isfinite(slope.high)
    within = Intervals(np.where(bounded, slope.low, 0.0), np.where(bounded, slope.high, 0.0))
    by_slope = within * _pick(error, box).with_zero()
    least = np.where(bounded, np.maximum(change.low, by_slope.low), change.low)
    most = np.where(bounded, np.minimum(change.high, by_slope.high), change.high)
    begins = np.searchsorted(box, np.arange(len(domain.low)))
    return Intervals(np.minimum.reduceat(least, begins), np.maximum.reduceat(most, begins))


def _pick(parts: Intervals, index: Places) -> Intervals:
    return Intervals(parts.low[index], parts.high[index])


def _over(parts: Intervals, first: Places, last: Places) -> Intervals:
    """The hulls of runs of parts, by a sparse table: the runs of 2^k of them, two of which cover any run."""
    low, high = [parts.low], [parts.high]
    width = 1
    while 2 * width <= len(parts.low):
        low.append(np.minimum(low[-1][:-width], low[-1][width:]))
        high.append(np.maximum(high[-1][:-width], high[-1][width:]))
        width *= 2
    level = np.frexp(last - first + 1)[1] - 1  # floor of log2
    second = last + 1 - (1 << level)
    size = len(parts.low)
    lows = np.stack([np.resize(row, size) for row in low])
    highs = np.stack([np.resize(row, size) for row in high])
    return Intervals(
        np.minimum(lows[level, first], lows[level, second]), np.maximum(highs[level, first], highs[level, second])
    )
