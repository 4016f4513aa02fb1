"""A circuit + one sample of input codes → output codes in Python's unbounded integers: the oracle of the engine tests.

Written from the table in `sr2hls.circuit` alone, without the interpreter's code.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor

from sr2hls.circuit import Circuit, Node, Op, Overflow, Rounding


def exact(circuit: Circuit, codes: dict[str, int]) -> dict[str, int]:
    results: list[int] = []
    for node in circuit.nodes:
        results.append(_code(circuit, node, results, codes))
    return {name: results[index] for name, index in circuit.outputs}


def _code(circuit: Circuit, node: Node, results: list[int], codes: dict[str, int]) -> int:
    args = [results[i] for i in node.args]
    formats = [circuit.nodes[i].format for i in node.args]
    values = [Fraction(code) / Fraction(2) ** fmt.fraction for code, fmt in zip(args, formats, strict=True)]
    bits = [code % (1 << fmt.width) for code, fmt in zip(args, formats, strict=True)]
    match node.op:
        case Op.INPUT:
            return codes[node.name]
        case Op.CONSTANT:
            return node.value
        case Op.ADD:
            value = values[0] + values[1]
        case Op.SUB:
            value = values[0] - values[1]
        case Op.MUL:
            value = values[0] * values[1]
        case Op.SHIFT:
            value = values[0] * Fraction(2) ** node.value
        case Op.NEGATE:
            value = -values[0]
        case Op.ABSOLUTE:
            value = abs(values[0])
        case Op.LESS:
            return int(values[0] < values[1])
        case Op.EQUAL:
            return int(values[0] == values[1])
        case Op.SELECT:
            value = values[1] if args[0] else values[2]
        case Op.SLICE:
            return bits[0] >> node.value & ((1 << node.format.width) - 1)
        case Op.CONCAT:
            return bits[0] << formats[1].width | bits[1]
        case Op.LEADING_ZEROS:
            return formats[0].width - args[0].bit_length()
        case Op.LOOKUP:
            return circuit.tables[node.table].codes[bits[0]]
        case Op.CAST:
            return _cast(node, values[0])
    code = value * Fraction(2) ** node.format.fraction
    assert code.denominator == 1
    return int(code)


def _cast(node: Node, value: Fraction) -> int:
    scaled = value * Fraction(2) ** node.format.fraction
    code = floor(scaled) if node.rounding is Rounding.FLOOR else floor(scaled + Fraction(1, 2))
    if node.overflow is Overflow.SATURATE:
        return min(max(code, node.format.least), node.format.greatest)
    return node.format.wrap(code)
