"""The certificate's steps, one after the other → what this program itself proves of each: ranges and errors.

Every step is proven from what was proven of its operands here, not from what the certificate says of them; then the
certificate's numbers must hold what was found. The rules:

* range of the formula's value: interval arithmetic; a function's by cells, or at every code of an input;
* local error: the node is read as a polynomial of the operands' nodes plus what casts drop (`forms`); a function is run
  on every code of its argument (`run`, `sampled`), or followed stretch by stretch where those are too many;
* inherited error: the mean value theorem per cell (`sampled.change_within`), products and sums by interval arithmetic;
* a wrapping cast that promises a range must hold the step's value plus its error.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import sympy

from sr2hls.circuit import Circuit, Op, Overflow
from sr2hls.design import Design, NodeCertificate
from sr2hls.formats import Format
from sr2hls.model import symbol
from sr2hls.operators import Less, Select
from sr2hls.verify import forms
from sr2hls.verify.algebra import decoded
from sr2hls.verify.evaluate import Formula, constant
from sr2hls.verify.forms import Form, Reading, fits
from sr2hls.verify.functions import Argument, function_errors
from sr2hls.verify.refused import Open, Wrong
from sr2hls.verify.run import cone, run
from sr2hls.verify.span import ZERO, Span, of_floats, of_value, point, shorter

_RUN = 1 << 20
_UNIT = Span(Fraction(0), Fraction(1))


@dataclass(frozen=True)
class Step:
    """One line of the certificate, with its definition read, and what is proven of it here."""

    line: NodeCertificate
    kind: str
    expression: sympy.Expr | None  # over the symbols of operands; of `turns` the inside; None: an input
    operands: tuple[str, ...]
    exact: Span  # of the formula's value
    hardware: Span  # of the circuit's value
    local: Span
    error: Span  # circuit - formula; outside the bands of comparisons
    virtual: bool = False  # no node holds the value, and it is no constant
    banded: bool = False  # a comparison that may flip lies behind it


@dataclass
class Proof:
    """What was proven so far."""

    design: Design
    steps: dict[str, Step] = field(default_factory=dict)
    claims: set[int] = field(default_factory=set)  # wrapping casts whose promise holds
    run: int = 0  # functions that were run on every argument
    followed: int = 0  # functions that were followed by stretches

    @property
    def circuit(self) -> Circuit:
        return self.design.circuit


def prove_steps(design: Design) -> Proof:
    """Prove every step. Raises Wrong or Open."""
    proof = Proof(design)
    ports = dict(design.circuit.inputs)
    limits = {name: (low, high) for name, low, high in design.certificate.domain}
    if [line.symbol for line in design.certificate.nodes if line.kind == "input"] != list(limits):
        raise Wrong("the inputs of the certificate's steps are not those of its domain")
    for line in design.certificate.nodes:
        if line.symbol in proof.steps:
            raise Wrong(f"two steps are called '{line.symbol}'")
        try:
            if line.kind == "input":
                step = _input(proof, line, limits[line.symbol], ports.get(line.symbol))
            else:
                step = _step(proof, line)
        except (Wrong, Open) as error:
            raise type(error)(f"step {line.symbol} ('{line.expression}'): {error}") from None
        proof.steps[line.symbol] = step
    return proof


def _input(proof: Proof, line: NodeCertificate, limits: tuple[float, float], port: int | None) -> Step:
    word = Format.parse(line.format)
    low, high = line.codes
    if not (word.holds(low, high) and low <= high):
        raise Wrong(f"{line.codes} are no codes of {word}")
    inside = Span(word.value(low), word.value(high))
    for what, pair in (("domain", limits), ("range", line.range), ("exact range", line.exact_range)):
        if of_floats(pair) != inside:
            raise Wrong(f"the {what} is {pair}, the codes say {inside}")
    if (line.error, line.local_error, line.inherited) != ((0.0, 0.0),) * 3 or line.definition is not None:
        raise Wrong("an input has no error and no definition")
    if port is not None and proof.circuit.nodes[port].format != word:
        raise Wrong(f"the port is {proof.circuit.nodes[port].format}, the certificate says {word}")
    virtual = line.node < 0 and low != high
    if line.node >= 0:
        _node(proof, line)
        if port is None:
            raise Wrong("there is no port of this name")
        _clamped(proof, line.node, port, low, high)
    return Step(line, "input", None, (), inside, inside, ZERO, ZERO, virtual and port is None)


def _clamped(proof: Proof, node: int, port: int, low: int, high: int) -> None:
    """The node must be the port's code, clamped."""
    circuit = proof.circuit
    word = circuit.nodes[port].format
    if circuit.nodes[node].format.fraction != word.fraction:
        raise Wrong("the clamped input has another fraction")
    if word.width <= 20:
        codes = np.arange(word.least, word.greatest + 1, dtype=np.int64)
        found, path = run(circuit, node, port, codes)
        if not np.array_equal(found, np.clip(codes, low, high)):
            raise Wrong(f"node {node} is not the port's code clamped to [{low}, {high}]")
        proof.claims |= path
        return
    name = circuit.nodes[port].name
    reading = Reading(circuit, {port: name}, {name: Span(word.value(word.least), word.value(word.greatest))})
    expected = forms.operand(name)
    if low > word.least:
        expected = forms.applied("max", expected, forms.number(word.value(low)))
    if high < word.greatest:
        expected = forms.applied("min", expected, forms.number(word.value(high)))
    if reading.form(node) != expected:
        raise Open(f"node {node} is not seen to be the port clamped to [{low}, {high}]")
    for index, form in reading.claims.items():
        _promised(proof, index, forms.bound(form.terms, reading.sizes))


