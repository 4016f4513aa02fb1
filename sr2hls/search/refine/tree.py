"""A sympy expression ↔ a small tree of tuples: quick to edit, with free constants told apart from structure.

A tree is one of

    ("x", name)            an input
    ("k", float)           a free constant
    ("n", Fraction)        a structural rational, such as the 2 of x^2
    ("p", Fraction)        a structural rational multiple of pi
    ("+", a, b, ...), ("*", a, b, ...), ("^", base, exponent)
    (head, a, ...)         any other class of `sr2hls.operators.HEADS`, by its name
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import sympy

from sr2hls.errors import UnsupportedError
from sr2hls.model import symbol
from sr2hls.operators import HEADS, product, rebuild, total
from sr2hls.operators.choice import largest, smallest
from sr2hls.operators.powers import absolute, power

Tree = tuple[Any, ...]
Path = tuple[int, ...]

CONSTANTS = ("k", "n", "p")
LEAVES = ("x", *CONSTANTS)
ONE: Tree = ("n", Fraction(1))
ZERO: Tree = ("n", Fraction(0))
_CLASSES = {head.__name__: head for head in HEADS}
_LARGEST_STRUCTURAL = 4  # an integer up to this, or a half, is structure; any other number is a fitted constant
_BUILD = {"Max": largest, "Min": smallest, "Abs": absolute}


def free(value: float) -> Tree:
    """A free constant."""
    return ("k", float(value))


def number(value: Fraction | int) -> Tree:
    """A structural rational."""
    return ("n", Fraction(value))


def value_of(leaf: Tree) -> float:
    """The value of a constant leaf."""
    return float(leaf[1]) * math.pi if leaf[0] == "p" else float(leaf[1])


def children(tree: Tree) -> tuple[Tree, ...]:
    """The arguments of an inner node, none of a leaf."""
    return () if tree[0] in LEAVES else tree[1:]


def walk(tree: Tree, path: Path = ()) -> Iterator[tuple[Path, Tree]]:
    """Every node with its path, parents first."""
    yield path, tree
    for place, child in enumerate(children(tree)):
        yield from walk(child, (*path, place))


def replaced(tree: Tree, path: Path, new: Tree) -> Tree:
    """The tree with another node at the path."""
    if not path:
        return new
    at = path[0] + 1
    return (*tree[:at], replaced(tree[at], path[1:], new), *tree[at + 1 :])


def has_inputs(tree: Tree) -> bool:
    """Whether the value depends on any input."""
    return tree[0] == "x" or any(has_inputs(child) for child in children(tree))


def constants(tree: Tree) -> list[float]:
    """The free constants in the order in which `with_constants` takes them."""
    if tree[0] == "k":
        return [tree[1]]
    found: list[float] = []
    for child in children(tree):
        found += constants(child)
    return found


def with_constants(tree: Tree, values: Iterator[float]) -> Tree:
    """The same tree with other free constants."""
    if tree[0] == "k":
        return ("k", float(next(values)))
    if tree[0] in LEAVES:
        return tree
    return (tree[0], *[with_constants(child, values) for child in tree[1:]])


def freed(tree: Tree) -> Tree:
    """The tree with its rationals as free constants, but for exponents, 0, 1 and -1."""
    if tree[0] in LEAVES:
        return free(value_of(tree)) if tree[0] in ("n", "p") and abs(value_of(tree)) not in (0, 1) else tree
    if tree[0] == "^" and tree[2][0] in LEAVES:
        return ("^", freed(tree[1]), tree[2])
    return (tree[0], *[freed(child) for child in tree[1:]])


def shape(tree: Tree) -> Tree:
    """The tree without the values of its free constants, arguments of sums and products in a fixed order."""
    if tree[0] == "k":
        return ("k",)
    if tree[0] in LEAVES:
        return (tree[0], str(tree[1]))
    parts = [shape(child) for child in tree[1:]]
    return (tree[0], *(sorted(parts, key=repr) if tree[0] in "+*" else parts))


def _leaf_of(node: sympy.Basic, structural: bool) -> Tree:
    if node.is_Symbol:
        return ("x", node.name)
    if node is sympy.pi:
        return ("p", Fraction(1))
    if node is sympy.E or node.is_Float:
        return free(float(node))
    if not node.is_Rational:
        raise UnsupportedError(f"{node} is not a real number")
    value = Fraction(int(node.p), int(node.q))
    if structural and value.denominator <= 12 and abs(value) <= 64:
        return ("n", value)
    if (value.denominator == 1 and abs(value) <= _LARGEST_STRUCTURAL) or abs(value) == Fraction(1, 2):
        return ("n", value)
    return free(float(value))


def from_sympy(expression: sympy.Expr) -> Tree:
    """The tree of an expression over the closed set of heads. Raises UnsupportedError for anything else."""
    if not expression.args:
        return _leaf_of(expression, structural=False)
    if isinstance(expression, sympy.Pow):
        base, exponent = expression.args
        inner = from_sympy(exponent) if exponent.args else _leaf_of(exponent, structural=True)
        return ("^", from_sympy(base), inner)
    name = {"Add": "+", "Mul": "*"}.get(type(expression).__name__, type(expression).__name__)
    if name not in "+*" and name not in _CLASSES:
        raise UnsupportedError(f"{type(expression).__name__} in {expression} is no operator of a formula")
    parts = [from_sympy(a) for a in expression.args]
    if name == "*" and parts[0][0] == "n" and ("p", Fraction(1)) in parts:  # 2*pi is one number
        parts.remove(("p", Fraction(1)))
        parts[0] = ("p", parts[0][1])
    return (name, *parts) if len(parts) > 1 or name not in "+*" else parts[0]


def to_sympy(tree: Tree) -> sympy.Expr:
    """The expression of a tree; free constants become exact rationals of their floats.

    Raises UnsupportedError for a constant that is not finite.
    """
    head = tree[0]
    if head == "x":
        return symbol(tree[1])
    if head == "k":
        if not math.isfinite(tree[1]):
            raise UnsupportedError("a constant is not finite")
        return sympy.Rational(*tree[1].as_integer_ratio())
    if head in CONSTANTS:
        rational = sympy.Rational(tree[1].numerator, tree[1].denominator)
        return rational if head == "n" else product(rational, sympy.pi)
    parts = [to_sympy(child) for child in tree[1:]]
    if head == "+":
        return total(*parts)
    if head == "*":
        return product(*parts)
    if head == "^":
        return power(*parts)
    if head in _BUILD:
        return _BUILD[head](*parts)
    made = _CLASSES[head]
    return made(*parts) if issubclass(made, sympy.Function) else rebuild(made, tuple(parts))
