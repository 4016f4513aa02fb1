"""Snapshots of a fixed set of bodies with unknown masses → the masses and a network of the force between two bodies.

After Lemos, Jeffrey, Cranmer, Ho and Battaglia 2022 ("Rediscovering orbital mechanics with machine learning", arXiv
2202.02306): one trainable logarithm of the mass per body, an edge network of displacement and both masses whose forces
come in opposite pairs, a_i = (sum of forces on i)/m_i, random rotations of each snapshot, a loss relative to each
body's own acceleration.

*The scale.* Forces and masses times the same number give the same accelerations, so only ratios of masses are known:
the mass of the body `reference` is 1.

*The loss.* Masses begin many orders of magnitude from where they belong. A relative error |a' - a|/|a| saturates at 1
for predictions that are far too small, and training ends there: the heavy bodies fit, the others are given up. So the
error of a body is |log |a'|/|a|| + |direction' - direction|. It has the same slope at the optimum, and a slope
everywhere else.

*What can be known.* Force pairs make sum m_i a_i = 0, whatever the force is; that alone determines the masses. A mass
shows in the accelerations of other bodies only, so it is learnt as well as the share that the body has in them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sr2hls.distill.graphs import Graphs
from sr2hls.distill.networks.perceptron import perceptron
from sr2hls.distill.networks.quiet import reproducible
from sr2hls.distill.networks.schedule import one_cycle
from sr2hls.distill.trajectories import Floats
from sr2hls.errors import FormatError, LoadError

ROWS = 50  # calls of `tell`
_MASS_SCALE = 8.0  # log masses are divided by it before they enter the network
_FORCE_SCALE = 5.0  # the network's exponent is multiplied by it
_CHUNK = 512


@dataclass(frozen=True, slots=True)
class ScalarRecipe:
    """Of one training: perceptron, Adam with a one-cycle rate, and a rate of their own for the log masses, which begin
    from N(0, 1)."""

    hidden: int = 64
    depth: int = 3
    steps: int = 6000
    batch: int = 32
    rate: float = 3e-3
    mass_rate: float = 0.1
    seed: int = 0


@dataclass(frozen=True, slots=True)
class ScalarProgress:
    """step of steps; loss: mean since the last report; seconds: of CPU since the start."""

    step: int
    steps: int
    loss: float
    seconds: float


class BodiesWithMasses(nn.Module):
    """Positions (b, n, d) → accelerations (b, n, d), for n bodies with learnt masses."""

    def __init__(self, graphs: Graphs, recipe: ScalarRecipe, reference: int) -> None:
        super().__init__()
        _, n, d = graphs.size
        once = graphs.receivers < graphs.senders
        self.first = torch.from_numpy(graphs.receivers[once].copy())
        self.second = torch.from_numpy(graphs.senders[once].copy())
        self.dimension, self.reference, self.softening = d, reference, graphs.softening
        self.free = nn.Parameter(torch.randn(n))
        self.network = perceptron(d + 3, recipe.hidden, d + 1, recipe.depth)
        away = graphs.positions[:, graphs.receivers[once]] - graphs.positions[:, graphs.senders[once]]
        self.length = float(np.median(np.sqrt((away**2).sum(-1))))
        size = np.sqrt((graphs.accelerations**2).sum(-1))
        self.size = float(np.exp(np.log(size[size > 0]).mean()))

    def log_masses(self) -> Tensor:
        """(n,), zero at the reference."""
        return self.free - self.free[self.reference]

    def pair_forces(self, positions: Tensor) -> Tensor:
        """The force on the first of every pair, (b, pairs, d), over `size`."""
        masses = self.log_masses() / _MASS_SCALE
        away = positions[:, self.first] - positions[:, self.second]
        far = away.norm(dim=-1, keepdim=True)
        direction = away / far.clamp_min(1e-12)
        near = ((far + self.softening) / self.length).log() / 2
        one, other = (masses[at][None, :, None].expand(len(positions), -1, 1) for at in (self.first, self.second))
        return self._force(direction, near, one, other) - self._force(-direction, near, other, one)

    def _force(self, direction: Tensor, near: Tensor, one: Tensor, other: Tensor) -> Tensor:
        out: Tensor = self.network(torch.cat([direction, near, one, other], -1))
        return out[..., : self.dimension] * torch.exp(_FORCE_SCALE * out[..., self.dimension :])

    def forward(self, positions: Tensor) -> Tensor:
        forces = self.pair_forces(positions)
        total = torch.zeros_like(positions).index_add(1, self.first, forces).index_add(1, self.second, -forces)
        return total * torch.exp(-self.log_masses())[:, None] * self.size


@dataclass(frozen=True, slots=True)
class Learned:
    """A trained network. log_masses: (n,), natural logarithms, 0 at the reference; curve: rows (step, loss)."""

    network: BodiesWithMasses
    log_masses: Floats
    curve: tuple[tuple[int, float], ...]
    recipe: ScalarRecipe
    seconds: float

    def forces(self, graphs: Graphs) -> Floats:
        """The force of j on i along every edge, (b, e, d), in units where the reference has the mass 1."""
        found = self._in_parts(graphs, self.network.pair_forces) * self.network.size
        place = {pair: k for k, pair in enumerate(zip(*_ends(self.network), strict=True))}
        ends = list(zip(graphs.receivers.tolist(), graphs.senders.tolist(), strict=True))
        if strange := [ends_ for ends_ in ends if ends_ not in place and ends_[::-1] not in place]:
            raise LoadError(f"the network has not learnt the edge between the bodies {strange[0]}")
        sign = np.array([1.0 if pair in place else -1.0 for pair in ends])
        at = [place.get(pair, place.get(pair[::-1], 0)) for pair in ends]
        return np.asarray(found[:, at] * sign[:, None])

    def accelerations(self, graphs: Graphs) -> Floats:
        """(b, n, d)."""
        return self._in_parts(graphs, self.network)

    def _in_parts(self, graphs: Graphs, function: Callable[[Tensor], Tensor]) -> Floats:
        positions = torch.from_numpy(graphs.positions).float()
        with torch.no_grad():
            parts = [function(positions[k : k + _CHUNK]) for k in range(0, len(positions), _CHUNK)]
        return np.asarray(torch.cat(parts).double().numpy())


def learn(
    graphs: Graphs,
    recipe: ScalarRecipe | None = None,
    *,
    reference: int = 0,
    tell: Callable[[ScalarProgress], object] | None = None,
) -> Learned:
    """Masses and force network of the bodies; the scalars of the graphs are not looked at. One thread.

    Raises FormatError for a recipe that cannot be, LoadError for bodies that nothing acts on.
    """
    asked = recipe or ScalarRecipe()
    _check(graphs, asked, reference)
    began = time.process_time()
    curve: list[tuple[int, float]] = []
    with reproducible(asked.seed) as noise:
        network = BodiesWithMasses(graphs, asked, reference)
        groups: list[dict[str, Any]] = [{"params": network.network.parameters()}, {"params": [network.free]}]
        adam = torch.optim.Adam(groups)
        positions = torch.from_numpy(graphs.positions).float()
        accelerations = torch.from_numpy(graphs.accelerations / network.size).float()
        total, since = 0.0, 0
        for step in range(asked.steps):
            for group, rate in zip(adam.param_groups, (asked.rate, asked.mass_rate), strict=True):
                now, momentum = one_cycle(step / asked.steps, rate)
                group["lr"], group["betas"] = now, (momentum, 0.999)
            at = torch.randint(0, len(positions), (asked.batch,), generator=noise)
            turn = rotations(asked.batch, network.dimension, noise)
            x, a = (torch.einsum("bij,bnj->bni", turn, values[at]) for values in (positions, accelerations))
            loss = error(network(x) / network.size, a)
            adam.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(network.network.parameters(), 1.0)
            adam.step()
            total, since = total + float(loss.detach()), since + 1
            if since == max(1, asked.steps // ROWS) or step + 1 == asked.steps:
                curve.append((step + 1, total / since))
                if tell is not None:
                    tell(ScalarProgress(step + 1, asked.steps, total / since, time.process_time() - began))
                total, since = 0.0, 0
        masses = network.log_masses().detach().double().numpy()
    return Learned(network, np.asarray(masses), tuple(curve), asked, time.process_time() - began)


def error(predicted: Tensor, true: Tensor) -> Tensor:
    """Mean over bodies of |log |a'|/|a|| + |a'/|a'| - a/|a||; bodies at rest in a row count with a tiny |a|."""
    size, given = (values.norm(dim=-1).clamp_min(1e-20) for values in (predicted, true))
    turned = (predicted / size[..., None] - true / given[..., None]).norm(dim=-1)
    mean: Tensor = ((size.log() - given.log()).abs() + turned).mean()
    return mean


