"""A search engine and a second stage of a few lines, to test what is around them; they can be sent to workers."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import sympy

from sr2hls.model import symbol
from sr2hls.operators.numeric import evaluate
from sr2hls.search.candidate import Candidate, Progress, Tell
from sr2hls.search.costs import OperatorCosts
from sr2hls.search.found import Found
from sr2hls.search.problem import Problem
from sr2hls.search.refine.metrics import loss, score
from sr2hls.search.refine.text import equation_text
from sr2hls.search.settings import Settings
from sr2hls.search.stages import Stages

COSTS = OperatorCosts("stub", 5.0, {"+": 1.0, "*": 1.0}, {}, {}, 1.0, 10.0, 1.0, 10.0, "a stub")


def costs(_settings: Settings) -> OperatorCosts:
    return COSTS


def rational(value: float) -> sympy.Rational:
    return sympy.Rational(float(value))


def linear(
    problem: Problem, settings: Settings, _costs: OperatorCosts, tell: Tell, **_options: Any
) -> Sequence[Candidate]:
    """The mean; the best line in one input; the best plane in all of them, moved a little by the seed."""
    assert settings.threads >= 0
    weights = np.sqrt(np.ones(problem.rows) if problem.weights is None else problem.weights)
    y = 4 * problem.y - 2 if problem.loss == "logistic" else problem.y
    found = [Candidate(rational(np.average(y, weights=weights**2)), 1.0, 0.0)]
    every = range(len(problem.names))
    for columns in [*([at] for at in every), list(every)]:
        A = np.column_stack([problem.X[:, columns], np.ones(problem.rows)])  # noqa: N806
        solved = np.linalg.lstsq(A * weights[:, None], y * weights, rcond=None)[0]
        terms = [rational(c) * symbol(problem.names[at]) for at, c in zip(columns, solved, strict=False)]
        expression = sympy.Add(*terms, rational(solved[-1] + settings.seed * 1e-9))
        found.append(Candidate(expression, float(np.mean((A @ solved - y) ** 2)), float(len(columns))))
    front = tuple((c.cost, c.loss, str(c.expression)) for c in found)
    tell(Progress("stub", 1.0, 100, 0.01, front))
    return found


def finish(
    train: Problem, held_out: Problem, candidates: Sequence[Candidate], settings: Settings, **_options: Any
) -> tuple[Found, ...]:
    """The candidates as they are; a cycle for each input that they use, none for a constant."""
    made = []
    for c in candidates:
        values = [
            np.broadcast_to(evaluate(c.expression, dict(zip(part.names, part.X.T, strict=True))), (part.rows,))
            for part in (train, held_out)
        ]
        cycles = len(c.expression.free_symbols)
        made.append(
            Found(
                c.expression, equation_text(c.expression, train.names), loss(train, values[0]),
                loss(held_out, values[1]), 1 + 2 * cycles, "stub",
                circuit_loss=loss(held_out, values[1]), cycles=cycles or None, luts=10.0 * cycles, dsps=0.0,
                max_error=1e-3, score=score(held_out, values[1]), output_format="fixed<16,6>", target_error=2.0**-9,
                refused="" if cycles else "a constant",
            )
        )  # fmt: skip
    return tuple(made)


def patient(
    problem: Problem, settings: Settings, _costs: OperatorCosts, tell: Tell, **options: Any
) -> Sequence[Candidate]:
    """Counts up to the budget, writes where it is, resumes there; stops on Ctrl-C."""
    place: Path | None = options.get("checkpoint")
    count = int(place.read_text()) if place is not None and options.get("resume") else 0
    try:
        while count < settings.budget:
            count += 1
            tell(Progress("patient", count / settings.budget, count, count / 100, ()))
            time.sleep(0.01)
    except KeyboardInterrupt:
        pass
    if place is not None:
        place.write_text(str(count))
    return [Candidate(rational(count) * symbol(problem.names[0]), 1.0, 1.0)]


def who(problem: Problem, settings: Settings, _costs: OperatorCosts, tell: Tell, **_options: Any) -> list[Candidate]:
    """Says which process it ran in and how many threads it might use."""
    time.sleep(0.2)
    tell(Progress("who", 1.0, os.getpid(), 0.0, ()))
    return [Candidate(rational(settings.threads) * symbol(problem.names[0]), 1.0, 1.0)]


STAGES = Stages("stub", linear, finish, costs, ("warm",))
PATIENT = Stages("patient", patient, finish, costs, ("checkpoint", "resume"))
WHO = Stages("who", who, finish, costs)


def plane(rows: int = 60, inputs: int = 3, seed: int = 0) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """X and y = 2 x0 - x1 + 0.5 + a little noise."""
    random = np.random.default_rng(seed)
    X = random.uniform(-2, 2, (rows, inputs))  # noqa: N806
    return X, 2 * X[:, 0] - X[:, 1 % inputs] + 0.5 + 0.01 * random.normal(size=rows)
