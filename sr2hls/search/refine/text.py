"""An expression → text as PySR prints its rows, which `sr2hls.load` reads back as the very same expression.

A constant that is not exact in float32 is written with more than nine digits, so that a reader of the file alone
(`load.hall_of_fame.guess_precision`) takes the constants for the float64 numbers that they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import sympy

from sr2hls.errors import UnsupportedError
from sr2hls.operators import words

_CALLS: dict[type[sympy.Basic], str] = {
    sympy.Abs: "abs",
    sympy.sign: "sign",
    sympy.Max: "max",
    sympy.Min: "min",
    sympy.floor: "floor",
    sympy.ceiling: "ceil",
    sympy.atan2: "atan",
    words.RoundHalfEven: "round",
    words.FlooredMod: "mod",
    words.RealCbrt: "cbrt",
    words.Greater: "greater",
    words.GreaterEqual: "greater_equal",
    words.Less: "less",
    words.LessEqual: "less_equal",
    words.Equal: "equal",
    words.LogicalOr: "logical_or",
    words.LogicalAnd: "logical_and",
    words.Cond: "cond",
    words.Select: "ifelse",
    words.Clamp: "clamp",
}
_SAME = {
    *("exp", "log", "sin", "cos", "tan", "sec", "csc", "cot", "asin", "acos", "atan"),
    *("sinh", "cosh", "tanh", "sech", "csch", "coth", "asinh", "acosh", "atanh"),
    *("erf", "erfc", "erfinv", "gamma", "loggamma"),
}
_SHORT = 9  # digits: a literal with more is no shortest text of a float32
_SUM, _PRODUCT, _POWER, _ATOM = range(4)  # how tightly a text binds


def equation_text(expression: sympy.Expr, names: Sequence[str] = ()) -> str:
    """The text of an expression over the closed set of heads.

    names: the inputs; where one of them is called pi, the number is written as acos(-1). Raises UnsupportedError for
    what the text form has no word for.
    """
    return _text(expression, "pi" in names)[0]


def _text(node: sympy.Expr, shadowed: bool) -> tuple[str, int]:
    if node.is_Symbol:
        return str(node.name), _ATOM
    if node.is_Rational:
        return _number(Fraction(int(node.p), int(node.q)))
    if node is sympy.pi:
        return ("acos(-1.0)" if shadowed else "pi"), _ATOM
    if node is sympy.E:
        return "exp(1.0)", _ATOM
    if node.is_Add:
        return _sum(node, shadowed)
    if node.is_Mul:
        return _product(node, shadowed)
    if node.is_Pow:
        return _power(node.base, node.exp, shadowed)
    if isinstance(node, sympy.sinc):  # Julia's sinc has a factor pi inside
        return f"sinc({_bracketed(node.args[0] / sympy.pi, _SUM, shadowed)})", _ATOM
    name = _CALLS.get(type(node)) or (type(node).__name__ if type(node).__name__ in _SAME else None)
    if name is None:
        raise UnsupportedError(f"{type(node).__name__} has no name in equation text")
    return f"{name}({', '.join(_text(a, shadowed)[0] for a in node.args)})", _ATOM


def _bracketed(node: sympy.Expr, least: int, shadowed: bool) -> str:
    text, binds = _text(node, shadowed)
    return text if binds >= least else f"({text})"


def _sum(node: sympy.Expr, shadowed: bool) -> tuple[str, int]:
    found = ""
    for term in _ordered(node.args):
        coefficient, rest = term.as_coeff_Mul(rational=True)
        negative = coefficient < 0 and found != ""
        if not negative:
            part = _bracketed(term, _PRODUCT, shadowed)
        elif rest is sympy.S.One:
            part = _number(Fraction(int(-coefficient.p), int(coefficient.q)))[0]
        else:
            part = _scaled(-coefficient, rest, shadowed)
        found += (" - " if negative else " + ") + part if found else part
    return found, _SUM


def _ordered(terms: Sequence[sympy.Expr]) -> list[sympy.Expr]:
    """Numbers last, and no minus sign in front where that can be had."""
    return sorted(terms, key=lambda t: (bool(t.is_Rational), bool(t.as_coeff_Mul(rational=True)[0] < 0)))


def _product(node: sympy.Expr, shadowed: bool) -> tuple[str, int]:
    coefficient, rest = node.as_coeff_Mul(rational=True)
    if coefficient is sympy.S.NegativeOne:
        return f"-1.0 * {_scaled(sympy.S.One, rest, shadowed)}", _PRODUCT
    return _scaled(coefficient, rest, shadowed), _PRODUCT


def _scaled(coefficient: sympy.Rational, rest: sympy.Expr, shadowed: bool) -> str:
    """A coefficient times factors and divided by others."""
    above = [] if coefficient is sympy.S.One else [_within(coefficient)]
    below = []
    for factor in sympy.Mul.make_args(rest):
        if factor.is_Pow and factor.exp.is_Rational and factor.exp < 0 and not factor.base.is_Rational:
            text, binds = _power(factor.base, -factor.exp, shadowed)
            below.append(text if binds > _PRODUCT else f"({text})")
        else:
            above.append(_bracketed(factor, _POWER, shadowed))
    return " / ".join([" * ".join(above) or "1.0", *below])


def _within(coefficient: sympy.Rational) -> str:
    text, binds = _number(Fraction(int(coefficient.p), int(coefficient.q)))
    return text if binds == _ATOM else f"({text})"


def _power(base: sympy.Expr, exponent: sympy.Expr, shadowed: bool) -> tuple[str, int]:
    if exponent is sympy.S.One:
        return _text(base, shadowed)
    if exponent.is_Rational and exponent < 0 and not base.is_Rational:
        text, binds = _power(base, -exponent, shadowed)
        return f"1.0 / {text if binds > _PRODUCT else f'({text})'}", _PRODUCT
    inner = _text(base, shadowed)[0]
    if exponent is sympy.S.Half:
        return f"sqrt({inner})", _ATOM
    if exponent == 2:
        return f"square({inner})", _ATOM
    return f"{_bracketed(base, _ATOM, shadowed)} ^ {_bracketed(exponent, _ATOM, shadowed)}", _POWER


def _number(value: Fraction) -> tuple[str, int]:
    """A rational: a float's text, or a quotient or sum of such where it is none."""
    try:
        near = float(value)
    except OverflowError:
        near = np.inf
    if not np.isfinite(near):
        raise UnsupportedError("a constant is out of the range of float64")
    if Fraction(near) == value:
        return _literal(near)
    if value.denominator == 1:
        rest, _ = _number(value - Fraction(near))
        return f"{_literal(near)[0]} + {rest}", _SUM
    parts = [_number(Fraction(part)) for part in (value.numerator, value.denominator)]
    above, below = (text if binds == _ATOM else f"({text})" for text, binds in parts)
    return f"{above} / {below}", _PRODUCT


def _literal(value: float) -> tuple[str, int]:
    """A float: the shortest text, or one with more digits than any float32 needs where it is none."""
    text = repr(value)
    with np.errstate(over="ignore", under="ignore"):
        narrow = float(np.float32(value))
    if narrow == value or len(text.partition("e")[0].strip("-").replace(".", "").strip("0")) > _SHORT:
        return _with_point(text), _ATOM
    long = f"{value:.16e}"
    mantissa, _, exponent = long.partition("e")
    if len(mantissa.strip("-").replace(".", "").strip("0")) > _SHORT:
        return f"{mantissa}e{int(exponent):d}", _ATOM
    # a whole number of few digits that float32 does not have: a sum of two that it has
    whole = Fraction(value)
    return f"{_with_point(repr(narrow))} + {_number(whole - Fraction(narrow))[0]}", _SUM


def _with_point(text: str) -> str:
    return text if "." in text or "e" not in text else text.replace("e", ".0e")
