"""A graph of gates + inputs of many lanes → its outputs, bit-parallel: at once, or clock by clock from power-up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sr2hls.synth.gates import AND, PRODUCT_BIT, Graph

Lanes = int  # bit i is the value in lane i


def to_lanes(codes: NDArray[np.int64], width: int) -> list[Lanes]:
    """Codes of shape (lanes,), in two's complement, → one integer a bit, the lowest bit first."""
    raw = codes.astype(np.int64).view(np.uint64)
    packed = [
        np.packbits(((raw >> np.uint64(bit)) & np.uint64(1)).astype(np.uint8), bitorder="little")
        for bit in range(width)
    ]
    return [int.from_bytes(row.tobytes(), "little") for row in packed]


def to_codes(bits: Sequence[Lanes], lanes: int, signed: bool) -> NDArray[np.int64]:
    """The inverse of `to_lanes`; words of at most 64 bits."""
    raw = np.zeros(lanes, dtype=np.uint64)
    size = (lanes + 7) // 8
    row = np.zeros(lanes, dtype=np.uint64)
    for place, bit in enumerate(bits[:64]):
        packed = np.frombuffer(bit.to_bytes(size, "little"), dtype=np.uint8)
        row = np.unpackbits(packed, bitorder="little")[:lanes].astype(np.uint64)
        raw |= row << np.uint64(place)
    if signed and 0 < len(bits) < 64:
        raw -= row << np.uint64(len(bits))  # modulo 2^64
    return raw.view(np.int64)


def evaluate(graph: Graph, state: Mapping[int, Lanes], lanes: int) -> list[Lanes]:
    """The value of every node.

    Args:
        state: the values of inputs and registers, by node; 0 for what is missing.
    """
    full = (1 << lanes) - 1
    values: list[Lanes] = [0] * len(graph.kinds)
    left, right = graph.left, graph.right
    done = -1
    for node, kind in enumerate(graph.kinds):
        if kind == AND:
            a, b = left[node], right[node]
            x = values[a >> 1] ^ (full if a & 1 else 0)
            values[node] = x & (values[b >> 1] ^ (full if b & 1 else 0))
        elif kind == PRODUCT_BIT:
            if graph.owner[node] != done:
                done = graph.owner[node]
                _multiply(graph, done, values, lanes)
        elif node in state:
            values[node] = state[node]
    return values


def value(values: Sequence[Lanes], literal: int, lanes: int) -> Lanes:
    """A literal's lanes."""
    return values[literal >> 1] ^ ((1 << lanes) - 1 if literal & 1 else 0)


def _multiply(graph: Graph, index: int, values: list[Lanes], lanes: int) -> None:
    product = graph.products[index]
    a, b = (
        to_codes([value(values, bit, lanes) for bit in word], lanes, product.signed) for word in (product.a, product.b)
    )
    result = (a.view(np.uint64) * b.view(np.uint64)).view(np.int64)
    for node, bit in zip(product.bits, to_lanes(result, len(product.bits)), strict=True):
        values[node] = bit


def clocked(graph: Graph, words: Sequence[Mapping[str, list[Lanes]]], lanes: int) -> Iterator[dict[str, list[Lanes]]]:
    """The outputs in each clock cycle, before its edge, beginning at power-up.

    Registers without a defined start begin at 0.

    Args:
        words: for each cycle the lanes of every input port, the clock left out.
    """
    full = (1 << lanes) - 1
    state = {register: full if graph.start.get(register) else 0 for register in graph.data}
    for ports in words:
        for name, bits in graph.inputs.items():
            state.update((bit >> 1, lane) for bit, lane in zip(bits, ports.get(name, []), strict=False))
        values = evaluate(graph, state, lanes)
        yield {name: [value(values, bit, lanes) for bit in word] for name, word in graph.outputs.items()}
        state.update({register: value(values, data, lanes) for register, data in graph.data.items()})
