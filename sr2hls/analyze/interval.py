"""Closed real intervals with exact binary endpoints: addition, scaling, product, hull; rounded outward."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from itertools import pairwise

from flint import arb, fmpq

KEPT_BITS = 36  # of an interval that is `rounded`
_LARGEST = 2.0**100


@dataclass(frozen=True, slots=True)
class Interval:
    """All reals from `low` to `high`; both are exact `arb` numbers."""

    low: arb
    high: arb

    @staticmethod
    def of(low: arb | float | Fraction, high: arb | float | Fraction) -> Interval:
        """The least interval that holds both numbers, rounded outward."""
        return Interval(ball(low).lower(), ball(high).upper())

    @staticmethod
    def hull(*parts: Interval) -> Interval:
        """The least interval that holds all parts."""
        return Interval(_least([p.low for p in parts]), _greatest([p.high for p in parts]))

    @property
    def ball(self) -> arb:
        """An arb ball that holds the interval."""
        return self.low.union(self.high)

    @property
    def magnitude(self) -> arb:
        """The largest absolute value."""
        return _greatest([abs(self.low), abs(self.high)])

    @property
    def middle(self) -> arb:
        """An exact number near the middle."""
        return ((self.low + self.high) / 2).mid()

    @property
    def finite(self) -> bool:
        return bool(self.low.is_finite() and self.high.is_finite())

    def __add__(self, other: Interval) -> Interval:
        return Interval((self.low + other.low).lower(), (self.high + other.high).upper())

    def __neg__(self) -> Interval:
        return Interval(-self.high, -self.low)

    def __sub__(self, other: Interval) -> Interval:
        return self + (-other)

    def __mul__(self, other: Interval) -> Interval:
        corners = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Interval(_least([c.lower() for c in corners]), _greatest([c.upper() for c in corners]))

    def square(self) -> Interval:
        if self.low < 0 and self.high > 0:
            return Interval(arb(0), (self.magnitude * self.magnitude).upper())
        corners = sorted([self.low * self.low, self.high * self.high], key=float)
        return Interval(corners[0].lower(), corners[1].upper())

    def absolute(self) -> Interval:
        if self.low >= 0:
            return self
        if self.high <= 0:
            return -self
        return Interval(arb(0), self.magnitude)

    def minimum(self, other: Interval) -> Interval:
        return Interval(_least([self.low, other.low]), _least([self.high, other.high]))

    def maximum(self, other: Interval) -> Interval:
        return Interval(_greatest([self.low, other.low]), _greatest([self.high, other.high]))

    def meet(self, other: Interval) -> Interval:
        """The common part; the arguments must overlap."""
        return Interval(_greatest([self.low, other.low]), _least([self.high, other.high]))

    def split(self, parts: int) -> list[Interval]:
        """Equal cells that cover the interval."""
        step = (self.high - self.low) / parts
        edges = [self.low, *((self.low + step * i).mid() for i in range(1, parts)), self.high]
        return [Interval(a, b) for a, b in pairwise(edges)]

    def codes(self, fraction: int) -> tuple[int, int]:
        """The codes at `fraction` bits that hold the interval, rounded outward."""
        low, high = exact(self.low), exact(self.high)
        scale = Fraction(2) ** fraction
        return math.floor(low * scale), math.ceil(high * scale)

    def codes_inside(self, fraction: int) -> tuple[int, int]:
        """The least and the greatest code at `fraction` bits whose value lies in the interval."""
        low, high = exact(self.low), exact(self.high)
        scale = Fraction(2) ** fraction
        return math.ceil(low * scale), math.floor(high * scale)

    def rounded(self) -> Interval:
        """Outward to 36 bits of the larger end, which the certificate's numbers hold exactly.

        What is bounded only nearly is rounded first and used then: a second program whose own bound of it lies within
        the certificate's comes to no more than is used here, in all that follows.
        """
        size = float(self.magnitude) if self.finite else 0.0
        if not 0.0 < size < _LARGEST:
            return self
        fraction = KEPT_BITS - math.frexp(size)[1]
        low, high = self.codes(fraction)
        unit = arb(2) ** -fraction
        return Interval(arb(low) * unit, arb(high) * unit)

    def floats(self) -> tuple[float, float]:
        """Both ends as floats, rounded outward."""
        low, high = float(self.low), float(self.high)
        return (
            low if self.low == low else math.nextafter(low, -math.inf),
            high if self.high == high else math.nextafter(high, math.inf),
        )

    def __str__(self) -> str:
        return f"[{float(self.low):.6g}, {float(self.high):.6g}]"


_TINY = 4096

ZERO = Interval(arb(0), arb(0))


def ball(value: arb | float | Fraction) -> arb:
    """A number as an arb ball: exact for int, float and arb, enclosing for a Fraction."""
    if isinstance(value, Fraction):
        return arb(fmpq(value.numerator, value.denominator))
    return value if isinstance(value, arb) else arb(value)


def symmetric(radius: arb) -> Interval:
    """[-radius, radius]."""
    return Interval((-radius).lower(), radius.upper())


def exact(value: arb) -> Fraction:
    """The midpoint of a finite ball, exactly; for an exact number, the number.

    A number below 2^-4096 in size becomes 2^-4096 with its sign (its own exponent may be beyond any memory): rounded
    to any grid of floats or codes, both give the same.
    """
    mantissa, exponent = value.mid().man_exp()
    if mantissa and int(exponent) + int(mantissa).bit_length() < -_TINY:
        return Fraction(1 if mantissa > 0 else -1, 1 << _TINY)
    rational = value.mid().fmpq()
    return Fraction(int(rational.p), int(rational.q))


def nearest_code(value: arb, fraction: int) -> int:
    """The code nearest to the midpoint of a ball at `fraction` fraction bits; ties upward."""
    mantissa, exponent = value.mid().man_exp()
    shift = int(exponent) + fraction
    return int(mantissa) << shift if shift >= 0 else ((int(mantissa) >> (-shift - 1)) + 1) >> 1


def _least(values: list[arb]) -> arb:
    return reduce(lambda a, b: b if b < a else a, values)


def _greatest(values: list[arb]) -> arb:
    return reduce(lambda a, b: b if b > a else a, values)
