"""Data and wishes → `SearchResult`: each output searched, refined, ranked. The public function `sr2hls.search`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import sympy

from sr2hls.errors import FormatError, LoadError
from sr2hls.search.candidate import Candidate, Progress, Tell
from sr2hls.search.checkpoint import STOP, Work
from sr2hls.search.classes import wanted
from sr2hls.search.data import Prepared, Task, prepare
from sr2hls.search.found import Found
from sr2hls.search.interrupt import interruptible
from sr2hls.search.many import Job, Outcome, each, merged, run_jobs, touch, workers
from sr2hls.search.result import OutputFound, SearchResult, order
from sr2hls.search.settings import OBJECTIVES, Settings
from sr2hls.search.stages import Stages, choose

__all__ = ["SearchResult", "search"]


class Listener:
    """What a search tells while it runs; every method may be overridden. `sr2hls.search.view` has one for terminals."""

    def start(self, engine: str, why: str, prepared: Prepared, settings: Settings, runs: int) -> None:
        """Before the first engine: which engine and why, what is searched, how many runs."""

    def progress(self, run: str, progress: Progress) -> None:
        """From inside (or after) the run named `run`."""

    def refining(self, name: str, done: int, total: int) -> None:
        """The second stage has finished `done` of `total` outputs, the last of them `name`."""

    def refined(self, progress: Progress) -> None:
        """From inside the second stage of one output: its front so far, in cycles of circuits."""


def search(
    data: Any,
    y: Any = None,
    *,
    engine: str = "auto",
    settings: Settings | None = None,
    outputs: Sequence[str] | str | None = None,
    weights: Any = None,
    drop: Sequence[str] = (),
    test: Any = None,
    test_share: float = 0.2,
    loss: str = "mse",
    classify: bool | None = None,
    features: int | None = None,
    units: Mapping[str, str] | None = None,
    seeds: int = 1,
    jobs: int | None = None,
    warm: Any = None,
    checkpoint: str | Path | None = None,
    resume: bool = False,
    engine_options: Mapping[str, Any] | None = None,
    listener: Listener | None = None,
    quiet: bool = False,
    finalists: int = 40,
    multi_class: str = "auto",
    stages: Stages | None = None,
    **wishes: Any,
) -> SearchResult:
    """Search formulas that are good as circuits.

    Args:
        data, y, outputs, weights, drop, test, test_share, loss, classify, features, units: see
            `sr2hls.search.data.prepare`.
        engine: "native", "pysr", or "auto": PySR where it and Julia are installed.
        settings: operators, limits, budget; `wishes` are fields of it given directly, such as `max_cycles=8`.
        seeds: independent runs per output, with the seeds settings.seed, settings.seed + 1, ...; their candidates go
            through the second stage together.
        jobs: worker processes; None: what `joblib.parallel_config` says (Dask, Ray), else one after another here.
            A worker is single threaded. The result does not depend on it.
        warm: formulas to start from: anything that `sr2hls.load.read` reads, such as the folder of an earlier search,
            or expressions per output, {name: [expression, ...]}. Native engine only.
        checkpoint: a folder in which the native engine keeps its state; it is removed when the search ends.
        resume: go on from there, where it was written by a search for the same.
        engine_options: passed to PySR as they are.
        listener: told of the progress. quiet: PySR shows nothing of its own.
        finalists: formulas per output that the second stage compiles, at most.
        multi_class: how several classes are told apart: "ovr", each formula fitted for itself against the rest;
            "softmax", after that one formula per class is chosen from the fronts and all their constants are fitted
            together, unless one against the rest is right on clearly more of the held-out rows; "auto" is "softmax"
            for the logistic loss.
        stages: other functions in the place of engine and second stage.

    Ctrl-C ends the engine, not the search: what it has found so far is refined and returned, `interrupted` is True.
    A second Ctrl-C raises KeyboardInterrupt.

    Raises:
        Sr2hlsError: its subclasses say what is wrong and what to do.
    """
    begun = time.perf_counter()
    chosen = _settings(settings, wishes)
    listener = listener or Listener()
    if seeds < 1:
        raise FormatError(f"{seeds} seeds: a search has at least one run")
    if resume and checkpoint is None:
        raise FormatError("there is nothing to resume without a checkpoint folder")
    prepared = prepare(
        data, y, outputs=outputs, weights=weights, drop=drop, test=test, test_share=test_share, seed=chosen.seed,
        loss=loss, classify=classify, features=features, units=units,
    )  # fmt: skip
    stages = stages or choose(engine)
    softmax = wanted(multi_class, loss, len(prepared.classes)) and stages.join is not None
    count = workers(jobs)
    place = None if checkpoint is None else Path(checkpoint)
    asked = {
        "loss": loss, "features": features, "units": dict(units or {}), "seeds": seeds, "test_share": test_share,
        "weighted": weights is not None, "multi_class": multi_class, "engine_options": dict(engine_options or {}),
    }  # fmt: skip
    if quiet and "options" in stages.takes:
        engine_options = {"verbosity": 0, "progress": False, **(engine_options or {})}
    todo = _jobs(prepared, chosen, stages, seeds, place, resume, warm, engine_options)
    work = None if place is None else Work.open(place, prepared, chosen, stages.name, seeds, resume)
    listener.start(stages.name, stages.why, prepared, chosen, len(todo))
    outcomes, stopped = _run(todo, count, jobs, work, listener, "callback" in stages.takes)
    fronts = _refined(prepared, outcomes, chosen, partial(stages.refine, limit=finalists), jobs, listener)
    if work is not None and not stopped:
        work.remove()
    notes = [*prepared.notes]
    empty = [f.name for f in fronts if not f.front]
    if len(empty) == len(fronts):
        raise LoadError("no formula was found: the budget is too small, or max_cycles and max_luts leave no operator")
    if empty:
        notes.append(f"no formula yet for {', '.join(empty)}")
    word = None
    if softmax and not empty and stages.join is not None:
        joined = stages.join(prepared.tasks, fronts, chosen)
        fronts, word = joined.fronts, joined.word
        notes.append(joined.note)
    return SearchResult(
        tuple(f for f in fronts if f.front), prepared.inputs, chosen, stages.name, prepared.source, prepared.classes,
        stopped, time.perf_counter() - begun, tuple(notes), asked, _training_columns(prepared),
        word,
    )  # fmt: skip


def _settings(settings: Settings | None, wishes: Mapping[str, Any]) -> Settings:
    known = [field.name for field in fields(Settings)]
    if strange := [name for name in wishes if name not in known]:
        raise FormatError(f"a search has no setting '{strange[0]}'; there are: {', '.join(known)}")
    chosen = replace(settings or Settings(), **wishes)
    chosen = replace(chosen, operators=tuple(chosen.operators))
    for name in ("budget", "max_nodes", "islands", "island_size"):
        if getattr(chosen, name) < 1:
            raise FormatError(f"{name} is {getattr(chosen, name)}; it has to be 1 or more")
    for name in ("max_cycles", "max_luts", "seconds", "clock_ns"):
        value = getattr(chosen, name)
        if value is not None and not value > 0:
            raise FormatError(f"{name} is {value}; it has to be above 0")
    if chosen.objective not in OBJECTIVES:
        raise FormatError(f"the objective is one of {', '.join(OBJECTIVES)}, not '{chosen.objective}'")
    if not 2 <= chosen.width <= 32:
        raise FormatError(f"inputs can have 2 to 32 bits, not {chosen.width}")
    if chosen.threads < 0 or chosen.seed < 0:
        raise FormatError("threads and seed are 0 or more")
    return chosen


def _name(task: Task, seed: int) -> str:
    return f"{task.name}_{seed}"


def _jobs(
    prepared: Prepared,
    settings: Settings,
    stages: Stages,
    seeds: int,
    folder: Path | None,
    resume: bool,
    warm: Any,
    engine_options: Mapping[str, Any] | None,
) -> list[Job]:
    """A job per output and seed, in this order. Raises FormatError for what the engine does not take."""
    starts = _warm(warm, prepared)
    if starts and "warm" not in stages.takes:
        raise FormatError(f"the engine {stages.name} cannot start from formulas; use the native one")
    if engine_options and "options" not in stages.takes:
        raise FormatError(f"the engine {stages.name} takes no options of PySR's")
    costs = stages.costs(settings)
    found = []
    for task in prepared.tasks:
        for seed in range(settings.seed, settings.seed + seeds):
            options: dict[str, Any] = {}
            if "checkpoint" in stages.takes and folder is not None:
                place = folder / f"{_name(task, seed)}.npz"
                options |= {"checkpoint": place, "resume": resume and place.is_file()}
            if starts:
                options["warm"] = starts.get(task.name, ())
            if engine_options:
                options["options"] = dict(engine_options)
            stop = None if folder is None else folder / STOP
            found.append(Job(stages.engine, task.train, replace(settings, seed=seed), costs, options, stop))
    return found


def _run(
    jobs: Sequence[Job], count: int, asked: int | None, work: Work | None, listener: Listener, asks: bool
) -> tuple[list[Outcome], bool]:
    """All outcomes and whether Ctrl-C was pressed."""
    names = [_name_of(job) for job in jobs]
    apart = count > 1 and len(jobs) > 1
    elsewhere: Callable[[], None] | None = None
    if apart:
        elsewhere = partial(touch, None if work is None else work.folder / STOP)
    elif asks:  # the engine asks whether to go on; the signal itself would hit it anywhere
        elsewhere = partial(touch, None)
    with interruptible(elsewhere) as stop:
        if asks and not apart:
            jobs = [replace(job, options={**job.options, "callback": lambda _: stop.requested}) for job in jobs]
        outcomes = run_jobs(
            jobs, asked, lambda place, told: listener.progress(names[place], told), lambda: stop.requested
        )
    return outcomes, stop.requested or any(outcome.interrupted for outcome in outcomes)


def _name_of(job: Job) -> str:
    return f"{job.problem.output}, seed {job.settings.seed}"


def _second_stage(
    item: tuple[Task, tuple[Candidate, ...], Settings], refine: Callable[..., Sequence[Found]], tell: Tell | None = None
) -> tuple[Found, ...]:
    task, candidates, settings = item
    told = {} if tell is None else {"tell": tell}
    return order(refine(task.train, task.held_out, candidates, settings, **told)) if candidates else ()


def _refined(
    prepared: Prepared,
    outcomes: Sequence[Outcome],
    settings: Settings,
    refine: Callable[..., Sequence[Found]],
    jobs: int | None,
    listener: Listener,
) -> list[OutputFound]:
    tasks, seeds = prepared.tasks, len(outcomes) // len(prepared.tasks)
    parts = [outcomes[at * seeds : (at + 1) * seeds] for at in range(len(tasks))]
    items = [(task, merged(part), settings) for task, part in zip(tasks, parts, strict=True)]
    listener.refining(tasks[0].name, 0, len(items))
    alone = len(items) == 1 or workers(jobs) == 1
    stage = partial(_second_stage, refine=refine, tell=listener.refined if alone else None)
    fronts = each(stage, items, jobs, lambda place, _: listener.refining(tasks[place].name, place + 1, len(items)))
    return [
        OutputFound(
            task.name,
            front,
            task.train.names,
            task.label,
            task.train.rows,
            task.held_out.rows,
            len(candidates),
            sum(outcome.evaluations for outcome in part),
            sum(outcome.seconds for outcome in part),
        )
        for (task, candidates, _), part, front in zip(items, parts, fronts, strict=True)
    ]


def _training_columns(prepared: Prepared) -> dict[str, Any]:
    """Every input that some output was searched in: the training rows, and the least and largest value of all rows."""
    found: dict[str, Any] = {}
    for task in prepared.tasks:
        found |= task.train.port_columns()
    return {name: found[name] for name in prepared.inputs if name in found}


def _warm(warm: Any, prepared: Prepared) -> dict[str, tuple[sympy.Expr, ...]]:
    """Expressions to start from, per output; those that use other inputs are left out. Raises LoadError."""
    if warm is None:
        return {}
    if isinstance(warm, Mapping):
        given = {str(name): tuple(expressions) for name, expressions in warm.items()}
    else:
        from sr2hls.load import read

        catalog = read(warm)
        given = {}
        for at, name in enumerate(catalog.names):
            task = prepared.tasks[at].name if len(catalog.names) == len(prepared.tasks) else name
            rows = range(len(catalog.outputs[at]))
            given[task] = tuple(catalog.only(name).choose(row).outputs[0].expression for row in rows)
    names = {task.name: set(task.train.names) for task in prepared.tasks}
    if strange := sorted(set(given) - set(names)):
        raise LoadError(f"formulas to start from are for '{strange[0]}'; the outputs are {', '.join(names)}")
    return {
        name: tuple(e for e in expressions if {s.name for s in e.free_symbols} <= names[name])
        for name, expressions in given.items()
    }
