"""A module in single-bit cells, as Yosys' write_json has it → a graph of ANDs, registers and products that can be run.

Literals as in AIGER: 2 · node, + 1 where inverted; node 0 is the constant 0. Equal ANDs are one node.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sr2hls.errors import ToolError

PRODUCT = "SR2HLS_PRODUCT"  # the name under which a script keeps Yosys' $mul
INPUT, AND, REGISTER, PRODUCT_BIT, ANYTHING = "input", "and", "register", "product", "anything"

_GATES: dict[str, tuple[str, Callable[..., int]]] = {
    "$_BUF_": ("A", lambda _, a: a),
    "$_NOT_": ("A", lambda _, a: a ^ 1),
    "$_AND_": ("AB", lambda g, a, b: g.both(a, b)),
    "$_NAND_": ("AB", lambda g, a, b: g.both(a, b) ^ 1),
    "$_OR_": ("AB", lambda g, a, b: g.either(a, b)),
    "$_NOR_": ("AB", lambda g, a, b: g.either(a, b) ^ 1),
    "$_XOR_": ("AB", lambda g, a, b: g.differ(a, b)),
    "$_XNOR_": ("AB", lambda g, a, b: g.differ(a, b) ^ 1),
    "$_ANDNOT_": ("AB", lambda g, a, b: g.both(a, b ^ 1)),
    "$_ORNOT_": ("AB", lambda g, a, b: g.either(a, b ^ 1)),
    "$_MUX_": ("ABS", lambda g, a, b, s: g.choose(s, b, a)),
}
_REGISTER_CELL = "$_DFF_P_"


@dataclass(frozen=True, slots=True)
class Product:
    """A multiplier: operands as literals, lowest bit first, and the nodes of its result, modulo 2^len(bits)."""

    a: tuple[int, ...]
    b: tuple[int, ...]
    signed: bool
    bits: tuple[int, ...]


@dataclass(slots=True)
class Graph:
    """Nodes in topological order, apart from registers, whose data come later.

    `left`, `right`: the literals of an AND; `data`: register → the literal that it takes over at the clock edge;
    `start`: register → its value at power-up, None where it is undefined. Clocks are not in the graph: all registers
    have the rising edge of `clk`.
    """

    kinds: list[str] = field(default_factory=lambda: ["constant"])
    left: list[int] = field(default_factory=lambda: [0])
    right: list[int] = field(default_factory=lambda: [0])
    inputs: dict[str, tuple[int, ...]] = field(default_factory=dict)
    outputs: dict[str, tuple[int, ...]] = field(default_factory=dict)
    data: dict[int, int] = field(default_factory=dict)
    start: dict[int, bool | None] = field(default_factory=dict)
    products: list[Product] = field(default_factory=list)
    owner: dict[int, int] = field(default_factory=dict)  # node of a product's bit → the product
    known: dict[tuple[int, int], int] = field(default_factory=dict)

    def add(self, kind: str, left: int = 0, right: int = 0) -> int:
        """A new node; returns its literal."""
        self.kinds.append(kind)
        self.left.append(left)
        self.right.append(right)
        return 2 * (len(self.kinds) - 1)

    def both(self, a: int, b: int) -> int:
        if a > b:
            a, b = b, a
        if a == 0 or a == b ^ 1:
            return 0
        if a in (1, b):
            return b
        found = self.known.get((a, b))
        if found is None:
            found = self.known[a, b] = self.add(AND, a, b)
        return found

    def either(self, a: int, b: int) -> int:
        return self.both(a ^ 1, b ^ 1) ^ 1

    def differ(self, a: int, b: int) -> int:
        return self.either(self.both(a, b ^ 1), self.both(a ^ 1, b))

    def choose(self, condition: int, yes: int, no: int) -> int:
        return self.either(self.both(condition, yes), self.both(condition ^ 1, no))

    def word(self, width: int, kind: str = INPUT) -> tuple[int, ...]:
        return tuple(self.add(kind) for _ in range(width))

    def product(self, a: tuple[int, ...], b: tuple[int, ...], signed: bool, width: int) -> tuple[int, ...]:
        """A multiplier as a node of its own for each bit of its result, see `Product`."""
        bits = self.word(width, PRODUCT_BIT)
        self.owner.update((bit >> 1, len(self.products)) for bit in bits)
        self.products.append(Product(a, b, signed, tuple(bit >> 1 for bit in bits)))
        return bits

    def total(self, a: Sequence[int], b: Sequence[int]) -> tuple[int, ...]:
        """a + b of equal widths, modulo 2^width."""
        carry, result = 0, []
        for x, y in zip(a, b, strict=True):
            half = self.differ(x, y)
            result.append(self.differ(half, carry))
            carry = self.either(self.both(x, y), self.both(half, carry))
        return tuple(result)

    def at_most(self, word: Sequence[int], limit: int, signed: bool) -> int:
        """Whether a word's value is at most `limit`, which the word can hold."""
        result = 1  # of the bits below
        for place, bit in enumerate(word):
            sign = int(signed and place == len(word) - 1)
            clear = bit ^ 1 ^ sign
            result = self.either(clear, result) if (limit >> place & 1) ^ sign else self.both(clear, result)
        return result

    def multiply(self, a: Sequence[int], b: Sequence[int], signed: bool, width: int) -> tuple[int, ...]:
        """A multiplier of gates: rows of ANDs, added up, modulo 2^width."""
        x, y = resized(a, signed, width), resized(b, signed, width)
        result = (0,) * width
        for place, bit in enumerate(y):
            if bit:
                row = (*(0 for _ in range(place)), *(self.both(bit, other) for other in x[: width - place]))
                result = self.total(result, row)
        return result


