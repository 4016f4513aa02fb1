"""Bodies that attract by their masses → `R1` (force 1/r) and `R2` (force 1/r^2)."""

from __future__ import annotations

import numpy as np

from sr2hls.distill.systems.definition import M_I, M_J, R, Scalars, System, gaussian
from sr2hls.distill.trajectories import MASS, Floats


def _radial_1(r: Floats, i: Scalars, j: Scalars) -> Floats:
    return -i[MASS] * j[MASS] / r


def _energy_1(r: Floats, i: Scalars, j: Scalars) -> Floats:
    return i[MASS] * j[MASS] * np.log(r)


def _radial_2(r: Floats, i: Scalars, j: Scalars) -> Floats:
    return -i[MASS] * j[MASS] / (r * r)


def _energy_2(r: Floats, i: Scalars, j: Scalars) -> Floats:
    return -i[MASS] * j[MASS] / r


R1 = System(
    name="r1",
    description="Gravity of a flat world: U = m_i m_j log r, force 1/r. G = 1. The charge q is a distractor.",
    dt=5e-3,
    radial=_radial_1,
    energy=_energy_1,
    formula=-M_I * M_J / R,
    draw=gaussian,
    uses=(MASS,),
)

R2 = System(
    name="r2",
    description="Newton's gravity: U = -m_i m_j / r, force 1/r^2. G = 1. The charge q is a distractor.",
    dt=1e-3,
    radial=_radial_2,
    energy=_energy_2,
    formula=-M_I * M_J / R**2,
    draw=gaussian,
    uses=(MASS,),
)

SYSTEMS = (R1, R2)
