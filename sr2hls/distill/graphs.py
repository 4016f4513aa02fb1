"""Trajectories → `Graphs`: snapshots of bodies and who acts on whom, and the named columns for formulas.

Names of the columns (`i` receives, `j` sends): dx, dy, dz = x_i - x_j; r = |x_i - x_j| + softening; vx_i, vy_i, vx_j,
...; and for every scalar s of the bodies s_i and s_j. A node function sees vx_i, ..., s_i and the summed messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from sr2hls.distill.trajectories import AXES, Floats, Ints, Trajectories


@dataclass(frozen=True, slots=True)
class Graphs:
    """`b` snapshots of the same `n` bodies' slots in `d` dimensions.

    positions, velocities, accelerations: (b, n, d); scalars: name → (b, n); senders, receivers: (e,), the edges, equal
    in every snapshot, sorted by receiver and then sender; run: (b,), the trajectory that a snapshot is of.
    """

    positions: Floats
    velocities: Floats
    accelerations: Floats
    scalars: Mapping[str, Floats]
    senders: Ints
    receivers: Ints
    run: Ints
    softening: float = 0.0
    units: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> tuple[int, int, int]:
        """(b, n, d)."""
        b, n, d = self.positions.shape
        return b, n, d

    @property
    def complete(self) -> bool:
        """Every body acts on every other one."""
        n = self.positions.shape[1]
        return bool(len(self.senders) == n * (n - 1))

    def rows(self, chosen: Ints) -> Graphs:
        """Some of the snapshots."""
        return replace(
            self,
            positions=self.positions[chosen],
            velocities=self.velocities[chosen],
            accelerations=self.accelerations[chosen],
            scalars={name: values[chosen] for name, values in self.scalars.items()},
            run=self.run[chosen],
        )

    def spread(self, most: int) -> Graphs:
        """At most so many of the snapshots, evenly from all."""
        return self if len(self.run) <= most else self.rows(evenly(len(self.run), most))


def evenly(count: int, most: int) -> Ints:
    """At most `most` of the indices 0 to count - 1, the first and the last among them."""
    found: Ints = np.unique(np.linspace(0, max(count - 1, 0), min(count, most)).astype(np.int64))
    return found


def graphs_of(trajectories: Trajectories, every: int = 1) -> Graphs:
    """Every `every`-th snapshot of every run, run after run."""
    k, _, n, d = trajectories.shape
    positions = trajectories.positions[:, ::every]
    times = positions.shape[1]
    senders, receivers = _edges(trajectories.edges, n)

    def flat(values: Floats) -> Floats:
        return np.ascontiguousarray(values[:, ::every].reshape(k * times, n, d))

    return Graphs(
        flat(trajectories.positions),
        flat(trajectories.velocities),
        flat(trajectories.accelerations),
        {name: np.repeat(values, times, axis=0) for name, values in trajectories.scalars.items()},
        senders,
        receivers,
        np.repeat(np.arange(k), times),
        trajectories.softening,
        trajectories.units,
    )


def split(graphs: Graphs, held_out: float = 0.1, seed: int = 0) -> tuple[Graphs, Graphs]:
    """(to train, held out): whole runs go to one side. With a single run the last part of its time is held out."""
    runs = np.unique(graphs.run)
    if len(runs) == 1:
        cut = max(1, round(len(graphs.run) * (1 - held_out)))
        rows = np.arange(len(graphs.run))
        return graphs.rows(rows[:cut]), graphs.rows(rows[cut:] if cut < len(rows) else rows[-1:])
    drawn = np.random.default_rng(seed).permutation(runs)
    out = drawn[: max(1, round(len(runs) * held_out))]
    held = np.isin(graphs.run, out)
    return graphs.rows(np.flatnonzero(~held)), graphs.rows(np.flatnonzero(held))


def displacement(graphs: Graphs) -> Floats:
    """x_i - x_j of every edge: (b, e, d)."""
    return graphs.positions[:, graphs.receivers] - graphs.positions[:, graphs.senders]


def edge_columns(graphs: Graphs) -> dict[str, Floats]:
    """Every variable that an edge function may use, by name: (b, e) each."""
    d = displacement(graphs)
    found = {f"d{axis}": d[..., k] for k, axis in enumerate(AXES[: d.shape[-1]])}
    found["r"] = np.sqrt((d**2).sum(-1)) + graphs.softening
    for end, at in (("i", graphs.receivers), ("j", graphs.senders)):
        for k, axis in enumerate(AXES[: d.shape[-1]]):
            found[f"v{axis}_{end}"] = graphs.velocities[:, at, k]
        for name, values in graphs.scalars.items():
            found[f"{name}_{end}"] = values[:, at]
    return found


def node_columns(graphs: Graphs) -> dict[str, Floats]:
    """Every variable of a body itself, by name: (b, n) each."""
    found = {f"v{axis}_i": graphs.velocities[..., k] for k, axis in enumerate(AXES[: graphs.size[2]])}
    found |= {f"{name}_i": values for name, values in graphs.scalars.items()}
    return found


def _edges(given: Ints | None, n: int) -> tuple[Ints, Ints]:
    if given is None:
        pairs = [(j, i) for i in range(n) for j in range(n) if j != i]
        given = np.array(pairs, dtype=np.int64)
    order = np.lexsort((given[:, 0], given[:, 1]))
    return given[order, 0], given[order, 1]
