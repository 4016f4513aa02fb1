"""`Design` → for each stage, the values that enter it through registers and those that its logic computes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import Enum, auto

from sr2hls.circuit import Circuit, Node, Op, Overflow, Rounding
from sr2hls.design import Design
from sr2hls.errors import CircuitError
from sr2hls.interpret import interpret


class Kind(Enum):
    """How a node's value reaches a later stage."""

    STATIC = auto()  # depends on no input: the same in every stage
    REGISTERED = auto()  # through its own chain of registers
    REWIRED = auto()  # wired anew from its argument in that stage; the argument has no more bits
    NARROWED = auto()  # some bits of its argument: rewired where the argument is there anyway, else its own registers


@dataclass(frozen=True, slots=True)
class Stage:
    """`registered`: nodes whose value comes from the stage before; `computed`: nodes stated here, in order."""

    registered: tuple[int, ...]
    computed: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """`static`: node → its constant code. `first[i]`: the stage of node i's plain name."""

    static: dict[int, int]
    first: dict[int, int]
    stages: tuple[Stage, ...]

    @property
    def registers(self) -> int:
        """How many values are registered between stages (not bits; without the port registers)."""
        return sum(len(stage.registered) for stage in self.stages)


def pipeline(design: Design) -> Pipeline:
    """Place the registers of a design.

    A value made in stage s and used in stage t passes t - s registers. Wiring (slice, shift, concat, a cast that only
    adds or drops bits) is repeated in a later stage rather than registered beside its argument; a slice is registered
    in place of its argument where that takes fewer bits. Inputs arrive in stage 0.

    Raises CircuitError when the stages are not legal.
    """
    circuit = design.circuit
    cycles = _checked_cycles(design)
    kinds = _kinds(circuit)
    uses = _uses(design, cycles, kinds)
    chained = _chained(design, cycles, kinds, uses)
    needed = _needed(design, cycles, kinds, chained)
    registered: list[list[int]] = [[] for _ in range(design.stages)]
    computed: list[list[int]] = [[] for _ in range(design.stages)]
    first: dict[int, int] = {}
    for index, kind in enumerate(kinds):
        if kind is Kind.STATIC or not needed[index]:
            continue
        if kind is Kind.REGISTERED or index in chained:
            first[index] = cycles[index]
            computed[cycles[index]].append(index)
            for stage in range(cycles[index] + 1, max(needed[index]) + 1):
                registered[stage].append(index)
        else:
            first[index] = min(needed[index])
            for stage in needed[index]:
                computed[stage].append(index)
    static = {index: _static_code(circuit, index) for index, kind in enumerate(kinds) if kind is Kind.STATIC}
    stages = tuple(Stage(tuple(r), tuple(c)) for r, c in zip(registered, computed, strict=True))
    return Pipeline(static, first, stages)


def _checked_cycles(design: Design) -> tuple[int, ...]:
    nodes = design.circuit.nodes
    if len(design.cycles) != len(nodes):
        raise CircuitError(f"design '{design.name}' has {len(nodes)} nodes but {len(design.cycles)} stages for them")
    cycles = tuple(0 if node.op is Op.INPUT else cycle for node, cycle in zip(nodes, design.cycles, strict=True))
    for index, node in enumerate(nodes):
        late = [arg for arg in node.args if cycles[arg] > cycles[index]]
        if late or not 0 <= cycles[index] < design.stages:
            raise CircuitError(f"design '{design.name}': node {index} ({node.op}) cannot be in stage {cycles[index]}")
    return cycles


def is_wiring_cast(node: Node, arg: Node) -> bool:
    """Whether a cast only drops, repeats or appends bits."""
    drop = arg.format.fraction - node.format.fraction
    return node.op is Op.CAST and node.overflow is Overflow.WRAP and (drop <= 0 or node.rounding is Rounding.FLOOR)


def _kinds(circuit: Circuit) -> list[Kind]:
    kinds: list[Kind] = []
    for node in circuit.nodes:
        args = [circuit.nodes[arg] for arg in node.args]
        if node.op is not Op.INPUT and all(kinds[arg] is Kind.STATIC for arg in node.args):
            kinds.append(Kind.STATIC)
        elif node.op in (Op.SHIFT, Op.CONCAT):
            kinds.append(Kind.REWIRED)
        elif node.op is Op.SLICE or (node.op is Op.CAST and is_wiring_cast(node, args[0])):
            kinds.append(Kind.NARROWED if node.format.width < args[0].format.width else Kind.REWIRED)
        else:
            kinds.append(Kind.REGISTERED)
    return kinds


def _uses(design: Design, cycles: tuple[int, ...], kinds: list[Kind]) -> list[set[int]]:
    """For each node the stages that use it, if every NARROWED node had its own registers."""
    return _needed(design, cycles, kinds, {index for index, kind in enumerate(kinds) if kind is Kind.NARROWED})


def _needed(design: Design, cycles: tuple[int, ...], kinds: list[Kind], chained: set[int]) -> list[set[int]]:
    nodes = design.circuit.nodes
    needed: list[set[int]] = [set() for _ in nodes]
    for _, index in design.circuit.outputs:
        needed[index].add(design.stages - 1)
    for index in range(len(nodes) - 1, -1, -1):
        own = kinds[index] is Kind.REGISTERED or index in chained
        for arg in nodes[index].args:
            if kinds[index] is not Kind.STATIC and kinds[arg] is not Kind.STATIC and needed[index]:
                needed[arg].update({cycles[index]} if own else needed[index])
    return needed


def _chained(design: Design, cycles: tuple[int, ...], kinds: list[Kind], uses: list[set[int]]) -> set[int]:
    """The NARROWED nodes that get their own registers."""
    circuit = design.circuit
    children = defaultdict(list)
    for index, kind in enumerate(kinds):
        if kind is Kind.NARROWED:
            children[circuit.nodes[index].args[0]].append(index)
    chained: set[int] = set()
    last: list[int] = []  # the last stage in which a node's value is there without a further register
    endless = max((max(stages, default=0) for stages in uses), default=0)
    for index, node in enumerate(circuit.nodes):
        match kinds[index]:
            case Kind.STATIC:
                last.append(endless)
            case Kind.REWIRED:
                last.append(min(last[arg] for arg in node.args))
            case Kind.NARROWED if index not in chained:
                last.append(last[node.args[0]])
            case _:
                last.append(max(uses[index], default=cycles[index]))
        late = [child for child in children[index] if max(uses[child], default=0) > last[index]]
        if not late:
            continue
        own = sum(circuit.nodes[child].format.width * (max(uses[child]) - last[index]) for child in late)
        whole = node.format.width * (max(max(uses[child]) for child in late) - last[index])
        rewired = kinds[index] is Kind.REWIRED
        # a multiplier block holds the register of its whole product for nothing, but not that of a slice
        block = node.op is Op.MUL and design.target.area(circuit, index).dsp > 0
        if rewired or (own < whole and not block):
            chained.update(late)
        else:
            last[index] = max(max(uses[child]) for child in late)
            if kinds[index] is Kind.NARROWED:
                chained.add(index)
    return chained


def _static_code(circuit: Circuit, index: int) -> int:
    node = circuit.nodes[index]
    if node.op is Op.CONSTANT:
        return node.value
    part = Circuit(circuit.nodes[: index + 1], (("value", index),), circuit.tables)
    zeros = {name: [0] for name, place in circuit.inputs if place <= index}
    return int(interpret(part, zeros)["value"][0])
