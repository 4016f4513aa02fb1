"""The heads of formulas → their meaning on values: exact rationals, balls, Taylor series (see `evaluate`).

Written from the meaning of the heads (`sr2hls.operators`), independently of the compiler's evaluation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import sympy
from flint import arb, arb_series, fmpq

from sr2hls.operators import words
from sr2hls.verify.refused import Open
from sr2hls.verify.span import end_of

Value = Any  # fmpq, arb or arb_series
Rule = Callable[..., Value]

NAN = arb("nan")
_DUST = arb(2) ** -28
_WHOLE = arb(2) ** 4096  # beyond this size a ball is not rounded to whole numbers any more


def rule_of(node: sympy.Basic) -> Rule:
    if node is sympy.pi:
        return arb.pi
    if node is sympy.E:
        return arb.const_e
    rule = _RULES.get(type(node).__name__)
    if rule is None:
        raise Open(f"'{type(node).__name__}' has no rule here")
    return rule


def ball(value: fmpq | arb) -> arb:
    return value if isinstance(value, arb) else arb(value)


def _mixed(parts: Sequence[Value]) -> Sequence[Value]:
    """The parts in one type: rationals stay rationals only among themselves."""
    series = next((p for p in parts if isinstance(p, arb_series)), None)
    if series is not None:
        return [p if isinstance(p, arb_series) else arb_series([ball(p)], prec=series.prec) for p in parts]
    if all(isinstance(p, fmpq) for p in parts):
        return parts
    return [ball(p) for p in parts]


def _head(value: Value) -> fmpq | arb:
    """The value itself, without the higher terms of a series."""
    return value[0] if isinstance(value, arb_series) else value


def _sum(*parts: Value) -> Value:
    first, *rest = _mixed(parts)
    for part in rest:
        first = first + part
    return first


def _product(*parts: Value) -> Value:
    first, *rest = _mixed(parts)
    for part in rest:
        first = first * part
    return first


def _smooth(name: str, series: Rule | None = None) -> Rule:
    method = getattr(arb, name)
    of_series = series or getattr(arb_series, name)

    def rule(x: Value) -> Value:
        return of_series(x) if isinstance(x, arb_series) else method(ball(x))

    return rule


# Powers.


def _without_dust(x: arb) -> arb:
    """An interval [0, b] as a ball reaches below zero by the rounding of its radius."""
    if not x.is_exact() and x.lower() < 0 and x.lower() > -x.upper() * _DUST:
        return x.nonnegative_part()
    return x


def _integer_power(x: Value, n: int) -> Value:
    if isinstance(x, fmpq):
        return NAN if n < 0 and x == 0 else x**n
    if isinstance(x, arb):
        if n > 0 and n % 2 == 0 and x.contains(0):
            return arb(0).union(x.abs_upper() ** n)
        return x**n
    if n < 0:
        return 1 / _integer_power(x, -n)
    result = arb_series([1], prec=x.prec)
    for bit in bin(n)[2:]:
        result = result * result
        if bit == "1":
            result = result * x
    return result


def rational_power(exponent: Fraction) -> Rule:
    if exponent.denominator == 1:
        n = int(exponent)
        return lambda x: _integer_power(x, n)
    power = fmpq(exponent.numerator, exponent.denominator)

    def rule(x: Value) -> Value:
        if isinstance(x, arb_series):
            if exponent.denominator == 2:
                return _integer_power(x.sqrt(), exponent.numerator)
            return (x.log() * arb(power)).exp()
        number = ball(x)
        if number.is_zero():
            return arb(0) if exponent > 0 else NAN
        x = _without_dust(number)
        if exponent.denominator == 2:
            return _integer_power(x.sqrt(), exponent.numerator)
        if exponent > 0 and x is not number:
            return arb(0).union((x.upper().log() * arb(power)).exp())
        return (x.log() * arb(power)).exp()

    return rule


def _power(x: Value, y: Value) -> Value:
    exponent = _head(y)
    if not isinstance(y, arb_series):
        if isinstance(y, fmpq) and y.q == 1 and abs(y.p) < 4096:
            return _integer_power(x, int(y.p))
        if not isinstance(x, arb_series) and ball(x).is_zero() and ball(exponent) > 0:
            return arb(0)
    x, y = _mixed([arb(p) if isinstance(p, fmpq) else p for p in (x, y)])
    return (x.log() * y).exp()


# Kinks and jumps.


def _flat(value: fmpq | arb, like: Sequence[Value]) -> Value:
    """A piecewise constant function's value, as a series where the arguments are series."""
    series = next((p for p in like if isinstance(p, arb_series)), None)
    if series is None:
        return value
    number = ball(value)
    higher = arb(0) if number.is_exact() else NAN
    return arb_series([number, *([higher] * (series.prec - 1))], prec=series.prec)


