"""Names of systems → trajectories, forces, energy, formulas: each against another way to the same number."""

from __future__ import annotations

import dataclasses
import itertools
from functools import cache
from typing import Any

import numpy as np
import pytest
import sympy

from sr2hls.distill.graphs import edge_columns, graphs_of, node_columns, split
from sr2hls.distill.systems import System, canonical, energy, forces, momentum, names, simulate, system, truth
from sr2hls.distill.systems.exact import accelerations
from sr2hls.distill.systems.families.spring import DAMPING
from sr2hls.distill.systems.families.string import GRAVITY
from sr2hls.distill.systems.integrate import integrate
from sr2hls.distill.trajectories import Trajectories
from sr2hls.errors import FormatError
from sr2hls.operators import foreign
from sr2hls.operators.numeric import evaluate

NAMES = ("charge", "damped", "discontinuous", "r1", "r2", "spring", "string", "superposition")
CASES = list(itertools.product(NAMES, (2, 3)))
# Largest and median drift of the energy over its own largest value in the run, at 40 runs over the paper's spans. The
# jump of the discontinuous force costs most: each crossing leaves an error of the least step times the jump.
DRIFT = {
    "spring": (1e-6, 3e-7), "string": (1e-6, 3e-7), "r1": (2e-5, 1e-6), "r2": (2e-5, 1e-6), "charge": (2e-5, 1e-6),
    "superposition": (2e-5, 1e-6), "discontinuous": (2e-4, 5e-5),
}  # fmt: skip


def small(name: str, dimension: int = 2, **more: Any) -> Trajectories:
    one = system(name)
    asked: dict[str, Any] = {"runs": 40, "times": 26, "dt": 20 * one.dt, "bodies": 6 if name == "string" else None}
    return simulate(one, dimension=dimension, **(asked | more))


@cache
def drifting(name: str, dimension: int) -> Trajectories:
    return small(name, dimension)


def test_the_systems_of_the_paper_are_known() -> None:
    assert names() == NAMES
    assert all(system(name).name == name for name in names())
    with pytest.raises(FormatError, match=r"did you mean 'spring'.*known: charge, damped") as caught:
        system("sprong")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", NAMES)
def test_initial_states_are_those_of_the_paper(name: str) -> None:
    found = simulate(system(name), runs=2000, times=1, dimension=3, bodies=4)
    mass, charge = found.scalars["m"], found.scalars["q"]
    assert np.log(mass).mean() == pytest.approx(0, abs=0.04)
    assert np.log(mass).std() == pytest.approx(1, abs=0.04)
    if name in ("charge", "superposition"):
        assert set(np.unique(charge)) == {-1.0, 1.0}
        assert charge.mean() == pytest.approx(0, abs=0.04)
    else:
        assert charge.std() == pytest.approx(1, abs=0.04)
    assert found.velocities.std() == pytest.approx(1, abs=0.04)
    at = found.positions - (np.arange(4)[:, None] * [1, 0, 0] if name == "string" else 0)
    assert at.std() == pytest.approx(0.3 if name == "string" else 1, abs=0.04)
    assert found.shape == (2000, 1, 4, 3)


def test_defaults() -> None:
    one = system("string")
    found = simulate(one, runs=2)
    assert found.shape == (2, 500, 30, 2)
    assert (found.dt, found.softening, found.name) == (one.dt, 0.01, "string")
    assert found.edges is not None
    assert sorted(map(tuple, found.edges.tolist()))[:3] == [(0, 1), (1, 0), (1, 2)]
    assert len(found.edges) == 58
    assert not graphs_of(found).complete
    assert simulate(system("spring"), runs=1, times=2).shape == (1, 2, 4, 2)


# ---- forces, energy and formulas agree


