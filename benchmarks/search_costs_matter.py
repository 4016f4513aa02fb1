"""Does the hardware cost in the search matter → error within L compiled cycles, for each objective and for Operon.

    python benchmarks/search_costs_matter.py [--out FILE] [--engines circuit path sum nodes operon] [--seeds 1 2 3 4 5]
        [--targets t01_mulsin ...] [--seconds 5] [--noise 0.01] [--limit 12] [--jobs 2] [--table]

Laws, rows and noise are those of search_targets.py: 1,000 rows to fit, 1,000 clean rows held out. Every run has one
thread, `--seconds` of CPU time (the compilation of the engine's loops and the second stage are not counted) and the
operators + - * / sin cos exp log sqrt square; costs are for vu9p-2 at 5 ns and inputs of 12 bits.

circuit, path, sum, nodes: the native engine with that objective and its default settings, otherwise equal. operon:
pyoperon 0.6.2's NSGA-II (settings: search_engines.py) over its error and the cost "circuit" of the native engine: the
engine's compiled function, called by `UserDefinedEvaluator` for each individual. A variable's weight is a constant
factor there; the scale and offset that Operon fits outside the tree are not charged.

The second stage is the same for all (`sr2hls.search.refine`): the error is that of the compiled circuit, bit by bit, on
the held-out rows, as a share of the variance (nmse), and cycles are the latency of that circuit. Of a run's formulas
the best within L cycles counts; that choice sees the held-out rows, in the same way for all. A run without a formula
within L cycles counts as the mean (nmse 1), and errors below 1e-7 count as 1e-7.

--table prints the tables of the runs in --out again, without new runs. CPU seconds do not repeat exactly, so neither do
results.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from resumable import Record, key, mixed, read, run_all, versions
from search_engines import MOST_NODES, run_native, run_operon
from search_targets import TARGETS, problems

from sr2hls.errors import Sr2hlsError
from sr2hls.search.candidate import Candidate
from sr2hls.search.costs import OperatorCosts, operator_cycles
from sr2hls.search.native.price import price
from sr2hls.search.native.prices import prices_of
from sr2hls.search.native.symbols import CONSTANT, VARIABLE, symbols_of
from sr2hls.search.native.tree import NODES
from sr2hls.search.problem import Problem
from sr2hls.search.refine import hall_of_fame, refine
from sr2hls.search.refine.tree import Tree, to_sympy
from sr2hls.search.settings import OPERATORS, Settings

ENGINES = ("circuit", "path", "sum", "nodes", "operon")
CHOSEN = ("t01_mulsin", "t02_rat", "t04_newton", "t06_planck", "t09_damped", "t11_spring", "t12_logit16")
COSTS = "SR2HLS_BENCHMARK_COSTS"  # the environment variable in which runs get the costs, as JSON
LIMITS = range(1, 21)  # cycles
FLOOR = 1e-7
LEVEL = 1.02  # errors within this factor are a draw
_KINDS = {
    **{"+": "Add", "-": "Sub", "*": "Mul", "/": "Div", "square": "Square"},
    **{"sin": "Sin", "cos": "Cos", "exp": "Exp", "log": "Log", "sqrt": "Sqrt"},
}


def settings_of(seed: int, objective: str) -> Settings:
    return Settings(
        operators=OPERATORS,
        target="vu9p-2",
        clock_ns=5.0,
        width=12,
        objective=objective,
        max_nodes=MOST_NODES,
        seed=seed,
        threads=1,
        budget=10**12,
    )


def given_costs() -> OperatorCosts:
    """The costs that the parent has measured for its runs, or measured here."""
    if COSTS in os.environ:
        return OperatorCosts(**json.loads(os.environ[COSTS]))
    return operator_cycles("vu9p-2", 12, OPERATORS, 5.0)


def operon_cost(problem: Problem, costs: OperatorCosts) -> Callable[[Any], Callable[[Any, Any], list[float]]]:
    """pyoperon → the cost "circuit" of an individual, by the function that the native engine minimizes."""
    symbols = symbols_of(OPERATORS, {})
    prices, table = prices_of(symbols, costs, "circuit"), symbols.table
    times = symbols.index("*")
    code, place, value = np.zeros(NODES, np.int64), np.zeros(NODES, np.int64), np.zeros(NODES, np.float32)

    def cost_of(op: Any) -> Callable[[Any, Any], list[float]]:
        known = {op.Node(getattr(op.NodeType, kind)).HashValue: symbols.index(name) for name, kind in _KINDS.items()}
        columns = sorted(op.Dataset(np.asfortranarray(np.zeros((2, len(problem.names) + 1)))).Variables, key=_index)
        inputs = {variable.Hash: at for at, variable in enumerate(columns[:-1])}

        def cost(_random: Any, individual: Any) -> list[float]:
            nodes = individual.Genotype.Nodes
            if len(nodes) > NODES:
                return [1e9]
            for j, node in enumerate(nodes):
                value[j] = node.Value
                if node.Arity:
                    code[j] = known[node.HashValue]
                elif node.IsVariable:
                    code[j], place[j] = VARIABLE, inputs[node.HashValue]
                else:
                    code[j] = CONSTANT
            return [_priced(table, prices, code, place, value, len(nodes), times)]

        return cost

    return cost_of


def _index(variable: Any) -> int:
    return int(variable.Index)


@njit(cache=True)  # type: ignore[untyped-decorator]
def _priced(t, p, code, place, value, n, times):  # type: ignore[no-untyped-def]
    """The cost of Operon's postfix arrays; 1e9 where there is no room for the tree."""
    sym, arg, val = np.empty(NODES, np.int64), np.empty(NODES, np.int64), np.empty(NODES, np.float32)
    m = postfix(t, code, place, value, n, times, sym, arg, val)
    return price(t, p, sym, arg, val, m, False, False)[0] if m > 0 else 1e9


