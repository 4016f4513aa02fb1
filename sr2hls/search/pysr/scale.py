"""Operator costs and limits → whole numbers for PySR: the unit of its complexity, `maxsize`, and the cost tables.

PySR's complexity is a whole number from 1 to `maxsize`, which is also the length of its hall of fame (one formula per
complexity) and, where a mapping gives the complexity, the limit on nodes. So a complexity is counted in units chosen
such that the cycles that a formula may take span about as many steps as it may have nodes:

    nodes   complexity = nodes
    sum     every leaf counts 1, an operator its cycles in units, at least 1; a fifth of `maxsize` is for leaves
    path    1 + the cycles of the critical path in units, rounded up; `maxsize` = the largest number of nodes
    circuit as path, where what has one input takes no longer than a table; the second stage ranks by true circuits

Without a limit on cycles the unit
is such that ordinary formulas have a step of their own, and longer ones share the last one. A leaf has complexity 1
and `maxsize` is 7 (PySR's least) or more, so the hall of fame is never empty. Tables are in thousandths of a cycle.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sr2hls.errors import FormatError
from sr2hls.search.costs import OperatorCosts
from sr2hls.search.pysr.vocabulary import Operators, cost_of
from sr2hls.search.settings import OBJECTIVES, Settings

MILS = 1000  # thousandths of a cycle
LEAST_MAXSIZE = 7  # PySR refuses less


@dataclass(frozen=True, slots=True)
class Scale:
    """What a run counts in.

    objective: as in `Settings`; maxsize: PySR's; unit: thousandths of a cycle per step of complexity; cycles,
    luts: per operator, thousandths of a cycle and LUTs; max_cycles, max_luts: hard limits in the same, or None;
    max_nodes: largest tree, None for "sum", where `maxsize` bounds it (a node counts 1 or more);
    table_cycles, table_luts: what a sub-expression of one input costs at most, None but for the objective "circuit".
    """

    objective: str
    maxsize: int
    unit: int
    cycles: Mapping[str, int] = field(default_factory=dict)
    luts: Mapping[str, int] = field(default_factory=dict)
    max_cycles: int | None = None
    max_luts: int | None = None
    max_nodes: int | None = None
    table_cycles: int | None = None
    table_luts: int | None = None

    @property
    def steps(self) -> dict[str, int]:
        """`complexity_of_operators` for the objective "sum": whole units, at least 1."""
        return {name: max(1, round(mils / self.unit)) for name, mils in self.cycles.items()}


def _positive(value: float | None, what: str) -> float | None:
    if value is not None and not value > 0:
        raise FormatError(f"the limit on {what} must be positive, not {value:g}")
    return value


def scale_of(settings: Settings, costs: OperatorCosts, operators: Operators, maxsize: int | None = None) -> Scale:
    """The units and tables of a run. maxsize: PySR's, where the user sets it.

    Raises FormatError for an unknown objective, a missing cost, a limit that is not positive.
    """
    if settings.objective not in OBJECTIVES:
        raise FormatError(f"unknown objective '{settings.objective}'; there are: {', '.join(OBJECTIVES)}")
    if settings.max_nodes < 1:
        raise FormatError(f"the largest number of nodes must be positive, not {settings.max_nodes}")
    if maxsize is not None and maxsize < LEAST_MAXSIZE:
        raise FormatError(f"PySR's maxsize is {LEAST_MAXSIZE} or more, not {maxsize}")
    objective = settings.objective
    limit, area = _positive(settings.max_cycles, "cycles"), _positive(settings.max_luts, "LUTs")
    nodes = max(settings.max_nodes, LEAST_MAXSIZE)
    timed = objective != "nodes" or limit is not None
    cycles = {n: round(MILS * cost_of(costs.cycles, n, costs.name)) for n in operators.all} if timed else {}
    luts = {n: round(cost_of(costs.luts, n, costs.name)) for n in operators.all} if area is not None else {}
    most = None if limit is None else round(MILS * limit)
    area_limit = None if area is None else round(area)
    if objective == "nodes":
        return Scale(objective, maxsize or nodes, 1, cycles, luts, most, area_limit, maxsize or settings.max_nodes)
    mean, dearest = sum(cycles.values()) // len(cycles), max(cycles.values())
    if objective == "sum":
        size = maxsize or 5 * nodes // 2
        span, steps = (dearest + mean * nodes // 2 if most is None else most), size - size // 5
    else:
        size = maxsize or nodes
        span, steps = (dearest + mean * nodes // 4 if most is None else most), size - 1
    unit = max(1, -(-span // steps))
    if objective != "circuit" or not costs.fused:
        largest = None if objective == "sum" else size
        return Scale(objective, size, unit, cycles, luts, most, area_limit, largest)
    tables = round(MILS * costs.table_cycles), round(costs.table_luts)
    return Scale(objective, size, unit, cycles, luts, most, area_limit, size, *tables)
