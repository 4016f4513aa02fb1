"""Postfix trees → sympy expressions and back."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import sympy

from sr2hls.errors import UnsupportedError
from sr2hls.model import symbol
from sr2hls.operators import product, total
from sr2hls.search.native.islands import Tree
from sr2hls.search.native.symbols import CONSTANT, FIRST, VARIABLE, Symbols
from sr2hls.search.native.tree import NODES


def expression_of(tree: Tree, symbols: Symbols, names: Sequence[str]) -> sympy.Expr:
    """The formula of a tree; its constants are exact rationals of its float32 numbers.

    Raises UnsupportedError for a constant that is not finite, or that sympy would write with absurdly many digits.
    """
    sym, arg, val, n = tree
    stack: list[sympy.Expr] = []
    for j in range(n):
        s = int(sym[j])
        if s == VARIABLE:
            stack.append(symbol(names[arg[j]]))
        elif s == CONSTANT:
            stack.append(rational(float(val[j])))
        else:
            count = int(symbols.table.arity[s])
            arguments = stack[-count:]
            del stack[-count:]
            stack.append(symbols.build[s](*arguments))
    return stack[0]


def attached(expression: sympy.Expr, scale: float, shift: float) -> sympy.Expr:
    """scale · expression + shift."""
    return total(product(rational(scale), expression), rational(shift))


def rational(value: float) -> sympy.Rational:
    """A float as the exact rational that it is. Raises UnsupportedError for infinity and NaN."""
    if not math.isfinite(value):
        raise UnsupportedError(f"a constant of {value}")
    return sympy.Rational(*value.as_integer_ratio())


def tree_from(expression: sympy.Expr, symbols: Symbols, names: Sequence[str]) -> Tree | None:
    """A tree for an expression, or None where the search has no operator for a part of it, or no room."""
    places = {symbol(name): i for i, name in enumerate(names)}
    out: list[tuple[int, int, float]] = []
    if not _write(expression, places, symbols, out) or len(out) > NODES - 8:
        return None
    sym, arg, val = np.zeros(NODES, np.int64), np.zeros(NODES, np.int64), np.zeros(NODES, np.float32)
    for j, (s, a, v) in enumerate(out):
        sym[j], arg[j], val[j] = s, a, v
    return sym, arg, val, len(out)


def _write(
    node: sympy.Basic, places: dict[sympy.Symbol, int], symbols: Symbols, out: list[tuple[int, int, float]]
) -> bool:
    if node in places:
        out.append((VARIABLE, places[node], 0.0))
        return True
    if node.is_number:
        out.append((CONSTANT, 0, float(node)))
        return True
    if node.is_Add or node.is_Mul:
        return _chain("+" if node.is_Add else "*", node.args, places, symbols, out)
    if node.is_Pow and node.exp == -1 and "/" in symbols.names:
        return _apply(symbols.index("/"), (sympy.S.One, node.base), places, symbols, out)
    x = sympy.Symbol("_x", real=True)
    y = sympy.Symbol("_y", real=True)
    for s in range(FIRST, len(symbols.names)):
        count = int(symbols.table.arity[s])
        pattern = symbols.build[s](*(x, y)[:count]) if count <= 2 else None
        if pattern is None or pattern.func is not node.func or len(node.args) != len(pattern.args):
            continue
        found = dict(zip(pattern.args, node.args, strict=True))
        if x in found and all(p in (x, y) or p == a for p, a in found.items()):
            return _apply(s, tuple(found[p] for p in (x, y)[:count]), places, symbols, out)
    return False


def _chain(
    name: str,
    parts: Sequence[sympy.Expr],
    places: dict[sympy.Symbol, int],
    symbols: Symbols,
    out: list[tuple[int, int, float]],
) -> bool:
    if name not in symbols.names or not _write(parts[0], places, symbols, out):
        return False
    for part in parts[1:]:
        if not _write(part, places, symbols, out):
            return False
        out.append((symbols.index(name), 0, 0.0))
    return True


def _apply(
    s: int,
    arguments: Sequence[sympy.Expr],
    places: dict[sympy.Symbol, int],
    symbols: Symbols,
    out: list[tuple[int, int, float]],
) -> bool:
    for argument in arguments:
        if not _write(argument, places, symbols, out):
            return False
    out.append((s, 0, 0.0))
    return True
