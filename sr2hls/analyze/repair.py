"""`Program` → the same program with the arguments of functions clamped to where they are defined (`--domain clamp`).

The clamp is part of the formula from then on: the error bound is against the clamped formula, and the certificate
says what was clamped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import sympy
from flint import arb

from sr2hls.analyze.cells import Univariate, cells_of
from sr2hls.analyze.clamps import clamped_steps, mirrored
from sr2hls.analyze.evaluate import array_function
from sr2hls.analyze.interval import Interval, exact
from sr2hls.analyze.nearest import LEAST, Kept, Piece, Values, Whole, kept, snapped, whole_of
from sr2hls.analyze.ranges import Domain, step_range
from sr2hls.errors import DomainError
from sr2hls.operators import Select
from sr2hls.program import Assignment, Kind, Program, Turns

_DEPTH = 40  # halvings until a pole is known to lie there
_ROUGH = 6  # halvings before a cell may count as undefined by a few points of it


@dataclass(frozen=True)
class Clamping:
    """How near to poles and edges: `rows` of the inputs' values, each of shape (n,), or the `floor` of the user."""

    rows: Mapping[str, Values] = field(default_factory=dict)
    floor: Fraction | None = None


def clamp_domains(
    program: Program, domains: Mapping[str, Domain], how: Clamping | None = None
) -> tuple[Program, tuple[str, ...]]:
    """The repaired program, and a note for every clamp.

    Raises DomainError where a function is defined nowhere.
    """
    how = how or Clamping()
    ranges = {s.name: domains[s.name].range for s in program.inputs}
    values = {s.name: _on_grid(how.rows[s.name], domains[s.name]) for s in program.inputs if s.name in how.rows}
    if len(values) < len(program.inputs):
        values = {}
    steps: list[Assignment] = []
    notes: list[str] = []
    for step in program.assignments:
        repaired: tuple[Assignment, ...] = (step,)
        note = ""
        if step.kind is Kind.FUNCTION:
            (argument,) = step.expression.free_symbols
            domain = domains.get(argument.name)
            rows = values.get(argument.name)
            if domain is not None and domain.narrow:
                repaired, note = _narrow(step, argument, domain, rows, how.floor)
            else:
                repaired, note = _wide(step, argument, ranges[argument.name], rows, how.floor)
                if note and any(other.symbol == argument and other.kind is Kind.TURNS for other in steps):
                    raise DomainError(
                        f"'{step.origin}' is not finite everywhere, and its angle may make several turns: it cannot be "
                        "clamped; declare ranges (--range) that keep it within one turn and away from them"
                    )
        for part in repaired:
            ranges[part.symbol.name] = _range(part, ranges, domains)
            if values:
                values[part.symbol.name] = _at_rows(part, values)
        steps += repaired
        notes += [note] if note else []
    return replace(program, assignments=tuple(steps)), tuple(notes)


def _on_grid(column: Values, domain: Domain) -> Values:
    """The rows as the port sees them: the nearest code, clamped to the declared range."""
    ulp = float(domain.format.ulp)
    codes: Values = np.clip(np.floor(np.asarray(column, dtype=float) / ulp + 0.5), domain.low, domain.high)
    return codes * ulp


def _at_rows(step: Assignment, values: Mapping[str, Values]) -> Values:
    inside = step.expression.args[0] if isinstance(step.expression, Turns) else step.expression
    symbols = sorted(inside.free_symbols, key=lambda s: s.name)
    found = np.asarray(array_function(inside, symbols)(*[values[s.name] for s in symbols]), dtype=float)
    found = np.broadcast_to(found, next(iter(values.values())).shape)
    return found - np.floor(found) if step.kind is Kind.TURNS else found


def _range(step: Assignment, ranges: Mapping[str, Interval], domains: Mapping[str, Domain]) -> Interval:
    if step.kind is not Kind.FUNCTION:
        return step_range(step, ranges)
    (argument,) = step.expression.free_symbols
    function = Univariate(step.expression, argument, step.origin)
    domain = domains.get(argument.name)
    if domain is not None and domain.narrow:
        return _hull(function, domain)
    return cells_of(function, ranges[argument.name]).range


