"""States of bodies and edges → accelerations: the graph network of Cranmer et al. 2020 (appendix A.1)."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import torch
from torch import Generator, Tensor, nn

from sr2hls.distill.networks.columns import Columns, Edges
from sr2hls.distill.networks.perceptron import perceptron


class Passed(NamedTuple):
    """What one pass computes.

    accelerations: (b, n, d); messages: (b, e, w), their means where the strategy samples; spread: (b, e, w), log
    variances, or None; summed: (b, n, w); residual: (b, n, d), a further equation that has to vanish, or None.
    """

    accelerations: Tensor
    messages: Tensor
    spread: Tensor | None
    summed: Tensor
    residual: Tensor | None = None


class Reading(Protocol):
    """Raw outputs of an edge function → (what is sent, mean, log variance or None)."""

    def __call__(self, raw: Tensor, noise: Generator | None) -> tuple[Tensor, Tensor, Tensor | None]: ...


class NodePerceptron(nn.Module):
    """(own columns times `own`, summed messages) → acceleration, in typical units."""

    def __init__(self, columns: Columns, hidden: int, depth: int, width: int, own: float = 1.0) -> None:
        super().__init__()
        self.columns, self.own = columns, own
        self.layers = perceptron(columns.own_width + width, hidden, columns.dimension, depth)

    def forward(self, x: Tensor, summed: Tensor) -> Tensor:
        return torch.as_tensor(self.layers(torch.cat([self.columns.own(x) * self.own, summed], -1)))


class SumOverMass(nn.Module):
    """Σ messages / mass: Newton's second law as node function (Han, Kammer, Fink 2022)."""

    def __init__(self, columns: Columns) -> None:
        super().__init__()
        self.mass = columns.mass

    def forward(self, x: Tensor, summed: Tensor) -> Tensor:
        return summed / x[..., self.mass, None]


class GraphNetwork(nn.Module):
    """Edge function, sum over senders, node function.

    `sizes`, (F,), and `unit`, (), are typical sizes of the state and of accelerations: inside everything is in these
    units. `message_unit` is what one unit of a message is in the data's units; `mask`, (w,), is zero for components
    that were pruned.
    """

    sizes: Tensor
    unit: Tensor
    message_unit: Tensor
    mask: Tensor

    def __init__(
        self,
        columns: Columns,
        edge: nn.Module,
        node: nn.Module,
        width: int,
        reading: Reading,
        sizes: Tensor,
        unit: float,
        message_unit: float = 1.0,
    ) -> None:
        super().__init__()
        self.columns, self.edge, self.node, self.reading = columns, edge, node, reading
        self.register_buffer("sizes", sizes)
        self.register_buffer("unit", torch.tensor(unit))
        self.register_buffer("message_unit", torch.tensor(message_unit))
        self.register_buffer("mask", torch.ones(width))

    def message(self, x_i: Tensor, x_j: Tensor, noise: Generator | None) -> tuple[Tensor, Tensor, Tensor | None]:
        """States in typical units, (..., F) each → (sent, mean, log variance or None), each (..., w)."""
        sent, mean, spread = self.reading(self.edge(self.columns.pair(x_i, x_j)), noise)
        return sent * self.mask, mean * self.mask, spread

    def forward(self, x: Tensor, edges: Edges, noise: Generator | None = None) -> Passed:
        """x: (b, n, F) in the data's units; `noise` draws messages where the strategy samples, None sends the means."""
        # The reference is read only where it is needed: complete graphs do without torch_geometric.
        if edges.complete:
            from sr2hls.distill.networks.dense import dense as passing
        else:
            from sr2hls.distill.networks.passing import passing
        return passing(self, x, edges, noise)

    def finish(self, x: Tensor, summed: Tensor, messages: Tensor, spread: Tensor | None) -> Passed:
        """The node function, and the way back to the data's units; x in typical units."""
        accelerations = self.node(x, summed) * self.unit
        return Passed(accelerations, messages * self.message_unit, spread, summed * self.message_unit)
