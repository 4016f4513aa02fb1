"""Sums of sympy → irreducible factors: their product is the sum, and no sum takes long."""

from __future__ import annotations

import pytest
import sympy
from sympy import Rational

from sr2hls.factors import irreducible_factors

X, Y, Z = sympy.symbols("x y z", real=True)
SUMS = {
    "squares": (X**2 - Y**2, 2),
    "fractions": (X / 3 + Y / 7, 1),
    "a common root": (X * sympy.sqrt(Y) + Z * sympy.sqrt(Y), 2),
    "a reciprocal": (X / (Y + 1) - 2 * Z / (Y + 1) ** 2, 2),
    "a power of a sum": ((X + Y) ** 2 * Z - Z, 3),
    "a function": (sympy.exp(X) ** 2 - Y * sympy.exp(2 * X), 2),
    "a negative leading number": (-X - Y, 1),
    "a number": (Rational(3, 4), 0),
    "another number's power": (X**6 - 1, 4),
}


@pytest.mark.parametrize("name", SUMS)
def test_the_product_is_the_sum(name: str) -> None:
    total, count = SUMS[name]
    found = irreducible_factors(total)
    assert found is not None
    number, factors = found
    assert len(factors) == count
    assert sympy.expand(number * sympy.Mul(*(factor**times for factor, times in factors)) - total) == 0


def test_large_polynomials_are_left_alone() -> None:
    assert irreducible_factors(X**1000 + Y) is None
    assert irreducible_factors((X + Y + Z) ** 60 + 1) is None
    assert irreducible_factors(sympy.pi * X + Y) is None


def test_exponentials_of_unlike_rates_are_no_powers_of_one() -> None:
    total = X / (Y + Rational(5, 2)) - sympy.exp(-Y * Rational(10001, 10000))
    found = irreducible_factors(total)
    assert found is not None
    assert len(found[1]) == 1
