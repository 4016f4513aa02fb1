"""Simulated bodies and six strategies → in how many of the trainings the messages turn out to be the force.

    python benchmarks/distill_table.py [--out FILE] [--seeds 1 2 3] [--jobs 2] [--strategies standard bottleneck ...]
        [--systems charge r1 r2 spring] [--dims 2 3] [--runs 2000] [--extra] [--table]

The table of Cranmer et al. 2020 (arXiv 2006.11287, tables 1 and 5): charge, 1/r, 1/r² and spring in 2D and 3D ×
standard, bottleneck, L1, KL, and beside them pruning and newton. Every training has the recipe that
`sr2hls distill --system ... --strategy ...` would take, a simulation of its own (the seed is both), and a process of
its own. Whole trajectories are held out; figures are of these. `--extra` adds damped and discontinuous, and the
Hamiltonian network on spring and charge (its messages are energies: the forces that are compared are their
derivatives, which leaves no gauge). `--table` prints what FILE has and trains nothing.

Recovered: see `sr2hls.distill.extract.verdict`. The published figures are the trimmed R² of the paper's table 1 and the
success of its symbolic regression (table 5: ✓, ✗); and of the reproduction that comes with SymTorch (Tan, Soubki,
Cranmer, arXiv 2602.21307; 2D only; the two components), both against the force itself and no other gauge.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from distill_published import CELLS, PAPER, REPRODUCTION, paper_recovered
from resumable import Record as Row
from resumable import read, run_all, versions

from sr2hls.distill.extract import verdict
from sr2hls.distill.extract.significance import flat_messages, principal
from sr2hls.distill.extract.trimmed import trimmed_fit
from sr2hls.distill.graphs import Graphs, graphs_of, split
from sr2hls.distill.recipes import recipe_for
from sr2hls.distill.records import Record
from sr2hls.distill.systems import forces, simulate, system

STRATEGIES = ("standard", "bottleneck", "l1", "kl", "pruning", "newton")
SYSTEMS = ("charge", "r1", "r2", "spring")
EXTRA = [(name, strategy) for name in ("damped", "discontinuous") for strategy in STRATEGIES]
EXTRA += [(name, "hamiltonian") for name in ("spring", "charge")]
SCORED = 2500  # held-out snapshots
DISTILL = Path(__file__).resolve().parent.parent / "sr2hls" / "distill"
IDENTITY = ("dimension", "runs", "seed", "strategy", "system")


def run(task: Row) -> Row:
    """One training and its scores."""
    from sr2hls.distill.networks.train import train

    law, begun = system(task["system"]), time.process_time()
    trajectories = simulate(
        law, dimension=task["dimension"], runs=task["runs"], times=100, dt=5 * law.dt, seed=task["seed"]
    )
    graphs, held_out = split(graphs_of(trajectories), seed=task["seed"])
    simulated = time.process_time() - begun
    recipe = replace(recipe_for(law.name, task["strategy"]), seed=task["seed"])
    trained = train(graphs, held_out, recipe)
    rows = np.random.default_rng(1).choice(len(held_out.run), min(SCORED, len(held_out.run)), replace=False)
    some = held_out.rows(rows)
    record = trained.record(some, forces(law, some))
    if task["strategy"] == "hamiltonian":
        record = with_forces_as_messages(record, trained, some)
    found = verdict(record)
    off = np.sqrt(((record.predicted - record.accelerations) ** 2).sum(-1))
    size = np.sqrt((record.accelerations**2).sum(-1))
    return {
        "recovered": found.recovered,
        "gauge": list(found.gauge),
        "trimmed": rounded(found.trimmed),
        "plain": rounded(found.plain),
        "conditional": rounded(found.conditional),
        "ranking": found.ranking,
        "by_gauge": by_gauge(record, found.scores[found.ranking].components),
        "by_ranking": {name: rounded(score.trimmed) for name, score in found.scores.items()},
        "importance": rounded(np.sort(record.importance)[::-1][: task["dimension"] + 3]),
        "relative_error": float(f"{np.median(off / np.maximum(size, 1e-12)):.4g}"),
        "held_out_loss": float(f"{trained.loss(some):.4g}"),
        "cpu": round(trained.seconds, 1),
        "cpu_simulation": round(simulated, 1),
        "cpu_all": round(time.process_time() - begun, 1),
        "recipe": asdict(trained.recipe),
        "versions": versions("sr2hls", "torch", "numpy"),
        "distill": digest(),
    }


def digest() -> str:
    """Tells versions of simulators, networks, recipes and scores apart."""
    total = hashlib.sha256()
    for path in sorted(p for room in ("systems", "networks", "extract") for p in (DISTILL / room).rglob("*.py")):
        total.update(path.read_bytes())
    return hashlib.sha256(total.digest() + (DISTILL / "recipes.py").read_bytes()).hexdigest()[:12]


def with_forces_as_messages(record: Record, trained: Any, graphs: Graphs) -> Record:
    """Energies are replaced by the forces that they imply."""
    implied = trained.map_edges(graphs, trained.network.pair_forces)
    summed = np.zeros_like(record.accelerations)
    np.add.at(summed, (slice(None), graphs.receivers), implied)
    return replace(record, messages=implied, summed=summed, importance=np.ones(implied.shape[-1]))


def by_gauge(record: Record, components: Sequence[int]) -> dict[str, dict[str, list[float]]]:
    """Trimmed and plain R² of the components that were judged (principal ones, where none is named), in every gauge."""
    assert record.forces is not None
    d = record.forces.shape[-1]
    flat = flat_messages(record)
    chosen = flat[:, list(components)] if components else flat @ principal(record, d).directions
    true = record.forces.reshape(-1, d)
    mass, charge = (np.asarray(record.edge[f"{name}_i"]).reshape(-1, 1) for name in ("m", "q"))
    factors = {"F": 1.0, "F/m_i": 1 / mass, "q_i*F": charge, "q_i*F/m_i": charge / mass}
    size = np.sqrt((true**2).sum(1))
    fits = {name: trimmed_fit(true * factor, chosen / chosen.std(0), size) for name, factor in factors.items()}
    return {name: {"trimmed": rounded(fit.trimmed), "plain": rounded(fit.plain)} for name, fit in fits.items()}


def rounded(values: Any) -> list[float]:
    return [float(f"{v:.5g}") for v in values]


def describe(row: Row) -> str:
    head = f"{row['system']}-{row['dimension']} {row['strategy']} seed {row['seed']}: "
    if "error" in row:
        return head + row["error"]
    word = "recovered" if row["recovered"] else "not recovered"
    return head + f"{word}, trimmed R² {shown(row)} to {', '.join(sorted(set(row['gauge'])))}, {row['cpu']} CPU s"


def shown(row: Row) -> str:
    return "/".join(f"{v:.3f}" for v in row["trimmed"])


def table(rows: Sequence[Row], strategies: Sequence[str]) -> Iterator[str]:
    """Markdown: per system and strategy the passes over seeds, R² trimmed (plain), gauge; published figures below."""
    yield "| | " + " | ".join(strategies) + " |"
    yield "|---" * (len(strategies) + 1) + "|"
    for name, dimension in dict.fromkeys((row["system"], row["dimension"]) for row in rows):
        here = [row for row in rows if (row["system"], row["dimension"]) == (name, dimension)]
        yield f"| {name}-{dimension} | " + " | ".join(cell(here, s) for s in strategies) + " |"
        for label, published in (("paper", PAPER), ("SymTorch", REPRODUCTION)):
            figures = [published.get((name, dimension, s), "") for s in strategies]
            if any(figures):
                yield f"| · {label} | " + " | ".join(figures) + " |"


def cell(rows: Sequence[Row], strategy: str) -> str:
    """`passes/seeds` and the training of median quality: its worst component's trimmed R² (plain R²), its gauge."""
    mine = [row for row in rows if row["strategy"] == strategy]
    if not mine:
        return ""
    good = sorted((row for row in mine if "error" not in row), key=lambda row: min(row["trimmed"]))
    passes = f"{sum(bool(row.get('recovered')) for row in mine)}/{len(mine)}"
    if not good:
        return f"{passes} failed"
    middle = good[len(good) // 2]
    gauge = ", ".join(sorted(set(middle["gauge"])))
    return f"{passes} · {cut(min(middle['trimmed']))} ({cut(min(middle['plain']))}) {gauge}"


def cut(value: float) -> str:
    """Three digits, never rounded up."""
    return f"{np.floor(value * 1e3) / 1e3:.3f}"


def summary(rows: Sequence[Row]) -> Iterator[str]:
    """What the table comes to: per strategy, and for every cell that the paper's table ticks."""
    good = [row for row in rows if "error" not in row]
    for strategy in dict.fromkeys(row["strategy"] for row in rows):
        mine = [row for row in good if row["strategy"] == strategy]
        failed = sum(row["strategy"] == strategy for row in rows) - len(mine)
        if mine:
            passes = sum(row["recovered"] for row in mine)
            cpu = statistics.median(row["cpu"] for row in mine)
            off = statistics.median(row["relative_error"] for row in mine)
            words = f"{strategy}: {passes} of {len(mine) + failed} trainings recovered, median {cpu:.0f} CPU s, "
            yield (
                words
                + f"median relative error of accelerations {100 * off:.1f} %"
                + f", {failed} failed" * (failed > 0)
            )
    ticked = [key for key in CELLS if paper_recovered(*key)]
    have = {key: [r for r in rows if (r["system"], r["dimension"], r["strategy"]) == key] for key in ticked}
    missing = [key for key in ticked if have[key] and not any(r.get("recovered") for r in have[key])]
    present = [key for key in ticked if have[key]]
    always = sum(all(r.get("recovered") for r in have[key]) for key in present)
    yield (
        f"cells that the paper's table ticks: {len(present) - len(missing)} of {len(present)} recovered with at least "
        f"one seed, {always} with every seed" + (f"; never: {missing}" if missing else "")
    )
    beyond = {k for k in CELLS if not paper_recovered(*k)}
    more = [k for k in sorted(beyond) if any(r.get("recovered") for r in rows if key_of(r) == k)]
    yield "recovered with at least one seed beyond the paper's: " + (
        ", ".join("-".join(map(str, k)) for k in more) or "none"
    )


def key_of(row: Row) -> tuple[str, int, str]:
    return row["system"], row["dimension"], row["strategy"]


def tasks_of(arguments: argparse.Namespace) -> list[Row]:
    """Seed after seed, so that a stopped run has a whole table of the first ones."""
    pairs = [(name, strategy) for name in arguments.systems for strategy in arguments.strategies]
    if arguments.extra:
        pairs += EXTRA
    return [
        {"system": name, "dimension": dimension, "strategy": strategy, "seed": seed, "runs": arguments.runs}
        for seed in arguments.seeds
        for name, strategy in pairs
        for dimension in arguments.dims
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("distill_table.jsonl"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--systems", nargs="+", default=list(SYSTEMS))
    parser.add_argument("--strategies", nargs="+", choices=STRATEGIES, default=list(STRATEGIES))
    parser.add_argument("--dims", type=int, nargs="+", default=[2, 3])
    parser.add_argument("--runs", type=int, default=2000, help="simulated trajectories of each training")
    parser.add_argument("--jobs", type=int, default=2, help="trainings at a time, one thread each")
    parser.add_argument("--extra", action="store_true", help="damped, discontinuous and Hamiltonian too")
    parser.add_argument("--table", action="store_true", help="print the table of FILE, train nothing")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.task:
        os.nice(5)
        print(json.dumps(run(json.loads(arguments.task))))
        return 0
    if arguments.table:
        rows = list(read(arguments.out, IDENTITY).values())
    else:
        rows = run_all(Path(__file__), tasks_of(arguments), arguments.out, arguments.jobs, 3600, describe)
    if not rows:
        print(f"{arguments.out} has no rows", file=sys.stderr)
        return 1
    order = list(dict.fromkeys([*STRATEGIES, "hamiltonian"]))
    seen = [strategy for strategy in order if any(row["strategy"] == strategy for row in rows)]
    print(next((row["versions"] for row in rows if "versions" in row), ""))
    print(f"{sum(row.get('cpu_all', 0) for row in rows) / 3600:.2f} CPU hours, {len(rows)} trainings")
    codes = {row["distill"] for row in rows if "distill" in row}
    if len(codes) > 1:
        print(f"CAUTION: rows of {len(codes)} versions of the code: {', '.join(sorted(codes))}")
    print("passes/seeds · trimmed R² (plain R²) of the worst component, median training, and its gauge\n")
    print("\n".join([*table(rows, seen), "", *summary(rows)]))
    return int(any("error" in row for row in rows))


if __name__ == "__main__":
    sys.exit(main())
