"""Exponentials, logarithms, sines and cosines: their theorems of addition, both ways."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import sympy

from sr2hls.rewrite.form import PLACE
from sr2hls.rewrite.rules.powers import grouped
from sr2hls.rewrite.rules.sums import Result


def one_exponential(node: sympy.Expr) -> Iterator[Result]:
    """exp(a)·exp(b) = exp(a + b)."""
    parts = [part for part in sympy.Mul.make_args(node) if isinstance(part, sympy.exp)]
    if len(parts) > 1:
        rest = sympy.Mul(*(part for part in node.args if part not in parts))
        yield rest * sympy.exp(PLACE), sympy.Add(*(part.args[0] for part in parts))


def split_exponential(node: sympy.Expr) -> Iterator[Result]:
    """exp(a + b) = exp(a)·exp(b), a and b over different symbols."""
    if isinstance(node, sympy.exp) and isinstance(node.args[0], sympy.Add):
        groups: dict[frozenset[sympy.Symbol], sympy.Expr] = {}
        for term in node.args[0].args:
            key = frozenset(term.free_symbols)
            groups[key] = groups.get(key, sympy.S.Zero) + term
        if len(groups) > 1:
            yield sympy.Mul(*map(sympy.exp, groups.values())), None


def split_logarithm(node: sympy.Expr) -> Iterator[Result]:
    """log(x·y/z) = log x + log y - log z where all are above 0."""
    if isinstance(node, sympy.log):
        inside, exponent = node.args[0].as_base_exp()
        if isinstance(inside, sympy.Mul) and isinstance(exponent, sympy.Rational):
            groups = grouped(inside)
            if len(groups) > 1:
                yield exponent * sympy.Add(*map(_log, groups)), None


def _log(group: sympy.Expr) -> sympy.Expr:
    """log(1/x) = -log(x), which may be there already."""
    base, exponent = group.as_base_exp()
    if isinstance(exponent, sympy.Rational) and exponent < 0 and not isinstance(group, sympy.exp):
        return -sympy.log(base**-exponent)
    return sympy.log(group)


def one_logarithm(node: sympy.Expr) -> Iterator[Result]:
    """k·log x + k·log y - k·log z = k·log(x·y/z)."""
    if not isinstance(node, sympy.Add):
        return
    found: dict[sympy.Expr, list[tuple[sympy.Expr, sympy.Expr]]] = {}
    for term in node.args:
        k, rest = term.as_coeff_Mul()
        if isinstance(rest, sympy.log):
            found.setdefault(abs(k), []).append((term, rest.args[0] ** sympy.sign(k)))
    for k, parts in found.items():
        if len(parts) > 1:
            taken = {term for term, _ in parts}
            others = [term for term in node.args if term not in taken]
            yield sympy.Add(k * sympy.log(PLACE), *others), sympy.Mul(*(inside for _, inside in parts))


def sines_as_sum(node: sympy.Expr) -> Iterator[Result]:
    """sin a·cos b = (sin(a + b) + sin(a - b))/2, and so on: no multiplier."""
    waves = [part for part in sympy.Mul.make_args(node) if isinstance(part, sympy.sin | sympy.cos)]
    for pair in combinations(waves, 2):
        first, second = sorted(pair, key=lambda wave: isinstance(wave, sympy.cos))
        a, b = first.args[0], second.args[0]
        match first, second:
            case sympy.sin(), sympy.cos():
                total = sympy.sin(a + b) + sympy.sin(a - b)
            case sympy.sin(), sympy.sin():
                total = sympy.cos(a - b) - sympy.cos(a + b)
            case _:
                total = sympy.cos(a - b) + sympy.cos(a + b)
        yield sympy.Mul(*(part for part in node.args if part not in (first, second))) * total / 2, None


def sines_as_product(node: sympy.Expr) -> Iterator[Result]:
    """sin p + sin q = 2·sin((p + q)/2)·cos((p - q)/2), and so on."""
    if not isinstance(node, sympy.Add):
        return
    waves = [(term, *term.as_coeff_Mul()) for term in node.args]
    for (one, k, f), (two, m, g) in combinations(waves, 2):
        if abs(k) != abs(m) or type(f) is not type(g) or not isinstance(f, sympy.sin | sympy.cos):
            continue
        half, apart = (f.args[0] + g.args[0]) / 2, (f.args[0] - g.args[0]) / 2
        if isinstance(f, sympy.sin):
            product = sympy.sin(half) * sympy.cos(apart) if k == m else sympy.cos(half) * sympy.sin(apart)
        else:
            product = sympy.cos(half) * sympy.cos(apart) if k == m else -sympy.sin(half) * sympy.sin(apart)
        yield sympy.Add(2 * k * product, *(term for term in node.args if term not in (one, two))), None


RULES = (
    ("one exponential", one_exponential),
    ("split the exponential", split_exponential),
    ("split the logarithm", split_logarithm),
    ("one logarithm", one_logarithm),
    ("sines as a sum", sines_as_sum),
    ("sines as a product", sines_as_product),
)
