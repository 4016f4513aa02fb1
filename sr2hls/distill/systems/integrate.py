"""Initial states of many runs → their states at equal times: Dormand-Prince 5(4), all at once, each with own steps.

Dormand and Prince 1980; step control and the dense output of order 4 as in Hairer, Norsett, Wanner, "Solving Ordinary
Differential Equations I", II.4 to II.6. Runs share passes over memory, not steps: each has its own time and step, and
its result does not depend on the others, bit for bit. A run that ends gives its place to one that waits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sr2hls.distill.trajectories import Floats, Ints
from sr2hls.errors import FormatError

Acceleration = Callable[[Floats, Floats, Floats], Floats]  # of positions, velocities, constants; axes first

POOL = 1024  # runs at a time: the stages of this many stay in the cache
TOLERANCE = 1e-8
LEAST_STEP = 1e-9  # a jump of a force is crossed with steps of this size; the error it leaves is that times the jump
_STAGES: tuple[tuple[float, ...], ...] = (
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
_ERROR = (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)
_DENSE = (
    -12715105075 / 11282082432,
    0.0,
    87487479700 / 32700410799,
    -10690763975 / 1880347072,
    701980252875 / 199316789632,
    -1453857185 / 822651844,
    69997945 / 29380423,
)


@dataclass(slots=True)
class _Pool:
    """The runs under way. state: (2 d, n, c), positions and then velocities; slope: their derivatives; constants:
    (p, n, c); run, row: which run, and the next row to write; time, step: (c,)."""

    state: Floats
    slope: Floats
    constants: Floats
    run: Ints
    row: Ints
    time: Floats
    step: Floats

    def keep(self, chosen: Ints) -> None:
        self.state, self.slope = self.state[..., chosen], self.slope[..., chosen]
        self.constants = self.constants[..., chosen]
        self.run, self.row = self.run[chosen], self.row[chosen]
        self.time, self.step = self.time[chosen], self.step[chosen]


def integrate(
    acceleration: Acceleration,
    start: Floats,
    constants: Floats,
    times: int,
    dt: float,
    largest: float,
    tolerance: float = TOLERANCE,
) -> tuple[Floats, Floats]:
    """Positions and velocities, (k, times, n, d) each, at 0, dt, 2 dt, ...

    Args:
        acceleration: of positions (d, n, c), velocities and constants (p, n, c), for any c.
        start: (2 d, n, k), positions and then velocities. constants: (p, n, k).
        largest: step; also the dense output is then as exact as the steps. tolerance: relative and absolute, of a step.

    Raises:
        FormatError: an acceleration is not finite.
    """
    axes, n, runs = start.shape
    d = axes // 2
    positions, velocities = np.empty((runs, times, n, d)), np.empty((runs, times, n, d))
    positions[:, 0], velocities[:, 0] = start[:d].transpose(2, 1, 0), start[d:].transpose(2, 1, 0)
    if times == 1:
        return positions, velocities

    def slope(state: Floats, given: Floats) -> Floats:
        return np.concatenate([state[d:], acceleration(state[:d], state[d:], given)])

    def enter(chosen: Ints) -> _Pool:
        state, given = start[..., chosen], constants[..., chosen]
        full = np.full(len(chosen), largest / 16)
        return _Pool(state, slope(state, given), given, chosen, np.ones_like(chosen), np.zeros(len(chosen)), full)

    pool = enter(np.arange(min(POOL, runs)))
    waiting = len(pool.run)
    while len(pool.run):
        stages = _stages(pool, slope)
        new, error = stages.pop(), _error(pool, stages, tolerance)
        if not np.isfinite(error[pool.step <= LEAST_STEP]).all():
            raise FormatError("a force between the bodies is not finite; the softening may be too small")
        error = np.where(np.isfinite(error), error, 1e10)
        done = (error <= 1) | (pool.step <= LEAST_STEP)
        at, row = _due(pool, done, times, dt)
        if len(at):
            values = _between(pool, new, stages, at, (row * dt - pool.time[at]) / pool.step[at])
            positions[pool.run[at], row] = values[:d].transpose(2, 1, 0)
            velocities[pool.run[at], row] = values[d:].transpose(2, 1, 0)
            pool.row = pool.row + np.bincount(at, minlength=len(pool.row))
        pool.state = np.where(done, new, pool.state)
        pool.slope = np.where(done, stages[6], pool.slope)
        pool.time = pool.time + np.where(done, pool.step, 0.0)
        change = np.clip(0.9 * np.maximum(error, 1e-12) ** -0.2, 0.2, 5.0)
        pool.step = np.clip(pool.step * change, LEAST_STEP, largest)
        ended = np.flatnonzero(pool.row >= times)
        if len(ended):
            waiting = _replace(pool, ended, waiting, runs, enter)
    return positions, velocities


def _replace(pool: _Pool, ended: Ints, waiting: int, runs: int, enter: Callable[[Ints], _Pool]) -> int:
    """Runs that wait take the places of those that ended; the places that are left go. Returns the next to wait."""
    count = min(len(ended), runs - waiting)
    if count:
        fresh, into = enter(np.arange(waiting, waiting + count)), ended[:count]
        for name in ("state", "slope", "constants", "run", "row", "time", "step"):
            getattr(pool, name)[..., into] = getattr(fresh, name)
    if count < len(ended):
        left = np.ones(len(pool.run), dtype=bool)
        left[ended[count:]] = False
        pool.keep(np.flatnonzero(left))
    return waiting + count


def _combined(weights: tuple[float, ...], slopes: list[Floats]) -> Floats:
    """Sum of weighted slopes; elementwise, so that a run's bits do not depend on its place (in BLAS they may)."""
    total = weights[0] * slopes[0]
    scratch = np.empty_like(total)
    for weight, one in zip(weights[1:], slopes[1:], strict=True):
        if weight:
            np.multiply(one, weight, out=scratch)
            total += scratch
    return total