@pytest.mark.parametrize(("name", "dimension"), CASES)
def test_a_pair_force_is_the_slope_of_the_pair_energy(name: str, dimension: int) -> None:
    """By central differences of `energy` in each coordinate, without the code that computes forces."""
    one = system(name)
    found = small(name, dimension, runs=8, times=3)
    step = 1e-6
    for body, axis in itertools.product(range(2), range(dimension)):
        moved = []
        for sign in (1, -1):
            positions = found.positions.copy()
            positions[:, :, body, axis] += sign * step
            moved.append(energy(one, dataclasses.replace(found, positions=positions)))
        slope = -(moved[0] - moved[1]) / (2 * step)
        own = -DAMPING * found.velocities[:, :, body, axis] if name == "damped" else 0
        expected = found.accelerations[:, :, body, axis] * found.scalars["m"][:, None, body] - own
        assert slope == pytest.approx(expected, rel=2e-5, abs=2e-5)


@pytest.mark.parametrize(("name", "dimension"), CASES)
def test_the_law_gives_the_forces_and_the_accelerations(name: str, dimension: int) -> None:
    """Expressions, evaluated node by node, against NumPy's forces; and summed, against the saved accelerations."""
    one, law = system(name), truth(system(name), dimension)
    graphs = graphs_of(small(name, dimension, runs=20, times=3))
    assert (law.system, law.softening, law.dimension) == (name, graphs.softening, dimension)
    assert not any(foreign(e) for e in (*law.edge, *law.node))
    columns = edge_columns(graphs)
    edge = np.stack([np.broadcast_to(evaluate(e, columns), columns["r"].shape) for e in law.edge], axis=-1)
    assert edge == pytest.approx(forces(one, graphs), rel=1e-9)
    total = np.zeros(graphs.positions.shape)
    np.add.at(total, (slice(None), graphs.receivers), edge)
    node = node_columns(graphs) | {f"sum_{k + 1}": total[..., k] for k in range(dimension)}
    assert np.stack([evaluate(e, node) for e in law.node], axis=-1) == pytest.approx(graphs.accelerations, rel=1e-7)


def test_the_laws_as_they_are_printed() -> None:
    known = {
        "spring": "-2*(r - 1)*dx/(r - 1/100)",
        "r1": "-m_i*m_j/r*dx/(r - 1/100)",
        "r2": "-m_i*m_j/r**2*dx/(r - 1/100)",
        "charge": "q_i*q_j/r**2*dx/(r - 1/100)",
    }
    symbols = {n: sympy.Symbol(n, real=True) for n in ("dx", "r", "m_i", "m_j", "q_i", "q_j")}
    for name, text in known.items():
        expected = sympy.sympify(text, locals=symbols)
        assert sympy.simplify(truth(system(name), 2).edge[0] - expected) == 0
    assert str(truth(system("damped"), 2).node[1]) == "(sum_2 - vy_i/2)/m_i"
    assert [str(e) for e in truth(system("string"), 3).node] == ["sum_1/m_i", "(-m_i + sum_2)/m_i", "sum_3/m_i"]


def test_forces_between_two_bodies_by_hand() -> None:
    """Distance 3-4-5 with masses 2 and 3: r = 5.01 with the softening."""
    at = np.array([[[[0.0, 0.0], [3.0, 4.0]]]])
    two = Trajectories(
        at, np.zeros_like(at), np.zeros_like(at), {"m": np.array([[2.0, 3.0]]), "q": np.array([[1.0, -1.0]])}, 1.0,
        softening=0.01,
    )  # fmt: skip
    size = {
        "spring": 2 * 4.01, "r1": 6 / 5.01, "r2": 6 / 5.01**2, "charge": 1 / 5.01**2, "superposition": 7 / 5.01**2,
        "discontinuous": 2 * 4.01,
    }  # fmt: skip
    for name, strength in size.items():
        found = forces(system(name), graphs_of(two))
        assert found[0, 0] == pytest.approx(strength * np.array([0.6, 0.8]))  # on body 0, towards body 1
        assert found[0, 1] == pytest.approx(-found[0, 0], abs=0)
    near = dataclasses.replace(two, positions=at * 0.39)  # r = 1.96
    assert not forces(system("discontinuous"), graphs_of(near)).any()


