"""Circuit + SMT definitions of its Verilog → are the outputs equal for every input? Asked cone by cone.

A value that both sides have (the Verilog names node i `n<i>`) is a cut point: once it is proven equal, for all values
of the cut points before it, both sides continue from one fresh word. Names are only hints: a wrong one makes a
question fail, never hold. Products are compared by their operands, so no multiplier is ever taken apart.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sr2hls.check.netlist import Netlist, require_ports
from sr2hls.check.reliance import reliance
from sr2hls.check.smt import Term, extended, in_range, node_term
from sr2hls.circuit import WIRING, Node, Op
from sr2hls.design import Design
from sr2hls.emit.names import fresh_prefix
from sr2hls.emit.verilog import port_names

EQUAL, DIFFERENT, UNKNOWN = "equal", "different", "unknown"
_LONGEST = 10.0  # seconds for one cut point
_HINTS = 4
_CASES = 16

Inputs = dict[str, int]  # the symbol of a free word → its bits


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides as z3 terms over the same input words.

    `inputs`: port of the design → its word; `free`: every free symbol of the Verilog, with its width (0: a Bool);
    `wires`: wire → its term.
    """

    design: Design
    context: Any
    inputs: dict[str, Term]
    free: dict[str, int]
    wires: dict[str, Term]


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` of one output, and where it is "different" the free words of z3's example (perhaps not a real one)."""

    output: str
    status: str
    example: Inputs


def sides(design: Design, netlist: Netlist) -> Sides:
    """Read the definitions. Raises MismatchError when the ports are not those of the design."""
    import z3

    context = z3.Context()
    names = port_names(design)
    circuit = design.circuit
    require_ports(design, netlist)
    text = [netlist.smt]
    for name, width in netlist.wires.items():
        sort = "Bool" if width == 1 else f"(_ BitVec {width})"
        text.append(f"(declare-fun |w {name}| () {sort})\n(assert (= |w {name}| |n {name}|))")
    facts = z3.parse_smt2_string("\n".join(text), ctx=context)
    wires = {name: fact.arg(1) for name, fact in zip(netlist.wires, facts, strict=True)}
    found = re.findall(r"^\(declare-fun \|(#\d+)\| \(\) (?:Bool|\(_ BitVec (\d+)\))", netlist.smt, re.MULTILINE)
    free = {symbol: int(width or 0) for symbol, width in found}
    inputs = {name: as_word(wires[names[name]]) for name, _ in circuit.inputs}
    return Sides(design, context, inputs, free, wires)


def as_word(term: Term) -> Term:
    """A Bool as a word of one bit; a word as it is."""
    import z3

    if z3.is_bool(term):
        return z3.If(term, z3.BitVecVal(1, 1, term.ctx), z3.BitVecVal(0, 1, term.ctx))
    return term


def every_operation(node: Node) -> bool:
    """Cut behind everything that is more than wiring."""
    return node.op not in WIRING


def products_and_tables(node: Node) -> bool:
    """Cut behind what is large when taken apart."""
    return node.op in (Op.MUL, Op.LOOKUP)


def nothing(_node: Node) -> bool:
    """The two sides as a whole."""
    return False


def compare(
    both: Sides, cut: Callable[[Node], bool], deadline: float, *, stop: bool = False
) -> tuple[list[Answer], list[Inputs]]:
    """Ask for every output, and for out_valid, whether the sides are equal for all inputs.

    Returns the answers, up to the first difference, and examples for which some cut point differs, perhaps.

    Args:
        cut: which operations to cut behind.
        deadline: as `time.monotonic` counts; what is not known by then is "unknown".
        stop: at the first cut point that differs; then no output is asked for.
    """
    names = port_names(both.design)
    work = _Cones(both, cut, deadline, stop)
    if stop and work.hints:
        return [Answer("", UNKNOWN, {})], work.hints
    answers = []
    for name, index in both.design.circuit.outputs:
        status, example = work.ask(work.verilog(names[name]), work.terms[index], work.needs[index], deadline)
        answers.append(Answer(name, status, example))
        if status == DIFFERENT:
            return answers, work.hints
    status, example = work.ask(work.verilog("out_valid"), as_word(both.wires["in_valid"]), frozenset(), deadline)
    return [*answers, Answer("out_valid", status, example)], work.hints


def golden_terms(both: Sides) -> list[Term]:
    """The term of every node over the input words, without cut points."""
    terms: list[Term] = []
    for node in both.design.circuit.nodes:
        if node.op is Op.INPUT:
            terms.append(both.inputs[node.name])
        else:
            terms.append(node_term(both.design.circuit, node, [terms[i] for i in node.args], both.context))
    return terms


class _Cones:
    """The terms of all nodes in terms of the cut points: `needs` are the cut points (nodes) that a term reads."""

    def __init__(self, both: Sides, cut: Callable[[Node], bool], deadline: float, stop: bool) -> None:
        self.both = both
        self.circuit = both.design.circuit
        self.terms: list[Term] = []
        self.needs: list[frozenset[int]] = []
        self.cuts: list[tuple[Term, Term]] = []
        self.words: dict[int, Term] = {}
        self.ranges = reliance(self.circuit).ranges
        self.hints: list[Inputs] = []
        self.known: dict[int, tuple[Term, Term, frozenset[int]]] = {}  # by the term's id; it is kept alive beside it
        prefix = fresh_prefix(port_names(both.design).values(), "n")
        for index, node in enumerate(self.circuit.nodes):
            self._add(index, node, f"{prefix}{index}", deadline, cut(node))
            if stop and self.hints:
                break

    def verilog(self, wire: str) -> Term:
        """A wire in terms of the cut points."""
        import z3

        return as_word(z3.substitute(self.both.wires[wire], *self.cuts) if self.cuts else self.both.wires[wire])

    def ask(
        self, left: Term, right: Term, needs: frozenset[int], deadline: float, assumed: Sequence[Term] = ()
    ) -> tuple[str, Inputs]:
        """Whether two words are equal for all values of the cut points inside their ranges."""
        return ask(_difference(left, right), [*self._conditions(needs), *assumed], self.both, deadline)

    def _conditions(self, needs: frozenset[int]) -> list[Term]:
        conditions = []
        for index in sorted(needs):
            node = self.circuit.nodes[index]
            conditions += in_range(self.words[index], node.format, *self.ranges[index])
        return conditions

    def _add(self, index: int, node: Node, wire: str, deadline: float, cut: bool) -> None:
        if node.op is Op.INPUT:
            self.terms.append(self.both.inputs[node.name])
            self.needs.append(frozenset())
            return
        term = node_term(self.circuit, node, [self.terms[i] for i in node.args], self.both.context)
        needs = frozenset[int]().union(*(self.needs[i] for i in node.args))
        if term.get_id() in self.known:  # the same operation on the same operands
            _, term, needs = self.known[term.get_id()]
        elif cut and wire in self.both.wires and time.monotonic() < deadline:
            left = self.verilog(wire)
            if left.size() == term.size() and self._same(node, left, term, needs, deadline):
                self._cut(self.both.wires[wire], index)
                word = self.verilog(wire)
                self.words[index] = word
                self.known[term.get_id()] = (term, word, frozenset({index}))
                term, needs = word, frozenset({index})
        self.terms.append(term)
        self.needs.append(needs)

    def _cut(self, raw: Term, index: int) -> None:
        """Fresh words in place of what a wire is made of, now that both sides are that wire."""
        import z3

        for number, leaf in enumerate(_leaves(raw)):
            left = z3.substitute(leaf, *self.cuts) if self.cuts else leaf
            if all(z3.is_const(part) for part in _leaves(left)):
                continue
            name = f"cut {index}.{number}"
            fresh = z3.Bool(name, raw.ctx) if z3.is_bool(leaf) else z3.BitVec(name, leaf.size(), raw.ctx)
            self.cuts.append((leaf, fresh))

    def _same(self, node: Node, left: Term, right: Term, needs: frozenset[int], deadline: float) -> bool:
        import z3

        limit = min(deadline, time.monotonic() + _LONGEST)
        if node.op is Op.MUL and left.decl().kind() == z3.Z3_OP_BMUL and left.num_args() == 2:
            own = [extended(self.terms[i], self.circuit.nodes[i].format, node.format.width) for i in node.args]
            for factors in (left.children(), left.children()[::-1]):
                pairs = zip(factors, own, strict=True)
                if all(self.ask(a, b, needs, limit)[0] == EQUAL for a, b in pairs):
                    return True
        status, example = self.ask(left, right, needs, limit)
        if status == DIFFERENT and len(self.hints) < _HINTS:
            self.hints.append(example)
        return status == EQUAL


def _leaves(term: Term) -> list[Term]:
    """What a term is wired from: the terms below concatenations, slices and single bits taken as Bools."""
    import z3

    wiring = (z3.Z3_OP_CONCAT, z3.Z3_OP_EXTRACT)
    if term.decl().kind() in wiring:
        return [leaf for child in term.children() for leaf in _leaves(child)]
    if z3.is_eq(term) and z3.is_bv_value(term.arg(1)) and term.arg(1).size() == 1:
        return _leaves(term.arg(0))
    return [term]


def _difference(left: Term, right: Term) -> Term:
    """left != right; where both are choices under the same conditions, as the choices under which they differ."""
    import z3

    plain = left != right
    cases: list[Term] = []
    stack: list[tuple[Term, Term, tuple[Term, ...]]] = [(left, right, ())]
    while stack:
        a, b, path = stack.pop()
        if a.eq(b):
            continue
        if z3.is_app_of(a, z3.Z3_OP_ITE) and z3.is_app_of(b, z3.Z3_OP_ITE) and a.arg(0).eq(b.arg(0)):
            stack.append((a.arg(1), b.arg(1), (*path, a.arg(0))))
            stack.append((a.arg(2), b.arg(2), (*path, z3.Not(a.arg(0)))))
            continue
        cases.append(z3.And(*path, a != b) if path else plain)
        if len(cases) > _CASES:
            return plain
    return z3.Or(*cases) if cases else z3.BoolVal(False, left.ctx)


def ask(negated: Term, conditions: Sequence[Term], both: Sides, deadline: float) -> tuple[str, Inputs]:
    """Is there an input for which the negated claim holds? "equal": there is none."""
    import z3

    plain = z3.simplify(negated)
    if z3.is_false(plain):
        return EQUAL, {}
    left = deadline - time.monotonic()
    if left <= 0:
        return UNKNOWN, {}
    solver = z3.SolverFor("QF_BV", ctx=both.context)
    solver.set("timeout", max(1, int(1000 * left)))
    solver.add(*conditions, plain)
    result = solver.check()
    if result == z3.unsat:
        return EQUAL, {}
    if result != z3.sat:
        return UNKNOWN, {}
    model = solver.model()
    example = {}
    for symbol, width in both.free.items():
        value = model[free_word(both, symbol, width)]
        if value is not None:
            example[symbol] = int(z3.is_true(value)) if width == 0 else value.as_long()
    return DIFFERENT, example


def free_word(both: Sides, symbol: str, width: int) -> Term:
    """The z3 constant of a free symbol."""
    import z3

    return z3.BitVec(symbol, width, both.context) if width else z3.Bool(symbol, both.context)


def evaluated(both: Sides, terms: Sequence[Term], values: Inputs) -> list[int]:
    """The terms' bits for given free words (0 where none is given)."""
    import z3

    pairs = []
    for symbol, width in both.free.items():
        bits = values.get(symbol, 0)
        value = z3.BitVecVal(bits, width, both.context) if width else z3.BoolVal(bool(bits), both.context)
        pairs.append((free_word(both, symbol, width), value))
    found = []
    for term in terms:
        value = z3.simplify(z3.substitute(as_word(term), *pairs))
        found.append(int(value.as_long()))
    return found
