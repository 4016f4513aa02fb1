"""report.json data → for each output one line: what is proven, what is measured, and what is only tested."""

from __future__ import annotations

from typing import Any

from sr2hls.emit.summary import rounded_up

Json = dict[str, Any]


def standing(data: Json) -> list[str]:
    """One line an output, from whatever has been run so far."""
    return [_line(data, output) for output in data["outputs"]]


def _line(data: Json, output: Json) -> str:
    checked = (data.get("verification") or {}).get("status") == "verified"
    parts = [f"proven: {output['promise']}{' (checked again by sr2hls verify)' if checked else ''}"]
    proof = (data.get("proof") or {}).get("verilog") or {}
    if proof.get("status") == "proven":
        parts[0] += f", and the Verilog = the integer model for all 2^{proof['input_bits']} inputs"
    netlist = (data.get("proof") or {}).get("netlist") or {}
    if netlist.get("status") == "proven":
        parts[0] += f", and Yosys' {netlist['family']} netlist = the Verilog for every input"
    simulation = data.get("simulation")
    if simulation is None:
        return "; ".join([parts[0], "measured: nothing yet", "tested: nothing yet", *_gates(netlist)])
    for error in simulation["errors"]:
        if error["output"] == output["name"]:
            where = "all inputs" if error["method"] == "exhaustive" else f"{error['points']} samples"
            parts.append(f"measured: {rounded_up(float(error['measured']))} on {where}")
    engines = [engine["engine"] for engine in simulation["engines"] if engine["vectors"]]
    most = max((engine["vectors"] for engine in simulation["engines"]), default=0)
    parts.append(f"only tested: {', '.join(engines)} bit for bit on up to {most} vectors")
    return "; ".join([*parts, *_gates(netlist)])


def _gates(netlist: Json) -> list[str]:
    """What is to be said of a netlist that is not proven."""
    if netlist.get("status") == "tested":
        return [f"only tested: Yosys' {netlist['family']} netlist on {netlist['vectors']} samples"]
    return [f"refuted: Yosys' {netlist['family']} netlist"] if netlist.get("status") == "refuted" else []
