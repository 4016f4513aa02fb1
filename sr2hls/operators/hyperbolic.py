"""Hyperbolic functions and their inverses, with Julia's meaning."""

from __future__ import annotations

from sympy import Expr, Integer, S, acosh, asinh, atanh, cosh, coth, csch, sech, sinh, tanh

from sr2hls.operators.arithmetic import divide
from sr2hls.operators.powers import absolute
from sr2hls.operators.registry import Operator
from sr2hls.operators.words import FlooredMod


def _clipped(x: Expr) -> Expr:
    return atanh(FlooredMod(x + S.One, Integer(2)) - S.One)


def _inverse(x: Expr) -> Expr:
    return divide(S.One, x)


OPERATORS = (
    Operator("sinh", 1, sinh),
    Operator("cosh", 1, cosh),
    Operator("tanh", 1, tanh),
    Operator("sech", 1, sech),
    Operator("csch", 1, csch),
    Operator("coth", 1, coth),
    Operator("asinh", 1, asinh),
    Operator("acosh", 1, acosh),
    Operator("safe_acosh", 1, acosh),
    Operator("acosh_abs", 1, lambda x: acosh(absolute(x) + S.One)),
    Operator("atanh", 1, atanh),  # PySR 1.0 clips as atanh_clip does; inside (-1, 1) the two agree
    Operator("safe_atanh", 1, atanh),
    Operator("atanh_clip", 1, _clipped),
    Operator("acoth", 1, lambda x: atanh(_inverse(x))),
    Operator("asech", 1, lambda x: acosh(_inverse(x))),
    Operator("acsch", 1, lambda x: asinh(_inverse(x))),
)
