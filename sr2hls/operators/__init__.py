"""Operator names, as PySR and Julia print them, to exact sympy expressions over real numbers.

A formula of the house is built from a closed set of sympy classes, `heads.HEADS`; nothing else reaches the
later stages (`heads.foreign` finds what does not belong). Where sympy has a word it is used; its own meaning over
the reals is the meaning here. The classes of our own, all in `words.py`, with their exact meaning:

    RoundHalfEven(x)      the nearest integer, ties to the even one (Julia `round`)
    FlooredMod(x, y)      x - y*floor(x/y), the sign of y (Julia `mod`)
    RealCbrt(x)           the real cube root, odd in x
    Greater(x, y)         1 where x >  y, else 0
    GreaterEqual(x, y)    1 where x >= y, else 0
    Less(x, y)            1 where x <  y, else 0
    LessEqual(x, y)       1 where x <= y, else 0
    Equal(x, y)           1 where x == y, else 0
    LogicalOr(x, y)       1 where x > 0 or  y > 0, else 0
    LogicalAnd(x, y)      1 where x > 0 and y > 0, else 0
    Cond(x, y)            y where x > 0, else 0
    Select(c, a, b)       a where c > 0, else b
    Clamp(x, lo, hi)      hi where x > hi, else lo where x < lo, else x (Julia's order: hi wins when lo > hi)

Build and rebuild expressions with `product`, `negative`, `total` and `rebuild`, which keep 2*(x + 1) unexpanded.

A family of operators is one file here with a tuple `OPERATORS`; adding a file adds its operators.
"""

from sr2hls.operators.build import negative, product, rebuild, total
from sr2hls.operators.heads import HEADS, foreign
from sr2hls.operators.registry import VARIADIC, Operator, arities, find, known, suggest
from sr2hls.operators.words import (
    Clamp,
    Cond,
    Equal,
    FlooredMod,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    LogicalAnd,
    LogicalOr,
    RealCbrt,
    RoundHalfEven,
    Select,
)

__all__ = [
    "HEADS",
    "VARIADIC",
    "Clamp",
    "Cond",
    "Equal",
    "FlooredMod",
    "Greater",
    "GreaterEqual",
    "Less",
    "LessEqual",
    "LogicalAnd",
    "LogicalOr",
    "Operator",
    "RealCbrt",
    "RoundHalfEven",
    "Select",
    "arities",
    "find",
    "foreign",
    "known",
    "negative",
    "product",
    "rebuild",
    "suggest",
    "total",
]
