"""The native engine: `Problem` + `Settings` + costs → candidates, by genetic programming on islands, without Julia."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import sympy

from sr2hls.errors import FormatError, UnsupportedError
from sr2hls.operators import foreign
from sr2hls.search.candidate import Candidate, Progress, Tell
from sr2hls.search.costs import OperatorCosts
from sr2hls.search.definitions import defined
from sr2hls.search.native import islands as isl
from sr2hls.search.native.checkpoint import fingerprint, read_checkpoint, write_checkpoint
from sr2hls.search.native.evolve import COST, CYCLES, LOSS, SCALE, SHIFT, Rules
from sr2hls.search.native.export import attached, expression_of, tree_from
from sr2hls.search.native.islands import World
from sr2hls.search.native.prices import prices_of, unit_of
from sr2hls.search.native.rows import rows_of
from sr2hls.search.native.symbols import FIRST, Symbols, symbols_of
from sr2hls.search.native.tree import NO_LIMIT, NODES
from sr2hls.search.native.units import Units, units_of
from sr2hls.search.native.vary import WEIGHTS
from sr2hls.search.problem import Problem
from sr2hls.search.refine import metrics
from sr2hls.search.refine.circuit import values_of
from sr2hls.search.settings import Settings

TOURNAMENT, CROSSOVER, POLISHED, POLISH_STEPS, PARSIMONY = 8, 0.15, 0.30, 6, 20.0
SOLVED = 1e-11  # relative loss at which a search stops: float32 has nothing left to say
_LARGEST = NODES - 8
_REPORT_S, _SAVE_S = 0.5, 10.0

Callback = Callable[[Progress], bool | None]


def search_native(
    problem: Problem,
    settings: Settings,
    costs: OperatorCosts,
    tell: Tell = lambda _progress: None,
    *,
    checkpoint: Path | None = None,
    resume: bool = False,
    warm: Sequence[sympy.Expr] = (),
    callback: Callback | None = None,
) -> list[Candidate]:
    """Search until `settings.budget` evaluations are spent, the loss is nothing, or `settings.seconds` have passed.

    Args:
        tell: called about twice a second, with the best formula as text. callback: called after every round, without
            texts (to write one takes about as long as a round); a true result ends the search.
        checkpoint: a file that holds the state after every few rounds; with `resume` a search begins there, and ends
            with the same front as one that was never stopped.
        warm: formulas that the first population has; those that the operators cannot write are left out.

    Returns:
        The front by rising cost and falling loss. Ctrl-C returns what has been found so far.

    Raises:
        FormatError, LoadError, UnsupportedError: settings that make no sense; each says which.
    """
    symbols = symbols_of(settings.operators, defined(settings.definitions))
    prices = prices_of(symbols, costs, settings.objective)
    rules = _rules(settings, symbols, unit_of(prices, settings.max_nodes), units_of(problem, symbols))
    rows, unit = rows_of(_some_rows(problem, settings), settings.formats)
    inputs, count = rows.X.shape
    belongs = fingerprint(rows.X, rows.y, rows.w, problem.names, problem.loss, asdict(_without_effort(settings)))
    if resume and checkpoint is not None and checkpoint.is_file():
        world = read_checkpoint(checkpoint, belongs, inputs, count)
    else:
        world = isl.world(inputs, count, settings.islands, settings.island_size, settings.seed)
        trees = [tree for w in warm if (tree := tree_from(w, symbols, problem.names)) is not None]
        isl.sow(world, trees, symbols, prices, rules, rows)
    if checkpoint is not None:
        write_checkpoint(checkpoint, world, belongs)
    begun = told = saved = time.monotonic()
    threads = min(settings.threads or os.cpu_count() or 1, settings.islands)

    def progress(written: bool) -> Progress:
        done = min(1.0, world.evaluations / settings.budget)
        best = world.hall.best
        bins = isl.front(world.hall)
        last = bins[-1] if written and bins else None
        texts = [_shown(world, k, symbols, problem.names) if k == last else "" for k in bins]
        front = tuple((float(best[k, COST]), float(best[k, LOSS]), text) for k, text in zip(bins, texts, strict=True))
        return Progress("native", done, world.evaluations, time.monotonic() - begun, front)

    try:
        for _ in isl.rounds(world, symbols, prices, rules, rows, settings.budget, threads):
            now = time.monotonic()
            if now - told > _REPORT_S:
                told = now
                tell(progress(written=True))
            if checkpoint is not None and now - saved > _SAVE_S:
                saved = now
                write_checkpoint(checkpoint, world, belongs)
            if callback is not None and callback(progress(written=False)):
                break
            if _solved(world) or (settings.seconds is not None and now - begun > settings.seconds):
                break
        if checkpoint is not None:
            write_checkpoint(checkpoint, world, belongs)
    except KeyboardInterrupt:
        pass  # what was found so far is the result; a round cut short is no state to resume from
    tell(progress(written=True))
    return _candidates(world, symbols, problem, unit)


def _some_rows(problem: Problem, settings: Settings) -> Problem:
    """At most `settings.rows` rows, drawn by the seed: the second stage and the losses use all of them."""
    if problem.rows <= settings.rows:
        return problem
    chosen = np.random.default_rng(settings.seed).choice(problem.rows, settings.rows, replace=False)
    part = problem.part(np.sort(chosen))
    return part if part.weights is None else replace(part, weights=part.weights / part.weights.mean())


def _shown(world: World, k: int, symbols: Symbols, names: Sequence[str]) -> str:
    """A tree as text for a person; scale and shift left out."""
    try:
        return str(expression_of(isl.tree_of(world.hall, k), symbols, names).evalf(4))
    except UnsupportedError:
        return ""


def _without_effort(settings: Settings) -> Settings:
    """The settings without what may differ when a search is resumed."""
    return replace(settings, budget=0, seconds=None, threads=0)


def _solved(world: World) -> bool:
    return bool(world.hall.best[:, LOSS].min() < SOLVED)


def _rules(settings: Settings, symbols: Symbols, bin_width: float, units: Units) -> Rules:
    """Raises FormatError for limits that make no sense."""
    if not 3 <= settings.max_nodes <= _LARGEST:
        raise FormatError(f"a tree can have 3 to {_LARGEST} nodes at most, not {settings.max_nodes}")
    for name, value in (("budget", settings.budget), ("islands", settings.islands)):
        if value < 1:
            raise FormatError(f"the search needs a positive {name}, not {value}")
    if settings.island_size < 2:
        raise FormatError(f"an island needs 2 members or more, not {settings.island_size}")
    limits = np.full((len(symbols.names), 3), NO_LIMIT, np.int64)
    for name, sizes in settings.constraints.items():
        place = _place(name, symbols, "constraints")
        if len(sizes) != symbols.table.arity[place]:
            raise FormatError(f"constraints: '{name}' takes {symbols.table.arity[place]} arguments, not {len(sizes)}")
        limits[place, : len(sizes)] = sizes
    pairs = [
        (_place(outer, symbols, "nested"), _place(inner, symbols, "nested"), most)
        for outer, inside in settings.nested.items()
        for inner, most in inside.items()
    ]
    return Rules(
        settings.max_nodes,
        bin_width,
        float(np.inf if settings.max_cycles is None else settings.max_cycles),
        float(np.inf if settings.max_luts is None else settings.max_luts),
        limits if settings.constraints else limits[:0],
        np.array(pairs, np.int64).reshape(-1, 3),
        np.array(WEIGHTS),
        TOURNAMENT,
        CROSSOVER,
        POLISHED,
        POLISH_STEPS,
        PARSIMONY,
        units,
    )


def _place(name: str, symbols: Symbols, what: str) -> int:
    if name not in symbols.names[FIRST:]:
        raise FormatError(f"{what}: '{name}' is not among the operators {' '.join(symbols.names[FIRST:])}")
    return symbols.index(name)


def _candidates(world: World, symbols: Symbols, problem: Problem, unit: float) -> list[Candidate]:
    """The front as formulas, scored again in float64: what float32 took for an exact fit is seen for what it is."""
    found: list[Candidate] = []
    for k in isl.front(world.hall):
        entry = world.hall.best[k]
        scale, shift = float(entry[SCALE]), float(entry[SHIFT])
        try:
            tree = expression_of(isl.tree_of(world.hall, k), symbols, problem.names)
            expression = attached(tree, scale * unit, shift * unit)
        except UnsupportedError:
            continue
        if foreign(expression) is not None:
            continue
        loss = metrics.loss(problem, values_of(expression, problem))
        if np.isfinite(loss):
            found.append(Candidate(expression, loss, float(entry[COST]), float(entry[CYCLES])))
    best, front = np.inf, []
    for candidate in sorted(found, key=lambda c: (c.cost, c.loss)):
        if candidate.loss < best:
            best = candidate.loss
            front.append(candidate)
    return front
