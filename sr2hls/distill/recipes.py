"""The name of a system and a strategy → the recipe that recovers its force in about ten seconds of one core."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sr2hls.distill.recipe import STRATEGIES, Recipe
from sr2hls.errors import FormatError

# Forces like 1/r² reach 10⁵ times their median: a few close encounters would be all that a mean absolute error sees.
# `own`: with charges of ±1 each charge may get a gauge of its own, unless the node function begins almost blind to
# them; with springs the message is the force itself where it begins by looking at the mass.
_SPRING = {"own": 3.0}
_SYSTEMS: Mapping[str, Mapping[str, Any]] = {
    "spring": _SPRING,
    "damped": _SPRING,
    "discontinuous": _SPRING,
    "string": _SPRING,
    "r2": {"soften": 3.0},
    "charge": {"soften": 3.0, "own": 0.3},
    "superposition": {"soften": 3.0, "own": 0.3},
}
# Of single cells, where the strategy's own weight is not the best.
_CELLS: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("r2", "kl"): {"weight": 0.03},  # noise of the messages would drown the many weak forces
}


def recipe_for(system: str | None, strategy: str = "bottleneck", **changes: Any) -> Recipe:
    """The measured recipe of a system (None, or a name without an entry: the user's own data) and a strategy.

    changes: fields of `Recipe` that replace it, such as seed=1. Raises FormatError for an unknown strategy or field.
    """
    if strategy not in STRATEGIES:
        raise FormatError(f"there is no strategy '{strategy}' (known: {', '.join(STRATEGIES)})")
    name = system or ""
    found: dict[str, Any] = {"strategy": strategy, **_SYSTEMS.get(name, {}), **_CELLS.get((name, strategy), {})}
    found |= changes
    try:
        return replace(Recipe(), **found)
    except TypeError as problem:
        raise FormatError(f"a recipe has no such field: {', '.join(sorted(changes))}") from problem
