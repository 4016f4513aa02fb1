"""What is proven of a design so far, step by step, and the small checks that every rule needs."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import sympy

from sr2hls.circuit import Circuit, Node, Op, Overflow
from sr2hls.design import Design, NodeCertificate
from sr2hls.verify.boxes import Codes, InBox
from sr2hls.verify.forms import fits
from sr2hls.verify.refused import Wrong
from sr2hls.verify.span import Span, of_floats


@dataclass(frozen=True)
class Step:
    """One line of the certificate, with its definition read, and what is proven of it here."""

    line: NodeCertificate
    kind: str
    expression: sympy.Expr | None  # over the symbols of operands; of `turns` the inside; None: an input
    operands: tuple[str, ...]
    exact: Span  # of the formula's value
    hardware: Span  # of the circuit's value
    local: Span
    error: Span  # circuit - formula; outside the bands of comparisons
    virtual: bool = False  # no node holds the value, and it is no constant
    banded: bool = False  # a comparison that may flip lies behind it
    boxes: tuple[InBox, ...] = ()  # exact value and error in each box of the domain, where it is cut into some


@dataclass(frozen=True)
class Stated:
    """The certificate's intervals of a step."""

    exact: Span
    local: Span
    inherited: Span
    error: Span
    boxes: tuple[InBox, ...] = ()  # exact range and inherited error


@dataclass
class Proof:
    """What was proven so far."""

    design: Design
    boxes: list[Codes] = field(default_factory=list)  # that the domain is cut into
    steps: dict[str, Step] = field(default_factory=dict)
    claims: set[int] = field(default_factory=set)  # wrapping casts whose promise holds
    run: int = 0  # functions that were run on every argument
    followed: int = 0  # functions that were followed by stretches

    @property
    def circuit(self) -> Circuit:
        return self.design.circuit


class Wraps(Exception):  # noqa: N818
    """The step ends in a word that does not hold it."""

    def __init__(self, reach: Span) -> None:
        super().__init__()
        self.reach = reach


def stated_of(line: NodeCertificate) -> Stated:
    spans = [of_floats(pair) for pair in (line.exact_range, line.local_error, line.inherited, line.error)]
    if any(span is None or span.low > span.high for span in spans):
        raise Wrong("an interval of the certificate is empty or not finite")
    exact, local, inherited, error = (span for span in spans if span is not None)
    return Stated(exact, local, inherited, error, tuple(map(_box, line.boxes)))


def _box(numbers: tuple[float, float, float, float]) -> InBox:
    exact, inherited = of_floats(numbers[:2]), of_floats(numbers[2:])
    if exact is None or inherited is None or exact.low > exact.high or inherited.low > inherited.high:
        raise Wrong("an interval of one of the boxes is empty or not finite")
    return InBox(exact, inherited)


def require(found: Span, stated: Span, what: str) -> None:
    if not found.inside(stated):
        raise Wrong(f"the {what} is in {found}, the certificate says {stated}")


def require_node(proof: Proof, line: NodeCertificate) -> None:
    if not line.node < len(proof.circuit.nodes):
        raise Wrong(f"there is no node {line.node}")
    node = proof.circuit.nodes[line.node]
    if (node.low, node.high) != line.codes:
        raise Wrong(f"node {line.node} has the codes [{node.low}, {node.high}], the certificate says {line.codes}")


def promised(proof: Proof, index: int, value: Span) -> None:
    """A wrapping cast's range must hold every code of a value that its argument can have, too."""
    node = proof.circuit.nodes[index]
    scale = 1 / node.format.ulp
    low, high = math.ceil(value.low * scale), math.floor(value.high * scale)
    if node.op is Op.CAST:  # the argument's range is proven by itself
        least, most = _as_cast(proof.circuit.nodes[node.args[0]], node.format.fraction)
        low, high = max(low, least), min(high, most)
    if low < node.low or high > node.high:
        raise Wrong(f"node {index} promises the codes [{node.low}, {node.high}], but reaches [{low}, {high}]")
    proof.claims.add(index)


def _as_cast(node: Node, fraction: int) -> tuple[int, int]:
    """The codes of a node's range with so many fraction bits, however it is rounded."""
    gain = fraction - node.format.fraction
    if gain >= 0:
        return node.low << gain, node.high << gain
    return node.low >> -gain, (node.high >> -gain) + 1


def wrapped_reach(circuit: Circuit, index: int) -> Span | None:
    """The values of a word that does not hold what is cast to it (`--precision`); None of any other node."""
    node = circuit.nodes[index]
    fmt = node.format
    full = (node.low, node.high) == (fmt.least, fmt.greatest)
    if node.op is not Op.CAST or node.overflow is not Overflow.WRAP or not full or fits(circuit, node):
        return None
    return Span(fmt.value(fmt.least), fmt.value(fmt.greatest))
