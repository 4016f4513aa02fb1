"""An input's line of the certificate → its proven domain: the port's code, clamped."""

from __future__ import annotations

import numpy as np

from sr2hls.design import NodeCertificate
from sr2hls.formats import Format
from sr2hls.verify import forms
from sr2hls.verify.boxes import InBox
from sr2hls.verify.forms import Reading
from sr2hls.verify.proof import Proof, Step, promised, require_node
from sr2hls.verify.refused import Open, Wrong
from sr2hls.verify.run import run
from sr2hls.verify.span import ZERO, Span, of_floats


def prove_input(proof: Proof, line: NodeCertificate, limits: tuple[float, float], port: int | None) -> Step:
    word = Format.parse(line.format)
    low, high = line.codes
    if not (word.holds(low, high) and low <= high):
        raise Wrong(f"{line.codes} are no codes of {word}")
    inside = Span(word.value(low), word.value(high))
    for what, pair in (("domain", limits), ("range", line.range), ("exact range", line.exact_range)):
        if of_floats(pair) != inside:
            raise Wrong(f"the {what} is {pair}, the codes say {inside}")
    if (line.error, line.local_error, line.inherited) != ((0.0, 0.0),) * 3 or line.definition is not None:
        raise Wrong("an input has no error and no definition")
    if port is not None and proof.circuit.nodes[port].format != word:
        raise Wrong(f"the port is {proof.circuit.nodes[port].format}, the certificate says {word}")
    virtual = line.node < 0 and low != high
    if line.node >= 0:
        require_node(proof, line)
        if port is None:
            raise Wrong("there is no port of this name")
        _clamped(proof, line.node, port, low, high)
    boxes = tuple(InBox(Span(*(word.value(code) for code in box[line.symbol])), ZERO) for box in proof.boxes)
    return Step(line, "input", None, (), inside, inside, ZERO, ZERO, virtual and port is None, boxes=boxes)


def _clamped(proof: Proof, node: int, port: int, low: int, high: int) -> None:
    """The node must be the port's code, clamped."""
    circuit = proof.circuit
    word = circuit.nodes[port].format
    if circuit.nodes[node].format.fraction != word.fraction:
        raise Wrong("the clamped input has another fraction")
    if word.width <= 20:
        codes = np.arange(word.least, word.greatest + 1, dtype=np.int64)
        found, path = run(circuit, node, port, codes)
        if not np.array_equal(found, np.clip(codes, low, high)):
            raise Wrong(f"node {node} is not the port's code clamped to [{low}, {high}]")
        proof.claims |= path
        return
    name = circuit.nodes[port].name
    reading = Reading(circuit, {port: name}, {name: Span(word.value(word.least), word.value(word.greatest))})
    expected = forms.operand(name)
    if low > word.least:
        expected = forms.applied("max", expected, forms.number(word.value(low)))
    if high < word.greatest:
        expected = forms.applied("min", expected, forms.number(word.value(high)))
    if reading.form(node) != expected:
        raise Open(f"node {node} is not seen to be the port clamped to [{low}, {high}]")
    for index, form in reading.claims.items():
        promised(proof, index, forms.bound(form.terms, reading.sizes))
