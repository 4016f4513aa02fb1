"""`Design` + its Verilog → is the netlist that Yosys maps it to equal to it for every input, or only tested?"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sr2hls.check.vectors import corners, random_codes
from sr2hls.design import Design
from sr2hls.emit.verilog import module_name, port_names, verilog
from sr2hls.errors import MismatchError
from sr2hls.interpret import interpret
from sr2hls.synth.aiger import DIFFERENT, EQUAL, equal
from sr2hls.synth.equivalence import Miter, miter
from sr2hls.synth.gate_order import registers_before, through_registers
from sr2hls.synth.gate_simulation import clocked, to_codes, to_lanes
from sr2hls.synth.gates import Graph
from sr2hls.synth.mapped import Netlist, formula_graph, mapped_netlist, netlist_graph

PROVEN, REFUTED, TESTED = "proven", "refuted", "tested"

_LANES = 256  # streams that run side by side
_CYCLES = 40  # samples of each, gaps included

Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class NetlistProof:
    """What is known of one netlist.

    `status`: "proven": for every input it gives what the Verilog gives, and every path crosses as many registers;
    "refuted": the integer model and the gate-level simulation disagree, see `detail`; "tested": not proven, `detail`
    says why, and equal to the integer model on `vectors` samples, clocked from power-up.
    """

    status: str
    family: str
    vectors: int
    seconds: float
    engine: str
    detail: str = ""
    products: int = 0  # multiplications of the Verilog; they are not taken apart

    def data(self) -> dict[str, Any]:
        """The same as JSON data."""
        return asdict(self)


def prove_netlist(
    design: Design,
    text: str | None = None,
    *,
    family: str = "ecp5",
    seconds: float = 60.0,
    netlist: Netlist | None = None,
) -> NetlistProof:
    """Synthesize a Verilog text and prove the netlist equal to it; simulate the gates against the integer model.

    The proof: ABC's combinational equivalence check of both with registers as wires (`sr2hls.synth.equivalence`), and
    the same number of registers on every path of the netlist.

    Args:
        text: the Verilog, default: as it is printed now.
        family: "ecp5" or "xc7".
        seconds: the time limit of ABC.
        netlist: of the text, where it is at hand.

    Raises:
        ToolError: Yosys or ABC is missing or fails, or the netlist holds a cell that is not modeled. MismatchError:
        the text or the netlist has other ports.
    """
    start = time.monotonic()
    text, top = verilog(design) if text is None else text, module_name(design)
    netlist = netlist or mapped_netlist(text, top, family)
    gates = netlist_graph(netlist)
    _require_ports(design, gates)
    status, vectors, detail = *_simulated(design, gates), ""
    products = 0
    if not status:
        formula = formula_graph(text, top)
        _require_ports(design, formula)
        products = len(formula.products)
        status, detail = _proof(design, formula, gates, seconds)
    else:
        status, detail = REFUTED, status
    spent = round(time.monotonic() - start, 3)
    return NetlistProof(status, netlist.family, vectors, spent, f"{netlist.engine}, ABC", detail, products)


def _require_ports(design: Design, graph: Graph) -> None:
    names = port_names(design)
    inputs = {"clk": 1, "in_valid": 1} | {names[name]: fmt.width for name, fmt in design.input_formats.items()}
    outputs = {"out_valid": 1} | {names[name]: fmt.width for name, fmt in design.output_formats.items()}
    found = [{name: len(word) for name, word in ports.items()} for ports in (graph.inputs, graph.outputs)]
    if found != [inputs, outputs]:
        raise MismatchError(f"the netlist has other ports than design '{design.name}'; compile the model again")


def _proof(design: Design, formula: Graph, gates: Graph, seconds: float) -> tuple[str, str]:
    """The status and why it is not proven."""
    for name, graph in (("Verilog", formula), ("netlist", gates)):
        try:
            counts = registers_before(graph, through_registers(graph))
        except MismatchError as error:
            return TESTED, f"{error} (in the {name})"
        for port, word in graph.outputs.items():
            if {counts.get(bit >> 1, design.latency) for bit in word} - {design.latency}:
                return TESTED, f"output '{port}' of the {name} does not come after {design.latency} registers"
    both = miter(formula, gates)
    deadline = time.monotonic() + seconds
    for possible in (1, both.possible):  # what results a multiplier can have is seldom needed, and makes it harder
        answer, example = equal(both.graph, both.pairs, max(1.0, deadline - time.monotonic()), possible)
        if answer == EQUAL:
            return PROVEN, ""
        if answer == DIFFERENT and (found := _difference(design, gates, _inputs(design, both, example))):
            return REFUTED, found
    if answer == DIFFERENT:
        return TESTED, "ABC found a difference, but only for results of multipliers that do not occur"
    apart = f", {both.taken_apart} multipliers taken apart" if both.taken_apart else ""
    return TESTED, f"ABC gave no answer within {seconds:g} s{apart}"


def _inputs(design: Design, both: Miter, example: Mapping[int, bool]) -> dict[str, Codes]:
    """The codes of one input, from the values of nodes."""
    names = port_names(design)
    codes = {}
    for name, fmt in design.input_formats.items():
        bits = [int(example.get(bit >> 1, False)) for bit in both.graph.inputs[names[name]]]
        codes[name] = to_codes(bits, 1, fmt.signed)
    return codes


def _difference(design: Design, gates: Graph, codes: dict[str, Codes]) -> str:
    """What differs when one sample is sent through the gates; "" when nothing does."""
    batches = [(codes, 1)] + [(codes, 0)] * (design.latency + 1)
    return _run(design, gates, batches, 1)


def _simulated(design: Design, gates: Graph) -> tuple[str, int]:
    """What differs in many streams of corners and random samples with gaps, "" for nothing; and how many samples."""
    rng = random.Random(1)
    size = _LANES * _CYCLES
    first = corners(design, _LANES * _CYCLES // 2)
    count = len(next(iter(first.values()))) if first else 0
    more = random_codes(design, size - count, 1)
    codes = {name: np.concatenate([first[name], more[name]]) for name in design.input_formats}
    batches, sent = [], 0
    for cycle in range(_CYCLES):
        valid = rng.getrandbits(_LANES)
        batches.append(({name: values[cycle * _LANES : (cycle + 1) * _LANES] for name, values in codes.items()}, valid))
        sent += valid.bit_count()
    batches += [(batches[0][0], 0)] * (design.latency + 1)
    return _run(design, gates, batches, _LANES), sent


Cycle = tuple[dict[str, Codes], int]  # the codes in every lane, and the lanes in which they are valid


def _run(design: Design, gates: Graph, cycles: list[Cycle], lanes: int) -> str:
    """Send samples through the gates, from power-up on; the first disagreement with the integer model."""
    names = port_names(design)
    formats = design.output_formats
    for now, found in enumerate(clocked(gates, list(_words(design, cycles)), lanes)):
        before = now - design.latency
        codes, valid = cycles[before] if before >= 0 else ({}, 0)
        if wrong := found["out_valid"][0] ^ valid:
            lane = (wrong & -wrong).bit_length() - 1
            return f"out_valid is {found['out_valid'][0] >> lane & 1} in clock cycle {now}, and should not be"
        if not valid:
            continue
        mask = to_codes([valid], lanes, False) == 1
        expected = interpret(design.circuit, codes if design.input_formats else {})
        for name, fmt in formats.items():
            got = to_codes(found[names[name]], lanes, fmt.signed)
            wrong_lanes = np.flatnonzero(mask & (got != expected[name]))
            if wrong_lanes.size:
                lane = int(wrong_lanes[0])
                given = ", ".join(f"{port}={int(values[lane])}" for port, values in codes.items()) or "no inputs"
                return (
                    f"output '{name}' is {int(got[lane])}, the integer model gives "
                    f"{int(np.broadcast_to(expected[name], got.shape)[lane])}, at the codes {given}"
                )
    return ""


def _words(design: Design, cycles: list[Cycle]) -> Iterator[dict[str, list[int]]]:
    names = port_names(design)
    for codes, valid in cycles:
        ports = {names[name]: to_lanes(codes[name], fmt.width) for name, fmt in design.input_formats.items()}
        yield ports | {"in_valid": [valid]}
