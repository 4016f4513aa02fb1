"""Cells bound values and variations of a function on an interval, and find its poles."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from flint import arb

from sr2hls import operators as ops
from sr2hls.analyze.cells import Univariate, cells_of
from sr2hls.analyze.evaluate import array_function
from sr2hls.analyze.interval import Interval
from sr2hls.analyze.intervals import Intervals
from sr2hls.errors import DomainError, UnsupportedError

T = sympy.Symbol("t", real=True)
CASES = [
    (sympy.exp(-(T**2)), -4, 4),
    (sympy.sin(3 * T) * T, -5, 3),
    (sympy.sqrt(T), 0, 9),
    (1 / T, 0.01, 4),
    (sympy.Abs(T - 1), -2, 3),
    (sympy.floor(T), -2.5, 2.5),
    (sympy.Max(T, 1) ** 2, -3, 3),
    (sympy.tanh(5 * T) / (1 + T**2), -2, 2),
    (T ** sympy.Rational(3, 2), 0, 4),
]


def univariate(expression):
    return Univariate(expression, T, str(expression))


@pytest.mark.parametrize(("expression", "low", "high"), CASES)
def test_range_and_variation_are_bounds(expression, low, high):
    cells = cells_of(univariate(expression), Interval.of(low, high))
    array = array_function(expression, (T,))
    rng = np.random.default_rng(3)
    t = rng.uniform(low, high, 4000)
    values = array(t)
    least, greatest = cells.range.floats()
    assert least - 1e-9 <= values.min() and values.max() <= greatest + 1e-9
    for error in (1e-6, 1e-2, 0.3):
        bound = cells.variation(Interval.of(-error, error / 2)).floats()
        change = array(np.clip(t + rng.uniform(-error, error / 2, t.size), low, high)) - values
        assert bound[0] - 1e-9 <= change.min() and change.max() <= bound[1] + 1e-9


def test_bounds_are_tight_for_smooth_functions():
    cells = cells_of(univariate(sympy.sin(T)), Interval.of(-10, 10))
    assert float(cells.range.magnitude) < 1.05
    assert float(cells.variation(Interval.of(-1e-4, 1e-4)).magnitude) < 1.1e-4


@pytest.mark.parametrize(("expression", "low", "high"), [(1 / T, -1, 1), (sympy.log(T), -3, 1), (sympy.tan(T), 0, 2)])
def test_poles_are_found_at_once(expression, low, high):
    with pytest.raises(DomainError, match=r"--range"):
        cells_of(univariate(expression), Interval.of(low, high))


def test_explosions_are_refused():
    with pytest.raises(UnsupportedError, match="exp"):
        cells_of(univariate(sympy.exp(sympy.exp(T))), Interval.of(0, 6))


def test_intervals_round_outward():
    third = Interval.of(arb(1) / 3, arb(1) / 3)
    assert third.low < arb(1) / 3 or third.low.overlaps(arb(1) / 3)
    assert third.codes(4) == (5, 6)
    assert Interval.of(-2, 3).square().floats()[0] <= 0
    assert float((Interval.of(-2, 3) * Interval.of(-1, 5)).low) == -10


def test_rounded_intervals_hold_what_they_round_in_few_bits():
    rng = np.random.default_rng(5)
    ends = np.sort(rng.normal(size=(200, 2)) * 2.0 ** rng.integers(-60, 60, (200, 1)), axis=1)
    many = Intervals(ends[:, 0], ends[:, 1]).rounded()
    for index, (low, high) in enumerate(ends):
        found = Interval.of(low, high).rounded()
        assert found.low <= low and high <= found.high
        assert found.rounded() == found == many[index]
        size = max(abs(low), abs(high))
        assert float(found.high - found.low) - (high - low) <= size * 2.0**-34
    for kept in (Interval.of(-1, 1), Interval.of(0, 0), Interval.of(-np.inf, 2)):
        assert kept.rounded() == kept


def test_what_is_bounded_on_tiny_parts_only_is_refused():
    """asinh(sinh(x)) is x, but a ball of it has a bound only where it is narrower than about 1."""
    function = Univariate(sympy.asinh(sympy.sinh(T)), T, "asinh(sinh(t))")
    with pytest.raises(UnsupportedError, match=r"no bound of 'asinh.*declare a narrower range"):
        cells_of(function, Interval.of(0, 2**40))


def test_intervals_of_the_smallest_doubles_stay_as_they_are():
    tiny = Intervals(np.array([-5e-324, 0.0, 2.0**-1060]), np.array([5e-324, 0.0, 2.0**-1050]))
    assert np.array_equal(tiny.rounded().low, tiny.low)
    assert np.array_equal(tiny.rounded().high, tiny.high)


def test_ties_and_thresholds_are_decided_by_fractions():
    """1.3 x at x = 5 is 6.5: no precision tells a ball of it from its neighbors."""
    tie = sympy.Rational(13, 10) * T
    cases = {
        ops.RoundHalfEven(tie): 6,
        ops.RoundHalfEven(-tie): -6,
        sympy.floor(tie - sympy.Rational(1, 2)): 6,
        sympy.ceiling(tie + sympy.Rational(1, 2)): 7,
        ops.Greater(tie, sympy.Rational(13, 2)): 0,
        ops.GreaterEqual(tie, sympy.Rational(13, 2)): 1,
        ops.Equal(tie, sympy.Rational(13, 2)): 1,
        ops.FlooredMod(tie, sympy.Rational(13, 10)): 0,
        sympy.sign(tie - sympy.Rational(13, 2)): 0,
        ops.Select(tie - sympy.Rational(13, 2), T, -T): -5,
        ops.Clamp(tie, tie + 1, sympy.Integer(9)): None,
        ops.Cond(tie - sympy.Rational(13, 2), sympy.exp(T)): 0,
    }
    for expression, expected in cases.items():
        found = univariate(expression).at(arb(5))
        if expected is None:
            assert found.overlaps(arb(7.5)) and float(found.rad()) < 1e-15
        else:
            assert found == expected, expression
    around = univariate(ops.RoundHalfEven(tie)).at(arb(5, 2.0**-40))
    assert around.contains(6) and around.contains(7)
