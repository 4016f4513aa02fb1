"""`FunctionSpec` → polynomials of degree 1 or 2 on equal segments, proven for every argument.

The coefficients of the powers are fitted and quantized from the highest down, each on what the ones above leave; the
constants are then centered on the exact truncated sum (`sr2hls.functions.exhaustive`).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial

import numpy as np

from sr2hls.builder import CircuitBuilder
from sr2hls.functions.exhaustive import Exhaustive, by_pattern, filled
from sr2hls.functions.reference import Codes, Reals
from sr2hls.functions.spec import Evaluator, FunctionSpec

NARROWEST, WIDEST = 12, 18  # bits of an argument
_DEGREES = (1, 2)
_LEAST_OFFSET = 3  # bits of the offset in a segment
_MORE_SEGMENTS = 1  # doublings beyond the fewest segments that are tried
_FINENESS = 4  # guard bits, and bits of the coefficients beyond the result, that are tried


def plans(spec: FunctionSpec) -> Iterator[Evaluator]:
    """Per degree and number of segments, the evaluator with the fewest extra bits that meets the tolerance."""
    width = spec.word.width
    if not NARROWEST <= width <= WIDEST or spec.high - spec.low < 1 << (width - 2):
        return
    exhaustive = Exhaustive(spec)
    if not exhaustive.possible:
        return
    values = filled(exhaustive.values)
    for degree in _DEGREES:
        found = 0
        for bits in range(1, width - _LEAST_OFFSET + 1):
            cells = values.reshape(1 << bits, -1)
            if found == 0 and not _approximation(cells, degree) < exhaustive.room:
                continue
            evaluator = _finest(exhaustive, cells, degree)
            if evaluator is not None:
                yield evaluator
            found += 1
            if found > _MORE_SEGMENTS:
                break


def _approximation(cells: Reals, degree: int) -> float:
    """The largest error of the fitted polynomials, in ulps, their constants centered."""
    count = cells.shape[1]
    left = cells - (cells @ _fit(count, degree).T) @ _powers(count, degree).T
    return float((left.max(axis=1) - left.min(axis=1)).max()) / 2


def _finest(exhaustive: Exhaustive, cells: Reals, degree: int) -> Evaluator | None:
    for total in range(2 * _FINENESS + 1):
        for guard in range(max(0, total - _FINENESS), min(total, _FINENESS) + 1):
            found = _trial(exhaustive, cells, degree, guard, total - guard)
            if found is not None:
                return found
    return None


def _trial(exhaustive: Exhaustive, cells: Reals, degree: int, guard: int, extra: int) -> Evaluator | None:
    """Powers' coefficients with `extra` bits beyond the result, the sum with `guard`."""
    if 0.25 * 2.0**-extra + 0.25 * 2.0**-guard >= exhaustive.room + 0.2:
        return None
    count = cells.shape[1]
    bits = count.bit_length() - 1
    r = np.arange(count, dtype=np.int64)
    columns: list[Codes] = []  # from the highest power down
    value = np.zeros(cells.shape, dtype=np.int64)  # of the part of Horner's scheme so far
    for power in range(degree, 0, -1):
        carried = (value * r) >> bits if columns else value
        known = np.ldexp(carried * (r / count) ** power, -extra)
        coefficients = (cells - known) @ _fit(count, power)[power]
        codes = np.floor(np.ldexp(coefficients, extra) + 0.5).astype(np.int64)
        columns.append(codes)
        value = carried + codes[:, None]
    inner = (value * r) >> (bits + extra - guard)
    centered = exhaustive.center(inner.reshape(-1), bits, guard)
    if centered is None:
        return None
    spec = exhaustive.spec
    ordered = [tuple(map(int, by_pattern(spec, column))) for column in (*columns, centered.constants)]
    build = partial(
        _build,
        offset_bits=bits,
        columns=tuple(ordered),
        fractions=(spec.fraction + extra, spec.fraction + guard, spec.fraction),
        reach=centered.reach,
    )
    return Evaluator(f"polynomial of degree {degree} on {cells.shape[0]} equal segments", centered.error, build)


def _build(
    b: CircuitBuilder,
    arg: int,
    offset_bits: int,
    columns: tuple[tuple[int, ...], ...],
    fractions: tuple[int, int, int],
    reach: tuple[int, int],
) -> int:
    inner, outer, result = fractions
    address = b.slice(arg, b[arg].format.width - 1, offset_bits)
    r = b.shift(b.slice(arg, offset_bits - 1, 0), -offset_bits)
    value = b.lookup(address, columns[0], inner, f"coefficient{len(columns) - 1}")
    for power, column in zip(range(len(columns) - 2, -1, -1), columns[1:], strict=True):
        fraction = inner if power else outer
        constants = b.lookup(address, column, fraction, f"coefficient{power}")
        value = b.add(b.round_to(b.mul(value, r), fraction), constants)
    return b.narrow(b.round_to(value, result), *reach)


@cache
def _powers(count: int, degree: int) -> Reals:
    r = np.arange(count) / count
    return np.stack([r**j for j in range(degree + 1)], axis=1)


@cache
def _fit(count: int, degree: int) -> Reals:
    """The matrix from values at r = 0, 1/count, ... to coefficients: least squares with Chebyshev's weight."""
    u = (2 * np.arange(count) + 1) / count - 1
    weight = (1.0001 - u * u) ** -0.25
    result: Reals = np.linalg.pinv(_powers(count, degree) * weight[:, None]) * weight
    return result
