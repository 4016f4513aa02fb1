"""An affine combination with real coefficients → shifts and adders, rounded once, with its proven local error.

Coefficients become signed digits (canonical signed digit form; Reitwiesner 1960); pairs that recur are added once, and
all that is left goes into one balanced adder tree, so no multiplier is used and the depth is logarithmic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import sympy
from flint import arb

from sr2hls.analyze.evaluate import constant_ball, exact_rational
from sr2hls.analyze.interval import ZERO, Interval, nearest_code
from sr2hls.builder import CircuitBuilder
from sr2hls.formats import MAX_WIDTH
from sr2hls.lower.adders import Plans, sum_by_depth
from sr2hls.lower.arrival import Arrivals, sum_by_arrival
from sr2hls.lower.digits import Row


@dataclass(frozen=True, slots=True)
class Term:
    """coefficient · node, and the range of the node's value in the circuit."""

    coefficient: sympy.Expr
    node: int
    range: Interval


@dataclass(frozen=True, slots=True)
class LinearResult:
    """The sum's node and the error (node - exact sum of the same operands)."""

    node: int
    error: Interval


def exact_fraction_bits(terms: list[Term], constant: sympy.Expr, b: CircuitBuilder) -> int | None:
    """The fraction bits that hold the sum exactly; None when a number is not dyadic or the word too wide."""
    bits = 0
    for coefficient, fraction in [*((t.coefficient, b[t.node].format.fraction) for t in terms), (constant, 0)]:
        value = exact_rational(coefficient)
        if value is None or not _dyadic(value):
            return None
        if value != 0:
            bits = max(bits, value.denominator.bit_length() - 1 + fraction)
    return bits if bits < MAX_WIDTH - 12 else None


@dataclass(frozen=True, slots=True)
class DigitSum:
    """Digits over nodes, (digits - exact terms), and the fraction bits to keep of their sum."""

    digits: Row
    error: Interval
    fraction: int


def digits_of(terms: list[Term], slack: float, fraction: int) -> DigitSum:
    """The terms with rounded coefficients.

    slack: how much the rounding may add to the error (a real number).
    """
    digits: list[tuple[int, int, int]] = []
    error = ZERO
    for term in terms:
        kept, difference = _rounded_coefficient(term, slack / max(len(terms), 1))
        error = error + term.range * difference
        digits += [(sign, power, term.node) for sign, power in signed_digits(kept)]
    return DigitSum(tuple(digits), error, fraction)


def linear_sum(
    plans: Plans, row: DigitSum, constant: sympy.Expr, center: arb, arrivals: Arrivals | None = None
) -> LinearResult:
    """Digits and a constant added up, rounded half up to the fraction bits to keep.

    Args:
        center: added to the constant where the sum is rounded anyway, so that a known bias of the operands vanishes.
        arrivals: what is ready late is added last; None: what is behind the fewest adders first.
    """
    fraction, error = row.fraction, row.error
    b = plans.b
    finest = max((b[node].format.fraction - power for _, power, node in row.digits), default=-MAX_WIDTH)
    rounds = finest > fraction
    wanted = constant_ball(constant)
    if rounds:
        wanted = wanted + center + arb(2) ** -(fraction + 1)
    bits = max(finest, fraction + 2) if rounds else _constant_bits(constant, fraction)
    code = nearest_code(wanted, bits)
    offset = arb(code) * arb(2) ** -bits - constant_ball(constant)  # what was added beyond the constant itself
    error = error + Interval(offset.lower(), offset.upper())
    leaves, whole = plans.leaves(row.digits), b.origin
    if code or not leaves:
        b.origin = f"the constant of {whole}, with what rounds the sum"
        leaves.append((0, 1, b.constant(code, bits)))
        b.origin = whole
    if arrivals is None:
        node = sum_by_depth(b, leaves)
    else:
        node = sum_by_arrival(b, [(sign, leaf) for _, sign, leaf in leaves], arrivals)
    if rounds:
        dropped = arb(2) ** -fraction - arb(2) ** -b[node].format.fraction
        node = b.round_to(node, fraction)
        error = error + Interval((-dropped).lower(), arb(0))
    return LinearResult(node, error)


def _dyadic(value: Fraction) -> bool:
    return value.denominator & (value.denominator - 1) == 0


def _constant_bits(constant: sympy.Expr, fraction: int) -> int:
    """Fraction bits for the constant of a sum that needs no rounding: no more than it has, no more than asked."""
    exact = exact_rational(constant)
    if exact is not None and _dyadic(exact):
        return min(exact.denominator.bit_length() - 1, fraction)
    return fraction


def _rounded_coefficient(term: Term, slack: float) -> tuple[Fraction, Interval]:
    """A coefficient with as few bits as the slack allows, and (kept - exact)."""
    exact = exact_rational(term.coefficient)
    value = constant_ball(term.coefficient)
    size = float(term.range.magnitude)
    bits = 0 if size == 0.0 else max(-60, min(60, math.ceil(math.log2(size / (2 * slack)))))
    if exact is not None and _dyadic(exact) and exact.denominator <= 2 ** max(bits, 0):
        return exact, ZERO
    scale = arb(2) ** bits
    code = nearest_code(value, bits)
    kept = Fraction(code) / Fraction(2) ** bits
    difference = arb(code) / scale - value
    return kept, Interval(difference.lower(), difference.upper())


def signed_digits(value: Fraction) -> list[tuple[int, int]]:
    """The canonical signed digits of a dyadic number as (sign, power of two): no two are adjacent."""
    power = -(value.denominator.bit_length() - 1)
    number, digits = value.numerator, []
    while number:
        if number & 1:
            sign = 2 - (number & 3)  # 1 or -1: the choice that leaves a zero next
            digits.append((sign, power))
            number -= sign
        number >>= 1
        power += 1
    return digits
