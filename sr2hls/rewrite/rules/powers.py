"""Products of powers → powers of products and back, logarithmic and quarter-square products."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

import sympy

from sr2hls.rewrite.form import PLACE
from sr2hls.rewrite.rules.sums import Result


def one_reciprocal(node: sympy.Expr) -> Iterator[Result]:
    """a/x/y² = a/(x·y²)."""
    below = [part for part in sympy.Mul.make_args(node) if _exponent(part).is_Integer and _exponent(part) < 0]
    if len(below) > 1:
        yield sympy.Mul(node, *(1 / part for part in below)) / PLACE, sympy.Mul(*(1 / part for part in below))


def one_root(node: sympy.Expr) -> Iterator[Result]:
    """√x·√y = √(x·y): factors of the same exponent, which is no integer, so every base is at least 0."""
    roots: dict[sympy.Rational, list[sympy.Expr]] = {}
    for part in sympy.Mul.make_args(node):
        exponent = _exponent(part)
        if part.free_symbols and not exponent.is_Integer:
            roots.setdefault(exponent, []).append(part)
    for exponent, parts in roots.items():
        if len(parts) > 1:
            inside = sympy.Mul(*(part.as_base_exp()[0] for part in parts))
            yield sympy.Mul(node, *(1 / part for part in parts)) * PLACE**exponent, inside


def split_root(node: sympy.Expr) -> Iterator[Result]:
    """√(x·y) = √x·√y where both are at least 0."""
    if isinstance(node, sympy.Pow) and isinstance(node.base, sympy.Mul) and not _exponent(node).is_Integer:
        groups = grouped(node.base)
        if len(groups) > 1 and isinstance(node.exp, sympy.Rational):
            yield sympy.Mul(*(group**node.exp for group in groups)), None


def by_logarithms(node: sympy.Expr) -> Iterator[Result]:
    """x·y/z = exp(log x + log y - log z) where all are above 0: no multiplier."""
    if isinstance(node, sympy.Mul):
        number, varying = node.as_independent(*node.free_symbols, as_Add=False)
        groups = grouped(varying)
        if len(groups) > 1:
            yield number * sympy.exp(PLACE), sympy.Add(*map(sympy.log, groups))


def quarter_squares(node: sympy.Expr) -> Iterator[Result]:
    """x·y = ((x + y)² - (x - y)²)/4: two squarers."""
    if isinstance(node, sympy.Mul):
        number, varying = node.as_independent(*node.free_symbols, as_Add=False)
        groups = grouped(varying)
        if len(groups) == 2:
            a, b = groups
            yield number * ((a + b) ** 2 - (a - b) ** 2) / 4, None


def grouped(product: sympy.Expr) -> list[sympy.Expr]:
    """The factors, those over the same one symbol taken together; numbers go with the first."""
    groups: dict[object, sympy.Expr] = {}
    number = sympy.S.One
    for part in sympy.Mul.make_args(product):
        if not part.free_symbols:
            number *= part
            continue
        key: object = part.free_symbols.copy().pop() if len(part.free_symbols) == 1 else part
        groups[key] = groups.get(key, sympy.S.One) * part
    factors = list(groups.values())
    return [reduce(sympy.Mul, [number, factors[0]]), *factors[1:]] if factors else []


def _exponent(part: sympy.Expr) -> sympy.Expr:
    """The exponent of a power where it is a rational number, else 1."""
    exponent = part.as_base_exp()[1]
    return exponent if isinstance(exponent, sympy.Rational) and not isinstance(part, sympy.exp) else sympy.S.One


RULES = (
    ("one reciprocal", one_reciprocal),
    ("one root", one_root),
    ("split the root", split_root),
    ("product by logarithms", by_logarithms),
    ("quarter squares", quarter_squares),
)