def test_bodies_in_one_place_do_not_act() -> None:
    at = np.zeros((1, 1, 2, 2))
    one = Trajectories(at, at, at, {"m": np.ones((1, 2))}, 1.0, softening=0.01)
    assert not forces(system("r2"), graphs_of(one)).any()


# ---- what is conserved


@pytest.mark.parametrize(("name", "dimension"), [c for c in CASES if c[0] != "damped"])
def test_energy_does_not_drift(name: str, dimension: int) -> None:
    one = system(name)
    assert one.conservative
    found = energy(one, drifting(name, dimension))
    drift = np.abs(found - found[:, :1]).max(1) / np.maximum(np.abs(found).max(1), 1)
    assert drift.max() < DRIFT[name][0]
    assert np.median(drift) < DRIFT[name][1]


@pytest.mark.parametrize(("name", "dimension"), CASES)
def test_momentum_does_not_drift(name: str, dimension: int) -> None:
    """Of closed systems; with drag P + gamma sum of x is constant, and in the field P grows by the weight."""
    one, found = system(name), drifting(name, dimension)
    total = momentum(found)
    if name == "damped":
        total = total + DAMPING * found.positions.sum(2)
    if name == "string":
        weight = GRAVITY * found.scalars["m"].sum(1)
        total[..., 1] += weight[:, None] * found.dt * np.arange(found.shape[1])
    assert one.closed == (name not in ("damped", "string"))
    drift = np.abs(total - total[:, :1]).max()
    assert drift < (1e-6 if name == "damped" else 1e-10)


def test_drag_takes_energy_as_it_should() -> None:
    one = system("damped")
    assert not one.conservative
    found = simulate(one, runs=20, times=200, dt=one.dt / 4)
    total = energy(one, found)
    power = -DAMPING * (found.velocities**2).sum((-1, -2))
    lost = ((power[:, :-1] + power[:, 1:]) / 2 * found.dt).sum(1)
    assert total[:, -1] - total[:, 0] == pytest.approx(lost, rel=1e-3)
    assert (np.diff(total, axis=1) < 0).all()


def test_canonical_momenta() -> None:
    found = small("charge", runs=2, times=2)
    assert canonical(found)[1, 1, 3] == pytest.approx(found.scalars["m"][1, 3] * found.velocities[1, 1, 3])
    with pytest.raises(FormatError, match="mass 'm'"):
        canonical(dataclasses.replace(found, scalars={}))


# ---- the integrator


def test_two_bodies_on_a_spring_follow_the_cosine() -> None:
    """Equal masses 1 along one line: the distance to rest swings with frequency 2; softening moves rest to 0.99."""
    one = dataclasses.replace(system("spring"), draw=_at_rest)
    found = simulate(one, bodies=2, runs=1, times=400, dt=0.0123)
    time = found.dt * np.arange(400)
    gap = found.positions[0, :, 1, 0] - found.positions[0, :, 0, 0]
    assert gap == pytest.approx(0.99 + 0.51 * np.cos(2 * time), abs=2e-7)
    speed = found.velocities[0, :, 1, 0] - found.velocities[0, :, 0, 0]
    assert speed == pytest.approx(-2 * 0.51 * np.sin(2 * time), abs=2e-6)


def _at_rest(random: np.random.Generator, runs: int, n: int, d: int) -> Any:
    positions = np.zeros((runs, n, d))
    positions[:, 1, 0] = 1.5
    return positions, np.zeros_like(positions), {"m": np.ones((runs, n))}


def test_the_dense_output_has_order_four() -> None:
    """A step of fixed size: halving it divides the error within steps by 2^5 (local), that of velocities likewise."""

    def error(step: float) -> float:
        start = np.zeros((2, 1, 1))
        start[0] = 1.0
        found, _ = integrate(lambda x, v, p: -x, start, np.ones((1, 1, 1)), 100, 0.0113, step, tolerance=1e30)
        return float(np.abs(found[0, :, 0, 0] - np.cos(0.0113 * np.arange(100)))[30:].max())

    assert 3.5 < np.log2(error(0.4) / error(0.2)) < 6
    assert error(0.1) < 1e-7


