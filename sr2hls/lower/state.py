"""What is known while a program is lowered, and how the kinds of steps that need no budget become nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import sympy
from flint import arb

from sr2hls.analyze.interval import ZERO, Interval
from sr2hls.analyze.intervals import Intervals
from sr2hls.analyze.ranges import FLOOR_MARGIN, Analysis
from sr2hls.builder import CircuitBuilder
from sr2hls.errors import FormatError
from sr2hls.formats import Format
from sr2hls.functions import Taste
from sr2hls.lower.adders import Plans
from sr2hls.lower.arrival import Arrivals
from sr2hls.lower.linear import DigitSum, Term, digits_of, exact_fraction_bits, linear_sum
from sr2hls.lower.tabled_product import can_be_tabled, tabled_fraction, tabled_product
from sr2hls.lower.tabled_sum import tabled_sum
from sr2hls.program import Assignment, Kind, linear_terms
from sr2hls.quantize.box_errors import Errors, propagated_in_boxes
from sr2hls.quantize.errors import band, propagated
from sr2hls.targets import Target


@dataclass(frozen=True, slots=True)
class Words:
    """How coarsely a program may be computed: all that is free to choose about its words.

    budgets: local error allowed per inner step, by symbol name (real numbers); spare: per output name, the ulps that
    its step may err beyond the half ulp of its rounding; cuts: per (step, operand), the fraction bits of the operand
    that the step drops before it multiplies; tastes: per function step, what its evaluator is chosen by; tabled: sums
    and products that are made of small tables, not of shifts or a multiplier.
    """

    budgets: Mapping[str, float] = field(default_factory=dict)
    spare: Mapping[str, float] = field(default_factory=dict)
    cuts: Mapping[tuple[str, str], int] = field(default_factory=dict)
    tastes: Mapping[str, Taste] = field(default_factory=dict)
    tabled: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Entry:
    """The ledger's line for one step: real range, node, local and accumulated error, how it is computed."""

    step: Assignment
    range: Interval
    node: int
    format: Format
    local: Interval
    error: Interval
    inherited: Interval
    method: str
    band: str | None = None
    codes: tuple[int, int] = (0, 0)  # the range of the node's code
    boxes: Intervals | None = None  # the inherited error in each box of the domain, where it is cut into some


@dataclass(frozen=True, slots=True)
class Demand:
    """What a linear step must be: its fraction bits, the error allowed for its rounded coefficients, whether exact."""

    step: Assignment
    fraction: int
    slack: float
    exact: bool = False

    def ready(self, nodes: Mapping[str, int]) -> bool:
        """Whether all operands are."""
        return all(operand.name in nodes for operand in self.step.expression.free_symbols)


@dataclass
class State:
    """What is known while lowering: nodes, errors and hardware ranges by symbol name."""

    b: CircuitBuilder
    analysis: Analysis
    target: Target
    words: Words = field(default_factory=Words)
    nodes: dict[str, int] = field(default_factory=dict)
    raw: dict[str, int] = field(default_factory=dict)  # ports before the clamp
    errors: dict[str, Interval] = field(default_factory=dict)
    inherited: dict[str, Errors] = field(default_factory=dict)  # in each box of the domain, where it is cut into some
    spread: dict[str, Errors] = field(default_factory=dict)  # the errors in each box
    uniform: Format | None = None  # every step is cut to this word, as hls4ml does; it may wrap
    arrivals: Arrivals = field(init=False)
    plans: Plans = field(init=False)
    demands: tuple[Demand, ...] = ()  # of the linear steps that are made of shifts and adders
    rows: dict[str, DigitSum] = field(default_factory=dict)  # their digits, where all operands are there

    def __post_init__(self) -> None:
        self.arrivals = Arrivals(self.b, self.target)
        self.plans = Plans(self.b, self.target, self.arrivals)

    def hardware_range(self, name: str) -> Interval:
        """The values that the circuit's word may take: the real range widened by the error.

        In boxes the hull of those of each, so that all of them occur as arguments of what follows. Not of a function:
        between the ranges of two boxes its evaluator may leave both.
        """
        partition = self.analysis.partition
        if partition is None or name in self.analysis.functions:
            return self.analysis.ranges[name] + self.errors[name]
        spread = self.spread.get(name)
        return partition.ranges[name].hull if spread is None else (partition.ranges[name] + spread).hull


def inherited_error(state: State, step: Assignment) -> Interval:
    """What the operands' errors make of the error of a step that is no function; in each box, too."""
    partition = state.analysis.partition
    if partition is None:
        return propagated(step, state.analysis.ranges, state.errors)
    found = propagated_in_boxes(step, partition.ranges, state.spread, len(partition.boxes))
    state.inherited[step.symbol.name] = found
    return ZERO if found is None else found.hull


def enter(state: State, step: Assignment, node: int, local: Interval, inherited: Interval, method: str) -> Entry:
    name = step.symbol.name
    state.errors[name] = inherited + local
    boxes = state.inherited.get(name)
    if state.analysis.partition is not None:
        state.spread[name] = _with_local(boxes, local, len(state.analysis.partition.boxes))
    if step.kind is Kind.FLOOR and not state.errors[step.expression.args[0].name].magnitude <= FLOOR_MARGIN:
        raise FormatError(f"'{step.origin}' needs its operand to be nearer than {float(FLOOR_MARGIN)} to exact")
    if step.kind is not Kind.TURNS:
        reach, fraction = state.hardware_range(name), state.b[node].format.fraction
        whole = state.analysis.partition is None
        node = state.b.narrow(node, *(reach.codes(fraction) if whole else reach.codes_inside(fraction)))
    state.nodes[name] = node
    found, word, inside = band(step, state.errors), state.b[node].format, state.analysis.ranges[name]
    return Entry(step, inside, node, word, local, state.errors[name], inherited, method, found, boxes=boxes)


