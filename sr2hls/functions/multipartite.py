"""`FunctionSpec` → a table of initial values plus one or two tables of offsets, proven for every argument.

f(x) ≈ initial[high bits] + offset[some high bits, low bits] (+ a second offset): bipartite tables (Das Sarma, Matula,
ARITH 1995) and, with two offsets, multipartite ones (de Dinechin, Tisserand, IEEE Trans. Computers 54, 2005). The
offsets are quantized first; the initial values are then centered, segment by segment, on the exact behavior of
everything already quantized, the final truncation included, so the result is a slice of the sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from flint import arb

from sr2hls.analyze.interval import Interval
from sr2hls.builder import CircuitBuilder
from sr2hls.functions.reference import Codes, Reals, Reference, reference_of
from sr2hls.functions.spec import Evaluator, FunctionSpec

NARROWEST, WIDEST = 6, 14  # bits of an argument
_GUARD_BITS = 4
_TRIALS = 40  # exact trials of one number of offset tables
_ROOM_BITS = 8  # that the reference must be finer than the sum

Price = Callable[[Codes, int], float]  # the LUTs of a table's entries with so many address bits


@dataclass(frozen=True, slots=True)
class _Offset:
    """An offset table addressed by the `rows` highest bits of the word and `width` bits from bit `place` on."""

    rows: int
    width: int
    place: int
    error: float  # of the approximation that it makes, ulps
    values: Reals  # 2^rows x 2^width, ulps

    def codes(self, guard: int) -> Codes:
        """Quantized, each row from 0 on: the initial values take the rest."""
        codes = np.floor(np.ldexp(self.values, guard) + 0.5)
        return (codes - codes.min(axis=1, keepdims=True)).astype(np.int64)


@dataclass(frozen=True, slots=True)
class _Plan:
    cost: float
    guard: int
    offsets: tuple[_Offset, ...]


def plans(spec: FunctionSpec, price: Price, adder: Callable[[int], float]) -> Iterator[Evaluator]:
    """The cheapest bipartite and the cheapest tripartite evaluator that meet the tolerance.

    Args:
        price: the LUTs of a table (entries by address, address bits).
        adder: the LUTs of an adder of so many bits.
    """
    width = spec.word.width
    if not NARROWEST <= width <= WIDEST or spec.high - spec.low < 1 << (NARROWEST - 1):
        return
    reference = reference_of(spec)
    drop = reference.fraction - spec.fraction
    room = float(spec.tolerance * arb(2) ** spec.fraction) - 0.5  # ulps beyond the final rounding
    if room <= 0.01 or not _GUARD_BITS + _ROOM_BITS <= drop <= 62:
        return
    search = _Search(spec, reference, drop, room, price, adder)
    for candidates in (search.bipartite(), search.tripartite()):
        found = search.first(candidates)
        if found is not None:
            yield found


class _Search:
    """The splits of one word: approximations in float64 order them, exact integers decide."""

    def __init__(
        self,
        spec: FunctionSpec,
        reference: Reference,
        drop: int,
        room: float,
        price: Price,
        adder: Callable[[int], float],
    ) -> None:
        self.spec, self.room, self.drop, self.adder = spec, room, drop, adder
        word = spec.word
        size = 1 << word.width
        self.first_code, self.count = spec.low - word.least, spec.high - spec.low + 1
        self.inside = slice(self.first_code, self.first_code + self.count)
        self.lower, self.upper = (np.zeros(size, dtype=np.int64) for _ in range(2))
        self.lower[self.inside], self.upper[self.inside] = reference.lower, reference.upper
        self.values = np.full(size, np.nan)  # in ulps, in the order of the codes; NaN where no argument occurs
        self.values[self.inside] = np.ldexp((reference.lower / 2 + reference.upper / 2), -drop)
        self.price = price
        self.prices: dict[tuple[int, ...], float] = {}
        self.lows = self._offsets(self.values, 0)
        bits = max(abs(int(reference.lower.min())), abs(int(reference.upper.max()))) >> drop
        self.bits = bits.bit_length() + 1

    def _offsets(self, values: Reals, place: int) -> list[_Offset]:
        """All splits of the low bits of `values` that approximate well enough."""
        width = values.size.bit_length() - 1
        found = []
        for low in range(1, width - 2):
            cells = values.reshape(-1, 1 << low)
            apart = cells - _middles(cells)[:, None]
            for rows in range(width - low, -1, -1):
                groups = apart.reshape(1 << rows, -1, 1 << low)
                shared = (np.fmin.reduce(groups, axis=1) + np.fmax.reduce(groups, axis=1)) / 2
                left = (groups - shared[:, None, :]).reshape(-1, 1 << low)
                error = float(np.nanmax(np.fmax.reduce(left, axis=1) - np.fmin.reduce(left, axis=1))) / 2
                if not error < self.room:
                    break  # fewer rows are worse
                found.append(_Offset(rows, low, place, error, _filled(shared)))
            else:
                continue
            if rows == width - low:
                break  # not even all rows: a wider split is worse
        return found

    def _price(self, offset: _Offset, guard: int) -> float:
        key = (offset.rows, offset.width, offset.place, guard)
        if key not in self.prices:
            codes = offset.codes(guard)
            self.prices[key] = self.price(codes.reshape(-1), offset.rows + offset.width)
        return self.prices[key]

    def _initial_price(self, low: int, guard: int) -> float:
        key = (low, guard)
        if key not in self.prices:
            middles = _filled(_middles(self.values.reshape(-1, 1 << low)))
            codes = np.floor(np.ldexp(middles, guard)).astype(np.int64)
            self.prices[key] = self.price(codes, self.spec.word.width - low) + self.adder(self.bits + guard)
        return self.prices[key]

    def bipartite(self) -> Iterator[_Plan]:
        for offset in self.lows:
            for guard in range(_GUARD_BITS):
                if self._hopeful(offset.error, guard, 1):
                    cost = self._price(offset, guard) + self._initial_price(offset.width, guard)
                    yield _Plan(cost, guard, (offset,))

    def tripartite(self) -> Iterator[_Plan]:
        for low in sorted({offset.width for offset in self.lows}):
            coarse = _middles(self.values.reshape(-1, 1 << low))
            highs = self._offsets(coarse, low)
            for guard in range(1, _GUARD_BITS + 1):
                for second in (o for o in self.lows if o.width == low):
                    for first in highs:
                        if first.rows >= second.rows and self._hopeful(first.error + second.error, guard, 2):
                            cost = self._price(first, guard) + self._price(second, guard)
                            cost += self._initial_price(low + first.width, guard) + self.adder(self.bits + guard)
                            yield _Plan(cost, guard, (first, second))

    def _hopeful(self, error: float, guard: int, tables: int) -> bool:
        """Whether the rounding of the tables may leave the sum within the tolerance."""
        return error + 0.25 * tables * 2.0**-guard < self.room

    def first(self, candidates: Iterator[_Plan]) -> Evaluator | None:
        """The cheapest that an exact trial accepts."""
        for plan in sorted(candidates, key=lambda p: p.cost)[:_TRIALS]:
            found = self._trial(plan)
            if found is not None:
                return found
        return None

    def _trial(self, plan: _Plan) -> Evaluator | None:
        width, guard, drop = self.spec.word.width, plan.guard, self.drop
        inner = np.zeros(1 << width, dtype=np.int64)
        tables = [offset.codes(guard) for offset in plan.offsets]
        for offset, codes in zip(plan.offsets, tables, strict=True):
            shape = (1 << offset.rows, -1, 1 << offset.width, 1 << offset.place)
            inner.reshape(shape)[...] += codes[:, None, :, None]
        low = plan.offsets[0].width + plan.offsets[0].place
        cells = (np.ldexp(self.values, guard) - inner).reshape(-1, 1 << low)
        start = np.floor(_filled(_middles(cells)) + (1 << guard) / 2).astype(np.int64)
        best, least = start, self._worst(start, inner, guard)
        for shift in (-1, 1) if guard else ():
            worst = self._worst(start + shift, inner, guard)
            best, least = np.where(worst < least, start + shift, best), np.minimum(worst, least)
        below, above = self._errors(best, inner, guard)
        scale = arb(2) ** -(drop + self.spec.fraction)
        error = Interval(arb(int(below.min())) * scale, arb(int(above.max())) * scale)
        if not error.magnitude <= self.spec.tolerance:
            return None
        total = (np.repeat(best, 1 << low) + inner)[self.inside] >> guard
        return _evaluator(self.spec, plan, error, best, tables, (int(total.min()), int(total.max())))

    def _worst(self, initial: Codes, inner: Codes, guard: int) -> Codes:
        """The largest error of each segment, in units of the reference."""
        worst: Codes = np.abs(self._errors(initial, inner, guard)).reshape(2, initial.size, -1).max(axis=(0, 2))
        return worst

    def _errors(self, initial: Codes, inner: Codes, guard: int) -> Codes:
        """Result - function at every code, from below and from above, in units of the reference."""
        result = ((inner.reshape(initial.size, -1) + initial[:, None]) >> guard).reshape(-1) << self.drop
        errors = np.zeros((2, result.size), dtype=np.int64)
        errors[0, self.inside] = (result - self.upper)[self.inside]
        errors[1, self.inside] = (result - self.lower)[self.inside]
        return errors


def _middles(cells: Reals) -> Reals:
    """Per row the middle between its least and greatest number; NaN where it has none."""
    middles: Reals = (np.fmin.reduce(cells, axis=1) + np.fmax.reduce(cells, axis=1)) / 2
    return middles


def _filled(values: Reals) -> Reals:
    """Entries that no argument reaches repeat their nearest neighbor: smooth tables are small."""
    flat = values.reshape(-1)
    known = np.flatnonzero(~np.isnan(flat))
    if known.size == flat.size:
        return values
    nearest = np.clip(np.searchsorted(known, np.arange(flat.size)), 0, known.size - 1)
    return flat[known[nearest]].reshape(values.shape)


def _evaluator(
    spec: FunctionSpec, plan: _Plan, error: Interval, initial: Codes, tables: list[Codes], reach: tuple[int, int]
) -> Evaluator:
    entries = [initial.size, *(table.size for table in tables)]
    if spec.word.signed:  # the order of the bit patterns: nonnegative codes first
        initial = np.roll(initial, initial.size // 2)
        tables = [np.roll(table, table.shape[0] // 2, axis=0) for table in tables]
    build = partial(
        _build,
        fraction=(spec.fraction, spec.fraction + plan.guard),
        initial=tuple(map(int, initial)),
        offsets=tuple(
            (offset, tuple(map(int, table.reshape(-1)))) for offset, table in zip(plan.offsets, tables, strict=True)
        ),
        reach=reach,
    )
    kind = "bipartite" if len(tables) == 1 else "tripartite"
    return Evaluator(f"{kind} table of {' + '.join(map(str, entries))} entries", error, build)


def _build(
    b: CircuitBuilder,
    arg: int,
    fraction: tuple[int, int],
    initial: tuple[int, ...],
    offsets: tuple[tuple[_Offset, tuple[int, ...]], ...],
    reach: tuple[int, int],
) -> int:
    width = b[arg].format.width
    bits = len(initial).bit_length() - 1
    total = b.lookup(b.slice(arg, width - 1, width - bits), initial, fraction[1], "initial")
    for offset, codes in offsets:
        address = b.slice(arg, offset.place + offset.width - 1, offset.place)
        if offset.rows:
            address = b.concat(b.slice(arg, width - 1, width - offset.rows), address)
        total = b.add(total, b.lookup(address, codes, fraction[1], "offset"))
    return b.narrow(b.round_to(total, fraction[0]), *reach)
