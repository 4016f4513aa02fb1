"""Micro-benchmarks of operations that follow one another → what a path saves against the sum of their own delays.

An operation's own micro-benchmark lies between registers. Behind it another operation may follow: the net out of a
multiplier block or of a comparison is then the net into the next operation, a carry chain need not end before the next
one begins, and synthesis puts logic of both into one LUT.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from sr2hls.builder import CircuitBuilder
from sr2hls.circuit import Circuit, Op
from sr2hls.formats import Format
from sr2hls.synth.microbench import Probe
from sr2hls.targets import Target

NET, RESET, CHAIN = "net", "reset", "chain"
DSP, LESS, LOGIC = "dsp", "less", "logic"  # what an operation may follow


def chains() -> list[Probe]:
    """A net alone, a LUT in front of a register's reset, and chains of two to four operations as formulas have them."""
    nets = [Probe(NET, f"net_{width}", width, _built(lambda b, x: b.shift(x, 1), width=width)) for width in (8, 32)]
    nets.append(Probe(RESET, "reset", 2, _built(_constants)))
    return nets + [Probe(CHAIN, f"chain_{name}", 12, _built(build)) for name, build in _CHAINS.items()]


def _built(build: Callable[..., int], *, width: int = 12) -> Circuit:
    b = CircuitBuilder()
    names = "xyzw"[: build.__code__.co_argcount - 1]
    return b.build([("o", build(b, *(b.input(name, Format(True, width, 8)) for name in names)))])


def _low(b: CircuitBuilder, x: int, width: int) -> int:
    return b.slice(x, width - 1, 0)


def _table(b: CircuitBuilder, x: int) -> int:
    codes = tuple(round(500 * math.sin(0.4 + 3 * i / 256)) for i in range(256))
    return b.lookup(_low(b, x, 8), codes, 8)


def _constants(b: CircuitBuilder, x: int) -> int:
    """A table with columns that are a constant behind a condition: synthesis resets the register by the condition."""
    return b.lookup(_low(b, x, 2), (-88, -67, -94, -68), 7)


def _clamped(b: CircuitBuilder, x: int) -> int:
    return b.minimum(b.maximum(x, b.constant(-1249, 8)), b.constant(1290, 8))


def _top(b: CircuitBuilder, x: int) -> int:
    """The upper 12 bits."""
    return b.round_to(x, b[x].format.fraction - (b[x].format.width - 12))


_CHAINS: dict[str, Callable[..., int]] = {
    "maximum": lambda b, x, y: b.maximum(x, y),
    "clamp": _clamped,
    "add_maximum": lambda b, x, y, z: b.maximum(b.add(x, y), z),
    "maximum_minimum": lambda b, x, y, z: b.minimum(b.maximum(x, y), z),
    "maximum_add": lambda b, x, y, z: b.add(b.maximum(x, y), z),
    "absolute_sub": lambda b, x, y: b.sub(y, b.absolute(x)),
    "add_table": lambda b, x, y: _table(b, b.add(x, y)),
    "table_add": lambda b, x, y: b.add(_table(b, x), y),
    "table_table": lambda b, x: _table(b, _table(b, x)),
    "mul_add": lambda b, x, y, z: b.add(b.mul(x, y), z),
    "mul_mul": lambda b, x, y, z: b.mul(_top(b, b.mul(x, y)), z),
    "add_mul": lambda b, x, y, z: b.mul(b.add(x, y), z),
    "table_mul_add": lambda b, x, y, z: b.add(b.mul(_table(b, x), y), z),
    "mul_table": lambda b, x, y: _table(b, _top(b, b.mul(x, y))),
}


def net_delay(measured: Sequence[tuple[Probe, float]], law: str = NET) -> float:
    """The slowest probe of a law without an operation, ns."""
    return max(delay for probe, delay in measured if probe.law == law)


def saving(target: Target, measured: Sequence[tuple[Probe, float]], kind: str) -> float:
    """What every measured chain saves at least for each multiplier block (DSP) or comparison (LESS) in front, ns.

    Of the chains with blocks, those without logic in front of other logic count; of the comparisons, the chains
    without blocks. Nothing is taken off for other logic: its chains are not all faster than the sum of their parts.
    """
    found = []
    for probe, delay in measured:
        if probe.law == CHAIN:
            total, fronts = longest(target, probe.circuit)
            if kind in fronts and (set(fronts) == {DSP} if kind == DSP else DSP not in fronts):
                found.append((total - delay) / fronts.count(kind))
    return max(0.0, min(found))


def longest(target: Target, circuit: Circuit) -> tuple[float, tuple[str, ...]]:
    """The sum of the delays on the longest path, and what stands in front of each of its junctions."""
    best: list[tuple[float, tuple[str, ...], str]] = []
    for index, node in enumerate(circuit.nodes):
        total, fronts, behind = max((best[arg] for arg in node.args), default=(0.0, (), ""))
        delay = target.delay(circuit, index)
        if delay > 0:
            if total > 0:
                fronts = (*fronts, behind)
            block = node.op is Op.MUL and target.area(circuit, index).dsp > 0
            behind = DSP if block else LESS if node.op is Op.LESS else LOGIC
        best.append((total + delay, fronts, behind))
    return max(best)[:2]
