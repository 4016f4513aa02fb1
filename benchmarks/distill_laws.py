"""Simulated bodies → the law as formulas: is it the true one, and how far does it reach beyond what the network saw.

    python benchmarks/distill_laws.py [--out FILE] [--systems spring r2 ...] [--dims 2 3] [--strategies newton]
        [--seeds 1] [--runs 1500] [--jobs 2] [--table]

Each row is one `sr2hls.distill(system=..., strategy=...)` in a process of its own: simulation, training with the recipe
of that system, formulas, constants. "equal" is `sr2hls.distill.symbolic.equality.same_law`: the same terms after
simplification, every constant within 5 %; the column beside it is the worst constant's relative error. Errors are
medians over bodies of |a - a'|/|a|, of the law and of the network: on held-out runs, with twice and four times as many
bodies, and with initial positions twice as far apart. The damped system's drag acts on every body alike (-0.5 v_i),
which is not the definition of the original, whose drag depends on a body's index.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

from resumable import Record, read, run_all, versions

IDENTITY = ("dimension", "runs", "seed", "strategy", "system")
SYSTEMS = ("charge", "r1", "r2", "spring", "damped", "discontinuous")


def run(task: Record) -> Record:
    """One distillation."""
    from sr2hls.distill.run import distill
    from sr2hls.distill.tell import law_lines

    found = distill(
        system=task["system"], dimension=task["dimension"], strategy=task["strategy"], runs=task["runs"],
        seed=task["seed"],
    )  # fmt: skip
    same = found.same
    return {
        "equal": same is not None and same.equal,
        "why": "" if same is None else same.why,
        "worst_constant": None if same is None or not same.equal else same.error,
        "law": list(law_lines(found)),
        "recovered": found.verdict is not None and found.verdict.recovered,
        "line": "" if found.verdict is None else found.verdict.line,
        "cases": [[name, law.median, network.median] for name, _, law, network in found.cases],
        "training_cpu": found.trained.seconds,
        "cpu": time.process_time(),
        "versions": versions("numpy", "torch", "numba", "sympy"),
    }


def describe(row: Record) -> str:
    """A row as a line."""
    head = f"{row['system']:13} {row['dimension']}D {row['strategy']:10} seed {row['seed']}"
    if "error" in row:
        return f"{head}  FAILED: {row['error']}"
    verdict = f"equal, constants within {row['worst_constant']:.2%}" if row["equal"] else f"not equal: {row['why']}"
    reach = " · ".join(f"{law:.2%} / {network:.1%}" for _, law, network in row["cases"])
    return f"{head}  {verdict:70}  {reach}  {row['cpu']:.0f} CPU s"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("distill_laws.jsonl"))
    parser.add_argument("--systems", nargs="+", default=list(SYSTEMS))
    parser.add_argument("--dims", type=int, nargs="+", default=[2, 3])
    parser.add_argument("--strategies", nargs="+", default=["newton"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--runs", type=int, default=1500, help="simulated trajectories of each")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--table", action="store_true", help="print what FILE has, run nothing")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.task:
        print(json.dumps(run(json.loads(arguments.task))))
        return 0
    tasks = [
        {"system": system, "dimension": dimension, "strategy": strategy, "seed": seed, "runs": arguments.runs}
        for seed in arguments.seeds
        for system in arguments.systems
        for dimension in arguments.dims
        for strategy in arguments.strategies
    ]
    if arguments.table:
        rows = list(read(arguments.out, IDENTITY).values())
    else:
        rows = run_all(Path(__file__), tasks, arguments.out, arguments.jobs, 3600, describe)
    print("law equal to the true one · errors of law / network: held out, 2x bodies, 4x bodies, twice as far")
    for row in rows:
        print(describe(row))
        for line in row.get("law", ()):
            print(f"    {line}")
    done = [row for row in rows if "error" not in row]
    print(
        f"{sum(row['equal'] for row in done)} of {len(rows)} laws equal; {sum(r['cpu'] for r in done) / 60:.0f} CPU min"
    )
    return int(len(done) < len(rows))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
