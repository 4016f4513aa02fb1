"""An expression → its size: the nodes of the least binary tree that a search would need to write it.

x^2, sqrt(x) and 1/x are one operator each; a - b, and a rational multiple of pi, cost no more than a + b and a number.
So x0/(1 + x1^2) has 6 nodes: /, x0, +, 1, ^2, x1.
"""

from __future__ import annotations

from fractions import Fraction

import sympy

from sr2hls.search.refine.tree import CONSTANTS, Tree, from_sympy

_SHORT = (Fraction(2), Fraction(1, 2))  # exponents with an operator of their own: square and sqrt


def nodes(expression: sympy.Expr) -> int:
    """The size of an expression over the closed set of heads. Raises UnsupportedError for anything else."""
    return size(from_sympy(expression))


def size(tree: Tree) -> int:
    """The same for a tree."""
    head = tree[0]
    if head == "x" or head in CONSTANTS:
        return 1
    if head == "*":
        return _product(tree[1:])
    if head == "^":
        return _product((tree,))
    if head == "+":
        count = sum(_term(part) for part in tree[1:]) + len(tree) - 2
        return count + int(all(_negative(part) for part in tree[1:]))
    inner = sum(size(part) for part in tree[1:])
    return inner + (len(tree) - 2 if head in ("Max", "Min") else 1)


def _negative(tree: Tree) -> bool:
    return tree[0] == "*" and bool(tree[1] == ("n", Fraction(-1)))


def _term(tree: Tree) -> int:
    """A term of a sum: its minus sign makes a difference of the sum."""
    if not _negative(tree):
        return size(tree)
    return _product(tree[2:])


def _product(factors: tuple[Tree, ...]) -> int:
    above = below = count = 0
    for factor in factors:
        if factor[0] == "^" and factor[2][0] == "n" and factor[2][1] < 0:
            below += 1
            count += _power(factor[1], -factor[2][1])
        elif factor == ("n", Fraction(-1)):
            count += 1  # a sign
        else:
            above += 1
            count += _power(factor[1], factor[2][1]) if factor[0] == "^" and factor[2][0] == "n" else _other(factor)
    return count + max(above - 1, 0) + below


def _power(base: Tree, exponent: Fraction) -> int:
    if exponent == 1:
        return size(base)
    return size(base) + (1 if exponent in _SHORT else 2)


def _other(tree: Tree) -> int:
    return size(tree[1]) + size(tree[2]) + 1 if tree[0] == "^" else size(tree)
