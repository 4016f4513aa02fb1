"""Micro-benchmarks, synthesized and placed → the coefficients of a `Target`, each with its provenance."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from statistics import median
from typing import Any

from sr2hls.circuit import Op
from sr2hls.emit.verilog import module_name, verilog
from sr2hls.errors import LoadError
from sr2hls.synth.chains import CHAIN, DSP, LESS, NET, RESET, chains, net_delay, saving
from sr2hls.synth.microbench import Probe, probe_design, probes
from sr2hls.synth.nextpnr import nextpnr_ecp5
from sr2hls.targets import Target
from sr2hls.targets.coefficients import DEEP, Cost, Costs, Dsp, LookupCost, levels
from sr2hls.targets.rom import LEAF, rom_structure

MARGIN = 1.03  # a net of a whole design is longer than one of a micro-benchmark: see benchmarks/predicted_vs_placed.py
WORKERS = 2  # tools that run side by side; their results do not depend on it


@dataclass(frozen=True, slots=True)
class Measured:
    """A probe with its delay (register overhead removed), LUTs and DSP blocks."""

    probe: Probe
    delay_ns: float
    lut: float
    dsp: float


@dataclass(frozen=True, slots=True)
class Placed:
    """What place-and-route says of a probe, by name: median period and register overhead in ns, cells, and by what."""

    name: str
    seeds: tuple[int, ...]
    period_ns: float
    registers_ns: float
    lut: int
    dsp: int
    tool: str

    def line(self, target: str) -> str:
        """A line of JSON for `read_points`."""
        return json.dumps({"target": target, **asdict(self)}) + "\n"


def read_points(path: Path, target: str) -> list[Placed]:
    """The measurements of one target in a file of such lines; a line that was cut short is left out.

    Raises LoadError when the file cannot be read, or is another one.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise LoadError(f"{path}: cannot be read ({error})") from None
    found = []
    for line in lines:
        try:
            data = json.loads(line)
        except json.JSONDecodeError:
            continue
        try:
            if data.pop("target") == target:
                found.append(Placed(**data | {"seeds": tuple(data["seeds"])}))
        except (AttributeError, KeyError, TypeError):
            raise LoadError(f"{path}: these are no measurements of 'sr2hls calibrate --points'") from None
    return found


def heading(target: Target) -> str:
    """The comment at the top of a target's file."""
    basis = (
        "AMD Artix-7: an estimate. Cell delays from Project X-Ray, assumed routing; no vendor tool was run."
        if target.family == "xc7"
        else "Lattice ECP5: calibrated by open place-and-route."
    )
    return f"{basis}\nWritten by sr2hls calibrate; do not edit by hand."


def calibrate_ecp5(
    target: Target,
    *,
    seeds: Sequence[int] = (1, 2, 3),
    known: Iterable[Placed] = (),
    tell: Callable[[Placed], None] = lambda _: None,
) -> tuple[Target, list[Measured]]:
    """Place and route every probe with every seed and fit; returns the new target and the measurements.

    The delay of a probe is its median period less `overhead_ns`: clock-to-output and setup of the registers, read
    from the critical paths. The route into the operation stays in its delay, as do slower register inputs.
    Raises ToolError where a tool is missing.

    Args:
        known: results of an earlier call on the same target; with the same seeds they are not measured again.
        tell: told each new result.
    """
    before = {item.name: item for item in known if item.seeds == tuple(seeds)}

    def run_probe(probe: Probe) -> Placed:
        if probe.name in before:
            return before[probe.name]
        design = probe_design(probe.circuit, target)
        run = nextpnr_ecp5(verilog(design), module_name(design), target, seeds=seeds, clock_ns=4.0, latency=2)
        tool = f"{run.tool}, {run.version}, {run.device}"
        overhead = _registers(run.critical_path)
        cells = (run.utilization["lut"], run.utilization["dsp"])
        placed = Placed(probe.name, tuple(seeds), 1000 / run.median_mhz, overhead, *cells, tool)
        tell(placed)
        return placed

    chosen = [*probes(target), *chains()]
    with ThreadPoolExecutor(max_workers=WORKERS) as pool:
        runs = list(pool.map(run_probe, chosen))
    overhead = median(run.registers_ns for run in runs)
    measured = [
        Measured(probe, run.period_ns - overhead, run.lut, run.dsp) for probe, run in zip(chosen, runs, strict=True)
    ]
    tools = "; ".join(sorted({run.tool for run in runs}))
    source = (
        f"placed and routed: {tools}, median of seeds {'/'.join(map(str, seeds))}, sr2hls calibrate; "
        f"delays x {MARGIN} for the longer nets of whole designs"
    )
    singles = [item for item in measured if item.probe.law not in (NET, RESET, CHAIN)]
    fitted = replace(
        target,
        overhead_ns=overhead,
        overhead_source=f"median clock-to-output + setup of the critical paths; {source}",
        costs=fit(singles, target, source, MARGIN),
    )
    return with_chains(fitted, measured, source), measured


def with_chains(target: Target, measured: Iterable[Measured], source: str) -> Target:
    """The target with what operations that follow one another were measured to take."""
    delays = [(item.probe, MARGIN * item.delay_ns) for item in measured]
    return replace(
        target,
        net_ns=net_delay(delays),
        logic_ns=net_delay(delays, RESET),
        dsp_onward_ns=saving(target, delays, DSP),
        less_onward_ns=saving(target, delays, LESS),
        chain_source="the slowest net, a LUT into a register's reset, and what the chain that saves least behind a "
        f"multiplier or a comparison saves; {source}",
    )


