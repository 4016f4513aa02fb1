"""What a strategy decides: the width of messages, how they are read and sent, the penalty, the ranking, the pruning."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Generator, Tensor, nn

from sr2hls.distill.networks.columns import Columns
from sr2hls.distill.networks.network import GraphNetwork, NodePerceptron
from sr2hls.distill.networks.perceptron import perceptron
from sr2hls.distill.recipe import Recipe


class Strategy:
    """The plain graph network; a strategy overrides what it does differently. It has no state of its own.

    name: as in `Recipe.strategy`; weight: of the penalty, where the recipe gives none; bf16: whether bfloat16 will do.
    """

    name: ClassVar[str] = ""
    weight: ClassVar[float] = 0.0
    bf16: ClassVar[bool] = True

    def width(self, recipe: Recipe, dimension: int) -> int:
        """Components of a message."""
        del dimension
        return recipe.message

    def outputs(self, width: int) -> int:
        """Outputs of the edge function for a message of this width."""
        return width

    def node(self, columns: Columns, recipe: Recipe, width: int) -> nn.Module:
        """(state in typical units, summed messages) → acceleration in typical units."""
        return NodePerceptron(columns, recipe.hidden, recipe.depth, width, recipe.own)

    def message_unit(self, columns: Columns, sizes: Tensor, unit: float) -> float:
        """One unit of a message in the data's units."""
        del columns, sizes, unit
        return 1.0

    def read(self, raw: Tensor, noise: Generator | None) -> tuple[Tensor, Tensor, Tensor | None]:
        """Outputs of the edge function → (what is sent, its mean, its log variance or None)."""
        del noise
        return raw, raw, None

    def penalty(self, messages: Tensor, spread: Tensor | None) -> Tensor | None:
        """Of the messages (b, e, w), summed over edges and components: (b,); None: there is none."""
        del messages, spread
        return None

    def importance(self, messages: Tensor, spread: Tensor | None) -> Tensor:
        """Of each component, messages (rows, w) → (w,): its standard deviation."""
        del spread
        return messages.std(0, correction=0)

    def kept(self, share: float, width: int, dimension: int) -> int:
        """How many components remain after this share of the steps."""
        del share, dimension
        return width

    def build(self, columns: Columns, recipe: Recipe, sizes: Tensor, unit: float) -> nn.Module:
        """The network, with random weights from torch's global generator."""
        width = self.width(recipe, columns.dimension)
        edge = perceptron(columns.pair_width, recipe.hidden, self.outputs(width), recipe.depth)
        node = self.node(columns, recipe, width)
        message_unit = self.message_unit(columns, sizes, unit)
        return GraphNetwork(columns, edge, node, width, self.read, sizes, unit, message_unit)


def per_component(values: Tensor) -> Tensor:
    """Mean over all rows: (..., w) → (w,)."""
    return torch.as_tensor(values.reshape(-1, values.shape[-1]).mean(0))
