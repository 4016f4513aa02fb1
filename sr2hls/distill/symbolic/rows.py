"""Edge variables and vectors of a record → the rows of a regression: radial, or one component at a time.

*Which rows.* Close encounters have forces of many orders of magnitude, and the network is worst there, for want of
examples: a mean square would see nothing else. So the largest tenth of |F| is left out (Cranmer et al. 2020 drop a
tenth, too), the others are drawn as they occur, and residuals count relative to the force: weight 1/(F² + s²) with s
about the median of |F|, 1/(|F| + s) for absolute losses. Rows drawn evenly over log |F| were tried: they put half of
the fit where the network has seen next to nothing, and formulas follow its errors.

*Radial.* Vectors that point along the displacement, F = f (x_i - x_j)/|x_i - x_j|, leave one scalar f(r, s_i, s_j) to
find. It holds the same information as the components stacked, without the axis as one more variable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sr2hls.distill.trajectories import AXES, Floats, Ints
from sr2hls.errors import LoadError

TAIL = 0.9
LEAST_ROWS = 50


@dataclass(frozen=True, slots=True)
class Rows:
    """columns: name → (n,); targets: (n, c); weights: (n, c), positive; mean 1."""

    columns: dict[str, Floats]
    targets: Floats
    weights: Floats


def flat(edge: Mapping[str, Floats], names: Sequence[str]) -> dict[str, Floats]:
    """(b, e) columns → (b e,). Raises LoadError for a name that is not there."""
    if missing := [name for name in names if name not in edge]:
        raise LoadError(f"the record has no edge variable '{missing[0]}'; there are: {', '.join(edge)}")
    return {name: np.asarray(edge[name], dtype=np.float64).reshape(-1) for name in names}


def scalars_in(edge: Mapping[str, Floats]) -> tuple[str, ...]:
    """The names of the bodies' scalars on both ends, such as m_i and m_j; of velocities none."""
    axes = {f"v{axis}_{end}" for axis in AXES for end in "ij"}
    return tuple(name for name in edge if name.endswith(("_i", "_j")) and name not in axes)


def displacement(edge: Mapping[str, Floats], dimension: int) -> Floats:
    """x_i - x_j of every edge: (b e, d)."""
    return np.stack(list(flat(edge, [f"d{axis}" for axis in AXES[:dimension]]).values()), axis=-1)


def chosen(size: Floats, count: int, seed: int = 0) -> Ints:
    """At most `count` of the rows that are not among the largest, in rising order. Raises LoadError for too few."""
    usable = np.flatnonzero(np.isfinite(size))
    if np.count_nonzero(size[usable]) < LEAST_ROWS:
        raise LoadError(
            f"{np.count_nonzero(size[usable])} rows with a value other than zero; a formula needs {LEAST_ROWS} or more"
        )
    usable = usable[size[usable] <= np.quantile(size[usable], TAIL)]
    found: Ints = np.sort(np.random.default_rng(seed).permutation(usable)[:count])
    return found


def floor_of(size: Floats) -> float:
    """What a small size counts as: the median, but a tenth of the large sizes where most are about zero."""
    return float(max(np.median(size), 0.1 * np.quantile(size, 0.9)))


def weights(size: Floats, loss: str) -> Floats:
    """Of residuals relative to a size (n,), with the floor; mean 1."""
    floor = floor_of(size)
    found = 1 / (size + floor) if loss == "mae" else 1 / (size**2 + floor**2)
    return np.asarray(found / found.mean(), dtype=np.float64)


def radial_rows(
    edge: Mapping[str, Floats], vectors: Floats, scalars: Sequence[str], count: int, loss: str, seed: int = 0
) -> Rows:
    """r and the scalars, against the vectors' component along the displacement, (n, 1)."""
    there = displacement(edge, vectors.shape[-1])
    given = vectors.reshape(there.shape)
    away = np.sqrt((there**2).sum(-1))
    with np.errstate(divide="ignore", invalid="ignore"):
        along = np.where(away > 0, (given * there).sum(-1) / away, 0.0)
    rows = chosen(np.abs(along), count, seed)
    columns = {name: column[rows] for name, column in flat(edge, ("r", *scalars)).items()}
    return Rows(columns, along[rows, None], weights(np.abs(along[rows]), loss)[:, None])


def component_rows(
    edge: Mapping[str, Floats], vectors: Floats, scalars: Sequence[str], count: int, loss: str, seed: int = 0
) -> Rows:
    """The displacement's components, r and the scalars, against every component of the vectors, (n, c)."""
    width = vectors.shape[-1]
    given = vectors.reshape(-1, width)
    rows = chosen(np.sqrt((given**2).sum(-1)), count, seed)
    names = (*[name for name in (f"d{axis}" for axis in AXES) if name in edge], "r", *scalars)
    columns = {name: column[rows] for name, column in flat(edge, names).items()}
    size = np.sqrt((given[rows] ** 2).sum(-1))
    return Rows(columns, given[rows], np.repeat(weights(size, loss)[:, None], width, axis=1))