def test_rows_do_not_depend_on_the_gap_between_them() -> None:
    one = system("r2")
    fine, coarse = simulate(one, runs=5, times=101), simulate(one, runs=5, times=21, dt=5 * one.dt)
    assert fine.positions[:, ::5] == pytest.approx(coarse.positions, rel=1e-9, abs=1e-9)


def test_a_run_does_not_depend_on_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """More runs than places in the pool: the same bits for the first ones alone, and for all in a larger pool."""
    one = system("r1")
    again, few = simulate(one, runs=50, times=5, dt=0.2), simulate(one, runs=3, times=5, dt=0.2)
    monkeypatch.setattr("sr2hls.distill.systems.integrate.POOL", 7)
    many = simulate(one, runs=50, times=5, dt=0.2)
    for name in ("positions", "velocities", "accelerations"):
        assert np.array_equal(getattr(many, name)[:3], getattr(few, name))
        assert np.array_equal(getattr(many, name), getattr(again, name))
    assert not np.array_equal(simulate(one, runs=3, times=5, dt=0.2, seed=1).positions, few.positions)


def test_many_bodies_add_up_as_few_do(monkeypatch: pytest.MonkeyPatch) -> None:
    one = system("superposition")
    tables = simulate(one, runs=6, times=3, bodies=9)
    monkeypatch.setattr("sr2hls.distill.systems.exact._FEW", 100)
    pairwise = simulate(one, runs=6, times=3, bodies=9)
    assert np.array_equal(tables.positions, pairwise.positions)
    assert np.array_equal(tables.accelerations, pairwise.accelerations)


def test_accelerations_are_those_of_the_rows() -> None:
    """A fourth-order difference of the velocities, which the integrator made."""
    one = system("spring")
    found = simulate(one, runs=10, times=40, dt=1e-3)
    v = found.velocities
    slope = (v[:, :-4] - 8 * v[:, 1:-3] + 8 * v[:, 3:-1] - v[:, 4:]) / (12 * found.dt)
    assert np.median(np.abs(slope - found.accelerations[:, 2:-2])) < 1e-4
    again = accelerations(one, found.positions, found.velocities, found.scalars)
    assert np.array_equal(again, found.accelerations)


def test_spread_scales_the_positions_only() -> None:
    one = system("spring")
    near, far = simulate(one, runs=3, times=1), simulate(one, runs=3, times=1, spread=2.5)
    assert far.positions == pytest.approx(2.5 * near.positions)
    assert np.array_equal(far.velocities, near.velocities)


def test_runs_are_split_whole() -> None:
    train, held = split(graphs_of(small("spring", runs=20)), 0.1, seed=3)
    assert len(set(held.run)) == 2
    assert not set(train.run) & set(held.run)


# ---- errors


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"bodies": 1}, "bodies is 1; at least 2"),
        ({"runs": 0}, "runs is 0"),
        ({"times": 0}, "times is 0"),
        ({"dimension": 4}, "4 dimensions"),
        ({"dt": 0.0}, "dt is 0"),
        ({"dt": float("nan")}, "dt is nan"),
        ({"spread": -1.0}, "spread is -1"),
    ],
)
def test_what_cannot_be_simulated_is_one_line(asked: dict[str, Any], words: str) -> None:
    with pytest.raises(FormatError, match=words):
        simulate(system("spring"), **asked)


def test_a_force_that_is_not_finite_is_an_error_not_a_hang() -> None:
    def broken(r: Any, i: Any, j: Any) -> Any:
        return np.full_like(r, np.nan)

    bad: System = dataclasses.replace(system("spring"), radial=broken)
    with pytest.raises(FormatError, match="not finite"):
        simulate(bad, runs=2, times=3)


def test_forces_need_the_scalars_of_the_system() -> None:
    found = dataclasses.replace(small("spring", runs=1, times=1), scalars={})
    with pytest.raises(FormatError, match="needs the scalar 'm'"):
        forces(system("r2"), graphs_of(found))
