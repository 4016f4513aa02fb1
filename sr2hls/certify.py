"""What the lowering proved → `Certificate`: the ledger of ranges, formats, errors and shares.

The leaves (the formula's range, the error inherited, the local error, the slope of a function) are rounded outward to
about 40 bits. The rest follows from them exactly, so that another program can follow it: range = exact range + error,
error = inherited + local, bound = the largest error, each rounded outward the same way. `with_totals` adds the sum of
the numbers of each kind: a number altered where it makes no difference is found by that.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from fractions import Fraction
from typing import Any

from sr2hls.analyze.interval import ZERO, Interval, exact
from sr2hls.analyze.ranges import Analysis
from sr2hls.design import Certificate, Design, NodeCertificate, OutputCertificate
from sr2hls.formats import Format
from sr2hls.load.native import encode
from sr2hls.lower import Entry, Lowered
from sr2hls.model import SymbolicModel
from sr2hls.program import Kind, Program
from sr2hls.quantize.budget import sensitivities

_BITS = 40  # significant bits of the certificate's numbers
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?")
_PARTS = ("name", "circuit", "cycles", "stages", "clock_ns", "critical_ns", "certificate", "provenance", "warnings")

Pair = tuple[float, float]


def certificate(
    model: SymbolicModel,
    program: Program,
    analysis: Analysis,
    lowered: Lowered,
    outputs: Mapping[str, Format],
    targets: Mapping[str, float],
    notes: tuple[str, ...] = (),
) -> Certificate:
    """Collect the proof's numbers, rounded outward."""
    weights: dict[str, float] = {}
    shares: dict[str, float] = {}
    for name, symbol in program.outputs:
        for step, weight in sensitivities(program, analysis, symbol).items():
            weights[step] = max(weights.get(step, 0.0), weight)
            shares[step] = max(shares.get(step, 0.0), weight / targets[name] if targets[name] else 0.0)
    nodes = [_input(name, analysis, lowered, weights) for name in (s.name for s in program.inputs)]
    errors = {node.symbol: node.error for node in nodes}
    for entry in lowered.entries:
        nodes.append(_node(entry, analysis, weights, shares, errors))
        errors[entry.step.symbol.name] = nodes[-1].error
    bands = {
        name: tuple(e.band for e in lowered.entries if e.band is not None and e.step.symbol.name in cone)
        for name, cone in _cones(program).items()
    }
    symbols = {name: symbol.name for name, symbol in program.outputs}
    proven = tuple(
        OutputCertificate(
            name=output.name,
            formula=output.provenance.equation,
            format=str(outputs[output.name]),
            target=targets[output.name],
            bound=_magnitude(errors[symbols[output.name]]),
            bands=bands[output.name],
            symbol=symbols[output.name],
        )
        for output in model.outputs
    )
    domain = tuple((s.name, *_exact(analysis, s.name)) for s in program.inputs)
    cuts = () if analysis.partition is None else analysis.partition.cuts
    return Certificate(proven, tuple(nodes), domain, notes + _notes(model, program, analysis, lowered), boxes=cuts)


def _cones(program: Program) -> dict[str, set[str]]:
    """Per output, the names of the steps that it depends on."""
    uses = {a.symbol.name: {s.name for s in a.expression.free_symbols} for a in program.assignments}
    cones: dict[str, set[str]] = {}
    for name, symbol in program.outputs:
        reached, waiting = set[str](), [symbol.name]
        while waiting:
            step = waiting.pop()
            if step not in reached:
                reached.add(step)
                waiting += uses.get(step, ())
        cones[name] = reached
    return cones


def _node(
    entry: Entry,
    analysis: Analysis,
    weights: Mapping[str, float],
    shares: Mapping[str, float],
    errors: Mapping[str, Pair],
) -> NodeCertificate:
    step = entry.step
    name = step.symbol.name
    inside, inherited, local = map(_outward, (entry.range, entry.inherited, entry.local))
    error = _sum(inherited, local)
    cells = analysis.cells.get(name)
    return NodeCertificate(
        expression=step.origin,
        kind=str(step.kind),
        range=_sum(inside, error),
        format=str(entry.format),
        local_error=local,
        error=error,
        sensitivity=weights.get(name, 0.0),
        share=_magnitude(local) * shares.get(name, 0.0),
        method=entry.method,
        symbol=name,
        definition=_tuples(encode(step.expression)),
        node=entry.node,
        codes=entry.codes,
        exact_range=inside,
        inherited=inherited,
        slope=0.0 if cells is None else cells.steepest,
        band=_band(entry, errors),
        boxes=_boxes(entry, analysis),
    )


def _boxes(entry: Entry, analysis: Analysis) -> tuple[tuple[float, float, float, float], ...]:
    """Of a function in each box: the range of its exact value, and the error inherited from its argument."""
    partition = analysis.partition
    if partition is None or entry.step.kind is not Kind.FUNCTION:
        return ()
    ranges = partition.ranges[entry.step.symbol.name]
    errors = [ZERO] * len(partition.boxes) if entry.boxes is None else entry.boxes
    return tuple((*_outward(inside), *_outward(error)) for inside, error in zip(ranges, errors, strict=True))


