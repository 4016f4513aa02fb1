"""`FunctionSpec` → piecewise polynomials of degree 1 to 3 in Horner form, each segment with an interval proof."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from sr2hls.analyze.interval import Interval
from sr2hls.builder import CircuitBuilder
from sr2hls.circuit import Rounding
from sr2hls.formats import Format
from sr2hls.functions.fit import Fit, fit_segment
from sr2hls.functions.segments import Octaves, Segmentation, Uniform
from sr2hls.functions.spec import Evaluator, FunctionSpec

_WIDEST_ADDRESS = 12
_DEGREES = (2, 1, 3)  # the usual winner first: it prunes the others
_GUARD_BITS = (4, 6, 8)


@dataclass(frozen=True, slots=True)
class _Shape:
    segmentation: Segmentation
    degree: int
    guard: int


def plan(spec: FunctionSpec) -> Evaluator | None:
    """The cheapest polynomial evaluator, by table bits and multiplier area, whose proven error meets the tolerance."""
    best: tuple[float, Evaluator] | None = None
    for degree in _DEGREES:
        for family in _families(spec, degree):
            found = _first_that_works(spec, family, best[0] if best else math.inf)
            if found is not None and (best is None or found[0] < best[0]):
                best = found
    return best[1] if best else None


def _families(spec: FunctionSpec, degree: int) -> Iterator[list[_Shape]]:
    width = spec.word.width
    most = min(_WIDEST_ADDRESS, width - 2)
    yield [_Shape(Uniform(spec.word, bits), degree, g) for bits in range(2, most + 1) for g in _GUARD_BITS]
    if not spec.word.signed and width > 3:
        most = min(_WIDEST_ADDRESS - width.bit_length(), width - 3)
        yield [_Shape(Octaves(spec.word, bits), degree, g) for bits in range(1, most + 1) for g in _GUARD_BITS]


def _first_that_works(spec: FunctionSpec, shapes: list[_Shape], cheaper_than: float) -> tuple[float, Evaluator] | None:
    stubborn: tuple[int, int] | None = None  # the code range of the last segment that failed: tried first
    hopeless: Segmentation | None = None  # more guard bits will not help
    for shape in shapes:
        if shape.segmentation == hopeless:
            continue
        if (1 << shape.segmentation.address_bits) * max(1, spec.fraction) / 64 > cheaper_than:
            return None  # the table of constants alone costs more
        segments = list(shape.segmentation.segments(spec.low, spec.high))
        if stubborn is not None:
            segments.sort(key=lambda s, at=stubborn[0]: abs(s.low - at))  # type: ignore[misc]
        fits: dict[int, Fit] = {}
        for segment in segments:
            fit = fit_segment(spec, segment, shape.degree, shape.guard, shape.segmentation.offset_bits)
            if fit.approximation > spec.tolerance:
                hopeless = shape.segmentation
            if fit.approximation > spec.tolerance or not fit.error.magnitude <= spec.tolerance:
                stubborn = (segment.low, segment.high)
                break
            fits[segment.address] = fit
        else:
            return _assemble(spec, shape, fits)
    return None


def _assemble(spec: FunctionSpec, shape: _Shape, fits: dict[int, Fit]) -> tuple[float, Evaluator]:
    size = 1 << shape.segmentation.address_bits
    columns = []
    for power in range(shape.degree + 1):
        column = [0] * size
        for address, fit in fits.items():
            column[address] = fit.codes[power]
        columns.append(tuple(_filled(column, fits)))
    error = Interval.hull(*(fit.error for fit in fits.values()))
    widths = [Format.least_for(min(c), max(c), 0).width for c in columns]
    cost = sum(widths) * size / 64 + sum(w * min(w, shape.segmentation.offset_bits) for w in widths[1:])

    def build(b: CircuitBuilder, arg: int) -> int:
        return _build(b, arg, spec, shape, columns)

    return cost, Evaluator(f"polynomial of degree {shape.degree} on {shape.segmentation.text}", error, build)


def _filled(column: list[int], fits: dict[int, Fit]) -> list[int]:
    """Addresses that never occur repeat a neighbor's coefficient: a narrower word and a smaller table."""
    last = column[min(fits)]
    for address in range(len(column)):
        if address in fits:
            last = column[address]
        else:
            column[address] = last
    return column


def _build(b: CircuitBuilder, arg: int, spec: FunctionSpec, shape: _Shape, columns: list[tuple[int, ...]]) -> int:
    address, offset = shape.segmentation.build(b, arg)
    fraction = spec.fraction + shape.guard
    r = b.shift(offset, -shape.segmentation.offset_bits)
    coefficients = [b.lookup(address, column, fraction, f"coefficient{power}") for power, column in enumerate(columns)]
    value = coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        value = b.add(b.round_to(b.mul(value, r), fraction), coefficient)
    return b.round_to(value, spec.fraction, Rounding.FLOOR)
