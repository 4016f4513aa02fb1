"""A network of which parts are formulas → the same with its perceptrons trained again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import sympy
import torch
from torch import nn

from sr2hls.distill.evaluate import accelerations as law_accelerations
from sr2hls.distill.graphs import Graphs
from sr2hls.distill.law import Law, sum_symbol
from sr2hls.distill.networks.columns import edges, state
from sr2hls.distill.networks.formula import EdgeFormula, NodeFormula, freeze
from sr2hls.distill.networks.loss import error
from sr2hls.distill.networks.network import GraphNetwork, NodePerceptron
from sr2hls.distill.networks.quiet import reproducible
from sr2hls.distill.networks.schedule import one_cycle
from sr2hls.distill.networks.trained import Trained
from sr2hls.distill.recipe import Recipe

ROWS = 20  # of the learning curve


def with_edge_formula(trained: Trained, expressions: Sequence[sympy.Expr], graphs: Graphs, recipe: Recipe) -> Trained:
    """A network with the formulas as edge function, frozen, and a new node perceptron, trained on the snapshots.

    recipe: steps, batch, rate, hidden, depth, soften and seed of that training.
    """
    columns, sizes = trained.columns, torch.as_tensor(trained.network.sizes)
    unit = float(torch.as_tensor(trained.network.unit))
    width = len(expressions)
    law = Law(width, tuple(expressions), tuple(sum_symbol(k + 1) for k in range(width)), graphs.softening)
    sample = graphs.spread(1000)
    typical = float(np.median(np.abs(law_accelerations(law, sample)))) or 1.0
    with reproducible(recipe.seed) as noise:
        edge = _Scaled(freeze(EdgeFormula(columns, sizes, graphs.softening, expressions)), 1 / typical)
        node = NodePerceptron(columns, recipe.hidden, recipe.depth, width)
        network = GraphNetwork(columns, edge, node, width, _plain, sizes, unit, typical)
        curve = _train(network, trained, graphs, recipe, noise)
    return replace(
        trained, network=network.eval(), recipe=replace(recipe, strategy="bottleneck"), curve=curve, finished=True
    )


def symbolic_network(trained: Trained, law: Law) -> Trained:
    """A network whose edge and node functions are the law's formulas, with trainable constants."""
    columns, sizes = trained.columns, torch.as_tensor(trained.network.sizes)
    unit = float(torch.as_tensor(trained.network.unit))
    edge = EdgeFormula(columns, sizes, law.softening, law.edge)
    node = NodeFormula(columns, sizes, unit, law.node)
    network = GraphNetwork(columns, edge, node, len(law.edge), _plain, sizes, unit)
    return replace(trained, network=network.eval(), recipe=replace(trained.recipe, strategy="bottleneck"))


def _train(
    network: nn.Module, trained: Trained, graphs: Graphs, recipe: Recipe, noise: torch.Generator
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    x, who = state(graphs, trained.columns), edges(graphs)
    true = torch.from_numpy(np.asarray(graphs.accelerations, np.float32))
    loose = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(loose, recipe.rate)
    curve, total, every = [], 0.0, max(1, recipe.steps // ROWS)
    for step in range(recipe.steps):
        rate, momentum = one_cycle(step / recipe.steps, recipe.rate)
        for group in optimizer.param_groups:
            group["lr"], group["betas"] = rate, (momentum, group["betas"][1])
        rows = torch.randint(0, len(x), (recipe.batch,), generator=noise)
        loss = error(network(x[rows], who), true[rows], recipe.soften).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        total += float(loss.detach())
        if (step + 1) % every == 0:
            curve.append((float(step + 1), total / every, total / every))
            total = 0.0
    return np.array(curve, np.float64).reshape(-1, 3)


class _Scaled(nn.Module):
    """A module times a number."""

    def __init__(self, inner: nn.Module, factor: float) -> None:
        super().__init__()
        self.inner, self.factor = inner, factor

    def forward(self, pair: torch.Tensor) -> torch.Tensor:
        return torch.as_tensor(self.inner(pair) * self.factor)


def _plain(raw: torch.Tensor, noise: torch.Generator | None) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
    del noise
    return raw, raw, None