def _kinked(value: arb, slope: arb, like: arb_series) -> arb_series:
    return arb_series([value, slope, *([NAN] * (like.prec - 2))][: like.prec], prec=like.prec)


def _positive(x: fmpq | arb) -> fmpq | arb:
    """1 where x > 0, 0 where x <= 0, else a ball of both."""
    if isinstance(x, arb) and not x.is_finite():
        return NAN
    if x > 0:
        return fmpq(1)
    return fmpq(0) if x <= 0 else arb(0.5, 0.5)


def _step(of: Callable[..., fmpq | arb]) -> Rule:
    return lambda *parts: _flat(of(*map(_head, parts)), parts)


def _difference(x: Value, y: Value) -> Value:
    a, b = _mixed([x, y])
    return a - b


def _equal(x: Value, y: Value) -> Value:
    d = _difference(x, y)
    above, below = _positive(d), _positive(-d)
    return _difference(_difference(fmpq(1), above), below) if d > 0 or d < 0 or d == 0 else arb(0.5, 0.5)


def _absolute(x: Value) -> Value:
    if not isinstance(x, arb_series):
        return abs(x)
    if x[0] > 0:
        return x
    return -x if x[0] < 0 else _kinked(abs(x[0]), arb(0, 1) * x[1], x)


def _larger(a: Value, b: Value) -> Value:
    a, b = _mixed([a, b])
    first, second = _head(a), _head(b)
    if not (ball(first).is_finite() and ball(second).is_finite()):
        return NAN
    if first >= second:
        return a
    if first <= second:
        return b
    value = ball(first).max(ball(second))
    return _kinked(value, a[1].union(b[1]), a) if isinstance(a, arb_series) else value


def _maximum(*parts: Value) -> Value:
    result = parts[0]
    for part in parts[1:]:
        result = _larger(result, part)
    return result


def _minimum(*parts: Value) -> Value:
    return -_maximum(*[-part for part in parts])


def _choose(condition: Value, a: Value, b: Value) -> Value:
    chosen = _positive(_head(condition))
    if isinstance(chosen, fmpq):
        return a if chosen == 1 else b
    if not chosen.is_finite():
        return NAN
    first, second = ball(_head(a)), ball(_head(b))
    like = next((p for p in (condition, a, b) if isinstance(p, arb_series)), None)
    both = first.union(second)
    return both if like is None else arb_series([both, *([NAN] * (like.prec - 1))], prec=like.prec)


def _clamp(x: Value, low: Value, high: Value) -> Value:
    return _choose(_difference(x, high), high, _choose(_difference(low, x), low, x))


