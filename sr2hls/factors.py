"""A sum → its irreducible factors over the rational numbers, by FLINT, unless it is too large a polynomial.

sympy's own factoring is not used: exp(x) and exp(1.0001·x) are to it powers of exp(x/10000), a polynomial of degree
10001, and it runs for hours.
"""

from __future__ import annotations

import math
from functools import reduce

import flint
import sympy

_DEGREE = 64
_TERMS = 5000  # that a polynomial of this degree in these parts can have

Factors = tuple[tuple[sympy.Expr, int], ...]


def irreducible_factors(total: sympy.Expr) -> tuple[sympy.Rational, Factors] | None:
    """(number, ((factor, multiplicity), ...)) of a polynomial with rational coefficients in opaque parts.

    A part is all that is neither a sum, a product, a natural power nor a rational number: exp(x), √x, 1/(x + y). Parts
    count as independent, so some factors may stay together, e.g. in exp(2x) - 1.

    Returns None where a number is irrational or a float, and where the polynomial is too large.
    """
    if any(not number.is_Rational for number in total.atoms(sympy.Number, sympy.NumberSymbol)):
        return None
    parts: dict[sympy.Expr, int] = {}
    degree = _degree(total, parts)
    if degree > _DEGREE or math.comb(degree + len(parts), len(parts)) > _TERMS:
        return None
    ordered = sorted(parts, key=sympy.default_sort_key)
    ring = flint.fmpq_mpoly_ctx.get([f"p{index}" for index in range(len(ordered))], "lex")
    polynomial = _polynomial(total, dict(zip(ordered, ring.gens(), strict=True)), ring)
    if not polynomial:
        return sympy.S.Zero, ()
    number, found = polynomial.factor()
    return _rational(number), tuple((_expression(factor, ordered), int(times)) for factor, times in found)


def _as_power(node: sympy.Expr) -> tuple[sympy.Expr, int]:
    """(part or sum, natural exponent): x^(-3/2) is the third power of the part x^(-1/2)."""
    if isinstance(node, sympy.Pow) and isinstance(node.exp, sympy.Rational):
        times = abs(int(node.exp.p))
        return node.base ** (node.exp / times), times
    return node, 1


def _degree(node: sympy.Expr, parts: dict[sympy.Expr, int]) -> int:
    """The largest that the degree can be; collects the parts."""
    if isinstance(node, sympy.Rational):
        return 0
    if isinstance(node, sympy.Add):
        return max(_degree(term, parts) for term in node.args)
    if isinstance(node, sympy.Mul):
        return sum(_degree(factor, parts) for factor in node.args)
    base, times = _as_power(node)
    if isinstance(base, sympy.Add | sympy.Mul):
        return times * _degree(base, parts)
    parts[base] = 1
    return times


def _polynomial(
    node: sympy.Expr, generators: dict[sympy.Expr, flint.fmpq_mpoly], ring: flint.fmpq_mpoly_ctx
) -> flint.fmpq_mpoly:
    if isinstance(node, sympy.Rational):
        return ring.constant(flint.fmpq(int(node.p), int(node.q)))
    if isinstance(node, sympy.Add | sympy.Mul):
        terms = [_polynomial(arg, generators, ring) for arg in node.args]
        return reduce((lambda a, b: a + b) if isinstance(node, sympy.Add) else (lambda a, b: a * b), terms)
    base, times = _as_power(node)
    if isinstance(base, sympy.Add | sympy.Mul):
        return _polynomial(base, generators, ring) ** times
    return generators[base] ** times


def _expression(polynomial: flint.fmpq_mpoly, parts: list[sympy.Expr]) -> sympy.Expr:
    return sympy.Add(
        *(
            sympy.Mul(_rational(number), *(part ** int(n) for part, n in zip(parts, exponents, strict=True)))
            for exponents, number in polynomial.terms()
        )
    )


def _rational(number: flint.fmpq) -> sympy.Rational:
    return sympy.Rational(int(number.p), int(number.q))
