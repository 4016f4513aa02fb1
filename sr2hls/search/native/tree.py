"""Trees in postfix order, three arrays (symbol, input number, constant): cut, splice, fold, check, translate."""

from __future__ import annotations

import math

import numpy as np

from sr2hls.search.native.apart import IntegerRows, Integers, Reals, Singles, apart, inlined
from sr2hls.search.native.primitives import (
    ABS,
    ADD,
    ASIN,
    ATAN,
    CONST,
    COS,
    DIV,
    ERF,
    EXP,
    FLOOR,
    GREATER,
    LOG,
    MAX,
    MIN,
    MUL,
    ROUND,
    SIN,
    SQRT,
    SQUARE,
    SUB,
    TANH,
)
from sr2hls.search.native.symbols import CONSTANT, VARIABLE, Table

NODES = 64  # room for nodes of a tree
SLOTS = 256  # room for instructions of a tree
NO_LIMIT = -1


@apart()
def begin(t: Table, sym: Integers, i: int) -> int:
    """Where the subtree that ends at i begins."""
    need = 1
    j = i
    while need > 0:
        need += t.arity[sym[j]] - 1
        j -= 1
    return j + 1


@inlined()
def copy(sym: Integers, arg: Integers, val: Singles, n: int, sym2: Integers, arg2: Integers, val2: Singles) -> None:
    """The first n nodes into the other arrays."""
    for q in range(n):
        sym2[q] = sym[q]
        arg2[q] = arg[q]
        val2[q] = val[q]


@apart()
def splice(
    sym: Integers,
    arg: Integers,
    val: Singles,
    n: int,
    s: int,
    e: int,
    sym2: Integers,
    arg2: Integers,
    val2: Singles,
    m: int,
) -> int:
    """Replace nodes [s, e) by the first m of the other arrays; the new length, or -1 where there is no room."""
    total = n - (e - s) + m
    if total > NODES - 4 or total < 1:
        return -1
    d = m - (e - s)
    if d > 0:
        for i in range(n - 1, e - 1, -1):
            sym[i + d] = sym[i]
            arg[i + d] = arg[i]
            val[i + d] = val[i]
    elif d < 0:
        for i in range(e, n):
            sym[i + d] = sym[i]
            arg[i + d] = arg[i]
            val[i + d] = val[i]
    for i in range(m):
        sym[s + i] = sym2[i]
        arg[s + i] = arg2[i]
        val[s + i] = val2[i]
    return total


@apart()
def slots(
    t: Table,
    sym: Integers,
    arg: Integers,
    val: Singles,
    n: int,
    k: int,
    op: Integers,
    a: Integers,
    b: Integers,
    v: Singles,
    mine: Integers,
) -> tuple[int, int]:
    """The slot program of a tree over k inputs: (instructions, slot of the root); -1 where there is no room.

    mine[instruction]: the node whose constant it is, or -1.
    """
    stack = np.empty(NODES, np.int64)
    depth = 0
    m = 0
    for j in range(n):
        s = sym[j]
        if s == VARIABLE:
            stack[depth] = arg[j]
            depth += 1
            continue
        if s == CONSTANT:
            if m >= SLOTS:
                return -1, 0
            op[m] = CONST
            v[m] = val[j]
            mine[m] = j
            stack[depth] = k + m
            depth += 1
            m += 1
            continue
        count = t.arity[s]
        base = depth - count
        lo, hi = t.first[s], t.first[s + 1]
        if m + hi - lo > SLOTS:
            return -1, 0
        start = m
        for q in range(lo, hi):
            op[m] = t.op[q]
            v[m] = t.v[q]
            mine[m] = -1
            a[m] = stack[base - 1 - t.a[q]] if t.a[q] < 0 else k + start + t.a[q]
            b[m] = stack[base - 1 - t.b[q]] if t.b[q] < 0 else k + start + t.b[q]
            m += 1
        stack[base] = k + m - 1
        depth = base + 1
    return m, stack[0]


