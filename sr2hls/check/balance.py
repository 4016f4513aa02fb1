"""`Design` + its Verilog text → does every path from an input port to an output port cross `latency` registers?

The question that the proof of `sr2hls.check.prove` leaves open: with registers as wires, an operand that comes a cycle
late looks right. Here the netlist is walked: all inputs of a cell must have crossed equally many registers.
"""

from __future__ import annotations

import graphlib
from dataclasses import asdict, dataclass
from typing import Any

from sr2hls.check.netlist import Netlist, is_sequential, read_netlist, require_ports
from sr2hls.design import Design
from sr2hls.emit.verilog import module_name, port_names, verilog

_REGISTER = "$dff"
_MOST_NAMES = 12


@dataclass(frozen=True, slots=True)
class Balance:
    """`registers`: output port → the registers that its paths cross; None where no input reaches it (a constant).

    `detail` says what is wrong: two paths that meet after different numbers of registers, a loop, another clock.
    """

    ok: bool
    registers: dict[str, int | None]
    detail: str = ""

    def data(self) -> dict[str, Any]:
        """The same as JSON data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Depth:
    """Registers between the inputs and a bit; `path` is one way there, as the names of what drives it."""

    registers: int
    path: tuple[str, ...]


class _UnbalancedError(Exception):
    pass


def balance(design: Design, text: str | None = None, *, netlist: Netlist | None = None) -> Balance:
    """Count the registers on all paths of the Verilog text (default: as it is printed now), valid included.

    Raises ToolError when Yosys is missing or refuses the text. MismatchError: the text has other ports.
    """
    netlist = netlist or read_netlist(verilog(design) if text is None else text, module_name(design))
    require_ports(design, netlist)
    try:
        depths = _depths(netlist.module)
    except _UnbalancedError as error:
        return Balance(False, {}, str(error))
    names = port_names(design)
    ports = netlist.module["ports"]
    found: dict[str, int | None] = {}
    for output in (*(names[name] for name, _ in design.circuit.outputs), "out_valid"):
        reached = [depth for bit in ports[output]["bits"] if (depth := depths.get(bit)) is not None]
        counts = {depth.registers: depth for depth in reached}
        if counts.keys() - {design.latency}:
            wrong = next(depth for count, depth in sorted(counts.items()) if count != design.latency)
            detail = f"output '{output}' comes after {_times(wrong.registers)}, not {design.latency}: {_way(wrong)}"
            return Balance(False, found | {output: wrong.registers}, detail)
        found[output] = design.latency if reached else None
    return Balance(True, found)


def _depths(module: dict[str, Any]) -> dict[int, _Depth]:
    """Each bit that depends on an input port → its depth. Raises _UnbalancedError."""
    labels = _labels(module)
    drivers, depths = {}, {}
    for name, port in module["ports"].items():
        if port["direction"] == "input" and name != "clk":
            depths.update({bit: _Depth(0, (name,)) for bit in port["bits"]})
    clock = module["ports"]["clk"]["bits"]
    sources: dict[int, list[int]] = {}
    for name, cell in module["cells"].items():
        _check_cell(cell, clock, labels)
        outputs = [port for port, way in cell["port_directions"].items() if way == "output"]
        inputs = [port for port in cell["port_directions"] if port not in outputs and port != "CLK"]
        read = [bit for port in inputs for bit in cell["connections"][port] if isinstance(bit, int)]
        for port in outputs:
            for place, bit in enumerate(cell["connections"][port]):
                drivers[bit] = name
                own = cell["connections"]["D"][place : place + 1] if cell["type"] == _REGISTER else read
                sources[bit] = list(dict.fromkeys(source for source in own if isinstance(source, int)))
    try:
        order = list(graphlib.TopologicalSorter(sources).static_order())
    except graphlib.CycleError as error:
        ring = list(dict.fromkeys(labels.get(bit, "an unnamed value") for bit in error.args[1]))
        raise _UnbalancedError(f"a loop: {' -> '.join(ring)}") from None
    for bit in order:
        if bit in drivers:
            cell = module["cells"][drivers[bit]]
            if (depth := _meet(cell, [depths.get(source) for source in sources[bit]], labels.get(bit))) is not None:
                depths[bit] = depth
    return depths


def _meet(cell: dict[str, Any], reached: list[_Depth | None], label: str | None) -> _Depth | None:
    known = [depth for depth in reached if depth is not None]
    if not known:
        return None
    least, most = (end(known, key=lambda depth: depth.registers) for end in (min, max))
    if least.registers != most.registers:
        raise _UnbalancedError(
            f"paths meet at '{label or cell['type']}' after {_times(least.registers)} ({_way(least)}) and after "
            f"{_times(most.registers)} ({_way(most)})"
        )
    path = most.path if label is None or label == most.path[-1] else (*most.path, label)
    return _Depth(most.registers + (cell["type"] == _REGISTER), path)


def _check_cell(cell: dict[str, Any], clock: list[int], labels: dict[int, str]) -> None:
    kind = cell["type"]
    if kind == _REGISTER:
        rising = int(str(cell["parameters"].get("CLK_POLARITY", 1)), 2) == 1
        if cell["connections"]["CLK"] != clock or not rising:
            name = labels.get(cell["connections"]["Q"][0], "unnamed")
            raise _UnbalancedError(f"the register '{name}' is not clocked by the rising edge of clk")
    elif is_sequential(kind):
        raise _UnbalancedError(f"the Verilog holds a {kind}, which is no plain register")


def _labels(module: dict[str, Any]) -> dict[int, str]:
    """Bit → the name of a written wire that holds it."""
    found: dict[int, str] = {}
    for name, net in module["netnames"].items():
        for bit in net["bits"] if not net["hide_name"] else ():
            if isinstance(bit, int):
                found.setdefault(bit, name)
    return found


def _times(count: int) -> str:
    return f"{count} register{'' if count == 1 else 's'}"


def _way(depth: _Depth) -> str:
    path = depth.path
    if len(path) > _MOST_NAMES:
        path = (*path[: _MOST_NAMES // 2], "...", *path[-_MOST_NAMES // 2 :])
    return " -> ".join(path)
