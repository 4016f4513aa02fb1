"""A sympy function class → its meaning on real balls, on Taylor series over balls, and on float64 arrays.

`smooth` classes have a Taylor series wherever they are defined. The others have kinks (Abs, Max, Min) or jumps
(sign, floor, comparisons): their series is NaN beyond the value where the ball reaches a kink or a jump.
A new operator is one more entry in a file of this package that calls `register`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from flint import arb, arb_series

Ball = Callable[..., arb]
Series = Callable[..., arb_series]


@dataclass(frozen=True, slots=True)
class Meaning:
    """How to evaluate one function class.

    ball: on arb balls, an enclosure; series: on arb_series (truncated Taylor series with ball coefficients), an
    enclosure of every coefficient; array: on float64 arrays.
    """

    ball: Ball
    series: Series
    array: Callable[..., Any]
    smooth: bool = True
    jumps: bool = False


MEANINGS: dict[type, Meaning] = {}


def register(cls: type, meaning: Meaning) -> None:
    """Give a sympy function class its meaning."""
    MEANINGS[cls] = meaning


def strict(ball: Ball) -> Ball:
    """The same function, NaN where an argument is not finite: a comparison must not hide a pole."""

    def guarded(*parts: arb) -> arb:
        return ball(*parts) if all(part.is_finite() for part in parts) else arb("nan")

    return guarded


def constant_term(s: arb_series) -> arb:
    """The value of a series at its center."""
    return s[0]


def with_value(s: arb_series, value: arb, slope: arb) -> arb_series:
    """A series of the same length as `s` with this value, first coefficient slope · s'; NaN beyond."""
    nan = arb("nan")
    return arb_series([value, slope * s[1], *([nan] * (s.prec - 2))][: s.prec], prec=s.prec)


def _sinh(s: Any) -> Any:
    e = s.exp()
    return (e - 1 / e) / 2


def _cosh(s: Any) -> Any:
    e = s.exp()
    return (e + 1 / e) / 2


def _tanh(s: Any) -> Any:
    if constant_term(s) < 0:
        return -_tanh(-s)
    e = (s * -2).exp()
    return (1 - e) / (1 + e)


def _asinh(s: Any) -> Any:
    if constant_term(s) < 0:
        return -_asinh(-s)
    return (s + (s * s + 1).sqrt()).log()


def _smooth(cls: type, name: str, array: Callable[..., Any], series: Callable[..., Any] | None = None) -> None:
    ball = getattr(arb, name)
    register(cls, Meaning(ball, series or getattr(arb_series, name), array))


_smooth(sympy.exp, "exp", np.exp)
_smooth(sympy.log, "log", np.log)
_smooth(sympy.sin, "sin", np.sin)
_smooth(sympy.cos, "cos", np.cos)
_smooth(sympy.tan, "tan", np.tan)
_smooth(sympy.cot, "cot", lambda x: 1 / np.tan(x), lambda s: s.cos() / s.sin())
_smooth(sympy.sec, "sec", lambda x: 1 / np.cos(x), lambda s: 1 / s.cos())
_smooth(sympy.csc, "csc", lambda x: 1 / np.sin(x), lambda s: 1 / s.sin())
_smooth(sympy.asin, "asin", np.arcsin)
_smooth(sympy.acos, "acos", np.arccos)
_smooth(sympy.atan, "atan", np.arctan)
_smooth(sympy.sinh, "sinh", np.sinh, _sinh)
_smooth(sympy.cosh, "cosh", np.cosh, _cosh)
_smooth(sympy.tanh, "tanh", np.tanh, _tanh)
_smooth(sympy.coth, "coth", lambda x: 1 / np.tanh(x), lambda s: 1 / _tanh(s))
_smooth(sympy.sech, "sech", lambda x: 1 / np.cosh(x), lambda s: 1 / _cosh(s))
_smooth(sympy.csch, "csch", lambda x: 1 / np.sinh(x), lambda s: 1 / _sinh(s))
_smooth(sympy.asinh, "asinh", np.arcsinh, _asinh)
_smooth(sympy.acosh, "acosh", np.arccosh, lambda s: (s + (s * s - 1).sqrt()).log())
_smooth(sympy.atanh, "atanh", np.arctanh, lambda s: ((1 + s) / (1 - s)).log() / 2)
_smooth(sympy.erf, "erf", np.vectorize(math.erf, otypes=[float]))
_smooth(sympy.erfc, "erfc", np.vectorize(math.erfc, otypes=[float]))
_smooth(sympy.loggamma, "lgamma", np.vectorize(math.lgamma, otypes=[float]))
_smooth(sympy.gamma, "gamma", np.vectorize(math.gamma, otypes=[float]))


