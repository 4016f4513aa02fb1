"""Rounding to integers and the remainders that follow from it, with Julia's meaning."""

from __future__ import annotations

from sympy import Expr, Integer, ceiling, floor, pi, sign

from sr2hls.operators.arithmetic import divide
from sr2hls.operators.build import negative, product, total
from sr2hls.operators.powers import absolute
from sr2hls.operators.registry import Operator
from sr2hls.operators.words import FlooredMod, RoundHalfEven


def truncate(x: Expr) -> Expr:
    """Towards zero: sign(x)*floor(|x|)."""
    return product(sign(x), floor(absolute(x)))


def _truncated_quotient(x: Expr, y: Expr) -> Expr:
    return truncate(divide(x, y))


def _remainder(x: Expr, y: Expr) -> Expr:
    return total(x, negative(product(y, _truncated_quotient(x, y))))


def _modulus(x: Expr, y: Expr) -> Expr:
    divide(x, y)  # refuses a constant 0
    return FlooredMod(x, y)


OPERATORS = (
    Operator("floor", 1, floor),
    Operator("ceil", 1, ceiling),
    Operator("ceiling", 1, ceiling),
    Operator("round", 1, RoundHalfEven),
    Operator("trunc", 1, truncate),
    Operator("mod", 2, _modulus),
    Operator("mod2pi", 1, lambda x: FlooredMod(x, Integer(2) * pi)),
    Operator("rem", 2, _remainder),
    Operator("%", 2, _remainder),
    Operator("fld", 2, lambda x, y: floor(divide(x, y))),
    Operator("cld", 2, lambda x, y: ceiling(divide(x, y))),
    Operator("÷", 2, _truncated_quotient),
)
