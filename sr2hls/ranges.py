"""A node and its arguments' code ranges → the range of its code: exact integer interval arithmetic."""

from __future__ import annotations

from collections.abc import Sequence

from sr2hls.circuit import Node, Op, Overflow, Rounding, Table
from sr2hls.formats import Format


def align(code: int, fraction: int, common: int) -> int:
    """The code of the same value with `common` >= `fraction` fraction bits."""
    return code << (common - fraction)


def round_code(code: int, drop: int, rounding: Rounding) -> int:
    """Drop `drop` low bits of a code (a negative `drop` appends zeros)."""
    if drop <= 0:
        return code << -drop
    if rounding is Rounding.FLOOR:
        return code >> drop
    return ((code >> (drop - 1)) + 1) >> 1


def result_range(node: Node, nodes: Sequence[Node], tables: Sequence[Table]) -> tuple[int, int]:
    """[low, high] of the node's code over all codes that the arguments may take.

    For a wrapping cast whose argument does not fit, the whole format.
    """
    args = [nodes[i] for i in node.args]
    common = max((a.format.fraction for a in args), default=0)
    bounds = [(a.low, a.high) for a in args]
    if node.op in (Op.ADD, Op.SUB, Op.LESS, Op.EQUAL):
        bounds = [(align(a.low, a.format.fraction, common), align(a.high, a.format.fraction, common)) for a in args]
    match node.op:
        case Op.INPUT:
            return node.format.least, node.format.greatest
        case Op.CONSTANT:
            return node.value, node.value
        case Op.ADD:
            return bounds[0][0] + bounds[1][0], bounds[0][1] + bounds[1][1]
        case Op.SUB:
            return bounds[0][0] - bounds[1][1], bounds[0][1] - bounds[1][0]
        case Op.MUL:
            corners = [x * y for x in bounds[0] for y in bounds[1]]
            if node.args[0] == node.args[1]:
                corners = _square(*bounds[0])
            return min(corners), max(corners)
        case Op.SHIFT:
            return bounds[0]
        case Op.NEGATE:
            return -bounds[0][1], -bounds[0][0]
        case Op.ABSOLUTE:
            low, high = bounds[0]
            return max(low, -high, 0), max(-low, high)
        case Op.LESS:
            (a0, a1), (b0, b1) = bounds
            return int(a1 < b0), int(a0 < b1)
        case Op.EQUAL:
            (a0, a1), (b0, b1) = bounds
            return int(a0 == a1 == b0 == b1), int(a0 <= b1 and b0 <= a1)
        case Op.SELECT:
            return _select(node, nodes)
        case Op.SLICE:
            return _slice(bounds[0], node)
        case Op.CONCAT:
            return 0, (1 << (args[0].format.width + args[1].format.width)) - 1
        case Op.LEADING_ZEROS:
            width = args[0].format.width
            return width - bounds[0][1].bit_length(), width - bounds[0][0].bit_length()
        case Op.LOOKUP:
            codes = reachable_entries(tables[node.table].codes, args[0])
            return min(codes), max(codes)
        case Op.CAST:
            return _cast(node, args[0])


def reachable_entries(codes: Sequence[int], address: Node) -> Sequence[int]:
    """The table entries that the address' code range can reach."""
    low, high, size = address.low, address.high, 1 << address.format.width
    if low < 0 <= high:
        return [*codes[low + size :], *codes[: high + 1]]
    return codes[low % size : high % size + 1]


def _square(low: int, high: int) -> list[int]:
    return [low * low, high * high, *([0] if low <= 0 <= high else [])]


def _slice(bounds: tuple[int, int], node: Node) -> tuple[int, int]:
    low, high = bounds[0] >> node.value, bounds[1] >> node.value
    if (low >> node.format.width) == (high >> node.format.width):  # no carry out of the taken bits
        mask = (1 << node.format.width) - 1
        return low & mask, high & mask
    return 0, node.format.greatest


def _select(node: Node, nodes: Sequence[Node]) -> tuple[int, int]:
    condition, left, right = (nodes[i] for i in node.args)
    common = max(left.format.fraction, right.format.fraction)
    (l0, l1), (r0, r1) = (
        (align(n.low, n.format.fraction, common), align(n.high, n.format.fraction, common)) for n in (left, right)
    )
    if condition.op is Op.LESS and set(condition.args) == set(node.args[1:]):
        if condition.args == node.args[1:]:  # a < b ? a : b
            return min(l0, r0), min(l1, r1)
        return max(l0, r0), max(l1, r1)
    if condition.low == condition.high:
        return (l0, l1) if condition.low else (r0, r1)
    return min(l0, r0), max(l1, r1)


def _cast(node: Node, arg: Node) -> tuple[int, int]:
    drop = arg.format.fraction - node.format.fraction
    low, high = (round_code(code, drop, node.rounding) for code in (arg.low, arg.high))
    target: Format = node.format
    if target.holds(low, high):
        return low, high
    if node.overflow is Overflow.SATURATE:
        return (
            min(max(low, target.least), target.greatest),
            min(max(high, target.least), target.greatest),
        )
    return target.least, target.greatest
