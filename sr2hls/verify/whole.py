"""A design with operations in pieces → the same design with the whole operations, each proven equal to its pieces.

The compiler computes in pieces what is slower than the clock, and says in the provenance which node amounts to what.
That is believed of no node: sums and products are compared as polynomials over the bits of the words, tables by
running every address, the others by their form. The polynomials' atoms are nodes and floors of their codes: with
V(k) = floor(code / 2^k), bits h … l of a word are V(l) - 2^(h-l+1) · V(h+1), whatever its sign.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from sr2hls.circuit import ARITY, Circuit, Node, Op, Overflow, Rounding, Table
from sr2hls.design import Design
from sr2hls.formats import Format
from sr2hls.ranges import result_range
from sr2hls.verify.forms import Form, fits, number, operand, plus, scaled, times
from sr2hls.verify.refused import Open, Wrong
from sr2hls.verify.run import run

_RUN_BITS = 20


def whole(design: Design) -> Design:
    """The design with whole operations; their pieces stay in it, unused.

    Raises Wrong where pieces do not amount to what the provenance says, Open where that cannot be decided.
    """
    circuit = design.circuit
    for index, op, args in design.provenance.get("pieces", ()):
        kind, count = Op(op), len(circuit.nodes)
        constants: list[Node] = []
        places = []
        for arg in args:
            if isinstance(arg, list):
                wanted = _constant(*arg)
                same = [i for i, node in enumerate(circuit.nodes[:index]) if _same(node, wanted)]
                places.append(same[0] if same else count + len(constants))
                constants += [] if same else [wanted]
            else:
                places.append(int(arg))
        if len(places) != ARITY[kind] or not all(0 <= at < index or at >= count for at in places) or index >= count:
            raise Wrong(f"node {index} cannot be a {op} of the nodes {args}")
        merged = _merged(replace(circuit, nodes=(*circuit.nodes, *constants)), index, kind, tuple(places))
        circuit = _ordered(circuit, merged, index)
    return replace(design, circuit=circuit)


def _constant(code: int, fraction: int) -> Node:
    return Node(Op.CONSTANT, (), Format.least_for(code, code, fraction), code, code, value=code)


def _same(node: Node, constant: Node) -> bool:
    return node.op is Op.CONSTANT and (node.value, node.format.fraction) == (constant.value, constant.format.fraction)


def _ordered(before: Circuit, merged: Circuit, index: int) -> Circuit:
    """The merged circuit with the constants at its end in the places of pieces that nothing needs any more."""
    nodes, count = list(merged.nodes), len(before.nodes)
    used = {arg for node in nodes for arg in node.args} | {at for _, at in merged.outputs}
    waiting, at = list(before.nodes[index].args), count
    while at < len(nodes):
        while waiting and waiting[0] in used:
            waiting.pop(0)
        if not waiting:
            raise Open(f"node {index}: its pieces are needed elsewhere too")
        slot = waiting.pop(0)
        waiting += nodes[slot].args
        nodes[slot] = nodes[at]
        nodes[index] = replace(nodes[index], args=tuple(slot if arg == at else arg for arg in nodes[index].args))
        used = {arg for node in nodes for arg in node.args} | {place for _, place in merged.outputs}
        at += 1
    return replace(merged, nodes=tuple(nodes[:count]))


def _merged(circuit: Circuit, index: int, op: Op, args: tuple[int, ...]) -> Circuit:
    """The circuit with one node replaced by the operation that its pieces amount to."""
    node = circuit.nodes[index]
    made = replace(
        node, op=op, args=args, value=0, table=-1, name="", rounding=Rounding.FLOOR, overflow=Overflow.WRAP,
    )  # fmt: skip
    tables = circuit.tables
    match op:
        case Op.LOOKUP:
            made = replace(made, table=len(tables))
            tables = (*tables, _table(circuit, index, args[0]))
        case Op.CAST:
            made = replace(made, rounding=Rounding.HALF_UP, overflow=_rounded(circuit, index, args[0]))
        case Op.LEADING_ZEROS:
            _require(_counts_zeros(circuit, index, args[0]), index, op, args)
        case Op.LESS:
            _require(_compares(circuit, index, args), index, op, args)
        case _:
            _require(_equal(circuit, index, op, args), index, op, args)
    low, high = result_range(made, circuit.nodes, tables)
    claim = op is Op.CAST and made.overflow is Overflow.WRAP
    if (low, high) != (node.low, node.high) and not (claim and low <= node.low and node.high <= high):
        raise Wrong(f"node {index} has the range [{node.low}, {node.high}]; a {op} of {args} has [{low}, {high}]")
    nodes = (*circuit.nodes[:index], made, *circuit.nodes[index + 1 :])
    return Circuit(nodes, circuit.outputs, tables)


def _require(held: bool, index: int, op: Op, args: tuple[int, ...]) -> None:
    if not held:
        raise Wrong(f"the pieces of node {index} do not amount to a {op} of the nodes {args}")


def _equal(circuit: Circuit, index: int, op: Op, args: tuple[int, ...]) -> bool:
    """Sums, products and selections: the node's polynomial is theirs, over the nodes `args`."""
    reading = _Reading(circuit, frozenset(args))
    values = [reading.value(arg) for arg in args]
    match op:
        case Op.ADD | Op.SUB:
            wanted = plus(values[0], values[1], 1 if op is Op.ADD else -1)
        case Op.MUL:
            wanted = _times(*values)
        case Op.NEGATE:
            wanted = scaled(values[0], Fraction(-1))
        case Op.ABSOLUTE:  # the floor at the sign bit is -1 below 0, else 0
            sign = reading.floor(args[0], circuit.nodes[args[0]].format.width - 1)
            wanted = plus(values[0], scaled(_times(sign, values[0]), Fraction(2)))
            if not circuit.nodes[args[0]].format.signed:
                return False
        case Op.SELECT:
            wanted = _chosen(*values)
        case _:
            raise Open(f"node {index}: no rule for a {op} in pieces")
    found = [reading.value(index), reading.last(index)]
    if op is Op.MUL and args[0] == args[1]:
        wanted, *found = (reading.without_squares(form, args[0]) for form in (wanted, *found))
    return wanted in found


