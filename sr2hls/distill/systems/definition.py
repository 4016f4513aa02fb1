"""A force law between bodies as data: `System`, with its forces in NumPy, its formula in sympy, and how states begin.

Natural units throughout: the constants of the laws (G, 1/(4 pi epsilon_0), the rest length, half the stiffness of a
spring) are 1, so lengths, times, masses and charges are plain numbers.

Arrays in here have the axis of x, y, z first and then whatever the caller needs, such as (pairs, runs): with the long
axis last, a step of many runs at once is a few passes over contiguous memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import sympy

from sr2hls.distill.trajectories import CHARGE, MASS, Floats, Ints
from sr2hls.model import symbol

Scalars = Mapping[str, Floats]
Draw = Callable[[np.random.Generator, int, int, int], tuple[Floats, Floats, dict[str, Floats]]]
SOFTENING = 0.01

R = symbol("r")
M_I, M_J, Q_I, Q_J = (symbol(f"{name}_{end}") for name in (MASS, CHARGE) for end in ("i", "j"))


@dataclass(frozen=True, slots=True)
class Own:
    """A force on a body that no other body causes.

    force: of (positions, velocities, scalars), axes first, to the same shape; formula: one expression per axis over
    vx_i, ... and m_i, ...; energy: its potential as a function of (positions, scalars), None where it has none.
    """

    force: Callable[[Floats, Floats, Scalars], Floats]
    formula: Callable[[int], tuple[sympy.Expr, ...]]
    energy: Callable[[Floats, Scalars], Floats] | None = None


@dataclass(frozen=True, slots=True)
class System:
    """Bodies that act on each other along their connecting line: F_ij = radial(r, s_i, s_j) (x_i - x_j)/|x_i - x_j|.

    name; description: the law and its units, for people; dt: time between two rows by default; times: rows by default;
    bodies: their number by default; softening: r = |x_i - x_j| + softening; radial: the force on i from j, above zero
    where they repel, of (r, scalars of i, scalars of j) and any shape; energy: of the pair, the same arguments, with
    radial = -d energy/dr; formula: radial as an expression over r, m_i, m_j, q_i, q_j; uses: the scalars that it
    needs; own: a force of the body itself; draw: (random, runs, n, d) → positions and velocities (runs, n, d), scalars
    (runs, n); edges: n → (e, 2) pairs (sender, receiver), None: all act on all.
    """

    name: str
    description: str
    dt: float
    radial: Callable[[Floats, Scalars, Scalars], Floats]
    energy: Callable[[Floats, Scalars, Scalars], Floats]
    formula: sympy.Expr
    draw: Draw
    uses: tuple[str, ...] = ()
    times: int = 500
    bodies: int = 4
    softening: float = SOFTENING
    own: Own | None = None
    edges: Callable[[int], Ints] | None = None

    @property
    def conservative(self) -> bool:
        """Whether its energy is constant."""
        return self.own is None or self.own.energy is not None

    @property
    def closed(self) -> bool:
        """Whether its momentum is constant: forces come in opposite pairs only."""
        return self.own is None


def gaussian(random: np.random.Generator, runs: int, n: int, d: int) -> tuple[Floats, Floats, dict[str, Floats]]:
    """Positions, velocities and charges from N(0, 1), masses exp(N(0, 1)), as in Cranmer et al. 2020.

    One draw a run, so that the first runs do not depend on how many follow.
    """
    drawn = random.standard_normal((runs, n, 2 * d + 2))
    scalars = {MASS: np.exp(drawn[..., 2 * d + 1]), CHARGE: drawn[..., 2 * d].copy()}
    return drawn[..., :d].copy(), drawn[..., d : 2 * d].copy(), scalars


def signed(random: np.random.Generator, runs: int, n: int, d: int) -> tuple[Floats, Floats, dict[str, Floats]]:
    """The same with charges of -1 and 1."""
    positions, velocities, scalars = gaussian(random, runs, n, d)
    return positions, velocities, scalars | {CHARGE: np.sign(scalars[CHARGE])}
