"""Rows of signed digits over nodes → adders: pairs that recur are shared where the target's model says that this pays."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from sr2hls.builder import CircuitBuilder
from sr2hls.errors import UnsupportedError
from sr2hls.formats import Format
from sr2hls.lower.arrival import Arrivals
from sr2hls.lower.digits import Row, Shared, shared
from sr2hls.targets import Target

Word = tuple[Format, int, int]  # format, least and greatest code
Leaf = tuple[int, int, int]  # depth, sign, node

_ROUNDING = 1e-9  # ns, LUTs


@dataclass(slots=True)
class Plans:
    """For rows of digits over nodes that belong together: which pairs to add first, and what is left of each row."""

    b: CircuitBuilder
    target: Target
    _known: dict[Row, tuple[Shared, int, tuple[int, ...]]] = field(default_factory=dict)  # graph, row, operands

    def plan(self, rows: Sequence[Row]) -> None:
        """Share what these rows have in common; a row that was planned before stays as it is."""
        for group in _related([row for row in dict.fromkeys(rows) if row not in self._known]):
            nodes = tuple(sorted({digit[2] for row in group for digit in row}))
            place = {node: number for number, node in enumerate(nodes)}
            numbered = tuple(tuple((sign, power, place[node]) for sign, power, node in row) for row in group)
            words = tuple((self.b[node].format, self.b[node].low, self.b[node].high) for node in nodes)
            graph = cheapest(numbered, words, self.target)
            for number, row in enumerate(group):
                self._known[row] = graph, number, nodes

    def leaves(self, row: Row) -> list[Leaf]:
        """What to add up for a row; its pairs are built here."""
        if row not in self._known:
            self.plan([row])
        graph, number, nodes = self._known[row]
        return built(self.b, graph, nodes, graph.rows[number])


def _related(rows: Sequence[Row]) -> list[list[Row]]:
    """Rows in groups that have operands in common."""
    groups: list[tuple[set[int], list[Row]]] = []
    for row in rows:
        nodes, members = {node for _, _, node in row}, [row]
        for group in [group for group in groups if group[0] & nodes]:
            groups.remove(group)
            nodes, members = nodes | group[0], group[1] + members
        groups.append((nodes, members))
    return [members for _, members in groups]


def built(b: CircuitBuilder, graph: Shared, nodes: Sequence[int], row: Row) -> list[Leaf]:
    """The digits of a row of a graph as nodes, and the pairs that they need."""
    whole = b.origin
    known = {number: (0, node) for number, node in enumerate(nodes)}
    for number in graph.needed(row):
        pair = graph.pairs[number - graph.operands]
        (depth, first), (other, second) = known[pair.first], known[pair.second]
        b.origin = f"2^{pair.shift} * ({b[second].origin})"
        second = b.shift(second, pair.shift)
        b.origin = f"{b[first].origin} {'+' if pair.sign > 0 else '-'} {b[second].origin}"
        node = b.add(first, second) if pair.sign > 0 else b.sub(first, second)
        known[number] = 1 + max(depth, other), node
    leaves = []
    for sign, power, number in row:
        depth, node = known[number]
        b.origin = f"2^{power} * ({b[node].origin})"
        leaves.append((depth, sign, b.shift(node, power)))
    b.origin = whole
    return leaves


def sum_by_depth(b: CircuitBuilder, leaves: Sequence[Leaf]) -> int:
    """The sum of signed nodes: those behind the fewest adders first, so that the tree is shallow."""
    whole = b.origin
    heap = [(depth, serial, sign, node) for serial, (depth, sign, node) in enumerate(leaves)]
    serial = len(heap)
    heapq.heapify(heap)
    while len(heap) > 1:
        depth, _, sign, first = heapq.heappop(heap)
        other, _, sign2, second = heapq.heappop(heap)
        b.origin = f"part of {whole}" if heap else whole
        if sign == sign2:
            node = b.add(first, second)
        elif sign > 0:
            node, sign = b.sub(first, second), 1
        else:
            node, sign = b.sub(second, first), 1
        heapq.heappush(heap, (max(depth, other) + 1, serial, sign, node))
        serial += 1
    _, _, sign, node = heap[0]
    b.origin = whole
    return b.negate(node) if sign < 0 else node


@lru_cache(maxsize=4096)
def cheapest(rows: tuple[Row, ...], words: tuple[Word, ...], target: Target) -> Shared:
    """The graph of least area for these rows by the target's model, of those that are no slower than without pairs.

    words: of the operands.
    """
    best = Shared(len(words), (), rows)
    found = shared(rows, len(words))
    if not found.pairs:
        return best
    plain, area = _bill(best, words, target), _bill(found, words, target)
    return found if area is not None and _pays(area, plain) else best


def _pays(bill: tuple[float, tuple[float, ...]], plain: tuple[float, tuple[float, ...]] | None) -> bool:
    if plain is None:
        return True
    return bill[0] < plain[0] - _ROUNDING and all(
        late <= other + _ROUNDING for late, other in zip(bill[1], plain[1], strict=True)
    )


def _bill(graph: Shared, words: tuple[Word, ...], target: Target) -> tuple[float, tuple[float, ...]] | None:
    """LUTs of the rows' adders, and when each row is ready after its operands, ns; None where a word is too wide."""
    b = CircuitBuilder()
    nodes = []
    for number, (word, low, high) in enumerate(words):
        nodes.append(b.narrow(b.input(f"x{number}", word), low, high))
    try:
        tops = [sum_by_depth(b, built(b, graph, nodes, row)) for row in graph.rows if row]
    except UnsupportedError:
        return None
    arrivals, circuit, used = Arrivals(b, target), b.so_far(), set(tops)
    for index in range(len(circuit.nodes) - 1, -1, -1):
        if index in used:
            used.update(circuit.nodes[index].args)
    area = sum(target.area(circuit, index).lut for index in sorted(used))
    return area, tuple(arrivals(top) for top in tops)
