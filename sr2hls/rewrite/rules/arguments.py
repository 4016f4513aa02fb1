"""A function of a sum or of a ratio → the same function of one shared symbol: fewer arguments, and exact ones."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import sympy

from sr2hls.program import linear_terms
from sr2hls.rewrite.form import PLACE
from sr2hls.rewrite.rules.sums import Result

_SHORT = 64  # coefficients of a sum that are exact in few bits
_MOST = 4  # symbols of a term of which ratios are tried


def angle_apart(node: sympy.Expr) -> Iterator[Result]:
    """cos(x - y) = cos(w), w = x - y: a difference in few bits may be a smaller argument than a difference of turns."""
    if not isinstance(node, sympy.sin | sympy.cos | sympy.tan):
        return
    terms, constant = linear_terms(node.args[0]) or ({}, sympy.S.Zero)
    if len(terms) < 2 or not all(isinstance(k, sympy.Rational) for k in terms.values()):
        return
    common, whole = sympy.Add(*(k * x for x, k in terms.items())).primitive()
    if all(abs(k) <= _SHORT for k in whole.as_coefficients_dict().values()):
        yield node.func(common * PLACE + constant), whole


def ratio_apart(node: sympy.Expr) -> Iterator[Result]:
    """x³·f(x/y) = y³·w³·f(w), w = x/y: one function of one argument where powers and functions share it."""
    if not isinstance(node, sympy.Mul) or len(node.free_symbols) > _MOST:
        return
    for x, y in permutations(sorted(node.free_symbols, key=str), 2):
        after = node.xreplace({x: PLACE * y})
        factors = [part for part in sympy.Mul.make_args(after) if PLACE in part.free_symbols]
        if any(part.free_symbols - {PLACE} for part in factors):
            continue  # y does not cancel in a function
        if any(part.as_base_exp()[0] != PLACE for part in factors) and node.has(x**-1, y**-1):
            yield after, x / y


RULES = (("angle apart", angle_apart), ("ratio apart", ratio_apart))