def _floor(x: fmpq | arb) -> fmpq | arb:
    if isinstance(x, fmpq):
        return fmpq(x.p // x.q)
    whole = x.floor()
    number = whole.unique_fmpz() if whole.is_finite() else None
    return whole if number is None else fmpq(number)


def _half_even(x: fmpq | arb) -> fmpq | arb:
    if isinstance(x, arb) and not x.is_finite():
        return NAN
    if isinstance(x, fmpq):
        return fmpq(round(Fraction(int(x.p), int(x.q))))  # Python rounds ties to even
    if x.abs_upper() > _WHOLE:
        return x + arb(0, 0.5)
    low, high = round(end_of(x.lower(), -1)), round(end_of(x.upper(), 1))
    return fmpq(low) if low == high else arb(low).union(arb(high))


def _modulo(x: Value, y: Value) -> Value:
    quotient = _product(x, _integer_power(y, -1))
    turns = _floor(_head(quotient))
    if isinstance(turns, fmpq):
        return _difference(x, _product(y, turns))
    value = arb(0).union(ball(_head(y))) if turns.is_finite() else NAN
    return _flat(value, [x, y])


def _cube_root(x: Value) -> Value:
    if isinstance(x, arb_series):
        if x[0] > 0:
            return (x.log() / 3).exp()
        return -((-x).log() / 3).exp() if x[0] < 0 else _kinked(_cube_root(x[0]), NAN, x)
    number = ball(x)
    if not number.is_finite():
        return NAN
    return _cube_root_at(number.lower()).union(_cube_root_at(number.upper()))


def _cube_root_at(x: arb) -> arb:
    return arb(0) if x.is_zero() else (x.root(3) if x > 0 else -(-x).root(3))


# Series that flint has no method for.


def _series_sinh(s: arb_series) -> arb_series:
    return (s.exp() - (-s).exp()) / 2


def _series_cosh(s: arb_series) -> arb_series:
    return (s.exp() + (-s).exp()) / 2


def _series_tanh(s: arb_series) -> arb_series:
    if s[0] < 0:
        return -_series_tanh(-s)
    decay = (s * -2).exp()
    return (1 - decay) / (1 + decay)


def _series_asinh(s: arb_series) -> arb_series:
    return -_series_asinh(-s) if s[0] < 0 else (s + (s * s + 1).sqrt()).log()


def _one() -> fmpq:
    return fmpq(1)


_RULES: dict[str, Rule] = {
    "Add": _sum,
    "Mul": _product,
    "Pow": _power,
    "exp": _smooth("exp"),
    "log": _smooth("log"),
    "sin": _smooth("sin"),
    "cos": _smooth("cos"),
    "tan": _smooth("tan"),
    "cot": _smooth("cot", lambda s: s.cos() / s.sin()),
    "sec": _smooth("sec", lambda s: 1 / s.cos()),
    "csc": _smooth("csc", lambda s: 1 / s.sin()),
    "asin": _smooth("asin"),
    "acos": _smooth("acos"),
    "atan": _smooth("atan"),
    "sinh": _smooth("sinh", _series_sinh),
    "cosh": _smooth("cosh", _series_cosh),
    "tanh": _smooth("tanh", _series_tanh),
    "coth": _smooth("coth", lambda s: 1 / _series_tanh(s)),
    "sech": _smooth("sech", lambda s: 1 / _series_cosh(s)),
    "csch": _smooth("csch", lambda s: 1 / _series_sinh(s)),
    "asinh": _smooth("asinh", _series_asinh),
    "acosh": _smooth("acosh", lambda s: (s + (s * s - 1).sqrt()).log()),
    "atanh": _smooth("atanh", lambda s: ((1 + s) / (1 - s)).log() / 2),
    "sinc": _smooth("sinc", lambda s: s.sin() / s),
    "erf": _smooth("erf"),
    "erfc": _smooth("erfc"),
    "gamma": _smooth("gamma"),
    "loggamma": _smooth("lgamma"),
    "Abs": _absolute,
    "Max": _maximum,
    "Min": _minimum,
    "sign": _step(lambda x: _difference(_positive(x), _positive(-x)) if x > 0 or x <= 0 else x.sgn()),
    "floor": _step(_floor),
    "ceiling": _step(lambda x: -_floor(-x)),
    words.RoundHalfEven.__name__: _step(_half_even),
    words.FlooredMod.__name__: _modulo,
    words.RealCbrt.__name__: _cube_root,
    words.Greater.__name__: _step(lambda x, y: _positive(_difference(x, y))),
    words.Less.__name__: _step(lambda x, y: _positive(_difference(y, x))),
    words.GreaterEqual.__name__: _step(lambda x, y: _difference(fmpq(1), _positive(_difference(y, x)))),
    words.LessEqual.__name__: _step(lambda x, y: _difference(fmpq(1), _positive(_difference(x, y)))),
    words.Equal.__name__: _step(_equal),
    words.LogicalOr.__name__: _step(lambda x, y: _maximum(_positive(x), _positive(y))),
    words.LogicalAnd.__name__: _step(lambda x, y: _minimum(_positive(x), _positive(y))),
    words.Cond.__name__: lambda x, y: _choose(x, y, fmpq(0)),
    words.Select.__name__: _choose,
    words.Clamp.__name__: _clamp,
}