def resized(bits: Sequence[int], signed: bool, width: int) -> tuple[int, ...]:
    """A word cut or extended."""
    more = bits[-1] if signed and bits else 0
    return (*bits[:width], *(more for _ in range(width - len(bits))))


def read_graph(module: Mapping[str, Any]) -> Graph:
    """Read a flat module of simple gates, registers and products.

    What is undefined or driven by nothing becomes a node of its own each time, so that a proof holds whatever it is.
    Raises ToolError on another kind of cell, another clock, or a loop without a register.
    """
    return _Reader(module).graph()


class _Reader:
    def __init__(self, module: Mapping[str, Any]) -> None:
        self.module = module
        self.made = Graph()
        self.literals: dict[int, int] = {}
        self.drivers: dict[int, dict[str, Any]] = {}
        self.waiting: list[tuple[int, int | str]] = []  # register, bit of its data
        self.clock = module["ports"].get("clk", {"bits": []})["bits"]
        for name, cell in module["cells"].items():
            if cell["type"] in _GATES or cell["type"] == PRODUCT:
                output = "Y"
            elif cell["type"] == _REGISTER_CELL:
                output = "Q"
            else:
                raise ToolError(f"the netlist holds the cell {name} of type {cell['type']}, which no proof covers")
            for bit in cell["connections"][output]:
                self.drivers[bit] = cell

    def graph(self) -> Graph:
        made, ports = self.made, self.module["ports"]
        for name, port in ports.items():
            if port["direction"] == "input":
                word = made.word(len(port["bits"]))
                made.inputs[name] = word
                self.literals.update(zip(port["bits"], word, strict=True))
        starts = _starts(self.module)
        for name, port in ports.items():
            if port["direction"] == "output":
                made.outputs[name] = tuple(self.literal(bit) for bit in port["bits"])
        while self.waiting:
            register, bit = self.waiting.pop()
            made.data[register] = self.literal(bit)
        for bit, literal in self.literals.items():
            if literal >> 1 in made.data and made.kinds[literal >> 1] == REGISTER:
                made.start.setdefault(literal >> 1, starts.get(bit))
        return made

    def literal(self, wanted: int | str) -> int:
        """The literal of a bit; everything before it is made first."""
        stack, open_bits = [wanted], set()
        while stack:
            bit = stack[-1]
            if self._have(bit):
                stack.pop()
                continue
            cell = self.drivers[bit]  # type: ignore[index]
            if cell["type"] == _REGISTER_CELL:
                self._register(cell)
                continue
            missing = [source for source in _sources(cell) if not self._have(source)]
            if not missing:
                self._make(cell)
            elif bit in open_bits:
                raise ToolError("the netlist holds a loop without a register")
            else:
                open_bits.add(bit)
                stack += missing
        return self._get(wanted)

    def _have(self, bit: int | str) -> bool:
        return bit in self.literals or isinstance(bit, str) or bit not in self.drivers

    def _get(self, bit: int | str) -> int:
        if bit in ("0", "1"):
            return int(bit)
        found = self.literals.get(bit)  # type: ignore[arg-type]
        return self.made.add(ANYTHING) if found is None else found

    def _register(self, cell: Mapping[str, Any]) -> None:
        if cell["connections"]["C"] != self.clock:
            raise ToolError("the netlist holds a register with another clock than clk")
        literal = self.made.add(REGISTER)
        self.literals[cell["connections"]["Q"][0]] = literal
        self.waiting.append((literal >> 1, cell["connections"]["D"][0]))

    def _make(self, cell: Mapping[str, Any]) -> None:
        made, pins = self.made, cell["connections"]
        if cell["type"] == PRODUCT:
            a, b = (tuple(self._get(bit) for bit in pins[pin]) for pin in "AB")
            signed = all(int(str(cell["parameters"][f"{pin}_SIGNED"]), 2) == 1 for pin in "AB")
            self.literals.update(zip(pins["Y"], made.product(a, b, signed, len(pins["Y"])), strict=True))
            return
        names, gate = _GATES[cell["type"]]
        self.literals[pins["Y"][0]] = gate(made, *(self._get(pins[name][0]) for name in names))


def _sources(cell: Mapping[str, Any]) -> Iterator[int | str]:
    for pin, bits in cell["connections"].items():
        if pin != "Y":
            yield from bits


def _starts(module: Mapping[str, Any]) -> dict[int, bool | None]:
    found: dict[int, bool | None] = {}
    for net in module["netnames"].values():
        text = net.get("attributes", {}).get("init")
        if text is not None:
            for bit, value in zip(net["bits"], reversed(str(text)), strict=False):
                if value in "01":
                    found[bit] = value == "1"
    return found
