"""`OperatorCosts` + objective → `Prices` per symbol, and the width of a bin of the hall of fame."""

from __future__ import annotations

from functools import partial

import numpy as np

from sr2hls.errors import FormatError, UnsupportedError
from sr2hls.search.costs import OperatorCosts, cycles_of, figure
from sr2hls.search.native import regions as ci
from sr2hls.search.native.evolve import BINS
from sr2hls.search.native.price import CIRCUIT, NODE_COUNT, PATH, SIZE, SUM, Prices
from sr2hls.search.native.regions import Rates
from sr2hls.search.native.symbols import FIRST, Symbols
from sr2hls.search.settings import OBJECTIVES
from sr2hls.search.spelling import NATIVE, PERIODIC

_CODES = {"nodes": NODE_COUNT, "sum": SUM, "path": PATH, "circuit": CIRCUIT}
_ROLES = {
    "+": ci.PLUS,
    "-": ci.MINUS,
    "*": ci.TIMES,
    "/": ci.OVER,
    "square": ci.SQUARE,
    "abs2": ci.SQUARE,
    "cube": ci.CUBE,
    "inv": ci.INVERSE,
    "neg": ci.NEGATE,
}
_DSP_LUTS = 150.0  # what a hard multiplier is worth in 6-input LUTs, about a 12x8 soft one
_FINEST = 0.02


def prices_of(symbols: Symbols, costs: OperatorCosts, objective: str) -> Prices:
    """Raises FormatError for an unknown objective, or figures that cannot be used with it, or an operator without."""
    if objective not in _CODES:
        raise FormatError(f"the objective is one of {', '.join(OBJECTIVES)}, not '{objective}'")
    if objective == "circuit" and not costs.fused:
        raise FormatError(f"the costs '{costs.name}' are of single operators; the objective 'circuit' needs a target's")
    names = symbols.names[FIRST:]
    try:
        cycles = np.array([0.0, 0.0, *(cycles_of(name, costs) for name in names)])
    except UnsupportedError as error:
        raise FormatError(str(error)) from None
    luts = partial(_area, costs=costs)

    typical = float(np.mean(cycles[FIRST:])) or 1.0
    multiply, over = _cycles("*", costs), _cycles("/", costs)
    roles = [_ROLES.get(name, ci.NATIVE if name in NATIVE else ci.FUNCTION) for name in names]
    figures = (
        max(_cycles("+", costs), 1e-3),
        luts("+"),
        multiply,
        luts("*"),
        costs.product_cycles,
        costs.product_dsps * _DSP_LUTS,
        max(0.0, over - multiply),
        max(0.0, luts("/") - luts("*")),
        _cycles("sqrt", costs),
        costs.table_cycles,
        costs.table_luts,
        costs.sum_table_cycles,
        costs.sum_table_luts,
        costs.input_cycles,
        costs.input_luts,
        costs.constant_digits,
    )
    rates = Rates(
        np.array([ci.FUNCTION, ci.FUNCTION, *roles], np.int64),
        cycles,
        np.array([0.0, 0.0, *(luts(name) for name in names)]),
        np.array([False, False, *(name in PERIODIC for name in names)]),
        *(float(figure) for figure in figures),
    )
    return Prices(rates, _CODES[objective], 1.0 if objective == "nodes" else SIZE * typical)


def _cycles(name: str, costs: OperatorCosts) -> float:
    """An operator's cycles, or a constant's multiplication where the costs do not list it."""
    try:
        return cycles_of(name, costs)
    except UnsupportedError:
        return max(costs.constant_cycles, costs.table_cycles)


def _area(name: str, costs: OperatorCosts) -> float:
    total = 0.0
    for figures, weight in ((costs.luts, 1.0), (costs.dsps, _DSP_LUTS)):
        try:
            total += weight * figure(name, figures)
        except UnsupportedError:  # the published tables have no areas
            continue
    return total


def unit_of(prices: Prices, most: int) -> float:
    """Cost of a bin: a third of a typical operator, but so that trees of `most` nodes find room."""
    if prices.objective == NODE_COUNT:
        return 1.0
    typical = float(np.mean(prices.rates.cycles[FIRST:])) or 1.0
    finest = typical / (8.0 if prices.objective == CIRCUIT else 3.0)
    return max(finest, typical * most / 2.0 / BINS, _FINEST)
