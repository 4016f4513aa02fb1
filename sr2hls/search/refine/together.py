"""Fronts of several classes → one formula per class, all constants fitted together, as circuits of one output word.

A formula that tells its class from the rest is fitted for itself. What decides is the largest of all outputs: the
formulas are chosen, and their constants fitted, for the softmax cross-entropy of all classes at once (`softmax.fit`).
Its scores have one scale, so one error and one output word serve all classes, and their codes can be compared as they
are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sr2hls.errors import UnsupportedError
from sr2hls.formats import Format
from sr2hls.search.found import Found
from sr2hls.search.problem import Problem
from sr2hls.search.refine.circuit import Compiled, compiled_within, quantized, words_of
from sr2hls.search.refine.normal import normal
from sr2hls.search.refine.softmax import Labeled, accuracy, cross_entropy, fit, values
from sr2hls.search.refine.stage import found_of
from sr2hls.search.refine.tree import Tree, free, freed, from_sympy, shape, to_sympy
from sr2hls.search.settings import Settings

Floats = NDArray[np.float64]
MARK = "softmax"  # in the source of a formula that was fitted together with others
ERRORS = (2.0**-3, 2.0**-2, 2.0**-1)  # of a score; a score that is off by e moves a probability by e/4 at most
_ROWS = 6000  # rows that choose formulas; the constants of what is chosen are fitted on all
_EVERY = 4  # one row in so many judges the choice
_MOST = 12  # formulas per class that are tried
_GAIN = 0.998  # of the cross-entropy, for another formula
_ROUNDS = 4
_STEPS = 12  # of one class's constants in a trial


@dataclass(frozen=True, slots=True)
class Scores:
    """A formula per class as circuits: their accuracy and cross-entropy on the held-out rows by the largest output."""

    found: tuple[Found, ...]
    word: str
    accuracy: float
    loss: float

    @property
    def cycles(self) -> int:
        """Of the slowest."""
        return max(found.cycles or 0 for found in self.found)


def together(
    train: Sequence[Problem],
    held_out: Sequence[Problem],
    fronts: Sequence[Sequence[Found]],
    settings: Settings,
    max_cycles: float | None = None,
) -> Scores | None:
    """Choose and refit a formula of each front, within `max_cycles` and the LUTs of the settings.

    train, held_out: of each class, the same rows in the same order, y 1 where a row is of the class. None where a class
    has no circuit within the limits, or where no choice has one after the fit.
    """
    rows = labeled(train, settings)
    pools = [_pool(front, settings, max_cycles) for front in fronts]
    while all(pools):
        chosen = _choice(pools, rows)
        trees = fit([tree for tree, _ in chosen], rows).trees
        slow: list[int] = []
        for error in ERRORS:
            made = [
                compiled_within(error, to_sympy(tree), problem, settings)
                for tree, problem in zip(trees, train, strict=True)
            ]
            rows_found = [
                found_of(tree, _source(found), fitted, judging, item.circuit(judging))
                for tree, (_, found), fitted, judging, item in zip(trees, chosen, train, held_out, made, strict=True)
            ]
            good = [found for found in rows_found if found is not None and _within(found, settings, max_cycles)]
            if len(good) == len(rows_found):
                return _scores(good, made, held_out, settings)
            slow = [at for at, found in enumerate(rows_found) if found not in good]
        for at in slow:  # other constants can cost a cycle more
            pools[at] = [item for item in pools[at] if shape(item[0]) != shape(chosen[at][0])]
    return None


def apart(
    train: Sequence[Problem], held_out: Sequence[Problem], chosen: Sequence[Found], settings: Settings
) -> Scores | None:
    """The formulas as they are, each with its own circuit; None where one has none."""
    made = [
        compiled_within(found.target_error or 0.0, found.expression, problem, settings)
        for found, problem in zip(chosen, train, strict=True)
        if found.target_error is not None
    ]
    if len(made) < len(chosen) or any(item.design is None for item in made):
        return None
    return _scores(chosen, made, held_out, settings)


def _scores(
    found: Sequence[Found], made: Sequence[Compiled], held_out: Sequence[Problem], settings: Settings
) -> Scores:
    scores = np.stack([item.values(problem) for item, problem in zip(made, held_out, strict=True)])
    judges = labeled(held_out, settings)
    word = common([item.output_format for item in found])
    return Scores(tuple(found), word, accuracy(scores, judges), cross_entropy(scores, judges))


def _source(found: Found) -> str:
    return found.source if found.source.endswith(MARK) else f"{found.source}, {MARK}"


def labeled(problems: Sequence[Problem], settings: Settings) -> Labeled:
    """The rows of one problem per class, with the inputs as the ports see them."""
    columns: dict[str, Floats] = {}
    for problem in problems:
        seen = quantized(problem, words_of(problem, settings.width))
        columns |= {name: np.ascontiguousarray(column) for name, column in seen.columns().items()}
    label = np.argmax(np.stack([problem.y for problem in problems]), axis=0)
    return Labeled(columns, label, problems[0].weights)


def common(words: Sequence[str | None]) -> str:
    """The least format that has every value of all these."""
    formats = [Format.parse(word) for word in words if word is not None]
    signed = any(fmt.signed for fmt in formats)
    fraction = max(fmt.fraction for fmt in formats)
    integer = max(fmt.width - fmt.fraction + int(signed and not fmt.signed) for fmt in formats)
    return str(Format(signed, integer + fraction, fraction))


def _within(found: Found | None, settings: Settings, max_cycles: float | None) -> bool:
    if found is None or found.cycles is None or found.luts is None:
        return False
    quick = max_cycles is None or found.cycles <= max_cycles
    return quick and (settings.max_luts is None or found.luts <= settings.max_luts)


def _pool(front: Sequence[Found], settings: Settings, max_cycles: float | None) -> list[tuple[Tree, Found]]:
    """The formulas within the limits, the most exact circuits first, each shape once: with all numbers free, and with
    those that were made simple as they are, which are cheaper."""
    pool: dict[Tree, tuple[Tree, Found]] = {}
    good = [found for found in front if _within(found, settings, max_cycles) and not found.refused]
    for found in sorted(good, key=lambda f: (np.inf if f.circuit_loss is None else f.circuit_loss, f.equation)):
        try:
            tree = from_sympy(found.expression)
        except UnsupportedError:
            continue
        for form in (_with_offset(normal(freed(tree))), normal(tree)):
            pool.setdefault(shape(form), (form, found))
    return list(pool.values())[:_MOST]


def _with_offset(tree: Tree) -> Tree:
    """The tree with a free constant added, where it has none: a class may be rare."""
    terms = tree[1:] if tree[0] == "+" else (tree,)
    return tree if any(term[0] == "k" for term in terms) else ("+", *terms, free(0.0))


def _choice(pools: Sequence[Sequence[tuple[Tree, Found]]], rows: Labeled) -> list[tuple[Tree, Found]]:
    """A formula of each pool: from the first ones on, one class at a time, while rows that no fit saw gain by it."""
    some = rows if rows.count <= _ROWS else rows.part(np.linspace(0, rows.count - 1, _ROWS).astype(np.intp))
    judge = np.arange(some.count) % _EVERY == _EVERY - 1
    seen, judges = some.part(np.flatnonzero(~judge)), some.part(np.flatnonzero(judge))
    places = [0] * len(pools)
    best = fit([pool[0][0] for pool in pools], seen)
    least = cross_entropy(values(best.trees, judges), judges)
    for _ in range(_ROUNDS):
        moved = False
        for at, pool in enumerate(pools):
            trials = []
            for place, (tree, _) in enumerate(pool):
                if place != places[at]:
                    trees = [*best.trees[:at], tree, *best.trees[at + 1 :]]
                    trial = fit(trees, seen, moving=[at], start=best.scores, steps=_STEPS)
                    trials.append((cross_entropy(values(trial.trees, judges), judges), place, trial))
            if not trials:
                continue
            _, place, trial = min(trials, key=lambda item: item[:2])
            trial = fit(trial.trees, seen, steps=_STEPS)
            found = cross_entropy(values(trial.trees, judges), judges)
            if found < _GAIN * least:
                places[at], best, least, moved = place, trial, found, True
        if not moved:
            break
    return [(tree, pool[place][1]) for tree, pool, place in zip(best.trees, pools, places, strict=True)]
