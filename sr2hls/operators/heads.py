"""The closed set of sympy classes that a formula may be built from; what is outside it is found, not guessed at."""

from __future__ import annotations

import sympy

from sr2hls.operators import words

SYMPY_HEADS: tuple[type[sympy.Basic], ...] = (
    sympy.Add,
    sympy.Mul,
    sympy.Pow,
    sympy.Abs,
    sympy.sign,
    sympy.Max,
    sympy.Min,
    sympy.floor,
    sympy.ceiling,
    sympy.exp,
    sympy.log,
    sympy.sin,
    sympy.cos,
    sympy.tan,
    sympy.sec,
    sympy.csc,
    sympy.cot,
    sympy.asin,
    sympy.acos,
    sympy.atan,
    sympy.atan2,
    sympy.sinh,
    sympy.cosh,
    sympy.tanh,
    sympy.sech,
    sympy.csch,
    sympy.coth,
    sympy.asinh,
    sympy.acosh,
    sympy.atanh,
    sympy.sinc,  # sin(x)/x with the value 1 at 0; Julia's sinc(x) is sinc(pi*x)
    sympy.erf,
    sympy.erfc,
    sympy.erfinv,
    sympy.gamma,
    sympy.loggamma,
)
WORDS: tuple[type[words.Word], ...] = (
    words.RoundHalfEven,
    words.FlooredMod,
    words.RealCbrt,
    words.Greater,
    words.GreaterEqual,
    words.Less,
    words.LessEqual,
    words.Equal,
    words.LogicalOr,
    words.LogicalAnd,
    words.Cond,
    words.Select,
    words.Clamp,
)
# Every inner node of a formula is an instance of exactly one of these; every leaf is a Symbol, a Rational, pi or E.
HEADS: tuple[type[sympy.Basic], ...] = SYMPY_HEADS + WORDS


def foreign(expression: sympy.Expr) -> sympy.Basic | None:
    """The first node (inner nodes last) that is not of the closed set, such as I, zoo, nan or an unknown function."""
    seen: set[sympy.Basic] = set()
    stack: list[sympy.Basic] = [expression]
    found: sympy.Basic | None = None
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        if node.args:
            if type(node) not in HEADS:
                found = node
        elif not (node.is_Symbol or node.is_Rational or node in (sympy.pi, sympy.E)):
            return node
        stack.extend(node.args)
    return found
