"""A function step → its local and total error: over every code of its argument, or stretch by stretch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from sr2hls.circuit import Op
from sr2hls.design import NodeCertificate
from sr2hls.formats import Format
from sr2hls.verify.boxes import InBox, hull
from sr2hls.verify.evaluate import Formula
from sr2hls.verify.proof import Proof, Stated, Step, Wraps, promised, require, wrapped_reach
from sr2hls.verify.refused import Open, Wrong
from sr2hls.verify.run import Codes, cone, run
from sr2hls.verify.sampled import Sampled, cells, change_within, range_within, values_on
from sr2hls.verify.segments import errors_by_stretch
from sr2hls.verify.span import Span, point
from sr2hls.verify.stretch import last_casts

RUN_BITS = 20
RUN = 1 << RUN_BITS  # arguments that are tried one by one
_ENUMERATED = 1 << 14  # codes of an input whose values are all taken; more are bounded by cells
_FEW = 2  # cells to begin with in one box
_MOST_EDGE = 4096  # codes beyond the formula's range that are tried one by one


@dataclass(frozen=True)
class Argument:
    """What is known of a function's argument: its formula's range, its error, its codes and word."""

    exact: Span
    error: Span
    codes: tuple[int, int]
    word: Format
    enumerated: bool  # an input: only the values of its codes occur
    turns: bool
    boxes: tuple[InBox, ...] = ()  # its values and errors in each box of the domain
    box_codes: tuple[tuple[int, int], ...] = ()  # of an input: its codes there

    def exact_range(self, formula: Formula, stated: Span) -> Span:
        low, high = self.codes
        if self.enumerated and high - low < _ENUMERATED:
            return Sampled(formula, self.word.value(low), self.word.ulp, high - low + 1).hull()
        return range_within(formula, self.exact, stated, "the formula's value")

    def exact_in_boxes(self, formula: Formula, stated: Sequence[InBox]) -> list[Span]:
        """The formula's range in each box, inside the stated ones."""
        if len(stated) != len(self.boxes):
            raise Wrong(f"the certificate has {len(stated)} lines for its {len(self.boxes)} boxes")
        if not self.enumerated or self.codes[1] - self.codes[0] >= _ENUMERATED:
            inside: dict[tuple[Span, Span], Span] = {}
            for place, (part, line) in enumerate(zip(self.boxes, stated, strict=True)):
                key = part.exact, line.exact
                if key not in inside:
                    inside[key] = range_within(formula, *key, f"the formula's value in box {place}", _FEW)
            return [inside[part.exact, line.exact] for part, line in zip(self.boxes, stated, strict=True)]
        found: dict[tuple[int, int], Span] = {}
        low, high = self.codes
        sampled = Sampled(formula, self.word.value(low), self.word.ulp, high - low + 1)
        for codes, line in zip(self.box_codes, stated, strict=True):
            if codes not in found:
                found[codes] = sampled.hull_of(codes[0] - low, codes[1] + 1 - low)
            require(found[codes], line.exact, "formula's value in a box")
        return [found[codes] for codes in self.box_codes]

    def inherited(self, formula: Formula, values: Span, stated: Stated) -> list[Span]:
        """What its error changes, in each box or on the whole domain."""
        what = "the inherited error"
        if not self.boxes:
            one = change_within(formula, self.exact, values, self.error, stated.inherited, what, wraps=self.turns)
            return [one]
        found: dict[tuple[InBox, Span], Span] = {}
        for place, (part, line) in enumerate(zip(self.boxes, stated.boxes, strict=True)):
            if (part, line.error) not in found:
                found[part, line.error] = change_within(
                    formula, part.exact, values, part.error, line.error, f"{what} in box {place}",
                    wraps=self.turns, whole=self.exact, first=_FEW,
                )  # fmt: skip
        return [found[part, line.error] for part, line in zip(self.boxes, stated.boxes, strict=True)]


@dataclass(frozen=True)
class FunctionErrors:
    """error: in all boxes; boxes: in each."""

    local: Span
    error: Span
    hardware: Span
    boxes: tuple[Span, ...] = ()


