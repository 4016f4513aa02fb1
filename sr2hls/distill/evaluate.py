"""A law, or a trained network, and snapshots → accelerations, and how far they are from the true ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from sr2hls.distill.graphs import Graphs, edge_columns, node_columns
from sr2hls.distill.law import Law, sum_symbol
from sr2hls.distill.trajectories import Floats
from sr2hls.operators.numeric import evaluate

Numbers = Mapping[str, float]
FLOOR = 1e-3  # of the mean |a|: what a body without acceleration counts with


class Predicts(Protocol):
    """Whatever gives accelerations (b, n, d) of snapshots, such as a trained network."""

    def predict(self, graphs: Graphs) -> Floats: ...


@dataclass(frozen=True, slots=True)
class Errors:
    """Of accelerations, over all bodies of all snapshots.

    median, ninety: quantiles of |a - â|/|a|, with |a| at least a thousandth of its mean; mean: of |a - â|, in units of
    acceleration; share: mean of |a - â| over mean of |a|; rows: bodies times snapshots; lost: those without a finite
    prediction, left out of all others.
    """

    median: float
    ninety: float
    mean: float
    share: float
    rows: int
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Prepared:
    """The columns of some snapshots, computed once: edge (b, e) and node (b, n) variables; gather, (e, n): 1 where an
    edge ends in a body."""

    edge: Mapping[str, Floats]
    node: Mapping[str, Floats]
    gather: Floats


def prepared(graphs: Graphs) -> Prepared:
    """For many evaluations on the same snapshots."""
    gather = np.zeros((len(graphs.receivers), graphs.size[1]))
    gather[np.arange(len(graphs.receivers)), graphs.receivers] = 1.0
    return Prepared(edge_columns(graphs), node_columns(graphs), gather)


def accelerations(law: Law, graphs: Graphs | Prepared, constants: Numbers | None = None) -> Floats:
    """(b, n, d) in float64; nan or inf where the law has no finite value.

    constants: values of parameters that the law's formulas hold, see `sr2hls.distill.symbolic.constants`.
    Raises KeyError for a variable that the snapshots do not have.
    """
    some = graphs if isinstance(graphs, Prepared) else prepared(graphs)
    numbers = {name: np.float64(value) for name, value in (constants or {}).items()}
    edge, node = {**some.edge, **numbers}, {**some.node, **numbers}
    shape = some.edge["r"].shape
    with np.errstate(invalid="ignore", over="ignore"):
        sums = {
            sum_symbol(k + 1).name: np.broadcast_to(evaluate(expression, edge), shape) @ some.gather
            for k, expression in enumerate(law.edge)
        }
    of_body = (shape[0], some.gather.shape[1])
    found = [np.broadcast_to(evaluate(expression, node | sums), of_body) for expression in law.node]
    return np.stack(found, axis=-1)


def errors(predicted: Floats, true: Floats) -> Errors:
    """Of accelerations (b, n, d)."""
    away = np.sqrt(((predicted - true) ** 2).sum(-1)).reshape(-1)
    size = np.sqrt((true**2).sum(-1)).reshape(-1)
    good = np.isfinite(away)
    if not good.any():
        return Errors(np.inf, np.inf, np.inf, np.inf, len(away), len(away))
    relative = away[good] / np.maximum(size[good], max(FLOOR * float(size.mean()), 1e-300))
    median, ninety = (float(np.quantile(relative, q)) for q in (0.5, 0.9))
    mean = float(away[good].mean())
    return Errors(median, ninety, mean, mean / float(size[good].mean()), len(away), int((~good).sum()))


def law_errors(law: Law, graphs: Graphs) -> Errors:
    """Of a law on snapshots whose accelerations are known."""
    return errors(accelerations(law, graphs), graphs.accelerations)


def network_errors(network: Predicts, graphs: Graphs) -> Errors:
    """The same of a trained network; it takes any number of bodies."""
    return errors(network.predict(graphs), graphs.accelerations)


def compared(
    law: Law, network: Predicts, sets: Mapping[str, Callable[[], Graphs]] | Sequence[tuple[str, Callable[[], Graphs]]]
) -> list[tuple[str, Errors, Errors]]:
    """(name, errors of the law, errors of the network) for each set of snapshots, made one after another.

    sets: such as {"n = 8": lambda: graphs_of(simulate(system, bodies=8))}: in and out of the training's distribution.
    """
    found = []
    for name, make in sets.items() if isinstance(sets, Mapping) else sets:
        graphs = make()
        found.append((name, law_errors(law, graphs), network_errors(network, graphs)))
    return found