def _registers(path: Sequence[str]) -> float:
    """Clock-to-output and setup of a critical path, with the route from a LUT into the register beside it."""
    return sum(float(step.split()[0]) for step in path if step.split()[1] in ("clk-to-q", "setup"))


def fit(measured: Iterable[Measured], target: Target, source: str, margin: float = 1.0) -> Costs:
    """Least squares with non-negative coefficients, law by law; `margin` multiplies every delay.

    No law falls below the fastest measurement, one LUT and its net. A law without a measurement keeps the target's
    coefficients.
    """
    measured = list(measured)
    floor = margin * min(item.delay_ns for item in measured)
    groups: dict[str, list[Measured]] = {}
    for item in measured:
        groups.setdefault(item.probe.law, []).append(item)
    laws: dict[str, Any] = {}
    for law in fields(Costs):
        points = groups.get(law.name)
        old = getattr(target.costs, law.name)
        if not points:
            laws[law.name] = old
        elif isinstance(old, LookupCost):
            laws[law.name] = _fit_lookup(points, target, source, margin)
        elif isinstance(old, Dsp):
            laws[law.name] = _fit_dsp(points, old, source, margin)
        elif law.name == "mask":
            laws[law.name] = _fit_mask(points, laws["select"], laws["add"], source)
        else:
            laws[law.name] = _fit_cost(points, source, margin, floor)
    return Costs(**laws)


def _fit_cost(points: list[Measured], source: str, margin: float, floor: float) -> Cost:
    widths = [p.probe.width for p in points]
    delays = [margin * p.delay_ns for p in points]
    delay = least_squares([[1.0, w, levels(w)] for w in widths], [d - floor for d in delays], delays)
    delay[0] += floor
    area = least_squares([[1.0, w] for w in widths], [p.lut for p in points])
    ns, ns_bit, ns_log = _rounded(delay)
    lut, lut_bit = _rounded(area)
    return Cost(ns, ns_bit, ns_log, lut, lut_bit, f"{source}; fit error {_spread(points, delay, margin)}")


def _fit_mask(points: list[Measured], select: Cost, add: Cost, source: str) -> Cost:
    """The delay of a selection; the LUTs that products in rows take beside their sums, by each bit of a row."""
    left = []
    for p in points:
        nodes = p.probe.circuit.nodes
        sums = sum(add.luts(node.format.width) for node in nodes if node.op in (Op.ADD, Op.SUB))
        left.append(max(0.0, p.lut - sums) / p.probe.width)
    return replace(select, lut=0.0, lut_bit=round(median(left), 4), source=f"{source}; delay of a selection")


def _spread(points: list[Measured], delay: list[float], margin: float) -> str:
    """The largest relative error of a fitted delay."""
    errors = []
    for p in points:
        w = p.probe.width
        errors.append(abs((delay[0] + delay[1] * w + delay[2] * levels(w)) / (margin * p.delay_ns) - 1))
    return f"{max(errors):.0%}"


def _fit_lookup(points: list[Measured], target: Target, source: str, margin: float) -> LookupCost:
    over = [max(0, p.probe.width - target.lut_inputs) for p in points]
    delay = least_squares([[1.0, n] for n in over], [margin * p.delay_ns for p in points])
    smooth = [p for p in points if p.probe.width > LEAF and "smooth" in p.probe.name]  # what formulas' tables are like
    ratios = {p.probe.width: p.lut / rom_structure(p.probe.circuit.tables[0])[0] for p in smooth}
    factor = median(ratio for width, ratio in ratios.items() if width <= DEEP)
    deep = max(1.0, median(ratio for width, ratio in ratios.items() if width > DEEP) / factor)
    ns, ns_bit = _rounded(delay)
    return LookupCost(ns, ns_bit, round(factor, 4), round(deep, 4), source)


def _fit_dsp(points: list[Measured], old: Dsp, source: str, margin: float) -> Dsp:
    delay = least_squares([[1.0, p.probe.pieces] for p in points], [margin * p.delay_ns for p in points])
    split = [p for p in points if p.dsp > 1]
    area = least_squares([[p.probe.width * (p.dsp - 1)] for p in split], [p.lut for p in split])
    return replace(old, ns=round(delay[0], 4), split_ns=round(delay[1], 4), split_lut=round(area[0], 4), source=source)


def _rounded(values: Iterable[float]) -> list[float]:
    return [round(value, 4) for value in values]


def least_squares(rows: list[list[float]], values: list[float], scale: list[float] | None = None) -> list[float]:
    """The non-negative coefficients of least squared error relative to `scale` (default: the values).

    The best of all subsets of columns, so for a few columns only.
    """
    import numpy as np

    matrix, right = np.array(rows, dtype=float), np.array(values, dtype=float)
    weight = 1 / np.maximum(np.abs(np.array(scale or values, dtype=float)), 0.1)
    columns = matrix.shape[1]
    best: tuple[float, list[float]] = (float("inf"), [0.0] * columns)
    for size in range(columns + 1):
        for subset in itertools.combinations(range(columns), size):
            found = np.zeros(columns)
            if subset:
                scaled = matrix[:, subset] * weight[:, None]
                found[list(subset)] = np.linalg.lstsq(scaled, right * weight, rcond=None)[0]
            error = float(np.sum(((matrix @ found - right) * weight) ** 2))
            if (found >= 0).all() and error < best[0] * (1 - 1e-9):
                best = (error, [float(x) for x in found])
    return best[1]
