"""Force laws → circuits: the pair force, the 4-body step in both forms, and trajectories that the step drives.

    python benchmarks/distill_step.py --out step.jsonl [--laws spring r2] [--parts pair parallel serial trajectory]
        [--law-files spring=FILE r2=FILE] [--seeds 3] [--no-place] [--jobs 2]

The laws are the exact ones of the simulated systems, or distilled ones from files (`law.json` of a distillation).
Words: 16 bits (22 where the integrator is in the circuit), whose boxes hold at least 99 % of the states of simulated
runs seen from the center of mass, and masses in MASSES; values outside saturate at the ports. Bodies nearer than
NEAREST act as if at that distance, in circuit and reference alike (`Motion.nearest`): otherwise a softened 1/r^2 spans
four decades. The output says how many of the pairs that is. Trajectories begin at the first runs that stay in the box
and above NEAREST.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from resumable import run_all, versions

from sr2hls import api
from sr2hls.check import cpp, cxxrtl, verilator
from sr2hls.distill.law import Law
from sr2hls.distill.step.model import Motion, gauged, pair_model
from sr2hls.distill.step.parallel import ParallelStep, codes_of_values, parallel_step, values_of_codes
from sr2hls.distill.step.serial import SerialStep, serial_step
from sr2hls.distill.step.simulate import simulate_serial
from sr2hls.distill.step.top import step_files
from sr2hls.distill.step.trajectory import accelerations, replay, trajectory
from sr2hls.distill.step.words import Words, words_of
from sr2hls.distill.systems import simulate, system, truth
from sr2hls.distill.trajectories import AXES, Trajectories
from sr2hls.interpret import interpret
from sr2hls.synth import synthesize
from sr2hls.synth.nextpnr import nextpnr_ecp5
from sr2hls.synth.run import predicted
from sr2hls.synth.yosys import yosys_counts
from sr2hls.targets import load_target

Record = dict[str, Any]
BODIES = 4
MASSES = (0.25, 4.0)
NEAREST = {"spring": 1 / 16, "r2": 1 / 8}
ERROR = 2.0**-8  # of a force or an acceleration; the median acceleration is about 1
TARGETS = ("ecp5-6", "vu9p-2")
PARTS = ("pair", "parallel", "serial", "trajectory")
STEPS = 1000
RUNS = 5
MARKS = (1, 10, 100, 250, 500, 750, 1000)


def law_of(name: str, path: str) -> Law:
    """The exact law, gauged so that a message is a contribution to the acceleration where that is shorter."""
    if path:
        from sr2hls.distill.law_json import read_law

        return gauged(replace(read_law(path), system=name))
    return gauged(truth(system(name), 2))


def at_rest(trajectories: Trajectories) -> Trajectories:
    """Seen from the center of mass."""
    weight = trajectories.scalars["m"] / trajectories.scalars["m"].sum(1, keepdims=True)

    def moved(values: np.ndarray) -> np.ndarray:
        return values - np.einsum("ktnd,kn->ktd", values, weight)[:, :, None]

    return replace(trajectories, positions=moved(trajectories.positions), velocities=moved(trajectories.velocities))


def sample(name: str) -> Trajectories:
    """300 runs over the time that the trajectories last."""
    known = system(name)
    return at_rest(simulate(known, runs=300, times=101, dt=10 * known.dt))


def distances(data: Trajectories) -> np.ndarray:
    x = data.positions
    apart = np.sqrt(((x[:, :, :, None] - x[:, :, None]) ** 2).sum(-1))
    return apart[:, :, ~np.eye(x.shape[2], dtype=bool)]


def words(name: str, bits: int) -> Words:
    data = sample(name)
    found = words_of(data, {"x": bits, "vx": bits}, quantile=0.005)
    mass = words_of({"m": MASSES})
    return Words({**found.formats, **mass.formats}, {**found.limits, **mass.limits})


def states(step_words: Words, count: int, seed: int) -> dict[str, np.ndarray]:
    """Codes of random states, half of them with bodies close together."""
    rng = np.random.default_rng(seed)
    values = {f: rng.uniform(*step_words.limits[f], (count, BODIES)) for f in step_words.formats}
    for axis in AXES:
        if axis in values:
            values[axis][count // 2 :] *= 0.1
    return codes_of_values(step_words, values)


def pair(task: Record) -> Record:
    """The force of one body on another from 16-bit displacements."""
    name = task["law"]
    law = law_of(name, task["file"])
    box = words(name, 16)
    data = sample(name)
    model = pair_model(law, Motion(NEAREST[name]))
    x = data.positions
    apart = (x[:, :, :, None] - x[:, :, None])[:, :, ~np.eye(BODIES, dtype=bool)]
    columns = {"x": apart[..., 0].ravel(), "y": apart[..., 1].ravel()}
    near = words_of(columns, 16, quantile=0.005)
    ports = {port: (near, port[1]) if port in ("dx", "dy") else (box, port[:-2]) for port in model.inputs}
    design = api.compile(
        model,
        inputs={port: w.formats[field] for port, (w, field) in ports.items()},
        ranges={port: w.limits[field] for port, (w, field) in ports.items()},
        max_error=ERROR,
        target=task["target"],
        registers="both",
        name=f"{name}_force",
    )
    evidence = design.simulate(samples=100_000)
    found = timing(design) | {
        "nearer": float((distances(data) < NEAREST[name]).mean()),
        "formula": str(model.outputs[0].expression),
        "bits": sum(fmt.width for fmt in design.input_formats.values()),
        "engines": ", ".join(e.engine for e in evidence.engines if e.status == "equal"),
        "vectors": evidence.vectors,
        "bound": max(o.bound for o in design.certificate.outputs),
        "measured": max(e.measured for e in evidence.errors),
        "output": str(design.output_formats["message_1"]),
    }
    tools = ["yosys-xc7", "yosys-ecp5"] + (["nextpnr-ecp5"] if task["place"] and task["target"] == "ecp5-6" else [])
    with tempfile.TemporaryDirectory() as empty:
        results = synthesize(design, Path(empty), seeds=task["seeds"], tools=tools)
    return found | {"synth": {r["tool"]: r for r in results}}


def timing(design: api.Design) -> Record:
    clock = max(design.clock_ns, design.critical_ns)
    return {
        "cycles": design.latency,
        "clock_ns": design.clock_ns,
        "critical_ns": design.critical_ns,
        "ns": design.latency * clock,
        "model": predicted(design),
    }


def parallel(task: Record) -> Record:
    """Four bodies at once: accelerations; masses are inputs."""
    name = task["law"]
    step = parallel_step(
        law_of(name, task["file"]),
        BODIES,
        words(name, 16),
        motion=Motion(NEAREST[name]),
        max_error=ERROR,
        target=task["target"],
        name=f"{name}_step",
    )
    codes = states(step.words, 4_000, 1)
    ports = step.ports(codes)
    want = interpret(step.design.circuit, ports)
    equal = []
    for engine in (cpp, verilator, cxxrtl):
        result = engine.run(step.design, ports)
        if all((result.outputs[port] == want[port]).all() for port in want):
            equal.append(result.engine)
    found = timing(step.design) | {"bound": max(step.bounds.values()), "measured": measured(step, codes)}
    found |= {"engines": ", ".join(equal), "vectors": len(codes["x"]), "interval": 1}
    return found | {"synth": counts(step.design)}


def serial(task: Record) -> Record:
    """The same with one edge unit in all, and with one for each receiver."""
    name = task["law"]
    step = serial_step(
        law_of(name, task["file"]),
        BODIES,
        words(name, 16),
        motion=Motion(NEAREST[name]),
        lanes=task["lanes"],
        max_error=ERROR,
        target=task["target"],
        name=f"{name}_serial",
    )
    codes = states(step.words, 4_000, 1)
    want = step.run_codes(codes)
    simulated = simulate_serial(step, codes)
    same = all((simulated.outputs[port] == want[port]).all() for port in want)
    steps = {int(k) for k in np.diff(simulated.came)[3:]}
    clock = max(step.edge.clock_ns, step.edge.critical_ns, step.node.critical_ns)
    text = "\n".join(content for file, content in step_files(step).items() if file.endswith(".v"))
    found = {
        "cycles": step.latency,
        "clock_ns": step.edge.clock_ns,
        "critical_ns": max(step.edge.critical_ns, step.node.critical_ns),
        "ns": step.latency * clock,
        "interval": step.interval,
        "as_promised": steps == {step.interval} and int(simulated.came[0] - simulated.taken[0]) == step.latency,
        "bound": max(step.bounds.values()),
        "measured": measured(step, codes),
        "accumulator": step.certificate.messages[0].accumulator,
        "engines": "verilator" if same else "",
        "vectors": len(codes["x"]),
    }
    synth: Record = {f"yosys-{f}": vars_of(yosys_counts(text, step.name, f)) for f in ("xc7", "ecp5")}
    if task["place"] and task["target"] == "ecp5-6" and task["lanes"] == 1:
        target = load_target("ecp5-6")
        seeds = range(1, task["seeds"] + 1)
        placed = nextpnr_ecp5(text, step.name, target, seeds=seeds, clock_ns=step.edge.clock_ns, latency=step.latency)
        synth["nextpnr-ecp5"] = {**vars_of(placed), "status": "done"}
    return found | {"synth": synth}


def counts(design: api.Design) -> Record:
    with tempfile.TemporaryDirectory() as empty:
        results = synthesize(design, Path(empty), tools=["yosys-xc7", "yosys-ecp5"])
    return {r["tool"]: r for r in results}


def vars_of(result: Any) -> Record:
    from dataclasses import asdict

    return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(result).items()}


def measured(step: ParallelStep | SerialStep, codes: dict[str, np.ndarray]) -> float:
    """The largest |circuit - law in float64| over the states."""
    at = values_of_codes(step.words, codes)
    got = step.run(codes)
    want = accelerations(step.law, step.motion.nearest, at)
    return max(float(np.abs(got[f"a{axis}"] - a).max()) for axis, a in zip(step.law.axes, want, strict=True))


def starts(name: str, box: Words) -> tuple[dict[str, np.ndarray], list[int], int]:
    """States of the first runs that stay inside the box and above NEAREST; their numbers, and how many there are."""
    known = system(name)
    runs = at_rest(simulate(known, runs=200, times=STEPS + 1))
    good = distances(runs).min(axis=(1, 2)) > NEAREST[name]
    for field, values in (("x", runs.positions), ("vx", runs.velocities)):
        low, high = box.limits[field]
        good &= ((values > low) & (values < high)).all(axis=(1, 2, 3))
    low, high = box.limits["m"]
    good &= ((runs.scalars["m"] >= low) & (runs.scalars["m"] <= high)).all(axis=1)
    kept = np.flatnonzero(good)[:RUNS]
    state = {axis: runs.positions[kept, 0, :, k] for k, axis in enumerate("xy")}
    state |= {f"v{axis}": runs.velocities[kept, 0, :, k] for k, axis in enumerate("xy")}
    return state | {"m": runs.scalars["m"][kept]}, kept.tolist(), int(good.sum())


def driven(task: Record) -> Record:
    """1,000 steps of four bodies, by the bit-accurate model; the same states through Verilator."""
    name, form = task["law"], task["form"]
    known = system(name)
    inside = form != "accelerations"
    box = words(name, 22 if inside else 16)
    motion = Motion(NEAREST[name], "euler", known.dt) if inside else Motion(NEAREST[name])
    law = law_of(name, task["file"])
    common: Record = {"motion": motion, "target": "vu9p-2", "max_error": "2ulp" if inside else ERROR}
    step: ParallelStep | SerialStep
    if form == "euler serial":
        step = serial_step(law, BODIES, box, name=f"{name}_euler", **common)
    else:
        step = parallel_step(law, BODIES, box, name=f"{name}_euler", **common)
    state, kept, fit = starts(name, box)
    begun = time.process_time()
    path = trajectory(step, state, STEPS, None if inside else known.dt)
    seconds = time.process_time() - begun
    if isinstance(step, SerialStep):
        simulated = simulate_serial(step, path.states)
        same = all((simulated.outputs[port] == codes).all() for port, codes in replay(step, path).items())
    else:
        result = verilator.run(step.design, step.ports(path.states))
        values = step.gathered(result.outputs)
        same = all((values[port] == path.outputs[port]).all() for port in step.outputs)
    far = np.abs(path.reference).max(axis=(1, 2, 3))
    return {
        "runs": kept,
        "of": fit,
        "cycles": step.latency,
        "interval": step.interval,
        "bound": max(step.bounds.values()),
        "words": str(box.formats["x"]),
        "ulp": float(box.formats["x"].ulp),
        "error": {str(k): [float(e) for e in path.error[k]] for k in MARKS},
        "size": float(far.max()),
        "held": path.held,
        "verilator": same,
        "snapshots": len(path.states["x"]),
        "seconds": round(seconds, 1),
    }


RUN = {"pair": pair, "parallel": parallel, "serial": serial, "trajectory": driven}
FORMS = ("accelerations", "euler parallel", "euler serial")


def tasks_of(arguments: argparse.Namespace) -> list[Record]:
    files = dict(item.split("=", 1) for item in arguments.law_files)
    found = []
    for law in arguments.laws:
        common = {"law": law, "file": files.get(law, ""), "place": not arguments.no_place, "seeds": arguments.seeds}
        for part in arguments.parts:
            if part == "trajectory":
                found += [{**common, "part": part, "target": "", "lanes": 0, "form": form} for form in FORMS]
                continue
            for target in TARGETS:
                for lanes in (1, BODIES) if part == "serial" else (0,):
                    found.append({**common, "part": part, "target": target, "lanes": lanes, "form": ""})
    return found


def _area(record: Record, tool: str) -> str:
    found = record.get("synth", {}).get(tool, {})
    return f"{found['lut']}/{found['dsp']}/{found['ff']}" if "lut" in found else "-"


def _placed(record: Record) -> str:
    found = record.get("synth", {}).get("nextpnr-ecp5", {})
    if "median_mhz" not in found:
        return found.get("message", "-")
    used = found["utilization"]
    return f"{found['median_mhz']:.0f} MHz, {found['latency_ns']:.0f} ns, {used['lut']}/{used['dsp']}/{used['ff']}"


def describe(record: Record) -> str:
    what = " ".join(str(record[k]) for k in ("law", "part", "target", "lanes", "form") if record[k])
    return f"{what}: {record.get('error') if 'cycles' not in record else record['cycles']}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--laws", nargs="+", default=list(NEAREST), choices=list(NEAREST))
    parser.add_argument("--law-files", nargs="*", default=[], metavar="LAW=FILE")
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=PARTS)
    parser.add_argument("--seeds", type=int, default=1, help="of place and route")
    parser.add_argument("--no-place", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("distill_step.jsonl"))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--task", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.task:
        task = json.loads(arguments.task)
        print(json.dumps(RUN[task["part"]](task)))
        return 0
    records = run_all(Path(__file__), tasks_of(arguments), arguments.out, arguments.jobs, 7200, describe)
    tables(records)
    return 0 if all("cycles" in record for record in records) else 1


def tables(records: list[Record]) -> None:
    print(versions("verilator", "pyosys", "numpy"))
    done = [r for r in records if "cycles" in r]
    head = "law | part | target | II | cycles | clock by model ns | latency ns | proven | measured | vectors, engines"
    print(f"\n| {head} | Yosys xc7 LUT/DSP/FF | Yosys ECP5 LUT/DSP/FF | ECP5 placed, LUT/DSP/FF |")
    print("|" + "---|" * 13)
    for r in (r for r in done if r["part"] != "trajectory"):
        part = r["part"] + (f" x{r['lanes']}" if r["lanes"] else "")
        clock = max(r["clock_ns"], r["critical_ns"])
        row = [r["law"], part, r["target"], r.get("interval", 1), r["cycles"], f"{clock:.2f}", f"{r['ns']:.0f}"]
        row += [f"{r['bound']:.3g}", f"{r['measured']:.3g}", f"{r['vectors']:,}: {r['engines']}"]
        row += [_area(r, "yosys-xc7"), _area(r, "yosys-ecp5"), _placed(r)]
        print("| " + " | ".join(map(str, row)) + " |")
    print("\nLargest position error against float64 over the runs (in brackets: the median) after so many steps:")
    print("\n| law | form | words | runs | " + " | ".join(map(str, MARKS)) + " | size | at the wall | Verilator |")
    print("|" + "---|" * (7 + len(MARKS)))
    for r in (r for r in done if r["part"] == "trajectory"):
        errors = [f"{max(r['error'][str(k)]):.2g} ({np.median(r['error'][str(k)]):.2g})" for k in MARKS]
        row = [r["law"], r["form"], r["words"], f"{len(r['runs'])} of {r['of']}/200", *errors]
        row += [f"{r['size']:.1f}", r["held"], f"{'equal' if r['verilator'] else 'DIFFERS'} on {r['snapshots']:,}"]
        print("| " + " | ".join(map(str, row)) + " |")
    nearer = {r["law"]: f"{r['law']}: {r['nearer']:.2%} below {NEAREST[r['law']]:g}" for r in done if "nearer" in r}
    print("\nPairs of bodies nearer than the floor in the data: " + ", ".join(nearer.values()))
    for r in records:
        if "cycles" not in r:
            print(f"\nfailed: {describe(r)}")


if __name__ == "__main__":
    sys.exit(main())
