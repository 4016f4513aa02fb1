"""A chain of springs in a field → `STRING`."""

from __future__ import annotations

import numpy as np
import sympy

from sr2hls.distill.systems.definition import Own, R, Scalars, System, gaussian
from sr2hls.distill.systems.families.spring import energy, radial
from sr2hls.distill.trajectories import MASS, Floats, Ints
from sr2hls.model import symbol

GRAVITY = 1.0
SLACK = 0.3


def _weight(positions: Floats, velocities: Floats, scalars: Scalars) -> Floats:
    force = np.zeros_like(velocities)
    force[1] = -GRAVITY * scalars[MASS]
    return force


def _weight_formula(dimension: int) -> tuple[sympy.Expr, ...]:
    down = -sympy.Rational(str(GRAVITY)) * symbol("m_i")
    return tuple(down if axis == 1 else sympy.Integer(0) for axis in range(dimension))


def _height(positions: Floats, scalars: Scalars) -> Floats:
    height: Floats = GRAVITY * scalars[MASS] * positions[1]
    return height


def _chain(n: int) -> Ints:
    """Neighbors, both ways: (sender, receiver)."""
    first = np.arange(n - 1)
    there = np.stack([first, first + 1], axis=1)
    return np.concatenate([there, there[:, ::-1]])


def _line(random: np.random.Generator, runs: int, n: int, d: int) -> tuple[Floats, Floats, dict[str, Floats]]:
    """Bodies near x = 0, 1, 2, ..., with N(0, 0.3) of disorder; the rest as everywhere."""
    positions, velocities, scalars = gaussian(random, runs, n, d)
    positions *= SLACK
    positions[..., 0] += np.arange(n)
    return positions, velocities, scalars


STRING = System(
    name="string",
    description="A chain: neighbors are joined by springs U = (r - 1)^2, and every body has its weight, m g with g = 1 "
    "along -y. Both ends are free: a wall that holds two of the bodies would be a force that the graph does not show. "
    "The charge q is a distractor.",
    dt=1e-2,
    radial=radial,
    energy=energy,
    formula=-2 * (R - 1),
    draw=_line,
    bodies=30,
    own=Own(_weight, _weight_formula, _height),
    edges=_chain,
)

SYSTEMS = (STRING,)
