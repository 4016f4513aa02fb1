"""`Graphs` → tensors: the state of the bodies, who acts on whom, typical sizes, and what perceptrons see of a state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sr2hls.distill.graphs import Graphs, displacement
from sr2hls.distill.trajectories import MASS, Floats
from sr2hls.errors import LoadError

RELATIVE, ABSOLUTE = "relative", "absolute"
_SAMPLE = 10_000  # snapshots from which typical sizes are read


@dataclass(frozen=True, slots=True)
class Columns:
    """A body's state is (position, velocity, scalars), F = 2 d + s numbers; this says where each is.

    inputs: "relative": an edge function sees (x_i - x_j, v_i, s_i, v_j, s_j) and a node function (v_i, s_i), so a
    shift of all bodies changes nothing; "absolute": (x_i, v_i, s_i, x_j, v_j, s_j) and (x_i, v_i, s_i), as in Cranmer
    et al. 2020.
    """

    dimension: int
    scalars: tuple[str, ...]
    inputs: str = RELATIVE

    @property
    def width(self) -> int:
        return 2 * self.dimension + len(self.scalars)

    @property
    def pair_width(self) -> int:
        return 2 * self.width - (self.dimension if self.inputs == RELATIVE else 0)

    @property
    def own_width(self) -> int:
        return self.width - (self.dimension if self.inputs == RELATIVE else 0)

    @property
    def mass(self) -> int:
        """The column of the masses, or LoadError."""
        if MASS not in self.scalars:
            have = ", ".join(self.scalars) or "no scalars"
            raise LoadError(f"this strategy needs the masses '{MASS}' of the bodies; the data has {have}")
        return 2 * self.dimension + self.scalars.index(MASS)

    def pair(self, x_i: Tensor, x_j: Tensor) -> Tensor:
        """What an edge function sees: (..., F) twice → (..., pair_width)."""
        if self.inputs == ABSOLUTE:
            return torch.cat([x_i, x_j], -1)
        d = self.dimension
        return torch.cat([x_i[..., :d] - x_j[..., :d], x_i[..., d:], x_j[..., d:]], -1)

    def own(self, x: Tensor) -> Tensor:
        """What a node function sees of the body itself: (..., F) → (..., own_width)."""
        return x if self.inputs == ABSOLUTE else x[..., self.dimension :]


@dataclass(frozen=True, slots=True)
class Edges:
    """senders, receivers: (e,), sorted by receiver and then sender; `complete`: every pair of the `n` bodies."""

    senders: Tensor
    receivers: Tensor
    n: int
    complete: bool


def columns_of(graphs: Graphs, inputs: str) -> Columns:
    """LoadError for inputs that are neither "relative" nor "absolute"."""
    if inputs not in (RELATIVE, ABSOLUTE):
        raise LoadError(f"inputs '{inputs}': '{RELATIVE}' or '{ABSOLUTE}' is needed")
    return Columns(graphs.size[2], tuple(graphs.scalars), inputs)


def state(graphs: Graphs, columns: Columns) -> Tensor:
    """(b, n, F) in float32; LoadError where a scalar that the network was trained with is missing."""
    missing = [name for name in columns.scalars if name not in graphs.scalars]
    if missing or graphs.size[2] != columns.dimension:
        raise LoadError(
            f"the network was trained in {columns.dimension} dimensions with the scalars {list(columns.scalars)}; "
            f"these graphs have {graphs.size[2]} and {list(graphs.scalars)}"
        )
    parts = [graphs.positions, graphs.velocities, *(graphs.scalars[name][..., None] for name in columns.scalars)]
    return torch.cat([_single(part) for part in parts], -1)


def edges(graphs: Graphs) -> Edges:
    senders, receivers = (torch.from_numpy(np.asarray(v, np.int64).copy()) for v in (graphs.senders, graphs.receivers))
    return Edges(senders, receivers, graphs.size[1], graphs.complete)


def typical(graphs: Graphs, columns: Columns) -> tuple[Tensor, float]:
    """(the typical size of each column of a state: (F,), the typical acceleration): medians of absolute values.

    Networks work in these units, so that data in meters train like data in astronomical units. For positions it is the
    distance along an axis between bodies that interact.
    """
    some = graphs.spread(_SAMPLE)
    d = columns.dimension
    sizes = [_size(displacement(some))] * d + [_size(some.velocities)] * d
    sizes += [_size(some.scalars[name]) for name in columns.scalars]
    return torch.tensor(sizes, dtype=torch.float32), _size(some.accelerations)


def _size(values: Floats) -> float:
    found = float(np.median(np.abs(values)))
    return found if found > 0 else float(np.abs(values).max()) or 1.0


def _single(values: Floats) -> Tensor:
    return torch.from_numpy(np.asarray(values, np.float32))
