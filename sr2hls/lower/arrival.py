"""Signed nodes + when each is ready → their sum by an adder tree in which what comes late is added last."""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from sr2hls.builder import CircuitBuilder
from sr2hls.targets import Target


class Arrivals:
    """When each node of a builder is ready after the inputs, ns, registers not counted."""

    def __init__(self, b: CircuitBuilder, target: Target) -> None:
        self._b, self._target = b, target
        self._times: list[float] = []

    def __call__(self, node: int) -> float:
        if node >= len(self._times):
            circuit = self._b.so_far()
            for index in range(len(self._times), len(circuit.nodes)):
                begins = max((self._times[arg] for arg in circuit.nodes[index].args), default=0.0)
                self._times.append(begins + self._target.delay(circuit, index))
        return self._times[node]


def sum_by_arrival(b: CircuitBuilder, operands: Iterable[tuple[int, int]], arrivals: Arrivals) -> int:
    """The sum of signed nodes (sign, node): the two that are ready first are added, again and again.

    With adders of equal delay no tree is done earlier (Golumbic, IEEE Trans. Computers 25, 1976).
    """
    whole = b.origin
    heap = [(arrivals(node), serial, sign, node) for serial, (sign, node) in enumerate(operands)]
    serial = len(heap)
    heapq.heapify(heap)
    while len(heap) > 1:
        _, _, sign, first = heapq.heappop(heap)
        _, _, other, second = heapq.heappop(heap)
        b.origin = f"part of {whole}" if heap else whole
        if sign == other:
            node = b.add(first, second)
        else:
            node, sign = (b.sub(first, second) if sign > 0 else b.sub(second, first)), 1
        heapq.heappush(heap, (arrivals(node), serial, sign, node))
        serial += 1
    _, _, sign, node = heap[0]
    b.origin = whole
    return b.negate(node) if sign < 0 else node
