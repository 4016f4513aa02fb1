"""Messages with as many components as space has dimensions."""

from __future__ import annotations

from typing import ClassVar

from sr2hls.distill.networks.strategies.base import Strategy
from sr2hls.distill.recipe import Recipe


class Bottleneck(Strategy):
    name: ClassVar[str] = "bottleneck"

    def width(self, recipe: Recipe, dimension: int) -> int:
        del recipe
        return dimension
