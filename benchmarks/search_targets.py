"""Twelve known laws, with and without noise → how many each search engine finds in the same CPU time.

    python benchmarks/search_targets.py [--out FILE] [--engines native operon operon-nsga2 gplearn] [--seeds 1 2 3]
        [--noise 0 0.01] [--targets t01_mulsin ...] [--seconds 10] [--jobs 2]

1,000 rows for each law, the same for all engines and seeds (NumPy's generator, 12345 + the sum of the name's bytes;
test rows are drawn before the noise); noise is normal, in units of the target's deviation. Every engine has the
operators + - * / sin cos exp log sqrt square, one thread and `--seconds` of CPU time in a process of its own; the
compilation of the native engine's loops is not counted, nor is the second stage, which is the same for all
(benchmarks/search_stage.py: refit, prune the best 12, choose by BIC).

A law counts as recovered when the formula that was *chosen* has 1 - R² < 1e-8 on 1,000 clean test rows after a refit of
its free constants on clean rows, and at most 2 s + 3 nodes, s being the law's. "On the front": any formula of the front
does. CPU seconds do not repeat exactly: counts may differ by one between runs.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray
from resumable import Record, mixed, run_all, versions
from search_engines import ENGINES
from search_stage import missing, problem_of, second_stage, text_of
from sympy import Rational, cos, exp, sin, sqrt

from sr2hls.analyze.evaluate import array_function
from sr2hls.model import symbol
from sr2hls.search.problem import Problem
from sr2hls.search.refine.size import nodes, size

ROWS = 1000
SEED = 12345
EXACT = 1e-8
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Target:
    """draw: a generator and a number of rows → X, shape (rows, inputs); law: of the inputs' symbols."""

    inputs: int
    draw: Callable[[np.random.Generator, int], Floats]
    law: Callable[..., sympy.Expr]

    @property
    def symbols(self) -> list[sympy.Symbol]:
        return [symbol(f"x{i}") for i in range(self.inputs)]

    @property
    def expression(self) -> sympy.Expr:
        return self.law(*self.symbols)


def _box(low: float, high: float, inputs: int) -> Callable[[np.random.Generator, int], Floats]:
    return lambda random, rows: random.uniform(low, high, (rows, inputs))


def _ranges(*ranges: tuple[float, float]) -> Callable[[np.random.Generator, int], Floats]:
    return lambda random, rows: np.column_stack([random.uniform(low, high, rows) for low, high in ranges])


def _levels(random: np.random.Generator, rows: int) -> Floats:
    lower = random.uniform(1, 3, rows)
    return np.column_stack((lower, lower + random.uniform(1, 5, rows)))


