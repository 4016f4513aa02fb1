"""Circuit → is every range that a wrapping cast claims, and that a later format relies on, really kept?

Proven over all inputs: by running them where the claim depends on few input bits, else by z3.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from sr2hls.check.cones import EQUAL, Sides, ask, golden_terms
from sr2hls.check.reliance import reliance
from sr2hls.check.smt import in_range
from sr2hls.circuit import Circuit, Node, Op
from sr2hls.errors import CircuitError
from sr2hls.interpret import Codes, interpret

_FEW_BITS = 20


@dataclass(frozen=True, slots=True)
class Claims:
    """Nodes whose claim is proven by running all inputs, by z3, and those for which it is not proven."""

    run: tuple[int, ...] = ()
    solved: tuple[int, ...] = ()
    open: tuple[int, ...] = ()


def claims(both: Sides, deadline: float) -> Claims:
    """Prove the claims of the design's circuit that its formats rely on, as far as the time allows."""
    circuit = both.design.circuit
    run: list[int] = []
    solved: list[int] = []
    unproven: list[int] = []
    terms = None
    for index in reliance(circuit).claims:
        ports = support(circuit, index)
        if sum(circuit.nodes[port].format.width for port in ports) <= _FEW_BITS:
            (run if _holds(circuit, index, ports) else unproven).append(index)
            continue
        node = circuit.nodes[index]
        terms = terms or golden_terms(both)
        outside = _outside(terms[index], node)
        status, _ = ask(outside, [], both, deadline) if time.monotonic() < deadline else ("", {})
        (solved if status == EQUAL else unproven).append(index)
    return Claims(tuple(run), tuple(solved), tuple(unproven))


def support(circuit: Circuit, index: int) -> list[int]:
    """The input nodes that a node depends on."""
    reached = {index}
    for place in range(index, -1, -1):
        if place in reached:
            reached.update(circuit.nodes[place].args)
    return sorted(place for place in reached if circuit.nodes[place].op is Op.INPUT)


def _holds(circuit: Circuit, index: int, ports: list[int]) -> bool:
    part = Circuit(circuit.nodes[: index + 1], (("value", index),), circuit.tables)
    rest = np.arange(1 << sum(circuit.nodes[port].format.width for port in ports), dtype=np.int64)
    codes: dict[str, Codes] = {name: np.zeros_like(rest) for name, _ in part.inputs}
    for port in ports:
        node = circuit.nodes[port]
        bits = rest & ((1 << node.format.width) - 1)
        codes[node.name] = bits + node.format.least if node.format.signed else bits
        rest = rest >> node.format.width
    values = interpret(part, codes)["value"]
    node = circuit.nodes[index]
    return bool(values.min() >= node.low and values.max() <= node.high)


def _outside(term: object, node: Node) -> object:
    import z3

    conditions = in_range(term, node.format, node.low, node.high)
    if not conditions:
        raise CircuitError("a claim of the whole format")
    return z3.Not(z3.And(*conditions))
