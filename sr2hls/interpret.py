"""`Circuit` + integer codes → integer codes: the reference meaning of a circuit, vectorized over samples."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from sr2hls.circuit import Circuit, Node, Op, Overflow, Rounding
from sr2hls.errors import FormatError
from sr2hls.formats import Format
from sr2hls.ranges import round_code

Codes = npt.NDArray[np.int64]
_BLOCK = 1 << 14  # samples at a time: the working set stays in the cache


def interpret(circuit: Circuit, inputs: Mapping[str, npt.ArrayLike]) -> dict[str, Codes]:
    """Run the circuit on input codes.

    Args:
        inputs: for each port an array of integer codes (not values), all of shape (n,).

    Returns:
        For each output its codes, shape (n,), int64. A circuit without inputs gives shape (1,).

    Raises:
        FormatError: a port is missing, the shapes differ, or a code does not fit its port's format.
    """
    ports = {name: _port(name, circuit.nodes[index].format, inputs) for name, index in circuit.inputs}
    sizes = {codes.shape for codes in ports.values()} or {(1,)}
    if len(sizes) > 1:
        raise FormatError(f"the input arrays have different shapes: {sorted(sizes)}")
    (n,) = sizes.pop()
    tables = [np.array(table.codes, dtype=np.int64) for table in circuit.tables]
    result = {name: np.empty(n, dtype=np.int64) for name, _ in circuit.outputs}
    for start in range(0, n, _BLOCK):
        block = {name: codes[start : start + _BLOCK] for name, codes in ports.items()}
        values: list[Codes] = []
        for node in circuit.nodes:
            values.append(_evaluate(node, circuit, values, block, tables))
        for name, index in circuit.outputs:
            result[name][start : start + _BLOCK] = values[index]
    return result


def _port(name: str, fmt: Format, inputs: Mapping[str, npt.ArrayLike]) -> Codes:
    if name not in inputs:
        raise FormatError(f"no codes for the input '{name}'")
    given = np.asarray(inputs[name])
    if given.dtype.kind not in "iu" or given.ndim != 1:
        raise FormatError(f"input '{name}': codes must be a one-dimensional array of integers")
    codes = given.astype(np.int64)
    if codes.size and not fmt.holds(int(codes.min()), int(codes.max())):
        raise FormatError(f"input '{name}': a code lies outside {fmt}, that is [{fmt.least}, {fmt.greatest}]")
    return codes


def _evaluate(
    node: Node, circuit: Circuit, values: list[Codes], ports: Mapping[str, Codes], tables: list[Codes]
) -> Codes:
    args = [values[i] for i in node.args]
    formats = [circuit.nodes[i].format for i in node.args]
    match node.op:
        case Op.INPUT:
            return ports[node.name]
        case Op.CONSTANT:
            return np.full(1, node.value, dtype=np.int64)
        case Op.ADD:
            a, b = _aligned(args, formats)
            return a + b
        case Op.SUB:
            a, b = _aligned(args, formats)
            return a - b
        case Op.MUL:
            return args[0] * args[1]
        case Op.SHIFT:
            return args[0]
        case Op.NEGATE:
            return -args[0]
        case Op.ABSOLUTE:
            return np.abs(args[0])
        case Op.LESS:
            a, b = _aligned(args, formats)
            return (a < b).astype(np.int64)
        case Op.EQUAL:
            a, b = _aligned(args, formats)
            return np.equal(a, b).astype(np.int64)
        case Op.SELECT:
            b, c = _aligned(args[1:], formats[1:])
            return np.where(args[0] != 0, b, c)
        case Op.SLICE:
            return (args[0] >> node.value) & ((1 << node.format.width) - 1)
        case Op.CONCAT:
            low = formats[1].width
            return (_bits(args[0], formats[0]) << low) | _bits(args[1], formats[1])
        case Op.LEADING_ZEROS:
            return _leading_zeros(args[0], formats[0].width)
        case Op.LOOKUP:
            return tables[node.table][_bits(args[0], formats[0])]
        case Op.CAST:
            return _cast(args[0], circuit.nodes[node.args[0]], node)


def _aligned(args: list[Codes], formats: list[Format]) -> list[Codes]:
    common = max(f.fraction for f in formats)
    return [a << (common - f.fraction) for a, f in zip(args, formats, strict=True)]


def _bits(codes: Codes, fmt: Format) -> Codes:
    return codes & ((1 << fmt.width) - 1) if fmt.signed else codes


def _leading_zeros(codes: Codes, width: int) -> Codes:
    count = np.full(codes.shape, width, dtype=np.int64)
    for bit in range(width):
        count[codes >> bit != 0] = width - bit - 1
    return count


def _cast(codes: Codes, source: Node, node: Node) -> Codes:
    drop = source.format.fraction - node.format.fraction
    if drop < 0 and node.overflow is Overflow.SATURATE:
        return _saturate_left(codes, -drop, node.format)
    if drop < 0:
        codes = codes << -drop
    elif drop > 1 and node.rounding is Rounding.HALF_UP:
        codes = ((codes >> min(drop - 1, 63)) + 1) >> 1
    elif drop > 0:
        half_up = node.rounding is Rounding.HALF_UP
        codes = (codes >> min(drop, 63)) + (codes & 1 if half_up else 0)  # codes + 1 might leave the 64 bits
    if node.overflow is Overflow.SATURATE:
        return np.clip(codes, node.format.least, node.format.greatest)
    if node.format.holds(*(round_code(code, drop, node.rounding) for code in (source.low, source.high))):
        return codes
    wrapped = codes & ((1 << node.format.width) - 1)
    if node.format.signed:
        sign = 1 << (node.format.width - 1)
        wrapped = (wrapped ^ sign) - sign
    return wrapped


def _saturate_left(codes: Codes, power: int, fmt: Format) -> Codes:
    """Compared before the shift, whose result might leave the 64 bits."""
    low, high = -(-fmt.least >> power), fmt.greatest >> power
    inside = np.clip(codes, low, high) << power
    return np.where(codes > high, fmt.greatest, np.where(codes < low, fmt.least, inside))
