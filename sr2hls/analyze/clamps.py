"""A function step + the pieces of its argument that are kept → steps that evaluate it at the nearest point of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import sympy

from sr2hls.analyze.nearest import Piece
from sr2hls.operators import Less, Select
from sr2hls.program import Assignment, Kind


def mirrored(expression: sympy.Expr, argument: sympy.Symbol, pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """The pieces on both sides of a power's pole equally far from it: as near as the nearer one."""
    if len(pieces) != 2 or not _parity(expression, argument):
        return tuple(pieces)
    near = min(-pieces[0][1], pieces[1][0])
    return ((pieces[0][0], -near), (near, pieces[1][1]))


def clamped_steps(step: Assignment, argument: sympy.Symbol, pieces: Sequence[Piece]) -> tuple[Assignment, ...]:
    """One evaluator for each piece, and the one whose piece is nearest is taken; at a tie the lower one.

    A power with a pole at 0 has two pieces that mirror each other: one evaluator of the argument's size is enough.
    """
    parity = _parity(step.expression, argument)
    if parity and len(pieces) == 2:
        return _mirrored(step, argument, pieces, parity)
    if len(pieces) == 1:
        clamps = _clamp(step, step.symbol.name, argument, pieces[0])
        return (*clamps, _of(step, step.symbol, argument, clamps[-1].symbol))
    steps: list[Assignment] = []
    results: list[sympy.Symbol] = []
    for number, piece in enumerate(pieces):
        clamps = _clamp(step, f"{step.symbol.name}_{number}", argument, piece)
        results.append(_symbol(step, f"{number}_value"))
        steps += [*clamps, _of(step, results[-1], argument, clamps[-1].symbol)]
    chosen = results[0]
    for number, ((_, before), (after, _)) in enumerate(pairwise(pieces), 1):
        threshold, beyond = _symbol(step, f"{number}_middle"), _symbol(step, f"{number}_beyond")
        last = number == len(pieces) - 1
        result = step.symbol if last else _symbol(step, f"{number}_nearest")
        steps += [
            _constant(threshold, (before + after) / 2, "halfway between the pieces"),
            Assignment(beyond, Less(threshold, argument), Kind.LESS, f"{step.origin}: upper piece"),
            Assignment(result, Select(beyond, results[number], chosen), Kind.SELECT, step.origin),
        ]
        chosen = result
    return tuple(steps)


def _mirrored(step: Assignment, argument: sympy.Symbol, pieces: Sequence[Piece], parity: int) -> tuple[Assignment, ...]:
    low, high = min(-pieces[0][1], pieces[1][0]), max(-pieces[0][0], pieces[1][1])
    size = _symbol(step, "size")
    clamps = _clamp(step, step.symbol.name, size, (low, high))
    first = Assignment(size, sympy.Abs(argument), Kind.ABSOLUTE, f"size of the argument of {step.origin}")
    if parity > 0:
        return (first, *clamps, _of(step, step.symbol, argument, clamps[-1].symbol))
    value, negative, zero, positive = (_symbol(step, part) for part in ("value", "negative", "zero", "positive"))
    return (
        first,
        *clamps,
        _of(step, value, argument, clamps[-1].symbol),
        Assignment(negative, -value, Kind.LINEAR, f"-({step.origin})"),
        _constant(zero, Fraction(0), "zero"),
        Assignment(positive, Less(zero, argument), Kind.LESS, f"sign of the argument of {step.origin}"),
        Assignment(step.symbol, Select(positive, value, negative), Kind.SELECT, step.origin),
    )


def _parity(expression: sympy.Expr, argument: sympy.Symbol) -> int:
    """1 for a constant times an even power of the argument, -1 for an odd one, else 0."""
    powers = [part for part in sympy.Mul.make_args(expression) if part.free_symbols]
    if len(powers) == 1 and isinstance(powers[0], sympy.Pow) and powers[0].base == argument:
        exponent = powers[0].exp
        if exponent.is_Integer:
            return -1 if int(exponent) % 2 else 1
    return 0


def _clamp(step: Assignment, stem: str, argument: sympy.Symbol, piece: Piece) -> list[Assignment]:
    names = (sympy.Symbol(f"{stem}_{part}", real=True) for part in ("low", "high", "above", "inside"))
    low, high, above, inside = names
    text = f"argument of {step.origin}"
    return [
        _constant(low, piece[0], "lower clamp"),
        _constant(high, piece[1], "upper clamp"),
        Assignment(above, sympy.Max(argument, low), Kind.MAXIMUM, text),
        Assignment(inside, sympy.Min(above, high), Kind.MINIMUM, f"{text}, clamped"),
    ]


def _of(step: Assignment, result: sympy.Symbol, argument: sympy.Symbol, inside: sympy.Symbol) -> Assignment:
    return replace(step, symbol=result, expression=step.expression.xreplace({argument: inside}))


def _symbol(step: Assignment, part: str) -> sympy.Symbol:
    return sympy.Symbol(f"{step.symbol.name}_{part}", real=True)


def _constant(symbol: sympy.Symbol, value: Fraction, origin: str) -> Assignment:
    return Assignment(symbol, sympy.Rational(value.numerator, value.denominator), Kind.LINEAR, origin)
