"""`Program` → its levers: each thing that may be rounded more or less coarsely, as an integer; a setting → `Words`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sr2hls.functions import Taste
from sr2hls.lower import Words
from sr2hls.program import Kind, Program

Setting = tuple[int, ...]  # a number per lever

SPARE = (1, 2, 4, 6, 8, 10, 12)  # 32nds of an ulp that an output step may take
TASTES = (Taste(), Taste(0.0), Taste(2.0), Taste(0.5, 10.0), Taste(0.0, 0.1), Taste(2.0, 10.0))


class What(StrEnum):
    """budget: half bits of a step's local error; spare, taste: an index above; cut: bits dropped from a factor;

    tabled: 1 where a sum or a product is made of small tables.
    """

    BUDGET = "budget"
    SPARE = "spare"
    TASTE = "taste"
    CUT = "cut"
    TABLED = "tabled"


@dataclass(frozen=True, slots=True)
class Lever:
    """What can be set, of which step (of which output for `spare`), and of which of its operands for `cut`."""

    what: What
    name: str
    operand: str = ""
    stride: int = 1  # half bits that make a difference to a step
    coarsest: int = -(2**30)  # the least number that the setting may have


def levers_of(program: Program, words: Words, held: frozenset[str], tabled: bool = False) -> tuple[Lever, ...]:
    """All levers, with those for sums and products of small tables where `tabled`.

    Steps in `held` (those that comparisons and floors depend on) get no coarser than they are.
    """
    found = []
    outputs = {symbol: name for name, symbol in program.outputs}
    for step in program.assignments:
        name = step.symbol.name
        wide = step.kind is not Kind.FUNCTION
        if name in words.budgets:
            least = _half_bits(words.budgets[name]) if name in held else -(2**30)
            found.append(Lever(What.BUDGET, name, stride=2 if wide else 1, coarsest=least))
        if step.symbol in outputs and step.kind in (Kind.FUNCTION, Kind.LINEAR):
            found.append(Lever(What.SPARE, outputs[step.symbol]))
        if step.kind is Kind.FUNCTION:
            found.append(Lever(What.TASTE, name))
        if tabled and step.kind in (Kind.PRODUCT, Kind.LINEAR, Kind.TURNS) and name not in held:
            found.append(Lever(What.TABLED, name))
        if step.kind is Kind.PRODUCT and name not in held:
            found += [Lever(What.CUT, name, s.name) for s in sorted(step.expression.free_symbols, key=lambda s: s.name)]
    return tuple(found)


def setting_of(levers: tuple[Lever, ...], words: Words) -> Setting:
    """The numbers that stand for these words, never coarser."""
    numbers = []
    for lever in levers:
        match lever.what:
            case What.BUDGET:
                half = _half_bits(words.budgets[lever.name])
                numbers.append(half + half % 2 if lever.stride == 2 else half)
            case What.SPARE:
                allowed = [i for i, part in enumerate(SPARE) if part <= 32 * words.spare[lever.name]]
                numbers.append(max(allowed, default=0))
            case What.TASTE:
                numbers.append(0)
            case What.CUT:
                numbers.append(0)
            case What.TABLED:
                numbers.append(int(lever.name in words.tabled))
    return tuple(numbers)


def words_of(levers: tuple[Lever, ...], setting: Setting) -> Words:
    """The words that a setting stands for."""
    budgets: dict[str, float] = {}
    spare: dict[str, float] = {}
    cuts: dict[tuple[str, str], int] = {}
    tastes: dict[str, Taste] = {}
    tabled: set[str] = set()
    for lever, number in zip(levers, setting, strict=True):
        match lever.what:
            case What.BUDGET:
                budgets[lever.name] = 2.0 ** (-number / 2)
            case What.SPARE:
                spare[lever.name] = SPARE[number] / 32
            case What.TASTE:
                tastes[lever.name] = TASTES[number]
            case What.CUT:
                cuts[lever.name, lever.operand] = number
            case What.TABLED if number:
                tabled.add(lever.name)
    return Words(budgets, spare, cuts, tastes, frozenset(tabled))


def moves(lever: Lever, number: int, reach: int) -> list[int]:
    """Other numbers for a lever: up to `reach` strides away, or any other of a choice."""
    match lever.what:
        case What.BUDGET:
            steps = [number + sign * i * lever.stride for i in range(1, reach + 1) for sign in (-1, 1)]
            return [step for step in steps if step >= lever.coarsest]
        case What.SPARE:
            return sorted((i for i in range(len(SPARE)) if i != number), key=lambda i: abs(i - number))
        case What.TASTE:
            return [i for i in range(len(TASTES)) if i != number]
        case What.TABLED:
            return [1 - number]
        case What.CUT:
            several = (i for i in range(max(0, number - reach), number + reach + 1) if i != number)
            return sorted(several, key=lambda i: abs(i - number))


def rings(levers: tuple[Lever, ...], setting: Setting, reach: int) -> Iterator[tuple[int, int]]:
    """(lever, number) of all single moves: of every lever the nearest first, then of every lever the next."""
    queues = [moves(lever, number, reach) for lever, number in zip(levers, setting, strict=True)]
    for turn in range(max(map(len, queues), default=0)):
        for index, queue in enumerate(queues):
            if turn < len(queue):
                yield index, queue[turn]


def _half_bits(budget: float) -> int:
    return math.ceil(-2 * math.log2(budget))


def changed(setting: Setting, changes: Mapping[int, int]) -> Setting:
    """The setting with some levers, by index, set anew."""
    return tuple(changes.get(index, number) for index, number in enumerate(setting))
