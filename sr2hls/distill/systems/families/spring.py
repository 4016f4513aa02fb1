"""Springs between all bodies, without and with drag → `SPRING`, `DAMPED`."""

from __future__ import annotations

import sympy

from sr2hls.distill.systems.definition import Own, R, Scalars, System, gaussian
from sr2hls.distill.trajectories import AXES, Floats
from sr2hls.model import symbol

DAMPING = 0.5


def radial(r: Floats, i: Scalars, j: Scalars) -> Floats:
    return -2 * (r - 1)


def energy(r: Floats, i: Scalars, j: Scalars) -> Floats:
    return (r - 1) ** 2


def _drag(positions: Floats, velocities: Floats, scalars: Scalars) -> Floats:
    return -DAMPING * velocities


def _drag_formula(dimension: int) -> tuple[sympy.Expr, ...]:
    gamma = sympy.Rational(str(DAMPING))
    return tuple(-gamma * symbol(f"v{axis}_i") for axis in AXES[:dimension])


SPRING = System(
    name="spring",
    description="Springs of rest length 1 and stiffness 2 between all bodies: U = (r - 1)^2. Length: the rest length; "
    "time: the square root of the unit of mass over half the stiffness. The charge q is a distractor.",
    dt=1e-2,
    radial=radial,
    energy=energy,
    formula=-2 * (R - 1),
    draw=gaussian,
)

DAMPED = System(
    name="damped",
    description=f"As spring, and on every body the drag -{DAMPING} v. (In the code of Cranmer et al. 2020 the drag "
    "depends on the body's index, which no graph network can know.)",
    dt=2e-2,
    radial=radial,
    energy=energy,
    formula=-2 * (R - 1),
    draw=gaussian,
    own=Own(_drag, _drag_formula),
)

SYSTEMS = (SPRING, DAMPED)
