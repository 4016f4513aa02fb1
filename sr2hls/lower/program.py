"""`Program` + `Analysis` + local error budgets → `Circuit`, with the error of every step proven on the way."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import sympy
from flint import arb

from sr2hls.analyze.interval import ZERO, Interval, ball, exact, nearest_code
from sr2hls.analyze.ranges import Analysis
from sr2hls.builder import CircuitBuilder
from sr2hls.circuit import Circuit, Overflow, Rounding
from sr2hls.errors import FormatError
from sr2hls.formats import Format
from sr2hls.lower.function import lower_function
from sr2hls.lower.state import (
    Demand,
    Entry,
    State,
    Words,
    enter,
    exact_node,
    factors_of,
    floored,
    inherited_error,
    is_tabled,
    linear_step,
    product_fraction,
    product_node,
)
from sr2hls.lower.uniform import cut_step
from sr2hls.program import Assignment, Kind, Program
from sr2hls.targets import Target

_UNBUDGETED = 2.0**-24  # relative local error of a step that no output depends on to first order
_SPARE = 0.125  # ulps that an output step may err beyond its rounding


@dataclass(frozen=True, slots=True)
class Lowered:
    """The circuit, a line per step, and for each output name its proven error."""

    circuit: Circuit
    entries: tuple[Entry, ...]
    errors: Mapping[str, Interval]
    inputs: Mapping[str, int]  # the node that holds each input inside its range, where there is one


def lower(
    program: Program,
    analysis: Analysis,
    words: Words,
    outputs: Mapping[str, Format],
    exact: frozenset[str],
    target: Target,
    uniform: Format | None = None,
) -> Lowered:
    """Lower every step; inner steps may err locally by their budget, output steps are rounded to their word.

    Args:
        words: how coarsely each step may be computed.
        outputs: the word of each output, by output name.
        exact: inner steps to keep exact where that is possible.
        target: the device that function evaluators are chosen for.
        uniform: cut every step to this one word (truncate, wrap) instead; `words` do not matter then.

    Raises:
        FormatError: an output's proven range does not fit its word.
        UnsupportedError: a function or a width that hardware cannot do, naming the sub-expression.
    """
    state = State(CircuitBuilder(), analysis, target, words, uniform=uniform)
    for symbol in program.inputs:
        _lower_input(state, symbol)
    ports = {symbol.name: (name, outputs[name]) for name, symbol in program.outputs}
    entries = []
    if uniform is None:
        state.demands = tuple(
            _demand(state, step, ports, step.symbol.name in exact)
            for step in program.assignments
            if step.kind in (Kind.LINEAR, Kind.TURNS) and step.symbol.name not in words.tabled
        )
    for step in program.assignments:
        state.b.origin = step.origin
        if uniform is not None:
            entry = cut_step(state, step, uniform)
            if step.symbol.name in ports:
                state.nodes[step.symbol.name] = state.b.cast(entry.node, uniform)
            entries.append(entry)
        elif step.symbol.name in ports:
            entries.append(_lower_output(state, step, *ports[step.symbol.name]))
        else:
            entries.append(_lower_step(state, step, step.symbol.name in exact))
    circuit = state.b.build([(name, state.nodes[symbol.name]) for name, symbol in program.outputs])
    return Lowered(
        circuit,
        tuple(_placed(state.b, entry) for entry in entries),
        {name: state.errors[s.name] for name, s in program.outputs},
        {s.name: state.b.places[state.nodes[s.name]] for s in program.inputs if state.nodes[s.name] in state.b.places},
    )


def _placed(b: CircuitBuilder, entry: Entry) -> Entry:
    """With the node's index in the built circuit; -1 where nothing needs the node there, as of a folded constant."""
    node = b[entry.node]
    return replace(entry, node=b.places.get(entry.node, -1), codes=(node.low, node.high))


def _lower_input(state: State, symbol: sympy.Symbol) -> None:
    domain = state.analysis.domains[symbol.name]
    b, name, word = state.b, symbol.name, domain.format
    b.origin = name
    port = b.input(name, word)
    state.raw[name] = state.nodes[name] = port
    state.errors[name] = ZERO
    state.spread[name] = None
    if (domain.low, domain.high) != (word.least, word.greatest):
        b.origin = f"{name} clamped to its range"
        inside = port
        if domain.low > word.least:
            inside = b.maximum(inside, b.constant(domain.low, word.fraction))
        if domain.high < word.greatest:
            inside = b.minimum(inside, b.constant(domain.high, word.fraction))
        state.nodes[name] = b.narrow(inside, domain.low, domain.high)


def _budget(state: State, step: Assignment) -> float:
    """How much an inner step may err."""
    size = float(state.analysis.ranges[step.symbol.name].magnitude)
    return state.words.budgets.get(step.symbol.name, max(size, 2.0**-20) * _UNBUDGETED)


