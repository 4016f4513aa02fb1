"""Micro-benchmarks through Yosys' cell-delay analysis → an estimate of a 7-series target's coefficients."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from sr2hls.emit.verilog import module_name, verilog
from sr2hls.errors import ToolError
from sr2hls.synth.calibrate import WORKERS, Measured, fit
from sr2hls.synth.microbench import Probe, probe_design, probes
from sr2hls.synth.yosys import FAMILIES, counts, run_yosys
from sr2hls.targets import Target

ROUTE_NS = 0.45  # assumed delay of a routed net; the cell delays below have no routing
_SETUP_NS = 0.1  # assumed; Yosys gives none
_CLOCK_TO_OUTPUT_NS = 0.303  # FDRE in Yosys' library
_DSP_NS = 2.97  # DSP48E1 without registers, A to P, in Yosys' library: its `sta` pass stops at that block

# "    1069 cell name (CARRY4.S->CO)": arrival in ps, cell type, pins
_ARC = re.compile(r"^\s*(\d+) .*\((\w+)\.(\w+)->(\w+)\)\s*$", re.MULTILINE)


def calibrate_xc7(target: Target, *, tell: Callable[[str], None] = lambda _: None) -> tuple[Target, list[Measured]]:
    """Sum the cell delays of every probe's slowest path, add `ROUTE_NS` for each net that leaves a slice, and fit.

    An estimate: the routing is assumed, and the cell delays are those of one speed grade of an Artix-7.
    Raises ToolError where Yosys is missing.
    """

    def run_probe(probe: Probe) -> tuple[Measured, str]:
        item, version = _measure(probe, target)
        tell(f"{probe.name}: {item.delay_ns:.2f} ns, {item.lut:g} LUT6, {item.dsp:g} DSP")
        return item, version

    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        runs = list(pool.map(run_probe, probes(target)))
    measured, version = [item for item, _ in runs], runs[0][1]
    source = (
        f"estimate: cell delays of Yosys {version} (7-series, from Project X-Ray's Artix-7 timing), {ROUTE_NS} ns "
        f"assumed per routed net, sr2hls calibrate; LUTs and DSPs as Yosys synthesizes"
    )
    fitted = replace(
        target,
        overhead_ns=_CLOCK_TO_OUTPUT_NS + _SETUP_NS + 0.1,
        overhead_source="estimate: FDRE clock-to-output 0.303 ns (Yosys' library) + 0.1 setup + 0.1 clock uncertainty, "
        "both assumed",
        costs=fit(measured, target, source),
    )
    return fitted, measured


def _measure(probe: Probe, target: Target) -> tuple[Measured, str]:
    design = probe_design(probe.circuit, target)
    top = module_name(design)
    with tempfile.TemporaryDirectory(prefix="sr2hls_sta_") as name:
        folder = Path(name)
        (folder / "top.v").write_text(verilog(design))
        # straight after synthesis `sta` sees no timing arcs: read the netlist again beside a fresh library
        script = [
            "read_verilog -sv top.v",
            f"{FAMILIES['xc7']} -nobram -top {top}",
            "tee -q -o stat.json stat -json",
            f"select {top}",
            "write_rtlil -selected net.il",
            "design -reset",
            "read_verilog -lib -specify +/xilinx/cells_sim.v",
            "read_verilog -lib +/xilinx/cells_xtra.v",
            "read_rtlil net.il",
            f"hierarchy -top {top}",
            "tee -q -o sta.txt sta",
        ]
        tool, version = run_yosys(script, folder)
        cells = counts(json.loads((folder / "stat.json").read_text())["design"]["num_cells_by_type"], tool, version)
        log = (folder / "sta.txt").read_text()
    delay = _DSP_NS + 2 * ROUTE_NS if cells.dsp else _path_ns(log)
    if cells.dsp > 1:  # the further blocks and adders are chained: a carry chain and a net each
        delay += probe.pieces * _SPLIT_NS
    return Measured(probe, delay, cells.lut, cells.dsp), version


_SPLIT_NS = 1.5


def _path_ns(log: str) -> float:
    """Cells of the slowest path after the launching register, and the nets between slices."""
    arcs = [(int(ps), cell, pin, out) for ps, cell, pin, out in _ARC.findall(log)]
    logic = [arc for arc in arcs if not arc[1].startswith("FD")]
    if not logic:
        raise ToolError("Yosys' sta pass found no path through the micro-benchmark")
    # inside a slice: the carry chain, a LUT's output to its carry cell or hard multiplexer
    nets = sum(cell not in ("CARRY4", "MUXF7", "MUXF8") or pin == "CYINIT" for _, cell, pin, _ in logic)
    return max(arc[0] for arc in logic) / 1000 - _CLOCK_TO_OUTPUT_NS + float(nets) * ROUTE_NS
