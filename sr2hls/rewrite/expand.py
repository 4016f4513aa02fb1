"""A power or polynomial region over a wide symbol → multiplications: addition chains and Horner's scheme."""

from __future__ import annotations

import sympy

from sr2hls.program import linear_terms

_PREVIOUS = sympy.Symbol("_previous", real=True)
_HIGHEST = 8


def monomial(region: sympy.Expr, atom: sympy.Symbol) -> list[sympy.Expr] | None:
    """c·atom^n with 2 <= n <= 8 as steps; each step is over `atom` and `_previous`, the step before."""
    constant, rest = region.as_independent(atom, as_Add=False)
    if not (isinstance(rest, sympy.Pow) and rest.base == atom and isinstance(rest.exp, sympy.Integer)):
        return None
    n = int(rest.exp)
    if not 2 <= n <= _HIGHEST:
        return None
    steps = _chain(n, atom)
    if constant != 1:
        steps.append(constant * _PREVIOUS)
    return steps


def _chain(n: int, atom: sympy.Symbol) -> list[sympy.Expr]:
    """Left-to-right binary powering."""
    steps: list[sympy.Expr] = []
    for bit in bin(n)[3:]:
        steps.append(_PREVIOUS**2 if steps else atom**2)
        if bit == "1":
            steps.append(_PREVIOUS * atom)
    return steps


def horner(region: sympy.Expr, atom: sympy.Symbol) -> list[sympy.Expr] | None:
    """A polynomial of degree 2 to 8 in `atom` as steps ((c_n·x + c_(n-1))·x + ...)·x + c_0."""
    if not region.is_polynomial(atom):
        return None
    coefficients = sympy.Poly(region, atom).all_coeffs()
    if not 2 <= len(coefficients) - 1 <= _HIGHEST:
        return None
    steps = [coefficients[0] * atom + coefficients[1]]
    for coefficient in coefficients[2:]:
        steps.append(_PREVIOUS * atom)
        if coefficient != 0:
            steps.append(_PREVIOUS + coefficient)
    return steps


def opened(total: sympy.Add) -> sympy.Expr:
    """A sum with constants taken out of the products in it: a·x + x·(y + b) becomes (a + b)·x + x·y.

    Only where every term that comes of it is there already: that saves the addition in front of the multiplier.
    """
    beside = {s for part in total.args for s in (linear_terms(part) or ({}, None))[0]}
    parts = [_without_constants(part, beside) for part in total.args]
    return sympy.Add(*parts) if any(new is not old for new, old in zip(parts, total.args, strict=True)) else total


def _without_constants(part: sympy.Expr, beside: set[sympy.Symbol]) -> sympy.Expr:
    factors = [factor for factor in sympy.Mul.make_args(part) if factor.free_symbols]
    affine = [terms for factor in factors if (terms := linear_terms(factor)) is not None]
    if len(factors) != 2 or len(affine) != 2:
        return part
    (first, one), (second, two) = affine
    if (one == 0 and two == 0) or (len(first) * len(second) > 1 and first.keys() & second.keys()):
        return part
    if not ((set(second) <= beside or one == 0) and (set(first) <= beside or two == 0)):
        return part
    a, b = (sympy.Add(*(k * s for s, k in terms.items())) for terms in (first, second))
    scale = sympy.Mul(*[factor for factor in sympy.Mul.make_args(part) if not factor.free_symbols])
    spread = [sympy.expand_mul(scale * k) for k in (one * b, two * a)]
    return sympy.Add(scale * a * b, *spread, scale * one * two)
