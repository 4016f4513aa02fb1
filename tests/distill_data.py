"""A tiny simulation for the tests of networks and training → `Graphs` with a known force."""

from __future__ import annotations

import numpy as np

from sr2hls.distill.graphs import Graphs, displacement
from sr2hls.distill.trajectories import Floats


def spring_forces(graphs: Graphs) -> Floats:
    """-2 (r - 1) (x_i - x_j) / |x_i - x_j| of every edge: (b, e, d)."""
    d = displacement(graphs)
    r = np.sqrt((d**2).sum(-1, keepdims=True))
    return -2 * (r + graphs.softening - 1) * d / r


def springs(
    b: int = 400, n: int = 4, dimension: int = 2, seed: int = 0, chain: bool = False, runs: int = 20, scale: float = 1.0
) -> Graphs:
    """Snapshots at random positions, all bodies joined by springs, or in a chain; `scale` is the unit of length."""
    rng = np.random.default_rng(seed)
    positions, velocities = rng.standard_normal((2, b, n, dimension))
    scalars = {"q": rng.standard_normal((b, n)), "m": np.exp(rng.standard_normal((b, n)))}
    pairs = [(j, i) for i in range(n) for j in range(n) if j != i and (not chain or abs(i - j) == 1)]
    senders, receivers = np.array(pairs, dtype=np.int64).T
    run = np.arange(b) % runs
    graphs = Graphs(positions, velocities, np.zeros_like(positions), scalars, senders, receivers, run, 0.01)
    total = np.zeros_like(positions)
    np.add.at(total, (slice(None), receivers), spring_forces(graphs))
    moved = total / scalars["m"][..., None]
    return Graphs(positions * scale, velocities, moved * scale, scalars, senders, receivers, run, 0.01 * scale)
