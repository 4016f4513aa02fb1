"""A first lowering + effort → a cheaper one with a proof just as good: descent over all levers.

Each round measures single changes on the target's whole bill and on the proven error, combines them (`combine`), and
certifies the result. Pairs follow where the combinations fail: one lever finer, another coarser.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sr2hls.functions import Taste
from sr2hls.wordlength.aim import Aim
from sr2hls.wordlength.bench import Bench, Outcome
from sr2hls.wordlength.combine import Change, combine
from sr2hls.wordlength.levers import TASTES, Setting, What, changed, rings
from sr2hls.wordlength.limits import Limits

Found = tuple[Setting, Outcome]


@dataclass(frozen=True, slots=True)
class Effort:
    """How many lowerings the descent may take beyond the first circuit, how far single changes go, pairs tried.

    Where `work` or `per_lever` is more counts; planning an evaluator counts as some lowerings, too.
    """

    work: float
    per_lever: float = 4.0
    reach: int = 2
    pairs: int = 0


EFFORTS = {"low": Effort(0.0), "normal": Effort(150.0), "high": Effort(4000.0, 40.0, reach=4, pairs=400)}
_MARGINS = (1.0, 0.97, 0.9, 0.75)  # of the error that is left: the sum of single changes is a first-order model
_PAIR_MARGIN = 1.05
_FINER = 5  # half bits
_SOFT, _FAST = TASTES.index(Taste(0.5, 10.0)), TASTES.index(Taste(2.0, 10.0))


def cheapest_words(bench: Bench, limits: Limits, effort: Effort) -> Outcome:
    """The best lowering that the effort finds: within the limits or as near as it came, then of least area.

    Where no limits are given, it has neither more cycles nor more multipliers than the first lowering.

    Raises FormatError where no lowering meets the error targets.
    """
    if effort.work <= 0:
        return first_found(bench, limits)
    start = bench.start()[1]
    if limits.latency is None:
        limits = replace(limits, latency=start.bill.latency)
    if limits.dsp is None and limits.luts is None:
        limits = replace(limits, dsp=math.ceil(start.bill.dsp))
    most = max(effort.work, effort.per_lever * len(bench.levers)) + bench.work
    center = nearest_start(bench, limits)
    if center is None:
        return start
    walk = _Walk(bench, limits, effort, center, most)
    while bench.work < most:
        found = walk.combined()
        if found is None:
            found = walk.measured()
        if found is None and walk.complete:
            found = walk.pairs()
            if found is None:
                break
        walk.take(found)
    return start if walk.aim.better(start.bill, walk.best.bill) else walk.best


def first_found(bench: Bench, limits: Limits) -> Outcome:
    """The first lowering, or where a descent begins, whichever is nearer to the limits."""
    start = bench.start()[1]
    near = nearest_start(bench, limits) if limits.excess(start.bill) > 0.0 else None
    return start if near is None or limits.excess(start.bill) <= limits.excess(near[1].bill) else near[1]


def nearest_start(bench: Bench, limits: Limits) -> Found | None:
    """Where a descent begins: the first lowering, or one for speed and without multipliers where that is too large.

    None where rounding to the levers' steps leaves none whose errors meet their targets.
    """
    setting, _ = bench.start()
    best = _proven(bench, setting)
    for taste in (_SOFT, _FAST):
        if best is not None and limits.excess(best[1].bill) > 0.0:
            fast = tuple(
                1 if lever.what is What.TABLED else taste if lever.what is What.TASTE else number
                for lever, number in zip(bench.levers, setting, strict=True)
            )
            found = _proven(bench, fast)
            if found is not None and limits.excess(found[1].bill) < limits.excess(best[1].bill):
                best = found
    return best


def _proven(bench: Bench, setting: Setting) -> Found | None:
    """The setting, or the least finer one, whose errors meet their targets: settings are coarser steps than words."""
    for finer in range(_FINER):
        at = tuple(
            number + finer if lever.what is What.BUDGET else number
            for lever, number in zip(bench.levers, setting, strict=True)
        )
        outcome = bench.outcome(at)
        if outcome is not None and outcome.proven:
            return at, outcome
    return None


@dataclass(frozen=True, slots=True)
class _Known:
    """A change as it was measured, and around which center (their number)."""

    change: Change
    center: int


class _Walk:
    """Steps from one setting to a better one.

    What single changes did around an earlier center serves as an estimate until they are measured anew.
    """

    def __init__(self, bench: Bench, limits: Limits, effort: Effort, center: Found, most: float) -> None:
        self.bench, self.limits, self.effort, self.most = bench, limits, effort, most
        (self.setting, self.best), self.centers = center, 0
        self.aim = Aim(limits, self.best.bill)
        self.known: dict[tuple[int, int], _Known] = {}
        self.complete = False  # whether every change in reach was measured around this center

    def better(self, at: Setting, than: Found | None = None) -> Found | None:
        """The setting's circuit where it is proven and better."""
        outcome = self.bench.outcome(at)
        bill = (than[1] if than else self.best).bill
        if outcome is not None and outcome.proven and self.aim.better(outcome.bill, bill):
            return at, outcome
        return None

    def take(self, found: Found | None) -> None:
        """Make a better setting the center; what is known of changes is moved along."""
        if found is None:
            return
        old, (self.setting, self.best) = self.setting, found
        self.centers, self.complete = self.centers + 1, False
        weights, self.aim = self.aim.weights, Aim(self.limits, self.best.bill)
        if weights != self.aim.weights:
            self.known.clear()
        moved = {}
        zero = Change(0, 0, 0.0, (0.0,) * len(self.best.ratios))
        for (index, number), known in self.known.items():
            here, there = old[index], self.setting[index]
            base = zero if here == there else self.known[index, there].change if (index, there) in self.known else None
            if base is not None and number != there:
                moved[index, number] = replace(known, change=_less(known.change, base))
            if base is not None and here != there:
                moved[index, here] = _Known(_less(replace(zero, lever=index, number=here), base), known.center)
        self.known = moved

    def combined(self) -> Found | None:
        """The best of combinations of the known changes that leave ever more of the error's room unused."""
        best = None
        changes = [known.change for known in self.known.values()]
        for margin in _MARGINS:
            chosen = combine(changes, [(1.0 - ratio) * margin for ratio in self.best.ratios])
            if chosen and self.bench.work < self.most:
                at = changed(self.setting, {change.lever: change.number for change in chosen})
                best = self.better(at, best) or best
        return best

    def measured(self) -> Found | None:
        """Measure some more single changes, nearest first, new ones before those that are out of date."""
        for reach in range(1, self.effort.reach + 1):
            within = list(rings(self.bench.levers, self.setting, reach))
            new = [move for move in within if move not in self.known]
            stale = [move for move in within if move in self.known and self.known[move].center != self.centers]
            if new or stale:
                return self._measure((new or stale)[: len(self.bench.levers)])
        self.complete = True
        return None

    def _measure(self, some: Sequence[tuple[int, int]]) -> Found | None:
        best, base = None, self.aim.price(self.best.bill)
        for index, number in some:
            if self.bench.work >= self.most:
                break
            at = changed(self.setting, {index: number})
            outcome = self.bench.outcome(at)
            change = Change(index, number, math.inf, (0.0,) * len(self.best.ratios))
            if outcome is not None:
                errors = tuple(new - old for new, old in zip(outcome.ratios, self.best.ratios, strict=True))
                change = Change(index, number, self.aim.price(outcome.bill) - base, errors)
                best = self.better(at, best) or best
            self.known[index, number] = _Known(change, self.centers)
        return best

    def pairs(self) -> Found | None:
        """The first better one of the pairs, those that promise most first."""
        changes = [known.change for known in self.known.values()]
        room = [(1.0 - ratio) * _PAIR_MARGIN for ratio in self.best.ratios]
        hopeful = [
            (one.price + two.price, i, j)
            for i, one in enumerate(changes)
            for j, two in enumerate(changes[:i])
            if one.lever != two.lever
            and one.price + two.price < 0
            and all(a + b <= r for a, b, r in zip(one.errors, two.errors, room, strict=True))
        ]
        for _, i, j in sorted(hopeful)[: self.effort.pairs]:
            if self.bench.work >= self.most:
                break
            pair = {changes[k].lever: changes[k].number for k in (i, j)}
            found = self.better(changed(self.setting, pair))
            if found is not None:
                return found
        return None


def _less(change: Change, base: Change) -> Change:
    """A change as seen from where another one of the same lever leads."""
    errors = tuple(a - b for a, b in zip(change.errors, base.errors, strict=True))
    return replace(change, price=change.price - base.price, errors=errors)