def _narrow(
    step: Assignment, argument: sympy.Symbol, domain: Domain, rows: Values | None, floor: Fraction | None
) -> tuple[tuple[Assignment, ...], str]:
    pieces = _codes(Univariate(step.expression, argument, step.origin), domain)
    whole = _span(domain.range)
    if len(pieces) == 1 and pieces[0] == whole:
        return (step,), ""
    chosen = _kept(step, pieces, whole_of(pieces, *whole), rows, floor, Fraction(0))
    projected = step.expression.xreplace({argument: _projection(argument, chosen.pieces)})
    return (replace(step, expression=projected),), _note(step, chosen)


def _kept(
    step: Assignment,
    pieces: Sequence[Piece],
    whole: Whole,
    rows: Values | None,
    floor: Fraction | None,
    least: Fraction,
) -> Kept:
    try:
        return kept(pieces, whole, rows, floor, least)
    except DomainError as error:
        raise DomainError(f"'{step.origin}': {error}") from None


def _wide(
    step: Assignment, argument: sympy.Symbol, over: Interval, rows: Values | None, floor: Fraction | None
) -> tuple[tuple[Assignment, ...], str]:
    function = Univariate(step.expression, argument, step.origin)
    try:
        cells_of(function, over)
    except DomainError:
        whole = _span(over)
        pieces = _runs(function, over)
        if not pieces:
            raise
        width = whole[1] - whole[0]
        cell = width / (1 << _DEPTH)
        least = width / LEAST if floor is None else 4 * cell
        ends = whole_of(pieces, *whole)
        edges = snapped(pieces, ends, cell)
        if floor is None and _finite(function, edges):
            chosen = Kept(edges)
        else:
            chosen = _kept(step, edges, ends, rows, floor, least)
        chosen = replace(chosen, pieces=mirrored(step.expression, argument, chosen.pieces))
        return clamped_steps(step, argument, chosen.pieces), _note(step, chosen)
    return (step,), ""


def _finite(function: Univariate, pieces: Sequence[Piece]) -> bool:
    """Whether the function is defined at the ends of its pieces too, as a root is at zero."""
    try:
        for low, high in pieces:
            cells_of(function, Interval.of(low, high))
    except DomainError:
        return False
    return all(a[1] < b[0] for a, b in pairwise(pieces))


def formula_of(program: Program, output: sympy.Symbol) -> sympy.Expr:
    """An output's formula written out over the inputs."""
    known: dict[sympy.Symbol, sympy.Expr] = {}
    for step in program.assignments:
        expression = step.expression.args[0] if isinstance(step.expression, Turns) else step.expression
        known[step.symbol] = expression.xreplace(known)
    return known.get(output, output)


def _span(interval: Interval) -> Piece:
    return exact(interval.low), exact(interval.high)


def _note(step: Assignment, chosen: Kept) -> str:
    where = " or ".join(f"[{float(a):.6g}, {float(b):.6g}]" for a, b in chosen.pieces)
    return (
        f"the argument of '{step.origin}' is clamped to {where} (--domain clamp{chosen.how}); "
        "the bound is for the clamped formula"
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
    """Where the function is finite, up to tiny cells around poles and edges."""
    if function.at(domain.ball).is_finite():
        return [_span(domain)]
    if depth == 0 or (depth < _DEPTH - _ROUGH and _nowhere(function, domain)):
        return []
    pieces: list[Piece] = []
    for half in domain.split(2):
        for low, high in _runs(function, half, depth - 1):
            if pieces and pieces[-1][1] == low:
                pieces[-1] = (pieces[-1][0], high)
            else:
                pieces.append((low, high))
    return pieces


def _nowhere(function: Univariate, cell: Interval) -> bool:
    """Whether no point that is tried is defined: below an edge every cell would be halved to the last."""
    points = [cell.low + (cell.high - cell.low) * part / 8 for part in range(9)]
    return not any(function.at(point.mid()).is_finite() for point in points)


def _projection(argument: sympy.Symbol, pieces: Sequence[Piece]) -> sympy.Expr:
    """The point of the pieces nearest to the argument, as an expression."""

    def rational(value: Fraction) -> sympy.Rational:
        return sympy.Rational(value.numerator, value.denominator)

    result = sympy.Max(sympy.Min(argument, rational(pieces[0][1])), rational(pieces[0][0]), evaluate=False)
    for (_, before), (low, high) in pairwise(pieces):
        middle = rational((before + low) / 2)
        here = sympy.Max(sympy.Min(argument, rational(high)), rational(low), evaluate=False)
        result = Select(argument - middle, here, result)
    return result