def function_errors(
    proof: Proof,
    line: NodeCertificate,
    formula: Formula,
    argument: Argument,
    operand: Step,
    exact: Span,
    stated: Stated,
    boxes: Sequence[Span] = (),
) -> FunctionErrors:
    """Prove the errors of a function step; `boxes`: its exact range in each. Raises Wrong or Open."""
    circuit = proof.circuit
    leaf = operand.line.node
    if operand.kind == "input":
        port = next((i for i, n in enumerate(circuit.nodes) if n.op is Op.INPUT and n.name == operand.line.symbol), -1)
        if port >= 0 and circuit.nodes[port].format.width <= RUN_BITS:  # the clamp may be part of a table
            leaf = port
    path = cone(circuit, line.node, [leaf])
    if leaf not in path:
        if any(circuit.nodes[i].op is Op.INPUT for i in path):
            raise Wrong("its node does not depend on its operand")
        if line.codes[0] != line.codes[1]:
            raise Open(f"node {line.node} depends on no input and is no constant by its range")
        return _constant(circuit.nodes[line.node].format.value(line.codes[0]), formula, argument, stated, boxes)
    node = circuit.nodes[leaf]
    reach = wrapped_reach(circuit, line.node)
    if reach is not None and node.high - node.low < RUN:
        _, seen = run(circuit, line.node, leaf, np.arange(node.low, node.high + 1, dtype=np.int64))
        proof.claims |= seen
        raise Wraps(reach)
    inherited = argument.inherited(formula, exact, stated)
    require(hull(inherited), stated.inherited, "inherited error")
    if node.high - node.low < RUN:
        proof.run += 1
        return _run(proof, line, leaf, formula, argument, inherited, stated)
    proof.followed += 1
    return _followed(proof, line, leaf, formula, argument, exact, inherited, stated)


def _constant(
    value: Fraction, formula: Formula, argument: Argument, stated: Stated, boxes: Sequence[Span]
) -> FunctionErrors:
    error = point(value) - argument.exact_range(formula, stated.exact)
    require(error, stated.error, "error")
    return FunctionErrors(error, error, point(value), tuple(point(value) - part for part in boxes))


def _run(
    proof: Proof,
    line: NodeCertificate,
    leaf: int,
    formula: Formula,
    argument: Argument,
    inherited: Sequence[Span],
    stated: Stated,
) -> FunctionErrors:
    """Run the circuit on every code of the argument."""
    node, ulp = proof.circuit.nodes[leaf], proof.circuit.nodes[line.node].format.ulp
    codes = np.arange(node.low, node.high + 1, dtype=np.int64)
    results, path = run(proof.circuit, line.node, leaf, codes)
    proof.claims |= path
    values = Span(int(results.min()) * ulp, int(results.max()) * ulp)
    unit, low = node.format.ulp, node.low
    first, last = _inner(argument, node.low, node.high, unit)
    inner = results[first - low : last + 1 - low]
    local: Span | None = None
    if inner.size:
        sampled = Sampled(formula, first * unit, unit, inner.size)
        local = sampled.errors(inner, ulp)
        require(local, stated.local, "local error")
    edges = [*range(node.low, first), *range(last + 1, node.high + 1)]
    if local is not None:
        require(local + hull(inherited), stated.error, "error")
    errors = _with_edges(
        local, inherited, edges,
        lambda some, limit: _edges(edges, results, low, ulp, unit, formula, some, limit), argument, stated,
    )  # fmt: skip
    if errors is None:
        raise Open("none of its arguments occurs")
    return FunctionErrors(hull(errors) if local is None else local, hull(errors), values, tuple(errors))


def _with_edges(
    local: Span | None,
    inherited: Sequence[Span],
    edges: list[int],
    error_at: Callable[[Argument, Stated], Span | None],
    argument: Argument,
    stated: Stated,
) -> list[Span] | None:
    """The errors in each box: at codes in the formula's range, and at the `edges` beyond it that occur there."""
    found = []
    alike = argument.enumerated or not argument.boxes
    everywhere = error_at(argument, stated) if edges and alike else None
    for place, part in enumerate(inherited):
        edge = everywhere
        if edges and not alike:
            own = replace(argument, exact=argument.boxes[place].exact, error=argument.boxes[place].error)
            edge = error_at(own, replace(stated, error=stated.boxes[place].error + stated.local))
        inner = None if local is None else local + part
        both = [span for span in (inner, edge) if span is not None]
        if not both:
            return None
        found.append(hull(both))
    return found


