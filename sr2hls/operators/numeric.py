"""A formula over the closed set of heads to float64 values: a plain reference, with no claim about its last digits."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray

from sr2hls.errors import UnsupportedError
from sr2hls.operators import words

Values = NDArray[np.float64]


def _each(function: Callable[[float], float]) -> Callable[[Values], Values]:
    def safe(x: float) -> float:
        try:
            return function(x)
        except OverflowError:
            return math.inf
        except ValueError:
            return math.nan

    return np.vectorize(safe, otypes=[np.float64])


def _erfinv(x: float) -> float:
    return float(sympy.erfinv(sympy.Float(x, 17)).evalf(17)) if -1 < x < 1 else math.nan


def _clamp(x: Values, lo: Values, hi: Values) -> Values:
    return np.where(x > hi, hi, np.where(x < lo, lo, x))


def _indicator(function: Callable[..., Any]) -> Callable[..., Values]:
    return lambda *a: np.asarray(function(*a), dtype=np.float64)


_TABLE: dict[type[sympy.Basic], Callable[..., Any]] = {
    sympy.Add: lambda *a: reduce(np.add, a),
    sympy.Mul: lambda *a: reduce(np.multiply, a),
    sympy.Pow: np.power,
    sympy.Abs: np.abs,
    sympy.sign: np.sign,
    sympy.Max: lambda *a: reduce(np.maximum, a),
    sympy.Min: lambda *a: reduce(np.minimum, a),
    sympy.floor: np.floor,
    sympy.ceiling: np.ceil,
    sympy.exp: np.exp,
    sympy.log: np.log,
    sympy.sin: np.sin,
    sympy.cos: np.cos,
    sympy.tan: np.tan,
    sympy.sec: lambda x: 1 / np.cos(x),
    sympy.csc: lambda x: 1 / np.sin(x),
    sympy.cot: lambda x: 1 / np.tan(x),
    sympy.asin: np.arcsin,
    sympy.acos: np.arccos,
    sympy.atan: np.arctan,
    sympy.atan2: np.arctan2,
    sympy.sinh: np.sinh,
    sympy.cosh: np.cosh,
    sympy.tanh: np.tanh,
    sympy.sech: lambda x: 1 / np.cosh(x),
    sympy.csch: lambda x: 1 / np.sinh(x),
    sympy.coth: lambda x: 1 / np.tanh(x),
    sympy.asinh: np.arcsinh,
    sympy.acosh: np.arccosh,
    sympy.atanh: np.arctanh,
    sympy.sinc: lambda x: np.sinc(x / np.pi),
    sympy.erf: _each(math.erf),
    sympy.erfc: _each(math.erfc),
    sympy.erfinv: _each(_erfinv),
    sympy.gamma: _each(math.gamma),
    sympy.loggamma: _each(math.lgamma),
    words.RoundHalfEven: np.rint,
    words.FlooredMod: lambda x, y: x - y * np.floor(x / y),
    words.RealCbrt: np.cbrt,
    words.Greater: _indicator(lambda x, y: x > y),
    words.GreaterEqual: _indicator(lambda x, y: x >= y),
    words.Less: _indicator(lambda x, y: x < y),
    words.LessEqual: _indicator(lambda x, y: x <= y),
    words.Equal: _indicator(lambda x, y: x == y),
    words.LogicalOr: _indicator(lambda x, y: (x > 0) | (y > 0)),
    words.LogicalAnd: _indicator(lambda x, y: (x > 0) & (y > 0)),
    words.Cond: lambda x, y: np.where(x > 0, y, 0.0),
    words.Select: lambda c, a, b: np.where(c > 0, a, b),
    words.Clamp: _clamp,
}


def _leaf(node: sympy.Basic, values: Mapping[str, Any]) -> Any:
    if node.is_Symbol:
        return np.asarray(values[node.name], dtype=np.float64)
    if node.is_Rational:
        try:
            return np.float64(int(node.p) / int(node.q))
        except OverflowError:
            return np.float64(math.copysign(math.inf, node.p))
    if node in (sympy.pi, sympy.E):
        return np.float64(float(node))
    raise UnsupportedError(f"{node} is not a real number")


def evaluate(expression: sympy.Expr, values: Mapping[str, Any]) -> Values:
    """The float64 value of a formula, elementwise and broadcast over `values[input name]`; nan outside its domain.

    Raises UnsupportedError for a node outside the closed set of heads, KeyError for a missing input.
    """
    done: dict[sympy.Basic, Any] = {}
    stack: list[tuple[sympy.Basic, bool]] = [(expression, False)]
    with np.errstate(all="ignore"):
        while stack:
            node, ready = stack.pop()
            if node in done:
                continue
            if not node.args:
                done[node] = _leaf(node, values)
            elif not ready:
                stack.append((node, True))
                stack.extend((a, False) for a in node.args)
            elif (function := _TABLE.get(type(node))) is None:
                raise UnsupportedError(f"{node} has no numeric meaning here")
            else:
                done[node] = function(*(done[a] for a in node.args))
    return np.asarray(done[expression], dtype=np.float64)
