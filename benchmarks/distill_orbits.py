"""Sun and planets of JPL's DE421, masses unknown → the force law, and the errors of the masses before and after.

    python benchmarks/distill_orbits.py [--seeds 0] [--steps 6000] [--years 150] [--step 20] [--budget 100000]

needs pip install 'sr2hls[distill,ephemerides]'. About two CPU-minutes a seed, on one thread.

What goes in: barycentric positions of the Sun, seven planets and the barycenter of Earth and Moon, 1900 to 2050, and
their accelerations, which are derivatives of the ephemeris' polynomials. No masses, no constant, no law. The last tenth
of the time is held out. What is given by construction: forces act in pairs, equal and opposite, a = F/m, and depend on
the displacement and the two masses; one mass is the unit (only ratios are known): the Sun's.

"before": log masses as learnt together with the network. "after": fitted again with the formula in its place. "from
momentum": those that sum m a = 0 alone gives by least squares, with no law and no network: the ephemeris is free of
noise, so this is what opposite forces can tell at best. All are errors of the natural logarithm against DE421's own
masses, which nothing above has seen.

DE421 is itself an integration of Newton's law with relativity and asteroids, fitted to observations; that the law comes
back shows that the method finds it, not that nature obeys it.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np
from resumable import versions

import sr2hls
from sr2hls.distill.ephemerides import BODIES, mass_ratios, planets, sun_gm
from sr2hls.distill.graphs import Graphs, graphs_of, split
from sr2hls.distill.networks.scalars import ScalarProgress, ScalarRecipe, learn
from sr2hls.distill.trajectories import MASS, Floats
from sr2hls.distill.unknown_masses import discover
from sr2hls.operators.numeric import evaluate

_PACKAGES = ("torch", "numpy", "scipy", "sympy", "numba", "jplephem", "de421")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--steps", type=int, default=ScalarRecipe().steps)
    parser.add_argument("--years", type=float, default=150.0)
    parser.add_argument("--step", type=float, default=20.0, help="days between rows")
    parser.add_argument("--budget", type=int, default=100_000, help="evaluations of the search")
    options = parser.parse_args()
    trajectories = planets(years=options.years, step=options.step)
    train, held_out = split(graphs_of(trajectories), 0.1)
    print(f"sr2hls {sr2hls.__version__}, {versions(*_PACKAGES)}")
    print(f"{train.size[0]} rows to train, {held_out.size[0]} held out, one every {options.step:g} days from 1900 on")
    print(f"Newton's law with DE421's masses: relative error {_row(_newton(train))}")
    _table("from momentum", np.log(from_momentum(train) / mass_ratios()))
    for seed in options.seeds:
        _one(train, held_out, seed, options)


def _one(train: Graphs, held_out: Graphs, seed: int, options: argparse.Namespace) -> None:
    begun = time.process_time()
    print(f"\nseed {seed}", flush=True)
    recipe = ScalarRecipe(steps=options.steps, seed=seed)
    learned = learn(train, recipe, tell=_tell)
    before = learned.log_masses - np.log(mass_ratios())
    off = learned.accelerations(held_out) - held_out.accelerations
    size = np.sqrt((held_out.accelerations**2).sum(-1))
    relative = (np.sqrt((off**2).sum(-1)) / size).mean(0)
    print(f"network: {learned.seconds:.0f} CPU s; held-out relative error {_row(relative)}", flush=True)
    found = discover(learned, train, held_out, budget=options.budget, seed=seed, name="DE421")
    print(f"forces of the network are radial to {found.sampled.central:.6f} of |F|²; {found.evaluations} evaluations")
    for one in found.candidates:
        mark = "->" if one.radial == found.best.radial else "  "
        error = float(np.sqrt(np.mean(one.held_out**2)))
        cost = f"{one.cycles} cycles, {one.nodes} nodes, held-out error after the fit {error:.2e}"
        print(f" {mark} {cost}: {one.radial.evalf(6)}")
    best = found.best
    law = best.fitted.law.edge[0]
    g = float(evaluate(law, {"dx": 1.0, "r": 1.0, "m_i": 1.0, "m_j": 1.0}))
    print(f"law: {law.evalf(8)}; at r = m_i = m_j = 1: {g:.6f}; DE421's GM of the Sun: {sun_gm():.6f} AU³/year²")
    print(f"law, held-out relative error {_row(best.held_out)}")
    after = np.log(best.fitted.scalars[MASS] / mass_ratios())
    _table("before", before)
    _table("after", after)
    print(f"{time.process_time() - begun:.0f} CPU s in all", flush=True)


def from_momentum(graphs: Graphs) -> Floats:
    """Masses over the first body's, by least squares on sum m a = 0."""
    columns = graphs.accelerations.transpose(0, 2, 1).reshape(-1, graphs.size[1])
    size = np.sqrt((columns**2).mean(0))
    found = np.linalg.lstsq(columns[:, 1:] / size[1:], -columns[:, 0], rcond=None)[0] / size[1:]
    return np.concatenate([[1.0], np.abs(found)])


def _newton(graphs: Graphs) -> Floats:
    away = graphs.positions[:, :, None] - graphs.positions[:, None]
    far = np.sqrt((away**2).sum(-1, keepdims=True)) + np.eye(graphs.size[1])[None, :, :, None]
    pull = -sun_gm() * (mass_ratios()[None, None, :, None] * away / far**3).sum(2)
    size = np.sqrt((graphs.accelerations**2).sum(-1).mean(0))
    return np.asarray(np.sqrt(((pull - graphs.accelerations) ** 2).sum(-1).mean(0)) / size)


def _table(what: str, errors: Floats) -> None:
    print(
        f"error of log mass, {what}: {_row(errors[1:], BODIES[1:])}; largest {np.abs(errors[1:]).max():.2e}", flush=True
    )


def _row(values: Floats, names: tuple[str, ...] = BODIES) -> str:
    return ", ".join(f"{name} {value:.2g}" for name, value in zip(names, values, strict=True))


def _tell(progress: ScalarProgress) -> None:
    if progress.step % (progress.steps // 5) == 0:
        print(f"  step {progress.step}: loss {progress.loss:.4f}, {progress.seconds:.0f} CPU s", file=sys.stderr)


if __name__ == "__main__":
    main()