def _with_local(inherited: Errors, local: Interval, count: int) -> Errors:
    if local == ZERO:
        return inherited
    return Intervals.of([local] * count) if inherited is None else inherited.plus(local)


def linear_step(state: State, demand: Demand, center: Interval = ZERO) -> tuple[int, Interval]:
    step = demand.step
    name, (terms, constant) = step.symbol.name, _terms(state, step)
    result, arrivals = None, None
    if name in state.words.tabled and not demand.exact:
        arrivals = state.arrivals
        result = tabled_sum(state.b, terms, constant, demand.fraction, -center.middle, arrivals)
    if result is None:
        row = _row(state, demand)
        result = linear_sum(state.plans, row, constant, -center.middle, arrivals)
    if step.kind is Kind.LINEAR:
        return result.node, result.error
    bits = max(1, state.b[result.node].format.fraction)
    wrapped = state.b.cast(result.node, Format(False, bits, bits))
    return wrapped, result.error


def _terms(state: State, step: Assignment) -> tuple[list[Term], sympy.Expr]:
    expression = step.expression if step.kind is Kind.LINEAR else step.expression.args[0]
    parts, constant = linear_terms(expression) or ({}, sympy.Integer(0))
    return [Term(k, state.nodes[s.name], state.hardware_range(s.name)) for s, k in parts.items()], constant


def _row(state: State, demand: Demand) -> DigitSum:
    """The digits of a linear step; those of all that can be had by now are planned together."""
    name = demand.step.symbol.name
    if name not in state.rows:
        ready = [d for d in state.demands if d.step.symbol.name not in state.rows and d.ready(state.nodes)]
        if demand not in ready:
            ready.append(demand)
        for one in ready:
            terms, constant = _terms(state, one.step)
            fraction, slack = one.fraction, one.slack
            bits = exact_fraction_bits(terms, constant, state.b) if one.exact else None
            if bits is not None:
                fraction, slack = max(bits, fraction), 2.0**-60
            state.rows[one.step.symbol.name] = digits_of(terms, slack, fraction)
        state.plans.plan([state.rows[one.step.symbol.name].digits for one in ready])
    return state.rows[name]


@dataclass(frozen=True, slots=True)
class Factors:
    """What a product step multiplies: two nodes, low bits to drop from each, and what dropping them makes it err."""

    nodes: tuple[int, int]
    cuts: tuple[int, int]
    error: Interval


def product_fraction(state: State, step: Assignment, factors: Factors) -> int:
    """The fraction bits that the product of what is kept has."""
    if is_tabled(state, step, factors):
        return tabled_fraction(state.b, *factors.nodes, factors.cuts)
    return sum(state.b[node].format.fraction - cut for node, cut in zip(factors.nodes, factors.cuts, strict=True))


def factors_of(state: State, step: Assignment) -> Factors:
    b = state.b
    names = [arg.name for arg in step.expression.args if arg.is_Symbol]
    ends = (names[0], names[-1])
    nodes, (first, second) = [], [state.words.cuts.get((step.symbol.name, name), 0) for name in ends]
    offs = []
    for name, cut in zip(ends, (first, second), strict=True):
        node = state.nodes[name]
        nodes.append(node)
        offs.append(floored(b, node, b[node].format.fraction - cut)[1] if cut else ZERO)
    a, c = (state.hardware_range(name) for name in ends)
    off, aside = offs
    error = ZERO
    if off != ZERO or aside != ZERO:  # (a + off)(c + aside) - ac
        error = a * aside + c * off + off * aside
    return Factors((nodes[0], nodes[1]), (first, second), error)


def is_tabled(state: State, step: Assignment, factors: Factors) -> bool:
    """Whether the product is made of small tables."""
    return step.symbol.name in state.words.tabled and can_be_tabled(state.b, *factors.nodes, factors.cuts)


def product_node(state: State, step: Assignment, factors: Factors, constant: tuple[int, int] = (0, 0)) -> int:
    """The product of the factors without their dropped bits, plus a constant (code, fraction bits)."""
    b = state.b
    if is_tabled(state, step, factors):
        return tabled_product(b, *factors.nodes, factors.cuts, constant, state.arrivals)
    kept = [
        floored(b, node, b[node].format.fraction - cut)[0]
        for node, cut in zip(factors.nodes, factors.cuts, strict=True)
    ]
    product = b.mul(kept[0], kept[1])
    return b.add(product, b.constant(*constant)) if constant[0] else product


def exact_node(state: State, step: Assignment) -> int:
    b = state.b
    args = [state.nodes[arg.name] for arg in step.expression.args if arg.is_Symbol]
    match step.kind:
        case Kind.PRODUCT:
            return b.mul(args[0], args[-1])
        case Kind.MAXIMUM:
            return b.maximum(*args)
        case Kind.MINIMUM:
            return b.minimum(*args)
        case Kind.ABSOLUTE:
            return b.absolute(*args)
        case Kind.FLOOR:
            return b.round_to(args[0], 0)
        case Kind.LESS:
            return b.less(*args)
        case _:
            condition = b.slice(args[0], 0, 0)
            return b.select(condition, *args[1:])


def floored(b: CircuitBuilder, node: int, fraction: int) -> tuple[int, Interval]:
    have = b[node].format.fraction
    if have <= fraction:
        return node, ZERO
    dropped = arb(2) ** -fraction - arb(2) ** -have
    return b.round_to(node, fraction), Interval((-dropped).lower(), arb(0))
