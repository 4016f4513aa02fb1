"""A circuit node and the bit-vector terms of its arguments → the bit-vector term of its code, by `sr2hls.circuit`.

Written from the table of the vocabulary, not from the printers: words of a few bits more than needed, one operation
each. A term holds a code modulo 2^width of the node's format; that is the code itself because every format holds its
node's range, which `sr2hls.checker` has checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sr2hls.circuit import Circuit, Node, Op, Overflow, Rounding, Table
from sr2hls.formats import Format

Term = Any  # a z3.BitVecRef; z3 has no types


def node_term(circuit: Circuit, node: Node, args: Sequence[Term], context: Any) -> Term:
    """The node's code as a term of `node.format.width` bits; not for inputs.

    Args:
        args: the terms of the node's arguments, each as wide as its format.
    """
    import z3

    formats = [circuit.nodes[i].format for i in node.args]
    width = node.format.width
    match node.op:
        case Op.CONSTANT:
            return z3.BitVecVal(node.value, width, context)
        case Op.ADD:
            a, b = _aligned(args, formats, width)
            return a + b
        case Op.SUB:
            a, b = _aligned(args, formats, width)
            return a - b
        case Op.MUL:
            return extended(args[0], formats[0], width) * extended(args[1], formats[1], width)
        case Op.SHIFT:
            return args[0]
        case Op.NEGATE:
            return -extended(args[0], formats[0], width)
        case Op.ABSOLUTE:
            wide = extended(args[0], formats[0], max(width, formats[0].width) + 1)
            return z3.Extract(width - 1, 0, z3.If(wide < 0, -wide, wide))
        case Op.LESS | Op.EQUAL:
            common = max(f.fraction for f in formats)
            a, b = _aligned(args, formats, max(f.width + common - f.fraction for f in formats) + 1)
            return _bit(a < b if node.op is Op.LESS else a == b, context)
        case Op.SELECT:
            a, b = _aligned(args[1:], formats[1:], width)
            return z3.If(args[0] == 1, a, b)
        case Op.SLICE:
            return z3.Extract(node.value + width - 1, node.value, args[0])
        case Op.CONCAT:
            return z3.Concat(args[0], args[1])
        case Op.LEADING_ZEROS:
            return _leading_zeros(args[0], formats[0].width, width, context)
        case Op.LOOKUP:
            return lookup(circuit.tables[node.table], args[0], context)
        case Op.CAST:
            return _cast(node, args[0], formats[0], context)
        case _:
            raise ValueError(f"{node.op} has no term")


def extended(term: Term, fmt: Format, width: int) -> Term:
    """The code of a term modulo 2^width."""
    import z3

    if width <= fmt.width:
        return z3.Extract(width - 1, 0, term) if width < fmt.width else term
    more = width - fmt.width
    return z3.SignExt(more, term) if fmt.signed else z3.ZeroExt(more, term)


def in_range(term: Term, fmt: Format, low: int, high: int) -> list[Term]:
    """The conditions that the term's code lies in [low, high], those that do not hold for every word."""
    import z3

    conditions = []
    if low > fmt.least:
        conditions.append(term >= low if fmt.signed else z3.UGE(term, low))
    if high < fmt.greatest:
        conditions.append(term <= high if fmt.signed else z3.ULE(term, high))
    return conditions


def lookup(table: Table, address: Term, context: Any) -> Term:
    """A tree of choices by the address bits, the highest at the root: the form in which Yosys has a table, too."""
    import z3

    bits = address.size()
    level = [z3.BitVecVal(code, table.format.width, context) for code in table.codes]
    for place in range(bits):
        chosen = z3.Extract(place, place, address) == 1
        level = [
            low if low.eq(high) else z3.If(chosen, high, low) for low, high in zip(level[::2], level[1::2], strict=True)
        ]
    return level[0]


def _aligned(args: Sequence[Term], formats: Sequence[Format], width: int) -> list[Term]:
    common = max(f.fraction for f in formats)
    return [_scaled(a, f, common - f.fraction, width) for a, f in zip(args, formats, strict=True)]


def _scaled(term: Term, fmt: Format, power: int, width: int) -> Term:
    """The code times 2^power, power >= 0, modulo 2^width."""
    import z3

    if power == 0:
        return extended(term, fmt, width)
    if power >= width:
        return z3.BitVecVal(0, width, term.ctx)
    return z3.Concat(extended(term, fmt, width - power), z3.BitVecVal(0, power, term.ctx))


def _bit(condition: Term, context: Any) -> Term:
    import z3

    return z3.If(condition, z3.BitVecVal(1, 1, context), z3.BitVecVal(0, 1, context))


def _leading_zeros(word: Term, bits: int, width: int, context: Any) -> Term:
    import z3

    count = z3.BitVecVal(bits, width, context)
    for place in range(bits):  # the highest 1 decides, so it is asked first
        count = z3.If(z3.Extract(place, place, word) == 1, z3.BitVecVal(bits - place - 1, width, context), count)
    return count


def _cast(node: Node, term: Term, fmt: Format, context: Any) -> Term:
    """Round in a signed word that holds every result, then wrap or saturate."""
    import z3

    drop, width = fmt.fraction - node.format.fraction, node.format.width
    if drop <= 0:
        wide = _scaled(term, fmt, -drop, max(fmt.width - drop, width) + 2)
    elif node.rounding is Rounding.FLOOR:
        drop = min(drop, fmt.width)  # beyond the word only the sign is left
        room = max(fmt.width, drop + width) + 2
        wide = z3.Extract(room - 1, drop, extended(term, fmt, room))
    else:
        drop = min(drop, fmt.width + 1)  # beyond that it rounds to zero
        room = max(fmt.width, drop + width) + 3
        halves = z3.Extract(room - 1, drop - 1, extended(term, fmt, room)) + 1
        wide = z3.Extract(halves.size() - 1, 1, halves)
    kept = z3.Extract(width - 1, 0, wide)
    if node.overflow is Overflow.WRAP:
        return kept
    least, greatest = (z3.BitVecVal(code, wide.size(), context) for code in (node.format.least, node.format.greatest))
    return z3.If(
        wide > greatest,
        z3.BitVecVal(node.format.greatest, width, context),
        z3.If(wide < least, z3.BitVecVal(node.format.least, width, context), kept),
    )
