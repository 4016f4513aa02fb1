"""`FunctionSpec` → a table of initial values plus one or two tables of offsets, proven for every argument.

f(x) ≈ initial[high bits] + offset[some high bits, low bits] (+ a second offset): bipartite tables (Das Sarma, Matula,
ARITH 1995) and, with two offsets, multipartite ones (de Dinechin, Tisserand, IEEE Trans. Computers 54, 2005). The
offsets are quantized first; the initial values are then centered, segment by segment, on the exact behavior of
everything already quantized, the final truncation included, so the result is a slice of the sum.

An offset about the middle of its segment is nearly odd: half a table will do, its argument and its result mirrored for
the lower half of the segment (Schulte, Stine, IEEE Trans. Computers 48, 1999).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from sr2hls.builder import CircuitBuilder
from sr2hls.formats import Format
from sr2hls.functions.exhaustive import Centered, Exhaustive, by_pattern, filled, middles
from sr2hls.functions.mirror import mirrored, sizes
from sr2hls.functions.reference import Codes, Reals
from sr2hls.functions.spec import Evaluator, FunctionSpec

NARROWEST, WIDEST = 6, 14  # bits of an argument
_GUARD_BITS = 4
_TRIALS = 40  # exact trials of one number of offset tables
_MIRROR = 0.5  # LUTs that mirroring a bit takes, for ordering: often one with those behind it

Price = Callable[[Codes, int], float]  # the LUTs of a table's entries with so many address bits


@dataclass(frozen=True, slots=True)
class _Offset:
    """An offset table addressed by the `rows` highest bits of the word and `width` bits from bit `place` on.

    Where `odd`, only the upper half of each row is stored.
    """

    rows: int
    width: int
    place: int
    odd: bool
    error: float  # of the approximation that it makes, ulps
    values: Reals  # 2^rows x 2^width, ulps; 2^(width - 1) of them where odd

    @property
    def address_bits(self) -> int:
        return self.rows + self.width - int(self.odd)

    def stored(self, guard: int) -> tuple[Codes, int]:
        """The table's entries, by row and column, and how many bits are mirrored."""
        scaled = np.ldexp(self.values, guard)
        if not self.odd:  # each row from 0 on: the initial values take the rest
            codes = np.floor(scaled + 0.5)
            from_zero: Codes = (codes - codes.min(axis=1, keepdims=True)).astype(np.int64)
            return from_zero, 0
        halves: Codes = np.floor(scaled).astype(np.int64)  # and a half, of either sign
        bits = max(int(halves.max()).bit_length(), (-int(halves.min()) - 1).bit_length()) + 1
        return halves + (1 << (bits - 1)), bits

    def codes(self, guard: int) -> Codes:
        """What the table and its mirroring give, by row and column."""
        stored, bits = self.stored(guard)
        return np.concatenate([(1 << bits) - 1 - stored[:, ::-1], stored], axis=1) if self.odd else stored


@dataclass(frozen=True, slots=True)
class _Plan:
    cost: float
    guard: int
    offsets: tuple[_Offset, ...]


def plans(spec: FunctionSpec, price: Price, adder: Callable[[int], float]) -> Iterator[Evaluator]:
    """The cheapest evaluators that meet the tolerance: bipartite, tripartite, each without and with mirrored tables.

    Mirroring takes time, so a smaller evaluator does not replace one without it.

    Args:
        price: the LUTs of a table (entries by address, address bits).
        adder: the LUTs of an adder of so many bits.
    """
    width = spec.word.width
    if not NARROWEST <= width <= WIDEST or spec.high - spec.low < 1 << (NARROWEST - 1):
        return
    exhaustive = Exhaustive(spec)
    if not exhaustive.possible:
        return
    search = _Search(exhaustive, price, adder)
    most = float("inf")
    for enumerate_plans in (search.bipartite, search.tripartite):
        for odd in (False, True):
            found = search.first(enumerate_plans(most, odd))
            if found is not None:
                most = found[0]
                yield found[1]


