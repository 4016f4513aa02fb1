"""Five classes of LHC jets → formulas within 1, 2, 4, 8 clock cycles: accuracy of the circuits beside MLP and trees.

    python benchmarks/search_jets.py [--out FILE] [--cycles 1 2 4 8] [--width 8] [--widths 8 10 12] [--seeds 1]
        [--seconds 20] [--rows 4000] [--synth] [--no-check] [--jobs 2] [--table]

The sample is examples/jets/jets.npz (its README says what it is; it is not the public OpenML 42468): rows 1 to 24,000
are fitted, 24,001 to 28,000 choose among formulas (validation), 28,001 to 35,000 are the test, seen by nothing else.
16 features but for d2_a1_b1_mmdt, a copy of another.

Inputs: each feature is shifted and scaled so that the 0.1 % and 99.9 % quantiles of the fitted rows are -1 and 1, and
saturates there: a port is fixed<W,1> with the whole word as its range, so that it needs no clamp. That is one affine
map for each feature, as standardization is (the hls4ml benchmark's inputs are standardized, too), done before the chip
or in its input words. --widths: input bits that are scanned at the least latency; --width: those of all latencies.

Search: per class, latency, width and seed one run of the native engine, one class against the rest, logistic loss,
objective "circuit" with max_cycles, on --rows of the fitted rows; which features a formula uses is its own choice.
Second stage: constants on all 24,000 rows, circuits judged on the validation rows. From all runs of a width, two
designs for L cycles: "ovr", one against the rest, takes the formula of each class with the least validation loss of its
circuit; "softmax", as `sr2hls search --multiclass`, chooses a formula per class and fits all constants together to the
cross-entropy on the fitted rows. The five are compiled as one design for vu9p-2 at 5 ns, so its latency and area are
those of all five together; the class is the output with the largest value, and the comparison of the five is not part
of the design. AUC: of each output, one class against the rest.

MLP 64-32-32 and gradient-boosted trees: scikit-learn, in floating point, trained on all 28,000 rows.

Every design is proven equal to its integer model and simulated on the 7,000 test jets (--no-check leaves both out);
--synth adds the counts of Yosys for xc7. --table prints the tables of the runs in --out again.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from resumable import Record, key, mixed, read, run_all, versions

import sr2hls
from sr2hls.load import load
from sr2hls.model import Output, Provenance, SymbolicModel
from sr2hls.search.costs import operator_cycles
from sr2hls.search.found import Found
from sr2hls.search.problem import Problem
from sr2hls.search.refine import refine
from sr2hls.search.refine.metrics import auc
from sr2hls.search.refine.together import together
from sr2hls.search.settings import Settings
from sr2hls.synth.run import predicted

SAMPLE = Path(__file__).resolve().parent.parent / "examples" / "jets" / "jets.npz"
TARGET, CLOCK_NS = "vu9p-2", 5.0
FITTED, TRAINED, ALL = 24_000, 28_000, 35_000
QUANTILE = 0.001
COPY = "d2_a1_b1_mmdt"
OPERATORS = ("+", "-", "*", "square", "abs", "exp", "tanh", "sin")
NODES = 52  # a sum of some six functions of one feature each
FINALISTS = 12
PROOF_S = 120.0
WAYS = ("ovr", "softmax")
REFERENCES = ("MLP 64-32-32", "boosted trees", "linear")
Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sample:
    """X: shape (35000, 15), as the file has it; y: places in `classes`."""

    X: Floats
    y: Codes
    names: tuple[str, ...]
    classes: tuple[str, ...]


@cache
def sample() -> Sample:
    with np.load(SAMPLE) as file:
        names = [str(name) for name in file["features"]]
        kept = [at for at, name in enumerate(names) if name != COPY]
        x = np.asarray(file["X"], dtype=np.float64)[:, kept]
        return Sample(
            x, np.asarray(file["y"], np.int64), tuple(names[at] for at in kept), tuple(map(str, file["classes"]))
        )


def codes(width: int) -> Codes:
    """The integers at the ports fixed<width,1>, shape (35000, 15)."""
    x = sample().X
    low, high = np.quantile(x[:FITTED], [QUANTILE, 1 - QUANTILE], axis=0)
    half = 2 ** (width - 1)
    scaled = (x - (low + high) / 2) / ((high - low) / 2)
    return np.clip(np.floor(scaled * half + 0.5), -half, half - 1).astype(np.int64)


def inputs(width: int) -> Floats:
    """What the ports hold, from -1 to below 1."""
    return codes(width) * 2.0 ** (1 - width)


def run(task: Record) -> Record:
    """One search, or one reference."""
    return reference(task["class"]) if task["class"] in REFERENCES else searched(task)


def searched(task: Record) -> Record:
    from search_costs_matter import candidates
    from search_engines import run_native

    train, valid = problems(task["class"], task["width"])
    settings = settings_of(task["cycles"], task["width"], task["seed"])
    costs = operator_cycles(TARGET, task["width"], OPERATORS, CLOCK_NS)
    found = run_native(train.part(np.arange(task["rows"])), settings, costs, task["seconds"])
    begun = time.process_time()
    rows = refine(train, valid, candidates(found.trees, "native"), settings, limit=FINALISTS)
    return {
        "front": [
            {
                "cycles": row.cycles,
                "loss": row.circuit_loss,
                "auc": row.score,
                "luts": row.luts,
                "dsps": row.dsps,
                "nodes": row.nodes,
                "equation": row.equation,
                "format": row.output_format,
                "domain": row.domain,
            }
            for row in rows
            if not row.refused
        ],
        "candidates": len(found.trees),
        "cpu": round(found.cpu, 2),
        "second_stage_cpu": round(time.process_time() - begun, 2),
        "evaluations": found.evaluations,
    }


def problems(name: str, width: int) -> tuple[Problem, Problem]:
    """One class against the rest: the fitted rows, and those that choose."""
    data = sample()
    labels = (data.y == data.classes.index(name)).astype(np.float64)
    problem = Problem(inputs(width), data.names, labels, output=name, loss="logistic")
    return problem.part(np.arange(FITTED)), problem.part(np.arange(FITTED, TRAINED))


def settings_of(cycles: int, width: int, seed: int) -> Settings:
    return Settings(
        operators=OPERATORS,
        target=TARGET,
        clock_ns=CLOCK_NS,
        width=width,
        objective="circuit",
        max_cycles=float(cycles),
        max_nodes=NODES,
        seed=seed,
        threads=1,
        budget=10**12,
    )


def reference(name: str) -> Record:
    """A classifier in floating point on standardized features: what it reaches on the test rows."""
    import warnings

    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model: Any = {
        "MLP 64-32-32": lambda: MLPClassifier((64, 32, 32), early_stopping=True, max_iter=100, random_state=1),
        "boosted trees": lambda: HistGradientBoostingClassifier(random_state=1),
        "linear": lambda: LogisticRegression(max_iter=300),
    }[name]()
    data, begun = sample(), time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of an optimizer that would go on for a little longer
        fitted = make_pipeline(StandardScaler(), model).fit(data.X[:TRAINED], data.y[:TRAINED])
    cpu = time.process_time() - begun
    return {**judged(fitted.predict_proba(data.X[TRAINED:])), "cpu": round(cpu, 1)}


def judged(outputs: Floats) -> Record:
    """Accuracy and AUC per class of outputs of shape (7000, 5) on the test rows."""
    truth = sample().y[TRAINED:]
    return {
        "accuracy": float((outputs.argmax(axis=1) == truth).mean()),
        "auc": [auc((truth == at).astype(np.float64), outputs[:, at]) for at in range(outputs.shape[1])],
    }


def fronts(records: Sequence[Record], cycles: int, width: int) -> list[list[Record]]:
    """Of each class the rows of all fronts within the latency."""
    of_width = [r for r in records if r["width"] == width]
    return [
        [row for r in of_width if r["class"] == name for row in r.get("front", ()) if row["cycles"] <= cycles]
        for name in sample().classes
    ]


def chosen(records: Sequence[Record], cycles: int, width: int) -> list[Record] | None:
    """One against the rest: a row of a front for each class, or None where a class has none within the latency."""
    every = fronts(records, cycles, width)
    if not all(every):
        return None
    return [min(rows, key=lambda row: (row["loss"], row["luts"])) for rows in every]


def refitted(records: Sequence[Record], cycles: int, width: int) -> list[Record] | None:
    """By softmax: formulas that were chosen and fitted together, with one output format and error; None if none fit."""
    pairs = [problems(name, width) for name in sample().classes]
    founds = [[found_of(row) for row in rows] for rows in fronts(records, cycles, width)]
    scores = together(
        [train for train, _ in pairs], [valid for _, valid in pairs], founds, settings_of(cycles, width, 0), cycles
    )
    if scores is None:
        return None
    return [
        {"equation": f.equation, "format": scores.word, "domain": f.domain, "error": f.target_error}
        for f in scores.found
    ]


def found_of(row: Record) -> Found:
    expression = load(row["equation"]).outputs[0].expression
    figures = {"cycles": row["cycles"], "luts": row["luts"], "dsps": row["dsps"], "circuit_loss": row["loss"]}
    return Found(expression, row["equation"], row["loss"], row["loss"], row["nodes"], "native", **figures)


def built(rows: Sequence[Record], width: int, label: str) -> sr2hls.Design:
    """The five formulas as one design."""
    data = sample()
    formulas = [load(row["equation"]).outputs[0].expression for row in rows]
    used = {symbol.name for formula in formulas for symbol in formula.free_symbols}
    outputs = tuple(
        Output(name, formula, Provenance("search", row["equation"]))
        for name, formula, row in zip(data.classes, formulas, rows, strict=True)
    )
    return sr2hls.compile(
        SymbolicModel(tuple(name for name in data.names if name in used), outputs),
        inputs=f"fixed<{width},1>",
        output={name: row["format"] for name, row in zip(data.classes, rows, strict=True)},
        max_error=rows[0].get("error"),
        target=TARGET,
        clock=CLOCK_NS,
        domain="clamp" if any(row["domain"] == "clamp" for row in rows) else "strict",
        name=label,
    )


def design(rows: Sequence[Record], cycles: int, width: int, check: bool, synth: bool) -> Record:
    """The figures of the five circuits as one, on the test rows."""
    begun = time.perf_counter()
    made = built(rows, width, f"jets_{cycles}_{width}")
    seconds = time.perf_counter() - begun
    data, ports = sample(), codes(width)[TRAINED:]
    test = {name: ports[:, data.names.index(name)] for name in made.input_formats}
    values = made.predict({name: column * 2.0 ** (1 - width) for name, column in test.items()})
    area = predicted(made)
    found = {
        **judged(np.asarray(values)),
        "latency": made.latency,
        "luts": area["lut"],
        "dsps": area["dsp"],
        "inputs": len(test),
        "compile_s": round(seconds, 2),
        "warnings": list(map(str, made.warnings)),
    }
    if check:
        found |= checked(made, test)
    if synth:
        with tempfile.TemporaryDirectory() as folder:
            from sr2hls.synth import synthesize

            (counts,) = synthesize(made, Path(folder), tools=["yosys-xc7"])
        found["yosys"] = {name: counts.get(name) for name in ("status", "lut", "dsp", "ff")}
    return found


def checked(made: sr2hls.Design, test: dict[str, Codes]) -> Record:
    """The proof of the Verilog, and every simulator on the test rows against the integer model."""
    from engines import ENGINES

    from sr2hls.check.compare import first_mismatch
    from sr2hls.check.compare import reference as expected
    from sr2hls.check.prove import prove
    from sr2hls.emit.verilog import verilog

    proof = prove(made, verilog(made), seconds=PROOF_S)
    wanted, bad = expected(made, test), []
    for name, engine in ENGINES.items():
        (result,) = engine([(made, test)])
        if first_mismatch(made, test, result, wanted) is not None:
            bad.append(name)
        if result.latency is not None and result.latency != made.latency:
            bad.append(f"{name} (latency {result.latency})")
    return {"proof": proof.status, "proof_s": round(proof.seconds, 1), "engines": list(ENGINES), "differ": bad}


def designs(records: Sequence[Record], pairs: Sequence[tuple[int, int]], out: Path, arguments: Any) -> list[Record]:
    """Two designs for every (latency, width) that has five formulas; those already in `out` are not made again."""
    wanted = ["kind", "way", "cycles", "width", "equations", "check", "synth"]
    known, found = read(out, wanted), []
    for (cycles, width), way in ((pair, way) for pair in pairs for way in WAYS):
        begun = time.process_time()
        rows = {"ovr": chosen, "softmax": refitted}[way](records, cycles, width)
        if rows is None:
            print(f"no design by {way} for {cycles} cycles, {width} bits: no formulas within them", file=sys.stderr)
            continue
        task = {"kind": "design", "way": way, "cycles": cycles, "width": width}
        task |= {"equations": [row["equation"] for row in rows], "choice_cpu": round(time.process_time() - begun, 1)}
        task |= {"check": not arguments.no_check, "synth": arguments.synth}
        if (place := key(task, wanted)) not in known:
            print(f"compiling for {cycles} cycles, {width} bits, by {way}", file=sys.stderr, flush=True)
            known[place] = {**task, **design(rows, cycles, width, task["check"], task["synth"])}
            with out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(known[place]) + "\n")
        found.append(known[place])
    return found


def print_tables(made: Sequence[Record], references: Sequence[Record], records: Sequence[Record]) -> None:
    classes = sample().classes
    columns = ["", "fit", "bits", "cycles", "accuracy", "of the MLP's", *[f"AUC {name}" for name in classes]]
    columns += ["LUT, DSP (model)", "Yosys xc7 LUT, DSP, FF", "proof", "simulated"]
    print(f"\n| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    best = next((r["accuracy"] for r in references if r["class"] == REFERENCES[0] and "error" not in r), float("nan"))
    for r in made:
        counts = r.get("yosys")
        cells = [f"circuits, at most {r['cycles']}", r["way"], str(r["width"]), str(r["latency"]), *_quality(r, best)]
        cells.append(f"{r['luts']:.0f}, {r['dsps']:.0f}")
        cells.append("-" if counts is None else f"{counts['lut']}, {counts['dsp']}, {counts['ff']}")
        cells.append(f"{r['proof']} {r['proof_s']} s" if "proof" in r else "-")
        cells.append("-" if "differ" not in r else f"differ: {r['differ']}" if r["differ"] else "bit-exact")
        print(f"| {' | '.join(cells)} |")
    for r in references:
        if "error" not in r:
            print(f"| {r['class']} | - | float | - | {' | '.join(_quality(r, best))} | - | - | - | - |")
    for r in made:
        print(
            f"\n{r['cycles']} cycles, {r['width']} bits, {r['way']}, {r['inputs']} inputs, "
            f"compiled in {r['compile_s']} s"
        )
        for name, equation in zip(classes, r["equations"], strict=True):
            print(f"  {name} = {equation}")
        for warning in r["warnings"]:
            print(f"  warning: {warning}")
    good = [r for r in records if "error" not in r]
    if good:
        print(
            f"\n{len(good)} of {len(records)} searches: {np.mean([r['cpu'] for r in good]):.0f} CPU s each, "
            f"{np.median([r['evaluations'] / r['cpu'] for r in good]):,.0f} evaluations/s, second stage "
            f"{np.mean([r['second_stage_cpu'] for r in good]):.0f} CPU s"
        )
    if note := mixed(records):
        print(f"\n{note}")


def _quality(record: Record, best: float) -> list[str]:
    scores = [f"{value:.3f}" for value in record["auc"]]
    return [f"{record['accuracy']:.3f}", f"{record['accuracy'] / best:.1%}", *scores]


def describe(record: Record) -> str:
    start = f"{record['class']:13s}"
    if "error" in record:
        return f"{start} FAILED: {record['error']}"
    if record["class"] in REFERENCES:
        return f"{start} accuracy {record['accuracy']:.3f}, {record['cpu']:.0f} CPU s"
    rows = sorted((row for row in record["front"] if row["cycles"] <= record["cycles"]), key=lambda row: row["loss"])
    best = f"{rows[0]['cycles']} cycles, loss {rows[0]['loss']:.4f}, AUC {rows[0]['auc']:.3f}" if rows else "no formula"
    task = f"<= {record['cycles']} cycles, {record['width']} bits, seed {record['seed']}"
    return f"{start} {task}: {best}; {record['cpu']:.0f} + {record['second_stage_cpu']:.0f} CPU s"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("search_jets.jsonl"), help="results, one JSON line a run")
    parser.add_argument("--cycles", nargs="+", type=int, default=[1, 2, 4, 8])
    parser.add_argument("--width", type=int, default=8, help="input bits of all latencies")
    parser.add_argument("--widths", nargs="+", type=int, default=[8, 10, 12], help="input bits at the least latency")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1])
    parser.add_argument("--seconds", type=float, default=20.0, help="CPU seconds of a search")
    parser.add_argument("--rows", type=int, default=4000, help="rows that a search sees")
    parser.add_argument("--synth", action="store_true", help="Yosys counts for xc7")
    parser.add_argument("--no-check", action="store_true", help="neither proof nor simulation")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, one thread each")
    parser.add_argument("--table", action="store_true", help="no new searches")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.task:
        print(json.dumps(run(json.loads(arguments.task))))
        return 0
    least = min(arguments.cycles)
    pairs = [(cycles, arguments.width) for cycles in sorted(arguments.cycles)]
    pairs += [(least, width) for width in arguments.widths if width != arguments.width]
    effort = {"seconds": arguments.seconds, "rows": arguments.rows}
    searches = [
        {"class": name, "cycles": cycles, "width": width, "seed": seed, **effort}
        for seed in arguments.seeds
        for cycles, width in pairs
        for name in sample().classes
    ]
    nothing = {"cycles": None, "width": None, "seed": None, "seconds": None, "rows": None}
    tasks = [{"class": name, **nothing} for name in REFERENCES] + searches
    identity = sorted(tasks[0])
    if arguments.table:
        known = read(arguments.out, identity)
        records = [known[k] for task in tasks if (k := key(task, identity)) in known]
        print(f"{len(records)} of {len(tasks)} runs in {arguments.out}")
    else:
        records = run_all(Path(__file__), tasks, arguments.out, arguments.jobs, 20 * arguments.seconds + 600, describe)
    references = [r for r in records if r["class"] in REFERENCES]
    found = [r for r in records if r["class"] not in REFERENCES]
    made = designs(found, pairs, arguments.out, arguments)
    print(f"{versions('sr2hls', 'numpy', 'numba', 'scikit-learn')}; {arguments.seconds:g} CPU s a search")
    print(
        f"target {TARGET}, {CLOCK_NS:g} ns; seeds {arguments.seeds}; cycles and LUTs of the target's model: estimates"
    )
    print_tables(made, references, found)
    bad = [r for r in made if r.get("differ") or r.get("proof", "proven") != "proven"]
    return int(bool(bad) or len(made) < len(WAYS) * len(pairs) or any("error" in record for record in records))


if __name__ == "__main__":
    sys.exit(main())
