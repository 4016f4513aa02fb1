"""One pass over complete graphs as batched matrix products: no scatter, no self edges; equals `passing`."""

from __future__ import annotations

from torch import Generator, Tensor

from sr2hls.distill.networks.columns import Edges
from sr2hls.distill.networks.network import GraphNetwork, Passed


def dense(network: GraphNetwork, x: Tensor, edges: Edges, noise: Generator | None) -> Passed:
    """x: (b, n, F). Edges come sorted by receiver, so the n (n - 1) of them are a table (n, n - 1) of senders."""
    b, n, f = x.shape
    x = x / network.sizes
    x_i = x[:, :, None].expand(b, n, n - 1, f)
    x_j = x[:, edges.senders.view(n, n - 1)]
    sent, mean, spread = network.message(x_i, x_j, noise)
    e = n * (n - 1)
    flat = None if spread is None else spread.reshape(b, e, -1)
    return network.finish(x, sent.sum(2), mean.reshape(b, e, -1), flat)