def _stages(pool: _Pool, slope: Callable[[Floats, Floats], Floats]) -> list[Floats]:
    """The seven slopes of a step, and last the new state."""
    slopes, new = [pool.slope], pool.state
    for weights in _STAGES:
        new = _combined(weights, slopes)
        new *= pool.step
        new += pool.state
        slopes.append(slope(new, pool.constants))
    return [*slopes, new]


def _error(pool: _Pool, slopes: list[Floats], tolerance: float) -> Floats:
    """Estimated error of the step over the tolerance, root mean square over the run's numbers."""
    error = _combined(_ERROR, slopes)
    error *= pool.step
    error /= tolerance + tolerance * np.abs(pool.state)
    error *= error
    total = np.zeros(error.shape[-1])
    for part in error.reshape(-1, error.shape[-1]):
        total += part
    norm: Floats = np.sqrt(total / (error.shape[0] * error.shape[1]))
    return norm


def _due(pool: _Pool, done: NDArray[np.bool_], times: int, dt: float) -> tuple[Ints, Ints]:
    """(place in the pool, row) of all rows that the accepted steps pass."""
    last = np.minimum((pool.time + pool.step) // dt, times - 1).astype(np.int64)
    count = np.where(done, np.maximum(last - pool.row + 1, 0), 0)
    at = np.repeat(np.arange(len(count)), count)
    row = pool.row[at] + np.arange(len(at)) - np.repeat(np.cumsum(count) - count, count)
    return at, row


def _between(pool: _Pool, new: Floats, slopes: list[Floats], at: Ints, share: Floats) -> Floats:
    """The states of the runs `at` when a `share` of their step has passed."""
    change = new - pool.state
    bend = pool.step * slopes[0] - change
    rest = change - pool.step * slopes[6] - bend
    high = pool.step * _combined(_DENSE, slopes)
    left = 1 - share
    inner = rest[..., at] + left * high[..., at]
    return pool.state[..., at] + share * (change[..., at] + left * (bend[..., at] + share * inner))
