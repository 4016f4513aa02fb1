"""Positions and accelerations of a fixed set of bodies → the force law between them, and their masses.

Lemos et al. 2022 (arXiv 2202.02306) in four steps: masses and a force network are learnt together
(`sr2hls.distill.networks.scalars`); a formula F(r, m_i, m_j) of the network's radial forces is searched; each formula
of the front is put in the network's place and its masses are fitted again (`sr2hls.distill.reoptimize`); the choice
among the formulas is by their error then, on held-out snapshots, against their complexity.

*Which forces count.* The network knows a force as well as it shows in an acceleration: that of the Sun on Mars is
exact, that of Venus on Neptune was never seen. So residuals weigh 1/(m a)² of the body that feels the force more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import sympy

from sr2hls.distill.graphs import Graphs, displacement, evenly
from sr2hls.distill.law import Law, sum_symbol
from sr2hls.distill.reoptimize import Reoptimized, errors_of, reoptimize
from sr2hls.distill.symbolic.choice import Priced, choose
from sr2hls.distill.trajectories import AXES, MASS, Floats
from sr2hls.errors import LoadError
from sr2hls.model import symbol
from sr2hls.search.settings import Settings

if TYPE_CHECKING:
    from sr2hls.distill.networks.scalars import Learned

OPERATORS = ("+", "-", "*", "/", "square", "sqrt", "exp", "log")
SNAPSHOTS = 60  # whose edges are fitted, and on which formulas compete
FINALISTS = 10


@dataclass(frozen=True, slots=True)
class Sampled:
    """Radial forces of a network. columns: r, m_i, m_j, each (k,); radial: (k,), above zero where bodies repel;
    weights: (k,); central: share of |F|² along the line between the bodies, weighted alike."""

    columns: Mapping[str, Floats]
    radial: Floats
    weights: Floats
    central: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A radial formula, its cost as `Priced` says, and what became of it on the data."""

    radial: sympy.Expr
    cycles: int
    nodes: int
    fitted: Reoptimized
    held_out: Floats


@dataclass(frozen=True, slots=True)
class Discovery:
    """best: the chosen one of the candidates; sampled: what the formulas were searched on; evaluations: of the engine.

    The masses are best.fitted.scalars["m"], (n,), with 1 for the reference.
    """

    best: Candidate
    candidates: tuple[Candidate, ...]
    sampled: Sampled
    evaluations: int


def sample(forces: Floats, masses: Floats, graphs: Graphs, snapshots: int = SNAPSHOTS) -> Sampled:
    """Radial forces of evenly spaced snapshots, from forces (b, e, d) and masses (n,)."""
    rows = evenly(graphs.size[0], snapshots)
    some = graphs.rows(rows)
    away = displacement(some)
    far = np.maximum(np.sqrt((away**2).sum(-1)), 1e-300)
    given = forces[rows]
    radial = (given * away).sum(-1) / far
    pull = masses * np.sqrt((some.accelerations**2).sum(-1))
    felt = np.minimum(pull[:, some.receivers], pull[:, some.senders])
    weights = 1 / np.maximum(felt, 1e-300) ** 2
    central = float((weights * radial**2).sum() / max((weights * (given**2).sum(-1)).sum(), 1e-300))
    shape = far.shape
    columns = {
        "r": (far + some.softening).ravel(),
        f"{MASS}_i": np.broadcast_to(masses[some.receivers], shape).ravel(),
        f"{MASS}_j": np.broadcast_to(masses[some.senders], shape).ravel(),
    }
    return Sampled(columns, radial.ravel(), (weights / weights.mean()).ravel(), central)


def radial_law(radial: sympy.Expr, dimension: int, softening: float = 0.0, name: str = "trajectories") -> Law:
    """F = radial(r, m_i, m_j) (x_i - x_j)/|x_i - x_j| and a_i = sum of F/m_i."""
    away = symbol("r") - sympy.Rational(str(softening))
    edge = tuple(radial * symbol(f"d{axis}") / away for axis in AXES[:dimension])
    node = tuple(sum_symbol(k + 1) / symbol(f"{MASS}_i") for k in range(dimension))
    return Law(dimension, edge, node, softening, name)


def discover(
    learned: Learned,
    train: Graphs,
    held_out: Graphs,
    *,
    reference: int = 0,
    budget: int = 100_000,
    exact: float = 3e-3,
    seed: int = 0,
    name: str = "trajectories",
    tell: Callable[[Candidate], object] | None = None,
) -> Discovery:
    """The law and the masses, from a trained network of forces.

    Args:
        budget: evaluations of the search engine. exact: relative errors of the network's forces that count as none.
        tell: called with every candidate that was fitted.

    Raises:
        LoadError: no formula has a value on the data. ToolError: an extra is missing.
    """
    masses = np.exp(learned.log_masses - learned.log_masses[reference])
    sampled = sample(learned.forces(train), masses, train)
    front, evaluations = _front(sampled, budget, exact, seed)
    found: list[Candidate] = []
    for priced in front:
        law = radial_law(priced.expression, train.size[2], train.softening, name)
        try:
            fitted = reoptimize(law, train, {MASS: masses}, reference=reference, snapshots=SNAPSHOTS)
        except LoadError:
            continue  # a formula with poles or logarithms where the data are; others remain, or the choice says so
        off = errors_of(fitted.law, held_out, fitted.scalars)
        found.append(Candidate(priced.expression, priced.cycles, priced.nodes, fitted, off))
        if tell is not None:
            tell(found[-1])
    by_cost = [Priced(c.radial, c.cycles, c.nodes, _mean_square(c.held_out)) for c in found]
    best = choose(by_cost)
    chosen = next(c for c, priced in zip(found, by_cost, strict=True) if priced is best)
    first = chosen.fitted
    last = reoptimize(first.law, train, first.scalars, reference=reference)  # on more snapshots
    chosen = replace(chosen, fitted=last, held_out=errors_of(last.law, held_out, last.scalars))
    return Discovery(chosen, tuple(found), sampled, evaluations)


def _mean_square(errors: Floats) -> float:
    """Of errors that may be infinite: a formula may have a pole in the held-out rows."""
    mean = float(np.mean(errors**2))
    return mean if np.isfinite(mean) else float("inf")


def _front(sampled: Sampled, budget: int, exact: float, seed: int) -> tuple[list[Priced], int]:
    from sr2hls.distill.symbolic.stage import refine
    from sr2hls.search.objective import expression_cost
    from sr2hls.search.run import search
    from sr2hls.search.stages import choose as engine

    settings = Settings(operators=OPERATORS, width=16, max_nodes=20, budget=budget, seed=seed, threads=1)
    stages = engine("native")
    price = partial(_cost, of=partial(expression_cost, costs=stages.costs(settings), objective="circuit"))
    floor = exact**2 * float(np.mean(sampled.weights * sampled.radial**2))
    stages = replace(stages, refine=partial(refine, price=price, floor=floor))
    found = search(
        dict(sampled.columns), sampled.radial, outputs="force", weights=sampled.weights, settings=settings,
        stages=stages, finalists=FINALISTS, jobs=1,
    ).outputs[0]  # fmt: skip
    return [Priced(f.expression, f.cycles or 1, f.nodes, f.held_out) for f in found.front], found.evaluations


def _cost(radial: sympy.Expr, of: Callable[[sympy.Expr], float]) -> float:
    return of(radial * symbol("dx") / symbol("r"))
