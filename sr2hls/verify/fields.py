"""Bits of operands and small tables of them → exact polynomials: the sums and products that are made of tables.

Every bit of an operand but the highest is an atom of its own, 0 or 1; the highest one is the operand less the others,
so that a value whose bits are all used is a polynomial of the operand again.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from sr2hls.circuit import Circuit, Op
from sr2hls.verify import forms
from sr2hls.verify.refused import Open
from sr2hls.verify.span import UNIT, Span

_MOST = 4096  # entries of a table that is read as a sum or a product


@dataclass(frozen=True, slots=True)
class Field:
    """Bits low … low + width - 1 of the word that an operand's node has."""

    leaf: int
    low: int
    width: int


def fields_of(circuit: Circuit, index: int, leaves: Mapping[int, str]) -> list[Field]:
    """What a node is put together from, the highest bits first. Raises Open."""
    node = circuit.nodes[index]
    if index in leaves:
        return [Field(index, 0, node.format.width)]
    match node.op:
        case Op.SLICE if node.args[0] in leaves:
            return [Field(node.args[0], node.value, node.format.width)]
        case Op.CONCAT:
            return [field for arg in node.args for field in fields_of(circuit, arg, leaves)]
        case _:
            raise Open(f"node {index} ({node.op}) is no piece of an operand")


def field_form(circuit: Circuit, field: Field, leaves: Mapping[int, str], sizes: dict[str, Span]) -> forms.Form:
    """The field's value as an integer, below zero where its highest bit is the sign of the operand."""
    name, word = leaves[field.leaf], circuit.nodes[field.leaf].format
    total = forms.number(0)
    for place in range(field.width):
        bit = field.low + place
        if bit < word.width - 1:
            total = forms.plus(total, _bit(name, bit, Fraction(2) ** place, sizes))
            continue
        rest = forms.scaled(forms.operand(name), Fraction(2) ** word.fraction)
        for lower in range(bit):
            rest = forms.plus(rest, _bit(name, lower, Fraction(2) ** lower, sizes), -1)
        total = forms.plus(total, forms.scaled(rest, Fraction(2) ** -field.low))
    return total


def _bit(name: str, bit: int, weight: Fraction, sizes: dict[str, Span]) -> forms.Form:
    atom = f"bit {bit} of {name}"
    sizes[atom] = UNIT
    return forms.scaled(forms.operand(atom), weight)


def _values(circuit: Circuit, field: Field) -> list[int]:
    """The field's value at each of its bit patterns."""
    word = circuit.nodes[field.leaf].format
    signed = word.signed and field.low + field.width == word.width
    half = 1 << (field.width - 1)
    return [code - 2 * half if signed and code >= half else code for code in range(1 << field.width)]


def table_form(
    circuit: Circuit,
    index: int,
    leaves: Mapping[int, str],
    rates: Mapping[str, Fraction],
    sizes: dict[str, Span],
) -> forms.Form:
    """A lookup as Σ rate · part of operand + constant, with its entries' errors; or as part · part + constant.

    `rates` are the coefficients of a step that is a sum, near enough; empty of one that is a product. Raises Open.
    """
    node = circuit.nodes[index]
    table = circuit.tables[node.table]
    fields = fields_of(circuit, node.args[0], leaves)
    if len(table.codes) > _MOST:
        raise Open(f"the table of node {index} has {len(table.codes)} entries")
    entries = [table.format.value(code) for code in table.codes]
    parts = [field_form(circuit, field, leaves, sizes) for field in fields]
    patterns = list(itertools.product(*(_values(circuit, field) for field in fields)))
    if rates:
        units = [rates[leaves[f.leaf]] * Fraction(2) ** (f.low - circuit.nodes[f.leaf].format.fraction) for f in fields]
        rest = [e - sum(u * v for u, v in zip(units, p, strict=True)) for e, p in zip(entries, patterns, strict=True)]
        form = forms.number(rest[0])
        for unit, part in zip(units, parts, strict=True):
            form = forms.plus(form, forms.scaled(part, unit))
        return forms.Form(form.terms, Span(min(rest) - rest[0], max(rest) - rest[0]))
    if len(fields) != 2:
        raise Open(f"the table of node {index} is no product of two parts")
    products = [Fraction(p[0] * p[1]) for p in patterns]
    other = next((i for i, product in enumerate(products) if product != products[0]), 0)
    unit = (entries[other] - entries[0]) / (products[other] - products[0]) if other else Fraction(0)
    lift = entries[0] - unit * products[0]
    if any(entry != unit * product + lift for entry, product in zip(entries, products, strict=True)):
        raise Open(f"the table of node {index} holds no products")
    return forms.plus(forms.scaled(forms.times(parts[0], parts[1], sizes), unit), forms.number(lift))