def _sinc(x: Any) -> Any:
    return np.sinc(x / np.pi)


def _sinc_series(s: arb_series) -> arb_series:
    return s.sin() / s


register(sympy.sinc, Meaning(lambda x: x.sinc(), _sinc_series, _sinc))


# Kinks.


def _abs_series(s: arb_series) -> arb_series:
    value = constant_term(s)
    if value > 0:
        return s
    if value < 0:
        return -s
    return with_value(s, abs(value), arb(0, 1))


def _max_ball(*values: arb) -> arb:
    result = values[0]
    for value in values[1:]:
        result = result.max(value)
    return result


def _min_ball(*values: arb) -> arb:
    return -_max_ball(*[-value for value in values])


def _max_series(*parts: Any) -> Any:
    result = parts[0]
    for part in parts[1:]:
        a, b = as_series(result, part), as_series(part, result)
        if constant_term(a) >= constant_term(b):
            result = a
        elif constant_term(a) <= constant_term(b):
            result = b
        else:
            value = constant_term(a).max(constant_term(b))
            result = _either(a, b, value)
    return result


def _either(a: arb_series, b: arb_series, value: arb) -> arb_series:
    nan = arb("nan")
    return arb_series([value, a[1].union(b[1]), *([nan] * (a.prec - 2))][: a.prec], prec=a.prec)


def as_series(part: Any, other: Any) -> Any:
    """A ball as a constant series of the length of `other`; a series as it is."""
    if isinstance(part, arb) and isinstance(other, arb_series):
        return arb_series([part], prec=other.prec)
    return part


def _min_series(*parts: Any) -> Any:
    return -_max_series(*[-part for part in parts])


def _nary(pairwise: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def fold(*values: Any) -> Any:
        result = values[0]
        for value in values[1:]:
            result = pairwise(result, value)
        return result

    return fold


register(sympy.Abs, Meaning(abs, _abs_series, np.abs, smooth=False))
register(sympy.Max, Meaning(strict(_max_ball), _max_series, _nary(np.maximum), smooth=False))
register(sympy.Min, Meaning(strict(_min_ball), _min_series, _nary(np.minimum), smooth=False))


# Jumps.


def step_series(ball: Ball) -> Series:
    """The series of a piecewise constant function: constant where the ball of values is one number, else a jump."""

    def series(*parts: Any) -> arb_series:
        length = next(part.prec for part in parts if isinstance(part, arb_series))
        value = ball(*[part[0] if isinstance(part, arb_series) else part for part in parts])
        if value.is_exact():
            return arb_series([value], prec=length)
        return arb_series([value, *([arb("nan")] * (length - 1))], prec=length)

    return series


def register_step(cls: type, ball: Ball, array: Callable[..., Any]) -> None:
    """Give a piecewise constant function class its meaning."""
    guarded = strict(ball)
    register(cls, Meaning(guarded, step_series(guarded), array, smooth=False, jumps=True))


def _sign_ball(x: arb) -> arb:
    return x.sgn()


register_step(sympy.sign, _sign_ball, np.sign)
register_step(sympy.floor, arb.floor, np.floor)
register_step(sympy.ceiling, arb.ceil, np.ceil)
