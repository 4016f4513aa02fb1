"""Verilog → graphs of gates: of the text itself, and of the netlist that Yosys maps it to, by models of its cells."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sr2hls.errors import ToolError
from sr2hls.synth.gates import PRODUCT, Graph, read_graph
from sr2hls.synth.yosys import FAMILIES, run_yosys, synthesis

MAPPED_FAMILIES = ("ecp5", "xc7")

# Yosys has no model of this block. Without its own registers it is a multiplier whose operands are signed or not.
_MULT18X18D = """module MULT18X18D (input {inputs}, SIGNEDA, SIGNEDB, SOURCEA, SOURCEB, output {outputs});
    wire signed [18:0] a = {{SIGNEDA & A17, {a}}};
    wire signed [18:0] b = {{SIGNEDB & B17, {b}}};
    wire signed [35:0] p = a * b;
    assign {{{outputs}}} = p;
endmodule
"""
_GATES = """proc
flatten -noscopeinfo
opt_expr
opt_clean
memory_collect
memory_map -rom-only
opt_clean
chtype -set {product} t:$mul
techmap
opt_clean
write_json gates.json
"""
_MODELS = {"ecp5": "+/ecp5/cells_sim.v", "xc7": "+/xilinx/cells_sim.v"}


@dataclass(frozen=True, slots=True)
class Netlist:
    """`text`: a module of cells of `family` as Yosys' RTLIL, `engine`: who made it."""

    text: str
    top: str
    family: str
    engine: str


def formula_graph(verilog: str, top: str) -> Graph:
    """The graph of a Verilog text. Raises ToolError when Yosys is missing or refuses it."""
    return _graph(f"read_verilog -sv top.v\nhierarchy -check -top {top}\n", {"top.v": verilog}, top)


def mapped_netlist(verilog: str, top: str, family: str) -> Netlist:
    """Synthesize as the counts of `sr2hls.synth.yosys` are made, tables in LUTs.

    Raises ToolError when Yosys is missing or refuses the text, or no cells of that family are modeled.
    """
    if family not in MAPPED_FAMILIES:
        raise ToolError(f"netlists are proven for {', '.join(MAPPED_FAMILIES)}, not '{family}'")
    with tempfile.TemporaryDirectory(prefix="sr2hls_netlist_") as name:
        folder = Path(name)
        (folder / "top.v").write_text(verilog, encoding="utf-8")
        script = ["read_verilog -sv top.v", *synthesis(top, FAMILIES[family]), f"select {top}"]
        tool, version = run_yosys([*script, "write_rtlil -selected netlist.il"], folder)
        return Netlist((folder / "netlist.il").read_text(encoding="utf-8"), top, family, f"{tool} {version}")


def netlist_graph(netlist: Netlist) -> Graph:
    """The graph of a netlist, by Yosys' models of the cells and our own of the ECP5's multiplier.

    Raises ToolError when the netlist holds a cell that is not modeled, or a register that is not plain.
    """
    files = {"netlist.il": netlist.text}
    script = f"read_verilog -nooverwrite {_MODELS[netlist.family]}\n"
    if netlist.family == "ecp5":
        files["multiplier.v"] = _multiplier()
        script += "read_verilog multiplier.v\n"
    script += f"read_rtlil netlist.il\nhierarchy -check -top {netlist.top}\n"
    return _graph(script, files, netlist.top)


def _graph(script: str, files: dict[str, str], top: str) -> Graph:
    with tempfile.TemporaryDirectory(prefix="sr2hls_gates_") as name:
        folder = Path(name)
        for file, text in files.items():
            (folder / file).write_text(text, encoding="utf-8")
        run_yosys([script + _GATES.format(product=PRODUCT)], folder)
        module = json.loads((folder / "gates.json").read_text(encoding="utf-8"))["modules"][top]
    return read_graph(module)


def _multiplier() -> str:
    inputs = ", ".join(f"{operand}{bit}" for operand in "ABC" for bit in range(18))
    a, b = (", ".join(f"{operand}{bit}" for bit in reversed(range(18))) for operand in "AB")
    outputs = ", ".join(f"P{bit}" for bit in reversed(range(36)))
    return _MULT18X18D.format(inputs=inputs, outputs=outputs, a=a, b=b)