@njit(cache=True)  # type: ignore[untyped-decorator]
def postfix(t, code, place, value, n, times, sym, arg, val):  # type: ignore[no-untyped-def]
    """Operon's postfix arrays → the native engine's, with weights as constant factors; the new length, 0 for no room.

    In Operon's a node's first operand stands right before it, not its last; so read from the end they are a prefix form
    with its operands in order.
    """
    waiting, missing = np.empty(NODES, np.int64), np.empty(NODES, np.int64)
    depth = m = 0
    for i in range(n - 1, -1, -1):
        s = code[i]
        if t.arity[s] > 0:
            waiting[depth], missing[depth] = s, t.arity[s]
            depth += 1
            continue
        weighted = s == VARIABLE and value[i] != 1.0
        if m + depth + 3 > NODES - 4:
            return 0
        if weighted:
            sym[m], arg[m], val[m] = CONSTANT, 0, value[i]
            m += 1
        sym[m], arg[m], val[m] = s, place[i], value[i]
        m += 1
        if weighted:
            sym[m], arg[m], val[m] = times, 0, 0.0
            m += 1
        while depth > 0:
            missing[depth - 1] -= 1
            if missing[depth - 1] > 0:
                break
            depth -= 1
            sym[m], arg[m], val[m] = waiting[depth], 0, 0.0
            m += 1
    return m


def run(task: Record) -> Record:
    """One engine, one law, one seed."""
    train, _, test = problems(task["target"], task["noise"])
    costs = given_costs()
    chosen = settings_of(task["seed"], "circuit" if task["engine"] == "operon" else task["engine"])
    if task["engine"] == "operon":
        run_operon(train.part(np.arange(64)), 0.2, 0, operon_cost(train, costs))  # compiles the cost
        searched = run_operon(train, task["seconds"], task["seed"], operon_cost(train, costs))
    else:
        searched = run_native(train, chosen, costs, task["seconds"])
    begun = time.process_time()
    found = refine(train, test, candidates(searched.trees, task["engine"]), chosen, limit=task["limit"])
    spread = float(np.var(test.y))
    return {
        "front": [
            {
                "cycles": row.cycles,
                "nmse": (row.circuit_loss or 0.0) / spread,
                "luts": row.luts,
                "dsps": row.dsps,
                "equation": row.equation,
            }
            for row in hall_of_fame(found)
        ],
        "refused": sum(1 for row in found if row.refused),
        "candidates": len(searched.trees),
        "cpu": round(searched.cpu, 3),
        "second_stage_cpu": round(time.process_time() - begun, 3),
        "evaluations": searched.evaluations,
        **searched.info,
    }


def candidates(trees: Sequence[Tree], source: str) -> list[Candidate]:
    """Trees of any engine as the second stage takes them; those that are no finite real formula are left out."""
    found = []
    for tree in trees:
        try:
            found.append(Candidate(to_sympy(tree), math.inf, math.inf, source=source))
        except (Sr2hlsError, OverflowError, ZeroDivisionError, RecursionError):
            continue
    return found


def within(record: Record, cycles: int) -> float:
    """The least error of a run's circuits of at most so many cycles, between the floor and 1."""
    errors = [row["nmse"] for row in record.get("front", ()) if row["cycles"] <= cycles]
    return max(FLOOR, min([1.0, *errors]))


