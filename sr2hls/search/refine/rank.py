"""Finished formulas → those that no other one beats in cycles, area and the accuracy of the circuit."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

from sr2hls.search.found import Found

DSP_LUTS = 100.0  # LUTs that a DSP block counts for; a 16 x 16 bit product takes about that many without it

T = TypeVar("T")


def pareto(items: Sequence[T], costs: Callable[[T], tuple[float, ...]]) -> list[T]:
    """The items that no other one equals or betters in every cost, in their order; of equals, the first."""
    marks = [tuple(math.inf if math.isnan(c) else c for c in costs(item)) for item in items]
    kept = []
    for at, mark in enumerate(marks):
        beaten = any(
            all(o <= m for o, m in zip(other, mark, strict=True)) and (other != mark or place < at)
            for place, other in enumerate(marks)
            if place != at
        )
        if not beaten:
            kept.append(items[at])
    return kept


def area(found: Found) -> float:
    """LUTs, with the DSP blocks counted as such; inf where there is no circuit."""
    if found.luts is None:
        return math.inf
    return found.luts + DSP_LUTS * (found.dsps or 0.0)


def _circuit_loss(found: Found) -> float:
    return math.inf if found.circuit_loss is None else found.circuit_loss


def _order(found: Found) -> tuple[float, float, float, int, str]:
    cycles = math.inf if found.cycles is None else found.cycles
    return cycles, area(found), _circuit_loss(found), found.nodes, found.equation


def front(found: Sequence[Found], margin: float = 0.0) -> tuple[Found, ...]:
    """The Pareto front over (cycles, area, loss of the circuit), by rising cycles; then the refused ones by size.

    margin: share of the loss by which a circuit must be more exact than all those that are no slower and no larger.
    """
    made = sorted((f for f in found if f.cycles is not None), key=_order)
    kept: list[Found] = []
    for item in pareto(made, lambda f: (float(f.cycles or 0), area(f), _circuit_loss(f))):
        cheaper = [f for f in kept if area(f) <= area(item)]  # in order of cycles: none of these is slower
        if all(_circuit_loss(item) < (1.0 - margin) * _circuit_loss(f) for f in cheaper):
            kept.append(item)
    refused = sorted((f for f in found if f.cycles is None), key=lambda f: (f.nodes, f.held_out, f.equation))
    return (*kept, *refused)


def hall_of_fame(found: Sequence[Found]) -> tuple[Found, ...]:
    """One row for each number of cycles, its loss below that of all rows before it; rows without a circuit left out.

    The loss is the circuit's on the held-out rows; among equal losses the smaller area.
    """
    best: dict[int, Found] = {}
    for item in sorted((f for f in found if f.cycles is not None), key=_order):
        held = best.get(item.cycles or 0)
        if held is None or _circuit_loss(item) < _circuit_loss(held):
            best[item.cycles or 0] = item
    rows: list[Found] = []
    for cycles in sorted(best):
        if not rows or _circuit_loss(best[cycles]) < _circuit_loss(rows[-1]):
            rows.append(best[cycles])
    return tuple(row for row in rows if math.isfinite(_circuit_loss(row)))
