"""`Program` + `Analysis` + local error budgets → `Circuit`, with the error of every step proven on the way."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import sympy
from flint import arb

from sr2hls.analyze.interval import ZERO, Interval, ball, nearest_code
from sr2hls.analyze.ranges import Analysis
from sr2hls.builder import CircuitBuilder
from sr2hls.circuit import Circuit, Rounding
from sr2hls.errors import FormatError
from sr2hls.formats import Format
from sr2hls.lower.function import lower_function
from sr2hls.lower.linear import Term, exact_fraction_bits, linear_sum
from sr2hls.program import Assignment, Kind, Program, linear_terms
from sr2hls.quantize.errors import band, propagated

_UNBUDGETED = 2.0**-24  # relative local error of a step that no output depends on to first order


@dataclass(frozen=True, slots=True)
class Entry:
    """The ledger's line for one step: real range, node, local and accumulated error, how it is computed."""

    step: Assignment
    range: Interval
    node: int
    format: Format
    local: Interval
    error: Interval
    method: str
    band: str | None = None


@dataclass(frozen=True, slots=True)
class Lowered:
    """The circuit, a line per step, and for each output name its proven error."""

    circuit: Circuit
    entries: tuple[Entry, ...]
    errors: Mapping[str, Interval]


@dataclass
class State:
    """What is known while lowering: nodes, errors and hardware ranges by symbol name."""

    b: CircuitBuilder
    analysis: Analysis
    nodes: dict[str, int] = field(default_factory=dict)
    raw: dict[str, int] = field(default_factory=dict)  # ports before the clamp
    errors: dict[str, Interval] = field(default_factory=dict)

    def hardware_range(self, name: str) -> Interval:
        """The values that the circuit's word may take: the real range widened by the error."""
        return self.analysis.ranges[name] + self.errors[name]


def lower(
    program: Program,
    analysis: Analysis,
    budgets: Mapping[str, float],
    outputs: Mapping[str, Format],
    exact: frozenset[str],
) -> Lowered:
    """Lower every step; inner steps may err locally by their budget, output steps are rounded to their word.

    Args:
        budgets: local error allowed per inner step, by symbol name (real numbers).
        outputs: the word of each output, by output name.
        exact: inner steps to keep exact where that is possible.

    Raises:
        FormatError: an output's proven range does not fit its word.
        UnsupportedError: a function or a width that hardware cannot do, naming the sub-expression.
    """
    state = State(CircuitBuilder(), analysis)
    for symbol in program.inputs:
        _lower_input(state, symbol)
    words = {symbol.name: (name, outputs[name]) for name, symbol in program.outputs}
    entries = []
    for step in program.assignments:
        state.b.origin = step.origin
        if step.symbol.name in words:
            entries.append(_lower_output(state, step, *words[step.symbol.name]))
        else:
            entries.append(_lower_step(state, step, budgets, step.symbol.name in exact))
    circuit = state.b.build([(name, state.nodes[symbol.name]) for name, symbol in program.outputs])
    return Lowered(circuit, tuple(entries), {name: state.errors[s.name] for name, s in program.outputs})


def _lower_input(state: State, symbol: sympy.Symbol) -> None:
    domain = state.analysis.domains[symbol.name]
    b, name, word = state.b, symbol.name, domain.format
    b.origin = name
    port = b.input(name, word)
    state.raw[name] = state.nodes[name] = port
    state.errors[name] = ZERO
    if (domain.low, domain.high) != (word.least, word.greatest):
        b.origin = f"{name} clamped to its range"
        inside = port
        if domain.low > word.least:
            inside = b.maximum(inside, b.constant(domain.low, word.fraction))
        if domain.high < word.greatest:
            inside = b.minimum(inside, b.constant(domain.high, word.fraction))
        state.nodes[name] = b.narrow(inside, domain.low, domain.high)


def _lower_step(state: State, step: Assignment, budgets: Mapping[str, float], exact: bool) -> Entry:
    name = step.symbol.name
    size = float(state.analysis.ranges[name].magnitude)
    budget = budgets.get(name, max(size, 2.0**-20) * _UNBUDGETED)
    b = state.b
    method = ""
    match step.kind:
        case Kind.FUNCTION:
            result = lower_function(state, step, budget)
            node, local, inherited, method = result.node, result.local, result.inherited, result.method
        case Kind.LINEAR | Kind.TURNS:
            fraction = math.ceil(math.log2(0.75 / budget))
            node, local = _linear(state, step, fraction, budget / 4, exact)
            inherited = propagated(step, state.analysis.ranges, state.errors)
        case Kind.PRODUCT:
            node = _exact_node(state, step)
            fraction = b[node].format.fraction if exact else math.ceil(math.log2(1 / budget))
            node, local = _floored(b, node, fraction)
            inherited = propagated(step, state.analysis.ranges, state.errors)
        case _:
            node, local = _exact_node(state, step), ZERO
            inherited = propagated(step, state.analysis.ranges, state.errors)
    return _enter(state, step, node, local, inherited, method)


