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

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import sympy

from sr2hls.circuit import Op
from sr2hls.design import Design, NodeCertificate
from sr2hls.formats import Format
from sr2hls.model import symbol
from sr2hls.verify.boxes import InBox, boxes_of, hull
from sr2hls.verify.definitions import affine, number_span, read_definition, require_period
from sr2hls.verify.evaluate import Formula
from sr2hls.verify.functions import Argument, function_errors
from sr2hls.verify.inputs import prove_input
from sr2hls.verify.local import local_error
from sr2hls.verify.proof import Proof, Stated, Step, Wraps, require, require_node, stated_of, wrapped_reach
from sr2hls.verify.refused import Open, Wrong
from sr2hls.verify.run import cone
from sr2hls.verify.span import UNIT, ZERO, Span, point, shorter


def prove_steps(design: Design) -> Proof:
    """Prove every step. Raises Wrong or Open."""
    proof = Proof(design)
    ports = dict(design.circuit.inputs)
    limits = {name: (low, high) for name, low, high in design.certificate.domain}
    if [line.symbol for line in design.certificate.nodes if line.kind == "input"] != list(limits):
        raise Wrong("the inputs of the certificate's steps are not those of its domain")
    codes = {line.symbol: line.codes for line in design.certificate.nodes if line.kind == "input"}
    proof.boxes = boxes_of(design.certificate.boxes, codes)
    for line in design.certificate.nodes:
        if line.symbol in proof.steps:
            raise Wrong(f"two steps are called '{line.symbol}'")
        try:
            if line.kind == "input":
                step = prove_input(proof, line, limits[line.symbol], ports.get(line.symbol))
            else:
                step = _step(proof, line)
        except (Wrong, Open) as error:
            raise type(error)(f"step {line.symbol} ('{line.expression}'): {error}") from None
        proof.steps[line.symbol] = step
    return proof


def _step(proof: Proof, line: NodeCertificate) -> Step:
    circuit = proof.circuit
    kind, expression = read_definition(line, proof.steps)
    names = tuple(sorted(s.name for s in expression.free_symbols))
    operands = {name: proof.steps[name] for name in names}
    word = Format.parse(line.format)
    if line.node >= 0:
        require_node(proof, line)
        if circuit.nodes[line.node].format != word:
            raise Wrong(f"node {line.node} is {circuit.nodes[line.node].format}, the certificate says {word}")
    elif not word.holds(*line.codes):
        raise Wrong(f"{line.codes} are no codes of {word}")
    stated = stated_of(line)
    within = _in_boxes(proof, kind, expression, operands, stated)
    exact = hull(within) if within and kind != "function" else _exact(proof, kind, expression, operands, stated)
    if not exact.inside(stated.exact):
        raise Wrong(f"the formula's value is in {exact}, the certificate says {stated.exact}")
    if kind != "function" and any(step.kind == "turns" for step in operands.values()):
        raise Wrong("an angle that wraps is used by more than functions of its period")
    banded = any(step.banded for step in operands.values())
    if line.node < 0 and line.codes[0] != line.codes[1]:
        boxes = tuple(InBox(part, ZERO) for part in within)
        return Step(line, kind, expression, names, exact, exact, ZERO, ZERO, True, banded, boxes)
    flips = kind in ("less", "floor") and any(step.error != ZERO for step in operands.values())
    try:
        step = _proven(proof, line, kind, expression, operands, exact, stated, within)
    except Wraps as wraps:
        if proof.boxes:
            raise Open("a word that wraps, on a domain that is cut into boxes") from None
        error = wraps.reach - exact
        step = Step(line, kind, expression, names, exact, wraps.reach, ZERO, error)
        require(error, stated.error, "error")
    hardware = step.hardware
    if step.boxes:
        hardware = hardware.meet(hull([box.exact + box.error for box in step.boxes])) or hardware
    elif not (banded or flips or kind == "turns"):
        hardware = hardware.meet(exact + step.error) or hardware
    return Step(
        line, kind, expression, names, exact, shorter(hardware), shorter(step.local), shorter(step.error),
        banded=banded or flips, boxes=tuple(InBox(shorter(box.exact), shorter(box.error)) for box in step.boxes),
    )  # fmt: skip


def _in_boxes(
    proof: Proof, kind: str, expression: sympy.Expr, operands: Mapping[str, Step], stated: Stated
) -> list[Span]:
    """The range in each box of the formula's value, whichever way the comparisons that may flip go."""
    if not proof.boxes:
        if stated.boxes:
            raise Wrong("it states values for boxes, but the domain is not cut into any")
        return []
    if kind == "function":
        (operand,) = operands.values()
        argument = _argument(operand, proof)
        return argument.exact_in_boxes(Formula(expression, [symbol(operand.line.symbol)]), stated.boxes)
    if stated.boxes:
        raise Wrong("it is no function, but states values for boxes")
    found = []
    for place in range(len(proof.boxes)):
        ranges = {name: step.boxes[place].exact for name, step in operands.items()}
        if kind in ("less", "floor"):
            ranges = {name: ranges[name] + step.boxes[place].error for name, step in operands.items()}
        found.append(_reached(kind, expression, ranges))
    return found


