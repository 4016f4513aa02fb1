"""`OperatorCosts` + objective → `Prices` per symbol, and the width of a bin of the hall of fame."""

from __future__ import annotations

import numpy as np

from sr2hls.errors import FormatError
from sr2hls.search.costs import OperatorCosts
from sr2hls.search.native.evolve import BINS
from sr2hls.search.native.price import CIRCUIT, MINUS, NODE_COUNT, OTHER, OVER, PATH, PLUS, SUM, TIMES, Prices
from sr2hls.search.native.symbols import FIRST, Symbols
from sr2hls.search.settings import OBJECTIVES

_CODES = {"nodes": NODE_COUNT, "sum": SUM, "path": PATH, "circuit": CIRCUIT}
_ROLES = {"+": PLUS, "-": MINUS, "*": TIMES, "/": OVER}
_DSP_LUTS = 150.0  # what a hard multiplier is worth in 6-input LUTs, about a 12x8 soft one
_FINEST = 0.02


def prices_of(symbols: Symbols, costs: OperatorCosts, objective: str) -> Prices:
    """Raises FormatError for an unknown objective or an operator without a cost."""
    if objective not in _CODES:
        raise FormatError(f"the objective is one of {', '.join(OBJECTIVES)}, not '{objective}'")
    names = symbols.names[FIRST:]
    if missing := [name for name in names if name not in costs.cycles]:
        raise FormatError(f"the costs '{costs.name}' have no entry for {', '.join(missing)}")
    cycles = np.array([0.0, 0.0, *(costs.cycles[name] for name in names)])
    luts = np.array([0.0, 0.0, *(costs.luts.get(n, 0.0) + _DSP_LUTS * costs.dsps.get(n, 0.0) for n in names)])
    add = costs.cycles.get("+", costs.constant_cycles)
    multiply = costs.cycles.get("*", costs.constant_cycles)
    over = costs.cycles.get("/", costs.table_cycles + multiply)
    return Prices(
        cycles,
        luts,
        np.array([OTHER, OTHER, *(_ROLES.get(name, OTHER) for name in names)], np.int64),
        max(add, 1e-3),
        multiply,
        max(over - multiply, 0.0),
        costs.table_cycles,
        costs.constant_cycles,
        costs.luts.get("+", 0.0),
        costs.table_luts,
        costs.constant_luts,
        _CODES[objective],
    )


def unit_of(prices: Prices, most: int) -> float:
    """Cost of a bin: a third of a typical operator, but so that trees of `most` nodes find room."""
    if prices.objective == NODE_COUNT:
        return 1.0
    typical = float(np.mean(prices.cycles[FIRST:])) or 1.0
    return max(typical / 3.0, typical * most / 2.0 / BINS, _FINEST)
