"""A power or polynomial region over a wide symbol → multiplications: addition chains and Horner's scheme."""

from __future__ import annotations

import sympy

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
