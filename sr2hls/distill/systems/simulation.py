"""A system → `Trajectories`: initial states drawn by a seed, integrated, with the accelerations at the saved times."""

from __future__ import annotations

import math

import numpy as np

from sr2hls.distill.systems.definition import System
from sr2hls.distill.systems.exact import acceleration, accelerations
from sr2hls.distill.systems.integrate import integrate
from sr2hls.distill.trajectories import Trajectories, check
from sr2hls.errors import FormatError

DIMENSIONS = (2, 3)
_STEP = 20  # the largest step of the integrator, in times of the system's own dt


def simulate(
    system: System,
    *,
    bodies: int | None = None,
    dimension: int = 2,
    runs: int = 1000,
    times: int | None = None,
    dt: float | None = None,
    seed: int = 0,
    spread: float = 1.0,
) -> Trajectories:
    """Runs from random states as in Cranmer et al. 2020 (arXiv 2006.11287): equal arguments, equal bits.

    Args:
        bodies: None: the system's own number (4; string: 30). dimension: 2 or 3.
        runs: the first of them are the same whatever their number is.
        times, dt: rows a run and the time between them; None: the system's (500, as in the paper). `times=100` with
            `dt=5 * system.dt` gives every fifth of these rows, for a fifth of the memory.
        spread: scales the initial positions, for tests out of the distribution.

    Raises:
        FormatError: an argument out of its range, or a force that is not finite.
    """
    n = system.bodies if bodies is None else bodies
    rows = system.times if times is None else times
    gap = system.dt if dt is None else dt
    for name, value, least in (("bodies", n, 2), ("runs", runs, 1), ("times", rows, 1)):
        if value < least:
            raise FormatError(f"{name} is {value}; at least {least} is needed")
    if dimension not in DIMENSIONS:
        raise FormatError(f"{dimension} dimensions; the systems are simulated in {DIMENSIONS[0]} or {DIMENSIONS[1]}")
    for name, size in (("dt", gap), ("spread", spread)):
        if not (math.isfinite(size) and size > 0):
            raise FormatError(f"{name} is {size:g}; a number above zero is needed")
    positions, velocities, scalars = system.draw(np.random.default_rng(seed), runs, n, dimension)
    start = np.concatenate([positions * spread, velocities], axis=-1).transpose(2, 1, 0)
    names = tuple(scalars)
    given = np.stack([scalars[name].T for name in names])
    of = acceleration(system, n, names)
    found = integrate(of, np.ascontiguousarray(start), given, rows, gap, _STEP * system.dt)
    return check(
        Trajectories(
            *found,
            accelerations(system, *found, scalars),
            scalars,
            gap,
            system.name,
            None if system.edges is None else system.edges(n),
            system.softening,
        )
    )
