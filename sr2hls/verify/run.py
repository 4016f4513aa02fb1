"""A part of a circuit and codes of its one leaf → codes of its result, checking every range on the way.

Codes wrap wherever a cast's word is too narrow, whatever the ranges say.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from sr2hls.circuit import Circuit, Node, Op, Overflow, Rounding
from sr2hls.formats import Format
from sr2hls.verify.refused import Open, Wrong

Codes = NDArray[np.int64]


def cone(circuit: Circuit, index: int, stops: Iterable[int]) -> list[int]:
    """The nodes that a node depends on, itself included, up to the stops (included where they are reached)."""
    stop, seen, waiting = set(stops), set[int](), [index]
    while waiting:
        at = waiting.pop()
        if at not in seen:
            seen.add(at)
            if at not in stop:
                waiting += circuit.nodes[at].args
    return sorted(seen)


def run(circuit: Circuit, index: int, leaf: int, codes: Codes) -> tuple[Codes, set[int]]:
    """The codes of a node for those of the leaf, and the nodes on the way.

    Raises Wrong where a code leaves the range that its node states, or the node depends on another port.
    """
    values: dict[int, Codes] = {}
    path = cone(circuit, index, [leaf])
    last = {a: i for i in path if i != leaf for a in circuit.nodes[i].args}
    for at in path:
        node = circuit.nodes[at]
        values[at] = codes if at == leaf else _value(circuit, node, at, values)
        low, high = int(values[at].min()), int(values[at].max())
        if at != leaf and not node.low <= low <= high <= node.high:
            raise Wrong(f"node {at} reaches the codes [{low}, {high}], beyond its range [{node.low}, {node.high}]")
        for arg in set(node.args) if at != leaf else ():
            if last[arg] == at and arg != index:
                del values[arg]
    return np.broadcast_to(values[index], codes.shape), set(path)


def _value(circuit: Circuit, node: Node, at: int, values: dict[int, Codes]) -> Codes:
    args = [values[a] for a in node.args]
    formats = [circuit.nodes[a].format for a in node.args]
    match node.op:
        case Op.CONSTANT:
            return np.array([node.value], dtype=np.int64)
        case Op.INPUT:
            raise Wrong(f"node {at} reads the port '{node.name}', which is no operand of the step")
        case Op.ADD | Op.SUB | Op.LESS | Op.EQUAL:
            a, b = _same_scale(args, formats)
            match node.op:
                case Op.ADD:
                    return a + b
                case Op.SUB:
                    return a - b
                case Op.LESS:
                    return np.asarray(a < b, dtype=np.int64)
                case _:
                    return np.asarray(a == b, dtype=np.int64)
        case Op.MUL:
            return args[0] * args[1]
        case Op.SHIFT:
            return args[0]
        case Op.NEGATE:
            return -args[0]
        case Op.ABSOLUTE:
            return np.abs(args[0])
        case Op.SELECT:
            a, b = _same_scale(args[1:], formats[1:])
            return np.where(args[0] == 1, a, b)
        case Op.SLICE:
            return (args[0] >> node.value) & _mask(node.format.width)
        case Op.CONCAT:
            high, low = (a & _mask(f.width) for a, f in zip(args, formats, strict=True))
            return (high << formats[1].width) | low
        case Op.LEADING_ZEROS:
            return formats[0].width - _bit_lengths(args[0])
        case Op.LOOKUP:
            table = np.array(circuit.tables[node.table].codes, dtype=np.int64)
            return np.asarray(table[args[0] & _mask(formats[0].width)])
        case Op.CAST:
            return _cast(args[0], formats[0], node)


def _mask(width: int) -> int:
    return (1 << width) - 1


def _same_scale(args: list[Codes], formats: list[Format]) -> list[Codes]:
    finest = max(f.fraction for f in formats)
    return [a << (finest - f.fraction) for a, f in zip(args, formats, strict=True)]


def _bit_lengths(codes: Codes) -> Codes:
    lengths = np.zeros(codes.shape, dtype=np.int64)
    rest = codes.copy()
    while rest.any():
        lengths += rest != 0
        rest >>= 1
    return lengths


def _cast(codes: Codes, source: Format, node: Node) -> Codes:
    drop, fmt = source.fraction - node.format.fraction, node.format
    if drop > 62:
        raise Open("a cast that drops more than 62 bits")
    if drop > 0:
        half = 0 if node.rounding is Rounding.FLOOR else (codes >> (drop - 1)) & 1
        codes = (codes >> drop) + half
    elif drop < 0:
        if source.width - drop > 62:
            raise Open("a cast to more than 62 bits")
        codes = codes << -drop
    if node.overflow is Overflow.SATURATE:
        return np.clip(codes, fmt.least, fmt.greatest)
    bits = codes & _mask(fmt.width)
    return bits - ((bits >> (fmt.width - 1)) << fmt.width) if fmt.signed else bits
