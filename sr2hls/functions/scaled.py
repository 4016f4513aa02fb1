"""`FunctionSpec` of c·t^p or a·log(t) + c over many octaves → an evaluator of one octave between two variable shifts.

Range reduction by the leading one (Muller, Elementary Functions, chapter 11): t = n·2^-q with n in one octave (two for
powers with a half), so c·t^p is the function of n times 2^-(p·q), and a·log(t) + c the function of n less a·q·log 2.
Bits of n that the tolerance does not ask for are dropped; the function is then that of their middle. The error is that
of every argument, tried one by one, where that is quick; else the hull over the octaves of their bounds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

import sympy
from flint import arb

from sr2hls.analyze.cells import Univariate
from sr2hls.analyze.evaluate import constant_ball
from sr2hls.analyze.interval import Interval, exact, nearest_code, symmetric
from sr2hls.builder import CircuitBuilder
from sr2hls.circuit import Rounding
from sr2hls.formats import Format
from sr2hls.functions.octaves import moved_down, moved_up, zeros_table
from sr2hls.functions.reference import measured_error
from sr2hls.functions.spec import Evaluator, FunctionSpec

Families = Callable[[FunctionSpec], Iterable[Evaluator]]

NARROWEST = 9  # bits of an argument: below, shifts cost what they save
_FEWEST = 3  # octaves
_TRIED = 16  # bits of an argument up to which every one is tried
_SLACK = 0.25  # of the tolerance beyond rounding, for bits of the argument that are dropped
_MOST_GUARD = 6


@dataclass(frozen=True, slots=True)
class Law:
    """How the function changes with the octave: f(t·2^-span) = f(t)·2^-fall - step."""

    span: int  # octaves that the inner evaluator covers
    fall: int
    step: sympy.Expr  # zero for a power; of a logarithm, a·log 2


@dataclass(frozen=True, slots=True)
class _Octaves:
    """The argument's word cut into groups of `span` octaves; the inner evaluator stands for group `base`."""

    law: Law
    low: int
    high: int
    fraction: int

    @property
    def width(self) -> int:
        return self.high.bit_length()

    @property
    def last(self) -> int:
        """The group of the least positive code; the greatest code is in group 0."""
        return (self.width - max(1, self.low).bit_length()) // self.law.span

    @property
    def counts(self) -> int:
        """Entries of a table of leading zeros."""
        return 1 << (self.width - self.low.bit_length()).bit_length()

    @property
    def base(self) -> int:
        """The group with the largest results."""
        return self.last if self.law.fall < 0 else 0

    def falls(self) -> list[int]:
        """By how many bits the inner result is moved down, by group."""
        return [self.law.fall * (group - self.base) for group in range(self.last + 1)]


@dataclass(frozen=True, slots=True)
class _Rounding:
    """Fraction bits of the result and of the inner one, and how the rest is dropped."""

    fraction: int
    inner: int
    mode: Rounding

    def dropped(self, fall: int) -> Interval:
        bits = fall + self.inner - self.fraction
        if bits <= 0:
            return symmetric(arb(0))
        ulp, rest = arb(2) ** -self.fraction, arb(2) ** (-self.fraction - bits)
        if self.mode is Rounding.FLOOR:
            return Interval(rest - ulp, arb(0))
        return Interval(rest - ulp / 2, ulp / 2)


def law_of(function: Univariate) -> Law | None:
    """The law of c·t^p with p a multiple of 1/2, and of a·log(k·t) + c; None for all else."""
    t = function.variable
    _, term = function.expression.as_independent(t, as_Add=True)
    factor, rest = term.as_independent(t, as_Add=False)
    if isinstance(rest, sympy.log):
        return Law(1, 0, factor * sympy.log(2)) if _proportional(rest.args[0], t) else None
    if term != function.expression:
        return None
    base, exponent = rest.as_base_exp()
    if not (exponent.is_Rational and exponent.q in (1, 2) and exponent != 0 and _proportional(base, t)):
        return None
    return Law(int(exponent.q), int(exponent.p), sympy.Integer(0))


