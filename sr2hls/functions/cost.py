"""An evaluator + a target → what it costs there: the area and the longest path of a circuit that is nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sr2hls.builder import CircuitBuilder
from sr2hls.formats import Format
from sr2hls.functions.reference import Codes
from sr2hls.functions.spec import Evaluator
from sr2hls.targets import Target

_DSP_LUTS = {4: 400.0, 6: 150.0}  # by the LUT's inputs: what a hard multiplier is worth, about a 12x8 soft one


@dataclass(frozen=True, slots=True)
class Price:
    """LUTs, hard multipliers counted as LUTs too, and combinational delay in ns."""

    luts: float
    ns: float


def price_of(evaluator: Evaluator, word: Format, target: Target) -> Price:
    """The evaluator built alone on an input of this word."""
    b = CircuitBuilder()
    circuit = b.build([("y", evaluator.build(b, b.input("t", word)))])
    luts, arrival = 0.0, [0.0] * len(circuit.nodes)
    for index, node in enumerate(circuit.nodes):
        area = target.area(circuit, index)
        luts += area.lut + area.dsp * _DSP_LUTS.get(target.lut_inputs, _DSP_LUTS[6])
        begins = max((arrival[arg] for arg in node.args), default=0.0)
        arrival[index] = begins + target.delay(circuit, index)
    return Price(luts, arrival[circuit.outputs[0][1]])


def table_luts(codes: Codes, bits: int, target: Target) -> float:
    """A quick estimate of a table's LUTs, after the count of `sr2hls.targets.rom`, for ordering candidates."""
    columns = codes[None, :] >> np.arange(max(1, int(np.ptp(codes)).bit_length() + 1))[:, None] & 1
    varying = columns[columns.min(axis=1) != columns.max(axis=1)].astype(np.uint8)
    if bits <= target.lut_inputs:
        return float(len(varying))
    if bits <= 6:
        return float(len(varying)) * (1 << (bits - target.lut_inputs))
    count = 0
    for block in (6, *range(10, bits + 1, 2), *((bits,) if bits > 8 and bits % 2 else ())):
        parts = varying.reshape(-1, 1 << block)
        parts = np.packbits(parts ^ parts[:, :1], axis=1)
        parts = parts[parts.any(axis=1)]
        count += np.unique(parts.view([("", np.void, parts.shape[1])])).size if parts.size else 0
    return count * target.costs.lookup.lut_factor
