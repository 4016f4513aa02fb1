"""A tree → a list of numpy steps that gives its values, and by one backward pass its derivatives by every constant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sr2hls.search.refine.derivatives import SEVERAL, UNARY, Rule, Slope, Value, constant_power
from sr2hls.search.refine.tree import LEAVES, Tree, value_of

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Step:
    value: Value
    slope: Slope | None  # of a function of one argument
    rule: Rule | None  # of several
    arguments: tuple[int, ...]
    moves: bool  # whether a free constant is below


@dataclass(frozen=True, slots=True)
class Program:
    """Places 0, 1, ... hold the leaves, then the result of each step; the last one is the output.

    leaves: per place an input's column, a fixed number, or None for a free constant; free: the places of the free
    constants, in the order of `tree.constants`.
    """

    leaves: tuple[Any, ...]
    free: tuple[int, ...]
    steps: tuple[_Step, ...]
    output: int

    def values(self, constants: Sequence[float] | Floats) -> list[Any]:
        """The value of every place. Call it, and `jacobian`, under `np.errstate(all="ignore")`."""
        found: list[Any] = list(self.leaves)
        for place, constant in zip(self.free, constants, strict=True):
            found[place] = np.float64(constant)
        for step in self.steps:
            found.append(step.value(*[found[a] for a in step.arguments]))
        return found

    def jacobian(self, values: list[Any], rows: int) -> Floats:
        """d output / d constant, shape (constants, rows); what is not finite there is 0."""
        adjoints: list[Any] = [None] * len(values)
        adjoints[self.output] = 1.0
        base = len(self.leaves)
        for at in range(len(self.steps) - 1, -1, -1):
            step, adjoint = self.steps[at], adjoints[base + at]
            if adjoint is None or not step.moves:
                continue
            arguments = [values[a] for a in step.arguments]
            parts: tuple[Any, ...]
            if step.slope is not None:
                parts = (adjoint * step.slope(arguments[0], values[base + at]),)
            else:
                parts = step.rule(arguments, values[base + at], adjoint)  # type: ignore[misc]
            for place, part in zip(step.arguments, parts, strict=True):
                if part is not None:
                    adjoints[place] = part if adjoints[place] is None else adjoints[place] + part
        found = np.zeros((len(self.free), rows))
        for row, place in enumerate(self.free):
            if adjoints[place] is not None:
                found[row] = adjoints[place]
        if not np.isfinite(found.sum()):
            found[~np.isfinite(found)] = 0.0
        return found


def compiled(tree: Tree, columns: Mapping[str, Any]) -> Program:
    """The program of a tree on these columns. Equal parts without free constants are computed once.

    Raises KeyError for an input without a column.
    """
    leaves: list[Any] = []
    free: list[int] = []
    moving: set[int] = set()
    known: dict[Tree, int] = {}
    steps: list[tuple[Value, Slope | None, Rule | None, tuple[int, ...], bool]] = []

    def leaf(node: Tree) -> None:
        if node[0] == "k":
            free.append(len(leaves))
            moving.add(len(leaves))
            leaves.append(None)
        elif node not in known:
            known[node] = len(leaves)
            leaves.append(columns[node[1]] if node[0] == "x" else np.float64(value_of(node)))

    def gather(node: Tree) -> None:
        if node[0] in LEAVES:
            leaf(node)
            return
        for child in _operands(node):
            gather(child)

    gather(tree)
    base = len(leaves)
    next_free = iter(list(free))

    def place(node: Tree) -> tuple[int, bool]:
        if node[0] == "k":
            return next(next_free), True
        if node in known:
            return known[node], False
        spots = [place(child) for child in _operands(node)]
        moves = any(m for _, m in spots)
        steps.append((*_functions(node), tuple(p for p, _ in spots), moves))
        at = base + len(steps) - 1
        if not moves:
            known[node] = at
        return at, moves

    output, _ = place(tree)
    return Program(tuple(leaves), tuple(free), tuple(_Step(*s) for s in steps), output)


def _operands(node: Tree) -> tuple[Tree, ...]:
    """The children that are computed: a structural exponent is part of the function."""
    if node[0] == "^" and node[2][0] in ("n", "p"):
        return (node[1],)
    return node[1:]


def _functions(node: Tree) -> tuple[Value, Slope | None, Rule | None]:
    head = node[0]
    if head == "^" and node[2][0] in ("n", "p"):
        return (*constant_power(value_of(node[2])), None)
    if head in UNARY:
        return (*UNARY[head], None)
    value, rule = SEVERAL[head]
    return value, None, rule


def evaluate(tree: Tree, columns: Mapping[str, Any]) -> Any:
    """The value of a tree: an array where it depends on a column, else a number; nan outside its domain."""
    from sr2hls.search.refine.tree import constants

    program = compiled(tree, columns)
    with np.errstate(all="ignore"):
        return program.values(constants(tree))[program.output]
