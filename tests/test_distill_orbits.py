"""Ephemerides → trajectories; bodies with unknown masses → the masses and the law, small and seeded."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import sympy

from sr2hls.distill.ephemerides import BODIES, FIRST, YEAR, mass_ratios, planets, sun_gm
from sr2hls.distill.graphs import Graphs, displacement, edge_columns, graphs_of, split
from sr2hls.distill.law import Law
from sr2hls.distill.reoptimize import errors_of, predict, reoptimize
from sr2hls.distill.systems import forces, simulate, system, truth
from sr2hls.distill.trajectories import Trajectories
from sr2hls.distill.unknown_masses import discover, radial_law, sample
from sr2hls.errors import FormatError, LoadError, ToolError
from sr2hls.model import symbol
from sr2hls.operators.numeric import evaluate

R, M_I, M_J = symbol("r"), symbol("m_i"), symbol("m_j")
G = sympy.Rational(39)
NEWTON = -G * M_I * M_J / R**2


@cache
def sky() -> Trajectories:
    return planets(years=60, step=40)


@cache
def _rows() -> Graphs:
    return graphs_of(sky())


# ---- the ephemeris


def test_bodies_and_units() -> None:
    found = sky()
    assert found.shape == (1, 548, 9, 3)
    assert found.dt == pytest.approx(40 / 365.25)
    assert not found.scalars
    assert found.units == {"length": "au", "time": "year"}
    far = np.sqrt(((found.positions - found.positions[:, :, :1]) ** 2).sum(-1)).mean((0, 1))
    assert dict(zip(BODIES, far, strict=True)) == pytest.approx(
        {  # mean distances from the Sun; those of the outer planets over 60 years, not their period
            "sun": 0, "mercury": 0.395, "venus": 0.723, "earth-moon": 1.0, "mars": 1.53, "jupiter": 5.21,
            "saturn": 9.6, "uranus": 19.5, "neptune": 30.1,
        },
        rel=0.02,
    )  # fmt: skip
    assert np.sqrt((found.velocities[0, :, 3] ** 2).sum(-1)).mean() == pytest.approx(2 * np.pi, rel=0.01)


def test_velocities_and_accelerations_are_derivatives() -> None:
    """Fourth-order differences of positions an hour apart; rounding of positions is the limit for the second one."""
    found = planets(first=2451545.3, years=9 / 24 / YEAR, step=1 / 24)
    x, v, h = found.positions, found.velocities, found.dt
    slope = (x[:, :-4] - 8 * x[:, 1:-3] + 8 * x[:, 3:-1] - x[:, 4:]) / (12 * h)
    assert slope == pytest.approx(v[:, 2:-2], rel=1e-6, abs=1e-8)
    slope = (v[:, :-4] - 8 * v[:, 1:-3] + 8 * v[:, 3:-1] - v[:, 4:]) / (12 * h)
    assert slope == pytest.approx(found.accelerations[:, 2:-2], rel=1e-5, abs=1e-8)


def test_newtons_law_with_the_true_masses_holds() -> None:
    law = radial_law(-sympy.Rational(sun_gm()) * M_I * M_J / R**2, 3)
    off = predict(law, _rows(), {"m": mass_ratios()}) - _rows().accelerations
    size = np.sqrt((_rows().accelerations ** 2).sum(-1)).mean(0)
    assert (np.sqrt((off**2).sum(-1)).max(0) / size < [6e-6] + [4e-7] * 4 + [3e-8] * 4).all()
    assert sun_gm() == pytest.approx(4 * np.pi**2, rel=1e-4)
    assert 1 / mass_ratios()[5] == pytest.approx(1047.35, abs=0.01)  # Jupiter, as the almanacs have it


@pytest.mark.parametrize(
    "asked", [{"years": 500.0}, {"first": 0.0}, {"step": 0.0}, {"years": 0.01}, {"step": float("nan")}]
)
def test_times_that_are_not_covered(asked: dict[str, float]) -> None:
    with pytest.raises(FormatError, match=r"not times of DE421 \(Julian days"):
        planets(**asked)


@pytest.mark.parametrize("package", ["jplephem", "de421"])
def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    real = sys.modules["importlib.util"].find_spec
    monkeypatch.setattr(
        "sr2hls.distill.extras.find_spec", lambda name, *more: None if name == package else real(name, *more)
    )
    with pytest.raises(ToolError, match=rf"{package}.*sr2hls\[ephemerides\]"):
        planets(first=FIRST, years=1)


# ---- scalars fitted again


def test_masses_of_planets_from_the_law() -> None:
    """From 30 % to a factor of three off: Newton's law brings them to a few millionths, and G too."""
    off = np.exp([0, 0.3, -0.3, 0.5, 1.1, -0.4, 0.4, -1.1, 0.8])
    found = reoptimize(radial_law(NEWTON, 3), _rows(), {"m": mass_ratios() * off})
    wrong = np.abs(np.log(found.scalars["m"] / mass_ratios()))
    assert wrong[0] == 0
    assert wrong.max() < 1e-3
    assert wrong[[1, 2, 3, 5, 6]].max() < 1e-5
    at_one = evaluate(found.law.edge[0], dict.fromkeys(("dx", "r", "m_i", "m_j"), 1.0))
    assert float(at_one) == pytest.approx(-sun_gm(), rel=1e-6)
    assert found.errors.max() < 1e-5


