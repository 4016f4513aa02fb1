"""A tree → a changed tree: growth, mutations, crossover. In place on the arrays given; each returns the length."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sr2hls.search.native.apart import Integers, Reals, Singles, Words, apart, inlined
from sr2hls.search.native.generator import below, normal, uniform
from sr2hls.search.native.symbols import CONSTANT, VARIABLE, Table
from sr2hls.search.native.tree import NODES, begin, splice

F = np.float32
_LEAF_IS_INPUT = 0.65
_CONSTANT_SPREAD = 1.5

# Kinds of mutations, with the weights of a start tuned on other laws than the benchmarks'.
NUDGE, RENAME, GROW, WRAP, DROP, LEAF, REPLACE, SWAP, FRESH, FREE = range(10)
WEIGHTS = (0.35, 0.40, 1.25, 0.70, 0.90, 0.50, 0.60, 0.15, 0.15, 1.00)


class Scratch(NamedTuple):
    """Room for a second tree."""

    sym: Integers
    arg: Integers
    val: Singles


def scratch() -> Scratch:
    """Fresh room."""
    return Scratch(np.zeros(NODES, np.int64), np.zeros(NODES, np.int64), np.zeros(NODES, np.float32))


@apart()
def _leaf(g: Words, k: int, z: Scratch, i: int) -> None:
    if uniform(g) < _LEAF_IS_INPUT:
        z.sym[i], z.arg[i], z.val[i] = VARIABLE, below(g, k), F(0)
    else:
        z.sym[i], z.arg[i], z.val[i] = CONSTANT, 0, F(normal(g) * _CONSTANT_SPREAD)


@apart()
def _operator(g: Words, t: Table, unary_share: float) -> int:
    """A random operator; unary ones with the given probability where there are both kinds."""
    u, b, c = t.unary.shape[0], t.binary.shape[0], t.ternary.shape[0]
    if b + c == 0 or (u > 0 and uniform(g) < unary_share):
        return t.unary[below(g, u)]
    i = below(g, b + c)
    return t.binary[i] if i < b else t.ternary[i - b]


@apart()
def _pick(g: Words, t: Table, sym: Integers, n: int, leaves: bool) -> int:
    """The place of a random leaf (or operator), or -1."""
    count = 0
    for i in range(n):
        count += (t.arity[sym[i]] == 0) == leaves
    if count == 0:
        return -1
    which = below(g, count)
    for i in range(n):
        if (t.arity[sym[i]] == 0) == leaves:
            if which == 0:
                return i
            which -= 1
    return -1


@apart()
def grow(
    g: Words, t: Table, sym: Integers, arg: Integers, val: Singles, n: int, k: int, times: int, most: int, z: Scratch
) -> int:
    """Put `times` random operators in the places of random leaves, which become one of the arguments half the time."""
    for _ in range(times):
        p = _pick(g, t, sym, n, True)
        o = _operator(g, t, 0.35)
        c = t.arity[o]
        if n + c > most:
            continue
        for q in range(c):
            _leaf(g, k, z, q)
        if uniform(g) < 0.5:
            q = below(g, c)
            z.sym[q], z.arg[q], z.val[q] = sym[p], arg[p], val[p]
        z.sym[c] = o
        n = splice(sym, arg, val, n, p, p + 1, z.sym, z.arg, z.val, c + 1)
    return n


@apart()
def seedling(g: Words, t: Table, sym: Integers, arg: Integers, val: Singles, k: int, most: int, z: Scratch) -> int:
    """A small random tree."""
    sym[0], arg[0], val[0] = VARIABLE, below(g, k), F(0)
    return grow(g, t, sym, arg, val, 1, k, 1 + below(g, 6), most, z)


@inlined()
def _copy(sym: Integers, arg: Integers, val: Singles, s: int, e: int, z: Scratch, at: int) -> int:
    for i in range(s, e):
        z.sym[at + i - s], z.arg[at + i - s], z.val[at + i - s] = sym[i], arg[i], val[i]
    return at + e - s


@inlined()
def _nudge(g: Words, sym: Integers, val: Singles, n: int) -> None:
    count = 0
    for i in range(n):
        count += sym[i] == CONSTANT
    if count == 0:
        return
    which = below(g, count)
    for i in range(n):
        if sym[i] == CONSTANT:
            if which == 0:
                if uniform(g) < 0.8:
                    val[i] = F(val[i] * np.exp(normal(g) * 0.5))
                else:
                    val[i] = F(-val[i] + 0.1 * normal(g))
                return
            which -= 1


@inlined()
def _rename(g: Words, t: Table, sym: Integers, n: int) -> None:
    i = _pick(g, t, sym, n, False)
    if i < 0:
        return
    c = t.arity[sym[i]]
    among = t.unary if c == 1 else (t.binary if c == 2 else t.ternary)
    sym[i] = among[below(g, among.shape[0])]


@inlined()
def _wrap(g: Words, t: Table, sym: Integers, arg: Integers, val: Singles, n: int, k: int, most: int, z: Scratch) -> int:
    """A random subtree becomes an argument of a new operator."""
    e = below(g, n) + 1
    s = begin(t, sym, e - 1)
    o = _operator(g, t, 0.45)
    c = t.arity[o]
    if n + c > most:
        return n
    place = below(g, c)
    m = 0
    for q in range(c):
        if q == place:
            m = _copy(sym, arg, val, s, e, z, m)
        else:
            _leaf(g, k, z, m)
            m += 1
    z.sym[m] = o
    return splice(sym, arg, val, n, s, e, z.sym, z.arg, z.val, m + 1)


@inlined()
def _drop(g: Words, t: Table, sym: Integers, arg: Integers, val: Singles, n: int, z: Scratch) -> int:
    """An operator is replaced by one of its arguments."""
    p = _pick(g, t, sym, n, False)
    if p < 0:
        return n
    s = begin(t, sym, p)
    e = p
    for _ in range(below(g, t.arity[sym[p]])):
        e = begin(t, sym, e - 1)
    m = _copy(sym, arg, val, begin(t, sym, e - 1), e, z, 0)
    return splice(sym, arg, val, n, s, p + 1, z.sym, z.arg, z.val, m)


@inlined()
def _replace(
    g: Words, t: Table, sym: Integers, arg: Integers, val: Singles, n: int, k: int, most: int, z: Scratch, zz: Scratch
) -> int:
    e = below(g, n) + 1
    s = begin(t, sym, e - 1)
    _leaf(g, k, zz, 0)
    room = min(9, most - n + e - s)
    m = grow(g, t, zz.sym, zz.arg, zz.val, 1, k, below(g, 4), room, z)
    if n - (e - s) + m > most:
        return n
    return splice(sym, arg, val, n, s, e, zz.sym, zz.arg, zz.val, m)


@inlined()
def _swap(g: Words, t: Table, sym: Integers, arg: Integers, val: Singles, n: int, z: Scratch) -> int:
    """The two arguments of an operator change places."""
    p = _pick(g, t, sym, n, False)
    if p < 0 or t.arity[sym[p]] != 2:
        return n
    s = begin(t, sym, p)
    middle = begin(t, sym, p - 1)
    m = _copy(sym, arg, val, middle, p, z, 0)
    m = _copy(sym, arg, val, s, middle, z, m)
    return splice(sym, arg, val, n, s, p, z.sym, z.arg, z.val, m)


@inlined()
def _free(g: Words, t: Table, sym: Integers, arg: Integers, val: Singles, n: int, most: int, z: Scratch) -> int:
    """A new constant that changes nothing yet: a subtree times 1, or plus 0. The fit of the constants then moves it."""
    if t.plus < 0 or t.times < 0 or n + 2 > most:
        return n
    e = below(g, n) + 1
    if sym[e - 1] == CONSTANT:
        return n
    s = begin(t, sym, e - 1)
    m = _copy(sym, arg, val, s, e, z, 0)
    times = uniform(g) < 0.6
    z.sym[m], z.arg[m], z.val[m] = CONSTANT, 0, F(1) if times else F(0)
    z.sym[m + 1] = t.times if times else t.plus
    return splice(sym, arg, val, n, s, e, z.sym, z.arg, z.val, m + 2)


@apart()
def mutate(
    g: Words,
    t: Table,
    sym: Integers,
    arg: Integers,
    val: Singles,
    n: int,
    k: int,
    most: int,
    weights: Reals,
    z: Scratch,
    zz: Scratch,
) -> tuple[int, bool]:
    """One mutation, its kind drawn by `weights`. Returns (length, whether the constants ought to be fitted now)."""
    total = 0.0
    for q in range(weights.shape[0]):
        total += weights[q]
    u = uniform(g) * total
    kind = 0
    while kind < weights.shape[0] - 1 and u >= weights[kind]:
        u -= weights[kind]
        kind += 1
    if kind == NUDGE:
        _nudge(g, sym, val, n)
    elif kind == RENAME:
        _rename(g, t, sym, n)
    elif kind == GROW:
        n = grow(g, t, sym, arg, val, n, k, 1, most, z)
    elif kind == WRAP:
        n = _wrap(g, t, sym, arg, val, n, k, most, z)
    elif kind == DROP:
        n = _drop(g, t, sym, arg, val, n, z)
    elif kind == LEAF:
        i = _pick(g, t, sym, n, True)
        _leaf(g, k, z, 0)
        sym[i], arg[i], val[i] = z.sym[0], z.arg[0], z.val[0]
    elif kind == REPLACE:
        n = _replace(g, t, sym, arg, val, n, k, most, z, zz)
    elif kind == SWAP:
        n = _swap(g, t, sym, arg, val, n, z)
    elif kind == FREE:
        n = _free(g, t, sym, arg, val, n, most, z)
    else:
        n = seedling(g, t, sym, arg, val, k, most, z)
    return n, kind == FREE


@apart()
def cross(
    g: Words,
    t: Table,
    sym: Integers,
    arg: Integers,
    val: Singles,
    n: int,
    sym2: Integers,
    arg2: Integers,
    val2: Singles,
    n2: int,
    most: int,
    z: Scratch,
) -> int:
    """A random subtree gives way to a random subtree of another tree; unchanged where it would be too large."""
    e2 = below(g, n2) + 1
    s2 = begin(t, sym2, e2 - 1)
    e = below(g, n) + 1
    s = begin(t, sym, e - 1)
    if n - (e - s) + e2 - s2 > most:
        return n
    m = _copy(sym2, arg2, val2, s2, e2, z, 0)
    return splice(sym, arg, val, n, s, e, z.sym, z.arg, z.val, m)
