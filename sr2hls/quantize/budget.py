"""An error target per output → how large the local error of every step may be.

First-order error model: the error of an output is the sum over the steps of sensitivity · local error. Equal shares
minimize the total number of bits for a given sum (the Lagrangian solution where a bit costs the same everywhere).
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy

from sr2hls.analyze.evaluate import constant_ball
from sr2hls.analyze.ranges import FLOOR_MARGIN, Analysis
from sr2hls.program import Assignment, Kind, Program, linear_terms

_ROUNDING = frozenset({Kind.LINEAR, Kind.TURNS, Kind.PRODUCT, Kind.FUNCTION})
_FINEST = 2.0**-50


def sensitivities(program: Program, analysis: Analysis, output: sympy.Symbol) -> dict[str, float]:
    """A bound of |d output / d step| for every symbol, by reverse accumulation of absolute slopes."""
    found = {output.name: 1.0}
    for step in reversed(program.assignments):
        weight = found.get(step.symbol.name, 0.0)
        if weight == 0.0:
            continue
        for name, slope in _slopes(step.symbol.name, step.kind, step.expression, analysis):
            found[name] = found.get(name, 0.0) + weight * slope
    return found


def _slopes(name: str, kind: Kind, expression: sympy.Expr, analysis: Analysis) -> list[tuple[str, float]]:
    args = expression.args
    match kind:
        case Kind.LINEAR | Kind.TURNS:
            terms, _ = linear_terms(expression if kind is Kind.LINEAR else args[0]) or ({}, None)
            return [(s.name, abs(float(constant_ball(k)))) for s, k in terms.items()]
        case Kind.PRODUCT:
            a, b = (args[0], args[0]) if isinstance(expression, sympy.Pow) else args
            size = {s: float(analysis.ranges[s.name].magnitude) for s in (a, b)}
            return [(a.name, size[b]), (b.name, size[a])]
        case Kind.MAXIMUM | Kind.MINIMUM | Kind.ABSOLUTE:
            return [(arg.name, 1.0) for arg in args]
        case Kind.SELECT:
            return [(arg.name, 1.0) for arg in args[1:]]
        case Kind.FUNCTION:
            cells = analysis.cells.get(name)
            return [] if cells is None else [(s.name, cells.steepest) for s in expression.free_symbols]
        case _:
            return []


def local_budgets(
    program: Program, analysis: Analysis, room: Mapping[str, float], tightness: float = 1.0
) -> dict[str, float]:
    """The largest local error of every inner step, a real number.

    Args:
        room: for each output symbol the error target less what the output's own rounding takes.
        tightness: scales every share; below 1 where the first-order model was too optimistic.
    """
    shares: dict[str, float] = {}
    inner = [a for a in program.assignments if a.kind in _ROUNDING and a.symbol.name not in room]
    for _, output in program.outputs:
        weights = sensitivities(program, analysis, output)
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