def test_a_wrong_law_does_not_fit() -> None:
    found = reoptimize(radial_law(-G * M_I * M_J / R, 3), _rows(), {"m": mass_ratios()})
    assert found.errors.max() > 0.3


def test_only_scalars_or_any_scalar() -> None:
    """Charges of unknown size in a simulated system; the constant is held."""
    given = simulate(system("charge"), runs=1, times=200, dt=0.005, seed=4)
    charges = np.exp(np.random.default_rng(1).normal(size=4))
    law = replace(truth(system("charge"), 2), node=tuple(symbol(f"sum_{k + 1}") / M_I for k in range(2)))
    rows = graphs_of(given)
    true = predict(law, rows, {"q": charges})
    rows = replace(rows, accelerations=true, scalars={"m": rows.scalars["m"]})
    found = reoptimize(law, rows, {"q": np.full(4, charges[2])}, reference=2, constants=False)
    assert found.scalars["q"] == pytest.approx(charges, rel=1e-6)
    assert found.law == law


def test_predictions_of_the_true_law_are_the_simulated_accelerations() -> None:
    """Through a graph with missing edges, too."""
    for name in ("damped", "string"):
        given = simulate(system(name), runs=2, times=4, bodies=6)
        rows = graphs_of(given)
        rows = rows.rows(np.flatnonzero(rows.run == 1))
        found = predict(truth(system(name), 2), rows, {"m": given.scalars["m"][1]})
        assert found == pytest.approx(rows.accelerations, rel=1e-7)


@pytest.mark.parametrize(
    ("scalars", "words"),
    [({}, "no scalar to fit"), ({"m": np.ones(3)}, r"\(9,\) is needed"), ({"m": np.zeros(9)}, "not above zero")],
)
def test_scalars_that_cannot_be_fitted(scalars: dict[str, Any], words: str) -> None:
    with pytest.raises(FormatError, match=words):
        reoptimize(radial_law(NEWTON, 3), _rows(), scalars)


def test_a_law_with_poles_has_errors_not_warnings() -> None:
    law = radial_law(NEWTON / (R - _far()), 3)
    assert not np.isfinite(errors_of(law, _rows(), {"m": mass_ratios()})).all()
    held = reoptimize(law, _rows(), {"m": mass_ratios()}, constants=False, snapshots=4)  # row 3 is not among the four
    assert not np.isfinite(held.errors).all()


def _far() -> sympy.Rational:
    """One of the distances, so that the formula divides by zero there."""
    return sympy.Rational(float(edge_columns(_rows())["r"][3, 5]))


def test_a_law_without_a_value() -> None:
    with pytest.raises(LoadError, match="no value on most of the data"):
        reoptimize(radial_law(sympy.log(-R), 3), _rows(), {"m": np.ones(9)})


# ---- learning


class Known:
    """In the place of a network: the true forces times (1 + noise), and masses that are off."""

    def __init__(self, rows: Graphs, masses: np.ndarray, noise: float) -> None:
        away = displacement(rows)
        far = np.sqrt((away**2).sum(-1, keepdims=True))
        drawn = np.random.default_rng(5).normal(size=far.shape) * noise
        product = (masses[rows.receivers] * masses[rows.senders])[None, :, None]
        self.log_masses = np.log(masses)
        self.found = -sun_gm() * product * away / far**3 * (1 + drawn)

    def forces(self, rows: Graphs) -> np.ndarray:
        return self.found


def test_a_law_and_masses_from_forces() -> None:
    """Forces with 1 % of noise and masses as wrong as a network's: the law comes out, and the masses with it."""
    train, held_out = split(_rows(), 0.1)
    masses = mass_ratios() * np.exp([0, 0.01, 0, -0.01, 0.9, 0, 0, 1.0, 1.5])
    known: Any = Known(train, masses, 0.01)
    told: list[Any] = []
    found = discover(known, train, held_out, budget=20_000, tell=told.append)
    assert found.sampled.central == pytest.approx(1)
    product = sympy.simplify(found.best.radial * R**2 / (M_I * M_J))
    assert product.is_Number
    assert float(product) == pytest.approx(-sun_gm(), rel=0.02)
    assert found.best.held_out.max() < 1e-5
    assert np.abs(np.log(found.best.fitted.scalars["m"] / mass_ratios())).max() < 1e-2
    assert len(told) == len(found.candidates) > 1


