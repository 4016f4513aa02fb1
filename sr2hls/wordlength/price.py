"""`Circuit` + `Target` + clock → what the whole circuit costs: LUTs, multipliers, cycles, the longest path."""

from __future__ import annotations

from dataclasses import dataclass

from sr2hls.circuit import Circuit
from sr2hls.functions import dsp_luts
from sr2hls.lower import in_pieces
from sr2hls.schedule import earliest
from sr2hls.targets import Target


@dataclass(frozen=True, slots=True)
class Timing:
    """The clock, and how many registers stand at the ports (0 to 2)."""

    clock_ns: float
    port_registers: int


@dataclass(frozen=True, slots=True)
class Bill:
    """Predicted LUTs and hard multipliers, least latency in cycles, longest path without registers in ns.

    `area` is LUTs with each multiplier counted as `multiplier` LUTs, what it is worth on the target.
    """

    luts: float
    dsp: float
    latency: int
    path_ns: float
    multiplier: float

    @property
    def area(self) -> float:
        return self.luts + self.dsp * self.multiplier


def bill_of(circuit: Circuit, target: Target, timing: Timing) -> Bill:
    """The circuit's bill by the target's model, slow operations in pieces; registers are not counted."""
    circuit = in_pieces(circuit, target, timing.clock_ns, rows=False).circuit
    luts = dsp = 0.0
    for index in range(len(circuit.nodes)):
        area = target.area(circuit, index)
        luts, dsp = luts + area.lut, dsp + area.dsp
    cycles, path = earliest(circuit, target, timing.clock_ns)
    return Bill(luts, dsp, cycles + timing.port_registers, path, dsp_luts(target))
