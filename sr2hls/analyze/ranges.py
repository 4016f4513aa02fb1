"""`Program` + input domains → for every symbol the proven range of its real value, for every function its cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import sympy
from flint import arb, ctx

from sr2hls.analyze.cells import Cells, Univariate, cells_of
from sr2hls.analyze.evaluate import constant_ball
from sr2hls.analyze.interval import Interval
from sr2hls.errors import DomainError, UnsupportedError
from sr2hls.formats import Format
from sr2hls.program import Assignment, Kind, Program, linear_terms

if TYPE_CHECKING:
    from sr2hls.analyze.boxes import Partition

NARROW_BITS = 12  # inputs of at most this many bits are enumerated
TURN_MARGIN = arb(2) ** -5  # a turn's error may lead this far over either end
FLOOR_MARGIN = arb(2) ** -10  # so near to an integer a rounded operand may fall on its other side
_LARGEST = arb(2) ** 62


@dataclass(frozen=True, slots=True)
class Domain:
    """One input: its word and the codes it may take."""

    name: str
    format: Format
    low: int
    high: int

    @property
    def range(self) -> Interval:
        unit = arb(2) ** -self.format.fraction
        return Interval(arb(self.low) * unit, arb(self.high) * unit)

    @property
    def narrow(self) -> bool:
        return self.format.width <= NARROW_BITS


@dataclass(frozen=True)
class Analysis:
    """Per symbol name: the range; per function symbol: the function and, unless enumerated, its cells.

    partition: the boxes that the ranges were found in, where these are tighter than those in one.
    """

    ranges: Mapping[str, Interval]
    functions: Mapping[str, Univariate]
    cells: Mapping[str, Cells]
    domains: Mapping[str, Domain]
    partition: Partition | None = None


def analyze(
    program: Program,
    domains: Mapping[str, Domain],
    partition: Partition | None = None,
    functions: Mapping[str, Univariate] | None = None,
) -> Analysis:
    """Forward interval analysis, in one box or in those of a partition. `functions` are made where they are not given.

    Raises:
        DomainError: a pole or domain edge inside the ranges, naming the sub-expression and the box.
        UnsupportedError: a value exceeds 2^62.
    """
    ranges = {s.name: domains[s.name].range for s in program.inputs}
    kinds = {a.symbol: a.kind for a in program.assignments}
    functions = functions_of(program) if functions is None else functions
    cells: dict[str, Cells] = {}
    for step in program.assignments:
        name = step.symbol.name
        if step.kind is Kind.FUNCTION:
            (argument,) = step.expression.free_symbols
            function = functions[name]
            domain = domains.get(argument.name)
            if domain is not None and domain.narrow:
                ranges[name] = enumerated(function, domain)
            else:
                over = ranges[argument.name]
                if kinds.get(argument) is Kind.TURNS:
                    over = Interval((over.low - TURN_MARGIN).lower(), (over.high + TURN_MARGIN).upper())
                cells[name] = cells_of(function, over)
                ranges[name] = cells[name].range
        elif partition is not None:
            ranges[name] = partition.ranges[name].hull
        else:
            ranges[name] = step_range(step, ranges)
        _check_size(step, ranges[name])
    return Analysis(ranges, functions, cells, domains, partition)


def functions_of(program: Program, known: dict[sympy.Expr, Univariate] | None = None) -> dict[str, Univariate]:
    """The functions of all function steps, by symbol name; `known`: those of inputs that other programs had, too."""
    known = {} if known is None else known
    found = {}
    for step in program.assignments:
        if step.kind is Kind.FUNCTION:
            (argument,) = step.expression.free_symbols
            function = known.get(step.expression) or Univariate(step.expression, argument, step.origin)
            if argument in program.inputs:
                known[step.expression] = function
            found[step.symbol.name] = function
    return found


def enumerated(function: Univariate, domain: Domain) -> Interval:
    """The range over all codes of an input. Raises DomainError where one has no finite value."""
    if function.reached is None:
        least, greatest = arb("inf"), arb("-inf")
        for value in at_codes(function, domain):
            least = value.lower() if value.lower() < least else least
            greatest = value.upper() if value.upper() > greatest else greatest
        function.reached = Interval(least, greatest)
    return function.reached


def at_codes(function: Univariate, domain: Domain) -> list[arb]:
    """The values at all codes of an input. Raises DomainError where one is not finite."""
    if not function.values:
        unit = arb(2) ** -domain.format.fraction
        values = [function.at(arb(code) * unit) for code in range(domain.low, domain.high + 1)]
        for code, value in enumerate(values, domain.low):
            if not value.is_finite():
                name = function.variable.name
                raise DomainError(
                    f"'{function.origin}' is not finite at {name} = {float(code * domain.format.ulp):.6g}. "
                    f"Declare a range of {name} that avoids it (--range {name}=LOW:HIGH), or clamp the argument "
                    "(--domain clamp)"
                )
        function.values = values
    return function.values


def step_range(step: Assignment, ranges: Mapping[str, Interval]) -> Interval:
    """The range of one step (not a function) from those of its operands."""

    def of(expression: sympy.Expr) -> Interval:
        return ranges[expression.name]

    args = step.expression.args
    match step.kind:
        case Kind.LINEAR:
            return linear_range(step.expression, ranges)
        case Kind.TURNS:
            return Interval(arb(0), arb(1))
        case Kind.PRODUCT:
            if isinstance(step.expression, sympy.Pow):
                return of(args[0]).square()
            return of(args[0]) * of(args[1])
        case Kind.MAXIMUM:
            return of(args[0]).maximum(of(args[1]))
        case Kind.MINIMUM:
            return of(args[0]).minimum(of(args[1]))
        case Kind.ABSOLUTE:
            return of(args[0]).absolute()
        case Kind.FLOOR:
            inner = of(args[0])
            return Interval((inner.low - FLOOR_MARGIN).floor().lower(), (inner.high + FLOOR_MARGIN).floor().upper())
        case Kind.LESS:
            return Interval(arb(0), arb(1))
        case Kind.SELECT:
            return Interval.hull(of(args[1]), of(args[2]))
        case _:
            raise UnsupportedError(f"'{step.origin}' has no range rule")


def linear_range(expression: sympy.Expr, ranges: Mapping[str, Interval]) -> Interval:
    """The range of an affine combination."""
    terms, total = _affine(expression, ctx.prec)
    for name, k in terms:
        total = total + ranges[name] * k
    return total


@lru_cache(maxsize=1024)
def _affine(expression: sympy.Expr, _precision: int) -> tuple[tuple[tuple[str, Interval], ...], Interval]:
    """The coefficients and the constant as intervals, at the precision of the moment."""
    terms, constant = linear_terms(expression) or ({}, sympy.Integer(0))
    return tuple((symbol.name, _enclosed(k)) for symbol, k in terms.items()), _enclosed(constant)


def _enclosed(constant: sympy.Expr) -> Interval:
    value = constant_ball(constant)
    return Interval(value.lower(), value.upper())


def _check_size(step: Assignment, found: Interval) -> None:
    if not found.finite or not found.magnitude < _LARGEST:
        raise UnsupportedError(
            f"'{step.origin}' reaches {found} on the declared ranges: no fixed-point word of 64 bits holds that; "
            "declare narrower ranges (--range)"
        )