def _proportional(expression: sympy.Expr, t: sympy.Symbol) -> bool:
    return bool(expression.as_independent(t, as_Add=False)[1] == t)


def plans(spec: FunctionSpec, families: Families) -> Iterator[Evaluator]:
    """Evaluators around those that `families` finds for one octave; none where the function follows no such law."""
    if spec.word.width < NARROWEST or spec.high < 1 or spec.low < 0:
        return
    law = law_of(spec.function)
    if law is None:
        return
    scale = Fraction(2) ** spec.word.fraction
    low = max(spec.low, math.ceil(exact(spec.domain.low) * scale))
    high = min(spec.high, math.floor(exact(spec.domain.high) * scale))
    if low == 0 and law.fall <= 0:
        return
    octaves = _Octaves(law, low, high, spec.word.fraction)
    if low > high or octaves.width - max(1, low).bit_length() < _FEWEST or max(map(abs, octaves.falls())) > 62:
        return
    tried = spec.high - spec.low < 1 << _TRIED
    if not tried and (low, high) != (spec.low, spec.high):
        return  # arguments that count as an end of the domain
    for rounding in _roundings(spec, law):
        yield from _around(spec, octaves, rounding, families, tried)


def _roundings(spec: FunctionSpec, law: Law) -> Iterator[_Rounding]:
    """From the cheapest on: nothing but truncation to finer or equal words, then an adder that rounds."""
    if spec.spare_bits:
        yield _Rounding(spec.fraction + 1, spec.fraction + 1, Rounding.FLOOR)
    if law.fall == 0:
        for guard in (1, 2):
            yield _Rounding(spec.fraction, spec.fraction + guard, Rounding.FLOOR)
        return
    room = spec.tolerance * arb(2) ** spec.fraction - arb(0.5)  # ulps
    if room > 0.49:
        yield _Rounding(spec.fraction, spec.fraction, Rounding.FLOOR)
    enough = [guard for guard in range(1, _MOST_GUARD) if room > 0.95 * 2.0**-guard]
    if enough and not spec.spare_bits:
        yield _Rounding(spec.fraction, spec.fraction + enough[0], Rounding.HALF_UP)


def _around(
    spec: FunctionSpec, octaves: _Octaves, rounding: _Rounding, families: Families, tried: bool
) -> Iterator[Evaluator]:
    room = _room(spec, octaves, rounding)
    half = arb(2) ** -(rounding.inner + 1)
    if not room > half * 1.05:
        return
    inner, dropped = _inner(spec, octaves, rounding, room, _SLACK * (room - half))
    for evaluator in families(inner):
        build = partial(
            _build, inner=evaluator.build, octaves=octaves, rounding=rounding, word=inner.word, zero=octaves.low == 0
        )
        if tried:
            error = measured_error(spec, build)
        else:
            error = _error(octaves, rounding, evaluator.error + symmetric(dropped))
        if error is not None and error.magnitude <= spec.tolerance:
            yield Evaluator(f"{evaluator.method}, scaled by a table of {octaves.counts} entries", error, build)


def _room(spec: FunctionSpec, octaves: _Octaves, rounding: _Rounding) -> arb:
    """How much the inner evaluator may err."""
    if octaves.law.fall == 0:
        return spec.tolerance - _shares(octaves, rounding).magnitude
    room = spec.tolerance
    for fall in octaves.falls():
        left = (spec.tolerance - rounding.dropped(fall).magnitude) * arb(2) ** fall
        room = left if left < room else room
    return room


def _shares(octaves: _Octaves, rounding: _Rounding) -> Interval:
    """What the logarithm's table of octaves and the last truncation add."""
    bias = _bias(rounding)
    return symmetric(arb(2) ** -(rounding.inner + 1)) + rounding.dropped(0) + Interval(bias, bias)


def _bias(rounding: _Rounding) -> arb:
    """What a truncation loses in the middle."""
    return -(rounding.dropped(0).low + rounding.dropped(0).high) / 2