def _lower_output(state: State, step: Assignment, name: str, word: Format) -> Entry:
    b, ulp = state.b, 2.0**-word.fraction
    inherited = ZERO if step.kind is Kind.FUNCTION else propagated(step, state.analysis.ranges, state.errors)
    method = ""
    match step.kind:
        case Kind.FUNCTION:
            result = lower_function(state, step, 0.75 * ulp, word.fraction)
            node, local, inherited, method = result.node, result.local, result.inherited, result.method
        case Kind.LINEAR:
            node, local = _linear(state, step, word.fraction, ulp / 8, exact=False, center=inherited)
        case _:
            node, local = _rounded_output(b, _exact_node(state, step), word.fraction, inherited)
    entry = _enter(state, step, node, local, inherited, method)
    node = _fitted(state, entry, name, word)
    return Entry(step, entry.range, node, word, local, entry.error, method, entry.band)


def _fitted(state: State, entry: Entry, name: str, word: Format) -> int:
    """The value in exactly the output's word. Raises FormatError where its proven range does not fit."""
    b, node = state.b, entry.node
    aligned = b.cast(node, Format.least_for(*_aligned_range(b, node, word.fraction), word.fraction))
    if not word.holds(b[aligned].low, b[aligned].high):
        need = Format.least_for(b[aligned].low, b[aligned].high, word.fraction)
        if word.signed and not need.signed:
            need = Format(True, need.width + 1, need.fraction)
        raise FormatError(
            f"output '{name}' reaches {state.hardware_range(entry.step.symbol.name)}, which does not fit {word}; "
            f"ask for {need} (--output {need}), or auto"
        )
    return b.cast(aligned, word)


def _aligned_range(b: CircuitBuilder, node: int, fraction: int) -> tuple[int, int]:
    gain = fraction - b[node].format.fraction
    return b[node].low << gain, b[node].high << gain


def _enter(state: State, step: Assignment, node: int, local: Interval, inherited: Interval, method: str) -> Entry:
    name = step.symbol.name
    state.errors[name] = inherited + local
    if step.kind is not Kind.TURNS:
        node = state.b.narrow(node, *state.hardware_range(name).codes(state.b[node].format.fraction))
    state.nodes[name] = node
    found = band(step, state.errors)
    return Entry(
        step, state.analysis.ranges[name], node, state.b[node].format, local, state.errors[name], method, found
    )


def _linear(
    state: State, step: Assignment, fraction: int, slack: float, exact: bool, center: Interval = ZERO
) -> tuple[int, Interval]:
    expression = step.expression if step.kind is Kind.LINEAR else step.expression.args[0]
    parts, constant = linear_terms(expression) or ({}, sympy.Integer(0))
    terms = [Term(k, state.nodes[s.name], state.hardware_range(s.name)) for s, k in parts.items()]
    if exact:
        bits = exact_fraction_bits(terms, constant, state.b)
        fraction, slack = (fraction, slack) if bits is None else (max(bits, fraction), 2.0**-60)
    result = linear_sum(state.b, terms, constant, fraction, slack, -center.middle)
    if step.kind is Kind.LINEAR:
        return result.node, result.error
    bits = max(1, state.b[result.node].format.fraction)
    wrapped = state.b.cast(result.node, Format(False, bits, bits))
    return wrapped, result.error


def _exact_node(state: State, step: Assignment) -> int:
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


def _floored(b: CircuitBuilder, node: int, fraction: int) -> tuple[int, Interval]:
    have = b[node].format.fraction
    if have <= fraction:
        return node, ZERO
    dropped = arb(2) ** -fraction - arb(2) ** -have
    return b.round_to(node, fraction), Interval((-dropped).lower(), arb(0))


def _rounded_output(b: CircuitBuilder, node: int, fraction: int, inherited: Interval) -> tuple[int, Interval]:
    """Round half up, the known bias of the operands taken out by the same adder."""
    have = b[node].format.fraction
    if have <= fraction:
        return node, ZERO
    bits = max(have, fraction + 2)
    wanted = arb(2) ** -(fraction + 1) - inherited.middle
    code = nearest_code(wanted, bits)
    offset = ball(code) * arb(2) ** -bits
    if bits == have and code == 1 << (have - fraction - 1):
        moved = b.round_to(node, fraction, Rounding.HALF_UP)
    else:
        moved = b.round_to(b.add(node, b.constant(code, bits)), fraction)
    dropped = arb(2) ** -fraction - arb(2) ** -bits
    return moved, Interval((offset - dropped).lower(), offset.upper())
