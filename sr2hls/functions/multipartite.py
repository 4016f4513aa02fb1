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

from sr2hls.builder import CircuitBuilder
from sr2hls.functions.exhaustive import Centered, Exhaustive, by_pattern, filled, middles
from sr2hls.functions.reference import Codes, Reals
from sr2hls.functions.spec import Evaluator, FunctionSpec

NARROWEST, WIDEST = 6, 14  # bits of an argument
_GUARD_BITS = 4
_TRIALS = 40  # exact trials of one number of offset tables

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
        from_zero: Codes = (codes - codes.min(axis=1, keepdims=True)).astype(np.int64)
        return from_zero


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
    exhaustive = Exhaustive(spec)
    if not exhaustive.possible:
        return
    search = _Search(exhaustive, price, adder)
    most = float("inf")
    for enumerate_plans in (search.bipartite, search.tripartite):
        found = search.first(enumerate_plans(most))
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
                found.append(_Offset(rows, low, place, error, filled(shared)))
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
            initial = filled(middles(self.values.reshape(-1, 1 << low)))
            codes = np.floor(np.ldexp(initial, guard)).astype(np.int64)
            self.prices[key] = self.price(codes, self.width - low) + self.adder(self.exhaustive.bits + guard)
        return self.prices[key]

    def bipartite(self, most: float) -> Iterator[_Plan]:
        """One offset table, below a cost of `most`."""
        for offset in self.lows:
            for guard in range(_GUARD_BITS):
                if self._hopeful(offset.error, guard, 1):
                    cost = self._price(offset, guard) + self._initial_price(offset.width, guard)
                    if cost < most:
                        yield _Plan(cost, guard, (offset,))

    def tripartite(self, most: float) -> Iterator[_Plan]:
        """Two offset tables, below a cost of `most`."""
        for low in sorted({offset.width for offset in self.lows}):
            highs = self._offsets(middles(self.values.reshape(-1, 1 << low)), low)
            for guard in range(1, _GUARD_BITS + 1):
                adders = self.adder(self.exhaustive.bits + guard)
                for second in (o for o in self.lows if o.width == low):
                    part = adders + self._price(second, guard)
                    if part + adders >= most:
                        continue
                    for first in highs:
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
                return plan.cost, _evaluator(self.exhaustive.spec, plan, centered, tables)
        return None


def _evaluator(spec: FunctionSpec, plan: _Plan, centered: Centered, tables: list[Codes]) -> Evaluator:
    entries = [centered.constants.size, *(table.size for table in tables)]
    tables = [by_pattern(spec, table) for table in tables]
    build = partial(
        _build,
        fraction=(spec.fraction, spec.fraction + plan.guard),
        initial=tuple(map(int, by_pattern(spec, centered.constants))),
        offsets=tuple(
            (offset, tuple(map(int, table.reshape(-1)))) for offset, table in zip(plan.offsets, tables, strict=True)
        ),
        reach=centered.reach,
    )
    kind = "bipartite" if len(tables) == 1 else "tripartite"
    return Evaluator(f"{kind} table of {' + '.join(map(str, entries))} entries", centered.error, build)


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
