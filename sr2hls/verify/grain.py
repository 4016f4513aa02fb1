"""A circuit on an aligned block of codes → how many low bits of the code its result does not depend on.

Range reductions drop low bits of the argument. The result is then constant on sub-blocks, few enough to run the circuit
on one code of each; a formula that is monotonic on the block has its extremes at the ends of every sub-block.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from fractions import Fraction

import numpy as np

from sr2hls.circuit import Circuit, Node, Op, Overflow, Rounding
from sr2hls.verify.evaluate import Formula
from sr2hls.verify.run import Codes, run
from sr2hls.verify.sampled import Sampled
from sr2hls.verify.span import Span, of_value, to_arb
from sr2hls.verify.stretch import Stretch

Values = Mapping[int, Stretch | None]


def ignored_bits(circuit: Circuit, path: list[int], leaf: int, k: int, followed: tuple[Values, Collection[int]]) -> int:
    """The largest d known such that the last node of the path is a function of r >> d, for the codes base + r, r < 2^k.

    followed: from `stretch.all_followed`. What it is not sure of must be a function of r >> d as well: running the
    circuit on one code of each sub-block then checks it; else 0.
    """
    values, unsure = followed
    bits = {leaf: 0}
    places: dict[int, int | None] = {leaf: 0}  # d where the code is c + (r >> d), c a multiple of 2^(k - d)
    for at in path:
        node, value = circuit.nodes[at], values[at]
        places[at] = None
        if value is not None and value.constant is not None:
            bits[at] = k
            continue
        args, gain = node.args, 0
        if node.op is Op.SELECT:
            condition = values[args[0]]
            if condition is not None and condition.constant is not None:
                args = (args[1] if condition.constant else args[2],)
                gain = node.format.fraction - circuit.nodes[args[0]].format.fraction
        bits[at] = min((bits[a] for a in args), default=k)
        place = places[args[0]] if len(args) == 1 else None
        if place is not None:
            cut = _cut(circuit, node) if node.op is not Op.SELECT else (-gain, None)
            if cut is not None:
                moved, width = place + cut[0], cut[1]
                bits[at] = max(bits[at], min(k, moved))
                places[at] = moved if width is None or width >= k - moved else None
    found = bits[path[-1]] if path else 0
    return 0 if any(bits[at] < found for at in unsure) else found


def _cut(circuit: Circuit, node: Node) -> tuple[int, int | None] | None:
    """(low bits that are dropped, bits that are kept, None: all above) where the result is floor(argument · 2^-n)."""
    if node.op is Op.SLICE:
        return node.value, node.format.width
    if node.op is Op.SHIFT:
        return 0, None
    if node.op is Op.CAST and node.rounding is Rounding.FLOOR and node.overflow is Overflow.WRAP:
        return circuit.nodes[node.args[0]].format.fraction - node.format.fraction, node.format.width
    return None


def errors_by_grain(
    circuit: Circuit, index: int, leaf: int, codes: tuple[int, int], bits: int, formula: Formula
) -> Span | None:
    """The hull of result - f for all codes from one to another, the result a function of code >> bits.

    None where the formula is not seen to be monotonic, which only matters for bits > 0.
    """
    unit, ulp = circuit.nodes[leaf].format.ulp, circuit.nodes[index].format.ulp
    low, high = codes
    if bits and not _monotonic(formula, Fraction(low) * unit, Fraction(high) * unit):
        return None
    first, last = low >> bits, high >> bits
    found: Span | None = None
    # the codes first and last in their sub-blocks, the ends of the range among them
    for shift in {0, (1 << bits) - 1}:
        numbers = (np.arange(first, last + 1, dtype=np.int64) << bits) + shift
        inner = numbers[(numbers >= low) & (numbers <= high)]
        if inner.size:
            found = _hull(found, _at(circuit, index, leaf, inner, formula, unit * (1 << bits), ulp))
    for end in {low, high}:
        only = np.array([end], dtype=np.int64)
        found = _hull(found, _at(circuit, index, leaf, only, formula, unit, ulp))
    return found


def _at(circuit: Circuit, index: int, leaf: int, codes: Codes, formula: Formula, step: Fraction, ulp: Fraction) -> Span:
    results, _ = run(circuit, index, leaf, codes)
    unit = circuit.nodes[leaf].format.ulp
    return Sampled(formula, int(codes[0]) * unit, step, codes.size).errors(results, ulp)


def _hull(found: Span | None, more: Span) -> Span:
    return more if found is None else found.hull(more)


def _monotonic(formula: Formula, low: Fraction, high: Fraction) -> bool:
    slope = of_value(formula.series(to_arb(low).union(to_arb(high)), 2)[1])
    return slope is not None and (slope.low >= 0 or slope.high <= 0)
