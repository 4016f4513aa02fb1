"""Circuit → code ranges that hold for every input, and the claims of wrapping casts that they rest on.

`sr2hls.checker` follows ranges by interval arithmetic; only a wrapping cast may claim less than that gives.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sr2hls.circuit import Circuit, Node, Op, Overflow
from sr2hls.ranges import result_range


@dataclass(frozen=True, slots=True)
class Reliance:
    """`ranges`: node → (low, high) of its code; `claims`: the casts whose claims these need."""

    ranges: tuple[tuple[int, int], ...]
    claims: tuple[int, ...]


def reliance(circuit: Circuit) -> Reliance:
    """Ranges without any claim where every format holds them; else the circuit's own, and all its claims."""
    nodes: list[Node] = []
    for node in circuit.nodes:
        low, high = result_range(node, nodes, circuit.tables)
        if not node.format.holds(low, high):
            own = tuple((each.low, each.high) for each in circuit.nodes)
            return Reliance(own, tuple(i for i, each in enumerate(circuit.nodes) if _claims(circuit, each)))
        nodes.append(replace(node, low=low, high=high))
    return Reliance(tuple((node.low, node.high) for node in nodes), ())


def _claims(circuit: Circuit, node: Node) -> bool:
    if node.op is not Op.CAST or node.overflow is not Overflow.WRAP:
        return False
    return (node.low, node.high) != result_range(node, circuit.nodes, circuit.tables)
