"""Operations, one by one → `Circuit`: formats and ranges derived, equal nodes shared, constants folded."""

from __future__ import annotations

from dataclasses import replace

from sr2hls.checker import checked
from sr2hls.circuit import Circuit, Node, Op, Overflow, Rounding, Table
from sr2hls.errors import CircuitError, FormatError, UnsupportedError
from sr2hls.formats import MAX_WIDTH, Format
from sr2hls.ranges import align, result_range, round_code

_BIT = Format(False, 1, 0)
_ALIGNING = (Op.ADD, Op.SUB, Op.LESS, Op.EQUAL, Op.SELECT)


class CircuitBuilder:
    """Collects nodes; every method returns the index of the node that holds the result.

    The attribute `origin` is stamped on new nodes; set it before lowering a sub-expression. Methods raise
    UnsupportedError, naming the origin, where a result needs more than `MAX_WIDTH` bits.
    """

    def __init__(self) -> None:
        self.origin = ""
        self._nodes: list[Node] = []
        self._tables: list[Table] = []
        self._known: dict[Node, int] = {}
        self.places: dict[int, int] = {}  # after `build`: index here → index in the circuit

    def __getitem__(self, index: int) -> Node:
        return self._nodes[index]

    def so_far(self) -> Circuit:
        """All nodes and tables up to now, unchecked, with their indices here: what a target's model needs to see."""
        return Circuit(tuple(self._nodes), (), tuple(self._tables))

    def input(self, name: str, fmt: Format) -> int:
        return self._append(Node(Op.INPUT, (), fmt, fmt.least, fmt.greatest, name=name, origin=name))

    def constant(self, code: int, fraction: int = 0) -> int:
        """The constant code · 2^-fraction, in its narrowest word."""
        return self._append(Node(Op.CONSTANT, (), self._least(code, code, fraction), code, code, value=code))

    def add(self, a: int, b: int) -> int:
        return self._derived(Op.ADD, (a, b), self._common(a, b))

    def sub(self, a: int, b: int) -> int:
        if a == b:
            return self.constant(0, self[a].format.fraction)
        return self._derived(Op.SUB, (a, b), self._common(a, b))

    def mul(self, a: int, b: int) -> int:
        """a · b; a product with one bit is a selection."""
        for bit, other in ((a, b), (b, a)):
            if self[bit].format == _BIT and self[bit].op is not Op.CONSTANT:
                return self.select(bit, other, self.constant(0, self[other].format.fraction))
        return self._derived(Op.MUL, (a, b), self[a].format.fraction + self[b].format.fraction)

    def shift(self, a: int, power: int) -> int:
        """a · 2^power: wiring."""
        node, fmt = self[a], self[a].format
        if power == 0:
            return a
        if node.op is Op.CONSTANT:
            return self.constant(node.value, fmt.fraction - power)
        moved = Format(fmt.signed, fmt.width, fmt.fraction - power)
        return self._append(Node(Op.SHIFT, (a,), moved, node.low, node.high, value=power))

    def negate(self, a: int) -> int:
        return self._derived(Op.NEGATE, (a,), self[a].format.fraction)

    def absolute(self, a: int) -> int:
        return a if self[a].low >= 0 else self._derived(Op.ABSOLUTE, (a,), self[a].format.fraction)

    def less(self, a: int, b: int) -> int:
        if a == b:
            return self.constant(0)
        return self._derived(Op.LESS, (a, b), 0, _BIT)

    def equal(self, a: int, b: int) -> int:
        if a == b:
            return self.constant(1)
        return self._derived(Op.EQUAL, (a, b), 0, _BIT)

    def select(self, condition: int, a: int, b: int) -> int:
        """a where the condition is 1, else b."""
        if a == b:
            return a
        chosen = self[condition]
        if chosen.low == chosen.high:
            return a if chosen.low else b
        return self._derived(Op.SELECT, (condition, a, b), self._common(a, b))

    def minimum(self, a: int, b: int) -> int:
        return self.select(self.less(a, b), a, b)

    def maximum(self, a: int, b: int) -> int:
        return self.select(self.less(a, b), b, a)

    def slice(self, a: int, high: int, low: int) -> int:
        """Bits high…low of a's two's complement word, as an unsigned integer."""
        return self._derived(Op.SLICE, (a,), 0, Format(False, high - low + 1, 0), value=low)

    def concat(self, a: int, b: int) -> int:
        return self._derived(Op.CONCAT, (a, b), 0, Format(False, self[a].format.width + self[b].format.width, 0))

    def leading_zeros(self, a: int) -> int:
        return self._derived(Op.LEADING_ZEROS, (a,), 0)

    def lookup(self, a: int, codes: tuple[int, ...], fraction: int, name: str = "table") -> int:
        """The entry at a's bit pattern; `codes` has 2^width(a) entries, in their narrowest common word."""
        fmt = self._least(min(codes), max(codes), fraction)
        same = [i for i, t in enumerate(self._tables) if (t.format, t.codes) == (fmt, codes)]
        if same:
            table = same[0]
        else:
            table = len(self._tables)
            self._tables.append(Table(f"{name}_{table}", fmt, codes))
        return self._derived(Op.LOOKUP, (a,), fraction, fmt, table=table)

    def cast(
        self,
        a: int,
        fmt: Format,
        rounding: Rounding = Rounding.FLOOR,
        overflow: Overflow = Overflow.WRAP,
        claim: tuple[int, int] | None = None,
    ) -> int:
        """Round to `fmt.fraction`, then wrap or saturate.

        `claim` is a code range proven by analysis; it is intersected with the one that the argument gives.
        A saturation that cannot happen becomes a wrap, which costs nothing.
        """
        arg = self[a]
        if arg.op is Op.CONSTANT:
            code = round_code(arg.value, arg.format.fraction - fmt.fraction, rounding)
            if fmt.holds(code, code):
                return self._append(Node(Op.CONSTANT, (), fmt, code, code, value=code))
        node = Node(Op.CAST, (a,), fmt, 0, 0, rounding=rounding, overflow=overflow)
        low, high = result_range(replace(node, overflow=Overflow.WRAP), self._nodes, self._tables)
        if (low, high) != (fmt.least, fmt.greatest):
            node = replace(node, overflow=Overflow.WRAP)
        else:
            low, high = result_range(node, self._nodes, self._tables)
        if claim is not None and node.overflow is Overflow.WRAP:
            low, high = max(low, claim[0]), min(high, claim[1])
        if fmt == arg.format and (low, high) == (arg.low, arg.high):
            return a
        return self._append(replace(node, low=low, high=high))

    def round_to(self, a: int, fraction: int, rounding: Rounding = Rounding.FLOOR) -> int:
        """Drop fraction bits down to `fraction`, in the narrowest word; a itself when it has no more than that."""
        node = self[a]
        drop = node.format.fraction - fraction
        if drop <= 0:
            return a
        low, high = (round_code(code, drop, rounding) for code in (node.low, node.high))
        return self.cast(a, self._least(low, high, fraction), rounding)

    def narrow(self, a: int, low: int, high: int) -> int:
        """The same codes in the narrowest word of [low, high], a range that the analysis proved."""
        node = self[a]
        low, high = max(low, node.low), min(high, node.high)
        if (low, high) == (node.low, node.high):
            return a
        return self.cast(a, self._least(low, high, node.format.fraction), claim=(low, high))

    def copy(self, node: Node, args: tuple[int, ...], table: Table | None = None) -> int:
        """A node of another circuit on nodes here that hold what its arguments held there, its table with it."""
        place = -1
        if table is not None:
            same = [i for i, t in enumerate(self._tables) if (t.format, t.codes) == (table.format, table.codes)]
            place = same[0] if same else len(self._tables)
            if not same:
                self._tables.append(replace(table, name=f"{table.name.rsplit('_', 1)[0]}_{place}"))
        return self._append(replace(node, args=args, table=place))

    def build(self, outputs: list[tuple[str, int]]) -> Circuit:
        """The checked circuit of everything that the outputs need."""
        used = {index for _, index in outputs}
        for index in range(len(self._nodes) - 1, -1, -1):
            if index in used:
                used.update(self._nodes[index].args)
        kept = sorted(used)
        self.places = place = {old: new for new, old in enumerate(kept)}
        tables = sorted({self._nodes[i].table for i in kept if self._nodes[i].op is Op.LOOKUP})
        nodes = tuple(
            replace(
                node,
                args=tuple(place[arg] for arg in node.args),
                table=tables.index(node.table) if node.op is Op.LOOKUP else -1,
            )
            for node in (self._nodes[i] for i in kept)
        )
        named = tuple((name, place[index]) for name, index in outputs)
        return checked(Circuit(nodes, named, tuple(self._tables[i] for i in tables)))

    def _common(self, a: int, b: int) -> int:
        return max(self[a].format.fraction, self[b].format.fraction)

    def _least(self, low: int, high: int, fraction: int) -> Format:
        try:
            return Format.least_for(low, high, fraction)
        except FormatError:
            bits = max(low.bit_length(), high.bit_length()) + 1
            raise UnsupportedError(f"'{self.origin}' needs a word of {bits} bits; the widest is {MAX_WIDTH}") from None

    def _derived(self, op: Op, args: tuple[int, ...], fraction: int, fmt: Format | None = None, **fields: int) -> int:
        node = Node(op, args, fmt or _BIT, 0, 0, **fields)  # type: ignore[arg-type]
        low, high = result_range(node, self._nodes, self._tables)
        if low == high:
            return self.constant(low, fraction)
        if op in _ALIGNING:
            self._require_aligned(args[-2:])
        return self._append(replace(node, low=low, high=high, format=fmt or self._least(low, high, fraction)))

    def _require_aligned(self, args: tuple[int, ...]) -> None:
        common = max(self[arg].format.fraction for arg in args)
        for arg in args:
            node = self[arg]
            bits = max(align(code, node.format.fraction, common).bit_length() for code in (node.low, node.high))
            if bits > MAX_WIDTH:
                raise UnsupportedError(
                    f"'{self.origin}' compares or adds numbers of very different size: aligned to the finer one, the "
                    f"coarser needs {bits} bits; the widest word is {MAX_WIDTH}"
                )

    def _append(self, node: Node) -> int:
        if any(not 0 <= arg < len(self._nodes) for arg in node.args):
            raise CircuitError(f"{node.op}: an argument is not a node of this builder")
        if node in self._known:
            return self._known[node]
        self._known[node] = len(self._nodes)
        self._nodes.append(replace(node, origin=node.origin or self.origin))
        return len(self._nodes) - 1