def _compares(circuit: Circuit, index: int, args: tuple[int, ...]) -> bool:
    """The sign bit of a difference."""
    node = circuit.nodes[index]
    if node.op is not Op.SLICE:
        return False
    word = circuit.nodes[node.args[0]].format
    reading = _Reading(circuit, frozenset(args))
    first, second = (reading.value(arg) for arg in args)
    top = word.signed and node.format.width == 1 and node.value == word.width - 1
    return top and reading.value(node.args[0]) == plus(first, second, -1)


def _table(circuit: Circuit, index: int, address: int) -> Table:
    """The table that the pieces are, entry by entry; entries that no address reaches repeat another one."""
    node, source = circuit.nodes[index], circuit.nodes[address]
    width = source.format.width
    if width > _RUN_BITS:
        raise Open(f"node {index}: a table of {width} address bits in pieces")
    reached = np.arange(source.low, source.high + 1, dtype=np.int64)
    found, _ = run(circuit, index, address, reached)
    codes = np.full(1 << width, found[0], dtype=np.int64)
    codes[reached & ((1 << width) - 1)] = found
    return Table(f"whole_{index}", node.format, tuple(int(code) for code in codes))


def _rounded(circuit: Circuit, index: int, arg: int) -> Overflow:
    """Checks a rounding half up of `arg`: half a unit added, the rest cut off; whether it saturates then."""
    node = circuit.nodes[index]
    at, overflow = index, node.overflow
    while True:
        step = circuit.nodes[at]
        source = circuit.nodes[step.args[0]] if step.op is Op.CAST else step
        drop = source.format.fraction - step.format.fraction
        ok = step.op is Op.CAST and (at == index or (step.overflow is Overflow.WRAP and fits(circuit, step)))
        if not ok or drop < 0 or step.format.fraction != node.format.fraction:
            raise Wrong(f"the pieces of node {index} do not amount to a rounding of node {arg}")
        if drop > 0:
            break
        at = step.args[0]
    if at == index and overflow is Overflow.SATURATE and step.rounding is not Rounding.HALF_UP:
        raise Wrong(f"the pieces of node {index} do not amount to a rounding of node {arg}")
    if step.rounding is Rounding.HALF_UP:
        _require(step.args[0] == arg, index, Op.CAST, (arg,))
        return overflow
    reading = _Reading(circuit, frozenset((arg,)))
    half = number(Fraction(1, 2) * node.format.ulp)
    _require(reading.value(step.args[0]) == plus(reading.value(arg), half), index, Op.CAST, (arg,))
    return overflow


