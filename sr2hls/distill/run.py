"""Trajectories and wishes → `Distillation`: a network trained, its parts as formulas, the law. `sr2hls.distill`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sr2hls.distill import systems
from sr2hls.distill.evaluate import Errors, compared
from sr2hls.distill.extract import Verdict, significance, verdict, with_messages
from sr2hls.distill.extras import need
from sr2hls.distill.graphs import Graphs, graphs_of, split
from sr2hls.distill.loop import Distilled, Stage, distill_law
from sr2hls.distill.recipe import Recipe
from sr2hls.distill.recipes import recipe_for
from sr2hls.distill.records import Record
from sr2hls.distill.result import Distillation
from sr2hls.distill.source import Source, simulated, source_of
from sr2hls.distill.symbolic.equality import Verdict as Same
from sr2hls.distill.symbolic.equality import same_law
from sr2hls.distill.symbolic.fit import Wishes
from sr2hls.distill.trajectories import MASS, Trajectories
from sr2hls.distill.view import Listener
from sr2hls.errors import FormatError

if TYPE_CHECKING:
    from sr2hls.distill.networks.train import Progress
    from sr2hls.distill.networks.trained import Trained

HELD_OUT = 0.1  # of the runs
JUDGED = 1000  # held-out snapshots whose messages are judged
OUTSIDE_RUNS = 40  # of each simulation outside the training's distribution
OUTSIDE_SEED = 1_000_003  # added to the seed: runs that no training has seen


def distill(
    data: str | Path | Trajectories | None = None,
    *,
    system: str | None = None,
    dimension: int = 2,
    bodies: int | None = None,
    runs: int = 2000,
    strategy: str | None = None,
    recipe: Recipe | None = None,
    budget: int | None = None,
    wishes: Wishes | None = None,
    target: str = "vu9p-2",
    seed: int = 0,
    outside: bool = True,
    nearest: float | None = None,
    checkpoint: str | Path | None = None,
    resume: bool = False,
    listener: Listener | None = None,
    **changes: Any,
) -> Distillation:
    """Learn a force law: train a graph network, fit formulas to its parts, put them back, refit (Cranmer et al. 2020).

    Args:
        data: a file of trajectories (`sr2hls.distill.read`) or `Trajectories`; or system: a name of
            `sr2hls.distill.systems` to simulate, with dimension, bodies and runs.
        strategy: see `sr2hls.distill.recipe`; None: "newton" where the bodies have masses, else "bottleneck".
        recipe: of the training; None: the measured one of system and strategy; `changes` are fields of it.
        budget, target, wishes: of the symbolic fits, see `sr2hls.distill.symbolic.fit.Wishes`.
        outside: errors on more bodies and wider ranges as well, where the system is known.
        nearest: in circuits, pairs nearer than this act as if they were at this distance: a floor for laws with a pole.
        checkpoint: a file in which the training keeps its state; with resume it goes on from there.

    Equal arguments give equal laws on one machine.

    Raises:
        Sr2hlsError: its subclasses say what is wrong and what to do.
    """
    need("torch")
    told = listener or Listener()
    if nearest is not None and not nearest > 0:
        raise FormatError(f"the nearest distance {nearest:g} is not above zero")
    asked = _wishes(wishes, budget, target, seed)
    source = source_of(data, system=system, dimension=dimension, bodies=bodies, runs=runs, seed=seed)
    told.stage("data", source.about)
    for note in source.trajectories.notes:
        told.stage("note", note)
    chosen = _recipe(source, recipe, strategy, seed, changes)
    train_on, held_out = split(graphs_of(source.trajectories), HELD_OUT, seed)
    trained = _trained(train_on, held_out, chosen, checkpoint, resume, told)
    found = distill_law(
        trained, train_on, held_out, system=source.name, wishes=asked, seed=seed, tell=lambda stage: _tell(told, stage)
    )
    record = _record(trained, held_out, source)
    judged = None if record.forces is None else verdict(record)
    if judged is not None:
        told.stage("messages", judged.line)
    same = _compared(found, source)
    cases = _cases(found, trained, held_out, source, seed, outside)
    return Distillation(
        source, trained, chosen, found, record, significance(record), judged, same, cases, held_out, asked, nearest
    )


def _recipe(source: Source, recipe: Recipe | None, strategy: str | None, seed: int, changes: dict[str, Any]) -> Recipe:
    """The recipe that is asked for; every snapshot of the source is used, since it holds none in vain."""
    if recipe is not None:
        if strategy is not None or changes:
            raise FormatError("give either a recipe, or a strategy and its changes")
        return recipe
    default = "newton" if MASS in source.trajectories.scalars else "bottleneck"
    name = None if source.system is None else source.system.name
    return recipe_for(name, strategy or default, **{"every": 1, "seed": seed, **changes})


def _wishes(wishes: Wishes | None, budget: int | None, target: str, seed: int) -> Wishes:
    asked = wishes or Wishes(target=target, seed=seed)
    if budget is None:
        return asked
    if budget < 1:
        raise FormatError(f"a budget of {budget} evaluations; 1 or more is needed")
    return replace(asked, budget=budget)


def _trained(
    graphs: Graphs, held_out: Graphs, recipe: Recipe, checkpoint: str | Path | None, resume: bool, told: Listener
) -> Trained:
    from sr2hls.distill.networks.train import train

    told.stage("network", f"{recipe.strategy}, {recipe.steps} steps of {recipe.batch} snapshots, seed {recipe.seed}")

    def tell(progress: Progress) -> None:
        share = progress.step / progress.steps
        told.training(share, f"error {progress.held_out:.4g} per graph on held-out runs, {progress.seconds:.0f} CPU s")

    place = None if checkpoint is None else Path(checkpoint)
    return train(graphs, held_out, recipe, checkpoint=place, resume=resume, tell=tell)


def _tell(told: Listener, stage: Stage) -> None:
    about = f": {stage.about}" if stage.about else ""
    told.stage("formulas", f"{stage.name}{about} (median error of accelerations {stage.errors.median:.3%})")


def _record(trained: Trained, held_out: Graphs, source: Source) -> Record:
    """What the network computes on held-out snapshots; for energies their forces."""
    some = held_out.spread(JUDGED)
    forces = None if source.system is None else systems.forces(source.system, some)
    record = trained.record(some, forces)
    if trained.recipe.strategy == "hamiltonian":
        return with_messages(record, trained.map_edges(some, trained.network.pair_forces))  # type: ignore[arg-type]
    return record


def _compared(found: Distilled, source: Source) -> Same | None:
    if source.truth is None:
        return None
    signs = [name for name, values in source.trajectories.scalars.items() if bool((np.abs(values) == 1).all())]
    return same_law(found.law, source.truth, signs=[f"{name}_{end}" for name in signs for end in "ij"])


def _cases(
    found: Distilled, trained: Trained, held_out: Graphs, source: Source, seed: int, outside: bool
) -> tuple[tuple[str, Graphs, Errors, Errors], ...]:
    """(name, snapshots, errors of the law, of the network): held-out runs first, then what the training never saw."""
    sets: list[tuple[str, Callable[[], Graphs]]] = [("held-out runs", lambda: held_out)]
    system = source.system
    if system is not None and outside:
        _, _, n, d = source.trajectories.shape

        def more(bodies: int, spread: float) -> Callable[[], Graphs]:
            return lambda: graphs_of(
                simulated(
                    system, dimension=d, bodies=bodies, runs=OUTSIDE_RUNS, seed=seed + OUTSIDE_SEED, spread=spread
                ).trajectories
            )

        sets += [(f"{2 * n} bodies", more(2 * n, 1.0)), (f"{4 * n} bodies", more(4 * n, 1.0))]
        sets.append(("positions twice as far", more(n, 2.0)))
    made: list[Graphs] = []

    def kept(make: Callable[[], Graphs]) -> Callable[[], Graphs]:
        def call() -> Graphs:
            made.append(make())
            return made[-1]

        return call

    rows = compared(found.law, trained, [(name, kept(make)) for name, make in sets])
    return tuple((name, graphs, law, network) for (name, law, network), graphs in zip(rows, made, strict=True))


__all__ = ["Distillation", "Verdict", "distill"]
