"""Trigonometric functions and their inverses, with Julia's meaning."""

from __future__ import annotations

from sympy import Expr, Integer, Rational, S, acos, asin, atan, atan2, cos, cot, csc, pi, sec, sin, sinc, tan

from sr2hls.operators.arithmetic import divide
from sr2hls.operators.build import product
from sr2hls.operators.registry import Operator


def _inverse(x: Expr) -> Expr:
    return divide(S.One, x)


OPERATORS = (
    Operator("sin", 1, sin),
    Operator("cos", 1, cos),
    Operator("tan", 1, tan),
    Operator("sec", 1, sec),
    Operator("csc", 1, csc),
    Operator("cot", 1, cot),
    Operator("sinpi", 1, lambda x: sin(product(pi, x))),
    Operator("cospi", 1, lambda x: cos(product(pi, x))),
    Operator("tanpi", 1, lambda x: tan(product(pi, x))),
    Operator("sinc", 1, lambda x: sinc(product(pi, x))),  # Julia: sin(pi x)/(pi x), 1 at 0
    Operator("deg2rad", 1, lambda x: product(x, pi, Rational(1, 180))),
    Operator("rad2deg", 1, lambda x: product(x, Integer(180), 1 / pi)),
    Operator("asin", 1, asin),
    Operator("safe_asin", 1, asin),
    Operator("acos", 1, acos),
    Operator("safe_acos", 1, acos),
    Operator("atan", 1, atan),
    Operator("atan", 2, atan2),
    Operator("atan2", 2, atan2),
    Operator("acot", 1, lambda x: atan(_inverse(x))),
    Operator("asec", 1, lambda x: acos(_inverse(x))),
    Operator("acsc", 1, lambda x: asin(_inverse(x))),
)