def print_tables(records: Sequence[Record], engines: Sequence[str]) -> None:
    by = {(r["engine"], r["target"], r["seed"]): r for r in records}
    base = engines[0]
    others = [name for name in engines if name != base]
    cases = sorted({(r["target"], r["seed"]) for r in records})
    print(f"\nError within L cycles: geometric mean of the ratio to '{base}' (above 1: worse than it);")
    print(f"in brackets wins of '{base}' - wins of the other, of {len(cases)} (targets x seeds); draws: within 2 %\n")
    columns = ["L", f"{base}: nmse, geometric mean", *others]
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    for cycles in LIMITS:
        mine = {case: within(by[base, *case], cycles) for case in cases if (base, *case) in by}
        cells = [str(cycles), f"{_mean(list(mine.values())):.2e}"]
        for name in others:
            pairs = [(mine[c], within(by[name, *c], cycles)) for c in mine if (name, *c) in by]
            ratio = _mean([theirs / ours for ours, theirs in pairs])
            won = sum(theirs > LEVEL * ours for ours, theirs in pairs)
            lost = sum(ours > LEVEL * theirs for ours, theirs in pairs)
            cells.append(f"{ratio:.2f} ({won}-{lost})")
        print(f"| {' | '.join(cells)} |")
    print("\nPer target: geometric mean over seeds of the error within 4 / 8 / 16 cycles\n")
    print(f"| target | {' | '.join(engines)} |\n{'|---' * (len(engines) + 1)}|")
    for target in sorted({r["target"] for r in records}):
        cells = [target]
        for name in engines:
            runs = [r for (engine, t, _), r in by.items() if engine == name and t == target]
            cells.append(" / ".join(f"{_mean([within(r, cycles) for r in runs]):.1e}" for cycles in (4, 8, 16)))
        print(f"| {' | '.join(cells)} |")
    for name in engines:
        good = [r for r in records if r["engine"] == name and "error" not in r]
        failed = sum(r["engine"] == name for r in records) - len(good)
        if good:
            print(
                f"\n{name}: {np.mean([r['cpu'] for r in good]):.1f} CPU s a search, "
                f"{np.median([r['evaluations'] / r['cpu'] for r in good]):,.0f} evaluations/s, "
                f"{np.mean([r['candidates'] for r in good]):.0f} candidates, second stage "
                f"{np.mean([r['second_stage_cpu'] for r in good]):.1f} CPU s; {failed} failed"
            )
    if note := mixed(records):
        print(f"\n{note}")


def _mean(values: Sequence[float]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values)) if values else math.nan


def describe(record: Record) -> str:
    start = f"{record['engine']:8s} {record['target']:12s} seed {record['seed']}"
    if "error" in record:
        return f"{start} FAILED: {record['error']}"
    errors = " ".join(f"{cycles}:{within(record, cycles):.1e}" for cycles in (1, 2, 4, 8, 12, 16, 20))
    return f"{start} {errors}  {record['cpu']:.1f} + {record['second_stage_cpu']:.1f} CPU s, {record['wall']:.0f} s"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("search_costs_matter.jsonl"), help="one JSON line a run")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--targets", nargs="+", choices=list(TARGETS), default=list(CHOSEN), metavar="TARGET")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3, 4, 5])
    parser.add_argument("--seconds", type=float, default=5.0, help="CPU seconds of a search")
    parser.add_argument("--noise", type=float, default=0.01)
    parser.add_argument("--limit", type=int, default=12, help="formulas that the second stage compiles, at most")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, one thread each")
    parser.add_argument("--table", action="store_true", help="only print the tables of the runs in --out")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.task:
        print(json.dumps(run(json.loads(arguments.task))))
        return 0
    common = {"noise": arguments.noise, "seconds": arguments.seconds, "limit": arguments.limit}
    tasks = [
        {"engine": engine, "target": target, "seed": seed, **common}
        for seed in arguments.seeds
        for target in arguments.targets
        for engine in arguments.engines
    ]
    if arguments.table:
        known = read(arguments.out, sorted(tasks[0]))
        records = [known[k] for task in tasks if (k := key(task, sorted(tasks[0]))) in known]
        print(f"{len(records)} of {len(tasks)} runs in {arguments.out}")
    else:
        os.environ[COSTS] = json.dumps(asdict(given_costs()))
        records = run_all(Path(__file__), tasks, arguments.out, arguments.jobs, 20 * arguments.seconds + 600, describe)
        print(f"{versions('sr2hls', 'numpy', 'numba', 'pyoperon')}; {arguments.seconds:g} CPU s a search")
    print_tables(records, arguments.engines)
    return int(any("error" in record for record in records))


if __name__ == "__main__":
    sys.exit(main())
