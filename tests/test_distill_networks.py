"""Graph networks: both ways to pass messages agree, strategies do what they say, energies are differentiated right."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from distill_data import springs

from sr2hls.distill.extras import need
from sr2hls.distill.graphs import Graphs
from sr2hls.distill.networks.columns import columns_of, edges, state, typical
from sr2hls.distill.networks.dense import dense
from sr2hls.distill.networks.hamiltonian import HamiltonianNetwork
from sr2hls.distill.networks.passing import passing
from sr2hls.distill.networks.quiet import reproducible
from sr2hls.distill.networks.strategies import registry, strategy
from sr2hls.distill.recipe import STRATEGIES, Recipe
from sr2hls.errors import LoadError, ToolError

GRAPH_NETWORKS = [name for name in STRATEGIES if name != "hamiltonian"]


def built(name: str, graphs: Graphs, **changes: Any) -> tuple[Any, Any]:
    """(network, columns) with random weights."""
    recipe = Recipe(strategy=name, hidden=16, message=5, **changes)
    columns = columns_of(graphs, recipe.inputs)
    with reproducible(recipe.seed):
        return strategy(name).build(columns, recipe, *typical(graphs, columns)), columns


@pytest.mark.parametrize("inputs", ["relative", "absolute"])
@pytest.mark.parametrize("dimension", [2, 3])
@pytest.mark.parametrize("name", GRAPH_NETWORKS)
def test_dense_and_message_passing_agree(name: str, dimension: int, inputs: str) -> None:
    graphs = springs(50, n=5, dimension=dimension)
    network, columns = built(name, graphs, inputs=inputs)
    x, who = state(graphs, columns), edges(graphs)
    with torch.no_grad():
        one, other = dense(network, x, who, None), passing(network, x, who, None)
    for a, b in zip(one, other, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            assert a.shape == b.shape
            assert float((a - b).abs().max()) <= 1e-5 * max(1.0, float(a.abs().max()))
    assert float(one.accelerations.std()) > 1e-3


def test_gradients_of_dense_and_message_passing_agree() -> None:
    graphs = springs(50)
    network, columns = built("bottleneck", graphs)
    x, who = state(graphs, columns), edges(graphs)
    found = []
    for way in (dense, passing):
        network.zero_grad()
        way(network, x, who, None).accelerations.square().sum().backward()
        found.append([p.grad.clone() for p in network.parameters()])
    for a, b in zip(*found, strict=True):
        assert torch.allclose(a, b, rtol=1e-4, atol=1e-5 * float(a.abs().max()))


def test_edges_that_are_not_complete_go_to_message_passing() -> None:
    """In a chain a body feels its neighbors only: moving the far end changes nothing at the near end."""
    graphs = springs(10, n=5, chain=True)
    network, columns = built("bottleneck", graphs)
    x = state(graphs, columns)
    moved = x.clone()
    moved[:, 4, :2] += 1
    with torch.no_grad():
        before, after = (network(v, edges(graphs)).accelerations for v in (x, moved))
    changed = (before - after).abs().amax((0, 2))
    assert torch.equal(changed[:3], torch.zeros(3))
    assert bool((changed[3:] > 0).all())


def test_relative_inputs_do_not_see_where_the_bodies_are() -> None:
    graphs = springs(20)
    here = replace(graphs, positions=graphs.positions + np.array([7.0, -3.0]))
    for inputs, same in (("relative", True), ("absolute", False)):
        network, columns = built("bottleneck", graphs, inputs=inputs)
        with torch.no_grad():
            a, b = (network(state(g, columns), edges(g)).accelerations for g in (graphs, here))
        assert torch.allclose(a, b, atol=1e-4) is same


def test_registry_and_recipe_name_the_same_strategies() -> None:
    assert set(registry()) == set(STRATEGIES)
    with pytest.raises(LoadError, match="strategy 'none': known are bottleneck"):
        strategy("none")


@pytest.mark.parametrize(
    ("name", "width"),
    [("standard", 5), ("l1", 5), ("kl", 5), ("pruning", 5), ("bottleneck", 3), ("newton", 3), ("hamiltonian", 1)],
)
def test_widths_of_messages(name: str, width: int) -> None:
    graphs = springs(10, dimension=3)
    network, columns = built(name, graphs)
    with torch.no_grad():
        passed = network(state(graphs, columns), edges(graphs))
    assert passed.messages.shape == (10, 12, width)
    assert passed.summed.shape == (10, 4, width)
    assert passed.accelerations.shape == (10, 4, 3)
    assert torch.allclose(passed.summed, passed.messages.view(10, 4, 3, width).sum(2), rtol=1e-4, atol=1e-4)


def test_newton_messages_are_forces() -> None:
    graphs = springs(30, scale=100.0)  # typical sizes far from 1
    network, columns = built("newton", graphs)
    with torch.no_grad():
        passed = network(state(graphs, columns), edges(graphs))
    force = passed.messages.view(30, 4, 3, 2).sum(2)
    masses = torch.from_numpy(graphs.scalars["m"]).float()[..., None]
    assert torch.allclose(force / masses, passed.accelerations, rtol=1e-4, atol=1e-4)


def test_newton_and_hamiltonian_say_that_they_need_masses() -> None:
    graphs = springs(10)
    without = replace(graphs, scalars={"q": graphs.scalars["q"]})
    for name in ("newton", "hamiltonian"):
        with pytest.raises(LoadError, match="needs the masses 'm'"):
            built(name, without)


def test_kl_draws_messages_with_the_learnt_spread_and_ranks_by_information() -> None:
    kl = strategy("kl")
    raw = torch.cat([torch.full((20_000, 1), 2.0), torch.full((20_000, 1), -1.0)], -1)
    sent, mean, spread = kl.read(raw, torch.Generator().manual_seed(1))
    assert abs(float(sent.mean()) - 2) < 0.02
    assert abs(float(sent.var()) - np.exp(-1)) < 0.02
    assert spread is not None
    assert torch.equal(kl.read(raw, None)[0], mean)
    # (mu² + sigma² - log sigma² - 1) / 2 by hand, and nothing for a component that is N(0, 1)
    assert float(kl.importance(mean, spread)) == pytest.approx((4 + np.exp(-1) + 1 - 1) / 2, rel=1e-5)
    assert float(kl.importance(torch.zeros(9, 1), torch.zeros(9, 1))) == 0
    penalty = kl.penalty(mean.view(2, 10_000, 1), spread.view(2, 10_000, 1))
    assert penalty is not None
    assert penalty.tolist() == pytest.approx([10_000 * (4 + np.exp(-1)) / 2] * 2, rel=1e-4)


def test_l1_costs_absolute_values_and_others_rank_by_deviation() -> None:
    messages = torch.tensor([[[1.0, -2.0], [0.5, 0.0]]])
    penalty = strategy("l1").penalty(messages, None)
    assert penalty is not None
    assert penalty.tolist() == [3.5]
    assert strategy("standard").penalty(messages, None) is None
    assert strategy("standard").importance(messages[0], None).tolist() == pytest.approx([0.25, 1.0])


def test_pruning_falls_to_the_dimension_before_two_thirds() -> None:
    kept = [strategy("pruning").kept(share, 16, 2) for share in (0, 0.1, 0.325, 0.64, 0.65, 1)]
    assert kept[0] == 16
    assert kept[-2:] == [2, 2]
    assert kept == sorted(kept, reverse=True)
    assert kept[2] == 9


def test_hamiltonian_accelerations_are_slopes_of_the_energy() -> None:
    graphs = springs(6, dimension=3)
    network, columns = built("hamiltonian", graphs)
    assert isinstance(network, HamiltonianNetwork)
    network.double()
    x, who = state(graphs, columns).double(), edges(graphs)
    with torch.no_grad():
        passed = network(x, who)
    step = 1e-5
    for axis in range(3):
        moved = []
        for sign in (1, -1):
            near = x.clone()
            near[:, 1, axis] += sign * step
            with torch.no_grad():
                energies = network(near, who).messages
            moved.append(energies.sum((1, 2)) / 2)
        slope = (moved[0] - moved[1]) / (2 * step)
        expected = -slope / x[:, 1, columns.mass]
        assert torch.allclose(passed.accelerations[:, 1, axis], expected, rtol=1e-4, atol=1e-6)
    forces = network.pair_forces(x, who)
    received = forces.view(6, 4, 3, 3).sum(2) / x[..., columns.mass, None]
    assert torch.allclose(received, passed.accelerations, rtol=1e-6, atol=1e-9)
    swapped = passed.messages.view(6, 12)[:, 0] - passed.messages.view(6, 12)[:, 3]  # 1 → 0 and 0 → 1
    assert float(swapped.abs().max()) < 1e-9
    one_way = replace(graphs, senders=graphs.senders[:3], receivers=graphs.receivers[:3])  # 1, 2, 3 → 0 only
    with torch.no_grad():
        bound = network(x, edges(one_way))
    received = network.pair_forces(x, edges(one_way)).sum(1) / x[:, 0, columns.mass, None]
    assert torch.allclose(received, bound.accelerations[:, 0], rtol=1e-6, atol=1e-9)


def test_typical_sizes_follow_the_units() -> None:
    small, large = springs(200), springs(200, scale=1000.0)
    columns = columns_of(small, "relative")
    (a, unit), (b, unit_b) = typical(small, columns), typical(large, columns)
    assert torch.allclose(b[:2], 1000 * a[:2])
    assert torch.equal(b[2:], a[2:])
    assert unit_b == pytest.approx(1000 * unit)
    still = replace(small, velocities=np.zeros_like(small.velocities))
    assert typical(still, columns)[0][2:4].tolist() == [1, 1]


def test_graphs_of_another_kind_are_refused() -> None:
    columns = columns_of(springs(5), "relative")
    with pytest.raises(LoadError, match="trained in 2 dimensions"):
        state(springs(5, dimension=3), columns)
    with pytest.raises(LoadError, match="'relative' or 'absolute'"):
        columns_of(springs(5), "polar")


def test_missing_packages_name_the_extra() -> None:
    with pytest.raises(ToolError, match=r"pip install 'sr2hls\[distill\]'"):
        need("no_such_package_here")
    need("torch")
    script = (
        "import importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'torch' else find(name, *a)\n"
        "import sr2hls.distill.networks.train\n"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert shown.returncode == 1
    assert "ToolError: distill needs torch, which is not installed: pip install 'sr2hls[distill]'" in shown.stderr
