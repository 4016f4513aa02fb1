"""Error functions and the gamma family."""

from __future__ import annotations

from sympy import Expr, S, erf, erfc, erfinv, gamma, loggamma

from sr2hls.errors import UnsupportedError
from sr2hls.operators.registry import Operator


def _gamma(x: Expr) -> Expr:
    if x.is_Rational and abs(x) > 200:
        raise UnsupportedError("gamma of a constant beyond 200 in magnitude")
    if x.is_Integer and x <= 0:
        raise UnsupportedError("gamma of 0 or of a negative integer")
    return gamma(x)


def _loggamma(x: Expr) -> Expr:
    # log|gamma| in Julia; sympy's loggamma is the same on x > 0, and a factorial at integers
    if x.is_Rational:
        if x <= 0:
            raise UnsupportedError("loggamma of a constant that is not positive")
        if x > 200:
            raise UnsupportedError("loggamma of a constant beyond 200")
    return loggamma(x)


OPERATORS = (
    Operator("erf", 1, erf),
    Operator("erfc", 1, erfc),
    Operator("erfinv", 1, erfinv),
    Operator("gamma", 1, _gamma),
    Operator("safe_gamma", 1, _gamma),
    Operator("factorial", 1, lambda x: _gamma(x + S.One)),
    Operator("loggamma", 1, _loggamma),
    Operator("lgamma", 1, _loggamma),
)
