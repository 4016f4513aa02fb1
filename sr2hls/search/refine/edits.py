"""A tree → the simpler trees that one edit makes of it, each with constants near those that will fit best."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from sr2hls.search.refine.constants import Rows
from sr2hls.search.refine.expand import factored_once
from sr2hls.search.refine.normal import add, call, is_constant, joined, multiply, normal, power, split
from sr2hls.search.refine.program import evaluate
from sr2hls.search.refine.tree import CONSTANTS, ONE, Path, Tree, children, free, has_inputs, replaced, value_of, walk

_DENOMINATORS = (1, 2, 3, 4)
_NEAR_PI = 0.002  # relative; 3/2 is a better guess than pi/2
_NEAR = 0.05  # a constant is tried as a simpler number within this, relative to the larger of it and 1
_EXPONENTS = tuple(Fraction(n, d) for n, d in ((1, 1), (2, 1), (1, 2), (-1, 1), (-2, 1), (-1, 2)))
_MANY = 400  # edits of one tree, at most


def edits(tree: Tree, rows: Rows) -> list[Tree]:
    """The normal forms of all edits, each once, the tree itself not among them."""
    seen: dict[Tree, None] = {}
    for path, node in walk(tree):
        for new in _local(tree, path, node, rows):
            edited = normal(replaced(tree, path, new))
            if edited != tree and _sound(edited):
                seen.setdefault(edited)
        if len(seen) >= _MANY:
            break
    return list(seen)


def grown(tree: Tree) -> list[Tree]:
    """The tree with one more free constant, as a scale or an offset, wherever one can be told apart from the others."""
    seen: dict[Tree, None] = {}
    count = sum(node[0] == "k" for _, node in walk(tree))
    for path, node in walk(tree):
        if not has_inputs(node):
            continue
        above = _at(tree, path[:-1])[0] if path else ""
        options = [multiply([free(1.0), node])] if above != "*" else []
        if above != "+" and node[0] != "+":
            options.append(add([node, free(0.0)]))
        elif node[0] == "+" and not is_constant(node[-1]):
            options.append(("+", *node[1:], free(0.0)))
        if node[0] == "^" and node[2][0] == "n" and (node[2][1].denominator > 2 or abs(node[2][1]) > 3):
            options.append(("^", node[1], free(float(node[2][1]))))
        for option in options:
            edited = normal(replaced(tree, path, option))
            if sum(part[0] == "k" for _, part in walk(edited)) > count:
                seen.setdefault(edited)
    return list(seen)


def _sound(tree: Tree) -> bool:
    return all(node[0] != "k" or math.isfinite(node[1]) for _, node in walk(tree))


def _local(tree: Tree, path: Path, node: Tree, rows: Rows) -> Iterator[Tree]:
    head = node[0]
    exponent = bool(path) and path[-1] == 1 and _at(tree, path[:-1])[0] == "^"
    if head in CONSTANTS:
        yield from simpler(node, exponent)
        return
    values = _values(node, rows)
    if path and values is not None:
        yield free(_middle(values))
    if head == "x":
        return
    if head in ("+", "*"):
        yield from _without_one(node, rows)
    if head == "+":
        yield from factored_once(node)
        yield from _tied(node)
    elif head == "*":
        yield from _merged_roots(node)
        yield from _double_angle(node)
    elif head == "^" and node[2][0] == "n":
        yield from (power(node[1], ("n", e)) for e in _EXPONENTS if e != node[2][1])
        if node[2][1].denominator > 2 or abs(node[2][1]) > 3:
            yield ("^", node[1], free(float(node[2][1])))
    if head in ("sin", "cos"):
        yield from _phases(node)
    for child in children(node):
        if has_inputs(child) and head not in ("+", "*") and values is not None:
            yield from _straight(child, values, rows)


def _at(tree: Tree, path: Path) -> Tree:
    for place in path:
        tree = tree[place + 1]
    return tree


def _values(node: Tree, rows: Rows) -> Any:
    if not has_inputs(node):
        return None
    found = np.asarray(evaluate(node, rows.columns), dtype=np.float64)
    return found if np.isfinite(found).all() and found.ndim else None


def _middle(values: Any) -> float:
    return float(np.median(values))


def _without_one(node: Tree, rows: Rows) -> Iterator[Tree]:
    """A sum without one of its terms, a product without one of its factors; a typical value takes their place."""
    for place in range(1, len(node)):
        rest = [*node[1:place], *node[place + 1 :]]
        if node[0] == "+":
            yield add(rest)
            continue
        if is_constant(node[place]):
            yield multiply(rest)
            continue
        values = _values(node[place], rows)
        if values is not None:
            yield multiply([free(_middle(values)), *rest])


def _straight(child: Tree, values: Any, rows: Rows) -> Iterator[Tree]:
    """f(a) as a straight line in a, by least squares; the line through 0, too."""
    inner = _values(child, rows)
    if inner is None:
        return
    spread = inner - inner.mean()
    square = float(spread @ spread)
    if square <= 0:
        return
    slope = float(spread @ values) / square
    offset = float(values.mean() - slope * inner.mean())
    _, rest = split(child)
    scale = slope if rest == child else slope * value_of(split(child)[0])
    if math.isfinite(scale) and math.isfinite(offset):
        yield add([joined(free(scale), rest), free(offset)])
        yield multiply([free(float(inner @ values) / float(inner @ inner)), child])


def _phases(node: Tree) -> Iterator[Tree]:
    """sin(a + k) with k near a multiple of pi/2: plus or minus sin(a) or cos(a)."""
    inner = node[1]
    if inner[0] != "+" or not is_constant(inner[-1]):
        return
    quarter = round(value_of(inner[-1]) / (math.pi / 2))
    if abs(value_of(inner[-1]) - quarter * math.pi / 2) > 0.25:
        return
    turn = (quarter + (1 if node[0] == "cos" else 0)) % 4  # sin(a + turn*pi/2)
    head, sign = (("sin", 1), ("cos", 1), ("sin", -1), ("cos", -1))[turn]
    yield multiply([("n", Fraction(sign)), call(head, [add(inner[1:-1])])])


def _merged_roots(node: Tree) -> Iterator[Tree]:
    """sqrt(a)*sqrt(b) as sqrt(a*b), and so for other equal fractional powers."""
    powers: dict[Fraction, list[Tree]] = {}
    for factor in node[1:]:
        if factor[0] == "^" and factor[2][0] == "n" and factor[2][1].denominator > 1:
            powers.setdefault(abs(factor[2][1]), []).append(factor)
    for exponent, found in powers.items():
        if len(found) > 1:
            rest = [f for f in node[1:] if f not in found]
            inside = multiply([f[1] if f[2][1] > 0 else power(f[1], ("n", Fraction(-1))) for f in found])
            yield multiply([*rest, power(inside, ("n", exponent))])


def _double_angle(node: Tree) -> Iterator[Tree]:
    """sin(a)*cos(a) as sin(2*a)/2."""
    for factor in node[1:]:
        twin = ("cos", *factor[1:])
        if factor[0] == "sin" and twin in node[1:]:
            rest = [f for f in node[1:] if f not in (factor, twin)]
            yield multiply([*rest, ("n", Fraction(1, 2)), call("sin", [multiply([("n", Fraction(2)), factor[1]])])])


def _tied(node: Tree) -> Iterator[Tree]:
    """k1*a + k2*b with |k1| close to |k2| as k*(a + b) or k*(a - b)."""
    terms = [split(term) for term in node[1:]]
    for first, (a, left) in enumerate(terms):
        for second in range(first + 1, len(terms)):
            b, right = terms[second]
            if ONE in (left, right) or "k" not in (a[0], b[0]) or value_of(a) == 0:
                continue
            ratio = value_of(b) / value_of(a)
            if abs(abs(ratio) - 1) > _NEAR:
                continue
            pair = add([left, joined(("n", Fraction(round(ratio))), right)])
            others = [joined(c, r) for i, (c, r) in enumerate(terms) if i not in (first, second)]
            yield add([joined(a, pair), *others])


def simpler(node: Tree, exponent: bool) -> Iterator[Tree]:
    """Simpler numbers near a constant; a structural one set free."""
    if node[0] != "k":
        if not exponent and abs(value_of(node)) != 1:
            yield free(value_of(node))
        return
    value = node[1]
    if not math.isfinite(value) or abs(value) > 1e6:
        return
    tried: dict[Fraction, None] = {}
    for denominator in _DENOMINATORS:
        near = Fraction(round(value * denominator), denominator)
        # a fraction must be small to be a better guess than chance
        if abs(float(near) - value) <= _NEAR * max(1.0, abs(value)) / denominator and abs(near.numerator) <= 1000:
            tried.setdefault(near)
    if exponent:
        for e in _EXPONENTS:
            tried.setdefault(e)
    elif abs(abs(value) - 1) < 0.3:
        tried.setdefault(Fraction(round(math.copysign(1, value))))
    for near in tried:
        if near or not exponent:
            yield ("n", near)
    if not exponent:
        for denominator in (1, 2, 3, 4):
            turns = Fraction(round(value / math.pi * denominator), denominator)
            if turns and abs(float(turns) * math.pi - value) <= _NEAR_PI * abs(value) and abs(turns) <= 4:
                yield ("p", turns)
                break
