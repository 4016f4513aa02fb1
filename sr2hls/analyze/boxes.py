"""A part of the input domain → the ranges of all steps there, and the slopes of its functions: one box's evaluation.

A partition of the domain into boxes is a tree of cuts, written as its nodes before their halves, lower half first:
(input, code) where a box is cut after that code of that input, ("", 0) for a box. So the boxes always cover the
domain, each input once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from flint import arb

from sr2hls.analyze.cells import Cell, Cells, Univariate, bounded_cell
from sr2hls.analyze.interval import Interval
from sr2hls.analyze.intervals import Intervals
from sr2hls.analyze.ranges import step_range
from sr2hls.program import Kind, Program

Cut = tuple[str, int]
Codes = Mapping[str, tuple[int, int]]

LEAF: Cut = ("", 0)
_PARTS = 4  # of an argument's range on which a function is not monotone


@dataclass(frozen=True)
class Box:
    """Codes of the inputs; ranges of the steps' values, up to the first function that may not be finite there.

    slopes: |derivative| of the functions that are not enumerated; None where it has no bound.
    """

    codes: Codes
    ranges: Mapping[str, Interval]
    slopes: Mapping[str, float | None]
    undefined: str = ""  # the first such function

    @property
    def defined(self) -> bool:
        return not self.undefined


@dataclass(frozen=True)
class Partition:
    """Boxes that cover the domain, in the order of the leaves of the tree of `cuts`."""

    cuts: tuple[Cut, ...]
    boxes: tuple[Box, ...]

    @cached_property
    def ranges(self) -> Mapping[str, Intervals]:
        """Per symbol the ranges of all boxes."""
        return {name: Intervals.of([box.ranges[name] for box in self.boxes]) for name in self.boxes[0].ranges}


@dataclass
class Forward:
    """Evaluates boxes of one program. `functions` by symbol name; `enumerated`: the word of those whose argument is a
    narrow input; `known`: ranges on the whole domain, where there are, `cells`: of the functions' whole arguments."""

    program: Program
    fractions: Mapping[str, int]  # fraction bits per input
    functions: Mapping[str, Univariate]
    enumerated: Mapping[str, tuple[int, Intervals]]  # lowest code, the values at all codes
    known: Mapping[str, Interval] = field(default_factory=dict)
    cells: Mapping[str, Cells] = field(default_factory=dict)
    count: int = 0
    _inputs: dict[tuple[str, int, int], tuple[Interval, float | None] | None] = field(default_factory=dict)

    def box(self, codes: Codes) -> Box:
        """The ranges in a box of codes."""
        self.count += 1
        ranges: dict[str, Interval] = {}
        slopes: dict[str, float | None] = {}
        for symbol in self.program.inputs:
            unit = arb(2) ** -self.fractions[symbol.name]
            low, high = codes[symbol.name]
            ranges[symbol.name] = Interval(arb(low) * unit, arb(high) * unit)
        for step in self.program.assignments:
            name = step.symbol.name
            if step.kind is Kind.FUNCTION:
                (argument,) = (s.name for s in step.expression.free_symbols)
                found = self._function(name, argument, codes, ranges[argument])
                if found is None:
                    return Box(codes, ranges, slopes, undefined=name)
                ranges[name] = found[0]
                if name not in self.enumerated:
                    slopes[name] = found[1]
            else:
                ranges[name] = step_range(step, ranges)
            whole = self.known.get(name)
            if whole is not None:
                ranges[name] = ranges[name].meet(whole)
        return Box(codes, ranges, slopes)

    def _function(self, name: str, argument: str, codes: Codes, over: Interval) -> tuple[Interval, float | None] | None:
        if argument not in codes:
            found = bounded(self.functions[name], over, self.cells.get(name))
            return None if found is None else (found[0].rounded(), found[1])
        key = name, *codes[argument]
        if key not in self._inputs:
            self._inputs[key] = self._of_input(name, key[1], key[2], over)
        return self._inputs[key]

    def _of_input(self, name: str, low: int, high: int, over: Interval) -> tuple[Interval, float | None] | None:
        if name not in self.enumerated:
            return bounded(self.functions[name], over, self.cells.get(name))
        first, values = self.enumerated[name]
        part = slice(low - first, high + 1 - first)
        return Intervals(values.low[part], values.high[part]).hull, None


def bounded(function: Univariate, domain: Interval, cells: Cells | None = None) -> tuple[Interval, float | None] | None:
    """The values on an interval and the largest |slope|; None where there is no bound of the values.

    `cells` of a larger interval may know a slope where one evaluation on the whole of this one does not.
    """
    slope = _slope(function, domain, cells)
    value = _between(function, domain, slope)
    if value is None:
        parts = []
        for part in domain.split(_PARTS):
            cell = bounded_cell(function, part)
            inside = _between(function, part, cell.slope)
            parts.append(cell if inside is None else Cell(part, inside, cell.slope))
        if not all(part.value.finite for part in parts):
            return None
        value = Interval.hull(*(part.value for part in parts))
        slopes = [part.slope for part in parts if part.slope is not None]
        if slope is None and len(slopes) == len(parts):
            slope = Interval.hull(*slopes)
    return value, None if slope is None else float(slope.magnitude)


def _slope(function: Univariate, domain: Interval, cells: Cells | None) -> Interval | None:
    found = function.taylor(domain.ball, 2)[1]
    slope = Interval(found.lower(), found.upper()) if found.is_finite() else None
    known = None if cells is None else cells.slope_on(domain)
    if slope is None or known is None:
        return known if slope is None else slope
    return slope.meet(known)


def _between(function: Univariate, domain: Interval, slope: Interval | None) -> Interval | None:
    """The values between those at both ends, where the slope has one sign."""
    if slope is None or slope.low < 0 < slope.high:
        return None
    ends = [function.at(domain.low), function.at(domain.high)]
    if not all(end.is_finite() for end in ends):
        return None
    return Interval.hull(*(Interval(end.lower(), end.upper()) for end in ends))


def boxes_of(cuts: tuple[Cut, ...], whole: Codes) -> list[Codes]:
    """The boxes that a tree of cuts makes of the whole domain."""
    waiting, found = [whole], []
    for name, code in cuts:
        box = waiting.pop()
        if not name:
            found.append(box)
            continue
        low, high = box[name]
        waiting += [{**box, name: (code + 1, high)}, {**box, name: (low, code)}]
    return found
