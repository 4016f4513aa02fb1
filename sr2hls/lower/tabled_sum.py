"""An affine combination with real coefficients → small tables and adders, rounded once, with its proven local error.

The bits of all operands are dealt to tables of six address bits, one LUT for each bit of the result (constant
multiplication after Chapman, EDN 39, 1994). A table holds the coefficient times its bits, so that a coefficient of many
digits costs no more than one of few, and the low bits of several operands share a table.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import sympy
from flint import arb

from sr2hls.analyze.evaluate import constant_ball, exact_rational
from sr2hls.analyze.interval import ZERO, Interval, nearest_code
from sr2hls.builder import CircuitBuilder
from sr2hls.lower.arrival import Arrivals, sum_by_arrival
from sr2hls.lower.linear import LinearResult, Term

_ADDRESS = 6
_WIDEST = 32


@dataclass(frozen=True, slots=True)
class _Field:
    """Bits low … low + width - 1 of a node, and what the lowest of them is worth in the sum."""

    node: int
    low: int
    width: int
    signed: bool
    unit: arb

    def values(self) -> list[arb]:
        half = 1 << (self.width - 1)
        return [
            self.unit * (code - 2 * half if self.signed and code >= half else code) for code in range(1 << self.width)
        ]


def tabled_sum(
    b: CircuitBuilder, terms: list[Term], constant: sympy.Expr, fraction: int, center: arb, arrivals: Arrivals
) -> LinearResult | None:
    """Sum the terms, keeping `fraction` fraction bits; None where there is nothing to tabulate, or it is too wide.

    Args:
        center: added to the constant where the sum is rounded anyway, so that a known bias of the operands vanishes.
    """
    scales: dict[int, sympy.Expr] = {}
    for term in terms:
        scales[term.node] = scales.get(term.node, sympy.Integer(0)) + term.coefficient
    if any(not _can_be_tabled(b, node) for node in scales):
        return None
    direct: list[tuple[int, int]] = []
    fields: list[_Field] = []
    for node in sorted(scales, key=arrivals):
        digit = _power_of_two(scales[node])
        if digit is not None:
            direct.append((digit[0], b.shift(node, digit[1])))
        else:
            fields += _fields(b, node, constant_ball(scales[node]))
    tables = _dealt(fields)
    if not tables:
        return None
    guard = 0 if len(tables) == 1 and not direct else 1 + (len(tables) - 1).bit_length()
    bits = fraction + guard
    finest = max(bits, *(b[node].format.fraction for _, node in direct)) if direct else bits
    rest = constant_ball(constant)
    wanted = rest + center + (arb(2) ** -(fraction + 1) if finest > fraction else 0)
    error, operands, whole = ZERO, list(direct), b.origin
    for table in tables:
        codes, off = _table(table, wanted, rest, bits)
        error, wanted, rest = error + off, arb(0), arb(0)
        b.origin = f"a part of {whole} by table"
        address = b.slice(table[0].node, table[0].low + table[0].width - 1, table[0].low)
        for field in table[1:]:
            address = b.concat(address, b.slice(field.node, field.low + field.width - 1, field.low))
        operands.append((1, b.lookup(address, codes, bits, "scaled")))
    b.origin = whole
    node = sum_by_arrival(b, operands, arrivals)
    if finest > fraction:
        dropped = arb(2) ** -fraction - arb(2) ** -finest
        node = b.round_to(node, fraction)
        error = error + Interval((-dropped).lower(), arb(0))
    return LinearResult(node, error)


def _can_be_tabled(b: CircuitBuilder, node: int) -> bool:
    """Whether the highest field varies."""
    word = b[node].format
    top = max(0, word.width - _ADDRESS)
    return word.width <= _WIDEST and b[node].low >> top != b[node].high >> top


def _power_of_two(coefficient: sympy.Expr) -> tuple[int, int] | None:
    """(sign, exponent) of ±2^exponent."""
    value = exact_rational(coefficient)
    if value is None or value == 0:
        return None
    size = abs(value)
    if size.numerator.bit_count() != 1 or size.denominator.bit_count() != 1:
        return None
    return (1 if value > 0 else -1), size.numerator.bit_length() - size.denominator.bit_length()


def _fields(b: CircuitBuilder, node: int, scale: arb) -> list[_Field]:
    """A node in fields of as many bits as a table has; the lowest is the shorter one."""
    word, top = b[node].format, b[node].format.width
    found = []
    while top > 0:
        width = min(_ADDRESS, top)
        unit = scale * arb(2) ** (top - width - word.fraction)
        found.append(_Field(node, top - width, width, word.signed and top == word.width, unit))
        top -= width
    return found


def _dealt(fields: list[_Field]) -> list[list[_Field]]:
    """Short fields share tables: the first table with room takes the next field."""
    tables: list[list[_Field]] = []
    for field in sorted(fields, key=lambda f: -f.width):  # stable: what is ready first comes first
        for table in tables:
            if sum(f.width for f in table) + field.width <= _ADDRESS:
                table.append(field)
                break
        else:
            tables.append([field])
    return tables


def _table(fields: list[_Field], wanted: arb, rest: arb, bits: int) -> tuple[tuple[int, ...], Interval]:
    """The codes of the fields' part of the sum plus `wanted`, and code - (that part plus `rest`)."""
    codes, below, above, ulp = [], [], [], arb(2) ** -bits
    for parts in itertools.product(*(field.values() for field in fields)):
        value = sum(parts, arb(0))
        code = nearest_code(value + wanted, bits)
        codes.append(code)
        off = arb(code) * ulp - (value + rest)
        below.append(off.lower())
        above.append(off.upper())
    return tuple(codes), Interval(min(below), max(above))