def _band(entry: Entry, errors: Mapping[str, Pair]) -> float:
    if entry.step.kind not in (Kind.LESS, Kind.FLOOR):
        return 0.0
    return math.fsum(_magnitude(errors[arg.name]) for arg in entry.step.expression.args)


def _input(name: str, analysis: Analysis, lowered: Lowered, weights: Mapping[str, float]) -> NodeCertificate:
    domain = analysis.domains[name]
    inside = _exact(analysis, name)
    return NodeCertificate(
        expression=name,
        kind="input",
        range=inside,
        format=str(domain.format),
        local_error=(0.0, 0.0),
        error=(0.0, 0.0),
        sensitivity=weights.get(name, 0.0),
        share=0.0,
        symbol=name,
        node=lowered.inputs.get(name, -1),
        codes=(domain.low, domain.high),
        exact_range=inside,
    )


def boxes_note(count: int) -> str:
    """What the report says of the boxes."""
    return f"the bound is proven in each of {count} boxes that cover the domain (--subdivide)"


def _tuples(data: Any) -> Any:
    return tuple(map(_tuples, data)) if isinstance(data, list) else data


def _exact(analysis: Analysis, name: str) -> tuple[float, float]:
    domain = analysis.domains[name]
    return float(domain.format.value(domain.low)), float(domain.format.value(domain.high))


def _magnitude(pair: Pair) -> float:
    return max(0.0, -pair[0], pair[1])


def _outward(interval: Interval) -> Pair:
    return _rounded(exact(interval.low), exact(interval.high)) if interval.finite else interval.floats()


def _sum(a: Pair, b: Pair) -> Pair:
    if not all(map(math.isfinite, a + b)):
        return a[0] + b[0], a[1] + b[1]
    return _rounded(Fraction(a[0]) + Fraction(b[0]), Fraction(a[1]) + Fraction(b[1]))


def _rounded(low: Fraction, high: Fraction) -> Pair:
    """Outward to multiples of 2^-40 of the larger end's power of two, and one further where that is not exact."""
    size = max(abs(low), abs(high))
    if size == 0:
        return 0.0, 0.0
    step = Fraction(2) ** (math.frexp(float(size))[1] - 1 - _BITS)
    below, above = math.floor(low / step), math.ceil(high / step)
    below, above = below - (below * step != low), above + (above * step != high)
    return float(below * step), float(above * step)


def with_totals(design: Design) -> Design:
    """The design with the totals of its numbers in the certificate."""
    sums: dict[str, int | Fraction] = {}
    for part in _PARTS:
        for place, number in _numbers(part, getattr(design, part)):
            sums[place] = sums.get(place, 0) + number
    totals = tuple((place, str(total)) for place, total in sorted(sums.items()))
    return replace(design, certificate=replace(design.certificate, totals=totals))


def with_notes(design: Design, *notes: str) -> Design:
    """The design with more notes in the certificate."""
    ledger = design.certificate
    return with_totals(replace(design, certificate=replace(ledger, notes=ledger.notes + notes, totals=())))


def _numbers(place: str, value: Any) -> Iterator[tuple[str, int | Fraction]]:
    """Every number below a value, those in its texts too, with the names of the fields that lead there."""
    if is_dataclass(value):
        for field in fields(value):
            yield from _numbers(f"{place}.{field.name}", getattr(value, field.name))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _numbers(f"{place}.{key}", item)
    elif isinstance(value, tuple | list):
        if value and all(type(item) is int for item in value):  # a table
            yield place, sum(value)
            return
        for item in value:
            yield from _numbers(place, item)
    elif isinstance(value, str):
        for text in _NUMBER.findall(value):
            yield place, Fraction(text)
    elif isinstance(value, int):
        yield place, int(value)
    elif isinstance(value, float) and math.isfinite(value):
        yield place, Fraction(value)


def _notes(model: SymbolicModel, program: Program, analysis: Analysis, lowered: Lowered) -> tuple[str, ...]:
    notes = []
    for symbol in program.inputs:
        domain = analysis.domains[symbol.name]
        if (domain.low, domain.high) != (domain.format.least, domain.format.greatest):
            low, high = _exact(analysis, symbol.name)
            notes.append(f"{symbol.name} is clamped to [{low:g}, {high:g}]; the bound holds for the clamped value")
    if analysis.partition is not None:
        notes.append(boxes_note(len(analysis.partition.boxes)))
    ports = {name for name, _ in lowered.circuit.inputs}
    unused = [name for name in model.inputs if name not in ports]
    if unused:
        notes.append(f"no output depends on {', '.join(unused)} on these ranges: no port")
    return tuple(notes)
