"""Sums and products that keep their shape: 2*(x + 1) is not expanded.

sympy distributes a number over a sum. Its switch against that, `sympy.core.parameters.distribute(False)`, must not be
held around function calls: `sin(-x - 1)` then recurses without end (sympy 1.14; so do Abs, cos, exp's relatives, erf,
...), because sympy pulls the sign out and expects -(-x - 1) to be x + 1. So products are built here instead.
"""

from __future__ import annotations

from sympy import Add, Basic, Expr, Mul, S


def product(*factors: Expr) -> Expr:
    """The product, with its rational factor in front of a sum and not inside it."""
    coefficient, rest = S.One, []
    for factor in factors:
        number, other = factor.as_coeff_Mul(rational=True)
        coefficient *= number
        rest.append(other)
    number, body = Mul(*rest).as_coeff_Mul(rational=True)
    coefficient *= number
    if coefficient is S.One:
        return body
    if body.is_Add and coefficient is not S.Zero:
        return Mul(coefficient, body, evaluate=False)
    return coefficient * body


def negative(x: Expr) -> Expr:
    """-x, with -(a + b) kept as it is."""
    return product(S.NegativeOne, x)


def total(*terms: Expr) -> Expr:
    """The sum."""
    return Add(*terms)


def rebuild(node: Basic, arguments: tuple[Expr, ...]) -> Expr:
    """The node with other arguments, evaluated by sympy but not expanded: use this in place of `node.func`."""
    return product(*arguments) if isinstance(node, Mul) else node.func(*arguments)
