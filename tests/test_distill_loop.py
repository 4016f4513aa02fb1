"""Laws and data: errors, constants fitted, formulas as torch modules, and networks distilled to laws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sympy

torch = pytest.importorskip("torch")

from sr2hls.distill.evaluate import accelerations, compared, errors, law_errors  # noqa: E402
from sr2hls.distill.graphs import Graphs, edge_columns, graphs_of, node_columns, split  # noqa: E402
from sr2hls.distill.law import Law, sum_symbol  # noqa: E402
from sr2hls.distill.loop import Distilled, distill_law  # noqa: E402
from sr2hls.distill.networks.columns import ABSOLUTE, Columns, columns_of, state  # noqa: E402
from sr2hls.distill.networks.formula import EdgeFormula, Formula, NodeFormula, freeze  # noqa: E402
from sr2hls.distill.networks.retrain import symbolic_network  # noqa: E402
from sr2hls.distill.networks.train import train  # noqa: E402
from sr2hls.distill.networks.trained import Trained  # noqa: E402
from sr2hls.distill.recipe import Recipe  # noqa: E402
from sr2hls.distill.symbolic.axes import on_axes, on_displacement  # noqa: E402
from sr2hls.distill.symbolic.compose import law_model  # noqa: E402
from sr2hls.distill.symbolic.equality import same_law  # noqa: E402
from sr2hls.distill.symbolic.fit import Wishes  # noqa: E402
from sr2hls.distill.symbolic.select import edge_part, select  # noqa: E402
from sr2hls.distill.symbolic.sharpen import law_template, sharpen  # noqa: E402
from sr2hls.distill.systems import simulate, system, truth  # noqa: E402
from sr2hls.errors import LoadError, UnsupportedError  # noqa: E402
from sr2hls.model import symbol  # noqa: E402
from sr2hls.operators import Greater  # noqa: E402
from sr2hls.operators.numeric import evaluate  # noqa: E402

R, M_I, M_J, Q_I, Q_J = (symbol(name) for name in ("r", "m_i", "m_j", "q_i", "q_j"))
NEWTON = tuple(sum_symbol(k + 1) / M_I for k in range(3))


def number(text: str) -> sympy.Rational:
    return sympy.Rational(text)


def snapshots(name: str, runs: int = 30, **options: int) -> Graphs:
    return graphs_of(simulate(system(name), runs=runs, seed=3, **options), 25)


def radial_law(radial: sympy.Expr, node: tuple[sympy.Expr, ...] = NEWTON[:2]) -> Law:
    return Law(len(node), on_axes(on_displacement(radial, 0.01), len(node)), node, 0.01)


@pytest.mark.parametrize("name", ["spring", "damped", "string", "superposition", "discontinuous"])
def test_the_true_law_gives_the_accelerations(name: str) -> None:
    graphs = snapshots(name, 3)
    found = law_errors(truth(system(name), 2), graphs)
    assert found.ninety < 1e-12
    assert (found.lost, found.rows) == (0, graphs.accelerations[..., 0].size)


def test_errors_count_what_has_no_value() -> None:
    true = np.ones((2, 2, 1))
    found = errors(np.array([[[1.0], [np.nan]], [[2.0], [1.5]]]), true)
    assert (found.lost, found.rows, found.median, found.mean) == (1, 4, 0.5, 0.5)
    assert errors(np.full((1, 1, 1), np.inf), np.ones((1, 1, 1))).mean == np.inf


@pytest.mark.parametrize(
    ("name", "radial", "node"),
    [
        ("spring", number("1.5") - number("1.6") * R, NEWTON[:2]),
        ("r2", -number("0.86") * M_I * M_J / ((R - number("0.085")) ** 2 + number("0.037")), NEWTON[:2]),
        ("r2", -number("0.9") * M_J / R**2 - number("0.02"), (sum_symbol(1), sum_symbol(2))),
        (
            "damped",
            2 - number("2.3") * R,
            tuple(NEWTON[k] - number("0.3") * symbol(f"v{'xy'[k]}_i") / M_I for k in (0, 1)),
        ),
    ],
)
def test_constants_of_a_law_become_exact_and_needless_ones_go(
    name: str, radial: sympy.Expr, node: tuple[sympy.Expr, ...]
) -> None:
    found = sharpen(radial_law(radial, node), snapshots(name))
    verdict = same_law(found.law, truth(system(name), 2))
    assert verdict.equal, verdict.why
    assert verdict.error < 1e-6
    assert found.loss < 1e-12 < found.start


def test_constants_stay_near_the_truth_with_noise_and_a_wrong_law_stays_wrong() -> None:
    graphs = snapshots("spring")
    noise = 1 + 0.05 * np.random.default_rng(0).normal(size=graphs.accelerations.shape)
    noisy = replace(graphs, accelerations=graphs.accelerations * noise)
    assert same_law(sharpen(radial_law(1 - R), noisy).law, truth(system("spring"), 2), tolerance=0.02).equal
    wrong = sharpen(radial_law(1 - R**2), graphs)
    assert wrong.loss > 1e-3
    assert not same_law(wrong.law, truth(system("spring"), 2)).equal


def test_a_law_without_a_value_is_left_as_it_is() -> None:
    law = radial_law(2 * sympy.log(-R))
    found = sharpen(law, snapshots("spring", 3))
    assert found.law == law
    assert found.loss == found.start > 1


def test_the_axes_share_their_constants() -> None:
    free = law_template(radial_law(number("1.5") - number("1.6") * R))
    assert sorted(free.template.values) == [-1.6, 1.5]
    assert free.at(free.template.values) == radial_law(number("1.5") - number("1.6") * R)


def test_the_data_choose_between_formulas() -> None:
    laws = [radial_law(f) for f in (number("0.7") - R**2 / 2, number("1.5") - R, -2 * sympy.log(R), number("0.3"))]
    found = select(laws, snapshots("spring"), Wishes().settings(), part=edge_part)
    assert same_law(found.found.law, truth(system("spring"), 2)).equal
    assert len(found.rows) == len(found.laws) == 4


def test_a_pair_of_a_law_is_a_model() -> None:
    law = truth(system("r2"), 3)
    model = law_model(law)
    assert model.inputs == ("dx", "dy", "dz", "m_i", "m_j")
    assert [output.name for output in model.outputs] == ["fx", "fy", "fz"]
    graphs = graphs_of(simulate(system("r2"), dimension=3, runs=1, times=3, bodies=2, seed=0))
    edge = {name: values[:, :1] for name, values in edge_columns(graphs).items()}
    there = law_model(law, of="acceleration")
    values = np.concatenate([evaluate(output.expression, edge) for output in there.outputs], axis=1)
    assert there.inputs == ("dx", "dy", "dz", "m_j")
    assert values == pytest.approx(accelerations(law, graphs)[:, 0], rel=1e-12)
    with pytest.raises(LoadError, match="not linear"):
        law_model(replace(law, node=tuple(node**2 for node in law.node)), of="acceleration")


@pytest.mark.parametrize("inputs", ["relative", ABSOLUTE])
@pytest.mark.parametrize("name", ["damped", "charge"])
def test_a_law_as_a_network_predicts_what_the_law_does(name: str, inputs: str) -> None:
    graphs, law = snapshots(name, 2), truth(system(name), 2)
    columns = columns_of(graphs, inputs)
    shell = Trained(torch.nn.Module(), Recipe(inputs=inputs), columns, np.zeros((0, 3)))
    shell.network.sizes = torch.linspace(0.5, 2, columns.width)
    shell.network.unit = torch.tensor(3.0)
    found = symbolic_network(shell, law).predict(graphs)
    assert np.median(np.abs(found / graphs.accelerations - 1)) < 1e-5


def test_formulas_train_and_come_back() -> None:
    module = Formula([number("1.5") - number("1.2") * R, Greater(R, 1) * sympy.sqrt(R)], scales=True)
    r = torch.linspace(0.5, 3, 100, dtype=torch.float64)
    target = torch.stack([2 - 2 * r, 3 * (r > 1) * r.sqrt()], -1)
    optimizer = torch.optim.LBFGS(module.parameters(), max_iter=100)

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = ((module({"r": r}) - target) ** 2).mean()
        value.backward()
        return value

    optimizer.step(loss)
    line, root = module.expressions()
    assert [float(line.subs(R, x)) for x in (0, 1)] == pytest.approx([2, 0], abs=1e-4)
    assert float(root.subs(R, 4)) == pytest.approx(6, rel=1e-4)
    assert not any(p.requires_grad for p in freeze(module).parameters())
    with pytest.raises(UnsupportedError, match="gamma"):
        Formula([sympy.gamma(R)])
    with pytest.raises(LoadError, match="'m_i'"):
        Formula([R * M_I])({"r": r})


def test_formulas_see_the_columns_of_the_data() -> None:
    graphs = snapshots("charge", 1)
    columns = Columns(2, tuple(graphs.scalars))
    x = state(graphs, columns)
    sizes = torch.linspace(0.5, 2, columns.width)
    names = ["dx", "dy", "r", "vx_i", "vy_j", "m_i", "q_j"]
    edge = EdgeFormula(columns, sizes, graphs.softening, [symbol(name) for name in names])
    pair = columns.pair(x[:, graphs.receivers] / sizes, x[:, graphs.senders] / sizes)
    true = edge_columns(graphs)
    for k, name in enumerate(names):
        assert edge(pair)[..., k].numpy() == pytest.approx(true[name], rel=1e-4, abs=1e-5), name
    node = NodeFormula(columns, sizes, 2.0, [symbol("vy_i") * sum_symbol(1), M_I])
    got = node(x / sizes, torch.full((*x.shape[:2], 1), 3.0)) * 2
    own = node_columns(graphs)
    assert got[..., 0].numpy() == pytest.approx(3 * own["vy_i"], rel=1e-4, abs=1e-5)
    assert got[..., 1].numpy() == pytest.approx(own["m_i"], rel=1e-4)


def distilled(name: str, recipe: Recipe, wishes: Wishes, steps: int) -> tuple[Distilled, Trained]:
    graphs = graphs_of(simulate(system(name), runs=150, seed=8), 10)
    to_train, held_out = split(graphs, 0.1)
    trained = train(to_train, held_out, recipe)
    return distill_law(trained, to_train, held_out, system=name, wishes=wishes, steps=steps), trained


def test_a_newton_network_becomes_the_law_of_springs() -> None:
    recipe = Recipe("newton", hidden=32, steps=800, batch=128, bf16=False)
    found, trained = distilled("spring", recipe, Wishes(budget=30_000, rows=1000), 0)
    verdict = same_law(found.law, truth(system("spring"), 2))
    assert verdict.equal, verdict.why
    assert verdict.error < 0.001
    assert found.node is None
    assert [stage.name for stage in found.stages] == ["network", "edge formula", "law"]
    far = {"n = 8": lambda: snapshots("spring", 3, bodies=8), "wide": lambda: snapshots("spring", 3, spread=3)}
    for name, law, network in compared(found.law, trained, far):
        assert law.median < 1e-6, name
        assert network.median > 0.01, name


def test_a_bottleneck_network_becomes_gravity_part_by_part() -> None:
    recipe = Recipe("bottleneck", hidden=32, steps=1200, batch=128, bf16=False)
    found, _ = distilled("r1", recipe, Wishes(budget=30_000, rows=1000), 300)
    verdict = same_law(found.law, truth(system("r1"), 2))
    assert verdict.equal, verdict.why
    assert verdict.error < 0.001
    assert [stage.name for stage in found.stages] == [
        "network", "edge formula", "edge formula, node trained again", "node formula", "law",
    ]  # fmt: skip
    assert found.stages[-1].errors.median < 1e-6 < found.stages[2].errors.median < 0.3
