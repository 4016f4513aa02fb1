"""One island: regularized evolution (Real et al. 2019) under adaptive parsimony, with a hall of fame by hardware cost.

Each step takes the best of a few random members, changes it, and puts the offspring in the place of the oldest. Members
whose cost is common count as worse (Cranmer 2023, eq. 3, with bins of hardware cost in the place of node counts), so
that the population spreads over all latencies. The cost comes first: a tree beyond a limit is never evaluated.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sr2hls.search.native.generator import below, uniform
from sr2hls.search.native.polish import polish
from sr2hls.search.native.price import price
from sr2hls.search.native.score import BOTH, FAILED, SCALED, SHIFTED, score
from sr2hls.search.native.tree import NODES, allowed, fold
from sr2hls.search.native.units import RIGHT, SCALABLE, WRONG, Units, consistent
from sr2hls.search.native.vary import cross, mutate, seedling

BINS = 256  # of the hall of fame
FLOOR = 1e-13  # of the relative loss: below it float32 has nothing to say
_ADDED = 0.0005  # to the frequency of its bin, by one member
LOSS, SCALE, SHIFT, CYCLES, COST, LUTS = range(6)  # of an entry of the hall of fame


class Island(NamedTuple):
    """Members, their relative losses and costs, the frequency of costs, the generator, and the hall of fame."""

    sym: NDArray[np.int64]  # (members, NODES)
    arg: NDArray[np.int64]
    val: NDArray[np.float32]
    n: NDArray[np.int64]
    fit: NDArray[np.float64]
    bin: NDArray[np.int64]
    age: NDArray[np.int64]
    clock: NDArray[np.int64]  # (1,)
    common: NDArray[np.float64]  # (BINS,) sums to 1
    g: NDArray[np.uint64]  # (4,)
    best: NDArray[np.float64]  # (BINS, 6): loss, scale, shift, cycles, cost, LUTs
    best_sym: NDArray[np.int64]  # (BINS, NODES)
    best_arg: NDArray[np.int64]
    best_val: NDArray[np.float32]
    best_n: NDArray[np.int64]


class Rules(NamedTuple):
    """What an island obeys. unit: cost of one bin; limits, pairs: see `tree.allowed`."""

    most: int
    unit: float
    max_cycles: float
    max_luts: float
    limits: NDArray[np.int64]
    pairs: NDArray[np.int64]
    weights: NDArray[np.float64]
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
        best,
        np.zeros((BINS, NODES), np.int64),
        np.zeros((BINS, NODES), np.int64),
        np.zeros((BINS, NODES), np.float32),
        np.zeros(BINS, np.int64),
    )


@njit(cache=True, nogil=True)
def _bin(cost, unit):
    return min(int(cost / unit), BINS - 1)


@njit(cache=True, nogil=True)
def enter(i, k, loss, scale, shift, cycles, cost, luts, sym, arg, val, n):
    """Put a tree into a bin of the hall of fame."""
    i.best[k, LOSS] = loss
    i.best[k, SCALE] = scale
    i.best[k, SHIFT] = shift
    i.best[k, CYCLES] = cycles
    i.best[k, COST] = cost
    i.best[k, LUTS] = luts
    i.best_n[k] = n
    for q in range(n):
        i.best_sym[k, q] = sym[q]
        i.best_arg[k, q] = arg[q]
        i.best_val[k, q] = val[q]


@njit(error_model="numpy", cache=True, nogil=True)
def assess(i, t, c, rules, rows, m, sym, arg, val, n):
    """Score a tree in all ways to attach it, each of its cost; (relative loss, bin) of the best, or (FAILED, -1)."""
    fitting = consistent(t, rules.units, sym, arg, n) if rules.units.given else RIGHT
    if fitting == WRONG or not score(t, sym, arg, val, n, rows, m):
        return FAILED, -1
    worst = 1e18
    fit, place = FAILED, -1
    for way in range(4):
        loss = max(m.fits[way, 0], FLOOR)
        if not loss < FAILED or (fitting == SCALABLE and way not in (SCALED, BOTH)):
            continue
        cost, cycles, luts = price(t, c, sym, arg, val, n, way in (SCALED, BOTH), way in (SHIFTED, BOTH))
        if cycles > rules.max_cycles or luts > rules.max_luts:
            continue
        k = _bin(cost, rules.unit)
        if loss < i.best[k, LOSS]:
            enter(i, k, loss, m.fits[way, 1], m.fits[way, 2], cycles, cost, luts, sym, arg, val, n)
        s = np.log(loss) + 0.03 * k
        if s < worst:
            worst, fit, place = s, loss, k
    return fit, place


@njit(cache=True, nogil=True)
def within(t, c, rules, sym, arg, val, n, size, inner):
    """Whether a tree keeps all limits; nothing is evaluated."""
    if (rules.limits.shape[0] or rules.pairs.shape[0]) and not allowed(
        t, sym, n, rules.limits, rules.pairs, size, inner
    ):
        return False
    if rules.max_cycles < np.inf or rules.max_luts < np.inf:
        _, cycles, luts = price(t, c, sym, arg, val, n, False, False)
        return cycles <= rules.max_cycles and luts <= rules.max_luts
    return True


@njit(cache=True, nogil=True)
def _winner(i, rules, other):
    """The best of a tournament."""
    best, found = 1e30, -1
    members = i.n.shape[0]
    for _ in range(rules.tournament):
        j = below(i.g, members)
        s = np.log(i.fit[j] + FLOOR) + rules.parsimony * i.common[i.bin[j] // 2]
        if s < best and j != other:
            best, found = s, j
    return found


@njit(cache=True, nogil=True)
def clear(i):
    """Forget the members and the frequencies; the hall of fame stays."""
    i.fit[:] = FAILED
    i.bin[:] = BINS - 1
    i.common[:] = 1.0 / BINS


@njit(error_model="numpy", cache=True, nogil=True)
def plant(i, t, c, rules, rows, m, z, zz, scratch, size, inner):
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
            fit, place = assess(i, t, c, rules, rows, m, i.sym[j], i.arg[j], i.val[j], n)
            evaluations += 1
            if place >= 0:
                i.fit[j], i.bin[j] = fit, place
                break
    return evaluations


@njit(error_model="numpy", cache=True, nogil=True)
def evolve(i, t, c, rules, rows, m, z, zz, scratch, size, inner, steps):
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
        sym[:n] = i.sym[p, :n]
        arg[:n] = i.arg[p, :n]
        val[:n] = i.val[p, :n]
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
        fit, place = assess(i, t, c, rules, rows, m, sym, arg, val, n)
        evaluations += 1
        if place < 0:
            continue
        old = 0
        for j in range(1, members):
            if i.age[j] < i.age[old]:
                old = j
        i.sym[old, :n] = sym[:n]
        i.arg[old, :n] = arg[:n]
        i.val[old, :n] = val[:n]
        i.n[old], i.fit[old], i.bin[old] = n, fit, place
        i.age[old] = i.clock[0]
        i.clock[0] += 1
        i.common[place // 2] += _ADDED
        if step % 50 == 0:
            i.common[:] /= i.common.sum()
    i.common[:] /= i.common.sum()
    return evaluations


@njit(error_model="numpy", cache=True, nogil=True)
def settle(i, t, c, rules, rows, m, sym, arg, val, n, slot):
    """Put a migrant into member `slot`, scored on this island's rows."""
    fit, place = assess(i, t, c, rules, rows, m, sym, arg, val, n)
    if place < 0:
        return
    i.sym[slot, :n] = sym[:n]
    i.arg[slot, :n] = arg[:n]
    i.val[slot, :n] = val[:n]
    i.n[slot], i.fit[slot], i.bin[slot] = n, fit, place
    i.age[slot] = i.clock[0]
    i.clock[0] += 1