def _boxed(kind: str, expression: sympy.Expr, operands: Mapping[str, Step], count: int) -> list[Span]:
    """The inherited error in each box."""
    return [
        _inherited(
            kind,
            expression,
            {name: replace(s, exact=s.boxes[i].exact, error=s.boxes[i].error, hardware=s.boxes[i].exact)
             for name, s in operands.items()},
        )
        for i in range(count)
    ]  # fmt: skip


def _combined(expression: sympy.Expr, of: Mapping[str, Span], *, constants: bool = True) -> Span:
    """An affine expression of intervals."""
    terms, rest = affine(expression) or ({}, sympy.S.Zero)
    total = number_span(rest) if constants else ZERO
    for name, k in terms.items():
        total = total + number_span(k) * of[name]
    return total


def _exact(proof: Proof, kind: str, expression: sympy.Expr, operands: Mapping[str, Step], stated: Stated) -> Span:
    """The range of the formula's value."""
    if kind == "function":
        (operand,) = operands.values()
        return _argument(operand, proof).exact_range(Formula(expression, [symbol(operand.line.symbol)]), stated.exact)
    return _reached(kind, expression, {name: step.exact for name, step in operands.items()})


def _reached(kind: str, expression: sympy.Expr, ranges: Mapping[str, Span]) -> Span:
    """The range of a step that is no function, from ranges of its operands."""
    parts = [ranges[arg.name] for arg in expression.args if arg.is_Symbol]
    match kind:
        case "linear":
            return _combined(expression, ranges)
        case "turns":
            return UNIT
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
            raise Open(f"a step of the kind '{kind}' has no range rule")


def _argument(operand: Step, proof: Proof) -> Argument:
    codes = tuple(box[operand.line.symbol] for box in proof.boxes) if operand.kind == "input" else ()
    return Argument(
        operand.exact, operand.error, operand.line.codes, Format.parse(operand.line.format),
        enumerated=operand.kind == "input", turns=operand.kind == "turns", boxes=operand.boxes, box_codes=codes,
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
            condition = operands[args[0]]
            # outside its band a comparison is in the formula what it is in the circuit
            chosen = condition.hardware if condition.error == ZERO else condition.exact
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
    within: list[Span],
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
        if kind != "function" and not error.inside(stated.error):
            # a comparison that the circuit decides once and for all: equal to the formula's outside its band only
            own = _reached(kind, expression, {name: step.hardware for name, step in operands.items()})
            error = _inherited(kind, expression, operands) + (value - own)
        require(error, stated.error, "error")
        boxes = tuple(InBox(part, error) for part in within)
        return Step(line, kind, expression, names, exact, value, ZERO, error, boxes=boxes)
    if kind == "function":
        (operand,) = operands.values()
        found = function_errors(
            proof,
            line,
            Formula(expression, [symbol(names[0])]),
            _argument(operand, proof),
            operand,
            exact,
            stated,
            within,
        )
        if operand.kind == "turns":
            require_period(expression, symbol(names[0]))
        boxes = tuple(map(InBox, within, found.boxes)) if within else ()
        return Step(line, kind, expression, names, exact, found.hardware, found.local, found.error, boxes=boxes)
    parts = _boxed(kind, expression, operands, len(within))
    inherited = hull(parts) if parts else _inherited(kind, expression, operands)
    reach = hull([part + off for part, off in zip(within, parts, strict=True)]) if parts else exact + inherited
    local, hardware = local_error(proof, line, kind, expression, operands, reach, exact, boxes=bool(parts))
    wrapped = None if line.node < 0 or kind == "turns" else wrapped_reach(proof.circuit, line.node)
    if wrapped is not None:
        raise Wraps(wrapped)
    require(inherited, stated.inherited, "inherited error")
    require(local, stated.local, "local error")
    error = inherited + local
    require(error, stated.error, "error")
    boxes = tuple(InBox(part, off + local) for part, off in zip(within, parts, strict=True))
    return Step(line, kind, expression, names, exact, hardware, local, error, boxes=boxes)


def _constant(proof: Proof, line: NodeCertificate) -> None:
    path = cone(proof.circuit, line.node, [])
    if any(proof.circuit.nodes[i].op is Op.INPUT for i in path):
        raise Open(f"node {line.node} is constant by its range only")
