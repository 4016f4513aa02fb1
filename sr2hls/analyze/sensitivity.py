"""Ranges and slopes of a program's steps → a bound of |d output / d step| for every step."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
import sympy
from numpy.typing import NDArray

from sr2hls.analyze.evaluate import constant_ball
from sr2hls.program import Assignment, Kind, Program, linear_terms

Number = TypeVar("Number", float, NDArray[np.float64])


def reverse_slopes(
    program: Program, output: str, sizes: Mapping[str, Number], slopes: Mapping[str, Number]
) -> dict[str, Number | float]:
    """By reverse accumulation of absolute slopes, one number a step or an array of one for each box.

    Args:
        sizes: the largest absolute value of each symbol; slopes: the largest |derivative| of each function that is
            not one of an exact input.
    """
    found: dict[str, Number | float] = {output: 1.0}
    for step in reversed(program.assignments):
        weight = found.get(step.symbol.name, 0.0)
        if isinstance(weight, float) and weight == 0.0:
            continue
        for name, slope in _slopes(step, sizes, slopes):
            found[name] = found.get(name, 0.0) + weight * slope
    return found


def _slopes(
    step: Assignment, sizes: Mapping[str, Number], slopes: Mapping[str, Number]
) -> list[tuple[str, Number | float]]:
    args = step.expression.args
    match step.kind:
        case Kind.LINEAR | Kind.TURNS:
            return _sizes(step.expression if step.kind is Kind.LINEAR else args[0])
        case Kind.PRODUCT:
            a, b = (args[0], args[0]) if isinstance(step.expression, sympy.Pow) else args
            return [(a.name, sizes[b.name]), (b.name, sizes[a.name])]
        case Kind.MAXIMUM | Kind.MINIMUM | Kind.ABSOLUTE:
            return [(arg.name, 1.0) for arg in args]
        case Kind.SELECT:
            return [(arg.name, 1.0) for arg in args[1:]]
        case Kind.FUNCTION:
            slope = slopes.get(step.symbol.name)
            return [] if slope is None else [(s.name, slope) for s in step.expression.free_symbols]
        case _:
            return []


@lru_cache(maxsize=1024)
def _sizes(expression: sympy.Expr) -> list[tuple[str, Any]]:
    """The sizes of an affine expression's coefficients."""
    terms, _ = linear_terms(expression) or ({}, None)
    return [(symbol.name, abs(float(constant_ball(k)))) for symbol, k in terms.items()]
