"""Verilog text → Yosys' reading of it: a word-level netlist, and SMT-LIB definitions with registers as wires."""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sr2hls.check import toolchain
from sr2hls.design import Design
from sr2hls.emit.verilog import port_names
from sr2hls.errors import MismatchError, ToolError

_WIRE = """(* techmap_celltype = "$dff" *)
module register_as_wire (CLK, D, Q);
    parameter WIDTH = 1;
    parameter CLK_POLARITY = 1;
    input CLK;
    input [WIDTH-1:0] D;
    output [WIDTH-1:0] Q;
    assign Q = D;
endmodule
"""
# No `opt` and no `memory`: they fold multiplexers into registers, share operators and move registers into tables; that
# would hide the structure which both sides have.
# What is undefined becomes a free value, so that a proof holds whatever it is.
_SCRIPT = """read_verilog top.v
hierarchy -check -top {top}
proc
flatten
opt_expr
opt_clean
memory_collect
memory_map -rom-only
opt_clean
write_json netlist.json
techmap -map wire.v
opt_clean
setundef -undriven -anyseq
write_smt2 -wires definitions.smt2
"""


@dataclass(frozen=True, slots=True)
class Netlist:
    """A module as Yosys reads it.

    `module`: the netlist as Yosys' write_json has it, registers included. `smt`: SMT-LIB definitions of the same logic
    without registers, each wire `w` the symbol `|n w|`; `inputs`: the symbol of each input port; `wires`: the width of
    each wire (a word of one bit is a Bool there). `failure`: why there are no definitions: latches, a loop.
    """

    module: dict[str, Any]
    smt: str
    inputs: dict[str, str]
    wires: dict[str, int]
    version: str
    failure: str = ""


def read_netlist(text: str, top: str) -> Netlist:
    """Read a Verilog text by Yosys. Raises ToolError when Yosys is missing or refuses the text."""
    with tempfile.TemporaryDirectory(prefix="sr2hls-") as place:
        folder = Path(place)
        (folder / "top.v").write_text(text, encoding="utf-8")
        (folder / "wire.v").write_text(_WIRE, encoding="utf-8")
        failure = ""
        try:
            toolchain.run_yosys(_SCRIPT.format(top=top), folder)
        except ToolError as error:
            if not (folder / "netlist.json").is_file():
                raise
            failure = str(error)
        netlist = json.loads((folder / "netlist.json").read_text(encoding="utf-8"))
        smt = "" if failure else (folder / "definitions.smt2").read_text(encoding="utf-8")
    inputs = dict(re.findall(r"^; yosys-smt2-input (\S+) (\d+)$", smt, re.MULTILINE))
    outputs = re.findall(r"^; yosys-smt2-output (\S+) (\d+)$", smt, re.MULTILINE)
    wires = re.findall(r"^; yosys-smt2-wire (\S+) (\d+)$", smt, re.MULTILINE)
    return Netlist(
        netlist["modules"][top],
        _stateless(smt, top),
        {name: _symbol(smt, top, name) for name in inputs},
        {name: int(width) for name, width in (*inputs.items(), *outputs, *wires)},
        toolchain.yosys_version(),
        failure,
    )


def require_ports(design: Design, netlist: Netlist) -> None:
    """Raise MismatchError unless the module has the ports of the design, clock and valid included."""
    names = port_names(design)
    inputs = {"clk": 1, "in_valid": 1} | {names[name]: fmt.width for name, fmt in design.input_formats.items()}
    outputs = {"out_valid": 1} | {names[name]: fmt.width for name, fmt in design.output_formats.items()}
    for direction, ports in (("input", inputs), ("output", outputs)):
        for name, width in ports.items():
            port = netlist.module["ports"].get(name, {"direction": "", "bits": []})
            if (port["direction"], len(port["bits"])) != (direction, width):
                raise MismatchError(
                    f"the Verilog of design '{design.name}' has no {direction} '{name}' of {width} bits; compile the "
                    "model again"
                )


def unproven_cells(netlist: Netlist) -> list[str]:
    """The memory elements that are no plain registers; the definitions say nothing of the logic behind them."""
    kinds = {cell["type"] for cell in netlist.module["cells"].values()}
    return sorted(kind for kind in kinds if is_sequential(kind) and kind != "$dff")


def is_sequential(kind: str) -> bool:
    """Whether a cell type of Yosys' library remembers anything: registers, latches, memories."""
    return bool(re.search(r"dff|latch|\$mem|^\$ff$|^\$sr$|^\$_FF_", kind))


def _symbol(smt: str, top: str, port: str) -> str:
    found = re.search(rf"^\(declare-fun \|({re.escape(top)}#\d+)\| \(.*; \\{re.escape(port)}$", smt, re.MULTILINE)
    return found[1].replace(f"{top}#", "#") if found else ""


def _stateless(smt: str, top: str) -> str:
    """Functions of the state, of which there is none, as plain symbols."""
    lines = []
    for line in smt.splitlines():
        if line.startswith(("(define-fun", "(declare-fun")):
            # names may hold anything but a bar, so they are changed only where they stand between bars
            code = re.sub(r" *; \S+$", "", line)
            code = code.replace(f"((state |{top}_s|))", "()").replace(f" (|{top}_s|) ", " () ")
            code = re.sub(r"\((\|[^|]*\|) state\)", r"\1", code)
            code = code.replace(f"|{top}#", "|#").replace(f"|{top}_n ", "|n ")
            if f"|{top}_" not in code:  # initial state, assertions: of no use here
                lines.append(code)
    return "\n".join(lines) + "\n"
