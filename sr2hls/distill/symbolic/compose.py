"""A `Law` → models for the compiler: the force of one pair; and the law as what one pair adds to an acceleration."""

from __future__ import annotations

import sympy

from sr2hls.distill.law import Law
from sr2hls.distill.symbolic.constants import filled
from sr2hls.distill.symbolic.equality import pair_and_own
from sr2hls.errors import LoadError
from sr2hls.model import Output, Provenance, SymbolicModel, symbol

FORCE, ACCELERATION = "force", "acceleration"


def law_model(law: Law, *, of: str = FORCE) -> SymbolicModel:
    """One pair's message (`of` = "force": outputs fx, fy, ...) or what it adds to an acceleration (ax, ay, ...).

    Inputs are dx, dy, ... and the scalars that are used; r is written as sqrt(dx² + dy² + ...) + softening. Raises
    LoadError for a law whose node function is not linear in the sums, where the acceleration is asked for.
    """
    if of == FORCE:
        parts = law.edge
        names = [f"f{axis}" for axis in law.axes] if len(parts) == law.dimension else [
            f"message_{k + 1}" for k in range(len(parts))
        ]  # fmt: skip
    else:
        split = pair_and_own(law)
        if split is None:
            raise LoadError("the node function is not linear in the summed messages: a pair has no acceleration")
        parts, names = split[0], [f"a{axis}" for axis in law.axes]
    expanded = [with_displacement(part, law) for part in parts]
    used = {s.name for part in expanded for s in part.free_symbols}
    first = [f"d{axis}" for axis in law.axes]
    inputs = (*(name for name in first if name in used), *sorted(used - set(first)))
    outputs = tuple(
        Output(name, expression, Provenance(law.system, str(part), writer="sr2hls distill"))
        for name, expression, part in zip(names, expanded, parts, strict=True)
    )
    return SymbolicModel(inputs, outputs)


def with_displacement(expression: sympy.Expr, law: Law) -> sympy.Expr:
    """r as a function of dx, dy, ...."""
    square = sympy.Add(*(symbol(f"d{axis}") ** 2 for axis in law.axes))
    return filled(expression, {"r": sympy.sqrt(square) + sympy.Rational(str(law.softening))})
