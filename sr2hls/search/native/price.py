"""A tree → its hardware cost before it is evaluated: nodes, sum of cycles, critical path, or the path of the circuit.

The compiled twin of `sr2hls.search.objective`, which says the rules. A tree may be attached to the target with a scale
and a shift, which are hardware, too: they are priced as two more operators.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sr2hls.search.native.symbols import CONSTANT, VARIABLE
from sr2hls.search.native.tree import NODES

NODE_COUNT, SUM, PATH, CIRCUIT = range(4)
OTHER, PLUS, MINUS, TIMES, OVER = range(5)  # roles that the rules of the circuit tell apart
BARE, SCALED_BY, SHIFTED_BY, FUNCTION = 0, 1, 2, 4  # of a region over its anchor; the middle two may both hold
AREA = 0.25  # what a cycle of work off the critical path is worth
SIZE = 0.02  # cycles a node: the shorter of two equal circuits


class Prices(NamedTuple):
    """Per symbol: cycles, LUTs (DSPs weighed as LUTs) and role; and what the circuit rules need besides."""

    cycles: NDArray[np.float64]
    luts: NDArray[np.float64]
    role: NDArray[np.int64]
    add: float
    multiply: float
    reciprocal: float
    table: float
    constant: float
    add_luts: float
    table_luts: float
    constant_luts: float
    objective: int


@njit(cache=True, nogil=True)
def price(t, c, sym, arg, val, n, scaled, shifted):
    """(cost, cycles on the critical path, LUTs) of a tree attached with a scale and a shift, or without."""
    if c.objective == CIRCUIT:
        return _circuit(t, c, sym, arg, val, n, scaled, shifted)
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
    size = float(n)
    if scaled:
        path += c.multiply
        total += c.multiply
        size += 2.0
        luts += c.constant_luts
    if shifted:
        path += c.add
        total += c.add
        size += 2.0
        luts += c.add_luts
    if c.objective == NODE_COUNT:
        return size, path, luts
    if c.objective == SUM:
        return total + SIZE * size, path, luts
    return path + AREA * total + SIZE * size, path, luts


@njit(cache=True, nogil=True)
def _mix(h, s):
    """One step of a 64-bit hash."""
    x = (h ^ (np.uint64(s) * np.uint64(0x9E3779B97F4A7C15))) * np.uint64(0xBF58476D1CE4E5B9)
    return x ^ (x >> np.uint64(29))


@njit(cache=True, nogil=True)
def _close(c, kind, worst, start, is_input):
    """(arrival, cycles of work, LUTs) of a region that another operator or the output uses."""
    if kind >= FUNCTION:
        work = c.table if is_input else worst
        return start + work, work, c.table_luts
    work = 0.0
    luts = 0.0
    if kind & SCALED_BY:
        work += c.constant
        luts += c.constant_luts
    if kind & SHIFTED_BY:
        work += c.add
        luts += c.add_luts
    return start + work, work, luts


@njit(cache=True, nogil=True)
def _circuit(t, c, sym, arg, val, n, scaled, shifted):
    # A region is a function of one anchor: an input, or the result of an operator that joins two anchors.
    anchor = np.empty(NODES + 4, np.int64)  # -1: constant; a node's own number + offset: it is an anchor itself
    kind = np.empty(NODES + 4, np.int64)
    worst = np.empty(NODES + 4)
    start = np.empty(NODES + 4)  # arrival of the anchor
    terms = np.empty(NODES + 4)  # of a sum: 2^(arrival/add) over its terms, so that its tree is balanced
    h = np.empty(NODES + 4, np.uint64)
    closed = np.empty(NODES + 4, np.uint64)
    seen = 0
    stack = np.empty(NODES + 4, np.int64)
    depth = 0
    work = 0.0
    luts = 0.0
    steps = n + (2 if scaled else 0) + (2 if shifted else 0)
    for j in range(steps):
        if j < n:
            s = sym[j]
            role = c.role[s]
            count = t.arity[s]
            leaf = count == 0
            cycles = c.cycles[s]
            cells = c.luts[s]
        else:  # the scale and the shift that attach the tree: constants and an operator each
            s = CONSTANT
            leaf = (j - n) % 2 == 0
            count = 0 if leaf else 2
            role = TIMES if scaled and j - n < 2 else PLUS
            cycles = c.multiply if role == TIMES else c.add
            cells = c.constant_luts
        terms[j] = 0.0
        worst[j] = 0.0
        start[j] = 0.0
        kind[j] = BARE
        if leaf:
            if s == VARIABLE:
                anchor[j] = arg[j]
                h[j] = _mix(np.uint64(17), arg[j] + 1)
            else:
                anchor[j] = -1
                h[j] = _mix(np.uint64(31), np.int64(val[j] * 65536.0) + 7) if j < n else np.uint64(j)
            stack[depth] = j
            depth += 1
            continue
        base = depth - count
        # how many anchors meet here
        one = -1
        several = False
        for q in range(count):
            x = anchor[stack[base + q]]
            if x >= 0:
                if one < 0:
                    one = x
                elif one != x:
                    several = True
        a = stack[base]
        b = stack[base + 1] if count > 1 else a
        code = np.uint64(99)
        for q in range(count):
            if count == 2 and t.twin[s] and j < n:
                code += h[stack[base + q]]
            else:
                code = _mix(code, 3) + h[stack[base + q]]
        h[j] = _mix(code, s + 1000 * (role + 1))
        if one < 0:  # a constant
            anchor[j] = -1
        elif not several:
            anchor[j] = one
            grown = 0
            for q in range(count):
                x = stack[base + q]
                if anchor[x] >= 0:
                    grown |= kind[x]
                    worst[j] = max(worst[j], worst[x])
                    start[j] = start[x]
                    terms[j] = terms[x] if role == OTHER else 0.0
            constant = anchor[a] < 0 or anchor[b] < 0
            if (role == PLUS or role == MINUS) and count == 2:
                if constant:
                    kind[j] = grown | SHIFTED_BY
                else:
                    kind[j] = grown | SCALED_BY
            elif role == TIMES and constant or role == OVER and anchor[b] < 0:
                kind[j] = grown | SCALED_BY
            else:
                kind[j] = FUNCTION
                worst[j] = max(worst[j], c.reciprocal if role == OVER else cycles)
            if kind[j] >= FUNCTION:
                kind[j] = FUNCTION
        else:  # operands from several anchors: their regions end here
            latest = 0.0
            total = 0.0
            for q in range(count):
                x = stack[base + q]
                if anchor[x] < 0:
                    continue
                k = kind[x]
                w = worst[x]
                if role == OVER and q == 1:
                    k = FUNCTION
                    w = max(w, c.reciprocal)
                arrival, effort, cells_x = _close(c, k, w, start[x], anchor[x] < NODES * 64)
                code = _mix(h[x], k + 5)
                known = False
                for y in range(seen):
                    known |= closed[y] == code
                if not known:
                    closed[seen] = code
                    seen += 1
                    work += effort
                    luts += cells_x
                latest = max(latest, arrival)
                total += terms[x] if kind[x] == BARE and terms[x] > 0.0 else 2.0 ** (arrival / c.add)
            anchor[j] = NODES * 64 + np.int64(h[j] >> np.uint64(2))
            own = c.multiply if role == OVER else cycles
            known = False
            for y in range(seen):
                known |= closed[y] == h[j]
            if not known:
                closed[seen] = h[j]
                seen += 1
                work += own
                luts += cells
            if role == PLUS or role == MINUS:
                terms[j] = total
                start[j] = c.add * math.log2(total)
            else:
                start[j] = latest + own
        depth = base + 1
        stack[base] = j
    j = stack[0]
    path = 0.0
    if anchor[j] >= 0:
        path, effort, cells = _close(c, kind[j], worst[j], start[j], anchor[j] < NODES * 64)
        work += effort
        luts += cells
    return path + AREA * work + SIZE * steps, path, luts
