"""Recipes: every system and strategy has one, changes are taken, mistakes are named."""

from __future__ import annotations

import pytest

from sr2hls.distill.recipe import STRATEGIES, Recipe
from sr2hls.distill.recipes import recipe_for
from sr2hls.distill.systems import names
from sr2hls.errors import FormatError


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_system_has_a_recipe(strategy: str) -> None:
    for name in (*names(), None, "a file of the user"):
        recipe = recipe_for(name, strategy, seed=7)
        assert recipe.strategy == strategy
        assert recipe.seed == 7
    assert recipe_for(None) == Recipe()


def test_heavy_tails_are_softened_and_charges_begin_blind() -> None:
    assert recipe_for("charge").soften == recipe_for("r2").soften == 3
    assert recipe_for("spring").soften is recipe_for("r1").soften is None
    assert recipe_for("spring").own < recipe_for("charge").own < recipe_for("r1").own == 1 < recipe_for("damped").own
    assert recipe_for("spring", "l1").own == 1 < recipe_for("spring", "kl").own
    assert recipe_for("r2", "kl").weight == 0.03
    assert recipe_for("r2", "kl").soften == 3
    assert recipe_for("charge", soften=None).soften is None


def test_mistakes_are_named() -> None:
    with pytest.raises(FormatError, match="no strategy 'L2'"):
        recipe_for("spring", "L2")
    with pytest.raises(FormatError, match="no such field: hiden"):
        recipe_for("spring", hiden=3)
