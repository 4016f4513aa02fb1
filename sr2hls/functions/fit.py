"""A segment → integer polynomial coefficients and a proven bound of the error of their Horner evaluation.

The polynomial is the Taylor expansion at the middle, re-expanded in Chebyshev polynomials and cut at the wanted
degree (economization; Lanczos 1938), which is near the minimax one. The proof bounds the difference between the
function's Taylor model (with a ball for the remainder) and the *rounded* polynomial, in the Chebyshev basis.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

from flint import arb
from numpy.polynomial import chebyshev

from sr2hls.analyze.interval import Interval, nearest_code, symmetric
from sr2hls.functions.segments import Segment
from sr2hls.functions.spec import FunctionSpec

_EXTRA_TERMS = 5  # Taylor terms beyond the degree


@dataclass(frozen=True, slots=True)
class Fit:
    """Coefficients as codes at fraction + guard bits, lowest power first, for offset r in [0, 1).

    approximation: how far the rounded polynomial is from the function; error: of the whole evaluation.
    """

    codes: tuple[int, ...]
    approximation: arb
    error: Interval


_FAILED = Fit((), arb("inf"), symmetric(arb("inf")))


def fit_segment(spec: FunctionSpec, segment: Segment, degree: int, guard: int, offset_bits: int) -> Fit:
    """Fit one segment. The approximation is infinite where the function has no Taylor model there."""
    left, right = spec.argument(segment.low), spec.argument(segment.high)
    fraction = spec.fraction + guard
    if left == right or segment.width == 0:
        return _constant(spec, left, degree, guard)
    middle = ((left + right) / 2).mid()
    half = (right - middle).max(middle - left).upper()
    terms = degree + _EXTRA_TERMS
    taylor = spec.function.taylor(middle, terms)
    remainder = spec.function.taylor(left.union(right), terms + 1)[terms]
    if not remainder.is_finite() or not all(a.is_finite() for a in taylor):
        return _FAILED
    scaled = [a * half**j for j, a in enumerate(taylor)]  # in s = (x - middle) / half, |s| <= 1
    numbers = [float(a) for a in scaled]
    cut = [sum(m * a for m, a in zip(row, numbers, strict=True)) for row in _economization(degree, terms)]
    if not all(map(math.isfinite, cut)):
        return _FAILED
    # s = offset0 + slope0 · r
    offset0, slope0 = (segment.start - middle) / half, segment.width / half
    in_r = _substitute([arb(c) for c in cut], offset0, slope0)
    in_r += [arb(0)] * (degree + 1 - len(in_r))
    scale = arb(2) ** fraction
    codes = [nearest_code(a, fraction) for a in in_r]
    # p(s) with the rounded coefficients; r = (s - offset0) / slope0
    rounded = _substitute([arb(code) / scale for code in codes], -offset0 / slope0, 1 / slope0)
    rounded += [arb(0)] * (terms - len(rounded))
    difference = [p - a for p, a in zip(rounded, scaled, strict=True)]
    approximation = _chebyshev_bound(difference) + abs(remainder).upper() * half**terms
    return _with_rounding(codes, approximation.upper(), degree, guard, spec, offset_bits)


def _constant(spec: FunctionSpec, x: arb, degree: int, guard: int) -> Fit:
    value = spec.function.at(x)
    if not value.is_finite():
        return _FAILED
    scale = arb(2) ** (spec.fraction + guard)
    code = nearest_code(value, spec.fraction + guard)
    approximation = abs(arb(code) / scale - value).upper()
    return _with_rounding([code, *([0] * degree)], approximation, degree, guard, spec, 0)


def _with_rounding(
    codes: list[int], approximation: arb, degree: int, guard: int, spec: FunctionSpec, offset_bits: int
) -> Fit:
    """Add the truncations of Horner's scheme; the constant is shifted so that they and the last one are centered."""
    unit = arb(2) ** -(spec.fraction + guard)
    ulp = arb(2) ** -spec.fraction
    truncations = degree if offset_bits else 0
    # each product is floored: an error in (-unit, 0], carried on with a factor r < 1
    centered = (1 << guard) // 2 + truncations // 2
    shift = arb(centered) * unit
    low = -approximation - truncations * unit + shift - (ulp - unit)
    high = approximation + shift
    return Fit((codes[0] + centered, *codes[1:]), approximation, Interval(low.lower(), high.upper()))


def _substitute(coefficients: list[arb], offset: arb, slope: arb) -> list[arb]:
    """The polynomial sum c_j (offset + slope·t)^j in powers of t."""
    result: list[arb] = []
    for coefficient in reversed(coefficients):
        moved = [arb(0), *(a * slope for a in result)]
        for j, a in enumerate(result):
            moved[j] = moved[j] + a * offset
        moved[0] = moved[0] + coefficient
        result = moved[: len(coefficients)]
    return result[: len(coefficients)]


@cache
def _economization(degree: int, terms: int) -> list[list[float]]:
    """The matrix from Taylor coefficients on [-1, 1] to those of the Chebyshev expansion cut at `degree`."""
    columns = []
    for j in range(terms):
        cut = chebyshev.cheb2poly(chebyshev.poly2cheb([0.0] * j + [1.0])[: degree + 1])
        columns.append([*map(float, cut), *([0.0] * (degree + 1 - len(cut)))])
    return [list(row) for row in zip(*columns, strict=True)]


@cache
def _monomials_in_chebyshev(terms: int) -> list[list[float]]:
    return [[float(c) for c in chebyshev.poly2cheb([0.0] * j + [1.0])] for j in range(terms)]  # dyadic: exact


def _chebyshev_bound(coefficients: list[arb]) -> arb:
    """A bound of |sum c_j s^j| on [-1, 1]: the sum of the absolute Chebyshev coefficients."""
    sums = [arb(0)] * len(coefficients)
    for coefficient, row in zip(coefficients, _monomials_in_chebyshev(len(coefficients)), strict=True):
        for k, weight in enumerate(row):
            if weight:
                sums[k] = sums[k] + coefficient * weight
    total = arb(0)
    for value in sums:
        total += abs(value)
    return total.upper()
