"""Sums, products and quotients, under their PySR and Julia names."""

from __future__ import annotations

from sympy import Expr, S

from sr2hls.errors import UnsupportedError
from sr2hls.operators.build import negative, product, total
from sr2hls.operators.powers import power
from sr2hls.operators.registry import VARIADIC, Operator


def divide(x: Expr, y: Expr) -> Expr:
    """x/y. Raises UnsupportedError for a divisor that is 0 everywhere."""
    if y.is_Rational and y.p == 0:
        raise UnsupportedError("division by a constant 0")
    return product(x, power(y, S.NegativeOne))


def _subtract(x: Expr, y: Expr) -> Expr:
    return total(x, negative(y))


OPERATORS = (
    Operator("+", 1, lambda x: x),
    Operator("-", 1, negative),
    Operator("neg", 1, negative),
    Operator("+", VARIADIC, total),
    Operator("plus", VARIADIC, total),
    Operator("add", 2, total),
    Operator("-", 2, _subtract),
    Operator("sub", 2, _subtract),
    Operator("*", VARIADIC, product),
    Operator("mult", VARIADIC, product),
    Operator("/", 2, divide),
    Operator("div", 2, divide),  # PySR's name for /; in Julia source `div` is the truncated quotient
    Operator("inv", 1, lambda x: divide(S.One, x)),
    Operator("fma", 3, lambda x, y, z: total(product(x, y), z)),
    Operator("muladd", 3, lambda x, y, z: total(product(x, y), z)),
)
