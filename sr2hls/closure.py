"""Weights and implications → the closed set of greatest weight, by one maximum flow (Picard, 1976)."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence


def heaviest_closure(weight: Sequence[int], forced: Sequence[tuple[int, int]], barred: Sequence[bool]) -> list[int]:
    """The smallest set of greatest total weight such that a in the set and (a, b) in `forced` imply b in the set.

    No member may be `barred`. Returns the sorted members; empty when no set has a positive weight. Deterministic.
    """
    alive = _allowed(len(weight), forced, barred)
    source, sink = len(weight), len(weight) + 1
    flow = _Flow(len(weight) + 2)
    endless = sum(w for w in weight if w > 0) + 1
    for index, w in enumerate(weight):
        if alive[index] and w > 0:
            flow.edge(source, index, w)
        elif alive[index] and w < 0:
            flow.edge(index, sink, -w)
    for a, b in forced:
        if alive[a]:
            flow.edge(a, b, endless)
    flow.saturate(source, sink)
    return sorted(index for index in flow.reached(source) if index < len(weight))


def _allowed(count: int, forced: Sequence[tuple[int, int]], barred: Sequence[bool]) -> list[bool]:
    """Which vertices imply no barred one."""
    alive = [not b for b in barred]
    implied_by: list[list[int]] = [[] for _ in range(count)]
    for a, b in forced:
        implied_by[b].append(a)
    waiting = [index for index in range(count) if not alive[index]]
    while waiting:
        for a in implied_by[waiting.pop()]:
            if alive[a]:
                alive[a] = False
                waiting.append(a)
    return alive


class _Flow:
    """Maximum flow by shortest augmenting paths in layers (Dinitz, 1970)."""

    def __init__(self, count: int) -> None:
        self._edges: list[list[int]] = [[] for _ in range(count)]  # numbers of the edges that leave a vertex
        self._to: list[int] = []
        self._room: list[int] = []

    def edge(self, a: int, b: int, capacity: int) -> None:
        for start, end, room in ((a, b, capacity), (b, a, 0)):
            self._edges[start].append(len(self._to))
            self._to.append(end)
            self._room.append(room)

    def saturate(self, source: int, sink: int) -> None:
        while sink in (level := self._levels(source)):
            following = [0] * len(self._edges)
            while self._augment(source, sink, level, following):
                pass

    def reached(self, source: int) -> set[int]:
        """The source's side of a minimum cut, the smallest one."""
        return set(self._levels(source))

    def _levels(self, source: int) -> dict[int, int]:
        level = {source: 0}
        waiting = deque([source])
        while waiting:
            vertex = waiting.popleft()
            for number in self._edges[vertex]:
                if self._room[number] and self._to[number] not in level:
                    level[self._to[number]] = level[vertex] + 1
                    waiting.append(self._to[number])
        return level

    def _augment(self, source: int, sink: int, level: dict[int, int], following: list[int]) -> bool:
        """Push flow along one path of the layered graph; false when there is none left."""
        path: list[int] = []
        vertex = source
        while vertex != sink:
            edges = self._edges[vertex]
            while following[vertex] < len(edges):
                number = edges[following[vertex]]
                end = self._to[number]
                if self._room[number] and level.get(end, -1) == level[vertex] + 1:
                    break
                following[vertex] += 1
            if following[vertex] < len(edges):
                number = edges[following[vertex]]
                path.append(number)
                vertex = self._to[number]
            elif path:
                vertex = self._to[path.pop() ^ 1]
                following[vertex] += 1
            else:
                return False
        pushed = min(self._room[number] for number in path)
        for number in path:
            self._room[number] -= pushed
            self._room[number ^ 1] += pushed
        return True
