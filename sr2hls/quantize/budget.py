"""An error target per output → how large the local error of every step may be.

First-order error model: the error of an output is the sum over the steps of sensitivity · local error. Equal shares
minimize the total number of bits for a given sum (the Lagrangian solution where a bit costs the same everywhere).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import sympy

from sr2hls.analyze.boxes import Partition
from sr2hls.analyze.ranges import FLOOR_MARGIN, Analysis
from sr2hls.analyze.sensitivity import reverse_slopes
from sr2hls.program import Assignment, Kind, Program

_ROUNDING = frozenset({Kind.LINEAR, Kind.TURNS, Kind.PRODUCT, Kind.FUNCTION})
_FINEST = 2.0**-50


def sensitivities(program: Program, analysis: Analysis, output: sympy.Symbol) -> dict[str, float]:
    """A bound of |d output / d step| for every symbol, by reverse accumulation of absolute slopes."""
    sizes = {name: float(found.magnitude) for name, found in analysis.ranges.items()}
    slopes = {name: cells.steepest for name, cells in analysis.cells.items()}
    return reverse_slopes(program, output.name, sizes, slopes)


def _largest(program: Program, analysis: Analysis, output: sympy.Symbol, boxes: bool) -> dict[str, float]:
    """The same, the largest of all boxes where the domain is cut into some."""
    if analysis.partition is None or not boxes:
        return sensitivities(program, analysis, output)
    sizes = {name: found.magnitude for name, found in analysis.partition.ranges.items()}
    slopes = {
        name: np.array([cells.steepest if slope is None else slope for slope in _slopes(analysis.partition, name)])
        for name, cells in analysis.cells.items()
    }
    found = reverse_slopes(program, output.name, sizes, slopes)
    return {name: float(np.max(weight)) for name, weight in found.items()}


def _slopes(partition: Partition, name: str) -> list[float | None]:
    return [box.slopes[name] for box in partition.boxes]


def local_budgets(
    program: Program,
    analysis: Analysis,
    room: Mapping[str, float],
    tightness: float = 1.0,
    boxes: bool = True,
) -> dict[str, float]:
    """The largest local error of every inner step, a real number.

    Args:
        room: for each output symbol the error target less what the output's own rounding takes.
        tightness: scales every share; below 1 where the first-order model was too optimistic.
        boxes: whether to take slopes box by box where the domain is cut into some.
    """
    shares: dict[str, float] = {}
    inner = [a for a in program.assignments if a.kind in _ROUNDING and a.symbol.name not in room]
    for _, output in program.outputs:
        weights = _largest(program, analysis, output, boxes)
        count = sum(1 for a in inner if weights.get(a.symbol.name))
        for step in inner:
            weight = weights.get(step.symbol.name, 0.0)
            if weight > 0.0:
                share = max(room[output.name] * tightness / (count * weight), _FINEST)
                shares[step.symbol.name] = min(share, shares.get(step.symbol.name, share))
    _cap_for_floors(program, analysis, shares)
    return shares


def _cap_for_floors(program: Program, analysis: Analysis, shares: dict[str, float]) -> None:
    """Keep the operands of floors nearer to exact than the range analysis of the floor assumes."""
    for floor in program.assignments:
        if floor.kind is Kind.FLOOR:
            weights = sensitivities(program, analysis, floor.expression.args[0])
            for name in shares.keys() & weights.keys():
                cap = float(FLOOR_MARGIN) / 2 / (len(weights) * max(weights[name], _FINEST))
                shares[name] = min(shares[name], cap)


def exact_steps(program: Program) -> frozenset[str]:
    """Steps to keep exact: sums and products of inputs that lead to a comparison or a floor."""
    definitions = {a.symbol: a for a in program.assignments}
    exact: set[str] = set()
    waiting = [arg for a in program.assignments if a.kind in (Kind.LESS, Kind.FLOOR) for arg in a.expression.args]
    while waiting:
        step = definitions.get(waiting.pop())
        if step is None or step.symbol.name in exact:
            continue
        cone = _cone(step.symbol, definitions)
        if cone is not None:
            exact |= cone
    return frozenset(exact)


def _cone(symbol: sympy.Symbol, definitions: Mapping[sympy.Symbol, Assignment]) -> set[str] | None:
    step = definitions.get(symbol)
    if step is None:
        return set()
    if step.kind in (Kind.FUNCTION, Kind.TURNS):
        return None
    names = {symbol.name}
    for operand in step.expression.free_symbols:
        inner = _cone(operand, definitions)
        if inner is None:
            return None
        names |= inner
    return names
