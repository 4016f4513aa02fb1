"""TOML coefficients → delay (ns) and area of a circuit node on one device."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from sr2hls.builder import CircuitBuilder
from sr2hls.circuit import WIRING, Circuit, Node, Op, Overflow, Rounding
from sr2hls.errors import FormatError
from sr2hls.formats import MAX_WIDTH, Format
from sr2hls.products import product_in_rows
from sr2hls.targets.coefficients import DEEP, Cost, Costs, Dsp, LookupCost
from sr2hls.targets.rom import LEAF, rom_structure

_FOLDER = Path(__file__).resolve().parent
NO_DSP = "-nodsp"
_NEVER = 1 << 20  # bits of a product


@dataclass(frozen=True, slots=True)
class Area:
    """Predicted resources; `lut` are the family's lookup tables (LUT6 or LUT4)."""

    lut: float = 0.0
    dsp: float = 0.0

    def __add__(self, other: Area) -> Area:
        return Area(self.lut + other.lut, self.dsp + other.dsp)


@dataclass(frozen=True, slots=True)
class Target:
    """One device and speed grade.

    A stage fits a clock when the delays along each of its paths, plus `overhead_ns` (clock to output of the
    launching register, setup of the capturing one, clock uncertainty), do not exceed the period.
    """

    name: str
    part: str
    family: str
    clock_ns: float  # default clock period
    estimate: bool  # True: published delays, no vendor tool was run
    overhead_ns: float = 0.7
    lut_inputs: int = 6
    costs: Costs = field(default_factory=Costs)
    nextpnr: tuple[str, ...] = ()  # command-line arguments that choose the device, where a nextpnr knows it
    overhead_source: str = "generic default"
    net_ns: float = 0.0  # a net from register to register: no stage is faster
    logic_ns: float = 0.0  # a LUT into the slowest input of a register, its reset: no stage with logic is faster
    dsp_onward_ns: float = 0.0  # what a path saves where it goes on behind a multiplier block, see `saved`
    less_onward_ns: float = 0.0  # the same, behind a comparison
    chain_source: str = "not measured: no operation is taken to be faster behind another one"

    @property
    def has_dsp(self) -> bool:
        """Whether products may take multiplier blocks."""
        return self.costs.dsp.least_product < _NEVER

    def delay(self, circuit: Circuit, index: int) -> float:
        """Combinational delay of a node, ns: from its arguments' registers or logic to its result."""
        node, costs = circuit.nodes[index], self.costs
        if node.op in WIRING:
            return 0.0
        args = [circuit.nodes[arg] for arg in node.args]
        match node.op:
            case Op.MUL:
                return self._multiply(node, args)[0]
            case Op.LOOKUP:
                depth = rom_structure(circuit.tables[node.table])[1]
                table = costs.lookup
                return 0.0 if depth <= 1 else table.ns + table.ns_bit * max(0, depth - self.lut_inputs)
            case Op.CAST:
                return sum(law.delay(width) for law, width in self._cast(node, args[0]))
            case _:
                law, width = self._simple(node, args)
                return law.delay(width)

    def saved(self, circuit: Circuit, index: int) -> float:
        """How much earlier than the sum of their delays an operation is done that follows this node in its stage, ns.

        The delay of a multiplier block or a comparison holds the net to a register behind it; where logic follows
        instead, that net is the one that the delay of this logic begins with.
        """
        match circuit.nodes[index].op:
            case Op.MUL if self.area(circuit, index).dsp:
                return min(self.dsp_onward_ns, self.delay(circuit, index))
            case Op.LESS:
                return min(self.less_onward_ns, self.delay(circuit, index))
            case _:
                return 0.0

    def area(self, circuit: Circuit, index: int) -> Area:
        """Resources of a node, registers not counted."""
        node, costs = circuit.nodes[index], self.costs
        if node.op in WIRING:
            return Area()
        args = [circuit.nodes[arg] for arg in node.args]
        match node.op:
            case Op.MUL:
                return self._multiply(node, args)[1]
            case Op.LOOKUP:
                luts, depth = rom_structure(circuit.tables[node.table])
                smallest = 2.0 ** max(0, min(depth, LEAF) - self.lut_inputs)  # what one leaf of that depth takes
                deep = costs.lookup.lut_deep if depth > DEEP else 1.0
                return Area(lut=luts * (costs.lookup.lut_factor * deep if depth > LEAF else smallest))
            case Op.CAST:
                return Area(lut=sum(law.luts(width) for law, width in self._cast(node, args[0])))
            case _:
                law, width = self._simple(node, args)
                return Area(lut=law.luts(width))

    def _simple(self, node: Node, args: list[Node]) -> tuple[Cost, int]:
        """The law of an operation that has one, and the bits that its logic really spans."""
        costs = self.costs
        match node.op:
            case Op.ADD | Op.SUB:
                a, b = args
                # the low bits of the finer operand pass through, unless they are subtracted
                passed = abs(a.format.fraction - b.format.fraction)
                if node.op is Op.SUB and b.format.fraction > a.format.fraction:
                    passed = 0
                return costs.add, max(1, node.format.width - passed)
            case Op.LESS | Op.EQUAL:
                return (costs.less if node.op is Op.LESS else costs.equal), _aligned_width(args)
            case Op.SELECT:
                masks = any(arg.op is Op.CONSTANT and arg.value == 0 for arg in args[1:])
                return costs.mask if masks else costs.select, node.format.width
            case Op.NEGATE:
                return costs.negate, node.format.width
            case Op.ABSOLUTE:
                return costs.absolute, args[0].format.width
            case _:
                return costs.leading_zeros, args[0].format.width

    def _cast(self, node: Node, arg: Node) -> list[tuple[Cost, int]]:
        """Rounding half up is an adder, saturation a comparison and a multiplexer; all else is wiring."""
        laws = []
        width = arg.format.width - arg.format.fraction + node.format.fraction
        if node.rounding is Rounding.HALF_UP and arg.format.fraction > node.format.fraction:
            laws.append((self.costs.round, max(1, width + 1)))
        if node.overflow is Overflow.SATURATE:
            laws.append((self.costs.saturate, max(1, width, node.format.width)))
        return laws

    def _multiply(self, node: Node, args: list[Node]) -> tuple[float, Area]:
        """A product as the open synthesizers build it: hard multipliers, constants too, above a least width."""
        dsp, costs = self.costs.dsp, self.costs
        for arg in args:
            if arg.op is Op.CONSTANT and arg.value.bit_count() == 1:  # a power of two, of either sign
                if arg.value > 0:
                    return 0.0, Area()
                return costs.negate.delay(node.format.width), Area(lut=costs.negate.luts(node.format.width))
        a, b = (_operand_width(arg) for arg in args)
        if min(a, b) == 1:
            return costs.select.delay(max(a, b)), Area(lut=costs.select.luts(max(a, b)))
        if a + b < dsp.least_product:
            return _in_rows(self, *_shapes(args), node.args[0] == node.args[1])
        if dsp.signed_only:
            a, b = (_operand_width(arg) + int(not arg.format.signed) for arg in args)
        across, down = dsp.pieces(a, b)
        extra = across + down - 2
        area = Area(lut=dsp.split_lut * (a + b) * (across * down - 1), dsp=across * down)
        return dsp.ns + dsp.split_ns * extra, area