def _inner(argument: Argument, low: int, high: int, unit: Fraction) -> tuple[int, int]:
    """The codes whose value lies in the formula's range."""
    if argument.turns:
        return low, high
    return max(low, math.ceil(argument.exact.low / unit)), min(high, math.floor(argument.exact.high / unit))


def _edges(
    edges: list[int],
    results: Codes,
    low: int,
    ulp: Fraction,
    unit: Fraction,
    formula: Formula,
    argument: Argument,
    stated: Stated,
) -> Span | None:
    """Total errors at codes that only a rounded (or, at a port, a clamped) argument has: result - f over all t that
    the code may stand for."""
    found: Span | None = None
    known: dict[tuple[Span, int], Span] = {}
    near = argument.exact + argument.error
    first, last = math.ceil(near.low / unit), math.floor(near.high / unit)
    for code in edges:
        if not (argument.enumerated or first <= code <= last):
            continue
        value = point(code * unit)
        if argument.enumerated:  # the clamp is part of the circuit
            end = argument.exact.low if value.low < argument.exact.low else argument.exact.high
            stands_for: Span | None = point(end)
        else:
            stands_for = (value - argument.error).meet(argument.exact)
        if stands_for is None:
            continue
        result = int(results[code - low])
        key = (stands_for, result)
        if key not in known:
            if len(known) > _MOST_EDGE:
                raise Open(f"more than {_MOST_EDGE} codes lie beyond the formula's range")
            known[key] = _total(result * ulp, formula, stands_for, stated, code)
        found = known[key] if found is None else found.hull(known[key])
    return found


def _total(result: Fraction, formula: Formula, stands_for: Span, stated: Stated, code: int) -> Span:
    found: Span | None = None
    waiting = list(cells(stands_for, 1))
    tried = 0
    while waiting:
        cell = waiting.pop()
        tried += 1
        value = values_on(formula, cell)
        error = None if value is None else point(result) - value
        if error is not None and error.inside(stated.error):
            found = error if found is None else found.hull(error)
            continue
        if tried > 2000 or cell.width == 0:
            raise Wrong(f"at the argument's code {code} the error is {error}, the certificate says {stated.error}")
        waiting += cell.halves()
    if found is None:
        raise Open("an empty argument")
    return found


def _followed(
    proof: Proof,
    line: NodeCertificate,
    leaf: int,
    formula: Formula,
    argument: Argument,
    exact: Span,
    inherited: Sequence[Span],
    stated: Stated,
) -> FunctionErrors:
    """Follow the circuit stretch by stretch."""
    circuit = proof.circuit
    node, ulp = circuit.nodes[leaf], circuit.nodes[line.node].format.ulp
    unit = node.format.ulp
    first, last = _inner(argument, node.low, node.high, unit)
    inside = Span(first * unit, last * unit)
    local = errors_by_stretch(circuit, line.node, leaf, (node.low, node.high), formula, inside, stated.local)
    require(local + hull(inherited), stated.error, "error")
    reach = exact + local
    for index in last_casts(circuit, line.node):
        promised(proof, index, reach)
    outside = [*range(node.low, first), *range(last + 1, node.high + 1)]
    if len(outside) > RUN:
        raise Open(f"{len(outside)} codes of its argument lie beyond the formula's range")
    errors = [local + part for part in inherited]
    if outside:
        codes = np.array(outside, dtype=np.int64)
        results = _scattered(codes, run(circuit, line.node, leaf, codes)[0])
        low = int(codes[0])
        errors = _with_edges(
            local, inherited, outside,
            lambda some, limit: _edges(outside, results, low, ulp, unit, formula, some, limit), argument, stated,
        ) or errors  # fmt: skip
    proof.claims |= set(cone(circuit, line.node, [leaf]))
    result = circuit.nodes[line.node]
    return FunctionErrors(local, hull(errors), Span(result.low * ulp, result.high * ulp), tuple(errors))


def _scattered(codes: Codes, results: Codes) -> Codes:
    full: Codes = np.zeros(int(codes[-1] - codes[0]) + 1, dtype=np.int64)
    full[codes - codes[0]] = results
    return full
