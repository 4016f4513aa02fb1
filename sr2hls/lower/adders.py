"""Rows of signed digits over nodes → adders: pairs that recur are shared where the target's model says it pays."""

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
    arrivals: Arrivals
    _known: dict[Row, tuple[Shared, int, tuple[int, ...]]] = field(default_factory=dict)  # graph, row, operands

    def plan(self, rows: Sequence[Row]) -> None:
        """Share what these rows have in common; a row that was planned before stays as it is."""
        for group in _related([row for row in dict.fromkeys(rows) if row not in self._known]):
            nodes = tuple(sorted({digit[2] for row in group for digit in row}))
            place = {node: number for number, node in enumerate(nodes)}
            numbered = tuple(tuple((sign, power, place[node]) for sign, power, node in row) for row in group)
            graph = Shared(len(nodes), (), numbered)
            if _recurring(numbered, len(nodes)).pairs:
                words = tuple((self.b[node].format, self.b[node].low, self.b[node].high) for node in nodes)
                times = [self.arrivals(node) for node in nodes]
                begun = min(times)
                graph = cheapest(numbered, words, tuple(time - begun for time in times), self.target)
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
def _recurring(rows: tuple[Row, ...], operands: int) -> Shared:
    return shared(rows, operands)


@lru_cache(maxsize=4096)
def cheapest(rows: tuple[Row, ...], words: tuple[Word, ...], times: tuple[float, ...], target: Target) -> Shared:
    """The rows, with recurring pairs shared where by the target's model no row is later and the area is less.

    words: of the operands; times: when each is ready, ns.
    """
    plain, found = Shared(len(words), (), rows), _recurring(rows, len(words))
    if not found.pairs:
        return plain
    bill = _bill(found, words, times, target)
    return found if bill is not None and _pays(bill, _bill(plain, words, times, target)) else plain


def _pays(bill: tuple[float, tuple[float, ...]], plain: tuple[float, tuple[float, ...]] | None) -> bool:
    if plain is None:
        return True
    return bill[0] < plain[0] - _ROUNDING and all(
        late <= other + _ROUNDING for late, other in zip(bill[1], plain[1], strict=True)
    )


def _bill(
    graph: Shared, words: tuple[Word, ...], times: tuple[float, ...], target: Target
) -> tuple[float, tuple[float, ...]] | None:
    """LUTs of the rows' adders, and when each row is ready, ns; None where a word is too wide."""
    b = CircuitBuilder()
    nodes = []
    for number, (word, low, high) in enumerate(words):
        nodes.append(b.narrow(b.input(f"x{number}", word), low, high))
    try:
        tops = [sum_by_depth(b, built(b, graph, nodes, row)) for row in graph.rows if row]
    except UnsupportedError:
        return None
    circuit, used, begins = b.so_far(), set(tops), dict(zip(nodes, times, strict=True))
    ready: list[float] = []
    for index, node in enumerate(circuit.nodes):
        last = max((ready[arg] for arg in node.args), default=0.0)
        ready.append(begins[index] if index in begins else last + target.delay(circuit, index))
    for index in range(len(circuit.nodes) - 1, -1, -1):
        if index in used:
            used.update(circuit.nodes[index].args)
    area = sum(target.area(circuit, index).lut for index in sorted(used))
    return area, tuple(ready[top] for top in tops)