@inlined()
def _scalar(o: int, p: float, r: float) -> float:
    if o == ADD:
        return p + r
    if o == SUB:
        return p - r
    if o == MUL:
        return p * r
    if o == DIV:
        return p / r
    if o == SQUARE:
        return p * p
    if o == SIN:
        return np.sin(p)
    if o == COS:
        return np.cos(p)
    if o == EXP:
        return np.exp(p)
    if o == LOG:
        return np.log(p)
    if o == SQRT:
        return np.sqrt(p)
    if o == ABS:
        return abs(p)
    if o == TANH:
        return np.tanh(p)
    if o == ATAN:
        return np.arctan(p)
    if o == ASIN:
        return np.arcsin(p)
    if o == FLOOR:
        return np.floor(p)
    if o == ROUND:
        return np.rint(p)
    if o == ERF:
        return math.erf(p)
    if o == GREATER:
        return 1.0 if p > r else 0.0
    if o == MAX:
        return max(p, r)
    if o == MIN:
        return min(p, r)
    return p**r


@inlined()
def value(t: Table, s: int, x: float, y: float, z: float, scratch: Reals) -> float:
    """A symbol at constant arguments, in float64. scratch: room for SLOTS floats."""
    lo, hi = t.first[s], t.first[s + 1]
    for q in range(lo, hi):
        o = t.op[q]
        if o == CONST:
            scratch[q - lo] = t.v[q]
            continue
        i = t.a[q]
        p = scratch[i] if i >= 0 else (x if i == -1 else (y if i == -2 else z))
        i = t.b[q]
        r = scratch[i] if i >= 0 else (x if i == -1 else (y if i == -2 else z))
        scratch[q - lo] = _scalar(o, p, r)
    return scratch[hi - lo - 1]


@apart()
def fold(t: Table, sym: Integers, arg: Integers, val: Singles, n: int, scratch: Reals) -> int:
    """Constant sub-trees to constants, bottom up, in place; the new length."""
    m = 0
    for j in range(n):
        s = sym[j]
        sym[m] = s
        arg[m] = arg[j]
        val[m] = val[j]
        c = t.arity[s]
        if c > 0 and m >= c:
            constant = True
            for q in range(1, c + 1):
                constant &= sym[m - q] == CONSTANT
            if constant:
                r = value(t, s, val[m - c], val[m - c + 1] if c > 1 else val[m - c], val[m - 1], scratch)
                if np.isfinite(r):
                    m -= c
                    sym[m] = CONSTANT
                    val[m] = r
        m += 1
    return m


@apart()
def allowed(
    t: Table, sym: Integers, n: int, limits: IntegerRows, pairs: IntegerRows, size: Integers, inner: Integers
) -> bool:
    """Whether a tree keeps the limits of its operators.

    limits[s, i]: nodes of argument i of symbol s; pairs: rows (outer, inner, how often inner may occur on a path inside
    outer). size, inner: room for NODES integers.
    """
    stack = np.empty(NODES, np.int64)
    depth = 0
    for j in range(n):
        s = sym[j]
        c = t.arity[s]
        size[j] = 1
        for q in range(c):
            child = stack[depth - c + q]
            if limits[s, q] != NO_LIMIT and size[child] > limits[s, q]:
                return False
            size[j] += size[child]
        depth += 1 - c
        stack[depth - 1] = j
    for r in range(pairs.shape[0]):
        depth = 0
        for j in range(n):
            s = sym[j]
            c = t.arity[s]
            most = 0
            for q in range(c):
                most = max(most, inner[stack[depth - c + q]])
            if s == pairs[r, 0] and most > pairs[r, 2]:
                return False
            inner[j] = most + (1 if s == pairs[r, 1] else 0)
            depth += 1 - c
            stack[depth - 1] = j
    return True
