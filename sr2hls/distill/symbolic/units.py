"""Units of trajectories → units of the columns of a regression, as `sr2hls.search` takes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sr2hls.distill.symbolic.axes import COMPONENT, SUMMED, VELOCITIES
from sr2hls.distill.trajectories import AXES, MASS

TARGET = "target"
_LENGTHS = {"r", COMPONENT, *(f"d{axis}" for axis in AXES)}
_VELOCITIES = {*VELOCITIES, *(f"v{axis}_{end}" for axis in AXES for end in "ij")}


def column_units(units: Mapping[str, str], names: Iterable[str], kind: str) -> dict[str, str] | None:
    """Units of the named columns and of `TARGET`; None where lengths and times have none.

    units: as in `Trajectories.units`; kind: what the target is, "force" or "acceleration". Sums of messages are forces
    where the mass has a unit, else accelerations. A scalar without a unit is a pure number.
    """
    if "length" not in units or "time" not in units:
        return None
    velocity = f"{units['length']}/{units['time']}"
    force = f"{units[MASS]}*{units['length']}/{units['time']}^2" if MASS in units else ""
    acceleration = f"{units['length']}/{units['time']}^2"
    found = {}
    for name in names:
        if name in _LENGTHS:
            found[name] = units["length"]
        elif name in _VELOCITIES:
            found[name] = velocity
        elif name == SUMMED or name.startswith("sum_"):
            found[name] = force or acceleration
        else:
            found[name] = units.get(name.removesuffix("_i").removesuffix("_j"), "1")
    found[TARGET] = (force or acceleration) if kind == "force" else acceleration
    return found
