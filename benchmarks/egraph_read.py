"""sympy → the text of an e-graph's term, and an extracted term → a `Form` whose parts sympy does not merge again.

Used by benchmarks/rewriting_egglog.py. Nothing is evaluated as text: a term is a table of nodes.
"""

from __future__ import annotations

from collections import Counter
from functools import reduce
from typing import Any

import sympy
from egraph import Found

from sr2hls.model import SymbolicModel, symbol
from sr2hls.rewrite.form import Form, Rewrite
from sr2hls.rewrite.text import short_text

UNARY = {"Exp": sympy.exp, "Log": sympy.log, "Sin": sympy.sin, "Cos": sympy.cos}


def encoded(node: sympy.Expr, numbers: dict[str, sympy.Expr]) -> str:
    """sympy → egglog; `numbers` gets what each Constant stands for, and the class of each Other."""
    if isinstance(node, sympy.Rational):
        return f"(Num {rational(node)})"
    if not node.free_symbols:
        numbers[f"k{len(numbers)}"] = node
        return f'(Constant "k{len(numbers) - 1}")'
    if node.is_Symbol:
        return f'(Var "{node.name}")'
    parts = [encoded(arg, numbers) for arg in node.args]
    if isinstance(node, sympy.Add | sympy.Mul):
        return reduce(lambda a, b: f"({node.func.__name__} {a} {b})", parts)
    if isinstance(node, sympy.Pow) and isinstance(node.exp, sympy.Rational):
        return f"(Pow {parts[0]} {rational(node.exp)})"
    if isinstance(node, sympy.Pow):
        return f"(Exp (Mul {parts[1]} (Log {parts[0]})))"
    name = node.func.__name__.capitalize()
    if name in UNARY:
        return f"({name} {parts[0]})"
    if len(parts) > 1:
        raise SystemExit(f"'{node}' is not among the expressions of this benchmark")
    numbers[node.func.__name__] = node.func
    return f'(Other "{node.func.__name__}" {parts[0]})'


def rational(number: sympy.Rational) -> str:
    return f'(bigrat (from-string "{number.p}") (from-string "{number.q}"))'


class Reader:
    """An extracted term → sympy, sub-terms that sympy would merge again held apart as symbols.

    Only where fusing ends a step anyway (`egraph.combined`), so that no function of one variable is cut. apart: hold
    sub-terms at all; arguments: also those that are all of a function's argument.
    """

    def __init__(self, found: Found, numbers: dict[str, sympy.Expr], apart: bool, arguments: bool) -> None:
        self.terms, self.root, self.numbers = found.terms, found.root, numbers
        self.apart, self.arguments = apart, arguments
        self.shared: list[tuple[sympy.Symbol, sympy.Expr]] = []
        self._read: dict[tuple[int, bool], sympy.Expr] = {}
        self._atoms: dict[int, Any] = {}
        self._uses = Counter(part for term in self.terms.values() if term[0] != "literal" for part in term[1:])

    def form(self, model: SymbolicModel, reading: str) -> Form:
        """The form of a model of one output; its one step is named as the reading."""
        (output,) = model.outputs
        form = Form((self.read(self.root, ""),), tuple(self.shared))
        whole = form.over_inputs(form.outputs[0])
        return Form(form.outputs, form.shared, (Rewrite(reading, output.expression, whole, short(form)),))

    def read(self, at: int, above: str) -> sympy.Expr:
        """The sub-term as it stands below a head; a symbol where it is held apart."""
        head = self.terms[at][0]
        hold = self.apart and self._atom(at) == at and self._held(at, head, above)
        if (at, hold) not in self._read:
            value = self._value(at)
            if hold:
                scale, rest = value.as_coeff_Mul() if head == "Mul" else (sympy.S.One, value)
                name = sympy.Symbol(f"_w{len(self.shared)}", real=True)
                self.shared.append((name, rest))
                value = scale * name
            self._read[at, hold] = value
        return self._read[at, hold]

    def _held(self, at: int, head: str, above: str) -> bool:
        if not above or (above == head and not (head == "Mul" and self._uses[at] > 1)):
            return False
        if self._uses[at] > 1 or above in ("Mul", "Pow"):
            return True
        return above != "Add" and self.arguments

    def _atom(self, at: int) -> Any:
        """The input, or the sum or product of several, that a sub-term is a function of; None for a number."""
        if at not in self._atoms:
            head, *parts = self.terms[at]
            if head == "Var":
                atom = self.terms[parts[0]][1]
            elif head in ("literal", "Num", "Constant", "bigrat"):
                atom = None
            else:
                found = {self._atom(part) for part in parts} - {None}
                atom = at if len(found) > 1 else found.pop() if found else None
            self._atoms[at] = atom
        return self._atoms[at]

    def _value(self, at: int) -> sympy.Expr:
        head, *parts = self.terms[at]
        match head:
            case "Num":
                return self._rational(parts[0])
            case "Constant":
                return self.numbers[self.terms[parts[0]][1]]
            case "Var":
                return symbol(self.terms[parts[0]][1])
            case "Pow":
                return self.read(parts[0], head) ** self._rational(parts[1])
            case "Other":
                return self.numbers[self.terms[parts[0]][1]](self.read(parts[1], head))
        values = [self.read(part, head) for part in parts]
        return {"Add": sympy.Add, "Mul": sympy.Mul, **UNARY}[head](*values)

    def _rational(self, at: int) -> sympy.Rational:
        _, top, bottom = self.terms[at]
        return sympy.Rational(*(int(self.terms[self.terms[part][1]][1]) for part in (top, bottom)))


def short(form: Form) -> str:
    return "; ".join([short_text(form.outputs[0]), *(f"{name} = {short_text(part)}" for name, part in form.shared)])