def rotations(count: int, dimension: int, noise: torch.Generator) -> Tensor:
    """Uniform random rotations, (count, d, d): Q of a Gaussian matrix, with the signs of R taken out and det Q = 1."""
    q: Tensor
    q, r = torch.linalg.qr(torch.randn(count, dimension, dimension, generator=noise))
    q = q * torch.diagonal(r, dim1=-2, dim2=-1).sign()[:, None, :]
    flip = torch.ones(count, dimension)
    flip[:, 0] = torch.linalg.det(q).sign()
    return q * flip[:, None, :]


def _ends(network: BodiesWithMasses) -> tuple[list[int], list[int]]:
    return network.first.tolist(), network.second.tolist()


def _check(graphs: Graphs, recipe: ScalarRecipe, reference: int) -> None:
    for name in ("hidden", "depth", "steps", "batch"):
        if getattr(recipe, name) < 1:
            raise FormatError(f"{name} is {getattr(recipe, name)}; at least 1 is needed")
    for name in ("rate", "mass_rate"):
        value = getattr(recipe, name)
        if not (math.isfinite(value) and value > 0):
            raise FormatError(f"{name} is {value:g}; a number above zero is needed")
    bodies = graphs.size[1]
    if not 0 <= reference < bodies:
        raise FormatError(f"the reference is body {reference}; there are 0 to {bodies - 1}")
    joined = set(graphs.receivers.tolist()) & set(graphs.senders.tolist())
    if alone := sorted(set(range(bodies)) - joined):
        raise LoadError(f"body {alone[0]} has no edges both ways: its mass cannot be learnt from forces in pairs")
    pairs = set(zip(graphs.receivers.tolist(), graphs.senders.tolist(), strict=True))
    if lonely := [pair for pair in pairs if pair[::-1] not in pairs]:
        raise LoadError(f"body {lonely[0][1]} acts on {lonely[0][0]} but not the other way: forces come in pairs here")
    if not graphs.accelerations.any():
        raise LoadError("all accelerations are zero: there is no force to learn")
