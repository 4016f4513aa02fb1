"""Single changes with their prices and errors → the combination of least price within the error that is left.

A multiple-choice knapsack over levers, one resource an output. The relaxed problem's solution equalizes what a unit of
error is worth at every lever (the Lagrangian solution); on the measured, discrete changes that is the greedy walk below
(Sinha and Zoltners, Operations Research 27, 1979): begin with the cheapest change of each lever, then buy back error
where it costs least.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Change:
    """One lever set to `number`: the difference in price, and in error per output as a part of its target."""

    lever: int
    number: int
    price: float
    errors: tuple[float, ...]


def combine(changes: Sequence[Change], room: Sequence[float]) -> tuple[Change, ...]:
    """At most one change per lever, the sum of errors within `room` (which may be negative), the sum of prices small.

    Empty where nothing helps, or no combination is within the room.
    """
    stay = Change(-1, 0, 0.0, (0.0,) * len(room))
    options: dict[int, list[Change]] = {}
    for change in changes:
        options.setdefault(change.lever, [stay]).append(change)
    chosen = {lever: min(several, key=lambda c: (c.price, sum(c.errors))) for lever, several in options.items()}
    total = [sum(change.errors[o] for change in chosen.values()) for o in range(len(room))]
    while _over(total, room) > _TINY:
        best: tuple[float, int, Change] | None = None
        for lever, several in options.items():
            for change in several:
                after = _moved(total, chosen[lever], change)
                saved = _over(total, room) - _over(after, room)
                if saved > _TINY:
                    worth = saved / max(change.price - chosen[lever].price, _TINY)
                    if best is None or worth > best[0]:
                        best = worth, lever, change
        if best is None:
            return ()
        total = _moved(total, chosen[best[1]], best[2])
        chosen[best[1]] = best[2]
    while True:  # what is left of the room is spent again
        cheaper = [
            (change.price - chosen[lever].price, lever, change)
            for lever, several in options.items()
            for change in several
            if change.price < chosen[lever].price - _TINY and _over(_moved(total, chosen[lever], change), room) <= _TINY
        ]
        if not cheaper:
            break
        _, lever, change = min(cheaper, key=lambda item: item[0])
        total = _moved(total, chosen[lever], change)
        chosen[lever] = change
    return tuple(change for change in chosen.values() if change.lever >= 0)


def _moved(total: Sequence[float], old: Change, new: Change) -> list[float]:
    return [t - a + b for t, a, b in zip(total, old.errors, new.errors, strict=True)]


def _over(total: Sequence[float], room: Sequence[float]) -> float:
    return sum(max(0.0, t - r) for t, r in zip(total, room, strict=True))
