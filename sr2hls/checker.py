"""`Circuit` → the same `Circuit`, or a CircuitError: the rules of the vocabulary, held after every pass."""

from __future__ import annotations

from sr2hls.circuit import ARITY, Circuit, Node, Op, Overflow
from sr2hls.errors import CircuitError
from sr2hls.formats import MAX_WIDTH, Format
from sr2hls.ranges import align, result_range

_FRACTION_ZERO = frozenset({Op.LESS, Op.EQUAL, Op.SLICE, Op.CONCAT, Op.LEADING_ZEROS})


def checked(circuit: Circuit) -> Circuit:
    """Return the circuit itself when it obeys every rule.

    Raises CircuitError, naming the node, when: an argument is not an earlier node; the arity is wrong; the fraction
    breaks the table of `sr2hls.circuit`; the format does not hold the range; the range is not the one that the
    arguments give (a wrapping cast may claim a narrower one); a table has the wrong size or does not fit; an aligned
    operand is wider than a word; a node is unused; names repeat.
    """
    for index, node in enumerate(circuit.nodes):
        try:
            _check_node(circuit, index, node)
        except CircuitError as error:
            where = f"node {index} ({node.op} {node.args}, {node.format}, {node.origin!r})"
            raise CircuitError(f"{where}: {error}") from None
    _check_names(circuit)
    _check_use(circuit)
    return circuit


def _check_node(circuit: Circuit, index: int, node: Node) -> None:
    if len(node.args) != ARITY[node.op]:
        raise CircuitError(f"takes {ARITY[node.op]} arguments")
    if any(not 0 <= arg < index for arg in node.args):
        raise CircuitError("an argument is not an earlier node")
    args = [circuit.nodes[i] for i in node.args]
    _check_shape(circuit, node, args)
    expected = _fraction(node, args, circuit)
    if expected is not None and node.format.fraction != expected:
        raise CircuitError(f"the fraction must be {expected}")
    if not node.format.holds(node.low, node.high) or node.low > node.high:
        raise CircuitError(f"the format does not hold the range [{node.low}, {node.high}]")
    low, high = result_range(node, circuit.nodes, circuit.tables)
    claim = node.op is Op.CAST and node.overflow is Overflow.WRAP
    if (node.low, node.high) != (low, high) and not (claim and low <= node.low and node.high <= high):
        raise CircuitError(f"the range is [{node.low}, {node.high}], the arguments give [{low}, {high}]")
    if node.op in (Op.ADD, Op.SUB, Op.LESS, Op.EQUAL, Op.SELECT):
        operands = args[1:] if node.op is Op.SELECT else args
        common = max(a.format.fraction for a in operands)
        for a in operands:
            for code in (a.low, a.high):
                if align(code, a.format.fraction, common).bit_length() > MAX_WIDTH:
                    raise CircuitError("an aligned operand is wider than a word")


def _check_shape(circuit: Circuit, node: Node, args: list[Node]) -> None:
    bit = Format(False, 1, 0)
    match node.op:
        case Op.LOOKUP:
            if not 0 <= node.table < len(circuit.tables):
                raise CircuitError("no such table")
            table = circuit.tables[node.table]
            if len(table.codes) != 1 << args[0].format.width:
                raise CircuitError(f"the table has {len(table.codes)} entries, not 2^{args[0].format.width}")
            if table.format != node.format:
                raise CircuitError(f"the table's format is {table.format}")
            if not table.format.holds(min(table.codes), max(table.codes)):
                raise CircuitError("a table entry does not fit its format")
        case Op.SELECT:
            if args[0].format != bit:
                raise CircuitError("the condition must be one unsigned bit")
        case Op.LESS | Op.EQUAL:
            if node.format != bit:
                raise CircuitError("the result must be one unsigned bit")
        case Op.SLICE:
            if node.value < 0 or node.value + node.format.width > args[0].format.width or node.format.signed:
                raise CircuitError("the slice leaves the word")
        case Op.CONCAT:
            if node.format.signed or node.format.width != args[0].format.width + args[1].format.width:
                raise CircuitError("the width must be the sum of the widths, unsigned")
        case Op.LEADING_ZEROS:
            if args[0].format.signed:
                raise CircuitError("the argument must be unsigned")
        case Op.SHIFT:
            if (node.format.signed, node.format.width) != (args[0].format.signed, args[0].format.width):
                raise CircuitError("a shift keeps the word")
        case _:
            pass


def _fraction(node: Node, args: list[Node], circuit: Circuit) -> int | None:
    if node.op in _FRACTION_ZERO:
        return 0
    match node.op:
        case Op.ADD | Op.SUB:
            return max(a.format.fraction for a in args)
        case Op.SELECT:
            return max(a.format.fraction for a in args[1:])
        case Op.MUL:
            return args[0].format.fraction + args[1].format.fraction
        case Op.SHIFT:
            return args[0].format.fraction - node.value
        case Op.NEGATE | Op.ABSOLUTE:
            return args[0].format.fraction
        case Op.LOOKUP:
            return circuit.tables[node.table].format.fraction
        case _:
            return None


def _check_names(circuit: Circuit) -> None:
    names = [name for name, _ in circuit.inputs] + [name for name, _ in circuit.outputs]
    for name in names:
        if names.count(name) > 1:
            raise CircuitError(f"the port name '{name}' occurs twice")
        if not name.isidentifier() or not name.isascii():
            raise CircuitError(f"'{name}' is no port name")


def _check_use(circuit: Circuit) -> None:
    used = {index for _, index in circuit.outputs}
    if any(not 0 <= index < len(circuit.nodes) for index in used):
        raise CircuitError("an output is not a node")
    for node in reversed(circuit.nodes):
        used.update(node.args)
    for index, node in enumerate(circuit.nodes):
        if index not in used:
            raise CircuitError(f"node {index} ({node.op}) is not used")
    tables = {node.table for node in circuit.nodes if node.op is Op.LOOKUP}
    if tables != set(range(len(circuit.tables))):
        raise CircuitError("a table is not used")
