"""Candidates of an engine → pruned and refitted formulas with their predicted latency: a search's second stage.

That of `sr2hls.search.refine` compiles every finalist and judges by its circuit. Here formulas are parts of a law that
is composed, and its constants fitted again, before anything is compiled; so latency is the cost model's, and loss is
the formula's. What the formulas are pruned by is the same.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import sympy

from sr2hls.errors import UnsupportedError
from sr2hls.search.candidate import Candidate
from sr2hls.search.found import Found
from sr2hls.search.problem import Problem
from sr2hls.search.refine.circuit import values_of
from sr2hls.search.refine.constants import Fit, Rows, refit
from sr2hls.search.refine.metrics import loss
from sr2hls.search.refine.normal import normal
from sr2hls.search.refine.prune import Criterion, criterion, mark, pruned
from sr2hls.search.refine.rank import pareto
from sr2hls.search.refine.size import nodes, size
from sr2hls.search.refine.snap import settled
from sr2hls.search.refine.tree import Tree, from_sympy, to_sympy
from sr2hls.search.settings import Settings

Price = Callable[[sympy.Expr], float]


def refine(
    train: Problem,
    held_out: Problem,
    candidates: Sequence[Candidate],
    settings: Settings,
    *,
    price: Price,
    floor: float = 0.0,
    limit: int = 8,
    seconds: float | None = None,
    **_unused: Any,
) -> tuple[Found, ...]:
    """The formulas that no other one beats in (size, loss) or (latency, loss), as `Found` without circuits.

    price: cycles of a formula, not rounded; UnsupportedError where it has no hardware. floor: losses below count as
    this one. limit: formulas that are pruned.
    """
    began = time.monotonic()
    rows = Rows.of(train)
    judge = criterion(rows)
    judge = replace(judge, floor=max(judge.floor, floor))
    pool: dict[Tree, tuple[Fit, str]] = {}
    for candidate in candidates:
        try:
            _put(pool, refit(normal(from_sympy(candidate.expression)), rows), candidate.source)
        except UnsupportedError:
            continue  # an engine's formula that has no exact meaning, such as one with an infinite constant
    known: set[Tree] = set()
    for fit, source in _shortlist(pool, judge, limit):
        if seconds is not None and time.monotonic() - began > seconds:
            break
        for step in pruned(fit.tree, rows, judge, known=known):
            _put(pool, step, source)
    found = []
    for fit, source in _shortlist(pool, judge, 2 * limit):
        made = _found(settled(fit.tree, rows, judge).tree, source, train, held_out, price)
        found += [made] if made else []
    return tuple(found)


def _put(pool: dict[Tree, tuple[Fit, str]], fit: Fit, source: str) -> None:
    key = mark(fit.tree)
    if math.isfinite(fit.loss) and (key not in pool or fit.loss < pool[key][0].loss):
        pool[key] = (fit, source)


def _shortlist(pool: dict[Tree, tuple[Fit, str]], judge: Criterion, limit: int) -> list[tuple[Fit, str]]:
    """Of the front by size and loss those of the least criterion, best first."""
    items = list(pool.values())
    front = pareto(range(len(items)), lambda k: (float(size(items[k][0].tree)), judge.of_constants(items[k][0])))
    return [items[k] for k in sorted(front, key=lambda k: (judge.of(items[k][0]), k))[:limit]]


def _found(tree: Tree, source: str, train: Problem, held_out: Problem, price: Price) -> Found | None:
    try:
        expression = to_sympy(tree)
        cycles = price(expression)
    except UnsupportedError:
        return None
    return Found(
        expression=expression,
        equation=str(expression),
        loss=loss(train, values_of(expression, train)),
        held_out=loss(held_out, values_of(expression, held_out)),
        nodes=nodes(expression),
        source=source,
        cycles=max(1, math.ceil(cycles - 1e-9)),
    )
