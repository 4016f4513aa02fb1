"""The name of an engine → the functions that a search calls: costs, engine, second stage. Imported when used."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sr2hls.errors import FormatError, ToolError
from sr2hls.search.candidate import Candidate
from sr2hls.search.costs import OperatorCosts
from sr2hls.search.found import Found
from sr2hls.search.problem import Problem
from sr2hls.search.settings import Settings

ENGINES = ("auto", "native", "pysr")


@dataclass(frozen=True, slots=True)
class Stages:
    """The functions of a search; module-level ones, so that they can be sent to workers.

    engine(problem, settings, costs, tell, **options) → candidates; `options` are those of `takes`. An engine that takes
    a `callback` ends when that is true, at a point from which it can be resumed exactly.
    refine(train, held_out, candidates, settings, limit=, tell=) → the front that a user sees.
    costs(settings) → what each operator costs.
    join(tasks, fronts, settings) → for several classes, the fronts with a formula each that were fitted together, or
    None: a search with these stages keeps one against the rest.
    """

    name: str
    engine: Callable[..., Sequence[Candidate]]
    refine: Callable[..., Sequence[Found]]
    costs: Callable[[Settings], OperatorCosts]
    takes: tuple[str, ...] = ()
    why: str = ""
    join: Callable[..., Any] | None = None


def has_julia() -> bool:
    """Whether PySR and a Julia are installed; nothing is started or downloaded to find out."""
    from sr2hls.search.pysr.run import julia_available

    return julia_available()


def choose(engine: str) -> Stages:
    """The stages of an engine; "auto" is PySR where it and Julia are installed, else the native engine.

    Raises FormatError for an unknown engine, ToolError naming the extra that is missing.
    """
    if engine not in ENGINES:
        raise FormatError(f"the engine is one of {', '.join(ENGINES)}, not '{engine}'")
    if engine == "auto":
        engine, why = ("pysr", "Julia is installed") if has_julia() else ("native", "there is no PySR with Julia here")
    else:
        why = ""
    if engine == "pysr":
        return Stages("pysr", run_pysr, run_refine, find_costs, ("options",), why, run_join)
    if find_spec("numba") is None:
        raise ToolError("the native engine needs numba, which is missing; install it with pip install 'sr2hls[search]'")
    why = "; ".join(part for part in (why, _first_time()) if part)
    return Stages(
        "native", run_native, run_refine, find_costs, ("checkpoint", "resume", "warm", "callback"), why, run_join
    )


def _first_time() -> str:
    """A word of warning where numba has not yet compiled the loops of the native engine."""
    spec = find_spec("sr2hls.search.native")
    places = [] if spec is None else list(spec.submodule_search_locations or [])
    known = any(any(Path(place, "__pycache__").glob("*.nbi")) for place in places)
    if known or "NUMBA_CACHE_DIR" in os.environ:
        return ""
    return "its loops are compiled now, which takes about half a minute, once"


def run_native(
    problem: Problem, settings: Settings, costs: OperatorCosts, tell: Any, **options: Any
) -> Sequence[Candidate]:
    """`sr2hls.search.native.engine.search_native`."""
    from sr2hls.search.native.engine import search_native

    return search_native(problem, settings, costs, tell, **options)


def run_pysr(
    problem: Problem, settings: Settings, costs: OperatorCosts, tell: Any, **options: Any
) -> Sequence[Candidate]:
    """`sr2hls.search.pysr.run.search_with_pysr`."""
    from sr2hls.search.pysr.run import search_with_pysr

    return search_with_pysr(problem, settings, costs, tell, **options)


def run_refine(
    train: Problem, held_out: Problem, candidates: Sequence[Candidate], settings: Settings, **options: Any
) -> Sequence[Found]:
    """`sr2hls.search.refine.refine`."""
    from sr2hls.search.refine import refine

    return refine(train, held_out, candidates, settings, seconds=settings.seconds, **options)


def run_join(*arguments: Any) -> Any:
    """`sr2hls.search.classes.joined`."""
    from sr2hls.search.classes import joined

    return joined(*arguments)


def find_costs(settings: Settings) -> OperatorCosts:
    """`sr2hls.search.costs.costs_by_name` of the settings' target, width and table."""
    from sr2hls.search.costs import costs_by_name

    return costs_by_name(settings.costs, settings)
