"""A step without a function → its local error: what its casts drop and its rounded coefficients are off."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import partial

import sympy

from sr2hls.circuit import Circuit, Op, Overflow
from sr2hls.design import NodeCertificate
from sr2hls.formats import Format
from sr2hls.verify import forms
from sr2hls.verify.definitions import affine, number_span
from sr2hls.verify.fields import table_form
from sr2hls.verify.forms import Form, Reading, fits
from sr2hls.verify.proof import Proof, Step, promised, wrapped_reach
from sr2hls.verify.span import UNIT, ZERO, Span, point


def local_error(
    proof: Proof,
    line: NodeCertificate,
    kind: str,
    expression: sympy.Expr,
    operands: Mapping[str, Step],
    reach: Span,
    exact: Span,
    boxes: bool = False,
) -> tuple[Span, Span]:
    """What the circuit's casts and rounded coefficients add, and the values that its node may have.

    `reach`: the exact step on the operands as the circuit has them. `boxes`: it holds where comparisons flip, too.
    """
    circuit = proof.circuit
    leaves: dict[int, str] = {}
    values: dict[str, Form] = {}  # of each operand, as the circuit has it
    sizes: dict[str, Span] = {}
    for name, step in operands.items():
        low, high = step.line.codes
        if step.virtual:
            values[name], sizes[name] = forms.operand(name), step.exact
        elif low == high:
            values[name] = forms.number(Format.parse(step.line.format).value(low))
        else:
            held = leaves.setdefault(step.line.node, name)
            values[name] = forms.operand(held)
            sizes[held] = step.hardware
    index, wraps = line.node, kind == "turns"
    if wraps and index not in leaves:
        index = _before_wrap(circuit, index)
    index = _before_saturation(circuit, index, leaves, exact)
    if line.node < 0:
        form = forms.number(Format.parse(line.format).value(line.codes[0]))
        reading = None
    else:
        tables = partial(table_form, circuit, leaves=leaves, rates=_rates(expression, kind, values), sizes=sizes)
        reading = Reading(circuit, leaves, sizes, floors=kind == "floor", tables=tables)
        form = reading.form(index)

    def off(some: Form) -> Span:
        if kind in ("linear", "turns"):
            return _affine_gap(some, expression, values, sizes) + some.error
        gap = forms.plus(some, _wanted(kind, expression, values, operands, sizes), -1)
        return forms.bound(gap.terms, sizes) + gap.error

    local = off(form)
    hardware = forms.bound(form.terms, sizes) + form.error
    if kind == "turns":
        hardware = UNIT
    for claim, kept in (reading.claims if reading is not None else {}).items():
        value = forms.bound(kept.terms, sizes) + kept.error
        if boxes and kind != "turns":
            value = value.meet(reach + off(kept)) or value
        elif not any(step.banded for step in operands.values()) and kind not in ("less", "floor"):
            value = value.meet(reach + local) or value if claim == line.node else value
        promised(proof, claim, value)
    if line.node >= 0 and kind != "turns":
        node = circuit.nodes[line.node]
        whole = Span(node.format.value(node.low), node.format.value(node.high))
        hardware = whole if node.overflow is Overflow.SATURATE else hardware.meet(whole) or whole
    return local, hardware


def _rates(expression: sympy.Expr, kind: str, values: Mapping[str, Form]) -> dict[str, Fraction]:
    """Of a sum, about what each operand is multiplied by, by the name that its node goes by."""
    rates: dict[str, Fraction] = {}
    terms, _ = (affine(expression) if kind in ("linear", "turns") else None) or ({}, None)
    for name, k in terms.items():
        span = number_span(k)
        for monomial, _factor in values[name].terms:
            for held in monomial:
                if isinstance(held, str):
                    rates[held] = rates.get(held, Fraction(0)) + (span.low + span.high) / 2
    return rates


def _before_wrap(circuit: Circuit, index: int) -> int:
    """The node whose fractional part a node is."""
    node = circuit.nodes[index]
    fmt = node.format
    if node.op is not Op.CAST or fmt.signed or fmt.width != fmt.fraction or node.overflow is not Overflow.WRAP:
        return index
    source = circuit.nodes[node.args[0]]
    return node.args[0] if source.format.fraction <= fmt.fraction else index


def _before_saturation(circuit: Circuit, index: int, leaves: Mapping[int, str], exact: Span) -> int:
    """An output that saturates: its exact value lies inside the word, so that can only bring the result nearer."""
    if index < 0 or index in leaves:
        return index
    node = circuit.nodes[index]
    if node.op is not Op.CAST or fits(circuit, node):
        return index
    fmt = node.format
    source = circuit.nodes[node.args[0]]
    reach = Span(fmt.value(fmt.least), fmt.value(fmt.greatest))
    if node.overflow is Overflow.SATURATE and source.format.fraction <= fmt.fraction and exact.inside(reach):
        return node.args[0]
    return index if wrapped_reach(circuit, index) is None else node.args[0]


def _affine_gap(form: Form, expression: sympy.Expr, values: Mapping[str, Form], sizes: Mapping[str, Span]) -> Span:
    """The polynomial of a node less an affine expression, by coefficients: constants may be irrational."""
    gap: dict[forms.Monomial, Span] = {monomial: point(k) for monomial, k in form.terms}
    terms, rest = affine(expression) or ({}, sympy.S.Zero)
    for name, k in (*terms.items(), (None, rest)):
        for monomial, factor in (forms.number(1) if name is None else values[name]).terms:
            gap[monomial] = gap.get(monomial, ZERO) - number_span(k) * point(factor)
    total = ZERO
    for monomial, k in gap.items():
        total = total + k * forms.bound(frozenset({(monomial, Fraction(1))}), sizes)
    return total


def _wanted(
    kind: str,
    expression: sympy.Expr,
    values: Mapping[str, Form],
    operands: Mapping[str, Step],
    sizes: Mapping[str, Span],
) -> Form:
    """The exact step, no affine one, on the operands as the circuit has them."""
    args = [values[arg.name] for arg in expression.args if arg.is_Symbol]
    match kind:
        case "product":
            return forms.times(args[0], args[-1], sizes)
        case "select":
            return forms.chosen_form(args[0], args[1], args[2], sizes)
    codes = [operands[arg.name] for arg in expression.args if arg.is_Symbol]
    spans = [_code_span(step) for step in codes]
    match kind:
        case "less":
            if spans[0].high < spans[1].low:
                return forms.number(1)
            return forms.number(0) if spans[0].low >= spans[1].high else forms.applied("less", *args)
        case "maximum" | "minimum":
            first_less, never = spans[0].high < spans[1].low, spans[0].low >= spans[1].high
            if first_less or never:
                return args[1] if first_less == (kind == "maximum") else args[0]
            return args[0] if args[0] == args[1] else forms.applied(kind[:3], *args)
        case "absolute":
            return args[0] if spans[0].low >= 0 else forms.applied("abs", args[0])
        case _:
            whole = Format.parse(codes[0].line.format).fraction <= 0
            if not whole and args[0].terms and all(monomial == () for monomial, _ in args[0].terms):
                return forms.number(next(k for _, k in args[0].terms) // 1)
            return args[0] if whole else forms.applied("floor", args[0])


def _code_span(step: Step) -> Span:
    word = Format.parse(step.line.format)
    return Span(word.value(step.line.codes[0]), word.value(step.line.codes[1]))
