"""The errors of a step's operands → the error that the exact step makes of them: sound interval rules.

An error is an interval of (hardware value - real value). Local rounding errors of the step itself come on top.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy

from sr2hls.analyze.evaluate import constant_ball
from sr2hls.analyze.interval import ZERO, Interval, symmetric
from sr2hls.program import Assignment, Kind, linear_terms


def propagated(step: Assignment, ranges: Mapping[str, Interval], errors: Mapping[str, Interval]) -> Interval:
    """The propagated error of every kind but `function`.

    A comparison or a floor of an inexact operand may flip: outside its band, which the certificate names, it is exact.
    """

    def error(expression: sympy.Expr) -> Interval:
        return errors[expression.name]

    args = step.expression.args
    match step.kind:
        case Kind.LINEAR | Kind.TURNS:
            return linear_error(step.expression if step.kind is Kind.LINEAR else args[0], errors)
        case Kind.PRODUCT:
            a, b = (args[0], args[0]) if isinstance(step.expression, sympy.Pow) else args
            # (a + da)(b + db) - ab
            return ranges[a.name] * error(b) + ranges[b.name] * error(a) + error(a) * error(b)
        case Kind.MAXIMUM | Kind.MINIMUM:
            return Interval.hull(error(args[0]), error(args[1]))
        case Kind.ABSOLUTE:
            return error(args[0]) if ranges[args[0].name].low >= 0 else symmetric(error(args[0]).magnitude)
        case Kind.SELECT:
            return Interval.hull(error(args[1]), error(args[2]))
        case _:
            return ZERO


def linear_error(expression: sympy.Expr, errors: Mapping[str, Interval]) -> Interval:
    """Sum of k·error over the terms of an affine expression."""
    terms, _ = linear_terms(expression) or ({}, sympy.Integer(0))
    total = ZERO
    for symbol, coefficient in terms.items():
        if errors[symbol.name] != ZERO:
            k = constant_ball(coefficient)
            total = total + errors[symbol.name] * Interval(k.lower(), k.upper())
    return total


def band(step: Assignment, errors: Mapping[str, Interval]) -> str | None:
    """Where a comparison or a floor may differ from the formula's, in words; None when its operands are exact."""
    if step.kind not in (Kind.LESS, Kind.FLOOR):
        return None
    total = ZERO
    for arg in step.expression.args:
        total = total + symmetric(errors[arg.name].magnitude)
    if total == ZERO:
        return None
    where = "of its threshold" if step.kind is Kind.LESS else "of an integer"
    return f"'{step.origin}' may flip where its argument is within {_at_least(float(total.high))} {where}"


def _at_least(width: float) -> str:
    """Three digits, not below the width."""
    text = f"{width:.3g}"
    return text if float(text) > width else f"{width * (1 + 2.0**-7):.3g}"
