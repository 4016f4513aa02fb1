"""A system and snapshots of it → true forces, accelerations, energy, momentum; and the law as formulas."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import sympy

from sr2hls.distill.graphs import Graphs, displacement
from sr2hls.distill.law import Law, sum_symbol
from sr2hls.distill.systems.definition import M_I, Scalars, System
from sr2hls.distill.trajectories import AXES, MASS, Floats, Ints, Trajectories
from sr2hls.errors import FormatError
from sr2hls.model import symbol

_TINY = 1e-300  # two bodies in one place do not act on each other: there is no direction
_ROWS = 4096
_FEW = 2  # pairs per body: with more, sums go by tables; bodies add in the same order either way


def pairs(system: System, n: int) -> tuple[Ints, Ints]:
    """The bodies (i, j), i < j, that act on each other."""
    if system.edges is None:
        first, second = np.triu_indices(n, 1)
        return first.astype(np.int64), second.astype(np.int64)
    edges = system.edges(n)
    once = edges[edges[:, 1] < edges[:, 0]]
    return once[:, 1], once[:, 0]


def _distance(away: Floats) -> Floats:
    """|x| over the first axis, summed in order."""
    square = away[0] * away[0]
    for part in away[1:]:
        square += part * part
    root: Floats = np.sqrt(square)
    return root


def pair_forces(system: System, away: Floats, i: Scalars, j: Scalars) -> Floats:
    """The force of j on i, (d, ...), from x_i - x_j of that shape."""
    far = _distance(away)
    strength = system.radial(far + system.softening, i, j)
    return away * (strength / np.maximum(far, _TINY))


def acceleration(system: System, n: int, names: tuple[str, ...]) -> Callable[[Floats, Floats, Floats], Floats]:
    """Function of positions and velocities (d, n, c) and scalars (len(names), n, c), in the order of names."""
    first, second = pairs(system, n)
    ends = list(zip(first.tolist(), second.tolist(), strict=True))

    def of(positions: Floats, velocities: Floats, given: Floats) -> Floats:
        scalars = dict(zip(names, given, strict=True))
        i = {name: scalars[name][first] for name in system.uses}
        j = {name: scalars[name][second] for name in system.uses}
        forces = pair_forces(system, positions[:, first] - positions[:, second], i, j)
        total = np.zeros_like(positions) if system.own is None else system.own.force(positions, velocities, scalars)
        if len(ends) > _FEW * n:
            table = np.zeros((len(positions), n, *positions.shape[1:]))  # sender first
            table[:, second, first], table[:, first, second] = forces, -forces
            for sender in range(n):
                total += table[:, sender]
        else:
            for at, (one, other) in enumerate(ends):
                total[:, one] += forces[:, at]
                total[:, other] -= forces[:, at]
        total /= scalars[MASS]
        return total

    return of


def accelerations(system: System, positions: Floats, velocities: Floats, scalars: Scalars) -> Floats:
    """At every row: (k, t, n, d) from arrays of that shape and scalars (k, n)."""
    k, t, n, d = positions.shape
    names = tuple(scalars)
    of = acceleration(system, n, names)
    out = np.empty((k * t, n, d))
    x, v = positions.reshape(k * t, n, d), velocities.reshape(k * t, n, d)
    for begin in range(0, k * t, _ROWS):
        part = slice(begin, begin + _ROWS)
        runs = np.arange(begin, min(begin + _ROWS, k * t)) // t
        given = np.stack([scalars[name][runs].T for name in names])
        out[part] = of(_axes_first(x[part]), _axes_first(v[part]), given).transpose(2, 1, 0)
    return out.reshape(k, t, n, d)


def _axes_first(rows: Floats) -> Floats:
    return np.ascontiguousarray(rows.transpose(2, 1, 0))


def forces(system: System, graphs: Graphs) -> Floats:
    """The true force of j on i along every edge (sender j, receiver i): (b, e, d)."""
    needed = {name: _scalar(graphs.scalars, name, system) for name in system.uses}
    i = {name: values[:, graphs.receivers] for name, values in needed.items()}
    j = {name: values[:, graphs.senders] for name, values in needed.items()}
    return np.moveaxis(pair_forces(system, np.moveaxis(displacement(graphs), -1, 0), i, j), 0, -1)


def _scalar(scalars: Scalars, name: str, system: System) -> Floats:
    if name not in scalars:
        raise FormatError(f"the system '{system.name}' needs the scalar '{name}' of the bodies, which the data lack")
    return scalars[name]


def energy(system: System, trajectories: Trajectories) -> Floats:
    """Kinetic and potential energy together, (k, t). With a force that has no potential (drag): without its work."""
    x = np.moveaxis(trajectories.positions, -1, 0)
    first, second = pairs(system, x.shape[-1])
    scalars = {name: values[:, None] for name, values in trajectories.scalars.items()}
    mass = _scalar(scalars, MASS, system)
    needed = {name: _scalar(scalars, name, system) for name in system.uses}
    i = {name: values[..., first] for name, values in needed.items()}
    j = {name: values[..., second] for name, values in needed.items()}
    far = _distance(x[..., first] - x[..., second])
    total: Floats = (mass * (trajectories.velocities**2).sum(-1)).sum(-1) / 2
    total = total + system.energy(far + system.softening, i, j).sum(-1)
    if system.own is not None and system.own.energy is not None:
        total = total + system.own.energy(x, scalars).sum(-1)
    return total


def canonical(trajectories: Trajectories) -> Floats:
    """The canonical momentum p = m v of every body, (k, t, n, d). Raises FormatError without masses.

    With it the trajectories are Hamiltonian data: a network H(x, p, m, q) = sum of pair energies + sum of self
    energies learns from dx/dt = dH/dp, which is the velocity, and dp/dt = -dH/dx, which is m times the acceleration.
    Such an H exists where `System.conservative` is true: drag has none.
    """
    if MASS not in trajectories.scalars:
        raise FormatError("momenta need the mass 'm' of the bodies, which the data lack")
    return trajectories.scalars[MASS][:, None, :, None] * trajectories.velocities


def momentum(trajectories: Trajectories) -> Floats:
    """Of all bodies together, (k, t, d). Raises FormatError without masses."""
    total: Floats = canonical(trajectories).sum(2)
    return total


def truth(system: System, dimension: int) -> Law:
    """The exact law: edge = the force of j on i, node = (sum + own force)/m_i.

    With the softening s of the simulation, x_i - x_j has the length r - s, so the unit vector is dx/(r - s).
    """
    away = symbol("r") - sympy.Rational(str(system.softening))
    edge = tuple(system.formula * symbol(f"d{axis}") / away for axis in AXES[:dimension])
    own = (sympy.Integer(0),) * dimension if system.own is None else system.own.formula(dimension)
    node = tuple((sum_symbol(k + 1) + own[k]) / M_I for k in range(dimension))
    return Law(dimension, edge, node, system.softening, system.name)
