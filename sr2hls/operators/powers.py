"""Powers and roots over the reals; constants that would become numbers of absurd size are refused."""

from __future__ import annotations

from sympy import Abs, Add, Expr, Integer, Mul, Pow, Rational, S, sqrt

from sr2hls.errors import UnsupportedError
from sr2hls.operators.registry import Operator
from sr2hls.operators.words import RealCbrt

MAX_BITS = 1 << 14  # of an exact constant, numerator and denominator together
MAX_EXPONENT = 1 << 12


def bits(number: Rational) -> int:
    """Bits of the numerator and the denominator together."""
    return int(number.p).bit_length() + int(number.q).bit_length()


def _coefficient_bits(base: Expr) -> int:
    """Bits of the largest number that sympy would raise to the exponent if it expands a power of `base`."""
    parts: list[Expr] = []
    for factor in Mul.make_args(base):
        parts += Add.make_args(factor)
    return max((bits(p) for part in parts for p in Mul.make_args(part) if p.is_Rational), default=2)


def power(base: Expr, exponent: Expr) -> Expr:
    """base^exponent over the reals. Raises UnsupportedError for 0^negative and for constants with too many digits."""
    if exponent.is_Rational:
        if abs(exponent) > MAX_EXPONENT:
            raise UnsupportedError(f"the exponent {float(exponent):.6g} is larger than {MAX_EXPONENT}")
        if _coefficient_bits(base) * abs(exponent) > MAX_BITS:
            raise UnsupportedError(f"a constant raised to {float(exponent):.6g} has more than {MAX_BITS} bits")
        if base.is_Rational and base.p == 0 and exponent < 0:
            raise UnsupportedError("division by a constant 0")
        # sympy would factor the base to take roots out of it, at length and to no use here
        if base.is_Rational and exponent.q > 1 and (exponent.q > 4 or bits(base) > 256):
            return Pow(base, exponent, evaluate=False)
    return Pow(base, exponent)


def absolute(x: Expr) -> Expr:
    """|x|; kept as it stands where sympy would work on a value that it cannot prove real."""
    return Abs(x) if x.is_extended_real else Abs(x, evaluate=False)


def root(x: Expr) -> Expr:
    """The square root; a perfect square of rationals is folded."""
    return power(x, S.Half)


def _integer(n: int) -> Integer:
    return Integer(n)


OPERATORS = (
    Operator("^", 2, power),
    Operator("pow", 2, power),
    Operator("safe_pow", 2, power),
    Operator("pow_abs", 2, lambda x, y: power(absolute(x), y)),  # before PySR 1.0; later files print ^
    Operator("square", 1, lambda x: power(x, _integer(2))),
    Operator("abs2", 1, lambda x: power(x, _integer(2))),
    Operator("cube", 1, lambda x: power(x, _integer(3))),
    Operator("sqrt", 1, root),
    Operator("safe_sqrt", 1, root),
    Operator("sqrt_abs", 1, lambda x: root(absolute(x))),
    Operator("cbrt", 1, RealCbrt),
    Operator("exp2", 1, lambda x: power(_integer(2), x)),
    Operator("exp10", 1, lambda x: power(_integer(10), x)),
    Operator("hypot", 2, lambda x, y: sqrt(power(x, _integer(2)) + power(y, _integer(2)))),
)
