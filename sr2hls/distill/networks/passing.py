"""One pass over any graph with torch_geometric's message passing: the reference of `dense`."""

from __future__ import annotations

import warnings

import torch
from torch import Generator, Tensor

from sr2hls.distill.extras import need
from sr2hls.distill.networks.columns import Edges
from sr2hls.distill.networks.network import GraphNetwork, Passed

need("torch_geometric")
with warnings.catch_warnings():
    # Its modules use parts of torch that newer versions call deprecated; none of them is used here.
    warnings.simplefilter("ignore", DeprecationWarning)
    from torch_geometric.nn import MessagePassing


class Passing(MessagePassing):  # type: ignore[misc]
    """Messages of a `GraphNetwork` along `edge_index` (senders, receivers), summed at the receivers."""

    def __init__(self, network: GraphNetwork) -> None:
        super().__init__(aggr="sum", flow="source_to_target")
        self.network = network

    def forward(self, x: Tensor, edge_index: Tensor, noise: Generator | None) -> tuple[Tensor, Tensor, Tensor | None]:
        """x: (nodes, F) → (sum at every node, mean and log variance of every edge)."""
        sent, mean, spread = self.edge_updater(edge_index, x=x, noise=noise)
        return self.propagate(edge_index, sent=sent, size=(len(x), len(x))), mean, spread

    def edge_update(self, x_i: Tensor, x_j: Tensor, noise: Generator | None) -> tuple[Tensor, Tensor, Tensor | None]:
        return self.network.message(x_i, x_j, noise)

    def message(self, sent: Tensor) -> Tensor:
        return sent


def passing(network: GraphNetwork, x: Tensor, edges: Edges, noise: Generator | None) -> Passed:
    """x: (b, n, F). The b graphs are one graph of b n nodes."""
    b, n, f = x.shape
    x = (x / network.sizes).reshape(b * n, f)
    first = torch.arange(b)[:, None] * n
    edge_index = torch.stack([(first + edges.senders).reshape(-1), (first + edges.receivers).reshape(-1)])
    summed, mean, spread = Passing(network)(x, edge_index, noise)
    e = len(edges.senders)
    flat = None if spread is None else spread.reshape(b, e, -1)
    return network.finish(x.reshape(b, n, f), summed.reshape(b, n, -1), mean.reshape(b, e, -1), flat)
