"""An evaluator + a target → what it costs there: the area and the longest path of a circuit that is nothing else."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sr2hls.builder import CircuitBuilder
from sr2hls.formats import Format
from sr2hls.functions.reference import Codes
from sr2hls.functions.spec import Evaluator
from sr2hls.targets import Target
from sr2hls.targets.coefficients import DEEP

_LEAF = 6  # address bits of the sub-tables that are counted
_MULTIPLEXERS = 1 / 16  # LUTs a sub-table
_DSP_LUTS = {4: 400.0, 6: 150.0}  # by the LUT's inputs: what a hard multiplier is worth, about a 12x8 soft one


@dataclass(frozen=True, slots=True)
class Price:
    """LUTs, hard multipliers counted as LUTs too, combinational delay in ns, and what of the LUTs are multipliers."""

    luts: float
    ns: float
    multipliers: float = 0.0


@dataclass(frozen=True, slots=True)
class Taste:
    """What an evaluator is chosen by: the least luts · ns^delay_power, a hard multiplier counted `dsp` times."""

    delay_power: float = 0.5  # half the delay is worth 1.4 times the LUTs
    dsp: float = 1.0

    def cost(self, price: Price) -> float:
        return (price.luts + (self.dsp - 1.0) * price.multipliers) * math.pow(price.ns, self.delay_power)


def dsp_luts(target: Target) -> float:
    """What a hard multiplier is worth in LUTs of the target."""
    return _DSP_LUTS.get(target.lut_inputs, _DSP_LUTS[6])


def price_of(evaluator: Evaluator, word: Format, target: Target) -> Price:
    """The evaluator built alone on an input of this word."""
    b = CircuitBuilder()
    circuit = b.build([("y", evaluator.build(b, b.input("t", word)))])
    luts, dsp, last = 0.0, 0.0, circuit.outputs[0][1]
    arrival = [0.0] * (last + 1)  # for what follows, as in `sr2hls.schedule.stage_delays`
    for index, node in enumerate(circuit.nodes):
        area = target.area(circuit, index)
        luts += area.lut
        dsp += area.dsp * dsp_luts(target)
        begins = max((arrival[arg] for arg in node.args), default=0.0)
        saved = 0.0 if index == last else target.saved(circuit, index)
        arrival[index] = begins + target.delay(circuit, index) - saved
    return Price(luts + dsp, arrival[last], dsp)


def table_luts(codes: Codes, bits: int, target: Target) -> float:
    """A quick estimate of a table's LUTs, after the count of `sr2hls.targets.rom`, for ordering candidates."""
    columns = codes[None, :] >> np.arange(int(np.abs(codes).max()).bit_length() + 1)[:, None] & 1
    if bits < _LEAF:
        varying = int((columns.min(axis=1) != columns.max(axis=1)).sum())
        return varying * 2.0 ** max(0, bits - target.lut_inputs)
    leaves = np.packbits(columns.astype(np.uint8), axis=1, bitorder="little").view(np.uint64)
    leaves = np.where(leaves & np.uint64(1), ~leaves, leaves)
    count = np.unique(leaves).size * (1 + _MULTIPLEXERS if bits > _LEAF + 2 else 1.0)
    if bits <= _LEAF:
        return float(count * 2.0 ** (_LEAF - target.lut_inputs))
    return float(count * target.costs.lookup.lut_factor * (target.costs.lookup.lut_deep if bits > DEEP else 1.0))