def _counts_zeros(circuit: Circuit, index: int, arg: int) -> bool:
    """The count of the high bits, and where that is all of them the count of the low bits added."""
    nodes = circuit.nodes
    while nodes[index].op is Op.CAST:
        if nodes[nodes[index].args[0]].format.fraction != nodes[index].format.fraction:
            return False
        index = nodes[index].args[0]
    if nodes[index].op is not Op.SELECT:
        return False
    condition, total, high = nodes[index].args
    if nodes[total].op is not Op.ADD or nodes[condition].op is not Op.SLICE or nodes[condition].args != (high,):
        return False
    sizes = [nodes[i].value for i in nodes[total].args if nodes[i].op is Op.CONSTANT]
    low = [i for i in nodes[total].args if nodes[i].op is not Op.CONSTANT]
    if len(sizes) != 1 or nodes[total].format.fraction != 0 or sizes[0] != 1 << nodes[condition].value:
        return False
    width, half = nodes[arg].format.width, sizes[0]
    return _zeros_of(circuit, high, arg, width - half, half) and _zeros_of(circuit, low[0], arg, 0, width - half)


def _zeros_of(circuit: Circuit, index: int, arg: int, lowest: int, width: int) -> bool:
    """Whether a node counts the zeros above the highest 1 of some bits of `arg`."""
    node = circuit.nodes[index]
    if node.op is not Op.LEADING_ZEROS:
        return False
    bits = circuit.nodes[node.args[0]]
    return bits.op is Op.SLICE and bits.args == (arg,) and (bits.value, bits.format.width) == (lowest, width)


def _times(a: Form, b: Form) -> Form:
    return times(a, b, {})  # exact forms need no sizes


def _squares_replaced(form: Form, atom: str, square: Form) -> Form:
    plain, total = dict(form.terms), number(0)
    for monomial, k in form.terms:
        if monomial.count(atom) > 1:
            del plain[monomial]
            rest = list(monomial)
            rest.remove(atom)
            rest.remove(atom)
            total = plus(total, _times(Form(frozenset({(tuple(rest), k)})), square))
    return plus(Form(frozenset(plain.items()), form.error), total)


def _chosen(condition: Form, a: Form, b: Form) -> Form:
    return plus(b, _times(condition, plus(a, b, -1)))


