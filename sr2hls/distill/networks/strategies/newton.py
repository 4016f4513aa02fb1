"""Messages are forces: the node function is fixed to their sum over the mass (Han, Kammer, Fink 2022)."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from sr2hls.distill.networks.columns import Columns
from sr2hls.distill.networks.network import SumOverMass
from sr2hls.distill.networks.strategies.base import Strategy
from sr2hls.distill.recipe import Recipe


class Newton(Strategy):
    """PNAS Nexus 1(5), doi 10.1093/pnasnexus/pgac264. Needs the masses; no gauge is left, and no node perceptron."""

    name: ClassVar[str] = "newton"

    def width(self, recipe: Recipe, dimension: int) -> int:
        del recipe
        return dimension

    def node(self, columns: Columns, recipe: Recipe, width: int) -> nn.Module:
        del recipe, width
        return SumOverMass(columns)

    def message_unit(self, columns: Columns, sizes: Tensor, unit: float) -> float:
        """The typical mass times the typical acceleration: messages come out in the data's unit of force."""
        return float(sizes[columns.mass]) * unit