def _operand_width(node: Node) -> int:
    """A factor's bits; a constant's trailing zeros are wiring."""
    if node.op is not Op.CONSTANT or node.value == 0:
        return node.format.width
    return max(1, node.format.width - ((node.value & -node.value).bit_length() - 1))


_Shape = tuple[bool, int, int]  # a factor: signed, bits, and the code where it is a constant, else 0


def _shapes(args: list[Node]) -> tuple[_Shape, _Shape]:
    most = MAX_WIDTH - 1 - min(n.format.width for n in args)  # two words whose product fits in one
    return tuple((n.format.signed, min(n.format.width, most), n.value if n.op is Op.CONSTANT else 0) for n in args)  # type: ignore[return-value]


@lru_cache(maxsize=4096)
def _in_rows(target: Target, first: _Shape, second: _Shape, square: bool) -> tuple[float, Area]:
    """A product without a multiplier block, from the sums that it will be (`sr2hls.products`)."""
    b = CircuitBuilder()
    x, y = (
        b.constant(code) if code else b.input(name, Format(signed, width, 0))
        for name, (signed, width, code) in zip("xy", (first, second), strict=True)
    )
    total = product_in_rows(b, x, x if square else y)
    circuit = b.build([("product", total)])
    ready: list[float] = []
    for index, node in enumerate(circuit.nodes):
        ready.append(max((ready[arg] for arg in node.args), default=0.0) + target.delay(circuit, index))
    return max(ready), sum((target.area(circuit, index) for index in range(len(circuit.nodes))), Area())


def _aligned_width(args: list[Node]) -> int:
    common = max(a.format.fraction for a in args)
    return max(a.format.width + common - a.format.fraction for a in args)


@lru_cache
def load_target(name: str) -> Target:
    """Read `sr2hls/targets/NAME.toml`; `NAME-nodsp` is that device with every product in LUTs.

    Raises FormatError naming the known targets.
    """
    if name.endswith(NO_DSP):
        device = load_target(name.removesuffix(NO_DSP))
        return replace(
            device, name=name, costs=replace(device.costs, dsp=replace(device.costs.dsp, least_product=_NEVER))
        )
    return parse_target(target_file(name).read_text())


def target_file(name: str) -> Path:
    """Where a target's coefficients are. Raises FormatError naming the known targets."""
    if name not in target_names():
        raise FormatError(f"'{name}' is no target; choose one of {', '.join(target_names())}")
    return _FOLDER / f"{name}.toml"


def target_names() -> tuple[str, ...]:
    """All targets that ship with sr2hls."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


def parse_target(text: str) -> Target:
    """The target that a TOML text describes. Raises FormatError on anything missing, unknown or negative."""
    try:
        data = tomllib.loads(text)
        laws: dict[str, Any] = {
            item.name: _LAWS.get(item.name, Cost)(**data["costs"].pop(item.name)) for item in fields(Costs)
        }
        if unknown := sorted(data.pop("costs")):
            raise FormatError(f"unknown operations in a target file: {', '.join(unknown)}")
        target = Target(costs=Costs(**laws), **{**data, "nextpnr": tuple(data.get("nextpnr", ()))})
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise FormatError(f"a target file is damaged: {error}") from error
    for op, law in laws.items():
        for item in fields(law):
            value = getattr(law, item.name)
            if isinstance(value, int | float) and value < 0:
                raise FormatError(f"a target file has a negative coefficient: {op}.{item.name} = {value}")
    return target


_LAWS: dict[str, Any] = {"lookup": LookupCost, "dsp": Dsp}
