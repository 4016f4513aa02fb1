"""Exponentials and logarithms over the reals."""

from __future__ import annotations

from sympy import Add, Expr, Integer, Mul, S, exp, log

from sr2hls.errors import UnsupportedError
from sr2hls.operators.build import product
from sr2hls.operators.powers import MAX_BITS, absolute
from sr2hls.operators.registry import Operator


def exponential(x: Expr) -> Expr:
    """exp(x). sympy turns exp(c*log(u)) into u^c, so a huge c beside a logarithm is refused."""
    for term in Add.make_args(x):
        factors = Mul.make_args(term)
        if not any(isinstance(f, log) for f in factors):
            continue
        if any(f.is_Rational and (abs(f) > MAX_BITS) for f in factors):
            raise UnsupportedError(f"exp of more than {MAX_BITS} times a logarithm is a power with too many digits")
    return exp(x)


def _log_of(build_argument: Expr, base: int | None = None) -> Expr:
    if build_argument.is_Rational and build_argument <= 0:
        raise UnsupportedError("logarithm of a constant that is not positive")
    natural = log(build_argument)
    return natural if base is None else product(natural, 1 / log(Integer(base)))


def _family(name: str, base: int | None, offset: int) -> tuple[Operator, ...]:
    shift = Integer(offset)
    return (
        Operator(name, 1, lambda x: _log_of(x + shift, base)),
        Operator(f"safe_{name}", 1, lambda x: _log_of(x + shift, base)),
        Operator(f"{name}_abs", 1, lambda x: _log_of(absolute(x) + shift, base)),
    )


OPERATORS = (
    Operator("exp", 1, exponential),
    Operator("expm1", 1, lambda x: exponential(x) - S.One),
    *_family("log", None, 0),
    *_family("log2", 2, 0),
    *_family("log10", 10, 0),
    *_family("log1p", None, 1),
)