def _error(octaves: _Octaves, rounding: _Rounding, inner: Interval) -> Interval:
    if octaves.law.fall == 0:
        return inner + _shares(octaves, rounding)
    parts = []
    for fall in octaves.falls():
        scale = arb(2) ** -fall
        parts.append(Interval(inner.low * scale, inner.high * scale) + rounding.dropped(fall))
    return Interval.hull(*parts)


def _inner(
    spec: FunctionSpec, octaves: _Octaves, rounding: _Rounding, room: arb, slack: arb
) -> tuple[FunctionSpec, arb]:
    """What the inner evaluator must do, and the error of the bits of the argument that are dropped before."""
    law, width = octaves.law, octaves.width
    fraction = octaves.fraction + law.span * octaves.base  # of the normalized word
    unit = arb(2) ** -fraction
    ends = (arb(1 << (width - law.span)) * unit, arb((1 << width) - 1) * unit)
    # the slope of a power and of a logarithm is monotonic
    slopes = [abs(spec.function.taylor(end, 2)[1]).upper() for end in ends]
    slope = slopes[0] if slopes[0] > slopes[1] else slopes[1]
    kept = width
    while kept > law.span + 2 and slope * arb((1 << (width - kept + 1)) - 1) * unit / 2 <= slack:
        kept -= 1
    apart = arb((1 << (width - kept)) - 1) * unit / 2
    error = (slope * apart * (1 + arb(2) ** -20)).upper() if kept < width else arb(0)
    hidden = law.span == 1  # the leading one is not part of the inner word
    bits = kept - 1 if hidden else kept
    word = Format(False, bits, fraction - (width - kept))
    two = sympy.Integer(2)
    offset = (two ** (bits - word.fraction) if hidden else 0) + sympy.Rational((1 << (width - kept)) - 1, 2) * (
        two**-fraction
    )
    function = spec.function
    if offset != 0:
        key = ("octave", offset)
        if key not in function.tables:
            moved = function.expression.subs(function.variable, function.variable + offset)
            function.tables[key] = Univariate(moved, function.variable, function.origin)
        function = function.tables[key]
    low, high = (0 if hidden else 1 << (bits - law.span)), (1 << bits) - 1
    unit = arb(2) ** -word.fraction
    tolerance = (room - error).lower()
    return FunctionSpec(
        function, word, low, high, Interval(arb(low) * unit, arb(high) * unit), rounding.inner, tolerance
    ), error


def _build(
    b: CircuitBuilder,
    arg: int,
    inner: Callable[[CircuitBuilder, int], int],
    octaves: _Octaves,
    rounding: _Rounding,
    word: Format,
    zero: bool,
) -> int:
    law, width = octaves.law, octaves.width
    if b[arg].low < octaves.low:
        arg = b.maximum(arg, b.constant(octaves.low, octaves.fraction))
    if b[arg].high > octaves.high:
        arg = b.minimum(arg, b.constant(octaves.high, octaves.fraction))
    arg = b.narrow(arg, octaves.low, octaves.high)
    arg = b.cast(arg, Format(False, width, octaves.fraction))
    zeros = b.leading_zeros(arg)
    normal = moved_up(b, arg, zeros, word.width + (law.span == 1), least=law.span - 1)
    address = b.slice(normal, word.width - 1, 0) if law.span == 1 else normal
    value = inner(b, b.shift(address, -word.fraction))
    if law.fall == 0:
        value = b.add(value, zeros_table(b, zeros, partial(_constant, law, rounding), rounding.inner, "octave"))
        return b.round_to(value, rounding.fraction)
    falls = octaves.falls()
    down = zeros_table(b, zeros, lambda count: falls[min(count // law.span, octaves.last)])
    value = b.round_to(moved_down(b, value, down), rounding.fraction, rounding.mode)
    if zero:
        value = b.select(b.less(b.constant(0), arg), value, b.constant(0, b[value].format.fraction))
    return value


def _constant(law: Law, rounding: _Rounding, group: int) -> int:
    return nearest_code(_bias(rounding) - constant_ball(law.step) * group, rounding.inner)
