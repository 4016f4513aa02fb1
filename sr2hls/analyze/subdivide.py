"""`Program` + input domains → its analysis, on a partition of the domain into boxes where that tightens it.

Interval arithmetic takes correlated operands as independent. Best-first subdivision (Moore, Kearfott, Cloud,
Introduction to Interval Analysis, sections 6.3 and 6.4): the ranges and slopes at points say how tight they can be at
best; the box that holds up most of what is left to gain is halved along the input that helps most. The budget is a
number of boxes, so that the result is the same on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sr2hls.analyze.boxes import LEAF, Box, Codes, Cut, Forward, Partition, boxes_of
from sr2hls.analyze.cells import Univariate, cells_of
from sr2hls.analyze.interval import Interval
from sr2hls.analyze.intervals import Intervals
from sr2hls.analyze.ranges import Analysis, Domain, analyze, at_codes, functions_of
from sr2hls.analyze.sensitivity import reverse_slopes
from sr2hls.errors import DomainError, UnsupportedError
from sr2hls.program import Kind, Program

Reals = NDArray[np.float64]

BOXES = {"low": 16, "normal": 48, "high": 192}  # at most, by effort
RESCUE = 128  # at least, where one box meets a pole

_WORTH = 0.75  # bits, over all words, from which boxes are worth their while
_DONE = 0.1  # bits that are left to gain where the subdivision ends
_POINTS = 32  # beside corners of the domain
_CORNERS = 4  # inputs whose corners are all tried
_PATIENCE = 8  # halvings in a row that may gain nothing; as many as there are boxes where these are more
_TRIALS = 8  # boxes that may be evaluated for each one that is kept
_LOSS = 1e-3  # bits that merging two boxes may cost
_LEAST = 2.0**-60
_FLAT = frozenset({Kind.LESS, Kind.TURNS})
_MIXING = frozenset({Kind.PRODUCT, Kind.FUNCTION, Kind.MAXIMUM, Kind.MINIMUM, Kind.ABSOLUTE, Kind.SELECT})


def subdivided(program: Program, domains: Mapping[str, Domain], most: int, rescue: int | None = None) -> Analysis:
    """The analysis in one box, or in at most `most` where that is materially tighter.

    Where one box meets a pole or a domain edge that no input may meet, `rescue` boxes may be taken (None: as many).

    Raises DomainError and UnsupportedError as `analyze`, where no such partition avoids it.
    """
    functions = functions_of(program)
    try:
        whole = analyze(program, domains, functions=functions)
    except (DomainError, UnsupportedError):
        most = most if rescue is None else rescue
        if most < 2 or len(program.inputs) < 2:
            raise
        search = _Search(program, domains, _forward(program, domains, functions), most)
        partition = search.partition() if search.defined_at_points() else None
        if partition is None:
            raise
        return analyze(program, domains, partition, functions)
    if most < 2 or not _may_help(program, domains):
        return whole
    partition = _Search(program, domains, _forward(program, domains, functions, whole), most).partition()
    return whole if partition is None else analyze(program, domains, partition, functions)


def on_cuts(
    program: Program,
    domains: Mapping[str, Domain],
    cuts: tuple[Cut, ...],
    functions: Mapping[str, Univariate],
    whole: Analysis | None = None,
) -> Analysis:
    """The analysis in the boxes that were found for another program over the same inputs.

    whole: the program's analysis in one box, where it has one.

    Raises DomainError where a function may not be finite in a box, and as `analyze`.
    """
    forward = _forward(program, domains, functions, whole)
    boxes = [
        forward.box(c)
        for c in boxes_of(cuts, {s.name: (domains[s.name].low, domains[s.name].high) for s in program.inputs})
    ]
    for box in boxes:
        if not box.defined:
            raise DomainError(f"'{functions[box.undefined].origin}' may not be finite in the box {dict(box.codes)}")
    return analyze(program, domains, Partition(cuts, tuple(boxes)), functions)


def _may_help(program: Program, domains: Mapping[str, Domain]) -> bool:
    """Not where each step has one operand, or is a sum of functions of the inputs."""
    inputs = {name for name, domain in domains.items() if domain.narrow}
    mixing = [
        a
        for a in program.assignments
        if a.kind in _MIXING and not (a.kind is Kind.FUNCTION and {s.name for s in a.expression.free_symbols} <= inputs)
    ]
    return len(program.inputs) > 1 and bool(mixing)


def _forward(
    program: Program,
    domains: Mapping[str, Domain],
    functions: Mapping[str, Univariate],
    whole: Analysis | None = None,
) -> Forward:
    enumerated = {}
    for step in program.assignments:
        if step.kind is Kind.FUNCTION:
            (argument,) = (s.name for s in step.expression.free_symbols)
            domain = domains.get(argument)
            if domain is not None and domain.narrow:
                values = at_codes(functions[step.symbol.name], domain)
                held = Intervals.of([Interval(v.lower(), v.upper()) for v in values])
                enumerated[step.symbol.name] = domain.low, held
    fractions = {s.name: domains[s.name].format.fraction for s in program.inputs}
    forward = Forward(program, fractions, functions, enumerated)
    if whole is not None:
        forward.known, forward.cells = whole.ranges, whole.cells
    return forward


@dataclass(eq=False)
class _Node:
    """A box in the tree: `ends`: lower ends negated, upper ends, then log2 of slopes; infinite where undefined."""

    box: Box
    ends: Reals
    cut: Cut = LEAF
    halves: tuple[_Node, _Node] | None = None


class _Search:
    """Best-first subdivision. `best` is what the points reach of each of a node's `ends`: no box gets below it."""

    def __init__(
        self,
        program: Program,
        domains: Mapping[str, Domain],
        forward: Forward,
        most: int,
    ) -> None:
        self.program, self.forward, self.most = program, forward, most
        self.steps = [a.symbol.name for a in program.assignments if a.kind not in _FLAT]
        self.slopes = [
            (symbol.name, a.symbol.name)
            for _, symbol in program.outputs
            for a in program.assignments
            if a.kind not in _FLAT
        ]
        self.whole: Codes = {s.name: (domains[s.name].low, domains[s.name].high) for s in program.inputs}
        self.root = self.node(self.whole)
        self.best: Reals = np.full(self.root.ends.shape, -np.inf)
        self.points = [self.point(codes) for codes in _points(self.whole)]

    def node(self, codes: Codes) -> _Node:
        box = self.forward.box(codes)
        return _Node(box, self._ends(box))

    def point(self, codes: Codes) -> bool:
        """Whether the formula is defined there; what it reaches is noted."""
        ends = self.node(codes).ends
        if not np.isfinite(ends).all():
            return False
        self.best = np.maximum(self.best, ends)
        return True

    def defined_at_points(self) -> bool:
        return all(self.points)

    def _ends(self, box: Box) -> Reals:
        if not box.defined:
            found = np.full(2 * len(self.steps) + len(self.slopes), np.inf)
            for index, name in enumerate(self.steps):
                if name in box.ranges:
                    found[2 * index : 2 * index + 2] = _pair(box.ranges[name])
            return found
        sizes = {name: float(found.magnitude) for name, found in box.ranges.items()}
        slopes = {name: self._slope(box, name, slope) for name, slope in box.slopes.items()}
        ends = [end for name in self.steps for end in _pair(box.ranges[name])]
        weights = {
            symbol.name: reverse_slopes(self.program, symbol.name, sizes, slopes) for _, symbol in self.program.outputs
        }
        logs = [math.log2(max(float(weights[output].get(step, 0.0)), _LEAST)) for output, step in self.slopes]
        return np.array(ends + logs)

    def _slope(self, box: Box, name: str, slope: float | None) -> float:
        """Next to a vertical tangent a typical slope serves, as in `Cells.steepest`."""
        cells = self.forward.cells.get(name)
        typical = None if cells is None else cells.steepest
        if slope is None and typical is None:
            (argument,) = (s.name for s in self.forward.functions[name].expression.free_symbols)
            inside, value = (_pair(box.ranges[part]) for part in (argument, name))
            return (value[0] + value[1]) / max(inside[0] + inside[1], _LEAST)
        return min(part for part in (slope, typical) if part is not None)

    def _gains(self, most: Reals) -> Reals:
        """Bits that are left to gain of each of the ends, between what the boxes and what the points reach."""
        count = 2 * len(self.steps)
        gains = np.zeros(most.shape)
        low, high, low_best, high_best = most[0:count:2], most[1:count:2], self.best[0:count:2], self.best[1:count:2]
        bits = _word(low, high, low_best, high_best)
        over = np.maximum(most[:count] - self.best[:count], 0.0)
        total = np.maximum(over[0::2] + over[1::2], _LEAST)
        gains[0:count:2], gains[1:count:2] = bits * over[0::2] / total, bits * over[1::2] / total
        gains[count:] = np.maximum(most[count:] - self.best[count:], 0.0)
        return gains

    def partition(self) -> Partition | None:
        """The boxes; None where they gain too little, or do not settle where the formula is defined."""
        leaves = [self.root]
        whole = self.root.box.defined
        if whole and self._gains(self.root.ends).sum() < _WORTH:
            return None
        spent = self.forward.count + _TRIALS * self.most
        left, idle = math.inf, 0
        while len(leaves) < self.most and self.forward.count < spent and idle < max(_PATIENCE, len(leaves)):
            at = self._next(leaves)
            if at is None:
                break
            node = leaves[at]
            if not node.box.defined and not self.point(_middle(node.box.codes)):
                return None
            if node.box.defined:
                self.point(_middle(node.box.codes))
            self._halve(node, leaves)
            if node.halves is None:
                break
            leaves[at : at + 1] = node.halves
            if not self.forward.cells and all(leaf.box.defined for leaf in leaves) and not self._learn(leaves):
                return None
            if all(leaf.box.defined for leaf in leaves):
                now = float(self._gains(np.max([leaf.ends for leaf in leaves], axis=0)).sum())
                idle = idle + 1 if now > left - _DONE else 0
                left = now if idle == 0 else left
        if not all(leaf.box.defined for leaf in leaves):
            return None
        most = np.max([leaf.ends for leaf in leaves], axis=0)
        if whole and self._lost(self.root.ends, most) < _WORTH:
            return None
        self._merge(self.root, most)
        leaves = _leaves(self.root)
        return Partition(tuple(_cuts(self.root)), tuple(leaf.box for leaf in leaves)) if len(leaves) > 1 else None

    def _learn(self, leaves: list[_Node]) -> bool:
        """Once the formula is defined in all boxes: cells of its functions on what these reach, to bound slopes by."""
        found = {}
        for name, function in self.forward.functions.items():
            if name not in self.forward.enumerated:
                reached = Interval.hull(*(leaf.box.ranges[function.variable.name] for leaf in leaves))
                try:
                    found[name] = cells_of(function, reached)
                except (DomainError, UnsupportedError):
                    return False
        self.forward.cells = found
        for leaf in leaves:
            leaf.box = self.forward.box(leaf.box.codes)
            leaf.ends = self._ends(leaf.box)
        return True

    def _next(self, leaves: list[_Node]) -> int | None:
        """The leaf to halve: the first where the formula may be undefined, else the one that holds up most."""
        for index, leaf in enumerate(leaves):
            if not leaf.box.defined:
                return index
        ends = np.array([leaf.ends for leaf in leaves])
        gains = self._gains(ends.max(axis=0))
        if gains.max() < _DONE:
            return None
        scores = np.zeros(len(leaves))
        np.add.at(scores, ends.argmax(axis=0), np.where(gains >= _DONE / 4, gains, 0.0))
        for index, leaf in enumerate(leaves):
            if all(low == high for low, high in leaf.box.codes.values()):
                scores[index] = 0.0
        return int(scores.argmax()) if scores.max() > 0 else None

    def _halve(self, node: _Node, leaves: list[_Node]) -> None:
        """Along the input that takes away most of what this box holds up, in both halves or else in one of them.

        Where none does, as between two halves that are alike, along one that the ranges of many steps depend on.
        """
        held = np.zeros(node.ends.shape)
        if node.box.defined:
            most = np.max([leaf.ends for leaf in leaves], axis=0)
            held = np.where(node.ends >= most, self._gains(most), 0.0)
        best: tuple[float, ...] | None = None
        for name, (low, high) in node.box.codes.items():
            if low == high:
                continue
            middle = (low + high) // 2
            halves = tuple(self.node({**node.box.codes, name: part}) for part in ((low, middle), (middle + 1, high)))
            length = (high - low + 1) / (self.whole[name][1] - self.whole[name][0] + 1)
            worth = *self._worth(node, halves, held), length * _narrowed(node, halves, self.steps)
            if best is None or worth > best:
                best = worth
                node.cut, node.halves = (name, middle), halves  # type: ignore[assignment]

    def _worth(self, node: _Node, halves: tuple[_Node, ...], held: Reals) -> tuple[float, float]:
        if not node.box.defined:
            return float(sum(len(half.box.ranges) for half in halves)), 0.0
        left = np.maximum(node.ends - self.best, _LEAST)
        first, second = (held * np.clip((node.ends - half.ends) / left, 0.0, 1.0) for half in halves)
        return float(np.minimum(first, second).sum()), float((first + second).sum())

    def _lost(self, before: Reals, after: Reals) -> float:
        """Bits between two sets of ends."""
        count = 2 * len(self.steps)
        low, high, low_after, high_after = before[0:count:2], before[1:count:2], after[0:count:2], after[1:count:2]
        bits = _word(low, high, low_after, high_after)
        return float(bits.sum() + (before[count:] - after[count:]).sum())

    def _merge(self, node: _Node, most: Reals) -> None:
        """Undo cuts that all boxes together do not need."""
        if node.halves is None:
            return
        for half in node.halves:
            self._merge(half, most)
        if any(half.halves is not None for half in node.halves) or not node.box.defined:
            return
        if self._lost(np.maximum(node.ends, most), most) <= _LOSS:
            node.cut, node.halves = LEAF, None