def _demand(state: State, step: Assignment, ports: Mapping[str, tuple[str, Format]], exact: bool) -> Demand:
    """What is wanted of a linear step."""
    if step.symbol.name in ports and step.kind is Kind.LINEAR:
        name, word = ports[step.symbol.name]
        return Demand(step, word.fraction, state.words.spare.get(name, _SPARE) * 2.0**-word.fraction)
    budget = _budget(state, step)
    return Demand(step, math.ceil(math.log2(0.75 / budget)), budget / 4, exact)


def _lower_step(state: State, step: Assignment, exact: bool) -> Entry:
    budget = _budget(state, step)
    b = state.b
    method = ""
    match step.kind:
        case Kind.FUNCTION:
            result = lower_function(state, step, budget)
            node, local, inherited, method = result.node, result.local, result.inherited, result.method
        case Kind.LINEAR | Kind.TURNS:
            node, local = linear_step(state, _demand(state, step, {}, exact))
            inherited = inherited_error(state, step)
        case Kind.PRODUCT:
            factors = factors_of(state, step)
            node = product_node(state, step, factors)
            fraction = b[node].format.fraction if exact else math.ceil(math.log2(1 / budget))
            node, dropped = floored(b, node, fraction)
            local = factors.error + dropped
            inherited = inherited_error(state, step)
        case _:
            node, local = exact_node(state, step), ZERO
            inherited = inherited_error(state, step)
    return enter(state, step, node, local, inherited, method)


def _lower_output(state: State, step: Assignment, name: str, word: Format) -> Entry:
    b, ulp, spare = state.b, 2.0**-word.fraction, state.words.spare.get(name, _SPARE)
    inherited = ZERO if step.kind is Kind.FUNCTION else inherited_error(state, step)
    method = ""
    match step.kind:
        case Kind.FUNCTION:
            result = lower_function(state, step, (0.5 + spare) * ulp, word.fraction)
            node, local, inherited, method = result.node, result.local, result.inherited, result.method
        case Kind.LINEAR:
            node, local = linear_step(state, _demand(state, step, {step.symbol.name: (name, word)}, False), inherited)
        case Kind.PRODUCT:
            factors = factors_of(state, step)
            have = product_fraction(state, step, factors)
            constant, local = _rounding(have, word.fraction, inherited + factors.error)
            half = constant == (1 << max(0, have - word.fraction - 1), have)
            if half and not is_tabled(state, step, factors):  # the cast can add it
                node = b.round_to(product_node(state, step, factors), word.fraction, Rounding.HALF_UP)
            else:
                node = b.round_to(product_node(state, step, factors, constant), word.fraction)
            local = local + factors.error
        case _:
            whole = exact_node(state, step)
            have = b[whole].format.fraction
            constant, local = _rounding(have, word.fraction, inherited)
            if constant == (1 << max(0, have - word.fraction - 1), have):
                node = b.round_to(whole, word.fraction, Rounding.HALF_UP)
            elif constant[0]:
                node = b.round_to(b.add(whole, b.constant(*constant)), word.fraction)
            else:
                node = b.round_to(whole, word.fraction)
    entry = enter(state, step, node, local, inherited, method)
    node = _fitted(state, entry, name, word)
    state.nodes[step.symbol.name] = node
    return replace(entry, node=node, format=word)


def _fitted(state: State, entry: Entry, name: str, word: Format) -> int:
    """The value in exactly the output's word. Raises FormatError where its proven range does not fit.

    Where only the rounding errors leave the word, it saturates: the formula's value lies inside, so that can only
    bring the result nearer to it.
    """
    b, node = state.b, entry.node
    aligned = b.cast(node, Format.least_for(*_aligned_range(b, node, word.fraction), word.fraction))
    if word.holds(b[aligned].low, b[aligned].high):
        return b.cast(aligned, word)
    if exact(entry.range.low) >= word.value(word.least) and exact(entry.range.high) <= word.value(word.greatest):
        return b.cast(aligned, word, overflow=Overflow.SATURATE)
    need = Format.least_for(b[aligned].low, b[aligned].high, word.fraction)
    if word.signed and not need.signed:
        need = Format(True, need.width + 1, need.fraction)
    raise FormatError(
        f"output '{name}' reaches {entry.range}, which does not fit {word}; ask for {need} (--output '{need}'), or auto"
    )


def _aligned_range(b: CircuitBuilder, node: int, fraction: int) -> tuple[int, int]:
    gain = fraction - b[node].format.fraction
    return b[node].low << gain, b[node].high << gain


def _rounding(have: int, fraction: int, inherited: Interval) -> tuple[tuple[int, int], Interval]:
    """The constant (code, fraction bits) that rounds half up and takes out the known bias; what that makes it err."""
    if have <= fraction:
        return (0, fraction), ZERO
    bits = max(have, fraction + 2)
    code = nearest_code(arb(2) ** -(fraction + 1) - inherited.middle, bits)
    offset = ball(code) * arb(2) ** -bits
    dropped = arb(2) ** -fraction - arb(2) ** -bits
    return (code, bits), Interval((offset - dropped).lower(), offset.upper())
