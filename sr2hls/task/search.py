"""`Task` + options → the cheapest design whose bit-accurate metric on the held-out rows stays within the loss.

Input bits are the first lever: they shrink every table and multiplier behind them. A candidate is first judged by the
float64 formula on rounded inputs, which costs nothing; what passes is compiled, run bit by bit, and priced.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from sr2hls.certify import with_notes
from sr2hls.compiler import Options, compile_model
from sr2hls.design import Design
from sr2hls.errors import FormatError, Sr2hlsError
from sr2hls.formats import Format
from sr2hls.interpret import interpret
from sr2hls.model import SymbolicModel
from sr2hls.quantize.from_data import WIDTH, codes_of, format_for
from sr2hls.task.metric import Floats
from sr2hls.task.rows import Task, formula_values
from sr2hls.values import to_codes, to_values
from sr2hls.wordlength import Bill, Timing, bill_of
from sr2hls.wordlength.aim import Aim

_NARROWEST = 2  # bits of an input
_MOST_DESIGNS = 150  # that are compiled on the way


@dataclass(frozen=True, slots=True)
class _State:
    """Bits of each input, doublings of the error target, whether a port takes its whole word (no clamp)."""

    widths: tuple[tuple[str, int], ...]
    doublings: int = 0
    whole: bool = False


@dataclass(frozen=True, slots=True)
class _Candidate:
    state: _State
    design: Design
    bill: Bill
    losses: Mapping[str, float]


def cheapest_design(model: SymbolicModel, options: Options, task: Task, width: int | None = None) -> Design:
    """Descend from `width` bits (12) an input; inputs and ranges that `options` name stay as they are.

    Raises FormatError where not even the finest candidate keeps the loss, or none keeps the limits of `options`.
    """
    search = _Search(model, options, task)
    free = [name for name in task.every if name not in options.inputs and "*" not in options.inputs]
    start = _State(tuple((name, WIDTH if width is None else width) for name in free))
    best = search.judged(start)
    if best is None:
        raise FormatError(
            f"no circuit stays within a loss of {task.allowed}: with {search.first} more input bits (--width) or a "
            "smaller error (--max-error) are needed"
        )
    starts = [search.judged(_narrowest(search, start)) or best, _coarsest(search, best)]
    ends = [_descended(search, begin) for begin in starts]
    aim = Aim(options.limits, best.bill)
    best = min(ends, key=lambda c: (options.limits.excess(c.bill), aim.price(c.bill)))
    final = search.judged(best.state, options.effort) or best
    if Aim(options.limits, best.bill).better(best.bill, final.bill):
        final = best
    if options.limits.excess(final.bill) > 0:
        bill = final.bill
        raise FormatError(
            f"no circuit with at most {options.limits} stays within a loss of {task.allowed}: the nearest has "
            f"{bill.latency} cycles, {bill.luts:.0f} LUT, {bill.dsp:.0f} DSP; allow a larger loss (--max-loss)"
        )
    return final.design


def _descended(search: _Search, best: _Candidate) -> _Candidate:
    """From a candidate to neighbors that are cheaper, until there is none."""
    while True:
        aim = Aim(search.options.limits, best.bill)
        found = [c for c in map(search.judged, _neighbors(best.state)) if c is not None]
        found = [c for c in found if aim.better(c.bill, best.bill)]
        if not found:
            return best
        best = min(found, key=lambda c: aim.price(c.bill))


def _coarsest(search: _Search, best: _Candidate) -> _Candidate:
    """The largest error, the inputs as they are, at which the circuit keeps the loss."""
    while True:
        coarser = search.judged(replace(best.state, doublings=best.state.doublings + 1))
        if coarser is None:
            return best
        best = coarser


def _narrowest(search: _Search, start: _State) -> _State:
    """The fewest bits, the same for all inputs, at which the float64 formula keeps the loss."""
    state = start
    while state.widths and min(bits for _, bits in state.widths) > _NARROWEST:
        narrower = replace(state, widths=tuple((name, bits - 1) for name, bits in state.widths))
        if not search.hopeful(narrower):
            break
        state = narrower
    return state


def _neighbors(state: _State) -> Iterator[_State]:
    yield replace(state, doublings=state.doublings + 1)
    yield replace(state, whole=not state.whole)
    for index, (name, bits) in enumerate(state.widths):
        for fewer in (1, 2):
            if bits - fewer >= _NARROWEST:
                widths = (*state.widths[:index], (name, bits - fewer), *state.widths[index + 1 :])
                yield replace(state, widths=widths)
        wider = (*state.widths[:index], (name, bits + 1), *state.widths[index + 1 :])
        yield replace(state, widths=wider, doublings=state.doublings + 1)


class _Search:
    """Compiles and judges every state once."""

    def __init__(self, model: SymbolicModel, options: Options, task: Task) -> None:
        self.model, self.options, self.task = model, options, task
        self.first = "the words asked for"
        self.base: float | None = options.max_error
        self.known: dict[tuple[_State, str], _Candidate | None] = {}

    def ports(self, state: _State) -> tuple[dict[str, Format], dict[str, tuple[float, float]]]:
        """Formats and ranges of the inputs: those of the options, else from all rows."""
        words, spans = dict(self.options.inputs), dict(self.options.ranges)
        for name, bits in state.widths:
            column = self.task.every[name]
            low, high = spans.get(name, spans.get("*", (float(column.min()), float(column.max()))))
            words[name] = fmt = format_for(low, high, bits)
            if name not in spans and "*" not in spans and not state.whole:
                first, last = (float(fmt.value(code)) for code in codes_of(fmt, low, high))
                spans[name] = first, last
        return words, spans

    def hopeful(self, state: _State) -> bool:
        """Whether the formula itself keeps the loss on inputs rounded to their words."""
        words, spans = self.ports(state)
        columns = {}
        for name, column in self.task.held_out.items():
            fmt = words[name] if name in words else words["*"]
            values = to_values(fmt, to_codes(fmt, column, name))
            columns[name] = np.clip(values, *spans[name]) if name in spans else values
        return self.task.kept(formula_values(self.model, columns))

    def judged(self, state: _State, effort: str = "low") -> _Candidate | None:
        """None where it is refused or loses too much."""
        key = state, effort
        if key not in self.known:
            hopeless = len(self.known) >= _MOST_DESIGNS or (bool(self.known) and not self.hopeful(state))
            self.known[key] = None if hopeless else self._judge(state, effort)
        return self.known[key]

    def _judge(self, state: _State, effort: str) -> _Candidate | None:
        words, spans = self.ports(state)
        options = replace(self.options, inputs=words, ranges=spans, effort=effort, limits=type(self.options.limits)())
        if self.base is None:
            ulps = self.options.max_error_ulps or 1.0
            options = replace(options, max_error_ulps=ulps * 2**state.doublings)
        else:
            options = replace(options, max_error=self.base * 2**state.doublings)
        try:
            design = compile_model(self.model, options)
        except Sr2hlsError:
            if not self.known:  # the first: what the user asked for cannot be compiled
                raise
            return None
        if self.base is None and not self.options.output:  # from now on the output's word follows the error
            self.base = max(output.target for output in design.certificate.outputs)
        predicted = self._predicted(design)
        losses = self.task.losses(predicted)
        if max(losses.values()) > self.task.allowed.amount:
            if not self.known:
                self.first = f"{self._said(losses)}, "
            return None
        design = with_notes(design, self._note(losses))
        ports = int(design.register_inputs) + int(design.register_outputs)
        bill = bill_of(design.circuit, design.target, Timing(design.clock_ns, ports))
        return _Candidate(state, design, bill, losses)

    def _predicted(self, design: Design) -> dict[str, Floats]:
        """What the circuit gives on the held-out rows, bit for bit."""
        held = self.task.held_out
        count = next(iter(held.values())).size
        codes = {name: to_codes(fmt, held[name], name) for name, fmt in design.input_formats.items()}
        outputs = interpret(design.circuit, codes)
        return {
            name: np.broadcast_to(to_values(fmt, outputs[name]), (count,))
            for name, fmt in design.output_formats.items()
        }

    def _said(self, losses: Mapping[str, float]) -> str:
        unit, scale = ("%", 100.0) if self.task.allowed.relative else ("", 1.0)
        return ", ".join(f"a loss of {scale * loss:.3g}{unit} ({name})" for name, loss in losses.items())

    def _note(self, losses: Mapping[str, float]) -> str:
        rows = next(iter(self.task.held_out.values())).size
        metric = self.task.allowed.metric
        formula = ", ".join(f"{value:.6g}" for value in self.task.formula.values())
        return f"{metric} on {rows} held-out rows: {formula} by the formula; the circuit has {self._said(losses)}"
