"""A sympy expression → a function of its symbols: on arb balls, on Taylor series, or on float64 arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import sympy
from flint import arb, arb_series, ctx, fmpq

import sr2hls.analyze.pysr_operators  # noqa: F401  gives the PySR operators their meaning
from sr2hls.analyze.meaning import MEANINGS, as_series
from sr2hls.analyze.ties import mixed
from sr2hls.errors import UnsupportedError

Function = Callable[..., Any]


def ball_function(expression: sympy.Expr, symbols: Sequence[sympy.Symbol]) -> Function:
    """f(*balls) -> arb ball that holds the value for every choice of points in the balls; NaN where undefined.

    Constants are evaluated at the precision of each call's `flint.ctx`.
    """
    return _program(expression, symbols, "ball")


def exact_function(expression: sympy.Expr, symbols: Sequence[sympy.Symbol]) -> Function:
    """f(*Fractions) -> the value as a Fraction where every step gives one, else a ball. For single points."""
    return _program(expression, symbols, "exact")


def series_function(expression: sympy.Expr, symbols: Sequence[sympy.Symbol]) -> Function:
    """f(*series) -> arb_series, an enclosure of every Taylor coefficient."""
    return _program(expression, symbols, "series")


def array_function(expression: sympy.Expr, symbols: Sequence[sympy.Symbol]) -> Function:
    """f(*arrays) -> float64 array: the ordinary floating-point value, without an error bound."""
    run = _program(expression, symbols, "array")

    def quiet(*arrays: Any) -> Any:
        with np.errstate(all="ignore"):
            return run(*arrays)

    return quiet


def constant_ball(expression: sympy.Expr) -> arb:
    """A constant expression as a ball at the current precision."""
    result = ball_function(expression, ())()
    return result if isinstance(result, arb) else arb(result)


def exact_rational(expression: sympy.Expr) -> Fraction | None:
    """The value of a rational number node, else None."""
    return Fraction(int(expression.p), int(expression.q)) if isinstance(expression, sympy.Rational) else None


def _program(expression: sympy.Expr, symbols: Sequence[sympy.Symbol], kind: str) -> Function:
    places: dict[sympy.Basic, int] = {symbol: i for i, symbol in enumerate(symbols)}
    steps: list[tuple[Function, tuple[int, ...]]] = []
    base = len(symbols)
    last = _compile(expression, kind, places, steps, base)
    varying = set(range(base))
    constant: list[tuple[int, Function, tuple[int, ...]]] = []
    running: list[tuple[int, Function, tuple[int, ...]]] = []
    for index, (step, operands) in enumerate(steps, base):
        if varying.isdisjoint(operands):
            constant.append((index, step, operands))
        else:
            varying.add(index)
            running.append((index, step, operands))
    known: dict[int, list[Any]] = {}  # precision → values of the constant steps

    def start() -> list[Any]:
        values: list[Any] = [None] * (base + len(steps))
        for index, step, operands in constant:
            values[index] = step(*[values[i] for i in operands])
        known[ctx.prec] = values
        return values

    def run(*args: Any) -> Any:
        values = (known.get(ctx.prec) or start()).copy()
        values[:base] = args
        for index, step, operands in running:
            if len(operands) == 1:
                values[index] = step(values[operands[0]])
            else:
                values[index] = step(*[values[i] for i in operands])
        return values[last]

    return run


def _compile(
    node: sympy.Basic,
    kind: str,
    places: dict[sympy.Basic, int],
    steps: list[tuple[Function, tuple[int, ...]]],
    base: int,
) -> int:
    if node in places:
        return places[node]
    if node.is_Symbol:
        raise UnsupportedError(f"'{node}' is not an input of this formula")
    operands = tuple(
        _compile(arg, kind, places, steps, base) for arg in node.args if not isinstance(node, sympy.Rational)
    )
    base_kind = "ball" if kind == "exact" else kind
    if isinstance(node, sympy.Pow):
        exponent = exact_rational(node.exp)
        if exponent is not None:
            operands = operands[:1]
            step = _power(exponent, base_kind)
        else:
            step = _general_power(base_kind)
    else:
        step = _step(node, base_kind)
    steps.append((mixed(node, step) if kind == "exact" else step, operands))
    places[node] = base + len(steps) - 1
    return places[node]


def _step(node: sympy.Basic, kind: str) -> Function:
    if isinstance(node, sympy.Number | sympy.NumberSymbol):
        return _constant(node, kind)
    if isinstance(node, sympy.Add):
        return _sum
    if isinstance(node, sympy.Mul):
        return _product
    meaning = MEANINGS.get(type(node))
    if meaning is None:
        known = ", ".join(sorted(cls.__name__ for cls in MEANINGS))
        raise UnsupportedError(f"'{type(node).__name__}' in '{node}' has no hardware meaning; known functions: {known}")
    if kind == "series":
        ball, series = meaning.ball, meaning.series
        return lambda *args: series(*args) if any(isinstance(a, arb_series) for a in args) else ball(*args)
    function: Function = getattr(meaning, kind)
    return function


def _constant(node: sympy.Basic, kind: str) -> Function:
    value = exact_rational(node)
    if kind == "array":
        number = float(node)
        return lambda: number
    if value is not None:
        rational = fmpq(value.numerator, value.denominator)
        return lambda: arb(rational)
    if node is sympy.pi:
        return arb.pi
    if node is sympy.E:
        return arb.const_e
    raise UnsupportedError(f"the constant '{node}' is not a finite real number")


def _sum(*terms: Any) -> Any:
    result = terms[0]
    for term in terms[1:]:
        result = result + term
    return result


def _product(*factors: Any) -> Any:
    result = factors[0]
    for factor in factors[1:]:
        result = result * factor
    return result


def _power(exponent: Fraction, kind: str) -> Function:
    if kind == "array":
        number = float(exponent) if exponent.denominator > 1 else int(exponent)
        return lambda x: np.power(np.asarray(x, dtype=float), number)
    if exponent.denominator == 1:
        n = int(exponent)
        return lambda x: _integer_power(x, n)
    if exponent == Fraction(1, 2):
        return lambda x: defined(x).sqrt()
    if exponent == Fraction(-1, 2):
        return lambda x: 1 / x.sqrt()
    rational = fmpq(exponent.numerator, exponent.denominator)
    return lambda x: _real_power(x, rational)


def _integer_power(x: Any, n: int) -> Any:
    if isinstance(x, arb):
        if n % 2 == 0 and x.contains(0) and not x.is_exact():  # a ball across 0: the even power is not negative
            top = x.abs_upper() ** abs(n)
            return arb(0).union(top) if n > 0 else arb("nan")
        return x**n
    if n < 0:
        return 1 / _integer_power(x, -n)
    result, square = None, x
    while n:
        if n & 1:
            result = square if result is None else result * square
        n >>= 1
        if n:
            square = square * square
    return result


def defined(x: Any) -> Any:
    """A ball that is meant to start at zero, without the rounding dust of midpoint and radius below it.

    An interval [0, b] becomes a ball that reaches below zero by about 2^-60 b. A part of more than 2^-28 b below zero
    is no dust: it stays, and the root of it is NaN.
    """
    if isinstance(x, arb) and x.lower() < 0 and not x.is_exact() and x.lower() > -x.upper() * arb(2) ** -28:
        return x.nonnegative_part()
    return x


def _real_power(x: Any, exponent: fmpq) -> Any:
    if isinstance(x, arb):
        if x.is_zero() and exponent > 0:
            return arb(0)
        x = defined(x)
        if x.lower() <= 0 and exponent > 0:
            return arb(0).union((x.upper().log() * arb(exponent)).exp())
    return (x.log() * arb(exponent)).exp()


def _general_power(kind: str) -> Function:
    if kind == "array":
        return lambda x, y: np.power(np.asarray(x, dtype=float), y)

    def power(x: Any, y: Any) -> Any:
        if isinstance(y, arb) and y.is_exact() and y.is_integer() and abs(y) < 4096:
            return _integer_power(x, int(y.fmpq().p))
        if isinstance(x, arb) and isinstance(y, arb) and x.is_zero() and y > 0:
            return arb(0)
        x, y = as_series(x, y), as_series(y, x)
        return (x.log() * y).exp()

    return power
