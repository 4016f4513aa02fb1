"""The name of a system and a strategy → the recipe that recovers its force in about ten seconds of one core."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sr2hls.distill.recipe import STRATEGIES, Recipe
from sr2hls.errors import FormatError

# Forces like 1/r² reach 10⁵ times their median: a few close encounters would be all that a mean absolute error sees.
# `own`: what a node function sees of its body decides the gauge of the messages. With narrow messages and almost blind,
# it leaves no choice but accelerations, F/m_i; otherwise a training may end between two gauges, with masses (springs)
# or with charges of ±1, where each sign may get a gauge of its own. Wide messages would then carry the mass in a
# component of their own, so these strategies get it at full size. A drag has to be seen: it is no one's message.
_SPRING = {"own": 3.0}
_SYSTEMS: Mapping[str, Mapping[str, Any]] = {
    "spring": _SPRING,
    "discontinuous": _SPRING,
    "damped": _SPRING,
    "r2": {"soften": 3.0},
    "charge": {"soften": 3.0},
    "superposition": {"soften": 3.0},
}
_STRATEGIES: Mapping[str, Mapping[str, Any]] = {
    "l1": {"steps": 6000, "weight": 0.05, "own": 1.0},  # components fall silent slowly
}
# Of single cells, where that is better.
_CELLS: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("spring", "bottleneck"): {"own": 0.01},
    ("discontinuous", "bottleneck"): {"own": 0.01},
    ("charge", "bottleneck"): {"own": 0.3},
    ("charge", "pruning"): {"own": 0.3},
    ("superposition", "bottleneck"): {"own": 0.3},
    ("r2", "kl"): {"weight": 0.03},
}


def recipe_for(system: str | None, strategy: str = "bottleneck", **changes: Any) -> Recipe:
    """The measured recipe of a system (None, or a name without an entry: the user's own data) and a strategy.

    changes: fields of `Recipe` that replace it, such as seed=1. Raises FormatError for an unknown strategy or field.
    """
    if strategy not in STRATEGIES:
        raise FormatError(f"there is no strategy '{strategy}' (known: {', '.join(STRATEGIES)})")
    name = system or ""
    found: dict[str, Any] = {"strategy": strategy, **_SYSTEMS.get(name, {}), **_STRATEGIES.get(strategy, {})}
    found |= {**_CELLS.get((name, strategy), {}), **changes}
    try:
        return replace(Recipe(), **found)
    except TypeError as problem:
        raise FormatError(f"a recipe has no such field: {', '.join(sorted(changes))}") from problem
