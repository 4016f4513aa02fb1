"""Every function class: balls hold the values, series hold the slopes, and jumps and poles are never hidden."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy
from flint import arb, arb_series

from sr2hls import operators as ops
from sr2hls.analyze.evaluate import array_function, ball_function, series_function
from sr2hls.analyze.meaning import MEANINGS
from sr2hls.errors import UnsupportedError

X, Y, Z = sympy.symbols("x y z", real=True)
DOMAINS = {
    sympy.log: (0.1, 5),
    sympy.asin: (-0.95, 0.95),
    sympy.acos: (-0.95, 0.95),
    sympy.acosh: (1.1, 6),
    sympy.atanh: (-0.9, 0.9),
    sympy.cot: (0.2, 2.9),
    sympy.csc: (0.2, 2.9),
    sympy.coth: (0.2, 4),
    sympy.csch: (0.2, 4),
    sympy.tan: (-1.4, 1.4),
    sympy.sec: (-1.4, 1.4),
    sympy.gamma: (0.3, 5),
    sympy.loggamma: (0.3, 5),
    sympy.sinc: (0.2, 6),
}
TERNARY = (ops.Select, ops.Clamp)
BINARY = (
    *(sympy.Max, sympy.Min, ops.Greater, ops.GreaterEqual, ops.Less, ops.LessEqual, ops.Equal),
    *(ops.LogicalOr, ops.LogicalAnd, ops.Cond, ops.FlooredMod),
)
UNARY = [cls for cls in MEANINGS if cls not in BINARY + TERNARY]


def expression(cls):
    if cls in TERNARY:
        return cls(X, Y, Z), (X, Y, Z)
    if cls in BINARY:
        return cls(X, Y), (X, Y)
    return cls(X), (X,)


@pytest.mark.parametrize("cls", list(MEANINGS), ids=lambda cls: cls.__name__)
def test_balls_hold_every_value_of_their_box(cls):
    formula, symbols = expression(cls)
    rng = np.random.default_rng(1)
    low, high = DOMAINS.get(cls, (-3.0, 3.0))
    ball, array = ball_function(formula, symbols), array_function(formula, symbols)
    for _ in range(60):
        ends = np.sort(rng.uniform(low, high, (2, len(symbols))), axis=0)
        if rng.random() < 0.3:
            ends[1] = ends[0]
        enclosure = ball(*[arb(float(a)).union(arb(float(b))) for a, b in ends.T])
        points = rng.uniform(ends[0], ends[1], (20, len(symbols)))
        for value in np.atleast_1d(array(*points.T)):
            if math.isfinite(value):
                slack = 1e-9 * max(1.0, abs(value))
                assert not enclosure.is_finite() or enclosure.overlaps(arb(float(value), slack))


@pytest.mark.parametrize("cls", [c for c in UNARY if not MEANINGS[c].jumps], ids=lambda cls: cls.__name__)
def test_series_hold_the_slope(cls):
    formula, symbols = expression(cls)
    low, high = DOMAINS.get(cls, (-3.0, 3.0))
    series, array = series_function(formula, symbols), array_function(formula, symbols)
    for x in np.random.default_rng(2).uniform(low, high, 20):
        step = 1e-5
        slope = (array(x + step) - array(x - step)) / (2 * step)
        found = series(arb_series([arb(float(x)), 1], prec=2))[1]
        assert abs(float(found.mid()) - slope) <= 1e-5 * max(1.0, abs(slope))
        box = series(arb_series([arb(float(x), 1e-3), 1], prec=2))[1]
        assert not box.is_finite() or box.overlaps(found)


@pytest.mark.parametrize("text", ["less", "max", "select", "mod", "cond"])
def test_a_pole_inside_a_comparison_stays_a_pole(text):
    pole = 1 / X
    formula = {
        "less": ops.Less(pole, 1),
        "max": sympy.Max(pole, 1, evaluate=False),
        "select": ops.Select(pole, 1, 2),
        "mod": ops.FlooredMod(pole, 1),
        "cond": ops.Cond(pole, 1),
    }[text]
    assert not ball_function(formula, (X,))(arb(0)).is_finite()


def test_a_jump_has_no_slope_where_it_jumps():
    series = series_function(ops.Greater(X, 1), (X,))
    assert series(arb_series([arb(2), 1], prec=2))[1] == 0
    assert not series(arb_series([arb(1, 0.5), 1], prec=2))[1].is_finite()


def test_round_half_even_at_ties():
    ball = ball_function(ops.RoundHalfEven(X), (X,))
    assert [int(float(ball(arb(v)))) for v in (0.5, 1.5, 2.5, -0.5, -1.5, 2.25)] == [0, 2, 2, 0, -2, 2]


def test_an_unknown_function_is_named():
    with pytest.raises(UnsupportedError, match="zeta"):
        ball_function(sympy.zeta(X), (X,))
