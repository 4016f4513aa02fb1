"""A spring that holds only beyond a distance → `DISCONTINUOUS`."""

from __future__ import annotations

import numpy as np

from sr2hls.distill.systems.definition import R, Scalars, System, gaussian
from sr2hls.distill.trajectories import Floats
from sr2hls.operators import GreaterEqual

REACH = 2


def _radial(r: Floats, i: Scalars, j: Scalars) -> Floats:
    return np.where(r >= REACH, -2 * (r - 1), 0.0)


def _energy(r: Floats, i: Scalars, j: Scalars) -> Floats:
    return np.where(r >= REACH, (r - 1) ** 2 - (REACH - 1) ** 2, 0.0)


DISCONTINUOUS = System(
    name="discontinuous",
    description="No force below r = 2, from there on the spring's -2 (r - 1). The force jumps; the energy used here is "
    "its integral, (r - 1)^2 - 1 beyond 2, which is continuous (Cranmer et al. write (r - 1)^2, with the same force). "
    "The charge q is a distractor.",
    dt=1e-2,
    radial=_radial,
    energy=_energy,
    formula=-2 * (R - 1) * GreaterEqual(R, REACH),
    draw=gaussian,
)

SYSTEMS = (DISCONTINUOUS,)