class _Search:
    """The splits of one word: approximations in float64 order them, exact integers decide."""

    def __init__(self, exhaustive: Exhaustive, price: Price, adder: Callable[[int], float]) -> None:
        self.exhaustive, self.price, self.adder = exhaustive, price, adder
        self.values, self.room, self.width = exhaustive.values, exhaustive.room, exhaustive.spec.word.width
        self.prices: dict[tuple[int, ...], float] = {}
        self.lows = self._offsets(self.values, 0)

    def _offsets(self, values: Reals, place: int) -> list[_Offset]:
        """All splits of the low bits of `values` that approximate well enough."""
        width = values.size.bit_length() - 1
        found = []
        for low in range(1, width - 2):
            cells = values.reshape(-1, 1 << low)
            apart = cells - middles(cells)[:, None]
            for rows in range(width - low, -1, -1):
                groups = apart.reshape(1 << rows, -1, 1 << low)
                shared = (np.fmin.reduce(groups, axis=1) + np.fmax.reduce(groups, axis=1)) / 2
                left = (groups - shared[:, None, :]).reshape(-1, 1 << low)
                error = float(np.nanmax(np.fmax.reduce(left, axis=1) - np.fmin.reduce(left, axis=1))) / 2
                if not error < self.room:
                    break  # fewer rows are worse
                found.append(_Offset(rows, low, place, False, error, filled(shared)))
                if low > 1:
                    found += _odd(found[-1], groups, self.room)
            else:
                continue
            if rows == width - low:
                break  # not even all rows: a wider split is worse
        return found

    def _price(self, offset: _Offset, guard: int) -> float:
        key = (offset.rows, offset.width, offset.place, int(offset.odd), guard)
        if key not in self.prices:
            codes, bits = offset.stored(guard)
            mirror = _MIRROR * (bits + offset.width - 1) if offset.odd else 0.0
            self.prices[key] = self.price(codes.reshape(-1), offset.address_bits) + mirror
        return self.prices[key]

    def _initial_price(self, low: int, guard: int) -> float:
        key = (low, guard)
        if key not in self.prices:
            initial = filled(middles(self.values.reshape(-1, 1 << low)))
            codes = np.floor(np.ldexp(initial, guard)).astype(np.int64)
            self.prices[key] = self.price(codes, self.width - low) + self.adder(self.exhaustive.bits + guard)
        return self.prices[key]

    def bipartite(self, most: float, odd: bool) -> Iterator[_Plan]:
        """One offset table, mirrored where `odd`, below a cost of `most`."""
        for offset in (o for o in self.lows if o.odd == odd):
            for guard in range(_GUARD_BITS):
                if self._hopeful(offset.error, guard, 1):
                    cost = self._price(offset, guard) + self._initial_price(offset.width, guard)
                    if cost < most:
                        yield _Plan(cost, guard, (offset,))

    def tripartite(self, most: float, odd: bool) -> Iterator[_Plan]:
        """Two offset tables, some mirrored where `odd`, below a cost of `most`."""
        for low in sorted({offset.width for offset in self.lows}):
            highs = self._offsets(middles(self.values.reshape(-1, 1 << low)), low)
            for guard in range(1, _GUARD_BITS + 1):
                adders = self.adder(self.exhaustive.bits + guard)
                for second in (o for o in self.lows if o.width == low and o.odd <= odd):
                    part = adders + self._price(second, guard)
                    if part + adders >= most:
                        continue
                    for first in (o for o in highs if o.odd <= odd and max(o.odd, second.odd) == odd):
                        if first.rows >= second.rows and self._hopeful(first.error + second.error, guard, 2):
                            cost = part + self._initial_price(low + first.width, guard)
                            if cost < most:
                                cost += self._price(first, guard)
                            if cost < most:
                                yield _Plan(cost, guard, (first, second))

    def _hopeful(self, error: float, guard: int, tables: int) -> bool:
        """Whether the rounding of the tables may leave the sum within the tolerance."""
        return error + 0.25 * tables * 2.0**-guard < self.room

    def first(self, candidates: Iterator[_Plan]) -> tuple[float, Evaluator] | None:
        """The cheapest that an exact trial accepts, and its cost."""
        for plan in sorted(candidates, key=lambda p: p.cost)[:_TRIALS]:
            inner = np.zeros(1 << self.width, dtype=np.int64)
            tables = [offset.codes(plan.guard) for offset in plan.offsets]
            for offset, codes in zip(plan.offsets, tables, strict=True):
                shape = (1 << offset.rows, -1, 1 << offset.width, 1 << offset.place)
                inner.reshape(shape)[...] += codes[:, None, :, None]
            centered = self.exhaustive.center(inner, plan.offsets[0].width + plan.offsets[0].place, plan.guard)
            if centered is not None:
                return plan.cost, _evaluator(self.exhaustive.spec, plan, centered)
        return None


