"""A tree → its hardware cost before it is evaluated: nodes, sum of cycles, critical path, or the path of the circuit.

The compiled twin of `sr2hls.search.objective`, which says what each means. A tree may be attached to the target with a
scale and a shift, which are hardware, too. Beside the objective proper, the cost has a little area and size, so that of
two equally fast circuits the smaller one wins.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sr2hls.search.native.apart import Integers, Singles, apart
from sr2hls.search.native.circuit import circuit
from sr2hls.search.native.regions import Rates
from sr2hls.search.native.symbols import Table
from sr2hls.search.native.tree import NODES

NODE_COUNT, SUM, PATH, CIRCUIT = range(4)
AREA = 0.25  # what a cycle of work off the critical path is worth
SIZE = 0.02  # of a typical operator, a node


class Prices(NamedTuple):
    """The rates of a target and what is made of them; size: what a node costs."""

    rates: Rates
    objective: int
    size: float


@apart()
def price(
    t: Table, p: Prices, sym: Integers, arg: Integers, val: Singles, n: int, scaled: bool, shifted: bool
) -> tuple[float, float, float]:
    """(cost, cycles on the critical path, LUTs) of a tree attached with a scale and a shift, or without."""
    c = p.rates
    size = float(n + (2 if scaled else 0) + (2 if shifted else 0))
    if p.objective == CIRCUIT:
        path, work, luts = circuit(t, c, sym, arg, val, n, scaled, shifted)
        return path + AREA * work + p.size * size, path, luts
    cycles = np.empty(NODES)
    depth = 0
    total = 0.0
    luts = 0.0
    for j in range(n):
        s = sym[j]
        count = t.arity[s]
        longest = 0.0
        for q in range(count):
            longest = max(longest, cycles[depth - 1 - q])
        depth += 1 - count
        cycles[depth - 1] = longest + c.cycles[s]
        total += c.cycles[s]
        luts += c.luts[s]
    path = cycles[0]
    if scaled:
        path += c.multiply
        total += c.multiply
        luts += c.multiply_luts
    if shifted:
        path += c.add
        total += c.add
        luts += c.add_luts
    if p.objective == NODE_COUNT:
        return size, path, luts
    if p.objective == SUM:
        return total + p.size * size, path, luts
    return path + AREA * total + p.size * size, path, luts
