"""`Design`: a circuit with a clock cycle for each node, its target and its certificate; all that a backend reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sr2hls.circuit import Circuit
from sr2hls.formats import Format
from sr2hls.targets import Target


@dataclass(frozen=True, slots=True)
class NodeCertificate:
    """What is proven of one step of the formula. All values are outward-rounded decimal bounds."""

    expression: str
    kind: str  # input, linear, product, function, select, output, ...
    range: tuple[float, float]  # of the hardware's value
    format: str
    local_error: tuple[float, float]  # hardware step - exact step on the same operands
    error: tuple[float, float]  # hardware value - formula value, accumulated
    sensitivity: float  # bound of |d output / d this value|; the largest over the outputs
    share: float  # fraction of the error target that the local error may spend
    method: str = ""  # of a function: table, polynomial, ...
    symbol: str = ""  # what later definitions call this step
    definition: Any = None  # JSON form (sr2hls.load.native.encode) of the step over earlier symbols; None: an input
    node: int = -1  # the circuit's node that holds the value; -1 where it was folded away
    codes: tuple[int, int] = (0, 0)  # of that node
    exact_range: tuple[float, float] = (0.0, 0.0)  # of the formula's value
    inherited: tuple[float, float] = (0.0, 0.0)  # what the errors of the operands make of the step's error
    slope: float = 0.0  # of a function of an inexact argument: |derivative|, where it is bounded
    band: float = 0.0  # of a comparison or floor: how near to its threshold it may flip
    boxes: tuple[tuple[float, float, float, float], ...] = ()  # of a function, per box: exact range, inherited error


@dataclass(frozen=True, slots=True)
class OutputCertificate:
    """The promise for one output: |hardware - formula| <= bound for every input in the domain."""

    name: str
    formula: str
    format: str
    target: float  # asked for
    bound: float  # proven
    measured: float | None = None  # over all inputs, where there are at most 2^22
    bands: tuple[str, ...] = ()  # thresholds near which a branch may flip, as text
    symbol: str = ""  # the step that is this output


@dataclass(frozen=True, slots=True)
class Certificate:
    """The proof's ledger; see DESIGN, "Numbers: what is promised"."""

    outputs: tuple[OutputCertificate, ...]
    nodes: tuple[NodeCertificate, ...]
    domain: tuple[tuple[str, float, float], ...]  # input, lowest, highest value
    notes: tuple[str, ...] = ()  # clamps and assumptions, in words
    # how the domain is cut into boxes: (input, last code of the lower half), or ("", 0) for a box; halves follow
    boxes: tuple[tuple[str, int], ...] = ()
    totals: tuple[tuple[str, str], ...] = ()  # the exact sum of the numbers of each kind in the whole design


@dataclass(frozen=True, slots=True)
class Design:
    """`cycles[i]` is the stage (0, 1, ...) whose combinational logic computes node i.

    A value made in stage s and used in stage t passes t - s registers. `register_inputs` puts registers between the
    ports and stage 0, `register_outputs` between the last stage and the output ports, so
    latency = register_inputs + stages - 1 + register_outputs, in clock cycles; the initiation interval is 1.
    """

    name: str
    circuit: Circuit
    cycles: tuple[int, ...]
    stages: int
    register_inputs: bool
    register_outputs: bool
    clock_ns: float
    target: Target
    certificate: Certificate
    provenance: dict[str, Any]  # JSON data: model file, equations, options, versions
    critical_ns: float = 0.0  # the slowest stage by the target's delay model
    warnings: tuple[str, ...] = ()

    @property
    def latency(self) -> int:
        """Clock cycles from a sample at the input ports to its result at the output ports."""
        return int(self.register_inputs) + self.stages - 1 + int(self.register_outputs)

    @property
    def input_formats(self) -> dict[str, Format]:
        return {name: self.circuit.nodes[index].format for name, index in self.circuit.inputs}

    @property
    def output_formats(self) -> dict[str, Format]:
        return {name: self.circuit.nodes[index].format for name, index in self.circuit.outputs}
