"""Messages as arrays → formulas; the choice of one; numbers made simple; the judgment whether a law is true."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy

from sr2hls.distill.graphs import Graphs, edge_columns, graphs_of, node_columns
from sr2hls.distill.law import Law, sum_symbol
from sr2hls.distill.symbolic.axes import generic_of, on_axes, parallel_share
from sr2hls.distill.symbolic.choice import Priced, choose, scores, stairs
from sr2hls.distill.symbolic.constants import plain_signs, rational, simple_numbers, snapped, template
from sr2hls.distill.symbolic.equality import pair_and_own, same, same_edge, same_law
from sr2hls.distill.symbolic.fit import Wishes, fit_edge, fit_energy, fit_node
from sr2hls.distill.symbolic.rows import chosen, weights
from sr2hls.distill.symbolic.units import column_units
from sr2hls.distill.systems import forces, simulate, system, truth
from sr2hls.distill.trajectories import Floats
from sr2hls.errors import LoadError
from sr2hls.model import symbol
from sr2hls.operators import Cond, Greater, GreaterEqual, Less, product

R, DX, DY = symbol("r"), symbol("dx"), symbol("dy")
M_I, M_J, Q_I, Q_J = (symbol(name) for name in ("m_i", "m_j", "q_i", "q_j"))
SIGNS = ("q_i", "q_j")
QUICK = Wishes(budget=40_000, rows=1200)


def number(text: str) -> sympy.Rational:
    return sympy.Rational(text)


def snapshots(name: str, dimension: int = 2, every: int = 25) -> Graphs:
    return graphs_of(simulate(system(name), dimension=dimension, runs=40, seed=5), every)


def messages(name: str, graphs: Graphs, noise: float) -> Floats:
    """True forces as a network would give them: with an error relative to their size, and one that is not."""
    true = forces(system(name), graphs)
    random = np.random.default_rng(0)
    size = np.sqrt((true**2).sum(-1, keepdims=True))
    return true + noise * random.normal(size=true.shape) * (size + 0.2 * np.median(size))


@pytest.mark.parametrize(("name", "dimension"), [("spring", 2), ("r2", 3), ("charge", 2)])
def test_messages_along_the_displacement_give_the_law(name: str, dimension: int) -> None:
    graphs = snapshots(name, dimension)
    found = fit_edge(edge_columns(graphs), messages(name, graphs, 0.03), softening=graphs.softening, wishes=QUICK)
    assert found.parallel > 0.99
    assert found.error < 0.06
    verdict = same_edge(found.expressions, truth(system(name), dimension).edge, signs=SIGNS)
    assert verdict.equal, verdict.why
    assert verdict.gauge == "F"
    assert verdict.error < 0.05


def test_messages_in_another_direction_get_a_formula_each() -> None:
    edge = edge_columns(snapshots("spring"))
    turned = np.stack([edge["dy"], -2 * edge["dx"]], axis=-1)
    found = fit_edge(edge, turned, scalars=(), wishes=Wishes(budget=8000, rows=400))
    assert found.parallel < 0.9
    assert found.generic is None
    assert found.expressions == (DY, -2 * DX)


def test_a_node_function_with_a_term_of_its_own() -> None:
    graphs = snapshots("damped")
    force = messages("damped", graphs, 0.0)
    summed = np.zeros(graphs.positions.shape)
    np.add.at(summed, (slice(None), graphs.receivers), force)
    found = fit_node(node_columns(graphs), summed, graphs.accelerations, scalars=("m_i",), wishes=QUICK)
    law = Law(2, truth(system("damped"), 2).edge, found.expressions, graphs.softening)
    verdict = same_law(law, truth(system("damped"), 2))
    assert verdict.equal, verdict.why


def test_a_pair_energy_is_found_whatever_the_bodies_add_to_it() -> None:
    graphs = snapshots("charge", every=10)
    edge = edge_columns(graphs)
    energies = edge["q_i"] * edge["q_j"] / edge["r"] + np.sin(edge["m_i"]) + edge["m_j"] * edge["q_i"] + 3
    energy, found = fit_energy(edge, energies, graphs.run, softening=graphs.softening, wishes=QUICK)
    assert same(energy, Q_I * Q_J / R, signs=SIGNS).equal
    assert same_edge(found.expressions, truth(system("charge"), 2).edge, signs=SIGNS).equal


def test_units_keep_what_is_no_force_out() -> None:
    graphs = snapshots("spring")
    units = {"length": "m", "time": "s", "m": "kg"}
    found = fit_edge(
        edge_columns(graphs),
        messages("spring", graphs, 0.02),
        softening=0.01,
        scalars=("m_i", "q_i"),
        units=units,
        wishes=QUICK,
    )
    assert same_edge(found.expressions, truth(system("spring"), 2).edge).equal


def test_units_of_columns_follow_from_those_of_the_trajectories() -> None:
    units = {"length": "m", "time": "s", "m": "kg", "q": "C"}
    found = column_units(units, ("r", "dx", "vx_i", "m_i", "q_j", "spin_i", "sum_1"), "acceleration")
    assert found == {
        "r": "m", "dx": "m", "vx_i": "m/s", "m_i": "kg", "q_j": "C", "spin_i": "1", "sum_1": "kg*m/s^2",
        "target": "m/s^2",
    }  # fmt: skip
    assert column_units({"length": "m"}, ("r",), "force") is None


def test_too_few_edges_and_unknown_columns_are_one_line() -> None:
    edge = {name: values[:1] for name, values in edge_columns(snapshots("spring")).items()}
    with pytest.raises(LoadError, match="12 rows"):
        fit_edge(edge, np.ones((1, 12, 2)), isotropic=True)
    edge = edge_columns(snapshots("spring"))
    with pytest.raises(LoadError, match="no edge variable 'mass_i'"):
        fit_edge(edge, np.ones((*edge["r"].shape, 2)), scalars=("mass_i",), isotropic=True)


def test_rows_are_without_the_largest_tenth_and_weigh_relative_to_their_size() -> None:
    size = np.exp(3 * np.random.default_rng(1).normal(size=20_000))
    taken = size[chosen(size, 1000)]
    assert len(taken) == 1000
    assert taken.max() <= np.quantile(size, 0.9)
    assert np.array_equal(chosen(size, 1000), chosen(size, 1000))
    weight = weights(size, "mse")
    assert weight.mean() == pytest.approx(1)
    assert (weight * size**2).max() < 30


def test_directions_are_told_apart() -> None:
    away = np.random.default_rng(0).normal(size=(500, 3))
    assert parallel_share(-2 * away, away) == pytest.approx(1)
    assert parallel_share(away[:, ::-1].copy(), away) < 0.9


ROWS = [
    Priced(sympy.Integer(0), 1, 1, 1.0),
    Priced(R, 1, 2, 0.2),
    Priced(R**2, 4, 5, 0.0011),
    Priced(R**3, 4, 9, 0.001),
    Priced(R**4, 9, 15, 0.0008),
    Priced(R**5, 5, 7, 0.05),
]


def test_the_choice_is_the_steepest_step_near_the_least_error() -> None:
    assert [row.loss for row in stairs(ROWS, lambda row: row.cycles)] == [0.2, 0.001, 0.0008]
    assert scores(stairs(ROWS, lambda row: row.cycles), lambda row: row.cycles)[1] == pytest.approx(np.log(200) / 3)
    assert choose(ROWS).expression == R**2


def test_the_choice_takes_no_bad_formula_for_its_first_step() -> None:
    steep = [Priced(sympy.Integer(0), 1, 1, 1e6), Priced(R, 2, 2, 1.0), Priced(R**2, 9, 9, 0.01)]
    assert choose(steep).expression == R**2
    assert choose(steep, floor=1.0).expression == R
    assert choose(steep, guard=1000).expression == R
    with pytest.raises(LoadError, match="no formula"):
        choose([Priced(R, 1, 1, float("inf"))])


def test_constants_become_parameters_and_come_back() -> None:
    formula = product(number("-1.98"), R - number("1.01"), DX / R**2)
    free = template([formula])
    assert sorted(free.values) == [-1.98, -1.01]
    assert free.at()[0] == formula
    assert template([-M_I * M_J / R]).names == ()
    scaled = template([-M_I * M_J / R + Q_I], scales=True)
    assert sorted(scaled.values) == [-1.0, 1.0]
    assert sympy.expand(scaled.at([2.0, 2.0])[0]) in (2 * M_I * M_J / R + 2 * Q_I,)


def test_numbers_near_simple_ones_are_made_simple_where_that_is_free() -> None:
    free = template([number("1.99") * R + number("0.4142")])
    kept = snapped(free, lambda values: 1 + 100 * (sum(values) - 1.99 - 0.4142) ** 2, margin=0.02)
    assert sorted(kept.values) == [0.4142, 2.0]
    assert snapped(free, lambda values: 1e-9 + (sum(values) - 1.99 - 0.4142) ** 2).values == free.values
    assert next(simple_numbers(1.98, 0.02)) == 2
    assert list(simple_numbers(0.0, 0.02)) == []
    assert rational(1 / 3) == number("1/3")
    assert float(rational(0.123456789)) == 0.123456789
    assert plain_signs(Q_J / Q_I + Q_I**2 + R**-2, SIGNS) == Q_I * Q_J + 1 + R**-2


def test_one_formula_for_all_axes() -> None:
    generic = (R - 1) * symbol("d") + symbol("v_i") * symbol("sum_d")
    there = on_axes(generic, 3)
    assert there[2] == (R - 1) * symbol("dz") + symbol("vz_i") * sum_symbol(3)
    assert generic_of(there) == generic
    assert generic_of([DX, 2 * DY]) is None
    assert generic_of([DX * DY, DY * DX]) is None


SPRING = -2 * (R - 1) * DX / R
JUMP = -2 * (R - 1) * GreaterEqual(R, 2)


@pytest.mark.parametrize(
    ("found", "true"),
    [
        (number("-1.98") * (R - number("1.01")) * DX / R, SPRING),
        (number("-1.98") * DX + number("2.02") * DX / R, SPRING),
        (DX * (2 / R - 2), SPRING),
        (number("4.1") * (number("0.5") - R / 2) * DX / R, SPRING),
        (number("-1.03") * M_I * M_J * DX / R**3, -M_I * M_J * DX / R**3),
        (number("-2.01") * (R - 1) * Greater(R, number("1.99")), JUMP),
        (number("-2.01") * Cond(R - 2, R - 1), JUMP),
        (number("-2.01") * (R - 1) * (1 - Less(2 * R, 4)) ** 2, JUMP),
        (M_I * M_J * (2 * sympy.log(R) + sympy.log(M_I)), M_I * M_J * sympy.log(M_I * R**2)),
    ],
)
def test_the_same_law_in_other_words(found: sympy.Expr, true: sympy.Expr) -> None:
    verdict = same(found, true)
    assert verdict.equal, verdict.why
    assert verdict.error <= 0.05


@pytest.mark.parametrize(
    ("found", "true"),
    [
        (number("-1.98") * (R - number("1.07")) * DX / R, SPRING),
        (number("-1.88") * (R - 1) * DX / R, SPRING),
        (2 * (R - 1) * DX / R, SPRING),
        (SPRING + number("0.001"), SPRING),
        (SPRING + number("0.001") * DX / R**2, SPRING),
        (-2 * (R - 1) * DX / (R + number("0.001")), SPRING),
        (-2 * DX, SPRING),
        (-M_I * M_J * DX / R**2, -M_I * M_J * DX / R**3),
        (-(M_I**2) * DX / R**3, -M_I * M_J * DX / R**3),
        (-M_I * M_J * DX / R ** number("2.99"), -M_I * M_J * DX / R**3),
        (-2 * (R - 1) * Greater(R, number("1.8")), JUMP),
        (-2 * (R - 1) * Less(R, 2), JUMP),
        (-2 * (R - 1), JUMP),
        (sympy.exp(-R * number("1.1")), sympy.exp(-R)),
        (Q_J / Q_I / R**2, Q_I * Q_J / R**2),
    ],
)
def test_near_misses_are_refused(found: sympy.Expr, true: sympy.Expr) -> None:
    verdict = same(found, true)
    assert not verdict.equal
    assert verdict.why


def test_a_verdict_names_the_constants() -> None:
    verdict = same(number("-1.98") * DX + number("2.02") * DX / R, SPRING)
    assert {(c.term, c.found, c.true) for c in verdict.constants} == {("dx*r", -1.98, -2.0), ("dx", 2.02, 2.0)}
    assert verdict.error == pytest.approx(0.01)


def test_messages_may_carry_a_factor_of_the_receiver() -> None:
    true = truth(system("charge"), 2).edge
    for factor, gauge in [(1 / M_I, "F/m_i"), (Q_I, "q_i F"), (Q_I / M_I, "q_i F/m_i")]:
        assert same_edge([factor * force for force in true], true, signs=SIGNS).gauge == gauge
    assert not same_edge([M_J * force for force in true], true, signs=SIGNS).equal
    assert not same_edge([true[0], Q_I * true[1]], true, signs=SIGNS).equal
    bare = [Q_I * Q_J * DX / R**3, Q_I * Q_J * DY / R**3]
    assert not same_edge(bare, true, signs=SIGNS).equal
    assert same_edge(bare, true, signs=SIGNS, softening=0.01).equal


def test_laws_are_compared_as_accelerations() -> None:
    true = truth(system("damped"), 2)
    moved = Law(2, tuple(e / M_I for e in true.edge), tuple(n.subs(M_I, 1) for n in true.node), true.softening)
    own = tuple(sum_symbol(k + 1) - symbol(f"v{axis}_i") / 2 / M_I for k, axis in enumerate("xy"))
    assert not same_law(moved, true).equal
    assert same_law(Law(2, moved.edge, own, true.softening), true).equal
    undamped = Law(2, moved.edge, (sum_symbol(1), sum_symbol(2)), true.softening)
    assert not same_law(undamped, true).equal
    assert pair_and_own(Law(2, true.edge, (sum_symbol(1) ** 2, sum_symbol(2)))) is None
    assert not same_law(truth(system("damped"), 3), true).equal


def test_pi_is_a_number_like_others() -> None:
    r = symbol("r")
    found = template([-2 * sympy.pi * r + sympy.sqrt(2) + sympy.pi * sympy.Rational(1, 4) * sympy.exp(r)])
    assert sorted(found.values) == pytest.approx([-2 * math.pi, math.pi / 4, math.sqrt(2)])
    assert not found.expressions[0].has(sympy.pi)
    assert found.at()[0].subs(r, 0).is_Rational
