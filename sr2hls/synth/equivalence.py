"""The graphs of a Verilog text and of its netlist → are their outputs equal for every input? Registers are wires here.

Multipliers are not taken apart: a block of the netlist and the slices of a product that it multiplies get the same free
word as their result, and that their operands are equal, whatever these words are, is part of what is to be proven.
That is no circle: the netlist's own values satisfy every equation of the formula, and as the formula has no loop they
are its values.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sr2hls.synth.aiger import Pair
from sr2hls.synth.factors import Block, Factor, Grid, Slice, factors, is_signed, matched
from sr2hls.synth.gate_order import as_wires, copied
from sr2hls.synth.gate_simulation import Lanes, evaluate
from sr2hls.synth.gates import Graph, Product, resized

_LANES = 512  # simulated inputs by which multipliers are recognized
_WIDE = 12  # bits of both operands; a wider product that is not recognized is worth a remark


@dataclass(frozen=True, slots=True)
class Miter:
    """`pairs` of literals of `graph`: both sides are equal for every input if these are wherever `possible` holds.

    `possible`: every free word is a product that its operands can have; `products`: those of the formula;
    `taken_apart`: wide ones that had to be expanded into gates.
    """

    graph: Graph
    pairs: tuple[Pair, ...]
    possible: int
    products: int
    taken_apart: int


def miter(formula: Graph, netlist: Graph) -> Miter:
    """Put both into one graph. Raises MismatchError when their ports differ or a register is in a loop."""
    plain, mapped = as_wires(formula), as_wires(netlist)
    rng = random.Random(1)
    values = {name: [rng.getrandbits(_LANES) for _ in word] for name, word in plain.inputs.items()}
    wanted, found = (evaluate(side, _state(side, values), _LANES) for side in (plain, mapped))
    return _Merge(plain, mapped, *matched(plain, wanted, mapped, found, _LANES)).result()


def _state(graph: Graph, values: Mapping[str, Sequence[Lanes]]) -> dict[int, Lanes]:
    return {bit >> 1: lane for name, word in graph.inputs.items() for bit, lane in zip(word, values[name], strict=True)}


class _Merge:
    def __init__(self, formula: Graph, netlist: Graph, blocks: Mapping[int, Block], grids: Mapping[int, Grid]) -> None:
        self.formula, self.netlist, self.blocks, self.grids = formula, netlist, blocks, grids
        self.made = Graph()
        self.words: dict[tuple[int, Slice, Slice], tuple[int, ...]] = {}
        self.operands: dict[int, tuple[tuple[int, ...], tuple[int, ...]]] = {}  # of the formula's products
        self.seen: list[tuple[Block, tuple[tuple[int, ...], ...]]] = []
        self.results: dict[tuple[object, ...], tuple[int, ...]] = {}
        self.taken_apart = 0

    def result(self) -> Miter:
        found = copied(self.netlist, self.made, self._block)
        wanted = copied(self.formula, self.made, self._product)
        pairs: list[Pair] = []
        for name, word in wanted.items():
            pairs += zip(word, found[name], strict=True)
        for block, sides in self.seen:
            own = factors(self.formula, block.product)
            for whole, operand, part, side in zip(
                own, self.operands[block.product], (block.a, block.b), sides, strict=True
            ):
                width = max(part.size + 1, len(side))
                cut = resized(self._slice(operand, whole, part), True, width)
                pairs += zip(cut, resized(side, True, width), strict=True)
        possible = 1
        for (index, a, b), word in self.words.items():
            possible = self.made.both(possible, self._possible(index, a, b, word))
        return Miter(self.made, tuple(dict.fromkeys(pairs)), possible, len(self.formula.products), self.taken_apart)

    def _block(self, index: int, item: Product) -> tuple[int, ...]:
        block, width = self.blocks.get(index), len(item.bits)
        if block is None:
            return self._expanded(item)
        first, second = factors(self.netlist, index)
        words = []
        for whole, bits in ((first, item.a), (second, item.b)):
            kept = bits[whole.zeros : whole.zeros + len(whole.bits)]
            words.append(kept if whole.signed else (*kept, 0))
        self.seen.append((block, tuple(reversed(words)) if block.swapped else tuple(words)))
        word, signed = self._word(block.product, block.a, block.b)
        zeros = (0,) * (first.zeros + second.zeros)
        return resized((*zeros, *word), signed, width)

    def _word(self, index: int, a: Slice, b: Slice) -> tuple[tuple[int, ...], bool]:
        word = self.words.get((index, a, b))
        if word is None:
            word = self.words[index, a, b] = self.made.word(a.size + b.size)
        first, second = factors(self.formula, index)
        return word, is_signed(first, a) or is_signed(second, b)

    def _possible(self, index: int, a: Slice, b: Slice, word: tuple[int, ...]) -> int:
        """The word lies between the least and the greatest product of the slices."""
        ends = [_ends(whole, part) for whole, part in zip(factors(self.formula, index), (a, b), strict=True)]
        corners = [x * y for x in ends[0] for y in ends[1]]
        signed = min(corners) < 0
        above = self.made.at_most(word, max(corners), signed)
        # v >= least where ~v <= ~least, in two's complement
        below = self.made.at_most([bit ^ 1 for bit in word], ~min(corners), True) if signed else 1
        return self.made.both(above, below)

    def _product(self, index: int, item: Product) -> tuple[int, ...]:
        key = (item.a, item.b, item.signed, len(item.bits))
        if key not in self.results:
            self.results[key] = self._sum(index, item)
        self.operands[index] = (item.a, item.b)
        return self.results[key]

    def _sum(self, index: int, item: Product) -> tuple[int, ...]:
        if index not in self.grids:
            return self._expanded(item)
        width, (first, second) = len(item.bits), factors(self.formula, index)
        result = (0,) * width
        for a, b in self.grids[index].cells():
            if (index, a, b) in self.words:
                word, signed = self._word(index, a, b)
            else:
                x, y = self._slice(item.a, first, a), self._slice(item.b, second, b)
                word, signed = self.made.multiply(x, y, True, a.size + b.size + 1), True
            zeros = first.zeros + second.zeros + a.low + b.low
            result = self.made.total(result, resized((*(0,) * zeros, *word), signed, width))
        return result

    def _slice(self, operand: Sequence[int], whole: Factor, part: Slice) -> tuple[int, ...]:
        """A slice of an operand of the formula as a signed word."""
        low = whole.zeros + part.low
        return resized(operand[low : low + part.size], is_signed(whole, part), part.size + 1)

    def _expanded(self, item: Product) -> tuple[int, ...]:
        known = {0, 1}
        if len(set(item.a) - known) + len(set(item.b) - known) > _WIDE and set(item.a) - known and set(item.b) - known:
            self.taken_apart += 1
        return self.made.multiply(item.a, item.b, item.signed, len(item.bits))


def _ends(whole: Factor, part: Slice) -> tuple[int, int]:
    if is_signed(whole, part):
        return -(1 << (part.size - 1)), (1 << (part.size - 1)) - 1
    return 0, (1 << part.size) - 1