def _node(proof: Proof, line: NodeCertificate) -> None:
    if not line.node < len(proof.circuit.nodes):
        raise Wrong(f"there is no node {line.node}")
    node = proof.circuit.nodes[line.node]
    if (node.low, node.high) != line.codes:
        raise Wrong(f"node {line.node} has the codes [{node.low}, {node.high}], the certificate says {line.codes}")


def _step(proof: Proof, line: NodeCertificate) -> Step:
    circuit = proof.circuit
    kind, expression = _read(proof, line)
    names = tuple(sorted(s.name for s in expression.free_symbols))
    operands = {name: proof.steps[name] for name in names}
    word = Format.parse(line.format)
    if line.node >= 0:
        _node(proof, line)
        if circuit.nodes[line.node].format != word:
            raise Wrong(f"node {line.node} is {circuit.nodes[line.node].format}, the certificate says {word}")
    elif not word.holds(*line.codes):
        raise Wrong(f"{line.codes} are no codes of {word}")
    stated = _stated(line)
    exact = _exact(kind, expression, operands, stated)
    if not exact.inside(stated.exact):
        raise Wrong(f"the formula's value is in {exact}, the certificate says {stated.exact}")
    banded = any(step.banded for step in operands.values())
    if line.node < 0 and line.codes[0] != line.codes[1]:
        return Step(line, kind, expression, names, exact, exact, ZERO, ZERO, True, banded)
    flips = kind in ("less", "floor") and any(step.error != ZERO for step in operands.values())
    try:
        step = _proven(proof, line, kind, expression, operands, exact, stated)
    except _Wraps as wraps:
        error = wraps.reach - exact
        step = Step(line, kind, expression, names, exact, wraps.reach, ZERO, error)
        _require(error, stated.error, "error")
    return Step(
        line, kind, expression, names, exact, shorter(step.hardware), shorter(step.local), shorter(step.error),
        banded=banded or flips,
    )  # fmt: skip


@dataclass(frozen=True)
class Stated:
    """The certificate's intervals of a step."""

    exact: Span
    local: Span
    inherited: Span
    error: Span


class _Wraps(Exception):  # noqa: N818
    """The step ends in a word that does not hold it."""

    def __init__(self, reach: Span) -> None:
        super().__init__()
        self.reach = reach


def _stated(line: NodeCertificate) -> Stated:
    spans = [of_floats(pair) for pair in (line.exact_range, line.local_error, line.inherited, line.error)]
    if any(span is None or span.low > span.high for span in spans):
        raise Wrong("an interval of the certificate is empty or not finite")
    return Stated(*spans)  # type: ignore[arg-type]


def _require(found: Span, stated: Span, what: str) -> None:
    if not found.inside(stated):
        raise Wrong(f"the {what} is in {found}, the certificate says {stated}")


def _read(proof: Proof, line: NodeCertificate) -> tuple[str, sympy.Expr]:
    """The kind and expression of a definition; the kind must be the stated one."""
    data = line.definition
    known = {name: symbol(name) for name in proof.steps}
    if isinstance(data, tuple) and len(data) == 2 and data[0] == "Turns":
        kind, expression = "turns", decoded(data[1], known)
        if affine(expression) is None:
            raise Wrong("an angle is no affine expression")
    else:
        expression = decoded(data, known)
        kind = kind_of(expression)
    if kind != line.kind:
        raise Wrong(f"it is of the kind '{kind}', the certificate says '{line.kind}'")
    return kind, expression


_KINDS: tuple[tuple[type, str], ...] = (
    (sympy.Max, "maximum"),
    (sympy.Min, "minimum"),
    (sympy.Abs, "absolute"),
    (sympy.floor, "floor"),
    (Less, "less"),
    (Select, "select"),
)


