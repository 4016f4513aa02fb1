"""A tree → a guess at its circuit's latency and area, to choose what is worth compiling; in no unit.

Any part of one input is one table, as in the compiler; sums are balanced trees of adders.
"""

from __future__ import annotations

import math
from fractions import Fraction

from sr2hls.search.refine.tree import LEAVES, Tree

_TABLE = (1.0, 1.0)  # path, area
_ADD = (0.5, 0.5)
_SCALE = (0.5, 1.0)  # by a constant
_MULTIPLY = (1.0, 2.0)
_FUNCTION = (2.0, 3.0)  # of a wide intermediate


def proxy(tree: Tree) -> tuple[float, float]:
    """(path, area)."""
    return _cost(tree)[:2]


def _cost(tree: Tree) -> tuple[float, float, frozenset[str]]:
    if tree[0] in LEAVES:
        return 0.0, 0.0, frozenset((tree[1],) if tree[0] == "x" else ())
    parts = [_cost(child) for child in tree[1:]]
    inputs = frozenset().union(*(names for _, _, names in parts))
    if len(inputs) <= 1:
        linear = tree[0] == "*" and len(tree) == 3 and tree[1][0] in LEAVES and tree[2][0] in LEAVES
        path, area = _SCALE if linear else _TABLE
        return path, area, inputs
    path, area = max(p for p, _, _ in parts), sum(a for _, a, _ in parts)
    if tree[0] in ("+", "Max", "Min"):
        steps = math.ceil(math.log2(len(parts)))
        return path + _ADD[0] * steps, area + _ADD[1] * (len(parts) - 1), inputs
    if tree[0] == "*":
        varying = sum(bool(names) for _, _, names in parts)
        steps = math.ceil(math.log2(max(varying, 1)))
        scaled = int(varying < len(parts) and tree[1] != ("n", Fraction(-1)))
        path += _MULTIPLY[0] * steps + _SCALE[0] * scaled
        return path, area + _MULTIPLY[1] * (varying - 1) + _SCALE[1] * scaled, inputs
    if tree[0] == "^" and tree[2] == ("n", Fraction(2)):
        return path + _MULTIPLY[0], area + _MULTIPLY[1], inputs
    return path + _FUNCTION[0], area + _FUNCTION[1], inputs
