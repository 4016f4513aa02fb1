"""A function step → evaluator nodes, its proven local error, and the error it inherits from its argument."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from flint import arb

from sr2hls.analyze.cells import Cells, cells_of
from sr2hls.analyze.interval import ZERO, Interval, exact, symmetric
from sr2hls.analyze.intervals import Intervals
from sr2hls.analyze.ranges import TURN_MARGIN
from sr2hls.errors import DomainError
from sr2hls.formats import Format
from sr2hls.functions import FunctionSpec, Taste, choose
from sr2hls.functions.table import WIDEST
from sr2hls.program import Assignment
from sr2hls.quantize.box_errors import Errors, variation_in_boxes

if TYPE_CHECKING:
    from sr2hls.lower.state import State


@dataclass(frozen=True, slots=True)
class FunctionResult:
    """The result node, the evaluator's own error, the argument's error seen through the function, the method."""

    node: int
    local: Interval
    inherited: Interval
    method: str


def lower_function(state: State, step: Assignment, budget: float, fraction: int | None = None) -> FunctionResult:
    """Evaluate step.expression, a function of one symbol.

    Args:
        budget: the largest local error (a real number).
        fraction: fraction bits of the result; None: as few as the budget allows.
    """
    (symbol,) = step.expression.free_symbols
    name, function = symbol.name, state.analysis.functions[step.symbol.name]
    domain = state.analysis.ranges[name]
    error = state.errors[name]
    cells = state.analysis.cells.get(step.symbol.name)
    node = state.nodes[name]
    if cells is None:  # an input whose every code is enumerated: the clamp is part of the table
        node = state.raw.get(name, node)
    word = state.b[node].format
    if cells is not None and word.width > WIDEST:
        node, domain, error, cells = _inside(state, step, cells)
        word = state.b[node].format
    low, high, tolerance = state.b[node].low, state.b[node].high, arb(budget) * (1 + arb(2) ** -30)
    fractions = _fractions(word, budget) if fraction is None else [fraction]
    spare = 1 if fraction is None else 0
    specs = [FunctionSpec(function, word, low, high, domain, bits, tolerance, spare) for bits in fractions]
    evaluator = choose(specs, state.target, state.words.tastes.get(step.symbol.name, Taste()))
    inherited = _inherited(cells, domain, error)
    if state.analysis.partition is not None:
        boxes = _in_boxes(state, name, cells, domain, error)
        state.inherited[step.symbol.name] = boxes
        inherited = ZERO if boxes is None else boxes.hull
    return FunctionResult(evaluator.build(state.b, node), evaluator.error, inherited, evaluator.method)


def _inherited(cells: Cells | None, domain: Interval, error: Interval) -> Interval:
    if cells is None:
        return ZERO
    if cells.parts[0].domain.low < domain.low and not error.magnitude <= TURN_MARGIN:
        return cells.range - cells.range  # an angle that is off by more than the cells cover may be anywhere
    return cells.variation(error).rounded()


def _in_boxes(state: State, name: str, cells: Cells | None, domain: Interval, error: Interval) -> Errors:
    """The inherited error in each box of the domain."""
    partition = state.analysis.partition
    if cells is None or partition is None or error == ZERO:
        return None
    arguments, errors = partition.ranges[name], state.spread[name]
    if cells.parts[0].domain.low < domain.low and not error.magnitude <= TURN_MARGIN:
        return Intervals.of([cells.range - cells.range] * len(partition.boxes))
    if errors is None or error != state.errors[name]:  # the argument is clamped: up to one unit
        clamped = Intervals.of([error] * len(partition.boxes))
        errors = clamped
    return variation_in_boxes(cells, arguments, errors).rounded()


def _fractions(word: Format, budget: float) -> list[int]:
    """Fraction bits of a result to try: a plain table errs by half an ulp, the other families need a bit more room."""
    tight, loose = (math.ceil(math.log2(ulps / budget)) for ulps in (0.5, 0.75))
    return sorted({tight, loose}) if word.width <= WIDEST else [loose]


def _inside(state: State, step: Assignment, cells: Cells) -> tuple[int, Interval, Interval, Cells]:
    """The argument node whose every code lies where the function is defined: argument, domain, error, cells.

    A rounded argument may leave its real range by its error. Where the function can be continued there, nothing is
    needed; where it cannot (a square root at zero), the circuit clamps the argument.
    """
    (symbol,) = step.expression.free_symbols
    name, b = symbol.name, state.b
    node, error, domain = state.nodes[name], state.errors[name], state.analysis.ranges[name]
    fmt = b[node].format
    unit = arb(2) ** -fmt.fraction
    reach = Interval(arb(b[node].low) * unit, arb(b[node].high) * unit)
    if domain.low <= reach.low and reach.high <= domain.high:
        return node, domain, error, cells
    turns = cells.parts[0].domain.low < domain.low  # cells were taken over more than one turn
    if turns:
        return node, reach, error, cells
    wide = Interval.hull(domain, reach)
    try:
        return node, reach, error, cells_of(state.analysis.functions[step.symbol.name], wide)
    except DomainError:
        scale = Fraction(2) ** fmt.fraction
        low, high = math.ceil(exact(domain.low) * scale), math.floor(exact(domain.high) * scale)
        b.origin = f"argument of {step.origin}, clamped to where it is defined"
        inside = b.minimum(b.maximum(node, b.constant(low, fmt.fraction)), b.constant(high, fmt.fraction))
        b.origin = step.origin
        clamped = b.narrow(inside, low, high)
        return clamped, domain, Interval.hull(error, symmetric(unit)), cells
