"""JPL's ephemeris DE421 → `Trajectories` of Sun and planets, and their true relative masses, for comparison only.

DE421 (Folkner, Williams, Boggs 2009, IPN Progress Report 42-178) is a numerical integration that was fitted to
observations: barycentric positions as Chebyshev polynomials of time. Velocities and accelerations are derivatives of
these polynomials. Units: astronomical units and Julian years of 365.25 days (TDB); G times the Sun's mass is 39.476.

The dynamics behind it has more than Newton's law between these bodies: asteroids, Pluto, the Moon apart from the Earth,
and relativity. Newton's law with DE421's own masses leaves 2e-6 of the Sun's acceleration (root mean square), up to
2e-7 of the inner planets' and up to 1e-8 of the outer ones'.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.polynomial import chebyshev

from sr2hls.distill.extras import need
from sr2hls.distill.trajectories import Floats, Trajectories, check
from sr2hls.errors import FormatError

BODIES = ("sun", "mercury", "venus", "earth-moon", "mars", "jupiter", "saturn", "uranus", "neptune")
YEAR = 365.25  # days
FIRST = 2415020.5  # the Julian day of 1900 January 1, 0h
_FILES = ("sun", "mercury", "venus", "earthmoon", "mars", "jupiter", "saturn", "uranus", "neptune")
_MASSES = ("GMS", "GM1", "GM2", "GMB", "GM4", "GM5", "GM6", "GM7", "GM8")


def planets(first: float = FIRST, years: float = 150.0, step: float = 20.0) -> Trajectories:
    """One run of the nine `BODIES`, the barycenter of Earth and Moon as one; no masses are among the scalars.

    Args:
        first: Julian day (TDB) of the first row. years: until the last row. step: days between rows.

    Raises:
        ToolError: jplephem or de421 is missing. FormatError: times that DE421 does not cover.
    """
    ephemeris = _open()
    begin, end = float(ephemeris.jalpha), float(ephemeris.jomega)
    last = first + years * YEAR
    if not (step > 0 and begin <= first < first + step <= last <= end):
        raise FormatError(
            f"days {first:.1f} to {last:.1f} in steps of {step:g} are not times of DE421 (Julian days {begin} to {end})"
        )
    days = np.arange(first, last + step * 1e-9, step)
    parts = [_derivatives(ephemeris, name, days) for name in _FILES]
    positions, velocities, accelerations = (np.stack([part[k] for part in parts], axis=1)[None] for k in range(3))
    return check(
        Trajectories(
            positions, velocities * YEAR, accelerations * YEAR**2, {}, step / YEAR, "DE421",
            units={"length": "au", "time": "year"},
            notes=("accelerations: second derivatives of the ephemeris' polynomials",),
        )
    )  # fmt: skip


def mass_ratios() -> Floats:
    """The masses of `BODIES` over the Sun's, from DE421's GM: shape (9,). Raises ToolError as `planets`."""
    ephemeris = _open()
    found = np.array([getattr(ephemeris, name) for name in _MASSES], dtype=np.float64)
    return np.asarray(found / found[0])


def sun_gm() -> float:
    """G times the Sun's mass in AU^3/year^2. Raises ToolError as `planets`."""
    return float(_open().GMS) * YEAR**2


def _open() -> Any:
    for package in ("jplephem", "de421"):
        need(package)
    import de421
    from jplephem.ephem import Ephemeris

    return Ephemeris(de421)


def _derivatives(ephemeris: Any, name: str, days: Floats) -> tuple[Floats, Floats, Floats]:
    """Position, velocity and acceleration in AU and days, (t, 3) each."""
    coefficients, length, polynomials, twice = ephemeris.compute_bundle(name, days)
    series = np.asarray(coefficients, dtype=np.float64) / float(ephemeris.AU)  # (3, t, terms)
    terms, at = series.shape[2], np.asarray(twice) / 2
    found = [np.einsum("atk,kt->ta", series, polynomials)]
    for order in (1, 2):
        basis = np.stack([chebyshev.chebval(at, chebyshev.chebder(row, order)) for row in np.eye(terms)])
        found.append(np.einsum("atk,kt->ta", series, basis) * (2 / length) ** order)
    return found[0], found[1], found[2]
