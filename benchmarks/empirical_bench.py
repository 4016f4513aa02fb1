"""EmpiricalBench: nine laws from the rows that they were or could be found in → how often the native engine finds them.

    python benchmarks/empirical_bench.py [--out FILE] [--laws hubble ...] [--seeds 1 2 3 4 5] [--budget 20000000]
        [--loss mse] [--jobs 2]

Rows, forms and what is assumed of them: benchmarks/empirical_laws.py. Operators, as in the paper's runs of PySR: + - *
/ square cube exp log sqrt, up to 30 nodes, cost: nodes. The budget is in evaluations, so that a run repeats exactly;
the paper gave every algorithm 8 cores for an hour. A law counts as found when any formula has its form of the engine's
own front (refitted) or of the front after the second stage (benchmarks/search_stage.py); in the paper the fronts were
read by eye, here `empirical_laws.has_form` decides. "Chosen" counts the formulas that BIC selects, which the paper did
not ask for.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from empirical_laws import ALGORITHMS, LAWS, PUBLISHED, PUBLISHED_SOURCE, has_form, rows_to_fit
from resumable import Record, mixed, run_all, versions
from search_engines import run_native, table
from search_stage import second_stage, text_of

from sr2hls.search.refine.size import size
from sr2hls.search.settings import Settings

OPERATORS = ("+", "-", "*", "/", "square", "cube", "exp", "log", "sqrt")
MOST_NODES = 30


def run(task: Record) -> Record:
    """One law, one seed."""
    problem = rows_to_fit(task["law"], task["loss"])
    settings = Settings(
        operators=OPERATORS,
        objective="nodes",
        max_nodes=MOST_NODES,
        budget=task["budget"],
        seed=task["seed"],
        threads=1,
    )
    searched = run_native(problem, settings, table(dict.fromkeys(OPERATORS, 1.0)))
    refined = second_stage(searched.trees, problem)
    fits = [*refined.front, *refined.given]
    forms = [has_form(fit.tree, task["law"]) for fit in fits]
    shown = forms.index(True) if any(forms) else refined.selected
    return {
        "found": any(forms),
        "chosen": bool(forms) and forms[refined.selected],
        "formula": text_of(fits[shown].tree)[:300] if fits else "",
        "size": size(fits[shown].tree) if fits else 0,
        "selected": text_of(refined.front[refined.selected].tree)[:300] if refined.front else "",
        "front": [text_of(fit.tree)[:200] for fit in fits],
        "cpu": round(searched.cpu, 2),
        "second_stage_cpu": round(refined.cpu, 2),
        "evaluations": searched.evaluations,
    }


def describe(record: Record) -> str:
    start = f"{record['law']:10s} seed {record['seed']}"
    if "error" in record:
        return f"{start} FAILED: {record['error']}"
    verdict = "chosen" if record["chosen"] else "found " if record["found"] else "-     "
    return f"{start} {verdict} {record['cpu']:.0f} + {record['second_stage_cpu']:.0f} CPU s  {record['formula'][:90]}"


def print_table(records: Sequence[Record], laws: Sequence[str]) -> None:
    columns = [
        "law",
        "rows",
        "found",
        "chosen",
        "CPU s",
        *ALGORITHMS,
        "a formula that was found (or, failing that, chosen)",
    ]
    print(f"\n| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    total = [0, 0]
    for law in laws:
        mine = [r for r in records if r["law"] == law]
        good = [r for r in mine if "error" not in r]
        found, chosen = sum(r["found"] for r in good), sum(r["chosen"] for r in good)
        total = [total[0] + found, total[1] + chosen]
        shown = sorted(good, key=lambda r: (not r["found"], r["size"], r["seed"]))
        row = [law, str(rows_to_fit(law).rows), f"{found}/{len(mine)}", f"{chosen}/{len(mine)}"]
        row.append(f"{np.mean([r['cpu'] + r['second_stage_cpu'] for r in good]):.0f}" if good else "-")
        row += [_cell(count) for count in PUBLISHED.get(law, (None,) * len(ALGORITHMS))]
        row.append(f"`{shown[0]['formula'][:100]}`" if shown else "-")
        print(f"| {' | '.join(row)} |")
    row = ["all", "", f"{total[0]}/{len(records)}", f"{total[1]}/{len(records)}", ""]
    counts = [[PUBLISHED.get(law, (None,) * len(ALGORITHMS))[i] for law in laws] for i in range(len(ALGORITHMS))]
    row += [f"{sum(c)}/{5 * len(c)}" if None not in c else "not known" for c in counts]
    print(f"| {' | '.join([*row, ''])} |\n\n{PUBLISHED_SOURCE}")
    failed = sum("error" in r for r in records)
    if failed:
        print(f"{failed} runs failed")
    if note := mixed(records):
        print(note)


def _cell(count: int | None) -> str:
    return "not known" if count is None else f"{count}/5"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("empirical_bench.jsonl"), help="results, one JSON line a run")
    parser.add_argument("--laws", nargs="+", choices=list(LAWS), default=list(LAWS), metavar="LAW")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3, 4, 5])
    parser.add_argument("--budget", type=int, default=20_000_000, help="evaluations of a search")
    parser.add_argument("--loss", choices=["mse", "mae"], default="mse")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, one thread each")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.task:
        print(json.dumps(run(json.loads(arguments.task))))
        return 0
    tasks = [
        {"law": law, "seed": seed, "budget": arguments.budget, "loss": arguments.loss}
        for seed in arguments.seeds
        for law in arguments.laws
    ]
    records = run_all(Path(__file__), tasks, arguments.out, arguments.jobs, 3600, describe)
    print(f"{versions('sr2hls', 'numpy', 'numba')}; {arguments.budget:,} evaluations a search, loss {arguments.loss}")
    print_table(records, arguments.laws)
    return int(any("error" in record for record in records))


if __name__ == "__main__":
    sys.exit(main())
