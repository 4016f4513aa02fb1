"""Charges of -1 and 1, also with gravity → `COULOMB`, `SUPERPOSITION`."""

from __future__ import annotations

from sr2hls.distill.systems.definition import M_I, M_J, Q_I, Q_J, R, Scalars, System, signed
from sr2hls.distill.trajectories import CHARGE, MASS, Floats


def _radial(r: Floats, i: Scalars, j: Scalars) -> Floats:
    return i[CHARGE] * j[CHARGE] / (r * r)


def _energy(r: Floats, i: Scalars, j: Scalars) -> Floats:
    return i[CHARGE] * j[CHARGE] / r


def _radial_both(r: Floats, i: Scalars, j: Scalars) -> Floats:
    return (i[CHARGE] * j[CHARGE] - i[MASS] * j[MASS]) / (r * r)


def _energy_both(r: Floats, i: Scalars, j: Scalars) -> Floats:
    return (i[CHARGE] * j[CHARGE] - i[MASS] * j[MASS]) / r


COULOMB = System(
    name="charge",
    description="Coulomb's law: U = q_i q_j / r, charges -1 and 1, Coulomb's constant 1; the mass is inertia only.",
    dt=1e-3,
    radial=_radial,
    energy=_energy,
    formula=Q_I * Q_J / R**2,
    draw=signed,
    uses=(CHARGE,),
)

SUPERPOSITION = System(
    name="superposition",
    description="Coulomb's law and Newton's gravity at once: U = (q_i q_j - m_i m_j) / r, both constants 1.",
    dt=1e-3,
    radial=_radial_both,
    energy=_energy_both,
    formula=(Q_I * Q_J - M_I * M_J) / R**2,
    draw=signed,
    uses=(CHARGE, MASS),
)

SYSTEMS = (COULOMB, SUPERPOSITION)