@dataclass
class _Reading:
    """Nodes as exact polynomials over `leaves`, over nodes that are no polynomial, and over floors of codes."""

    circuit: Circuit
    leaves: frozenset[int]
    _known: dict[int, Form] = field(default_factory=dict)

    def last(self, index: int) -> Form:
        """Of the node itself. A wrap at the end drops nothing: the whole operation's range fits the word."""
        node = self.circuit.nodes[index]
        if node.op is Op.CAST and node.overflow is Overflow.WRAP and self._drop(node) <= 0:
            return self.value(node.args[0])
        return self._read(index, node)

    def value(self, index: int) -> Form:
        if index not in self._known:
            node = self.circuit.nodes[index]
            leaf = index in self.leaves and node.op is not Op.CONSTANT
            self._known[index] = operand(str(index)) if leaf else self._read(index, node)
        return self._known[index]

    def floor(self, index: int, k: int) -> Form:
        """floor(code / 2^k)."""
        node = self.circuit.nodes[index]
        width = node.format.width
        if k > 0 and node.low >> k == node.high >> k:
            return number(node.low >> k)
        if k <= 0:
            return scaled(self.value(index), Fraction(2) ** (node.format.fraction - k))
        if not node.format.signed and k >= width:
            return number(0)
        k = min(k, width - int(node.format.signed))  # above, a signed word has its sign only
        if k == 0:
            return scaled(self.value(index), 1 / node.format.ulp)
        if index not in self.leaves:
            inner = self._floor_of(node, k)
            if inner is not None:
                return inner
        return operand(f"{index}>>{k}")

    def without_squares(self, form: Form, index: int) -> Form:
        """The same for all values of a node whose bits are 0 or 1: V(k) - 2 · V(k + 1) is its own square."""
        word = self.circuit.nodes[index].format
        for k in range(word.width):
            value = self.floor(index, k)
            if k == word.width - 1:
                square = scaled(value, Fraction(-1 if word.signed else 1))
            else:
                above = self.floor(index, k + 1)
                mixed = scaled(plus(value, above, -1), Fraction(4))
                square = plus(plus(_times(mixed, above), value), scaled(above, Fraction(2)), -1)
            unit = word.ulp if k == 0 else Fraction(1)
            form = _squares_replaced(form, str(index) if k == 0 else f"{index}>>{k}", scaled(square, unit * unit))
        return form

    def _floor_of(self, node: Node, k: int) -> Form | None:
        """In terms of the node's argument, where the node is wiring."""
        match node.op:
            case Op.SHIFT:
                return self.floor(node.args[0], k)
            case Op.SLICE:
                return self._bits(node.args[0], node.value + k, node.value + node.format.width)
            case Op.CONCAT:
                below = self.circuit.nodes[node.args[1]].format.width
                if k >= below:
                    return self._bits(node.args[0], k - below, node.format.width - below)
            case Op.CAST:
                if self._drop(node) == 0 and fits(self.circuit, node):
                    return self.floor(node.args[0], k)
            case _:
                pass
        return None

    def _bits(self, index: int, low: int, end: int) -> Form:
        """Bits low … end - 1 of a word, as an integer."""
        return plus(self.floor(index, low), scaled(self.floor(index, end), Fraction(1 << (end - low))), -1)

    def _drop(self, node: Node) -> int:
        return self.circuit.nodes[node.args[0]].format.fraction - node.format.fraction

    def _read(self, index: int, node: Node) -> Form:
        args = node.args
        match node.op:
            case Op.CONSTANT:
                return number(node.format.value(node.value))
            case Op.ADD:
                return plus(self.value(args[0]), self.value(args[1]))
            case Op.SUB:
                return plus(self.value(args[0]), self.value(args[1]), -1)
            case Op.MUL:
                return _times(self.value(args[0]), self.value(args[1]))
            case Op.SHIFT:
                return scaled(self.value(args[0]), Fraction(2) ** node.value)
            case Op.NEGATE:
                return scaled(self.value(args[0]), Fraction(-1))
            case Op.SELECT:
                return _chosen(*(self.value(arg) for arg in args))
            case Op.SLICE:
                return self._bits(args[0], node.value, node.value + node.format.width)
            case Op.CONCAT:
                left, right = (self.circuit.nodes[arg].format.width for arg in args)
                high = scaled(self._bits(args[0], 0, left), Fraction(1 << right))
                return plus(high, self._bits(args[1], 0, right))
            case Op.CAST if self._drop(node) <= 0 and fits(self.circuit, node):
                return self.value(args[0])
            case Op.CAST if self._drop(node) == 0 and node.overflow is Overflow.WRAP:
                source, word = self.circuit.nodes[args[0]].format, node.format
                if word.signed and not source.signed and word.width == source.width:  # the highest bit is the sign
                    top = self.floor(args[0], word.width - 1)
                    return plus(self.value(args[0]), scaled(top, word.ulp * (1 << word.width)), -1)
        return operand(str(index))
