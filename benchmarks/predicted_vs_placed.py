"""Random circuits → predicted slowest stage, LUTs and DSPs beside what Yosys and nextpnr-ecp5 place."""

from __future__ import annotations

import argparse
import math
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from statistics import median

from sr2hls.builder import CircuitBuilder
from sr2hls.circuit import Circuit, Rounding
from sr2hls.emit.verilog import module_name, verilog
from sr2hls.formats import Format
from sr2hls.schedule import schedule
from sr2hls.synth.microbench import probe_design
from sr2hls.synth.nextpnr import nextpnr_ecp5
from sr2hls.targets import load_target

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from random_circuits import random_circuit


def formula_circuit(seed: int, operations: int) -> Circuit:
    """What a formula on three 12-bit inputs compiles to: sums, products, tables, comparisons, rounded to 12 bits."""
    rng = random.Random(seed)
    b = CircuitBuilder()
    pool = [b.input(f"x{i}", Format(True, 12, 8)) for i in range(3)]
    while len(pool) < 3 + operations:
        x, y = rng.choice(pool[-4:]), rng.choice(pool)
        match rng.choice(("add", "sub", "mul", "mul", "table", "table", "absolute", "maximum")):
            case "table":
                width = min(b[x].format.width, rng.randint(7, 10))
                phase = rng.random()
                codes = tuple(round(500 * math.sin(phase + 3 * i / (1 << width))) for i in range(1 << width))
                z = b.lookup(b.slice(x, b[x].format.width - 1, b[x].format.width - width), codes, 8)
            case "absolute":
                z = b.absolute(x)
            case method:
                z = getattr(b, method)(x, y)
        if b[z].format.width > 14:
            z = b.round_to(z, b[z].format.fraction - (b[z].format.width - 12), rng.choice(list(Rounding)))
        if z not in pool:
            pool.append(z)
    return b.build([("y", pool[-1])])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", default="ecp5-6")
    parser.add_argument("--designs", type=int, default=10)
    parser.add_argument("--operations", type=int, default=10)
    parser.add_argument("--kind", choices=("formula", "any"), default="formula")
    parser.add_argument("--clock", type=float)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    target = load_target(options.target)
    clock = options.clock or target.clock_ns

    def run(seed: int) -> tuple[float, float, float]:
        circuit = (formula_circuit if options.kind == "formula" else random_circuit)(seed, options.operations)
        plan = schedule(circuit, target, clock, register_inputs=True, register_outputs=True)
        design = replace(probe_design(circuit, target), cycles=plan.cycles, stages=plan.stages, clock_ns=clock)
        seeds = range(1, options.seeds + 1)
        text = verilog(design)
        placed = nextpnr_ecp5(text, module_name(design), target, seeds=seeds, clock_ns=clock, latency=design.latency)
        areas = [target.area(circuit, index) for index in range(len(circuit.nodes))]
        lut, dsp = sum(a.lut for a in areas), sum(a.dsp for a in areas)
        period, used = 1000 / placed.median_mhz, placed.utilization
        print(
            f"seed {seed:4}: {plan.stages} stages, predicted {plan.critical_ns:5.2f} ns, placed {period:5.2f} ns, "
            f"ratio {plan.critical_ns / period:4.2f}; LUT {lut:5.0f} / {used['lut']:5}, DSP {dsp:3.0f} / {used['dsp']}",
            flush=True,
        )
        return plan.critical_ns / period, lut / max(1, used["lut"]), float(period <= clock)

    with ThreadPoolExecutor(max_workers=2) as pool:
        rows = list(pool.map(run, range(options.designs)))
    for name, column in zip(("delay", "LUT"), zip(*rows, strict=True), strict=False):
        print(f"predicted / placed {name}: median {median(column):.2f}, from {min(column):.2f} to {max(column):.2f}")
    print(f"meets {clock:g} ns: {sum(row[2] for row in rows):.0f} of {len(rows)}")


if __name__ == "__main__":
    main()
