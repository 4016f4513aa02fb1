"""A step cut to one word for the whole circuit, truncated and wrapped as hls4ml does: for comparison, not for use."""

from __future__ import annotations

from flint import arb

from sr2hls.analyze.interval import ZERO, Interval
from sr2hls.circuit import Overflow, Rounding
from sr2hls.formats import Format
from sr2hls.lower.function import lower_function
from sr2hls.lower.state import Demand, Entry, State, enter, exact_node, floored, linear_step
from sr2hls.program import Assignment, Kind
from sr2hls.quantize.errors import propagated


def cut_step(state: State, step: Assignment, word: Format) -> Entry:
    """Compute a step and cut it to the word. Where its range does not fit, its error is that of a wrapped word."""
    b, ulp = state.b, 2.0**-word.fraction
    name = step.symbol.name
    method = ""
    if step.kind is Kind.FUNCTION:
        result = lower_function(state, step, ulp, word.fraction)
        node, local, inherited, method = result.node, result.local, result.inherited, result.method
    elif step.kind in (Kind.LINEAR, Kind.TURNS):
        size = sum(float(state.hardware_range(s.name).magnitude) for s in step.expression.free_symbols)
        node, local = linear_step(state, Demand(step, word.fraction, max(size, 1.0) * ulp / 2))
        inherited = propagated(step, state.analysis.ranges, state.errors)
    else:
        node, local = floored(b, exact_node(state, step), word.fraction)
        inherited = propagated(step, state.analysis.ranges, state.errors)
    entry = enter(state, step, node, local, inherited, method)
    have = b[entry.node]
    gain = word.fraction - have.format.fraction
    if step.kind is Kind.TURNS or (gain >= 0 and word.holds(have.low << gain, have.high << gain)):
        return entry
    wrapped = b.cast(entry.node, word, Rounding.FLOOR, Overflow.WRAP)
    state.nodes[name] = wrapped
    unit = arb(2) ** -word.fraction
    reach = Interval(arb(word.least) * unit, arb(word.greatest) * unit)
    state.errors[name] = reach - entry.range
    band = f"'{step.origin}' reaches {entry.range}, which {word} does not hold: it wraps"
    return Entry(step, entry.range, wrapped, word, ZERO, state.errors[name], state.errors[name], method, band)