def kind_of(expression: sympy.Expr) -> str:
    """What kind of hardware a definition has."""
    args = expression.args
    if args and all(arg.is_Symbol for arg in args):
        if isinstance(expression, sympy.Mul) and len(args) == 2:
            return "product"
        for head, kind in _KINDS:
            if isinstance(expression, head):
                return kind
    if isinstance(expression, sympy.Pow) and args[0].is_Symbol and args[1] == 2:
        return "product"
    return "linear" if affine(expression) is not None else "function"


def affine(expression: sympy.Expr) -> tuple[dict[str, sympy.Expr], sympy.Expr] | None:
    """(coefficients, constant) of an affine expression, else None."""
    if expression.is_Symbol:
        return {expression.name: sympy.S.One}, sympy.S.Zero
    if not expression.free_symbols:
        return {}, expression
    if isinstance(expression, sympy.Add):
        terms: dict[str, sympy.Expr] = {}
        rest: sympy.Expr = sympy.S.Zero
        for part in expression.args:
            inner = affine(part)
            if inner is None:
                return None
            for name, k in inner[0].items():
                terms[name] = terms.get(name, sympy.S.Zero) + k
            rest += inner[1]
        return terms, rest
    if isinstance(expression, sympy.Mul):
        varying = [f for f in expression.args if f.free_symbols]
        inner = affine(varying[0]) if len(varying) == 1 else None
        if inner is None:
            return None
        scale = sympy.Mul(*[f for f in expression.args if not f.free_symbols])
        return {name: scale * k for name, k in inner[0].items()}, scale * inner[1]
    return None


def number_span(expression: sympy.Expr) -> Span:
    """A constant, exactly or as a narrow interval."""
    if isinstance(expression, sympy.Rational):
        return point(Fraction(int(expression.p), int(expression.q)))
    span = of_value(constant(expression))
    if span is None:
        raise Wrong(f"the constant '{expression}' is not finite")
    return span


def _combined(expression: sympy.Expr, of: Mapping[str, Span], *, constants: bool = True) -> Span:
    """An affine expression of intervals."""
    terms, rest = affine(expression) or ({}, sympy.S.Zero)
    total = number_span(rest) if constants else ZERO
    for name, k in terms.items():
        total = total + number_span(k) * of[name]
    return total


