"""`Program` + input domains → for every symbol the proven range of its real value, for every function its cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sympy
from flint import arb

from sr2hls.analyze.cells import Cells, Univariate, cells_of
from sr2hls.analyze.evaluate import constant_ball
from sr2hls.analyze.interval import Interval
from sr2hls.errors import DomainError, UnsupportedError
from sr2hls.formats import Format
from sr2hls.program import Assignment, Kind, Program, linear_terms

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
    """Per symbol name: the range; per function symbol: the function and, unless enumerated, its cells."""

    ranges: Mapping[str, Interval]
    functions: Mapping[str, Univariate]
    cells: Mapping[str, Cells]
    domains: Mapping[str, Domain]


def analyze(
    program: Program, domains: Mapping[str, Domain], known: dict[sympy.Expr, tuple[Univariate, Interval]] | None = None
) -> Analysis:
    """Forward interval analysis.

    `known`: the functions of enumerated inputs that other programs over the same domains had, and the new ones.

    Raises:
        DomainError: a pole or domain edge inside the ranges, naming the sub-expression and the box.
        UnsupportedError: a value exceeds 2^62.
    """
    ranges = {s.name: domains[s.name].range for s in program.inputs}
    kinds = {a.symbol: a.kind for a in program.assignments}
    functions: dict[str, Univariate] = {}
    cells: dict[str, Cells] = {}
    for step in program.assignments:
        name = step.symbol.name
        if step.kind is Kind.FUNCTION:
            (argument,) = step.expression.free_symbols
            domain = domains.get(argument.name)
            if known is not None and step.expression in known:
                functions[name], ranges[name] = known[step.expression]
                _check_size(step, ranges[name])
                continue
            function = Univariate(step.expression, argument, step.origin)
            functions[name] = function
            if domain is not None and domain.narrow:
                ranges[name] = _enumerated(function, domain)
                if known is not None:
                    known[step.expression] = function, ranges[name]
            else:
                over = ranges[argument.name]
                if kinds.get(argument) is Kind.TURNS:
                    over = Interval((over.low - TURN_MARGIN).lower(), (over.high + TURN_MARGIN).upper())
                cells[name] = cells_of(function, over)
                ranges[name] = cells[name].range
        else:
            ranges[name] = step_range(step, ranges)
        _check_size(step, ranges[name])
    return Analysis(ranges, functions, cells, domains)


def _enumerated(function: Univariate, domain: Domain) -> Interval:
    unit = arb(2) ** -domain.format.fraction
    least, greatest = arb("inf"), arb("-inf")
    for code in range(domain.low, domain.high + 1):
        value = function.at(arb(code) * unit)
        if not value.is_finite():
            name = function.variable.name
            raise DomainError(
                f"'{function.origin}' is not finite at {name} = {float(code * domain.format.ulp):.6g}. "
                f"Declare a range of {name} that avoids it (--range {name}=LOW:HIGH), or clamp the argument "
                "(--domain clamp)"
            )
        least = value.lower() if value.lower() < least else least
        greatest = value.upper() if value.upper() > greatest else greatest
    return Interval(least, greatest)


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
    terms, constant = linear_terms(expression) or ({}, sympy.Integer(0))
    value = constant_ball(constant)
    total = Interval(value.lower(), value.upper())
    for symbol, coefficient in terms.items():
        k = constant_ball(coefficient)
        total = total + ranges[symbol.name] * Interval(k.lower(), k.upper())
    return total


def _check_size(step: Assignment, found: Interval) -> None:
    if not found.finite or not found.magnitude < _LARGEST:
        raise UnsupportedError(
            f"'{step.origin}' reaches {found} on the declared ranges: no fixed-point word of 64 bits holds that; "
            "declare narrower ranges (--range)"
        )
