"""Trigonometric functions and their inverses, with Julia's meaning."""

from __future__ import annotations

from sympy import Expr, S, acos, asin, atan, atan2, cos, cot, csc, pi, sec, sin, sinc, tan

from sr2hls.operators.arithmetic import divide
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
    Operator("sinpi", 1, lambda x: sin(pi * x)),
    Operator("cospi", 1, lambda x: cos(pi * x)),
    Operator("tanpi", 1, lambda x: tan(pi * x)),
    Operator("sinc", 1, lambda x: sinc(pi * x)),  # Julia: sin(pi x)/(pi x), 1 at 0
    Operator("deg2rad", 1, lambda x: x * pi / 180),
    Operator("rad2deg", 1, lambda x: x * 180 / pi),
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
