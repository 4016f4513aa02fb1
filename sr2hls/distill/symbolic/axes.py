"""One formula for a generic axis ↔ the formulas of all axes; and the test whether vectors point along the displacement.

The names of the generic axis: `d` for dx, dy, dz; `v_i`, `v_j` for the velocities' components; `sum_d` for those of the
summed messages.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sympy

from sr2hls.distill.law import sum_symbol
from sr2hls.distill.symbolic.constants import filled
from sr2hls.distill.trajectories import AXES, Floats
from sr2hls.model import symbol
from sr2hls.operators import product

COMPONENT, SUMMED = "d", "sum_d"
VELOCITIES = ("v_i", "v_j")


def names_on(axis: int) -> dict[str, sympy.Symbol]:
    """Generic name → the symbol on an axis (0 for x)."""
    letter = AXES[axis]
    return {
        COMPONENT: symbol(f"d{letter}"),
        SUMMED: sum_symbol(axis + 1),
        **{name: symbol(f"v{letter}_{name[-1]}") for name in VELOCITIES},
    }


def on_axes(generic: sympy.Expr, dimension: int) -> tuple[sympy.Expr, ...]:
    """A formula of the generic axis → one for each axis."""
    return tuple(filled(generic, names_on(axis)) for axis in range(dimension))


def on_displacement(radial: sympy.Expr, softening: float) -> sympy.Expr:
    """The size of a vector along the displacement → its component on the generic axis: |x_i - x_j| is r - softening."""
    return product(radial, symbol(COMPONENT) / (symbol("r") - sympy.Rational(str(softening))))


def generic_of(expressions: Sequence[sympy.Expr]) -> sympy.Expr | None:
    """The formula of the generic axis, where those of all axes are one; else None."""
    back = [
        filled(expression, {on.name: symbol(name) for name, on in names_on(axis).items()})
        for axis, expression in enumerate(expressions)
    ]
    if any(other != back[0] for other in back[1:]):
        return None
    strange = {on.name for axis in range(len(AXES)) for on in names_on(axis).values()}
    return None if strange & {s.name for s in back[0].free_symbols} else back[0]


def parallel_share(vectors: Floats, displacement: Floats) -> float:
    """How far vectors (n, d) point along displacements (n, d): the median of |F_parallel|² / |F|².

    Of the rows with more than a tenth of a large |F| (its 90 % quantile): near a zero of the force a network's
    direction is noise.
    """
    strength = np.sqrt((vectors**2).sum(-1))
    size = strength**2 * (displacement**2).sum(-1)
    along = (vectors * displacement).sum(-1) ** 2
    good = (size > 0) & (strength > 0.1 * np.quantile(strength, 0.9))
    return float(np.median(along[good] / size[good])) if good.any() else 0.0
