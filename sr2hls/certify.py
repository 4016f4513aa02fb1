"""What the lowering proved → `Certificate`: the ledger of ranges, formats, errors and shares."""

from __future__ import annotations

import math
from collections.abc import Mapping

from sr2hls.analyze.interval import ZERO, Interval
from sr2hls.analyze.ranges import Analysis
from sr2hls.design import Certificate, NodeCertificate, OutputCertificate
from sr2hls.formats import Format
from sr2hls.lower import Entry, Lowered
from sr2hls.model import SymbolicModel
from sr2hls.program import Program
from sr2hls.quantize.budget import sensitivities


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
            shares[step] = max(shares.get(step, 0.0), weight / targets[name])
    nodes = [_input(name, analysis, weights) for name in (s.name for s in program.inputs)]
    nodes += [_node(entry, weights, shares) for entry in lowered.entries]
    bands = {
        name: tuple(e.band for e in lowered.entries if e.band is not None and e.step.symbol.name in cone)
        for name, cone in _cones(program).items()
    }
    proven = tuple(
        OutputCertificate(
            name=output.name,
            formula=output.provenance.equation,
            format=str(outputs[output.name]),
            target=targets[output.name],
            bound=_outward(lowered.errors[output.name]),
            bands=bands[output.name],
        )
        for output in model.outputs
    )
    domain = tuple((s.name, *_exact(analysis, s.name)) for s in program.inputs)
    return Certificate(proven, tuple(nodes), domain, notes + _notes(model, program, analysis, lowered))


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


def _node(entry: Entry, weights: Mapping[str, float], shares: Mapping[str, float]) -> NodeCertificate:
    name = entry.step.symbol.name
    return NodeCertificate(
        expression=entry.step.origin,
        kind=str(entry.step.kind),
        range=(entry.range + entry.error).floats(),
        format=str(entry.format),
        local_error=entry.local.floats() if entry.local != ZERO else (0.0, 0.0),
        error=entry.error.floats() if entry.error != ZERO else (0.0, 0.0),
        sensitivity=weights.get(name, 0.0),
        share=float(entry.local.magnitude) * shares.get(name, 0.0),
        method=entry.method,
    )


def _input(name: str, analysis: Analysis, weights: Mapping[str, float]) -> NodeCertificate:
    domain = analysis.domains[name]
    return NodeCertificate(
        name, "input", _exact(analysis, name), str(domain.format), (0.0, 0.0), (0.0, 0.0), weights.get(name, 0.0), 0.0
    )


def _exact(analysis: Analysis, name: str) -> tuple[float, float]:
    domain = analysis.domains[name]
    return float(domain.format.value(domain.low)), float(domain.format.value(domain.high))


def _outward(error: Interval) -> float:
    return 0.0 if error == ZERO else math.nextafter(float(error.magnitude), math.inf)


def _notes(model: SymbolicModel, program: Program, analysis: Analysis, lowered: Lowered) -> tuple[str, ...]:
    notes = []
    for symbol in program.inputs:
        domain = analysis.domains[symbol.name]
        if (domain.low, domain.high) != (domain.format.least, domain.format.greatest):
            low, high = _exact(analysis, symbol.name)
            notes.append(f"{symbol.name} is clamped to [{low:g}, {high:g}]; the bound holds for the clamped value")
    ports = {name for name, _ in lowered.circuit.inputs}
    unused = [name for name in model.inputs if name not in ports]
    if unused:
        notes.append(f"no output depends on {', '.join(unused)} on these ranges: no port")
    return tuple(notes)
