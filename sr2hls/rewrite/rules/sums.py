"""Sums → products and back: factoring, distribution, common denominators."""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from sr2hls.factors import irreducible_factors
from sr2hls.rewrite.form import PLACE

Result = tuple[sympy.Expr, sympy.Expr | None]
_LARGEST = 60  # operations of a sum that is made one fraction


def factor(node: sympy.Expr) -> Iterator[Result]:
    """a·b + a·c + d = a·(b + c) + d, for every a that two or more terms have; Horner's scheme by repetition."""
    if not isinstance(node, sympy.Add):
        return
    found: dict[tuple[sympy.Expr, bool], list[tuple[sympy.Expr, sympy.Rational]]] = {}
    for term in node.args:
        for part in sympy.Mul.make_args(term):
            base, exponent = part.as_base_exp()
            if base.free_symbols and isinstance(exponent, sympy.Rational):
                found.setdefault((base, exponent > 0), []).append((term, exponent))
    for (base, positive), uses in found.items():
        if len(uses) > 1:
            exponents = [exponent for _, exponent in uses]
            common = base ** (min(exponents) if positive else max(exponents))
            inner = sympy.Add(*(term / common for term, _ in uses))
            taken = {term for term, _ in uses}
            yield sympy.Add(common * inner, *(term for term in node.args if term not in taken)), None


def factor_whole(node: sympy.Expr) -> Iterator[Result]:
    """The sum as a product of irreducible ones: a² - b² = (a - b)·(a + b), a² + 2ab + b² = (a + b)²."""
    found = irreducible_factors(node) if isinstance(node, sympy.Add) else None
    if found:
        number, factors = found
        product = sympy.Mul(number, *(factor**times for factor, times in factors))
        if isinstance(product, sympy.Mul | sympy.Pow):
            yield product, None


def distribute(node: sympy.Expr) -> Iterator[Result]:
    """a·(b + c) = a·b + a·c, for every sum that is a factor; (a + b)² written out."""
    if isinstance(node, sympy.Pow) and isinstance(node.base, sympy.Add) and node.exp == 2:
        yield sympy.expand(node, deep=False), None
    if isinstance(node, sympy.Mul):
        for part in node.args:
            if isinstance(part, sympy.Add):
                rest = node / part
                yield sympy.Add(*(rest * term for term in part.args)), None


def one_fraction(node: sympy.Expr) -> Iterator[Result]:
    """a/b + c/d = (a·d + c·b)/(b·d): one reciprocal."""
    if isinstance(node, sympy.Add) and sympy.count_ops(node) <= _LARGEST and _denominators(node) > 1:
        top, bottom = sympy.fraction(sympy.together(node))
        if len(bottom.free_symbols) > 1 and isinstance(bottom, sympy.Mul):
            number, varying = bottom.as_independent(*bottom.free_symbols, as_Add=False)
            yield top / number / PLACE, varying
        elif bottom.free_symbols:
            yield top / bottom, None


def nested_fraction(node: sympy.Expr) -> Iterator[Result]:
    """1/(1/a + 1/b) = a·b/(a + b)."""
    if not (isinstance(node, sympy.Pow) and isinstance(node.exp, sympy.Integer) and isinstance(node.base, sympy.Add)):
        return
    if sympy.count_ops(node) <= _LARGEST and _denominators(node.base):
        top, bottom = sympy.fraction(sympy.together(node.base))
        yield top**node.exp * bottom**-node.exp, None


def _denominators(total: sympy.Add) -> int:
    """How many different ones the terms have."""
    return len({d for d in (sympy.fraction(term)[1] for term in total.args) if d.free_symbols})


RULES = (
    ("factor", factor),
    ("factor the whole sum", factor_whole),
    ("distribute", distribute),
    ("common denominator", one_fraction),
    ("nested fraction", nested_fraction),
)
