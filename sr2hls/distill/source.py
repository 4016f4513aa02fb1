"""A system's name or a file → `Source`: the trajectories to learn from, and the truth where it is known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sr2hls.distill import systems
from sr2hls.distill.law import Law
from sr2hls.distill.read import read
from sr2hls.distill.systems import System
from sr2hls.distill.trajectories import Trajectories, check
from sr2hls.errors import FormatError

EVERY = 5  # rows of the system's own time step between two snapshots: the next ones say little that is new


@dataclass(frozen=True, slots=True)
class Source:
    """trajectories; system and truth: None for a user's own data; about: one line for people."""

    trajectories: Trajectories
    system: System | None
    truth: Law | None
    about: str

    @property
    def name(self) -> str:
        return self.trajectories.name


def source_of(
    data: str | Path | Trajectories | None,
    *,
    system: str | None = None,
    dimension: int = 2,
    bodies: int | None = None,
    runs: int = 2000,
    seed: int = 0,
) -> Source:
    """The data of a distillation: a file, trajectories at hand, or a simulation.

    Raises FormatError where both or neither of data and system are given; as `read` and `simulate`.
    """
    if (data is None) == (system is None):
        raise FormatError(
            f"what to learn from? give a file of trajectories or one of the systems: {', '.join(systems.names())}"
        )
    if data is not None:
        given = check(data) if isinstance(data, Trajectories) else read(data)
        return Source(given, None, None, _about(given))
    return simulated(systems.system(str(system)), dimension=dimension, bodies=bodies, runs=runs, seed=seed)


def simulated(
    system: System,
    *,
    dimension: int = 2,
    bodies: int | None = None,
    runs: int = 2000,
    seed: int = 0,
    spread: float = 1.0,
) -> Source:
    """A simulation of the system over its own span of time, every fifth row."""
    given = systems.simulate(
        system, bodies=bodies, dimension=dimension, runs=runs, times=max(1, system.times // EVERY),
        dt=EVERY * system.dt, seed=seed, spread=spread,
    )  # fmt: skip
    return Source(given, system, systems.truth(system, dimension), _about(given))


def _about(given: Trajectories) -> str:
    k, t, n, d = given.shape
    known = f", with {', '.join(given.scalars)}" if given.scalars else ""
    return f"{given.name}: {k} runs of {t} snapshots, {n} bodies in {d} dimensions{known}"
