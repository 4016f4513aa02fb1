"""Random designs → the predicted period of the slowest stage, LUTs and DSPs beside what Yosys and nextpnr-ecp5 place.

    python benchmarks/predicted_vs_placed.py --out placed.jsonl --designs 50 [--seeds 3] [--jobs 2]

Half of the designs are compiled random formulas (those of the test suite, on an ECP5), a quarter circuits like those
that formulas become, a quarter random operations of every kind. Finished designs are skipped; a line in the file
belongs to one version of the target's coefficients and of the scheduler.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import random
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

from resumable import Record, run_all

from sr2hls.builder import CircuitBuilder
from sr2hls.circuit import Circuit, Rounding
from sr2hls.design import Design
from sr2hls.emit.verilog import module_name, verilog
from sr2hls.errors import Sr2hlsError
from sr2hls.formats import Format
from sr2hls.schedule import schedule
from sr2hls.synth.microbench import probe_design
from sr2hls.synth.nextpnr import nextpnr_ecp5
from sr2hls.targets import load_target, target_file

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from drawn import draw
from random_circuits import random_circuit

ROOT = Path(__file__).resolve().parent.parent
KINDS = ("compiled", "formula", "compiled", "any")


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


def compiled_circuit(seed: int) -> Circuit:
    """The circuit of the first random formula, from seed · 100 on, that compiles and is more than wiring."""
    for place in range(seed * 100, seed * 100 + 100):
        try:
            circuit = draw(place).design.circuit
        except Sr2hlsError:
            continue
        if len(circuit.nodes) > 8:
            return circuit
    raise RuntimeError(f"no formula of seed {seed} compiles")


def design_of(kind: str, seed: int, target_name: str, clock: float) -> Design:
    """One random design, scheduled for the clock."""
    target = load_target(target_name)
    match kind:
        case "compiled":
            circuit = compiled_circuit(seed)
        case "formula":
            circuit = formula_circuit(seed, 10)
        case _:
            circuit = random_circuit(seed, 10)
    plan = schedule(circuit, target, clock, register_inputs=True, register_outputs=True)
    design = probe_design(circuit, target)
    return replace(design, cycles=plan.cycles, stages=plan.stages, clock_ns=clock, critical_ns=plan.critical_ns)


def run(task: Record) -> Record:
    """Place one design; periods in ns."""
    design = design_of(task["kind"], task["seed"], task["target"], task["clock"])
    target, circuit = design.target, design.circuit
    seeds = range(1, task["seeds"] + 1)
    text = verilog(design)
    placed = nextpnr_ecp5(
        text, module_name(design), target, seeds=seeds, clock_ns=task["clock"], latency=design.latency
    )
    areas = [target.area(circuit, index) for index in range(len(circuit.nodes))]
    return {
        "stages": design.stages,
        "nodes": len(circuit.nodes),
        "predicted_ns": design.critical_ns,
        "placed_ns": 1000 / placed.median_mhz,
        "predicted_lut": sum(area.lut for area in areas),
        "placed_lut": placed.utilization["lut"],
        "predicted_dsp": sum(area.dsp for area in areas),
        "placed_dsp": placed.utilization["dsp"],
        "path": list(placed.critical_path),
        "tool": f"{placed.tool}, {placed.version}",
    }


def model_digest(target: str) -> str:
    """Tells versions of the delay model apart."""
    total = hashlib.sha256(target_file(target).read_bytes())
    for name in ("targets/model.py", "targets/coefficients.py", "targets/rom.py", "schedule.py"):
        total.update((ROOT / "sr2hls" / name).read_bytes())
    return total.hexdigest()[:12]


def describe(record: Record) -> str:
    title = f"{record['kind']:8} {record['seed']:4}"
    if "error" in record:
        return f"{title}: {record['error']}"
    ratio = record["predicted_ns"] / record["placed_ns"]
    return (
        f"{title}: {record['stages']} stages, predicted {record['predicted_ns']:5.2f} ns, placed "
        f"{record['placed_ns']:5.2f} ns, ratio {ratio:4.2f}; LUT {record['predicted_lut']:5.0f} / "
        f"{record['placed_lut']:5}, DSP {record['predicted_dsp']:3.0f} / {record['placed_dsp']}"
    )


def summary(records: Sequence[Record]) -> list[str]:
    """Median error, worst optimism, worst pessimism; for each kind and for all."""
    lines = []
    done = [record for record in records if "error" not in record]
    for kind in (*dict.fromkeys(KINDS), "all"):
        part = [record for record in done if kind in (record["kind"], "all")]
        if not part:
            continue
        ratios = [record["predicted_ns"] / record["placed_ns"] for record in part]
        optimism = max(1 / ratio - 1 for ratio in ratios)
        luts = [record["predicted_lut"] / max(1, record["placed_lut"]) for record in part]
        met = sum(record["placed_ns"] <= record["clock"] for record in part)
        lines.append(
            f"{kind:8} {len(part):3} designs: period |predicted / placed - 1| median "
            f"{median(abs(ratio - 1) for ratio in ratios):.1%}; placed at most {optimism:.1%} slower than predicted; "
            f"ratio median {median(ratios):.2f}, {min(ratios):.2f} to {max(ratios):.2f}; "
            f"LUT ratio median {median(luts):.2f}; meets the clock: {met}"
        )
    lines += [describe(record) for record in records if "error" in record]
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("placed.jsonl"))
    parser.add_argument("--target", default="ecp5-6")
    parser.add_argument("--designs", type=int, default=50)
    parser.add_argument("--first", type=int, default=0, help="the first design's number")
    parser.add_argument("--kind", choices=(*dict.fromkeys(KINDS), "mixed"), default="mixed")
    parser.add_argument("--clock", type=float)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--task", help="one design, as JSON; for the benchmark's own use")
    options = parser.parse_args()
    if options.task:
        print(json.dumps(run(json.loads(options.task))))
        return 0
    clock = options.clock or load_target(options.target).clock_ns
    tasks = [
        {
            "kind": KINDS[index % len(KINDS)] if options.kind == "mixed" else options.kind,
            "seed": index,
            "target": options.target,
            "clock": clock,
            "seeds": options.seeds,
            "model": model_digest(options.target),
        }
        for index in range(options.first, options.first + options.designs)
    ]
    records = run_all(Path(__file__).resolve(), tasks, options.out, options.jobs, 3600, describe)
    print("\n".join(summary(records)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