def _narrowed(node: _Node, halves: tuple[_Node, ...], steps: list[str]) -> float:
    """How much narrower the ranges of all steps are in the halves."""
    total = 1e-6
    for half in halves:
        for name in steps:
            if name in half.box.ranges and name in node.box.ranges:
                before, after = (sum(_pair(box.ranges[name])) for box in (node.box, half.box))
                total += 1.0 - after / before if before > 0 else 0.0
    return total


def _word(low: Reals, high: Reals, low_after: Reals, high_after: Reals) -> Reals:
    """Bits that words lose where their ranges get narrower; lower ends negated."""
    width = _bits(low + high, low_after + high_after)
    return (width + _bits(np.maximum(low, high), np.maximum(low_after, high_after))) / 2


def _bits(wide: Reals, narrow: Reals) -> Reals:
    return np.asarray(np.log2(np.maximum(wide, _LEAST) / np.maximum(np.minimum(narrow, wide), _LEAST)))


def _pair(found: Interval) -> tuple[float, float]:
    low, high = found.floats()
    return -low, high


def _middle(codes: Codes) -> Codes:
    return {name: ((low + high) // 2,) * 2 for name, (low, high) in codes.items()}


def _points(whole: Codes) -> list[Codes]:
    """Corners of the domain, and points spread evenly inside (Kronecker's sequence by square roots of primes)."""
    names = list(whole)
    found: list[Codes] = [
        {name: (whole[name][bits >> i % _CORNERS & 1],) * 2 for i, name in enumerate(names)}
        for bits in range(1 << min(len(names), _CORNERS))
    ]
    rates = [math.sqrt(prime) for prime in _primes(len(names))]
    for number in range(1, _POINTS + 1):
        point = {}
        for name, rate in zip(names, rates, strict=True):
            low, high = whole[name]
            point[name] = (low + int((number * rate) % 1.0 * (high - low + 1)),) * 2
        found.append(point)
    return found


def _primes(count: int) -> list[int]:
    found: list[int] = []
    number = 2
    while len(found) < count:
        if all(number % prime for prime in found):
            found.append(number)
        number += 1
    return found


def _leaves(node: _Node) -> list[_Node]:
    return [node] if node.halves is None else [*_leaves(node.halves[0]), *_leaves(node.halves[1])]


def _cuts(node: _Node) -> list[Cut]:
    return [node.cut] if node.halves is None else [node.cut, *_cuts(node.halves[0]), *_cuts(node.halves[1])]
