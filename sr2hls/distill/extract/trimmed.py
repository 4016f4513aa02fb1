"""Rows of features and targets → an affine least-trimmed-squares `Fit`, which close encounters cannot bend.

Least trimmed squares: Rousseeuw, "Least median of squares regression", J. Am. Stat. Assoc. 79 (1984) 871, with the
concentration steps of Rousseeuw and Van Driessen, "Computing LTS regression for large data sets" (2006). Forces such as
1/r² reach 10⁵ times their median. Such rows are leverage points, and concentration steps that start from ordinary least
squares stay with them; a second start from the rows of small size does not see them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sr2hls.distill.trajectories import Floats
from sr2hls.errors import FormatError

KEEP = 0.9  # share of the rows that counts: the worst 10 % are dropped, as in the original evaluation
ROUNDS = 30
_RELATIVE_RANK = 1e-11  # eigenvalues of the scaled normal matrix below this are linear dependences of the features


@dataclass(frozen=True, slots=True)
class Fit:
    """targets ≈ features @ coefficients + offset, each target fitted and trimmed by itself.

    coefficients: (k, c); offset: (c,); trimmed: (c,), R² of the fit on the rows that it kept, about their mean; plain:
    (c,), R² of ordinary least squares on all rows.
    """

    coefficients: Floats
    offset: Floats
    trimmed: Floats
    plain: Floats


def trimmed_fit(features: Floats, targets: Floats, size: Floats, *, keep: float = KEEP, rounds: int = ROUNDS) -> Fit:
    """Fit each target by affine least trimmed squares.

    Args:
        features: (rows, k). Linear dependences among them are allowed: the shortest solution is taken.
        targets: (rows, c).
        size: (rows,), a magnitude; the second start is fitted on the half of the rows where it is smallest.
        keep: share of the rows that counts.
        rounds: at most so many concentration steps from each start.

    Raises FormatError for fewer rows than two per unknown, and for numbers that are not finite.
    """
    rows, k = features.shape
    if rows < 2 * (k + 1):
        raise FormatError(f"{rows} rows are too few to fit {k + 1} unknowns; use more snapshots")
    if not (np.isfinite(features).all() and np.isfinite(targets).all()):
        raise FormatError("numbers that are not finite reached a fit: did the training diverge? Use a lower rate")
    columns = np.concatenate([features, np.ones((rows, 1))], axis=1)
    small = size <= np.median(size)
    everything = np.ones(rows, dtype=bool)
    found, trimmed, plain = [], [], []
    for y in targets.T:
        ordinary = _solve(columns, y, everything)
        plain.append(r_squared(y, y - columns @ ordinary))
        ends = [_concentrate(columns, y, start, keep, rounds) for start in (ordinary, _solve(columns, y, small))]
        coefficients, kept, _ = min(ends, key=lambda end: end[2])
        found.append(coefficients)
        trimmed.append(r_squared(y[kept], (y - columns @ coefficients)[kept]))
    solution = np.array(found).T
    return Fit(solution[:-1], solution[-1], np.array(trimmed), np.array(plain))


def r_squared(y: Floats, residual: Floats) -> float:
    """1 - residual sum of squares / sum of squares about the mean; 0 where y does not vary."""
    total = float(((y - y.mean()) ** 2).sum())
    if total <= 1e-24 * float((y**2).sum()):
        return 0.0
    return 1.0 - float((residual**2).sum()) / total


def kept_rows(residual: Floats, keep: float = KEEP) -> NDArray[np.bool_]:
    """The share `keep` of the rows with the smallest residuals."""
    square = residual**2
    h = max(1, math.ceil(keep * len(square)))
    return np.asarray(square <= np.partition(square, h - 1)[h - 1])


def _concentrate(
    columns: Floats, y: Floats, start: Floats, keep: float, rounds: int
) -> tuple[Floats, NDArray[np.bool_], float]:
    """(coefficients, kept rows, their sum of squares): fit, keep the best rows, fit those, until they stay the same."""
    coefficients = start
    kept = kept_rows(y - columns @ coefficients, keep)
    for _ in range(rounds):
        coefficients = _solve(columns, y, kept)
        again = kept_rows(y - columns @ coefficients, keep)
        if np.array_equal(kept, again):
            break
        kept = again
    return coefficients, kept, float(((y - columns @ coefficients)[kept] ** 2).sum())


def _solve(columns: Floats, y: Floats, rows: NDArray[np.bool_]) -> Floats:
    """Least squares by the normal equations of scaled columns: ten times as fast as an SVD of all rows."""
    part = columns[rows]
    scale = np.sqrt((part**2).sum(0))
    scale[scale == 0.0] = 1.0
    part = part / scale
    inverse = np.linalg.pinv(part.T @ part, rcond=_RELATIVE_RANK, hermitian=True)
    solution: Floats = inverse @ (part.T @ y[rows]) / scale
    return solution
