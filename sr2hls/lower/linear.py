"""An affine combination with real coefficients → shifts and adders, rounded once, with its proven local error.

Coefficients become signed digits (canonical signed digit form; Reitwiesner 1960); all digits of all terms go into one
balanced adder tree, so no multiplier is used and the depth is logarithmic.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from fractions import Fraction

import sympy
from flint import arb

from sr2hls.analyze.evaluate import constant_ball, exact_rational
from sr2hls.analyze.interval import ZERO, Interval, nearest_code
from sr2hls.builder import CircuitBuilder
from sr2hls.formats import MAX_WIDTH
from sr2hls.lower.arrival import Arrivals, sum_by_arrival


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


def linear_sum(
    b: CircuitBuilder,
    terms: list[Term],
    constant: sympy.Expr,
    fraction: int,
    slack: float,
    center: arb,
    arrivals: Arrivals | None = None,
) -> LinearResult:
    """Sum the terms, keeping `fraction` fraction bits, rounded half up.

    Args:
        slack: how much the coefficients' own rounding may add to the error (a real number).
        center: added to the constant where the sum is rounded anyway, so that a known bias of the operands vanishes.
        arrivals: what is ready late is added last; None: the narrowest first.
    """
    digits: list[tuple[int, int, int]] = []  # (sign, power of two, node)
    error = ZERO
    for term in terms:
        kept, difference = _rounded_coefficient(term, slack / max(len(terms), 1))
        error = error + term.range * difference
        digits += [(sign, power, term.node) for sign, power in signed_digits(kept)]
    finest = max((b[node].format.fraction - power for _, power, node in digits), default=-MAX_WIDTH)
    rounds = finest > fraction
    wanted = constant_ball(constant)
    if rounds:
        wanted = wanted + center + arb(2) ** -(fraction + 1)
    bits = max(finest, fraction + 2) if rounds else _constant_bits(constant, fraction)
    code = nearest_code(wanted, bits)
    offset = arb(code) * arb(2) ** -bits - constant_ball(constant)  # what was added beyond the constant itself
    error = error + Interval(offset.lower(), offset.upper())
    node = _tree(b, digits, code, bits, arrivals)
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


def _tree(
    b: CircuitBuilder, digits: list[tuple[int, int, int]], code: int, bits: int, arrivals: Arrivals | None
) -> int:
    """Add signed, shifted nodes and a constant; narrow operands first, so that the tree is shallow and small."""
    serial = 0
    heap: list[tuple[int, int, int, int]] = []  # (depth, serial, sign, node)
    whole = b.origin
    for sign, power, node in digits:
        b.origin = f"2^{power} * ({b[node].origin})"
        heap.append((0, serial, sign, b.shift(node, power)))
        serial += 1
    if code or not heap:
        b.origin = f"the constant of {whole}, with what rounds the sum"
        heap.append((0, serial, 1, b.constant(code, bits)))
        serial += 1
    if arrivals is not None:
        b.origin = whole
        return sum_by_arrival(b, [(sign, node) for _, _, sign, node in heap], arrivals)
    heapq.heapify(heap)
    while len(heap) > 1:
        depth, _, sign, first = heapq.heappop(heap)
        other, _, sign2, second = heapq.heappop(heap)
        b.origin = f"part of {whole}" if heap else whole
        if sign == sign2:
            node = b.add(first, second)
        elif sign > 0:
            node, sign = b.sub(first, second), 1
        else:
            node, sign = b.sub(second, first), 1
        heapq.heappush(heap, (max(depth, other) + 1, serial, sign, node))
        serial += 1
    _, _, sign, node = heap[0]
    b.origin = whole
    return b.negate(node) if sign < 0 else node