def test_samples_weigh_by_what_the_network_can_know() -> None:
    train, _ = split(_rows(), 0.1)
    found = sample(Known(train, mass_ratios(), 0).found, mass_ratios(), train, 5)
    ends = np.stack([found.columns["m_i"], found.columns["m_j"]])
    assert len(found.radial) == 5 * 72
    share = found.weights * found.radial**2
    sun = (ends == 1).any(0)
    assert share[sun].min() > 0.3 * share[sun].max()  # every planet's force by the Sun counts alike
    assert share[~sun].max() < 1e-4 * share[sun].max()
    assert (found.radial < 0).all()


def learnable() -> tuple[Graphs, np.ndarray]:
    """A heavy body and two light ones on springs in 2D, one long run, the masses taken away."""
    one = replace(system("spring"), draw=_three)
    given = simulate(one, bodies=3, runs=1, times=400, dt=0.05)
    return replace(graphs_of(given), scalars={}), given.scalars["m"][0]


def _three(random: np.random.Generator, runs: int, n: int, d: int) -> Any:
    x, v, scalars = system("spring").draw(random, runs, n, d)
    return x, v, scalars | {"m": np.tile([8.0, 1.0, 2.0], (runs, 1))}


def test_masses_are_learnt_with_a_network() -> None:
    from sr2hls.distill.networks.scalars import ScalarRecipe, learn

    rows, masses = learnable()
    told: list[Any] = []
    learned = learn(rows, ScalarRecipe(hidden=24, depth=2, steps=600, rate=1e-2), tell=told.append)
    assert learned.log_masses == pytest.approx(np.log(masses / 8), abs=0.1)
    assert learned.curve[-1][1] < 0.25 * learned.curve[0][1]
    assert [p.step for p in told][-1] == 600
    forces_found = learned.forces(rows)
    back = [int(np.flatnonzero((rows.receivers == j) & (rows.senders == i))[0])
            for i, j in zip(rows.receivers, rows.senders, strict=True)]  # fmt: skip
    assert np.array_equal(forces_found, -forces_found[:, back])
    true = forces(system("spring"), rows) / 8  # in units of the reference
    cosine = (forces_found * true).sum() / np.sqrt((forces_found**2).sum() * (true**2).sum())
    assert cosine > 0.98
    total = np.zeros((*rows.size,))
    np.add.at(total, (slice(None), rows.receivers), forces_found)
    assert learned.accelerations(rows) == pytest.approx(total / np.exp(learned.log_masses)[:, None], rel=1e-3, abs=1e-4)


def test_learning_is_repeatable() -> None:
    from sr2hls.distill.networks.scalars import ScalarRecipe, learn

    rows, _ = learnable()
    first, again, other = (learn(rows, ScalarRecipe(hidden=8, depth=1, steps=20, seed=seed)) for seed in (3, 3, 4))
    assert np.array_equal(first.log_masses, again.log_masses)
    assert np.array_equal(first.forces(rows), again.forces(rows))
    assert not np.array_equal(first.log_masses, other.log_masses)


def test_rotations_are_rotations() -> None:
    import torch

    from sr2hls.distill.networks.scalars import rotations

    for d in (2, 3):
        found = rotations(4000, d, torch.Generator().manual_seed(0))
        eye = torch.eye(d).expand(4000, d, d)
        assert torch.allclose(found @ found.transpose(1, 2), eye, atol=1e-5)
        assert torch.allclose(torch.linalg.det(found), torch.ones(4000), atol=1e-5)
        assert found.mean(0).abs().max() < 0.05  # no direction is preferred
        assert (found**2).mean(0).sub(1 / d).abs().max() < 0.03


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"steps": 0}, "steps is 0"),
        ({"mass_rate": -1.0}, "mass_rate is -1"),
        ({"reference": 9}, "the reference is body 9; there are 0 to 8"),
    ],
)
def test_what_cannot_be_learnt_is_one_line(change: dict[str, Any], words: str) -> None:
    from sr2hls.distill.networks.scalars import ScalarRecipe, learn

    reference = change.pop("reference", 0)
    with pytest.raises(FormatError, match=words):
        learn(_rows(), replace(ScalarRecipe(), **change), reference=reference)


def test_forces_that_are_no_pairs_are_refused() -> None:
    from sr2hls.distill.networks.scalars import learn

    rows = _rows()
    one_way = replace(rows, receivers=rows.receivers[1:], senders=rows.senders[1:])
    with pytest.raises(LoadError, match="but not the other way"):
        learn(one_way)
    alone = (rows.receivers != 8) & (rows.senders != 8)
    with pytest.raises(LoadError, match="body 8 has no edges"):
        learn(replace(rows, receivers=rows.receivers[alone], senders=rows.senders[alone]))
    with pytest.raises(LoadError, match="accelerations are zero"):
        learn(replace(rows, accelerations=np.zeros_like(rows.accelerations)))


def test_a_law_of_radial_forces() -> None:
    law: Law = radial_law(NEWTON, 2, 0.01, "two")
    assert (law.system, law.softening, law.dimension) == ("two", 0.01, 2)
    assert str(law.edge[1]) == "-39*dy*m_i*m_j/(r**2*(r - 1/100))"
    assert str(law.node[0]) == "sum_1/m_i"
