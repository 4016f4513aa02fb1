"""States and edges → energies → accelerations by differentiation: the flattened Hamiltonian graph network.

Cranmer et al. 2020, appendix A.4 (FlatHGN), with separable energies: H = Σ_i T(v_i, s_i) + Σ_edges U(i, j).
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn

from sr2hls.distill.networks.columns import Columns, Edges
from sr2hls.distill.networks.network import Passed


class HamiltonianNetwork(nn.Module):
    """Pair energies of (x_i - x_j, s_i, s_j) or (x_i, s_i, x_j, s_j), self energies of (v_i, s_i).

    Hamilton's equations with p = m v: m dv/dt = -∂H/∂x gives the accelerations; m dx/dt = ∂H/∂v has to equal m v, which
    is the `residual` that trains the self energies. A message is the energy of a pair, V = U(i, j) + U(j, i),
    in the data's units, up to a function of the scalars, which no motion can tell.
    """

    sizes: Tensor
    unit: Tensor
    mask: Tensor

    def __init__(self, columns: Columns, pair: nn.Module, own: nn.Module, sizes: Tensor, unit: float) -> None:
        super().__init__()
        self.columns, self.pair, self.own, self.mass = columns, pair, own, columns.mass
        self.register_buffer("sizes", sizes)
        self.register_buffer("unit", torch.tensor(unit))
        self.register_buffer("mask", torch.ones(1))

    @staticmethod
    def widths(columns: Columns) -> tuple[int, int]:
        """Inputs of the pair energy and of the self energy."""
        d, s = columns.dimension, len(columns.scalars)
        return (d if columns.inputs == "relative" else 2 * d) + 2 * s, d + s

    def energies(self, x: Tensor, edges: Edges) -> tuple[Tensor, Tensor]:
        """x: (b, n, F) in typical units → (U of every edge: (b, e), T of every body: (b, n)), in units of `work`."""
        one_way = self._pair(x[:, edges.receivers], x[:, edges.senders])[..., 0]
        return one_way, self.own(x[..., self.columns.dimension :])[..., 0]

    @property
    def work(self) -> Tensor:
        """The unit of energy: typical mass times acceleration times distance."""
        return self.sizes[self.mass] * self.unit * self.sizes[0]

    def pair_forces(self, x: Tensor, edges: Edges) -> Tensor:
        """-∂V(i, j)/∂x_i of every edge, in the data's units: x (b, n, F) → (b, e, d)."""
        _, both = _backward(edges)
        with torch.enable_grad():
            x = x / self.sizes
            x_i, x_j = x[:, edges.receivers].detach().requires_grad_(), x[:, edges.senders].detach()
            total = self._pair(x_i, x_j).sum() + (self._pair(x_j, x_i) * both[:, None]).sum()
            (slope,) = torch.autograd.grad(total, x_i)
        return -slope[..., : self.columns.dimension] * self.work / self.sizes[0]

    def forward(self, x: Tensor, edges: Edges, noise: Generator | None = None) -> Passed:
        """x: (b, n, F) in the data's units."""
        del noise
        d, training = self.columns.dimension, torch.is_grad_enabled()
        with torch.enable_grad():
            scaled = (x / self.sizes).detach().requires_grad_()
            one_way, own = self.energies(scaled, edges)
            (slope,) = torch.autograd.grad(one_way.sum() + own.sum(), scaled, create_graph=training)
        mass = x[..., self.mass, None]
        accelerations = -slope[..., :d] * self.work / self.sizes[0] / mass
        speeds = slope[..., d : 2 * d] * self.work / self.sizes[d] / mass
        back, both = _backward(edges)
        messages = ((one_way + one_way[:, back] * both) * self.work)[..., None]
        summed = messages.new_zeros(*x.shape[:2], 1).index_add(1, edges.receivers, messages)
        # In units of acceleration, so that one loss can hold both equations.
        residual = (speeds - x[..., d : 2 * d]) / self.sizes[d] * self.unit
        return Passed(accelerations, messages, None, summed, residual)

    def _pair(self, x_i: Tensor, x_j: Tensor) -> Tensor:
        d = self.columns.dimension
        s_i, s_j = x_i[..., 2 * d :], x_j[..., 2 * d :]
        if self.columns.inputs == "relative":
            return torch.as_tensor(self.pair(torch.cat([x_i[..., :d] - x_j[..., :d], s_i, s_j], -1)))
        return torch.as_tensor(self.pair(torch.cat([x_i[..., :d], s_i, x_j[..., :d], s_j], -1)))


def _backward(edges: Edges) -> tuple[Tensor, Tensor]:
    """Of every edge: the place of the edge the other way, and 1 where there is one, else 0."""
    places = edges.receivers * edges.n + edges.senders  # ascending, as edges are sorted
    turned = edges.senders * edges.n + edges.receivers
    back = torch.searchsorted(places, turned).clamp(max=len(places) - 1)
    return back, (places[back] == turned).to(torch.float32)