def _coulomb(q0: Any, q1: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    return -q0 * q1 * (a - b) / ((a - b) ** 2 + (c - d) ** 2 + Rational(1, 100)) ** Rational(3, 2)


def _spring(a: Any, b: Any) -> Any:
    length = sqrt(a**2 + b**2)
    return 2 * (length - 1) * a / length


TARGETS = {
    "t01_mulsin": Target(3, _box(-3, 3, 3), lambda a, b, c: a * b + sin(c)),
    "t02_rat": Target(2, _box(-3, 3, 2), lambda a, b: a / (1 + b**2)),
    "t03_gauss": Target(1, _box(-3, 3, 1), lambda a: exp(-(a**2))),
    "t04_newton": Target(3, _box(0.5, 5, 3), lambda a, b, c: a * b / c**2),
    "t05_kepler": Target(1, _box(0.3, 30, 1), lambda a: a * sqrt(a)),
    "t06_planck": Target(2, _ranges((0.5, 5), (0.5, 3)), lambda a, b: a**3 / (exp(a / b) - 1)),
    "t07_rydberg": Target(2, _levels, lambda a, b: Rational("1.097") * (1 / a**2 - 1 / b**2)),
    "t08_idealgas": Target(3, _ranges((0.5, 3), (250, 400), (0.5, 5)), lambda a, b, c: Rational("8.314") * a * b / c),
    "t09_damped": Target(
        4,
        _ranges((-3, 3), (0, 3), (-3, 3), (-3, 3)),
        lambda a, b, c, d: a * exp(-b) * cos(c - Rational("2.1") * d),
    ),
    "t10_coulomb": Target(6, _box(-2, 2, 6), _coulomb),
    "t11_spring": Target(2, _box(-2, 2, 2), _spring),
    "t12_logit16": Target(
        16,
        lambda random, rows: random.normal(0, 1, (rows, 16)),
        lambda *x: 2 * x[0] - Rational(3, 2) * x[3] * x[5] + sin(2 * x[7]) - Rational(1, 2),
    ),
}


def problems(name: str, noise: float) -> tuple[Problem, Problem, Problem]:
    """The rows to fit, the same without noise, and clean test rows."""
    target = TARGETS[name]
    random = np.random.default_rng(SEED + sum(name.encode()))
    names = [str(s) for s in target.symbols]
    law = array_function(target.expression, target.symbols)
    x = target.draw(random, ROWS)
    test = target.draw(random, ROWS)
    y = np.asarray(law(*x.T), dtype=np.float64)
    noisy = y + noise * np.std(y) * random.normal(size=ROWS)
    clean_test = problem_of(test, np.asarray(law(*test.T)), names)
    return problem_of(x, noisy, names), problem_of(x, y, names), clean_test


def run(task: Record) -> Record:
    """One engine, one law, one seed."""
    train, clean, test = problems(task["target"], task["noise"])
    searched = ENGINES[task["engine"]](train, task["seconds"], task["seed"])
    refined = second_stage(searched.trees, train)
    limit = 2 * nodes(TARGETS[task["target"]].expression) + 3
    rows = []
    for fit in refined.front:
        lost = missing(fit.tree, clean, test)
        small = size(fit.tree) <= limit
        rows.append({"size": size(fit.tree), "loss": fit.loss, "lost": lost, "recovered": lost < EXACT and small})
    chosen = rows[refined.selected] if rows else {"size": 0, "lost": float("inf"), "recovered": False}
    return {
        "recovered": chosen["recovered"],
        "on_front": any(row["recovered"] for row in rows),
        "size": chosen["size"],
        "size_of_law": (limit - 3) // 2,
        "lost": chosen["lost"],
        "formula": text_of(refined.front[refined.selected].tree)[:300] if rows else "",
        "candidates": len(searched.trees),
        "cpu": round(searched.cpu, 3),
        "second_stage_cpu": round(refined.cpu, 3),
        "evaluations": searched.evaluations,
        **searched.info,
    }


def describe(record: Record) -> str:
    start = f"{record['engine']:13s} {record['target']:13s} noise {record['noise']:<5g} seed {record['seed']}"
    if "error" in record:
        return f"{start} FAILED: {record['error']}"
    verdict = "recovered" if record["recovered"] else "on front " if record["on_front"] else "-        "
    return (
        f"{start} {verdict} size {record['size']}/{record['size_of_law']} lost {record['lost']:.1e} "
        f"{record['cpu']:.1f} + {record['second_stage_cpu']:.1f} CPU s  {record['formula'][:70]}"
    )


def print_tables(records: Sequence[Record], engines: Sequence[str], targets: Sequence[str]) -> None:
    seeds = sorted({r["seed"] for r in records})
    columns = ["engine", *[name.split("_")[0] for name in targets], f"recovered of {len(targets)}, seeds {seeds}"]
    columns += ["recovered", "on front", "median 1 - R²", "mean size ratio", "mean CPU s", "evaluations/s/core"]
    columns += ["2nd stage CPU s", "failed"]
    for noise in sorted({r["noise"] for r in records}):
        print(f"\nNoise {noise:.0%} of the deviation; cells: seeds (of {len(seeds)}) that recovered the law\n")
        print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
        for engine in engines:
            mine = [r for r in records if r["engine"] == engine and r["noise"] == noise]
            if mine:
                print(f"| {' | '.join(_row(engine, mine, seeds, targets))} |")
    if note := mixed(records):
        print(f"\n{note}")


def _row(engine: str, mine: Sequence[Record], seeds: Sequence[int], targets: Sequence[str]) -> list[str]:
    good = [r for r in mine if "error" not in r]
    won = [r for r in good if r["recovered"]]
    cells = [engine, *[str(sum(r["target"] == name for r in won)) for name in targets]]
    cells.append(" ".join(str(sum(r["seed"] == seed for r in won)) for seed in seeds))
    cells += [f"{len(won)}/{len(mine)}", f"{sum(r['on_front'] for r in good)}/{len(mine)}"]
    if not good:
        return [*cells, "-", "-", "-", "-", "-", str(len(mine))]
    rates = [r["evaluations"] / r["cpu"] for r in good if r["cpu"] > 0]
    cells.append(f"{np.median([r['lost'] for r in good]):.1e}")
    cells.append(f"{np.mean([r['size'] / r['size_of_law'] for r in good]):.2f}")
    cells += [f"{np.mean([r['cpu'] for r in good]):.1f}", f"{np.median(rates):,.0f}"]
    return [*cells, f"{np.mean([r['second_stage_cpu'] for r in good]):.1f}", str(len(mine) - len(good))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("search_targets.jsonl"), help="results, one JSON line a run")
    parser.add_argument("--engines", nargs="+", choices=list(ENGINES), default=list(ENGINES))
    parser.add_argument("--targets", nargs="+", choices=list(TARGETS), default=list(TARGETS), metavar="TARGET")
    parser.add_argument("--noise", nargs="+", type=float, default=[0.0, 0.01])
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--seconds", type=float, default=10.0, help="CPU seconds of a search")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, one thread each")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.task:
        print(json.dumps(run(json.loads(arguments.task))))
        return 0
    tasks = [
        {"engine": engine, "target": target, "noise": noise, "seed": seed, "seconds": arguments.seconds}
        for seed in arguments.seeds
        for noise in arguments.noise
        for target in arguments.targets
        for engine in arguments.engines
    ]
    records = run_all(Path(__file__), tasks, arguments.out, arguments.jobs, 20 * arguments.seconds + 600, describe)
    print(f"{versions('sr2hls', 'numpy', 'numba', 'pyoperon', 'gplearn')}; {arguments.seconds:g} CPU s a search")
    print_tables(records, arguments.engines, arguments.targets)
    return int(any("error" in record for record in records))


if __name__ == "__main__":
    sys.exit(main())
