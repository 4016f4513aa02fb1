"""A whole form → parts that several of its terms and outputs can share: powers of one base, sub-products."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import sympy

from sr2hls.rewrite.form import PLACE, Form

Shared = tuple[dict[sympy.Expr, sympy.Expr], sympy.Expr | None]
_MOST = 12  # sub-products that are tried


def powers_of_one(form: Form) -> Iterator[Shared]:
    """x^(-2) = (1/x)², √x = x·(1/√x): the powers of a base from one of them, computed once."""
    found: dict[sympy.Expr, set[sympy.Rational]] = {}
    for node in _nodes(form):
        base, exponent = node.as_base_exp()
        if isinstance(node, sympy.Pow) and isinstance(exponent, sympy.Rational) and base.free_symbols:
            found.setdefault(base, set()).add(exponent)
    for base, exponents in found.items():
        for least in sorted(exponents):
            changes = {base**least: PLACE}
            for other in sorted(exponents - {least}):
                if (other / least).is_Integer and other / least > 1:
                    changes[base**other] = PLACE ** (other / least)
                elif (other - least).is_Integer and other - least > 0 and least < 0:
                    changes[base**other] = PLACE * base ** (other - least)
            if len(changes) > 1 or (not base.is_Symbol and _uses(form, base) > 1):
                yield changes, base**least


def powers_of_e(form: Form) -> Iterator[Shared]:
    """exp(2a) = exp(a)²."""
    found: dict[sympy.Expr, set[sympy.Rational]] = {}
    for node in _nodes(form):
        if isinstance(node, sympy.exp):
            k, rest = node.args[0].as_coeff_Mul(rational=True)
            found.setdefault(rest, set()).add(k)
    for rest, rates in found.items():
        for least in sorted(rates, key=lambda k: (abs(k), k)):
            changes = {sympy.exp(least * rest): PLACE}
            for other in sorted(rates - {least}):
                if (other / least).is_Integer and other / least > 1:
                    changes[sympy.exp(other * rest)] = PLACE ** (other / least)
            if len(changes) > 1:
                yield changes, sympy.exp(least * rest)


def products(form: Form) -> Iterator[Shared]:
    """x·y·z and x·y·w: x·y is computed once."""
    found: dict[sympy.Expr, dict[sympy.Expr, sympy.Expr]] = {}
    for node in _nodes(form):
        if isinstance(node, sympy.Mul):
            factors = [part for part in node.args if part.free_symbols]
            for first, second in combinations(factors, 2):
                if len(first.free_symbols | second.free_symbols) > 1:
                    pair = first * second
                    found.setdefault(pair, {})[node] = node / pair * PLACE
    several = {pair: changes for pair, changes in found.items() if len(changes) > 1}
    for pair in sorted(several, key=lambda pair: (-len(several[pair]), str(pair)))[:_MOST]:
        yield several[pair], pair


def _nodes(form: Form) -> dict[sympy.Expr, None]:
    seen: dict[sympy.Expr, None] = {}
    for part in form.parts:
        for node in sympy.preorder_traversal(part):
            if node.args:
                seen.setdefault(node)
    return seen


def _uses(form: Form, base: sympy.Expr) -> int:
    return sum(base in node.args for node in _nodes(form))


RULES = (("powers of one", powers_of_one), ("powers of e", powers_of_e), ("shared product", products))
