"""A target and a word width → what each operator costs in a circuit: clock cycles, LUTs, DSPs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OperatorCosts:
    """Costs of operators by their names in PySR's spelling.

    cycles: clock cycles, not rounded up, since operators share a cycle where their delays fit; luts, dsps: area.
    table_cycles, table_luts: any function of one input is one table, whatever it contains. constant_cycles,
    constant_luts: multiplication by a constant. source: where the numbers come from, in a line.
    """

    name: str
    clock_ns: float
    cycles: Mapping[str, float]
    luts: Mapping[str, float]
    dsps: Mapping[str, float]
    table_cycles: float
    table_luts: float
    constant_cycles: float
    constant_luts: float
    source: str
