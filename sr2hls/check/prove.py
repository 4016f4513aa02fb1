"""`Design` + its Verilog text → a proof that the text computes the integer model for every input, or what is known."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sr2hls.check.claims import claims
from sr2hls.check.cones import (
    DIFFERENT,
    EQUAL,
    Inputs,
    Sides,
    compare,
    evaluated,
    every_operation,
    nothing,
    products_and_tables,
    sides,
)
from sr2hls.check.netlist import Netlist, read_netlist, unproven_cells
from sr2hls.check.vectors import input_bits, input_vectors
from sr2hls.design import Design
from sr2hls.emit.verilog import module_name, port_names, verilog
from sr2hls.interpret import interpret

PROVEN, REFUTED, NOT_PROVEN = "proven", "refuted", "not proven"

# how much of the time that is left each way may take, tried in this order
_WAYS = (
    ("operation by operation", every_operation, 0.5, True),
    ("operation by operation", every_operation, 0.4, False),
    ("split at products and tables", products_and_tables, 0.5, False),
    ("as a whole", nothing, 1.0, False),
)
_TRIES = 60  # inputs to try where a way found a difference that is none


@dataclass(frozen=True, slots=True)
class Counterexample:
    """Codes at the ports for which the Verilog gives another code than the interpreter."""

    inputs: dict[str, int]
    output: str
    expected: int
    found: int


@dataclass(frozen=True, slots=True)
class Proof:
    """`status`: "proven", "refuted" (the interpreter confirms the counterexample) or "not proven" (see `detail`).

    The proof is about the logic of the text: registers are wires in it. That every path crosses the same number of
    registers is another question, `sr2hls.check.balance`.
    """

    status: str
    input_bits: int
    seconds: float
    solver: str
    version: str
    yosys: str
    method: str = ""
    detail: str = ""
    counterexample: Counterexample | None = None
    claims: dict[str, int] = field(default_factory=dict)  # how many ranges of casts were proven, and how

    def data(self) -> dict[str, Any]:
        """The same as JSON data."""
        return asdict(self)


def prove(design: Design, text: str | None = None, *, seconds: float = 60.0, netlist: Netlist | None = None) -> Proof:
    """Prove that a Verilog text computes the design's circuit for all bit patterns at its inputs.

    Args:
        text: the Verilog, default: as it is printed now.
        seconds: the time limit of the proof, without the reading of the text; what is open then is "not proven".
        netlist: of the text, where it is at hand.

    Raises:
        ToolError: Yosys is missing or refuses the text. MismatchError: the text has other ports.
    """
    start = time.monotonic()
    netlist = netlist or read_netlist(verilog(design) if text is None else text, module_name(design))
    proof = _Proof(design, netlist, start)
    if cells := unproven_cells(netlist):
        return proof.end(NOT_PROVEN, detail=f"the Verilog holds {', '.join(cells)}, which the proof does not cover")
    if netlist.failure:
        return proof.end(NOT_PROVEN, detail=netlist.failure)
    both = sides(design, netlist)
    deadline = time.monotonic() + seconds
    detail = "time limit"
    for method, cut, share, stop in _WAYS:
        now = time.monotonic()
        if now >= deadline:
            break
        answers, hints = compare(both, cut, now + share * (deadline - now), stop=stop)
        if all(answer.status == EQUAL for answer in answers):
            return proof.proven(both, method, deadline)
        examples = [answer.example for answer in answers if answer.status == DIFFERENT]
        if stop:
            examples += _trials(both, netlist, hints)
        for example in examples:
            if found := _difference(both, netlist, example):
                return proof.end(REFUTED, method=method, counterexample=found)
        detail = "time limit" if time.monotonic() >= deadline else f"z3 gave no answer, {method}"
    return proof.end(NOT_PROVEN, detail=detail)


@dataclass(frozen=True, slots=True)
class _Proof:
    design: Design
    netlist: Netlist
    start: float

    def proven(self, both: Sides, method: str, deadline: float) -> Proof:
        found = claims(both, deadline)
        counts = {"run": len(found.run), "solved": len(found.solved), "open": len(found.open)}
        if found.open:
            nodes = ", ".join(str(index) for index in found.open)
            return self.end(
                NOT_PROVEN,
                method=method,
                claims=counts,
                detail=f"equal modulo the words' widths; the ranges of nodes {nodes} rest on the certificate alone",
            )
        return self.end(PROVEN, method=method, claims=counts)

    def end(self, status: str, **more: Any) -> Proof:
        import z3

        seconds = round(time.monotonic() - self.start, 3)
        version = z3.get_version_string()
        return Proof(status, input_bits(self.design), seconds, "z3", version, self.netlist.version, **more)


def _trials(both: Sides, netlist: Netlist, hints: Sequence[Inputs]) -> list[Inputs]:
    """Corners and random inputs, as free words; then the same with the words at which a cut point differs."""
    design = both.design
    names = port_names(design)
    symbols = {name: netlist.inputs[names[name]] for name in design.input_formats}
    vectors = input_vectors(design, _TRIES // 2, exhaustive_bits=0)
    size = len(next(iter(vectors.values()))) if vectors else 1
    places = sorted({round(i * (size - 1) / _TRIES) for i in range(_TRIES + 1)})
    plain = [
        {symbols[name]: int(codes[place]) % (1 << design.input_formats[name].width) for name, codes in vectors.items()}
        for place in places
    ]
    return [trial | hint for hint in hints if hint for trial in plain] + plain


def _difference(both: Sides, netlist: Netlist, example: Inputs) -> Counterexample | None:
    """The first output that differs from the interpreter's for these free words."""
    design, names = both.design, port_names(both.design)
    inputs = {name: fmt.wrap(example.get(netlist.inputs[names[name]], 0)) for name, fmt in design.input_formats.items()}
    expected = interpret(design.circuit, {name: [code] for name, code in inputs.items()})
    outputs = design.output_formats
    found = evaluated(both, [both.wires[names[name]] for name in outputs] + [both.wires["out_valid"]], example)
    for (name, fmt), bits in zip(outputs.items(), found, strict=False):
        if fmt.wrap(bits) != int(expected[name][0]):
            return Counterexample(inputs, name, int(expected[name][0]), fmt.wrap(bits))
    valid = evaluated(both, [both.wires["in_valid"]], example)[0]
    if found[-1] != valid:
        return Counterexample(inputs | {"in_valid": valid}, "out_valid", valid, found[-1])
    return None
