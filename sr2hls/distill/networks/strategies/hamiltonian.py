"""One message, the energy of a pair; accelerations are its derivatives (FlatHGN of Cranmer et al. 2020)."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from sr2hls.distill.networks.columns import Columns
from sr2hls.distill.networks.hamiltonian import HamiltonianNetwork
from sr2hls.distill.networks.perceptron import perceptron
from sr2hls.distill.networks.strategies.base import Strategy
from sr2hls.distill.recipe import Recipe


class Hamiltonian(Strategy):
    name: ClassVar[str] = "hamiltonian"
    bf16: ClassVar[bool] = False

    def width(self, recipe: Recipe, dimension: int) -> int:
        del recipe, dimension
        return 1

    def importance(self, messages: Tensor, spread: Tensor | None) -> Tensor:
        del spread
        return torch.ones(messages.shape[-1])

    def build(self, columns: Columns, recipe: Recipe, sizes: Tensor, unit: float) -> nn.Module:
        pair, own = (perceptron(w, recipe.hidden, 1, recipe.depth) for w in HamiltonianNetwork.widths(columns))
        return HamiltonianNetwork(columns, pair, own, sizes, unit)
