"""`Circuit` + `Target` + clock → a circuit of the same values whose operations each fit the clock, where that can be.

Products that get no multiplier block are sums of rows whatever the clock is, which take fewer LUTs.

An operation that takes longer than a clock period cannot share a stage with a register, so it is computed in pieces
that can: a product as products of the size of one multiplier block, or, where even that is too slow, as sums of rows
(`sr2hls.products`); a sum as a low and a high part with the carry between them; a table as smaller ones and
multiplexers; a comparison as the sign of a difference. All of it is exact. `Whole` says which node is which operation
of which nodes, so that `sr2hls.verify` can hold the one against the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from sr2hls.builder import CircuitBuilder
from sr2hls.circuit import Circuit, Node, Op, Overflow, Rounding
from sr2hls.lower.program import Lowered
from sr2hls.parts import cut_at, high_part, joined, low_part
from sr2hls.products import product_in_rows
from sr2hls.targets import Target

_PASSES = 8  # pieces of pieces: every pass halves what is too slow, or leaves it
_SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class Whole:
    """`node` of a circuit is `op` of the nodes `args`, computed in pieces. A cast is one that rounds half up.

    A constant is given as (code, fraction): no piece needs it as a node.
    """

    node: int
    op: Op
    args: tuple[int | tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Pieces:
    """The new circuit; `places`: node before → node now, -1 where nothing needs it; what the pieces amount to."""

    circuit: Circuit
    places: tuple[int, ...]
    wholes: tuple[Whole, ...] = ()


def in_pieces(circuit: Circuit, target: Target, clock_ns: float, *, rows: bool = True) -> Pieces:
    """Cut what is slower than a clock period less the registers' overhead; what cannot be cut stays as it is.

    rows: products without a multiplier block, too. The target's model prices them as the rows that they will be.
    """
    budget = clock_ns - target.overhead_ns + _SLACK
    done = Pieces(circuit, tuple(range(len(circuit.nodes))))
    for _ in range(_PASSES):
        slow = slow_nodes(done.circuit, target, budget)
        if rows:
            slow += soft_products(done.circuit, target)
        if not slow:
            break
        step = _Cutter(done.circuit, target, budget, slow).pieces()
        if not step.wholes and step.circuit == done.circuit:
            break
        places = tuple(-1 if at < 0 else step.places[at] for at in done.places)
        # of one node first what its last pieces are, then what those amount to
        wholes = sorted((*step.wholes, *(_moved(whole, step.places) for whole in done.wholes)), key=lambda w: w.node)
        done = Pieces(step.circuit, places, tuple(dict.fromkeys(wholes)))
    return done


def slow_nodes(circuit: Circuit, target: Target, budget: float) -> list[int]:
    """The nodes whose own delay exceeds the budget, ns."""
    return [index for index in range(len(circuit.nodes)) if target.delay(circuit, index) > budget]


def soft_products(circuit: Circuit, target: Target) -> list[int]:
    """The products that take logic, but no multiplier block."""
    areas = ((i, target.area(circuit, i)) for i, node in enumerate(circuit.nodes) if node.op is Op.MUL)
    return [index for index, area in areas if area.lut > 0.0 and not area.dsp]


def _moved(whole: Whole, places: Mapping[int, int] | Sequence[int]) -> Whole:
    args = (places[arg] if isinstance(arg, int) else arg for arg in whole.args)
    return Whole(places[whole.node], whole.op, tuple(args))


class _Cutter:
    """One pass over a circuit: every slow node is replaced by pieces, the others are copied."""

    def __init__(self, circuit: Circuit, target: Target, budget: float, slow: list[int]) -> None:
        self.circuit, self.target, self.budget, self.slow = circuit, target, budget, frozenset(slow)
        self.soft = frozenset(soft_products(circuit, target))
        self.b = CircuitBuilder()
        self.place: list[int] = []
        self.wholes: list[Whole] = []

    def pieces(self) -> Pieces:
        for index, node in enumerate(self.circuit.nodes):
            self.b.origin = node.origin
            args = tuple(self.place[arg] for arg in node.args)
            self.place.append(self._cut(index, node, args))
        built = self.b.build([(name, self.place[index]) for name, index in self.circuit.outputs])
        places = tuple(self.b.places.get(at, -1) for at in self.place)
        kept = tuple(_moved(whole, self.b.places) for whole in self.wholes if whole.node in self.b.places)
        return Pieces(built, places, kept)

    def _cut(self, index: int, node: Node, args: tuple[int, ...]) -> int:
        before = [self.circuit.nodes[arg] for arg in node.args]
        if node.op is Op.SELECT and before[0].op is Op.LESS and self.b[args[0]].op is not Op.LESS:
            return self._stated(self.b.select(*args), node, args)  # a maximum's range follows from its comparison
        rule = _Cutter.rows if index in self.soft else _RULES.get(node.op)
        if index in self.slow and rule is not None:
            result = rule(self, node, args)
            if result is not None:
                return self._stated(result, node, args)
        table = self.circuit.tables[node.table] if node.op is Op.LOOKUP else None
        return self.b.copy(node, args, table)

    def _stated(self, index: int, node: Node, args: tuple[int, ...]) -> int:
        """The value in the node's own word and range, and what it is on the whole."""
        b, claim = self.b, (node.low, node.high)
        if node.op is Op.CAST and node.overflow is Overflow.SATURATE:
            index = b.cast(index, node.format, node.rounding, node.overflow)
        else:
            index = b.cast(index, node.format, claim=claim)
        scaled = node.op is Op.MUL and any(b[arg].op is Op.CONSTANT for arg in args)  # sums of shifts say it themselves
        if index > max(args) and not scaled:
            nodes = ((arg, b[arg]) for arg in args)
            stated = ((n.value, n.format.fraction) if n.op is Op.CONSTANT else arg for arg, n in nodes)
            self.wholes.append(Whole(index, node.op, tuple(stated)))
        return index

    # what each operation is cut into; None: no way

    def rows(self, _node: Node, args: tuple[int, ...]) -> int | None:
        """A product without a multiplier block."""
        negated = any(self.b[arg].op is Op.CONSTANT and self.b[arg].value.bit_count() == 1 for arg in args)
        return product_in_rows(self.b, *args) if self._fits_sum(2) and not negated else None

    def product(self, node: Node, args: tuple[int, ...]) -> int | None:
        b, dsp = self.b, self.target.costs.dsp
        x, y = sorted(args, key=lambda arg: (b[arg].op is Op.CONSTANT, -b[arg].format.width))
        if b[y].op is Op.CONSTANT or dsp.ns > self.budget:
            return self.rows(node, args)
        return self._blocks(x, y) if self._fits_sum(2) else None

    def _blocks(self, x: int, y: int) -> int | None:
        """One block is fast enough: cut the factor that does not fit it."""
        b, dsp = self.b, self.target.costs.dsp
        narrow, wide = b[y].format.width, b[x].format.width
        if narrow > dsp.narrow - 1:
            k = dsp.narrow - 1
            return b.add(b.mul(x, high_part(b, y, k)), b.mul(x, low_part(b, y, k)))
        k = dsp.wide - 1
        return b.add(b.mul(high_part(b, x, k), y), b.mul(low_part(b, x, k), y)) if wide > k else None

    def sum(self, node: Node, args: tuple[int, ...]) -> int | None:
        """Low parts, high parts, and one more sum for the carry: the words of a ripple over the stages."""
        b, fraction = self.b, node.format.fraction
        piece = self._widest_sum() - 1  # its carry comes on top
        k = piece * (math.ceil(node.format.width / piece) // 2) if piece > 1 else 0
        if not 0 < k < node.format.width - 1:
            return None
        (low_x, high_x), (low_y, high_y) = (cut_at(b, arg, k - fraction) for arg in args)
        low = self._either(node.op, low_x, low_y)
        high = self._either(node.op, high_x, high_y)
        rest, carry = (None, None) if low is None else cut_at(b, low, k - fraction)
        high = self._either(Op.ADD, high, carry)
        rest = b.constant(0, fraction) if rest is None else rest
        return joined(b, b.constant(0, fraction - k) if high is None else high, rest, k, fraction)

    def _either(self, op: Op, x: int | None, y: int | None) -> int | None:
        """x ± y, where None is 0."""
        b = self.b
        x, y = (None if at is not None and (b[at].low, b[at].high) == (0, 0) else at for at in (x, y))
        if y is None:
            return x
        if op is Op.ADD:
            return y if x is None else b.add(x, y)
        return b.negate(y) if x is None else b.sub(x, y)

    def difference_sign(self, node: Node, args: tuple[int, ...]) -> int | None:
        b = self.b
        difference = b.sub(*args)
        if not b[difference].format.signed or not self._fits_sum(2):
            return None
        top = b[difference].format.width - 1
        return b.slice(difference, top, top)

    def negated(self, node: Node, args: tuple[int, ...]) -> int | None:
        return self.b.sub(self.b.constant(0, node.format.fraction), args[0]) if self._fits_sum(2) else None

    def absolute(self, node: Node, args: tuple[int, ...]) -> int | None:
        b, (x,) = self.b, args
        top = b[x].format.width - 1
        return b.select(b.slice(x, top, top), b.negate(x), x)

    def cast(self, node: Node, args: tuple[int, ...]) -> int | None:
        """Rounding half up is a sum whose last bits are dropped; a saturation comes after it."""
        b, (x,) = self.b, args
        drop = b[x].format.fraction - node.format.fraction
        if node.rounding is not Rounding.HALF_UP or drop <= 0 or not self._fits_sum(2):
            return None
        if node.overflow is Overflow.SATURATE:
            return b.round_to(x, node.format.fraction, Rounding.HALF_UP)
        return b.round_to(b.add(x, b.constant(1, node.format.fraction + 1)), node.format.fraction)

    def table(self, node: Node, args: tuple[int, ...]) -> int | None:
        """Tables of the low address bits, and multiplexers switched by the high ones."""
        b, (x,), law = self.b, args, self.target.costs.lookup
        codes, name = self.circuit.tables[node.table].codes, self.circuit.tables[node.table].name.rsplit("_", 1)[0]
        bits = b[x].format.width
        if law.ns > self.budget or self.target.costs.select.delay(node.format.width) > self.budget:
            return None
        leaf = self.target.lut_inputs + int((self.budget - law.ns) / law.ns_bit) if law.ns_bit else bits
        if not 1 <= leaf < bits:
            return None
        address, fraction = b.slice(x, leaf - 1, 0), node.format.fraction
        level = [b.lookup(address, codes[i : i + (1 << leaf)], fraction, name) for i in range(0, len(codes), 1 << leaf)]
        for bit in range(leaf, bits):
            chosen = b.slice(x, bit, bit)
            level = [b.select(chosen, level[i + 1], level[i]) for i in range(0, len(level), 2)]
        return level[0]

    def leading_zeros(self, node: Node, args: tuple[int, ...]) -> int | None:
        """Of the high half, whose count says by its highest bit that the low half's comes on top."""
        b, (x,) = self.b, args
        width = b[x].format.width
        half = 1 << (math.ceil(math.log2(width)) - 1)
        if width < 4 or b[x].high >> (width - half) == 0:
            return None
        high = b.leading_zeros(b.slice(x, width - 1, width - half))
        low = b.leading_zeros(b.slice(x, width - half - 1, 0))
        top = half.bit_length() - 1
        if b[high].format.width <= top:  # the high half is never empty
            return None
        return b.select(b.slice(high, top, top), b.add(low, b.constant(half)), high)

    def _fits_sum(self, width: int) -> bool:
        return self.target.costs.add.delay(width) <= self.budget

    def _widest_sum(self) -> int:
        """The bits of the widest sum that fits."""
        width = 1
        while width < 64 and self._fits_sum(width + 1):
            width += 1
        return width


_RULES: dict[Op, Callable[[_Cutter, Node, tuple[int, ...]], int | None]] = {
    Op.MUL: _Cutter.product,
    Op.ADD: _Cutter.sum,
    Op.SUB: _Cutter.sum,
    Op.LESS: _Cutter.difference_sign,
    Op.NEGATE: _Cutter.negated,
    Op.ABSOLUTE: _Cutter.absolute,
    Op.CAST: _Cutter.cast,
    Op.LOOKUP: _Cutter.table,
    Op.LEADING_ZEROS: _Cutter.leading_zeros,
}


def lowered_in_pieces(lowered: Lowered, target: Target, clock_ns: float) -> tuple[Lowered, list[list[object]]]:
    """A lowering whose circuit is in pieces, and what they amount to, as JSON data for a design's provenance."""
    done = in_pieces(lowered.circuit, target, clock_ns)
    inputs = {name: done.places[at] for name, at in lowered.inputs.items() if done.places[at] >= 0}
    entries = tuple(replace(e, node=done.places[e.node]) if e.node >= 0 else e for e in lowered.entries)
    wholes: list[list[object]] = [
        [whole.node, str(whole.op), [arg if isinstance(arg, int) else list(arg) for arg in whole.args]]
        for whole in done.wholes
    ]
    return replace(lowered, circuit=done.circuit, entries=entries, inputs=inputs), wholes
