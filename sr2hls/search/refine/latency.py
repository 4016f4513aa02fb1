"""Formulas that were met → the most exact ones of every latency that the cost model predicts, for compiling.

The front by size and loss alone loses them: of two formulas of about one size, one may take a cycle and the other five.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from sr2hls.errors import Sr2hlsError
from sr2hls.search.costs import OperatorCosts, operator_cycles
from sr2hls.search.fusion import SLACK, circuit_cost
from sr2hls.search.refine.constants import Fit
from sr2hls.search.refine.tree import Tree, to_sympy
from sr2hls.search.settings import Settings

LONGEST = 8  # cycles: beyond, the front by size serves
_MOST = 400  # formulas that are priced, the most exact first


def quickest(fits: Sequence[Fit], settings: Settings, each: int) -> list[int]:
    """The places of the `each` most exact fits within 1, 2, ... LONGEST predicted cycles; none without a cost model."""
    costs = _costs(settings)
    if costs is None:
        return []
    found: dict[int, list[int]] = {cycles: [] for cycles in range(1, LONGEST + 1)}
    for place in sorted(range(len(fits)), key=lambda i: (fits[i].loss, i))[:_MOST]:
        cycles = _latency(fits[place].tree, costs)
        if cycles is None:
            continue
        for limit, places in found.items():
            if cycles <= limit and len(places) < each:
                places.append(place)
    return sorted({place for places in found.values() for place in places})


def _latency(tree: Tree, costs: OperatorCosts) -> int | None:
    try:
        return max(1, ceil(circuit_cost(to_sympy(tree), costs).cycles - SLACK))
    except Sr2hlsError:
        return None


def _costs(settings: Settings) -> OperatorCosts | None:
    """The target's costs of the search's operators, and of those that pruning may write; None where there are none."""
    names = tuple(dict.fromkeys([*settings.operators, "sqrt", "exp"]))
    try:
        return operator_cycles(settings.target, settings.width, names, settings.clock_ns, settings.definitions)
    except Sr2hlsError:
        return None