def _exact(kind: str, expression: sympy.Expr, operands: Mapping[str, Step], stated: Stated) -> Span:
    """The range of the formula's value."""
    ranges = {name: step.exact for name, step in operands.items()}
    parts = [ranges[arg.name] for arg in expression.args if arg.is_Symbol]
    match kind:
        case "linear":
            return _combined(expression, ranges)
        case "turns":
            return _UNIT
        case "less":
            certain, possible = parts[0].high < parts[1].low, parts[0].low < parts[1].high
            return Span(Fraction(certain), Fraction(possible))
        case "product":
            return parts[0] * parts[1] if len(parts) == 2 and parts[0] is not parts[1] else parts[0].square()
        case "maximum":
            return Span(max(p.low for p in parts), max(p.high for p in parts))
        case "minimum":
            return Span(min(p.low for p in parts), min(p.high for p in parts))
        case "absolute":
            return Span(max(parts[0].low, -parts[0].high, Fraction(0)), parts[0].size)
        case "floor":
            return Span(Fraction(parts[0].low // 1), Fraction(parts[0].high // 1))
        case "select":
            if parts[0].low == parts[0].high:
                return parts[1] if parts[0].low > 0 else parts[2]
            return parts[1].hull(parts[2])
        case _:
            (operand,) = operands.values()
            return _argument(operand).exact_range(Formula(expression, [symbol(operand.line.symbol)]), stated.exact)


def _argument(operand: Step) -> Argument:
    return Argument(
        operand.exact, operand.error, operand.line.codes, Format.parse(operand.line.format),
        enumerated=operand.kind == "input", turns=operand.kind == "turns",
    )  # fmt: skip


def _inherited(kind: str, expression: sympy.Expr, operands: Mapping[str, Step]) -> Span:
    errors = {name: step.error for name, step in operands.items()}
    args = [arg.name for arg in expression.args if arg.is_Symbol]
    match kind:
        case "linear" | "turns":
            return _combined(expression, errors, constants=False)
        case "product":
            a, b = (operands[name] for name in (args[0], args[-1]))
            return a.exact * b.error + b.exact * a.error + a.error * b.error
        case "maximum" | "minimum":
            return errors[args[0]].hull(errors[args[1]])
        case "absolute":
            error = errors[args[0]]
            return error if operands[args[0]].exact.low >= 0 else Span(-error.size, error.size)
        case "select":
            chosen = operands[args[0]].exact
            if chosen.low == chosen.high:
                return errors[args[1] if chosen.low > 0 else args[2]]
            return errors[args[1]].hull(errors[args[2]])
        case _:
            return ZERO


def _proven(
    proof: Proof,
    line: NodeCertificate,
    kind: str,
    expression: sympy.Expr,
    operands: Mapping[str, Step],
    exact: Span,
    stated: Stated,
) -> Step:
    """Local and inherited error of a step that the circuit holds, each inside the stated one."""
    names = tuple(operands)
    word = Format.parse(line.format)
    fixed = line.codes[0] == line.codes[1]
    if fixed and (line.node < 0 or any(step.virtual for step in operands.values())):
        value = point(word.value(line.codes[0]))
        if line.node >= 0:
            _constant(proof, line)
        error = value - exact
        _require(error, stated.error, "error")
        return Step(line, kind, expression, names, exact, value, ZERO, error)
    if kind == "function":
        (operand,) = operands.values()
        found = function_errors(
            proof, line, Formula(expression, [symbol(names[0])]), _argument(operand), operand, stated
        )
        if operand.kind == "turns":
            require_period(expression, symbol(names[0]))
        return Step(line, kind, expression, names, exact, found.hardware, found.local, found.error)
    inherited = _inherited(kind, expression, operands)
    _require(inherited, stated.inherited, "inherited error")
    local, hardware = _local(proof, line, kind, expression, operands, inherited, exact)
    _require(local, stated.local, "local error")
    error = inherited + local
    _require(error, stated.error, "error")
    return Step(line, kind, expression, names, exact, hardware, local, error)


def _constant(proof: Proof, line: NodeCertificate) -> None:
    path = cone(proof.circuit, line.node, [])
    if any(proof.circuit.nodes[i].op is Op.INPUT for i in path):
        raise Open(f"node {line.node} is constant by its range only")


def _local(
    proof: Proof,
    line: NodeCertificate,
    kind: str,
    expression: sympy.Expr,
    operands: Mapping[str, Step],
    inherited: Span,
    exact: Span,
) -> tuple[Span, Span]:
    """What the circuit's casts and rounded coefficients add, and the values that its node may have."""
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
        reading = Reading(circuit, leaves, sizes, floors=kind == "floor")
        form = reading.form(index)
    if kind in ("linear", "turns"):
        local = _affine_gap(form, expression, values, sizes) + form.error
    else:
        gap = forms.plus(form, _wanted(kind, expression, values, operands, sizes), -1)
        local = forms.bound(gap.terms, sizes) + gap.error
    hardware = forms.bound(form.terms, sizes) + form.error
    if kind == "turns":
        hardware = _UNIT
    for claim, promised in (reading.claims if reading is not None else {}).items():
        value = forms.bound(promised.terms, sizes) + promised.error
        if not any(step.banded for step in operands.values()) and kind not in ("less", "floor"):
            value = value.meet(exact + inherited + local) or value if claim == line.node else value
        _promised(proof, claim, value)
    if line.node >= 0 and kind != "turns":
        node = circuit.nodes[line.node]
        hardware = hardware.meet(Span(node.format.value(node.low), node.format.value(node.high))) or hardware
    return local, hardware


def _promised(proof: Proof, index: int, value: Span) -> None:
    """A wrapping cast's range must hold every code of a value."""
    node = proof.circuit.nodes[index]
    scale = 1 / node.format.ulp
    low, high = math.ceil(value.low * scale), math.floor(value.high * scale)
    if low < node.low or high > node.high:
        raise Wrong(f"node {index} promises the codes [{node.low}, {node.high}], but reaches [{low}, {high}]")
    proof.claims.add(index)


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
    if node.overflow is Overflow.WRAP and (node.low, node.high) == (fmt.least, fmt.greatest):
        raise _Wraps(reach)
    return index


def _affine_gap(form: Form, expression: sympy.Expr, values: Mapping[str, Form], sizes: Mapping[str, Span]) -> Span:
    """The polynomial of a node less an affine expression: coefficient by coefficient, as constants may be irrational."""
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
            return forms.chosen_form(*args, sizes)
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


def require_period(expression: sympy.Expr, angle: sympy.Symbol) -> None:
    """Raises Wrong unless the expression has period 1 in the angle, because only functions of that period see it."""
    rates = {"sin": 2, "cos": 2, "sec": 2, "csc": 2, "tan": 1, "cot": 1}
    if angle not in expression.free_symbols:
        return
    if type(expression).__name__ in rates:
        parts = affine(expression.args[0])
        if parts is not None:
            turns = sympy.cancel(parts[0][angle.name] / (rates[type(expression).__name__] * sympy.pi))
            if isinstance(turns, sympy.Integer):
                return
    elif not expression.is_Symbol:
        for arg in expression.args:
            require_period(arg, angle)
        return
    raise Wrong("it is not of period 1 in an angle that wraps")
