"""The vocabulary: exact folding, numeric meaning, and the completeness of the table."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys

import numpy as np
import pytest
import sympy
from random_formulas import BINARY, INFIX, TERNARY, UNARY
from sympy import Rational

from sr2hls import operators
from sr2hls.operators import HEADS, VARIADIC, find, foreign, known, suggest
from sr2hls.operators.heads import WORDS
from sr2hls.operators.numeric import _TABLE, evaluate
from sr2hls.operators.registry import table, template

# Every name of PySR's own table, with its arity.
PYSR = {
    1: """neg square cube cbrt sqrt sqrt_abs abs sign inv exp log log10 log2 log1p log_abs log10_abs log2_abs log1p_abs
    sin cos tan asin acos atan sinh cosh tanh asinh acosh acosh_abs atanh atanh_clip erf erfc gamma relu round floor
    ceil sinc expm1 exp2 sec csc cot sech csch coth""",
    2: """+ - * / ^ div plus sub mult pow pow_abs max min mod > < >= <= greater greater_equal less less_equal cond
    logical_or logical_and""",
    3: "fma muladd clamp max min + *",
}
POINTS = [Rational(n, 4) for n in range(-12, 13)]


@pytest.mark.parametrize("arity", PYSR)
def test_the_whole_pysr_vocabulary(arity: int) -> None:
    for name in PYSR[arity].split():
        operator = find(name, arity)
        assert operator is not None, name
        shape, _ = template(operator, arity)
        assert foreign(shape) is None, shape


def test_every_operator_builds_from_the_closed_set() -> None:
    for (name, arity), operator in table().items():
        for count in (2, 3, 4) if arity == VARIADIC else (arity,):
            shape, places = template(operator, count)
            assert foreign(shape) is None, name
            assert shape.free_symbols <= set(places)
    assert set(_TABLE) == set(HEADS)


@pytest.mark.parametrize(
    ("name", "arity"),
    [(n, k) for k, names in ((1, UNARY), (2, {**INFIX, **BINARY}), (3, TERNARY)) for n in names],
)
def test_numeric_meaning(name: str, arity: int) -> None:
    """Each operator on a grid against Julia's meaning written a second time, at symbols and at exact constants."""
    reference = ({}, UNARY, {**INFIX, **BINARY}, TERNARY)[arity][name]
    operator = find(name, arity)
    assert operator is not None
    shape, places = template(operator, arity)
    axis = POINTS if arity < 3 else POINTS[::3]
    grid = list(itertools.product(axis, repeat=arity))
    columns = [np.array([float(p[i]) for p in grid]) for i in range(arity)]
    with np.errstate(all="ignore"):
        wanted = np.asarray(reference(*columns), dtype=float)
    got = np.broadcast_to(evaluate(shape, {s.name: c for s, c in zip(places, columns, strict=True)}), wanted.shape)
    usable = np.isfinite(wanted) & (np.abs(wanted) < 1e12)
    if name in ("tan", "sec", "csc", "cot", "rem", "mod"):
        usable &= np.abs(wanted) < 1e6
    assert usable.sum() >= 5
    assert np.allclose(got[usable], wanted[usable], rtol=1e-9, atol=1e-12), name
    for point, want, use in list(zip(grid, wanted, usable, strict=True))[:: max(1, len(grid) // 60)]:
        if use:
            exact = operator.build(*point)
            assert not exact.has(sympy.Float)
            assert math.isclose(float(evaluate(exact, {})), want, rel_tol=1e-9, abs_tol=1e-12), (name, point)


def _definition(head: type, *a: Rational) -> Rational:
    name = head.__name__
    if name == "RoundHalfEven":
        return Rational(round(a[0]))
    if name == "FlooredMod":
        return a[0] - a[1] * sympy.floor(a[0] / a[1])
    if name in ("Greater", "GreaterEqual", "Less", "LessEqual", "Equal"):
        truth = {
            "Greater": a[0] > a[1],
            "GreaterEqual": a[0] >= a[1],
            "Less": a[0] < a[1],
            "LessEqual": a[0] <= a[1],
            "Equal": a[0] == a[1],
        }[name]
        return Rational(int(bool(truth)))
    if name == "LogicalOr":
        return Rational(int(bool(a[0] > 0) or bool(a[1] > 0)))
    if name == "LogicalAnd":
        return Rational(int(bool(a[0] > 0) and bool(a[1] > 0)))
    if name == "Cond":
        return a[1] if a[0] > 0 else Rational(0)
    if name == "Select":
        return a[1] if a[0] > 0 else a[2]
    if name == "Clamp":
        return a[2] if a[0] > a[2] else a[1] if a[0] < a[1] else a[0]
    raise AssertionError(name)


@pytest.mark.parametrize("head", [w for w in WORDS if w is not operators.RealCbrt], ids=lambda h: h.__name__)
def test_words_fold_exactly(head: type) -> None:
    arity = next(iter(head.nargs))
    axis = [Rational(n, 2) for n in range(-5, 6)] if arity > 1 else [Rational(n, 6) for n in range(-40, 41)]
    for point in itertools.product(axis, repeat=arity):
        if head is operators.FlooredMod and point[1] == 0:
            assert isinstance(head(*point), head)
            continue
        assert head(*point) == _definition(head, *point), point


def test_words_stay_with_symbols_and_irrationals() -> None:
    x = sympy.Symbol("x", real=True)
    assert operators.RealCbrt(Rational(-27, 8)) == Rational(-3, 2)
    assert isinstance(operators.RealCbrt(2), operators.RealCbrt)
    assert isinstance(operators.Greater(sympy.pi, 3), operators.Greater)
    assert operators.Select(1, x, x**2) == x
    assert operators.Greater(x, 0).is_integer
    assert operators.RoundHalfEven(x).is_real
    assert float(operators.RoundHalfEven(sympy.pi).evalf()) == 3
    assert abs(float(operators.RealCbrt(-2).evalf()) + 2 ** (1 / 3)) < 1e-12
    huge = 10**400 + 1
    assert operators.RoundHalfEven(Rational(huge, 2)) == huge // 2 + (huge // 2) % 2


def test_derivatives_almost_everywhere() -> None:
    x, y = sympy.symbols("x y", real=True)
    cases = [
        (operators.FlooredMod(x, y), {"x": 7.3, "y": 2.0}),
        (operators.RealCbrt(x * y), {"x": -1.7, "y": 2.0}),
        (operators.Cond(x, y**2), {"x": 0.5, "y": 2.0}),
        (operators.Select(x - 1, x**2, y), {"x": 0.5, "y": 2.0}),
        (operators.Clamp(x, y, 3), {"x": 2.5, "y": 2.0}),
        (operators.Clamp(x, y, 3), {"x": 1.5, "y": 2.0}),
        (operators.RoundHalfEven(x) * y, {"x": 1.6, "y": 2.0}),
    ]
    for expression, point in cases:
        for variable in (x, y):
            slope = float(evaluate(expression.diff(variable), point))
            h = 1e-6
            up = float(evaluate(expression, {**point, variable.name: point[variable.name] + h}))
            down = float(evaluate(expression, {**point, variable.name: point[variable.name] - h}))
            assert abs(slope - (up - down) / (2 * h)) < 1e-5, (expression, variable)


def test_foreign_nodes_are_found() -> None:
    x = sympy.Symbol("x", real=True)
    assert foreign(sympy.sin(x) + sympy.pi) is None
    for bad in (x + sympy.I, sympy.nan, sympy.zoo, sympy.oo, sympy.Float(1.5) * x, sympy.zeta(x), sympy.Mod(x, 3)):
        assert foreign(bad) is not None, bad


def test_suggestions_and_names() -> None:
    assert "sqrt" in suggest("sqrrt")
    assert {"sin", "clamp", "atanh_clip", "+"} <= set(known())
    assert operators.arities("atan") == (1, 2)


def test_a_family_is_found_without_a_list() -> None:
    """The package finds its families by looking, also in a fresh interpreter."""
    code = "from sr2hls.operators import known; print(len(known()))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(result.stdout) == len(known()) > 100
