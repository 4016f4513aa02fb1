"""Candidates of any engine → pruned, refitted and compiled formulas: the front by cycles, area, circuit's loss."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from sr2hls.errors import UnsupportedError
from sr2hls.search.candidate import Candidate, Progress, Tell
from sr2hls.search.found import Found
from sr2hls.search.problem import Problem
from sr2hls.search.refine.circuit import Circuit, circuit_of, values_of
from sr2hls.search.refine.codes import for_quantized_inputs
from sr2hls.search.refine.constants import Fit, Rows, refit
from sr2hls.search.refine.forms import forms
from sr2hls.search.refine.latency import quickest
from sr2hls.search.refine.metrics import loss
from sr2hls.search.refine.normal import normal
from sr2hls.search.refine.proxy import proxy
from sr2hls.search.refine.prune import Criterion, criterion, mark, pruned
from sr2hls.search.refine.rank import area, front, hall_of_fame, pareto
from sr2hls.search.refine.size import nodes, size
from sr2hls.search.refine.snap import settled
from sr2hls.search.refine.text import equation_text
from sr2hls.search.refine.tree import Tree, from_sympy, to_sympy
from sr2hls.search.settings import Settings

FIT_ROWS = 3000  # rows that edits are judged on; the constants of what remains are fitted on all
SAME_LOSS = 1.02  # forms of one formula whose circuits' losses differ by less differ by rounding only
_MANY = 24  # finalists
_LARGEST_MARGIN = 0.2
COARSER = 4.0  # error of the second, rougher circuit of a formula; the front drops it where it gains nothing
FINER = 0.25  # and of the more exact one where a single cycle is enough
_CODES_WIDTH = 12  # bits of the inputs up to which the constants are fitted to the rounded inputs, too

Pool = dict[Tree, tuple[Fit, str]]  # by mark


def refine(
    train: Problem,
    held_out: Problem,
    candidates: Sequence[Candidate],
    settings: Settings,
    *,
    limit: int = 40,
    seconds: float | None = None,
    tell: Tell = lambda _progress: None,
) -> tuple[Found, ...]:
    """The second stage of a search.

    The candidates are refitted, those on the front by size and loss are pruned, and of all formulas met on the way
    those on the front by size (or an estimate of the hardware) and loss are compiled, `limit` of them at most, in
    several equal forms. The result is the Pareto front over cycles, area and the loss of the circuit on the held-out
    rows, by rising cycles; formulas that could not be compiled follow with the reason. Losses that differ by less than
    the sampling error of a mean square over the held-out rows, sqrt(2/n) of it, count as equal.

    Same arguments, same result, unless the safety stop `seconds` comes first: then what is left is neither pruned nor
    compiled. Ctrl-C ends the step at hand, a second one the next.
    """
    began = time.monotonic()

    def late(share: float) -> Callable[[], bool]:
        return lambda: seconds is not None and time.monotonic() - began > share * seconds

    rows = Rows.of(_sample(train))
    judge = criterion(rows, train.rows)
    pool, refused = _fitted(candidates, rows)
    chosen = _shortlist(pool, judge, limit)
    _prune_all(chosen, pool, rows, judge, late(0.5), _teller(tell, began, 0.0, 0.5))
    finalists = _finalists(pool, judge, limit, settings)
    final = [_on_all_rows(item, train, rows, judge) for item in finalists]
    found = _compile_all(final, train, held_out, settings, late(1.0), _teller(tell, began, 0.5, 1.0))
    return front([*found, *refused], min(_LARGEST_MARGIN, math.sqrt(2.0 / held_out.rows)))


def _teller(tell: Tell, began: float, start: float, stop: float) -> Callable[[int, int, Sequence[Found]], None]:
    def report(done: int, of: int, found: Sequence[Found]) -> None:
        share = start + (stop - start) * done / max(of, 1)
        rows = tuple((float(f.cycles or 0), f.circuit_loss or 0.0, f.equation) for f in hall_of_fame(found))
        tell(Progress("refine", share, done, time.monotonic() - began, rows))

    return report


def _sample(problem: Problem) -> Problem:
    """At most `FIT_ROWS` rows, evenly spaced."""
    if problem.rows <= FIT_ROWS:
        return problem
    return problem.part(np.linspace(0, problem.rows - 1, FIT_ROWS).astype(np.intp))


def _fitted(candidates: Sequence[Candidate], rows: Rows) -> tuple[Pool, list[Found]]:
    """The candidates as fits, each shape once, and those that are no finite formula."""
    pool: Pool = {}
    refused: list[Found] = []
    for candidate in candidates:
        try:
            fit = refit(normal(from_sympy(candidate.expression)), rows)
        except UnsupportedError as error:
            refused.append(_refused(candidate, str(error)))
            continue
        if math.isfinite(fit.loss):
            _put(pool, fit, candidate.source)
        else:
            refused.append(_refused(candidate, "the formula has no finite value on some of the training rows"))
    return pool, refused


def _refused(candidate: Candidate, why: str) -> Found:
    expression = candidate.expression
    return Found(expression, str(expression), candidate.loss, math.inf, 0, candidate.source, refused=why)


def _put(pool: Pool, fit: Fit, source: str) -> None:
    key = mark(fit.tree)
    if math.isfinite(fit.loss) and (key not in pool or fit.loss < pool[key][0].loss):
        pool[key] = (fit, source)


def _shortlist(pool: Pool, judge: Criterion, limit: int) -> list[tuple[Fit, str]]:
    """The fits that are not beaten in (size, loss), (path, loss) or (area, loss); of too many, the best by criterion,
    and the others evenly by size."""
    items = list(pool.values())
    measures: list[Callable[[Fit], float]] = [
        lambda f: float(size(f.tree)),
        lambda f: proxy(f.tree)[0],
        lambda f: proxy(f.tree)[1],
    ]
    kept: set[int] = set()
    for measure in measures:
        marks = {i: (measure(fit), judge.of_constants(fit)) for i, (fit, _) in enumerate(items)}
        kept |= set(pareto(list(marks), marks.__getitem__))
    order = sorted(kept, key=lambda i: (size(items[i][0].tree), items[i][0].loss, i))
    if len(order) > limit:
        best = sorted(order, key=lambda i: (judge.of(items[i][0]), i))[: max(limit // 2, 1)]
        others = [i for i in order if i not in best]
        places = np.linspace(0, len(others) - 1, limit - len(best)).astype(int)
        keep = {*best, *(others[p] for p in places)}
        order = [i for i in order if i in keep]
    return [items[i] for i in order]


def _finalists(pool: Pool, judge: Criterion, limit: int, settings: Settings) -> list[tuple[Fit, str]]:
    """What is compiled: the most exact formulas of each predicted latency, and the shortlist in the places left."""
    items = list(pool.values())
    quick = [items[place] for place in quickest([fit for fit, _ in items], settings, 2 if limit >= _MANY else 1)]
    rest = [item for item in _shortlist(pool, judge, max(limit - len(quick), 1)) if item not in quick]
    return [*quick, *rest][: max(limit, 1)]


def _prune_all(
    chosen: Sequence[tuple[Fit, str]],
    pool: Pool,
    rows: Rows,
    judge: Criterion,
    late: Callable[[], bool],
    report: Callable[[int, int, Sequence[Found]], None],
) -> None:
    """Add to the pool what pruning meets; the best formulas first, and no way is gone twice."""
    order = sorted(chosen, key=lambda item: judge.of(item[0]))
    known: set[Tree] = set()
    try:
        for done, (fit, source) in enumerate(order):
            if late():
                return
            for step in pruned(fit.tree, rows, judge, known=known, late=late):
                _put(pool, step, source)
            report(done + 1, len(order), ())
    except KeyboardInterrupt:
        return


def _on_all_rows(item: tuple[Fit, str], train: Problem, rows: Rows, judge: Criterion) -> tuple[Fit, str]:
    fit, source = item
    if rows.count == train.rows:
        return item
    return settled(fit.tree, Rows.of(train), judge), source


def _compile_all(
    final: Sequence[tuple[Fit, str]],
    train: Problem,
    held_out: Problem,
    settings: Settings,
    late: Callable[[], bool],
    report: Callable[[int, int, Sequence[Found]], None],
) -> list[Found]:
    found: list[Found] = []
    stopped = ""
    for done, (fit, source) in enumerate(final):
        if not stopped and late():
            stopped = "not compiled: the time limit of the search was reached"
        before = len(found)
        try:
            for made in () if stopped else _finished(fit.tree, source, train, held_out, settings):
                found.append(made)
        except KeyboardInterrupt:
            stopped = "not compiled: the search was interrupted"
        if stopped and len(found) == before:
            bare = found_of(fit.tree, source, train, held_out, Circuit(refused=stopped))
            found += [bare] if bare else []
        report(done + 1, len(final), found)
    return found


def _finished(tree: Tree, source: str, train: Problem, held_out: Problem, settings: Settings) -> Iterator[Found]:
    """One formula as the user sees it: its best form, a rougher circuit of that, and its constants for rounded inputs.

    Each is handed over when it is made, so that an interruption loses only what is not.
    """
    form, best = _best_form(tree, source, train, held_out, settings)
    if best is None:
        return
    yield best
    if best.refused:
        return
    # a quick circuit may be more exact at no cost in cycles, a slow one quicker for being less exact
    share = COARSER if (best.cycles or 0) > 1 else FINER
    yield from _unless_refused(_compiled(form, source, train, held_out, settings, share))
    aware = for_quantized_inputs(form, train, settings) if settings.width <= _CODES_WIDTH else None
    if aware is not None:
        yield from _unless_refused(_compiled(aware, source, train, held_out, settings))


def _unless_refused(found: Found | None) -> tuple[Found, ...]:
    return () if found is None or found.refused else (found,)


def _best_form(
    tree: Tree, source: str, train: Problem, held_out: Problem, settings: Settings
) -> tuple[Tree, Found | None]:
    """Of the circuits of all forms with about the least loss, the quickest, then the smallest."""
    made = [(form, _compiled(form, source, train, held_out, settings)) for form in forms(tree)]
    good = [(f, m, m.circuit_loss) for f, m in made if m and m.circuit_loss is not None and m.circuit_loss < math.inf]
    if not good:
        return tree, next((m for _, m in made if m is not None), None)
    least = min(found for _, _, found in good)
    level = [item for item in good if item[2] <= SAME_LOSS * least]
    form, best, _ = min(level, key=lambda item: (item[1].cycles or 0, area(item[1]), item[2]))
    return form, best


def _compiled(
    tree: Tree, source: str, train: Problem, held_out: Problem, settings: Settings, coarser: float = 1.0
) -> Found | None:
    try:
        expression = to_sympy(tree)
    except UnsupportedError:
        return None
    return found_of(tree, source, train, held_out, circuit_of(expression, train, held_out, settings, coarser))


def found_of(tree: Tree, source: str, train: Problem, held_out: Problem, circuit: Circuit) -> Found | None:
    """A tree and its circuit as a row of the front; None for what no formula text can hold."""
    try:
        expression = to_sympy(tree)
        text = equation_text(expression, train.names)
    except UnsupportedError:
        return None
    return Found(
        expression=expression,
        equation=text,
        loss=loss(train, values_of(expression, train)),
        held_out=loss(held_out, values_of(expression, held_out)),
        nodes=nodes(expression),
        source=source,
        circuit_loss=circuit.loss,
        cycles=circuit.cycles,
        luts=circuit.luts,
        dsps=circuit.dsps,
        max_error=circuit.max_error,
        score=circuit.score,
        output_format=circuit.output_format,
        target_error=circuit.target_error,
        domain=circuit.domain,
        refused=circuit.refused,
    )
