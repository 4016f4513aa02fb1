"""A formula with jumps at an exact argument → its value, with comparisons and roundings decided by rational arithmetic.

A ball that holds 6.5 and its rounding error is on neither side of the tie of `round`, at any precision. Where what is
compared or rounded is rational in a rational argument (1.3 x at x = 5), it is computed as the fraction that it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import sympy
from flint import arb, fmpq

from sr2hls import operators as ops
from sr2hls.analyze.interval import ball
from sr2hls.analyze.meaning import MEANINGS

Value = Fraction | arb
Ball = Callable[..., arb]

_LARGEST_POWER = 64


def jumps(expression: sympy.Expr) -> bool:
    """Whether the value of some part is not continuous."""
    return any(type(part) in MEANINGS and MEANINGS[type(part)].jumps for part in sympy.preorder_traversal(expression))


def mixed(node: sympy.Basic, step: Ball) -> Callable[..., Value]:
    """The meaning of one head on fractions, as long as the result is one, else on balls by `step`."""
    if isinstance(node, sympy.Rational):
        number = Fraction(int(node.p), int(node.q))
        return lambda: number
    rule = _power(int(node.exp)) if isinstance(node, sympy.Pow) and node.exp.is_Integer else _RULES.get(type(node))

    def run(*args: Value) -> Value:
        numbers = [arg for arg in args if isinstance(arg, Fraction)]
        if rule is not None and len(numbers) == len(args):
            result = rule(*numbers)
            if isinstance(result, Fraction):
                return result
        return step(*[ball(arg) for arg in args])

    return run


def fraction(x: arb) -> Fraction | None:
    """An exact ball of moderate size as a fraction."""
    if not x.is_exact() or not x.is_finite():
        return None
    mantissa, exponent = x.man_exp()
    if abs(int(exponent)) + int(mantissa).bit_length() > 4096:
        return None
    number: fmpq = x.fmpq()
    return Fraction(int(number.p), int(number.q))


def _power(n: int) -> Callable[[Fraction], Fraction | None]:
    return lambda x: None if abs(n) > _LARGEST_POWER or (n < 0 and x == 0) else x**n


def _floored_mod(x: Fraction, y: Fraction) -> Fraction | None:
    return None if y == 0 else x - (x / y).__floor__() * y


def _clamped(x: Fraction, low: Fraction, high: Fraction) -> Fraction:
    return high if x > high else max(x, low)


_RULES: dict[type, Callable[..., Any]] = {
    sympy.Add: lambda *parts: sum(parts, Fraction(0)),
    sympy.Mul: lambda *parts: math.prod(parts, start=Fraction(1)),
    sympy.Abs: abs,
    sympy.Max: max,
    sympy.Min: min,
    sympy.floor: lambda x: Fraction(math.floor(x)),
    sympy.ceiling: lambda x: Fraction(math.ceil(x)),
    sympy.sign: lambda x: Fraction((x > 0) - (x < 0)),
    ops.RoundHalfEven: lambda x: Fraction(round(x)),  # Python rounds ties to even
    ops.FlooredMod: _floored_mod,
    ops.Greater: lambda x, y: Fraction(x > y),
    ops.GreaterEqual: lambda x, y: Fraction(x >= y),
    ops.Less: lambda x, y: Fraction(x < y),
    ops.LessEqual: lambda x, y: Fraction(x <= y),
    ops.Equal: lambda x, y: Fraction(x == y),
    ops.LogicalOr: lambda x, y: Fraction(x > 0 or y > 0),
    ops.LogicalAnd: lambda x, y: Fraction(x > 0 and y > 0),
    ops.Select: lambda c, a, b: a if c > 0 else b,
    ops.Cond: lambda x, y: y if x > 0 else Fraction(0),
    ops.Clamp: _clamped,
}
