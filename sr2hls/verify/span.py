"""Closed intervals with rational ends: exact sums, products and hulls; balls become intervals rounded outward."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from flint import arb, fmpq


@dataclass(frozen=True, slots=True)
class Span:
    """All reals from `low` to `high`."""

    low: Fraction
    high: Fraction

    def __add__(self, other: Span) -> Span:
        return Span(self.low + other.low, self.high + other.high)

    def __neg__(self) -> Span:
        return Span(-self.high, -self.low)

    def __sub__(self, other: Span) -> Span:
        return Span(self.low - other.high, self.high - other.low)

    def __mul__(self, other: Span) -> Span:
        corners = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Span(min(corners), max(corners))

    def square(self) -> Span:
        ends = sorted((self.low * self.low, self.high * self.high))
        return Span(Fraction(0) if self.low < 0 < self.high else ends[0], ends[1])

    @property
    def size(self) -> Fraction:
        """The largest absolute value."""
        return max(abs(self.low), abs(self.high))

    @property
    def width(self) -> Fraction:
        return self.high - self.low

    def inside(self, other: Span) -> bool:
        return other.low <= self.low and self.high <= other.high

    def hull(self, other: Span) -> Span:
        return Span(min(self.low, other.low), max(self.high, other.high))

    def meet(self, other: Span) -> Span | None:
        low, high = max(self.low, other.low), min(self.high, other.high)
        return Span(low, high) if low <= high else None

    def halves(self) -> tuple[Span, Span]:
        middle = rounded_near((self.low + self.high) / 2)
        return Span(self.low, middle), Span(middle, self.high)

    def ball(self) -> arb:
        """A ball that holds the interval."""
        return to_arb(self.low).union(to_arb(self.high))

    def __str__(self) -> str:
        return f"[{float(self.low):.9g}, {float(self.high):.9g}]"


_TINY = 4096
_HUGE = arb(2) ** _TINY

ZERO = Span(Fraction(0), Fraction(0))
UNIT = Span(Fraction(0), Fraction(1))


def point(value: Fraction | int) -> Span:
    return Span(Fraction(value), Fraction(value))


def of_floats(pair: tuple[float, float]) -> Span | None:
    """None where an end is infinite."""
    if not all(map(math.isfinite, pair)):
        return None
    return Span(Fraction(pair[0]), Fraction(pair[1]))


def to_arb(value: Fraction) -> arb:
    return arb(fmpq(value.numerator, value.denominator))


def to_fmpq(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)


def of_value(value: fmpq | arb) -> Span | None:
    """The interval of a value; None where it is not finite, or beyond 2^4096."""
    if isinstance(value, fmpq):
        return point(Fraction(int(value.p), int(value.q)))
    if not value.is_finite() or value.abs_upper() > _HUGE:
        return None
    return Span(end_of(value.lower(), -1), end_of(value.upper(), 1))


def end_of(value: arb, outward: int) -> Fraction:
    """An end of an interval, exactly; one below 2^-4096 in size, which no memory may hold, outward to that or to 0."""
    mantissa, exponent = value.mid().man_exp()
    if mantissa and int(exponent) + int(mantissa).bit_length() < -_TINY:
        return Fraction(outward, 1 << _TINY) if (mantissa > 0) == (outward > 0) else Fraction(0)
    rational = value.mid().fmpq()
    return Fraction(int(rational.p), int(rational.q))


def rounded_near(value: Fraction) -> Fraction:
    """A number of few bits near the value: the ends of cells need not be exact."""
    if value == 0 or value.denominator.bit_length() < 200:
        return value
    return Fraction(round(value * 2**190), 2**190)


def shorter(span: Span) -> Span:
    """Outward to about 160 bits, so that long chains of exact products stay short."""
    if max(span.low.denominator.bit_length(), span.high.denominator.bit_length()) < 400 or span.size == 0:
        return span
    number = span.size
    step = Fraction(2) ** (number.numerator.bit_length() - number.denominator.bit_length() - 160)
    return Span(math.floor(span.low / step) * step, math.ceil(span.high / step) * step)
