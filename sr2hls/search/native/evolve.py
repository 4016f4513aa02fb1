"""One island: regularized evolution (Real et al. 2019) under adaptive parsimony, with a hall of fame by hardware cost.

Each step takes the best of a few random members, changes it, and puts the offspring in the place of the oldest. Members
whose size is common count as worse (Cranmer 2023, eq. 3), so that the population spreads over all sizes. The hardware
cost does not steer the members, it judges them: the hall of fame keeps the best tree of every cost. (With the cost in
the place of the size the populations filled with large trees that are cheap, a table of one input say, and found the
laws of several inputs later.) A limit comes first: a tree beyond it is never evaluated. Without limits the cost comes
last, and only for trees that could be better than all cheaper ones.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sr2hls.search.native.apart import (
    IntegerRows,
    Integers,
    RealRows,
    Reals,
    SingleRows,
    Singles,
    Words,
    apart,
    inlined,
)
from sr2hls.search.native.generator import below, uniform
from sr2hls.search.native.polish import polish
from sr2hls.search.native.price import Prices, price
from sr2hls.search.native.score import BOTH, FAILED, SCALED, SHIFTED, Room, Rows, score
from sr2hls.search.native.symbols import VARIABLE, Table
from sr2hls.search.native.tree import NODES, allowed, copy, fold
from sr2hls.search.native.units import RIGHT, SCALABLE, WRONG, Units, consistent
from sr2hls.search.native.vary import Scratch, cross, mutate, seedling

BINS = 256  # of the hall of fame
FLOOR = 1e-13  # of the relative loss: below it float32 has nothing to say
_ADDED = 0.0005  # to the frequency of its bin, by one member
KINDS = 5  # of trees: over 0, 1, 2, 3, and more inputs
_LOOKS = 16  # of so many trees one is priced in any case
LOSS, SCALE, SHIFT, CYCLES, COST, LUTS = range(6)  # of an entry of the hall of fame


class Island(NamedTuple):
    """Members, their relative losses and sizes, the frequency of sizes, the generator, and the hall of fame."""

    sym: IntegerRows  # (members, NODES)
    arg: IntegerRows
    val: SingleRows
    n: Integers
    fit: Reals
    size: Integers  # in nodes, those that attach it to the target included
    age: Integers
    clock: Integers  # (1,)
    common: Reals  # (BINS,) of pairs of sizes; sums to 1
    g: Words  # (4,)
    bar: Reals  # (BINS,) the least loss of a known tree of a bin or a cheaper one
    cheapest: IntegerRows  # (NODES + 5, KINDS) the cheapest bin of the trees seen, by size and inputs; -1: none yet
    best: RealRows  # (BINS, 6): loss, scale, shift, cycles, cost, LUTs
    best_sym: IntegerRows  # (BINS, NODES)
    best_arg: IntegerRows
    best_val: SingleRows
    best_n: Integers


class Rules(NamedTuple):
    """What an island obeys. unit: cost of one bin; limits, pairs: see `tree.allowed`."""

    most: int
    unit: float
    max_cycles: float
    max_luts: float
    limits: IntegerRows
    pairs: IntegerRows
    weights: Reals
    tournament: int
    crossover: float
    polished: float
    polish_steps: int
    parsimony: float
    units: Units


def island(members: int, state: NDArray[np.uint64]) -> Island:
    """An empty island."""
    best = np.zeros((BINS, 6))
    best[:, LOSS] = FAILED
    return Island(
        np.zeros((members, NODES), np.int64),
        np.zeros((members, NODES), np.int64),
        np.zeros((members, NODES), np.float32),
        np.ones(members, np.int64),
        np.full(members, FAILED),
        np.full(members, BINS - 1),
        np.arange(members),
        np.array([members]),
        np.full(BINS, 1.0 / BINS),
        state.copy(),
        np.full(BINS, FAILED),
        np.full((NODES + 5, KINDS), -1, np.int64),
        best,
        np.zeros((BINS, NODES), np.int64),
        np.zeros((BINS, NODES), np.int64),
        np.zeros((BINS, NODES), np.float32),
        np.zeros(BINS, np.int64),
    )


def clear(i: Island) -> None:
    """Forget the members and the frequencies; the hall of fame stays."""
    i.fit[:] = FAILED
    i.size[:] = BINS - 1
    i.common[:] = 1.0 / BINS


@inlined()
def _bin(cost: float, unit: float) -> int:
    return min(int(cost / unit), BINS - 1)


@inlined()
def enter(
    i: Island,
    k: int,
    loss: float,
    scale: float,
    shift: float,
    cycles: float,
    cost: float,
    luts: float,
    sym: Integers,
    arg: Integers,
    val: Singles,
    n: int,
) -> None:
    """Put a tree into a bin of the hall of fame."""
    i.best[k, LOSS] = loss
    i.best[k, SCALE] = scale
    i.best[k, SHIFT] = shift
    i.best[k, CYCLES] = cycles
    i.best[k, COST] = cost
    i.best[k, LUTS] = luts
    i.best_n[k] = n
    copy(sym, arg, val, n, i.best_sym[k], i.best_arg[k], i.best_val[k])


@inlined()
def _promising(i: Island, loss: float, size: int, kind: int) -> bool:
    """Whether a tree could enter the front, were it as cheap as the cheapest seen of its size and inputs."""
    cheapest = i.cheapest[size, kind]
    return cheapest < 0 or loss < i.bar[cheapest]


@inlined()
def _inputs(sym: Integers, arg: Integers, n: int) -> int:
    """How many inputs a tree has, up to KINDS - 1."""
    seen, count = 0, 0
    for j in range(n):
        if sym[j] == VARIABLE:
            bit = 1 << (arg[j] & 63)
            if not seen & bit:
                seen |= bit
                count += 1
    return min(count, KINDS - 1)


@apart(python=True)
def assess(
    i: Island,
    t: Table,
    c: Prices,
    rules: Rules,
    rows: Rows,
    m: Room,
    sym: Integers,
    arg: Integers,
    val: Singles,
    n: int,
) -> tuple[float, int]:
    """Score a tree in all ways to attach it, each of its cost; (relative loss, size) of the best, or (FAILED, -1)."""
    fitting = consistent(t, rules.units, sym, arg, n) if rules.units.given else RIGHT
    if fitting == WRONG or not score(t, sym, arg, val, n, rows, m):
        return FAILED, -1
    worst = 1e18
    fit, size = FAILED, -1
    always = rules.max_cycles < np.inf or rules.max_luts < np.inf or i.clock[0] % _LOOKS == 0
    kind = _inputs(sym, arg, n)
    for way in range(4):
        loss = max(m.fits[way, 0], FLOOR)
        if not loss < FAILED or (fitting == SCALABLE and way not in (SCALED, BOTH)):
            continue
        scaled, shifted = way in (SCALED, BOTH), way in (SHIFTED, BOTH)
        nodes = n + (2 if scaled else 0) + (2 if shifted else 0)
        if always or _promising(i, loss, nodes, kind):
            cost, cycles, luts = price(t, c, sym, arg, val, n, scaled, shifted)
            if cycles > rules.max_cycles or luts > rules.max_luts:
                continue
            k = _bin(cost, rules.unit)
            if loss < i.best[k, LOSS]:
                enter(i, k, loss, m.fits[way, 1], m.fits[way, 2], cycles, cost, luts, sym, arg, val, n)
            if i.cheapest[nodes, kind] < 0 or k < i.cheapest[nodes, kind]:
                i.cheapest[nodes, kind] = k
        s = np.log(loss) + 0.03 * nodes
        if s < worst:
            worst, fit, size = s, loss, nodes
    return fit, size


@apart()
def within(
    t: Table,
    c: Prices,
    rules: Rules,
    sym: Integers,
    arg: Integers,
    val: Singles,
    n: int,
    size: Integers,
    inner: Integers,
) -> bool:
    """Whether a tree keeps all limits; nothing is evaluated."""
    if (rules.limits.shape[0] or rules.pairs.shape[0]) and not allowed(
        t, sym, n, rules.limits, rules.pairs, size, inner
    ):
        return False
    if rules.max_cycles < np.inf or rules.max_luts < np.inf:
        _, cycles, luts = price(t, c, sym, arg, val, n, False, False)
        return cycles <= rules.max_cycles and luts <= rules.max_luts
    return True


@apart()
def _winner(i: Island, rules: Rules, other: int) -> int:
    """The best of a tournament."""
    best, found = 1e30, -1
    members = i.n.shape[0]
    for _ in range(rules.tournament):
        j = below(i.g, members)
        s = np.log(i.fit[j] + FLOOR) + rules.parsimony * i.common[i.size[j] // 2]
        if s < best and j != other:
            best, found = s, j
    return found


@inlined()
def _seat(i: Island, j: int, sym: Integers, arg: Integers, val: Singles, n: int, fit: float, size: int) -> None:
    """Put a tree into member j, as the youngest."""
    copy(sym, arg, val, n, i.sym[j], i.arg[j], i.val[j])
    i.n[j], i.fit[j], i.size[j] = n, fit, size
    i.age[j] = i.clock[0]
    i.clock[0] += 1


@inlined()
def _normalize(common: Reals) -> None:
    total = 0.0
    for k in range(BINS):
        total += common[k]
    for k in range(BINS):
        common[k] /= total


@apart(python=True)
def plant(
    i: Island,
    t: Table,
    c: Prices,
    rules: Rules,
    rows: Rows,
    m: Room,
    z: Scratch,
    zz: Scratch,
    scratch: Reals,
    size: Integers,
    inner: Integers,
) -> int:
    """Fill the island with random trees within the limits. Returns the evaluations."""
    k = rows.X.shape[0]
    evaluations = 0
    for j in range(i.n.shape[0]):
        for _ in range(50):
            n = seedling(i.g, t, i.sym[j], i.arg[j], i.val[j], k, rules.most, z)
            n = fold(t, i.sym[j], i.arg[j], i.val[j], n, scratch)
            i.n[j] = n
            if not within(t, c, rules, i.sym[j], i.arg[j], i.val[j], n, size, inner):
                continue
            fit, nodes = assess(i, t, c, rules, rows, m, i.sym[j], i.arg[j], i.val[j], n)
            evaluations += 1
            if nodes >= 0:
                i.fit[j], i.size[j] = fit, nodes
                break
    return evaluations


@apart(python=True)
def evolve(
    i: Island,
    t: Table,
    c: Prices,
    rules: Rules,
    rows: Rows,
    m: Room,
    z: Scratch,
    zz: Scratch,
    scratch: Reals,
    size: Integers,
    inner: Integers,
    steps: int,
) -> int:
    """`steps` offspring. Returns the evaluations, those of the constants' fits included."""
    k = rows.X.shape[0]
    members = i.n.shape[0]
    sym = np.empty(NODES, np.int64)
    arg = np.empty(NODES, np.int64)
    val = np.empty(NODES, np.float32)
    evaluations = 0
    for step in range(steps):
        p = _winner(i, rules, -1)
        if p < 0:
            continue
        n = i.n[p]
        fresh = False  # a constant that has to be fitted
        copy(i.sym[p], i.arg[p], i.val[p], n, sym, arg, val)
        if uniform(i.g) < rules.crossover:
            o = _winner(i, rules, p)
            if o >= 0:
                n = cross(i.g, t, sym, arg, val, n, i.sym[o], i.arg[o], i.val[o], i.n[o], rules.most, z)
        else:
            n, fresh = mutate(i.g, t, sym, arg, val, n, k, rules.most, rules.weights, z, zz)
            while uniform(i.g) < 0.25:
                n, again = mutate(i.g, t, sym, arg, val, n, k, rules.most, rules.weights, z, zz)
                fresh |= again
        n = fold(t, sym, arg, val, n, scratch)
        if not within(t, c, rules, sym, arg, val, n, size, inner):
            continue
        if fresh or uniform(i.g) < rules.polished:
            evaluations += polish(t, sym, arg, val, n, rows, m, rules.polish_steps)
        fit, nodes = assess(i, t, c, rules, rows, m, sym, arg, val, n)
        evaluations += 1
        if nodes < 0:
            continue
        old = 0
        for j in range(1, members):
            if i.age[j] < i.age[old]:
                old = j
        _seat(i, old, sym, arg, val, n, fit, nodes)
        i.common[nodes // 2] += _ADDED
        if step % 50 == 0:
            _normalize(i.common)
    _normalize(i.common)
    return evaluations
