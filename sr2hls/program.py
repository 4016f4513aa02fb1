"""`Program`: a formula as a straight line of sympy assignments, each of a kind that has hardware.

Still mathematics, over the reals, without formats. Every assignment is over earlier symbols and has one of these forms
(s, s1, s2, c are symbols; k are constant expressions):

| kind     | form                                           |
|----------|------------------------------------------------|
| linear   | k0 + k1·s1 + k2·s2 + ... (also a constant)      |
| turns    | Turns(linear): the fractional part, in [0, 1)  |
| product  | s1·s2, s²                                      |
| maximum  | Max(s1, s2)                                    |
| minimum  | Min(s1, s2)                                    |
| absolute | Abs(s)                                         |
| floor    | floor(s)                                       |
| less     | Less(s1, s2): 1 or 0                           |
| select   | Select(c, s1, s2), c from a `less`             |
| function | any other expression of one symbol             |
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import sympy

from sr2hls.operators import Less, Select


class Turns(sympy.Function):  # type: ignore[misc]
    """x - floor(x): an angle counted in turns. What follows has period 1, so a wrap of the word is exact."""

    nargs = 1


class Kind(StrEnum):
    """The forms of the module's table."""

    LINEAR = "linear"
    TURNS = "turns"
    PRODUCT = "product"
    MAXIMUM = "maximum"
    MINIMUM = "minimum"
    ABSOLUTE = "absolute"
    FLOOR = "floor"
    LESS = "less"
    SELECT = "select"
    FUNCTION = "function"


@dataclass(frozen=True, slots=True)
class Assignment:
    """`symbol` := `expression`; `origin` is the same in terms of the inputs, as text for people."""

    symbol: sympy.Symbol
    expression: sympy.Expr
    kind: Kind
    origin: str


@dataclass(frozen=True, slots=True)
class Program:
    """Inputs, assignments in order, and for each output its name and the symbol that holds it."""

    inputs: tuple[sympy.Symbol, ...]
    assignments: tuple[Assignment, ...]
    outputs: tuple[tuple[str, sympy.Symbol], ...]


def kind_of(expression: sympy.Expr) -> Kind:
    """The kind of an assignment's right-hand side."""
    if isinstance(expression, Turns):
        return Kind.TURNS
    if all(arg.is_Symbol for arg in expression.args) and expression.args:
        match expression:
            case sympy.Mul() if len(expression.args) == 2:
                return Kind.PRODUCT
            case sympy.Max():
                return Kind.MAXIMUM
            case sympy.Min():
                return Kind.MINIMUM
            case sympy.Abs():
                return Kind.ABSOLUTE
            case sympy.floor():
                return Kind.FLOOR
            case Less():
                return Kind.LESS
            case Select():
                return Kind.SELECT
            case _:
                pass
    if isinstance(expression, sympy.Pow) and expression.base.is_Symbol and expression.exp == 2:
        return Kind.PRODUCT
    return Kind.LINEAR if linear_terms(expression) is not None else Kind.FUNCTION


def linear_terms(expression: sympy.Expr) -> tuple[dict[sympy.Symbol, sympy.Expr], sympy.Expr] | None:
    """({symbol: coefficient}, constant) when the expression is affine in its symbols, else None."""
    if expression.is_Symbol:
        return {expression: sympy.Integer(1)}, sympy.Integer(0)
    if not expression.free_symbols:
        return {}, expression
    if isinstance(expression, sympy.Add):
        return _linear_sum(expression)
    if isinstance(expression, sympy.Mul):
        varying = [factor for factor in expression.args if factor.free_symbols]
        if len(varying) != 1:
            return None
        inner = linear_terms(varying[0])
        if inner is None:
            return None
        scale = sympy.Mul(*[factor for factor in expression.args if not factor.free_symbols])
        return {s: scale * k for s, k in inner[0].items()}, scale * inner[1]
    return None


def _linear_sum(expression: sympy.Add) -> tuple[dict[sympy.Symbol, sympy.Expr], sympy.Expr] | None:
    terms: dict[sympy.Symbol, sympy.Expr] = {}
    constant: sympy.Expr = sympy.Integer(0)
    for part in expression.args:
        inner = linear_terms(part)
        if inner is None:
            return None
        for symbol, coefficient in inner[0].items():
            terms[symbol] = terms.get(symbol, sympy.Integer(0)) + coefficient
        constant += inner[1]
    return {s: k for s, k in terms.items() if k != 0}, constant
