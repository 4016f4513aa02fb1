"""Jobs (an output and a seed each) → what an engine found for each, one after another or on joblib's workers.

`joblib.parallel_config` decides where workers are: loky processes on this machine by default, Dask or Ray where it says
so. A worker runs single threaded, and every result is the same wherever it was computed.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import sympy

from sr2hls.errors import FormatError, ToolError
from sr2hls.search.candidate import Candidate, Progress, Tell
from sr2hls.search.costs import OperatorCosts
from sr2hls.search.problem import Problem
from sr2hls.search.settings import Settings

A = TypeVar("A")
B = TypeVar("B")
log = logging.getLogger("sr2hls.search")

STOP_CHECK = 0.5  # seconds between looks at the file that tells workers to stop


@dataclass(frozen=True, slots=True)
class Job:
    """One run of an engine: the call `engine(problem, settings, costs, tell, **options)`.

    engine: a module-level function, so that it can be sent to a worker; stop: a file whose existence tells a worker
    to stop and return what it has.
    """

    engine: Callable[..., Sequence[Candidate]]
    problem: Problem
    settings: Settings
    costs: OperatorCosts
    options: Mapping[str, Any] = field(default_factory=dict)
    stop: Path | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one job found, how many evaluations it took, and whether it was stopped."""

    candidates: tuple[Candidate, ...]
    evaluations: int
    seconds: float
    interrupted: bool = False


def run_job(job: Job, tell: Tell | None = None) -> Outcome:
    """Run the engine once, here. KeyboardInterrupt (or the stop file) makes it return what it has."""
    begun = time.perf_counter()
    evaluations, stopped, looked = 0, False, begun

    def heard(progress: Progress) -> None:
        nonlocal evaluations, stopped, looked
        evaluations = progress.evaluations
        if tell is not None:
            tell(progress)
        now = time.perf_counter()
        if job.stop is not None and not stopped and now - looked >= STOP_CHECK:
            looked = now
            if job.stop.exists():
                stopped = True
                raise KeyboardInterrupt

    try:
        candidates = tuple(job.engine(job.problem, job.settings, job.costs, heard, **job.options))
    except KeyboardInterrupt:
        candidates, stopped = (), True
    return Outcome(candidates, evaluations, time.perf_counter() - begun, stopped)


def workers(jobs: int | None) -> int:
    """How many workers there will be: `jobs` (-1: one per core), or None: what `joblib.parallel_config` says, else 1.

    Raises FormatError for 0, ToolError where joblib is missing and needed.
    """
    if jobs == 0 or (jobs is not None and jobs < -1):
        raise FormatError(f"--jobs {jobs}: give 1 or more workers, or -1 for one per core")
    if jobs == 1:
        return 1
    try:
        from joblib import effective_n_jobs
        from joblib.parallel import get_active_backend
    except ImportError:
        if jobs is None:
            return 1
        raise ToolError(
            "several workers need joblib, which is missing; install it with pip install 'sr2hls[search]'"
        ) from None
    _, configured = get_active_backend()
    return int(effective_n_jobs(configured if jobs is None and configured is not None else jobs))


def each(function: Callable[[A], B], items: Sequence[A], jobs: int | None, done: Callable[[int, B], None]) -> list[B]:
    """The function of each item, in order; on workers where there are several, `done(place, result)` as they end."""
    if workers(jobs) == 1 or len(items) < 2:
        found = []
        for place, item in enumerate(items):
            found.append(function(item))
            done(place, found[-1])
        return found
    return list(_on_workers(function, items, jobs, done))


def _on_workers(
    function: Callable[[A], B], items: Sequence[A], jobs: int | None, done: Callable[[int, B], None]
) -> Iterator[B]:
    from joblib import Parallel, delayed

    # A job takes seconds to hours: each is dispatched by itself.
    parallel = Parallel(n_jobs=jobs, batch_size=1, return_as="list")
    if getattr(parallel._backend, "supports_return_generator", False):
        parallel = Parallel(n_jobs=jobs, batch_size=1, return_as="generator")
    results: Iterable[B] = parallel(delayed(_single_threaded)(function, item) for item in items)
    for place, result in enumerate(results):
        done(place, result)
        yield result


def _single_threaded(function: Callable[[A], B], item: A) -> B:
    """The call in a worker: the linear algebra of all workers together must not ask for more threads than cores."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return function(item)
    with threadpool_limits(1):
        return function(item)


def run_jobs(
    jobs: Sequence[Job],
    count: int | None,
    tell: Callable[[int, Progress], None],
    stopped: Callable[[], bool] = lambda: False,
) -> list[Outcome]:
    """All outcomes, in the order of the jobs. Once `stopped`, the jobs that have not begun find nothing."""
    if workers(count) == 1 or len(jobs) == 1:
        return _one_by_one(jobs, tell, stopped)

    def done(place: int, outcome: Outcome) -> None:
        log.debug("search %d of %d done", place + 1, len(jobs))
        tell(place, finished("search", outcome))

    alone = [replace(job, settings=replace(job.settings, threads=1)) for job in jobs]
    return each(run_job, alone, count, done)


def _one_by_one(
    jobs: Sequence[Job], tell: Callable[[int, Progress], None], stopped: Callable[[], bool]
) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for place, job in enumerate(jobs):
        if stopped() or (outcomes and outcomes[-1].interrupted):
            outcomes.append(Outcome((), 0, 0.0, interrupted=True))
            continue

        def heard(progress: Progress, place: int = place) -> None:
            tell(place, progress)

        outcomes.append(run_job(job, heard))
    return outcomes


def finished(engine: str, outcome: Outcome) -> Progress:
    """The last word on a job that ran elsewhere."""
    rows = sorted((c.cost, c.loss, str(c.expression)) for c in outcome.candidates)
    return Progress(engine, 1.0, outcome.evaluations, outcome.seconds, tuple(_falling(rows)))


def _falling(rows: Sequence[tuple[float, float, str]]) -> Iterator[tuple[float, float, str]]:
    least = float("inf")
    for row in rows:
        if row[1] < least:
            least = row[1]
            yield row


def merged(outcomes: Sequence[Outcome]) -> tuple[Candidate, ...]:
    """The candidates of several seeds, each expression once with its best loss, in order of cost and loss."""
    best: dict[sympy.Expr, Candidate] = {}
    for candidate in (c for outcome in outcomes for c in outcome.candidates):
        known = best.get(candidate.expression)
        if known is None or (candidate.loss, candidate.cost) < (known.loss, known.cost):
            best[candidate.expression] = candidate
    return tuple(sorted(best.values(), key=lambda c: (c.cost, c.loss, sympy.srepr(c.expression))))


def touch(path: Path | None) -> None:
    """Make the stop file, if there is a place for it."""
    if path is not None:
        with contextlib.suppress(OSError):
            path.touch()


def cores() -> int:
    """The processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
