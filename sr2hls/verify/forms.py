"""A part of a circuit → a polynomial of its operands and an interval of what the casts in it drop.

Every operation but `cast` is exact, so a node is a polynomial with rational coefficients over the operands' values and
over *atoms* (a comparison, a larger one, ... of such polynomials), plus an error that casts alone make.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from sr2hls.circuit import Circuit, Node, Op, Overflow, Rounding
from sr2hls.ranges import result_range
from sr2hls.verify.refused import Open, Wrong
from sr2hls.verify.span import ZERO, Span, point

Atom = tuple[str, tuple["Terms", ...]] | str  # an operand's name, or what is done to which polynomials
Monomial = tuple[Atom, ...]  # sorted by their text
Terms = frozenset[tuple[Monomial, Fraction]]


@dataclass(frozen=True, slots=True)
class Form:
    """A polynomial plus an error."""

    terms: Terms
    error: Span = ZERO

    @property
    def exact(self) -> bool:
        return self.error == ZERO


def number(value: Fraction | int) -> Form:
    return _form({(): Fraction(value)})


def operand(atom: Atom) -> Form:
    return _form({(atom,): Fraction(1)})


def plus(a: Form, b: Form, sign: int = 1) -> Form:
    terms = dict(a.terms)
    for monomial, k in b.terms:
        terms[monomial] = terms.get(monomial, Fraction(0)) + sign * k
    return _form(terms, a.error + b.error if sign > 0 else a.error - b.error)


def scaled(a: Form, k: Fraction) -> Form:
    return _form({monomial: k * c for monomial, c in a.terms}, a.error * point(k))


def times(a: Form, b: Form, sizes: Mapping[str, Span]) -> Form:
    terms: dict[Monomial, Fraction] = {}
    for left, k in a.terms:
        for right, c in b.terms:
            monomial = tuple(sorted((*left, *right), key=repr))
            terms[monomial] = terms.get(monomial, Fraction(0)) + k * c
    error = ZERO
    if not (a.exact and b.exact):
        error = bound(a.terms, sizes) * b.error + bound(b.terms, sizes) * a.error + a.error * b.error
    return _form(terms, error)


def bound(terms: Terms, sizes: Mapping[str, Span]) -> Span:
    """The values of a polynomial, by interval arithmetic over its operands' values."""
    total = ZERO
    for monomial, k in terms:
        part = point(k)
        for atom in set(monomial):
            count, size = monomial.count(atom), atom_bound(atom, sizes)
            for _ in range(count // 2):
                part = part * size.square()
            if count % 2:
                part = part * size
        total = total + part
    return total


def atom_bound(atom: Atom, sizes: Mapping[str, Span]) -> Span:
    if isinstance(atom, str):
        return sizes[atom]
    kind, parts = atom
    inner = [bound(part, sizes) for part in parts]
    match kind:
        case "max":
            return Span(max(i.low for i in inner), max(i.high for i in inner))
        case "min":
            return Span(min(i.low for i in inner), min(i.high for i in inner))
        case "abs":
            low = max(inner[0].low, -inner[0].high, Fraction(0))
            return Span(low, inner[0].size)
        case "floor":
            return Span(Fraction(inner[0].low // 1), Fraction(inner[0].high // 1))
        case _:
            return Span(Fraction(0), Fraction(1))


def applied(kind: str, *parts: Form) -> Form:
    """max, min, abs, floor or less of exact polynomials."""
    if not all(part.exact for part in parts):
        raise Open(f"'{kind}' of a rounded value inside one step")
    terms = [part.terms for part in parts]
    if kind in ("max", "min"):
        terms.sort(key=lambda t: sorted(map(repr, t)))
    return operand((kind, tuple(terms)))


def _form(terms: Mapping[Monomial, Fraction], error: Span = ZERO) -> Form:
    return Form(frozenset((m, k) for m, k in terms.items() if k != 0), error)


@dataclass
class Reading:
    """Reads the node of one step as a form of the step's operands.

    leaves: node → the operand that it holds; sizes: the values of each operand in the circuit; floors: a cast to an
    integer counts as a floor, not as a rounding. `claims` collects wrapping casts that promise a range which their
    argument alone does not give, with what is promised of. `tables` reads lookups at bits of operands.
    """

    circuit: Circuit
    leaves: Mapping[int, str]
    sizes: Mapping[str, Span]
    floors: bool = False
    claims: dict[int, Form] = field(default_factory=dict)
    tables: Callable[[int], Form] | None = None
    _known: dict[int, Form] = field(default_factory=dict)

    def form(self, index: int) -> Form:
        waiting = [index]
        while waiting:
            at = waiting[-1]
            node = self.circuit.nodes[at]
            ends = at in self.leaves or node.op is Op.LOOKUP  # the bits that a table is looked up at have no form
            missing = [] if ends else [a for a in node.args if a not in self._known]
            if at in self._known or not missing:
                waiting.pop()
                if at not in self._known:
                    self._known[at] = self._read(at, node)
            else:
                waiting += missing
        return self._known[index]

    def _read(self, index: int, node: Node) -> Form:
        if index in self.leaves:
            return operand(self.leaves[index])
        if node.op is Op.LOOKUP and self.tables is not None:
            return self.tables(index)
        args = [self._known[a] for a in node.args if a in self._known]
        match node.op:
            case Op.CONSTANT:
                return number(node.format.value(node.value))
            case Op.ADD:
                return plus(args[0], args[1])
            case Op.SUB:
                return plus(args[0], args[1], -1)
            case Op.MUL:
                return times(args[0], args[1], self.sizes)
            case Op.SHIFT:
                return scaled(args[0], Fraction(2) ** node.value)
            case Op.NEGATE:
                return scaled(args[0], Fraction(-1))
            case Op.ABSOLUTE:
                return applied("abs", args[0])
            case Op.LESS:
                return applied("less", *args)
            case Op.SELECT:
                return self._selected(node, *args)
            case Op.SLICE:
                return self._sliced(node, args[0])
            case Op.CONCAT:
                return self._joined(node, *args)
            case Op.CAST:
                return self._cast(index, node, args[0])
            case Op.INPUT:
                raise Wrong(f"node {index} reads the port '{node.name}', which is no operand of the step")
            case _:
                raise Open(f"node {index} ({node.op}) has no place in a step without a function")

    def _selected(self, node: Node, chosen: Form, a: Form, b: Form) -> Form:
        condition = self.circuit.nodes[node.args[0]]
        if condition.op is Op.LESS and node.args[0] not in self.leaves:
            first, second = (self._known[arg] for arg in condition.args)
            if (a, b) == (first, second):
                return applied("min", a, b)
            if (a, b) == (second, first):
                return applied("max", a, b)
        if not chosen.exact:
            raise Open("a selection by a rounded value")
        return chosen_form(chosen, a, b, self.sizes)

    def _sliced(self, node: Node, arg: Form) -> Form:
        source = self.circuit.nodes[node.args[0]]
        whole = node.value == 0 and source.format.fraction == 0 and source.low >= 0
        if not (whole and source.high <= node.format.greatest):
            raise Open("a slice of a value in a step without a function")
        return arg

    def _joined(self, node: Node, high: Form, low: Form) -> Form:
        for arg in node.args:
            source = self.circuit.nodes[arg]
            if source.format.signed or source.format.fraction:
                raise Open("bits of a value that is no natural number are put together in a step without a function")
        below = self.circuit.nodes[node.args[1]].format.width
        return plus(scaled(high, Fraction(2) ** below), low)

    def _cast(self, index: int, node: Node, arg: Form) -> Form:
        source = self.circuit.nodes[node.args[0]]
        drop = source.format.fraction - node.format.fraction
        low, high = result_range(node, self.circuit.nodes, self.circuit.tables)
        if fits(self.circuit, node):
            if (node.low, node.high) != (low, high):
                self.claims[index] = arg
        elif drop <= 0 and node.overflow is Overflow.WRAP:
            self.claims[index] = arg  # only what is promised keeps it from wrapping
        else:
            raise Open(f"node {index} may wrap or saturate inside a step")
        if drop <= 0:
            return arg
        if self.floors and node.format.fraction == 0 and node.rounding is Rounding.FLOOR and arg.exact:
            return applied("floor", arg)
        unit, fine = node.format.ulp, source.format.ulp
        up = Fraction(0) if node.rounding is Rounding.FLOOR else unit / 2
        dropped = Span(up + fine - unit, up)
        return Form(arg.terms, arg.error + dropped)


def chosen_form(condition: Form, a: Form, b: Form, sizes: Mapping[str, Span]) -> Form:
    """condition · a + (1 - condition) · b for a condition of 0 or 1."""
    exact_a, exact_b = Form(a.terms), Form(b.terms)
    mixed = plus(times(condition, exact_a, sizes), times(plus(number(1), condition, -1), exact_b, sizes))
    return Form(mixed.terms, a.error.hull(b.error))


def fits(circuit: Circuit, node: Node) -> bool:
    """Whether a cast's format holds every code that its argument may have, so that nothing wraps or saturates."""
    source = circuit.nodes[node.args[0]]
    drop = source.format.fraction - node.format.fraction
    if drop <= 0:
        low, high = source.low << -drop, source.high << -drop
    elif node.rounding is Rounding.FLOOR:
        low, high = source.low >> drop, source.high >> drop
    else:
        low, high = (((code >> (drop - 1)) + 1) >> 1 for code in (source.low, source.high))
    return node.format.holds(low, high)
