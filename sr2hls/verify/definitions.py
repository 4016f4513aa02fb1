"""The definition of a certificate's step → its expression and kind, and what is linear in it."""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction

import sympy

from sr2hls.design import NodeCertificate
from sr2hls.model import symbol
from sr2hls.operators import Less, Select
from sr2hls.verify.algebra import decoded
from sr2hls.verify.evaluate import constant
from sr2hls.verify.refused import Wrong
from sr2hls.verify.span import Span, of_value, point


def read_definition(line: NodeCertificate, earlier: Collection[str]) -> tuple[str, sympy.Expr]:
    """The kind and expression of a definition; the kind must be the stated one."""
    data = line.definition
    known = {name: symbol(name) for name in earlier}
    if isinstance(data, tuple) and len(data) == 2 and data[0] == "Turns":
        kind, expression = "turns", decoded(data[1], known)
        if affine(expression) is None:
            raise Wrong("an angle is no affine expression")
    else:
        expression = decoded(data, known)
        kind = kind_of(expression)
    if kind != line.kind:
        raise Wrong(f"it is of the kind '{kind}', the certificate says '{line.kind}'")
    return kind, expression


_KINDS: tuple[tuple[type, str], ...] = (
    (sympy.Max, "maximum"),
    (sympy.Min, "minimum"),
    (sympy.Abs, "absolute"),
    (sympy.floor, "floor"),
    (Less, "less"),
    (Select, "select"),
)


def kind_of(expression: sympy.Expr) -> str:
    """What kind of hardware a definition has."""
    args = expression.args
    if args and all(arg.is_Symbol for arg in args):
        if isinstance(expression, sympy.Mul) and len(args) == 2:
            return "product"
        for head, kind in _KINDS:
            if isinstance(expression, head):
                return kind
    if isinstance(expression, sympy.Pow) and args[0].is_Symbol and args[1] == 2:
        return "product"
    return "linear" if affine(expression) is not None else "function"


def affine(expression: sympy.Expr) -> tuple[dict[str, sympy.Expr], sympy.Expr] | None:
    """(coefficients, constant) of an affine expression, else None."""
    if expression.is_Symbol:
        return {expression.name: sympy.S.One}, sympy.S.Zero
    if not expression.free_symbols:
        return {}, expression
    if isinstance(expression, sympy.Add):
        terms: dict[str, sympy.Expr] = {}
        rest: sympy.Expr = sympy.S.Zero
        for part in expression.args:
            inner = affine(part)
            if inner is None:
                return None
            for name, k in inner[0].items():
                terms[name] = terms.get(name, sympy.S.Zero) + k
            rest += inner[1]
        return terms, rest
    if isinstance(expression, sympy.Mul):
        varying = [f for f in expression.args if f.free_symbols]
        inner = affine(varying[0]) if len(varying) == 1 else None
        if inner is None:
            return None
        scale = sympy.Mul(*[f for f in expression.args if not f.free_symbols])
        return {name: scale * k for name, k in inner[0].items()}, scale * inner[1]
    return None


def number_span(expression: sympy.Expr) -> Span:
    """A constant, exactly or as a narrow interval."""
    if isinstance(expression, sympy.Rational):
        return point(Fraction(int(expression.p), int(expression.q)))
    span = of_value(constant(expression))
    if span is None:
        raise Wrong(f"the constant '{expression}' is not finite")
    return span


def require_period(expression: sympy.Expr, angle: sympy.Symbol) -> None:
    """Raises Wrong unless the expression has period 1 in the angle, because only functions of that period see it."""
    rates = {"sin": 2, "cos": 2, "sec": 2, "csc": 2, "tan": 1, "cot": 1}
    if angle not in expression.free_symbols:
        return
    if type(expression).__name__ in rates:
        parts = affine(expression.args[0])
        if parts is not None:
            turns = sympy.cancel(parts[0][angle.name] / (rates[type(expression).__name__] * sympy.pi))
            if isinstance(turns, sympy.Integer):
                return
    elif not expression.is_Symbol:
        for arg in expression.args:
            require_period(arg, angle)
        return
    raise Wrong("it is not of period 1 in an angle that wraps")
