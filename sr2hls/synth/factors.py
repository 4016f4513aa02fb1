"""Products of a formula and multiplier blocks of its netlist → which block multiplies which slices of which product.

A guess by simulation; whoever uses it has to prove that the operands are the same for every input. With the operands
a = sum of a_i 2^(s_i) and b = sum of b_j 2^(t_j), cut into slices of which only the highest may be negative, the
product is the sum of all a_i b_j 2^(s_i + t_j).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product

from sr2hls.synth.gate_simulation import Lanes, value
from sr2hls.synth.gates import Graph, resized


@dataclass(frozen=True, slots=True)
class Factor:
    """An operand without the bits that say nothing: its literals, is the highest a sign, the zeros below."""

    bits: tuple[int, ...]
    signed: bool
    zeros: int = 0


@dataclass(frozen=True, slots=True, order=True)
class Slice:
    """Bits of a factor, from `low` on."""

    low: int
    size: int


@dataclass(frozen=True, slots=True)
class Block:
    """A multiplier block of the netlist multiplies these slices of a product of the formula."""

    product: int
    a: Slice
    b: Slice
    swapped: bool  # its own first operand is the slice of b


def factor(bits: Sequence[int], signed: bool) -> Factor:
    """Take repeated signs, zeros above and zeros below off an operand."""
    rest = list(bits)
    while signed and len(rest) > 1 and rest[-1] == rest[-2]:
        rest.pop()
    if signed and rest and rest[-1] == 0:
        signed = False
    while not signed and rest and rest[-1] == 0:
        rest.pop()
    zeros = next((place for place, bit in enumerate(rest) if bit), len(rest))
    return Factor(tuple(rest[zeros:]), signed, zeros)


def is_signed(whole: Factor, part: Slice) -> bool:
    """Only the slice with the sign is signed."""
    return whole.signed and part.low + part.size == len(whole.bits)


def matched(
    formula: Graph, wanted: Sequence[Lanes], netlist: Graph, found: Sequence[Lanes], lanes: int
) -> tuple[dict[int, Block], dict[int, Grid]]:
    """For the blocks of the netlist that could be recognized: what they multiply; for their products: the cuts.

    Args:
        wanted, found: the values of all nodes of the two graphs for the same inputs.
    """
    guesses: dict[int, dict[int, Block]] = {}
    own = [factors(formula, index) for index in range(len(formula.products))]
    own_lanes = [[_lanes(wanted, side, lanes) for side in both] for both in own]
    for block in range(len(netlist.products)):
        sides = factors(netlist, block)
        seen = [_lanes(found, side, lanes) for side in sides]
        for index, both in enumerate(own):
            guess = _guess(index, both, own_lanes[index], sides, seen)
            if guess is not None:
                guesses.setdefault(index, {})[block] = guess
    chosen: dict[int, Block] = {}
    grids: dict[int, Grid] = {}
    for index, blocks in guesses.items():
        first, second = own[index]
        grid = grids[index] = Grid(len(first.bits), len(second.bits))
        for block, guess in sorted(blocks.items(), key=lambda item: (-item[1].a.size - item[1].b.size, item[0])):
            if block not in chosen and grid.take(guess.a, guess.b):
                chosen[block] = guess
    return chosen, grids


@dataclass(slots=True)
class Grid:
    """How the two operands of a product, of so many bits, are cut into slices that do not overlap."""

    a_size: int
    b_size: int
    a: set[Slice] = field(default_factory=set)
    b: set[Slice] = field(default_factory=set)

    def take(self, a: Slice, b: Slice) -> bool:
        """Add a block's slices, where they do not cut into others."""
        fits = all(
            part in known or not any(_overlap(part, other) for other in known)
            for part, known in ((a, self.a), (b, self.b))
        )
        if fits:
            self.a.add(a)
            self.b.add(b)
        return fits

    def cells(self) -> list[tuple[Slice, Slice]]:
        """All pairs of slices; what no block has is a slice of its own."""
        return list(product(_filled(self.a, self.a_size), _filled(self.b, self.b_size)))


def _overlap(one: Slice, other: Slice) -> bool:
    return one.low < other.low + other.size and other.low < one.low + one.size


def _filled(parts: set[Slice], size: int) -> list[Slice]:
    result, low = list[Slice](), 0
    for part in (*sorted(parts), Slice(size, 0)):
        if part.low > low:
            result.append(Slice(low, part.low - low))
        if part.size:
            result.append(part)
        low = part.low + part.size
    return result


def factors(graph: Graph, index: int) -> tuple[Factor, Factor]:
    """The operands of a graph's product."""
    item = graph.products[index]
    return factor(item.a, item.signed), factor(item.b, item.signed)


def _lanes(values: Sequence[Lanes], whole: Factor, lanes: int) -> list[Lanes]:
    return [value(values, bit, lanes) for bit in whole.bits]


def _guess(
    index: int,
    own: tuple[Factor, Factor],
    own_lanes: list[list[Lanes]],
    sides: tuple[Factor, Factor],
    seen: list[list[Lanes]],
) -> Block | None:
    for swapped in (False, True):
        first, second = (1, 0) if swapped else (0, 1)
        a = _place(own[0], own_lanes[0], sides[first], seen[first])
        b = _place(own[1], own_lanes[1], sides[second], seen[second]) if a else None
        if a and b:
            return Block(index, a, b, swapped)
    return None


def _place(whole: Factor, lanes: list[Lanes], other: Factor, seen: list[Lanes]) -> Slice | None:
    """The longest slice with the same values as an operand that was seen."""
    size = len(lanes)
    width = max(size, len(seen)) + 1
    target = resized(seen, other.signed, width)
    for low in range(size):
        if lanes[low] != target[0]:
            continue
        for top in range(size, low, -1):
            signed = whole.signed and top == size
            if resized(lanes[low:top], signed, width) == target:
                return Slice(low, top - low)
    return None
