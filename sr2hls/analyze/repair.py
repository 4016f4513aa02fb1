"""`Program` → the same program with the arguments of functions clamped to where they are defined (`--domain clamp`).

The clamp is part of the formula from then on: the error bound is against the clamped formula, and the certificate
says what was clamped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import sympy
from flint import arb

from sr2hls.analyze.cells import Univariate, cells_of
from sr2hls.analyze.interval import Interval, exact
from sr2hls.analyze.ranges import Domain, step_range
from sr2hls.errors import DomainError
from sr2hls.operators import Select
from sr2hls.program import Assignment, Kind, Program, Turns

_DEPTH = 12  # halvings: a pole is avoided by 1/4096 of the argument's range


def clamp_domains(program: Program, domains: Mapping[str, Domain]) -> tuple[Program, tuple[str, ...]]:
    """The repaired program, and a note for every clamp.

    Raises DomainError where a function is defined nowhere, or (for a wide argument) on several separate pieces.
    """
    ranges = {s.name: domains[s.name].range for s in program.inputs}
    steps: list[Assignment] = []
    notes: list[str] = []
    for step in program.assignments:
        repaired: tuple[Assignment, ...] = (step,)
        note = ""
        if step.kind is Kind.FUNCTION:
            (argument,) = step.expression.free_symbols
            domain = domains.get(argument.name)
            if domain is not None and domain.narrow:
                repaired, note = _narrow(step, argument, domain)
            else:
                repaired, note = _wide(step, argument, ranges[argument.name])
        for part in repaired:
            ranges[part.symbol.name] = _range(part, ranges, domains)
        steps += repaired
        notes += [note] if note else []
    return replace(program, assignments=tuple(steps)), tuple(notes)


def _range(step: Assignment, ranges: Mapping[str, Interval], domains: Mapping[str, Domain]) -> Interval:
    if step.kind is not Kind.FUNCTION:
        return step_range(step, ranges)
    (argument,) = step.expression.free_symbols
    function = Univariate(step.expression, argument, step.origin)
    domain = domains.get(argument.name)
    if domain is not None and domain.narrow:
        return _hull(function, domain)
    return cells_of(function, ranges[argument.name]).range


def _narrow(step: Assignment, argument: sympy.Symbol, domain: Domain) -> tuple[tuple[Assignment, ...], str]:
    pieces = _codes(Univariate(step.expression, argument, step.origin), domain)
    if len(pieces) == 1 and pieces[0] == _span(domain.range):
        return (step,), ""
    projected = step.expression.xreplace({argument: _projection(argument, pieces)})
    return (replace(step, expression=projected),), _note(step, pieces)


def _wide(step: Assignment, argument: sympy.Symbol, over: Interval) -> tuple[tuple[Assignment, ...], str]:
    function = Univariate(step.expression, argument, step.origin)
    try:
        cells_of(function, over)
    except DomainError:
        pieces = _runs(function, over)
        if len(pieces) != 1:
            raise
        clamps = _clamp_steps(step, argument, pieces[0])
        inside = step.expression.xreplace({argument: clamps[-1].symbol})
        return (*clamps, replace(step, expression=inside)), _note(step, pieces)
    return (step,), ""


def formula_of(program: Program, output: sympy.Symbol) -> sympy.Expr:
    """An output's formula written out over the inputs."""
    known: dict[sympy.Symbol, sympy.Expr] = {}
    for step in program.assignments:
        expression = step.expression.args[0] if isinstance(step.expression, Turns) else step.expression
        known[step.symbol] = expression.xreplace(known)
    return known.get(output, output)


Piece = tuple[Fraction, Fraction]


def _span(interval: Interval) -> Piece:
    return exact(interval.low), exact(interval.high)


def _note(step: Assignment, pieces: list[Piece]) -> str:
    where = " or ".join(f"[{float(a):.6g}, {float(b):.6g}]" for a, b in pieces)
    return (
        f"the argument of '{step.origin}' is clamped to {where} (--domain clamp); the bound is for the clamped formula"
    )


def _codes(function: Univariate, domain: Domain) -> list[Piece]:
    pieces: list[Piece] = []
    unit = domain.format.ulp
    previous = False
    for code in range(domain.low, domain.high + 1):
        value = code * unit
        finite = bool(function.at(arb(code) * arb(2) ** -domain.format.fraction).is_finite())
        if finite:
            pieces = [*pieces[:-1], (pieces[-1][0], value)] if previous else [*pieces, (value, value)]
        previous = finite
    if not pieces:
        raise DomainError(f"'{function.origin}' is defined nowhere on the range of {domain.name}")
    return pieces


def _hull(function: Univariate, domain: Domain) -> Interval:
    values = [function.at(arb(code) * arb(2) ** -domain.format.fraction) for code in range(domain.low, domain.high + 1)]
    return Interval.hull(*(Interval(v.lower(), v.upper()) for v in values))


def _runs(function: Univariate, domain: Interval, depth: int = _DEPTH) -> list[Piece]:
    value = function.at(domain.ball)
    if value.is_finite():
        return [_span(domain)]
    if depth == 0:
        return []
    pieces: list[Piece] = []
    for half in domain.split(2):
        for low, high in _runs(function, half, depth - 1):
            if pieces and pieces[-1][1] == low:
                pieces[-1] = (pieces[-1][0], high)
            else:
                pieces.append((low, high))
    return pieces


def _projection(argument: sympy.Symbol, pieces: list[Piece]) -> sympy.Expr:
    """The point of the pieces nearest to the argument, as an expression."""

    def rational(value: Fraction) -> sympy.Rational:
        return sympy.Rational(value.numerator, value.denominator)

    result = sympy.Max(sympy.Min(argument, rational(pieces[0][1])), rational(pieces[0][0]), evaluate=False)
    for (_, before), (low, high) in pairwise(pieces):
        middle = rational((before + low) / 2)
        here = sympy.Max(sympy.Min(argument, rational(high)), rational(low), evaluate=False)
        result = Select(argument - middle, here, result)
    return result


def _clamp_steps(step: Assignment, argument: sympy.Symbol, piece: Piece) -> list[Assignment]:
    names = [sympy.Symbol(f"{step.symbol.name}_{part}", real=True) for part in ("low", "high", "above", "inside")]
    low, high, above, inside = names
    text = f"argument of {step.origin}"
    return [
        Assignment(low, sympy.Rational(piece[0].numerator, piece[0].denominator), Kind.LINEAR, "lower clamp"),
        Assignment(high, sympy.Rational(piece[1].numerator, piece[1].denominator), Kind.LINEAR, "upper clamp"),
        Assignment(above, sympy.Max(argument, low), Kind.MAXIMUM, text),
        Assignment(inside, sympy.Min(above, high), Kind.MINIMUM, f"{text}, clamped"),
    ]
