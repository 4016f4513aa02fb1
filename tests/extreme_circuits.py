"""Circuits at the edges of the vocabulary: the widest words, the longest shifts, casts that lose everything."""

from __future__ import annotations

import itertools
import random

import numpy as np
from numpy.typing import NDArray

from sr2hls.builder import CircuitBuilder
from sr2hls.circuit import Circuit, Overflow, Rounding
from sr2hls.formats import Format

WIDTHS = (1, 2, 7, 31, 32, 33, 62, 63)


def cast_circuit(signed: bool, width: int) -> Circuit:
    """One input, and every kind of cast of it: dropping up to more bits than it has, and adding up to 62."""
    b = CircuitBuilder()
    x = b.input("x", Format(signed, width, 40))
    outputs = []
    drops = (1, 2, width - 1, width, width + 1, 63, 64, 80, 0, -1, -20, -62)
    for drop, rounding, overflow in itertools.product(drops, Rounding, Overflow):
        for target in (Format(True, 9, 40 - drop), Format(False, 63, 40 - drop)):
            outputs.append(b.cast(x, target, rounding, overflow))
    return b.build([(f"y{i}", index) for i, index in enumerate(outputs)])


def wide_circuit() -> Circuit:
    """Every other operation on words of up to 63 bits."""
    b = CircuitBuilder()
    s, u = b.input("s", Format(True, 62, 0)), b.input("u", Format(False, 63, 0))
    p, q = b.input("p", Format(True, 32, 5)), b.input("q", Format(False, 31, -7))
    bit = b.input("bit", Format(False, 1, 0))
    small = b.input("small", Format(True, 3, 55))
    below = b.slice(u, 61, 0)
    made = [
        b.add(s, s),
        b.sub(s, bit),
        b.mul(p, q),
        b.mul(p, p),
        b.mul(bit, s),
        b.negate(s),
        b.absolute(s),
        b.less(s, u),
        b.less(u, s),
        b.equal(b.slice(s, 61, 0), below),
        b.less(b.shift(p, 3), b.shift(q, -9)),
        b.select(b.less(p, q), s, below),
        b.select(b.less(p, q), b.constant(0), small),
        b.add(small, bit),
        b.concat(p, q),
        b.concat(bit, s),
        b.slice(s, 61, 61),
        b.slice(s, 60, 1),
        b.leading_zeros(u),
        b.leading_zeros(b.slice(bit, 0, 0)),
        b.lookup(small, (0, 1 << 61, -(1 << 61), 3, -1, 7, 8, (1 << 61) - 1), 60),
        b.lookup(small, (200, 0, 255, 3, 1, 7, 8, 9), -4),
        b.lookup(bit, (40000, 65535), 0),
    ]
    return b.build([(f"y{i}", index) for i, index in enumerate(made)])


def edge_codes(circuit: Circuit, samples: int, seed: int = 0) -> dict[str, NDArray[np.int64]]:
    """Random codes, a third of them at or next to the ends of the format or at 0 and ±1."""
    rng = random.Random(seed)
    codes = {}
    for name, index in circuit.inputs:
        fmt = circuit.nodes[index].format
        ends = [c for c in (fmt.least, fmt.least + 1, -1, 0, 1, fmt.greatest - 1, fmt.greatest) if fmt.holds(c, c)]
        column = [
            rng.choice(ends) if rng.random() < 0.33 else rng.randint(fmt.least, fmt.greatest) for _ in range(samples)
        ]
        codes[name] = np.array(column, dtype=np.int64)
    return codes
