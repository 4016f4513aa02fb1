"""Sums, products and quotients, under their PySR and Julia names."""

from __future__ import annotations

from sympy import Add, Expr, Mul, S

from sr2hls.errors import UnsupportedError
from sr2hls.operators.powers import power
from sr2hls.operators.registry import VARIADIC, Operator


def divide(x: Expr, y: Expr) -> Expr:
    """x/y. Raises UnsupportedError for a divisor that is 0 everywhere."""
    if y.is_Rational and y.p == 0:
        raise UnsupportedError("division by a constant 0")
    return x * power(y, S.NegativeOne)


def _subtract(x: Expr, y: Expr) -> Expr:
    return x - y


OPERATORS = (
    Operator("+", 1, lambda x: x),
    Operator("-", 1, lambda x: -x),
    Operator("neg", 1, lambda x: -x),
    Operator("+", VARIADIC, Add),
    Operator("plus", VARIADIC, Add),
    Operator("add", 2, Add),
    Operator("-", 2, _subtract),
    Operator("sub", 2, _subtract),
    Operator("*", VARIADIC, Mul),
    Operator("mult", VARIADIC, Mul),
    Operator("/", 2, divide),
    Operator("div", 2, divide),  # PySR's name for /; in Julia source `div` is the truncated quotient
    Operator("inv", 1, lambda x: divide(S.One, x)),
    Operator("fma", 3, lambda x, y, z: x * y + z),
    Operator("muladd", 3, lambda x, y, z: x * y + z),
)
