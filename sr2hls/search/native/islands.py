"""`Problem` + rules → rounds of islands on threads, migration, and the merged hall of fame.

A round is a fixed number of offspring on every island; islands meet only between rounds, in a fixed order, with random
numbers of their own. So the result depends on the seed and not on the number of threads, or on their timing.

Every second island is young: it takes in no migrants and begins anew every few rounds, so that a search is not left
with one early idea (after the age-layered populations of Hornby, 2006). What it finds reaches the others by the hall of
fame.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sr2hls.search.native import evolve as ev
from sr2hls.search.native.evolve import BINS, LOSS, Island, Rules, island
from sr2hls.search.native.generator import below, states, uniform
from sr2hls.search.native.polish import CONSTANTS, polish
from sr2hls.search.native.price import Prices
from sr2hls.search.native.score import FAILED, Room, Rows, room
from sr2hls.search.native.symbols import Symbols, Table
from sr2hls.search.native.tree import NODES, SLOTS
from sr2hls.search.native.vary import Scratch, scratch

OFFSPRING = 6  # of a round, per member
MIGRANTS = 2  # that an island takes in a round
LIFE = 16  # rounds after which a young island begins anew
_POLISH_EVERY = 3  # rounds
_FRONT_STEPS = 10

Tree = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32], int]


@dataclass(frozen=True, slots=True)
class Bench:
    """The scratch memory of one island."""

    room: Room
    first: Scratch
    second: Scratch
    floats: NDArray[np.float64]
    size: NDArray[np.int64]
    inner: NDArray[np.int64]

    @classmethod
    def of(cls, inputs: int, rows: int) -> Bench:
        integers = [np.zeros(NODES, np.int64) for _ in range(2)]
        return cls(room(inputs, rows, CONSTANTS), scratch(), scratch(), np.zeros(SLOTS), *integers)


@dataclass(slots=True)
class World:
    """The state of a search: everything that a checkpoint has to hold, and nothing else."""

    islands: list[Island]
    hall: Island  # its members are not used: only its hall of fame, merged from all islands, and its generator
    round: int = 0
    evaluations: int = 0
    planted: bool = False
    benches: list[Bench] = field(default_factory=list)


def world(inputs: int, rows: int, islands: int, members: int, seed: int) -> World:
    """A world before its first round."""
    seeds = states(seed, islands + 1)
    found = World([island(members, seeds[q]) for q in range(islands)], island(1, seeds[islands]))
    found.benches = benches(inputs, rows, islands)
    return found


def benches(inputs: int, rows: int, islands: int) -> list[Bench]:
    return [Bench.of(inputs, rows) for _ in range(islands + 1)]


def rounds(
    here: World, symbols: Symbols, prices: Prices, rules: Rules, rows: Rows, budget: int, threads: int
) -> Iterator[World]:
    """The world after each round, until the budget of evaluations is spent."""
    table = symbols.table

    def work(q: int) -> int:
        i, bench = here.islands[q], here.benches[q]
        common = (i, table, prices, rules, rows, bench.room, bench.first, bench.second)
        rest = (bench.floats, bench.size, bench.inner)
        if not here.planted or _reborn(q, here.round):
            ev.clear(i)
            return int(ev.plant(*common, *rest))
        return int(ev.evolve(*common, *rest, OFFSPRING * i.n.shape[0]))

    with ThreadPoolExecutor(max_workers=threads) as pool:
        while here.evaluations < budget:
            every = range(len(here.islands))
            done = list(pool.map(work, every)) if threads > 1 else [work(q) for q in every]
            here.evaluations += sum(done)
            if here.planted:
                here.round += 1
            here.planted = True
            for i in here.islands:
                merge(here.hall, i)
            bar = np.minimum.accumulate(here.hall.best[:, LOSS])
            for i in here.islands:
                i.bar[:] = bar
            if here.round % _POLISH_EVERY == 0:
                here.evaluations += _polish_front(here, symbols, prices, rules, rows)
            _migrate(here, symbols, prices, rules, rows)
            yield here


def _is_young(q: int) -> bool:
    return q % 2 == 1


def _reborn(q: int, round_: int) -> bool:
    """Whether a young island begins anew: one after the other, each after LIFE rounds."""
    return _is_young(q) and round_ > 0 and (round_ + 4 * (q // 2)) % LIFE == 0


def front(hall: Island) -> list[int]:
    """The bins of the hall of fame that beat all cheaper ones, by rising cost."""
    best, found = FAILED, []
    for k in range(BINS):
        if hall.best[k, LOSS] < best * 0.999:
            best = hall.best[k, LOSS]
            found.append(k)
    return found


def merge(hall: Island, other: Island) -> None:
    """Take every bin of `other` that is better."""
    better = np.flatnonzero(other.best[:, LOSS] < hall.best[:, LOSS])
    for name in ("best", "best_sym", "best_arg", "best_val", "best_n"):
        getattr(hall, name)[better] = getattr(other, name)[better]


def tree_of(hall: Island, k: int) -> Tree:
    """A copy of the tree in a bin."""
    return hall.best_sym[k].copy(), hall.best_arg[k].copy(), hall.best_val[k].copy(), int(hall.best_n[k])


def _polish_front(here: World, symbols: Symbols, prices: Prices, rules: Rules, rows: Rows) -> int:
    """Fit the constants of the front's trees longer than an offspring's."""
    bench, evaluations = here.benches[-1], 0
    for k in front(here.hall):
        sym, arg, val, n = tree_of(here.hall, k)
        evaluations += int(polish(symbols.table, sym, arg, val, n, rows, bench.room, _FRONT_STEPS))
        ev.assess(here.hall, symbols.table, prices, rules, rows, bench.room, sym, arg, val, n)
    return evaluations


def _migrate(here: World, symbols: Symbols, prices: Prices, rules: Rules, rows: Rows) -> None:
    """Every old island takes in trees of the front, and members of other islands."""
    g, bench, best = here.hall.g, here.benches[-1], front(here.hall)
    for q, i in enumerate(here.islands):
        if _is_young(q):
            continue
        members = i.n.shape[0]
        for _ in range(MIGRANTS):
            if best and uniform(g) < 0.5:
                tree = tree_of(here.hall, best[below(g, len(best))])
            else:
                other = here.islands[below(g, len(here.islands))]
                j = below(g, members)
                tree = other.sym[j].copy(), other.arg[j].copy(), other.val[j].copy(), int(other.n[j])
            _settle(i, below(g, members), tree, (symbols.table, prices, rules, rows, bench.room))


def _settle(i: Island, slot: int, tree: Tree, by: tuple[Table, Prices, Rules, Rows, Room]) -> None:
    """Put a migrant into member `slot`, scored on this island's rows."""
    fit, size = ev.assess(i, *by, *tree)
    if size < 0:
        return
    sym, arg, val, n = tree
    i.sym[slot, :n], i.arg[slot, :n], i.val[slot, :n] = sym[:n], arg[:n], val[:n]
    i.n[slot], i.fit[slot], i.size[slot] = n, fit, size
    i.age[slot] = i.clock[0]
    i.clock[0] += 1


def sow(here: World, trees: Sequence[Tree], symbols: Symbols, prices: Prices, rules: Rules, rows: Rows) -> None:
    """Put given trees into every island (a warm start); those beyond the limits are left out."""
    bench = here.benches[-1]
    for i in here.islands:
        for slot, tree in enumerate(trees[: i.n.shape[0]]):
            _settle(i, slot, tree, (symbols.table, prices, rules, rows, bench.room))