def _odd(offset: _Offset, groups: Reals, room: float) -> list[_Offset]:
    """The offset of which half is stored, where that approximates well enough."""
    half = offset.values.shape[1] // 2
    upper = (offset.values[:, half:] - offset.values[:, :half][:, ::-1]) / 2
    whole = np.concatenate([-upper[:, ::-1], upper], axis=1)
    left = (groups - whole[:, None, :]).reshape(-1, 2 * half)
    error = float(np.nanmax(np.fmax.reduce(left, axis=1) - np.fmin.reduce(left, axis=1))) / 2
    return [_Offset(offset.rows, offset.width, offset.place, True, error, upper)] if error < room else []


def _evaluator(spec: FunctionSpec, plan: _Plan, centered: Centered) -> Evaluator:
    stored = [offset.stored(plan.guard) for offset in plan.offsets]
    entries = [centered.constants.size, *(table.size for table, _ in stored)]
    mirrors = {
        size
        for offset, (_, bits) in zip(plan.offsets, stored, strict=True)
        if offset.odd
        for size in (*sizes(bits), *sizes(offset.width - 1))
    }
    build = partial(
        _build,
        fraction=(spec.fraction, spec.fraction + plan.guard),
        initial=tuple(map(int, by_pattern(spec, centered.constants))),
        offsets=tuple(
            (offset, tuple(map(int, by_pattern(spec, table).reshape(-1))), bits)
            for offset, (table, bits) in zip(plan.offsets, stored, strict=True)
        ),
        reach=centered.reach,
    )
    kind = "bipartite" if len(stored) == 1 else "tripartite"
    mirrored_by = f", mirrored by tables of {' + '.join(map(str, sorted(mirrors)))}" if mirrors else ""
    return Evaluator(f"{kind} table of {' + '.join(map(str, entries))} entries{mirrored_by}", centered.error, build)


def _build(
    b: CircuitBuilder,
    arg: int,
    fraction: tuple[int, int],
    initial: tuple[int, ...],
    offsets: tuple[tuple[_Offset, tuple[int, ...], int], ...],
    reach: tuple[int, int],
) -> int:
    width = b[arg].format.width
    bits = len(initial).bit_length() - 1
    total = b.lookup(b.slice(arg, width - 1, width - bits), initial, fraction[1], "initial")
    for offset, codes, mirrored_bits in offsets:
        total = b.add(total, _offset(b, arg, offset, codes, fraction[1], mirrored_bits))
    return b.narrow(b.round_to(total, fraction[0]), *reach)


def _offset(b: CircuitBuilder, arg: int, offset: _Offset, codes: tuple[int, ...], fraction: int, bits: int) -> int:
    width, high = b[arg].format.width, offset.place + offset.width - 1
    if offset.odd:
        upright = b.slice(arg, high, high)
        address = mirrored(b, upright, b.slice(arg, high - 1, offset.place), offset.width - 1)
    else:
        address = b.slice(arg, high, offset.place)
    if offset.rows:
        address = b.concat(b.slice(arg, width - 1, width - offset.rows), address)
    if not offset.odd:
        return b.lookup(address, codes, fraction, "offset")
    entry = b.cast(b.lookup(address, codes, 0, "offset"), Format(False, bits, 0))
    return mirrored(b, upright, entry, bits, fraction)
