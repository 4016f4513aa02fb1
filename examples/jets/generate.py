"""Pythia and FastJet → a sample of five classes of LHC jets with 16 features each, as `jets.npz` has them.

    pip install --only-binary=:all: pythia8mc==8.317.2 fastjet==3.5.2.0 numpy
    python generate.py jets.npz [--per-class 7000] [--seed 1]

A stand-alone script: it uses Pythia 8 (arXiv:2203.11601) and FastJet (arXiv:1111.6097), which are under the GNU General
Public License, and so is this file, and this file only:

    Copyright (C) 2026 the sr2hls authors. This program is free software; you can redistribute it and/or modify it under
    the terms of the GNU General Public License as published by the Free Software Foundation, either version 2 of the
    License, or (at your option) any later version. It comes without any warranty.
    SPDX-License-Identifier: GPL-2.0-or-later

pp collisions at 13 TeV (Monash 2013 tune) with a hard scattering at 1 TeV within 1 %, without underlying event and
initial-state radiation; W and Z near their mass shell decay to quarks, isotropically. Jets: anti-kT, R = 0.45, of
all final particles, 0.8 to 1.6 TeV, |eta| < 2.2, within 0.4 of one of the hard partons. Features as in arXiv:1709.08705
and arXiv:1804.06913: energy correlators (arXiv:1305.0007, 1409.6298, 1609.07483) and mass after soft drop with beta = 0
and zcut = 0.1, multiplicity and sum of z log z of the whole jet.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import fastjet
import numpy as np
import pythia8mc
from numpy.typing import NDArray

Floats = NDArray[np.float64]
RADIUS, CLOSE, ZCUT = 0.45, 0.4, 0.1
PT, ETA = (800.0, 1600.0), 2.2
QUARKS = "onIfAny = 1 2 3 4 5"
PROCESSES = {"g": (21,), "q": (1, 2, 3), "w": (24,), "z": (23,), "t": (6,)}  # what the hard scattering makes
HARD = {
    "g": ["HardQCD:gg2gg = on", "HardQCD:qqbar2gg = on"],
    "q": ["HardQCD:qq2qq = on", "HardQCD:gg2qqbar = on", "HardQCD:qqbar2qqbarNew = on", "HardQCD:nQuarkNew = 3"],
    "w": ["WeakDoubleBoson:ffbar2WW = on"],
    "z": ["WeakDoubleBoson:ffbar2gmZgmZ = on", "WeakZ0:gmZmode = 2"],
    "t": ["Top:gg2ttbar = on", "Top:qqbar2ttbar = on"],
}
COMMON = [
    *("Print:quiet = on", "Beams:eCM = 13000.", "Tune:pp = 14"),
    *("PhaseSpace:pTHatMin = 990.", "PhaseSpace:pTHatMax = 1010.", "PartonLevel:MPI = off", "PartonLevel:ISR = off"),
    *("24:mMin = 75.", "24:mMax = 86.", "24:onMode = off", f"24:{QUARKS}"),
    *("23:mMin = 85.", "23:mMax = 97.", "23:onMode = off", f"23:{QUARKS}"),
]
FEATURES = (
    *("zlogz", "c1_b0_mmdt", "c1_b1_mmdt", "c1_b2_mmdt", "c2_b1_mmdt", "c2_b2_mmdt", "d2_b1_mmdt", "d2_b2_mmdt"),
    *("d2_a1_b1_mmdt", "d2_a1_b2_mmdt", "m2_b1_mmdt", "m2_b2_mmdt", "n2_b1_mmdt", "n2_b2_mmdt"),
    *("mass_mmdt", "multiplicity"),
)
CAMBRIDGE = fastjet.JetDefinition(fastjet.cambridge_algorithm, 10.0)
ANTI_KT = fastjet.JetDefinition(fastjet.antikt_algorithm, RADIUS)


def generator(label: str, seed: int) -> Any:
    """Pythia for one class. Raises RuntimeError where it refuses a setting."""
    made = pythia8mc.Pythia("", False)
    for line in [*COMMON, *HARD[label], "Random:setSeed = on", f"Random:seed = {seed}"]:
        if not made.readString(line):
            raise RuntimeError(f"Pythia refuses '{line}'")
    if not made.init():
        raise RuntimeError(f"Pythia does not start for class {label}")
    return made


def four_vector(particle: Any) -> tuple[float, float, float, float]:
    return particle.px(), particle.py(), particle.pz(), particle.e()


def clustered(vectors: Floats, rule: Any) -> Any:
    """The cluster sequence of particles; each keeps its row number."""
    particles = []
    for row, vector in enumerate(vectors.tolist()):
        particle = fastjet.PseudoJet(*vector)
        particle.set_user_index(row)
        particles.append(particle)
    return fastjet.ClusterSequence(particles, rule)


def members(jet: Any) -> list[int]:
    return [particle.user_index() for particle in jet.constituents()]


def isotropic(event: Any, boson: Any, random: np.random.Generator) -> bool:
    """Whether to keep a boson: its decay angles follow 1 + cos², so 1 in 1 + cos² makes them flat."""
    one, other = event[boson.daughter1()], event[boson.daughter2()]
    cosine = (one.e() - other.e()) / boson.pAbs()
    return bool(random.random() * (1 + cosine**2) < 1)


def distance(jet: Any, axis: Any) -> float:
    turn = abs(jet.phi() - axis.phi())
    return math.hypot(jet.rap() - axis.rap(), min(turn, 2 * math.pi - turn))


def groomed(vectors: Floats) -> list[int]:
    """The rows that soft drop leaves: softer branches are cut off until one carries more than zcut of the pT."""
    sequence = clustered(vectors, CAMBRIDGE)  # has to live as long as its jets
    jet = sequence.exclusive_jets(1)[0]
    first, second = fastjet.PseudoJet(), fastjet.PseudoJet()
    while jet.has_parents(first, second):
        low, high = sorted((first.pt(), second.pt()))
        if low > ZCUT * (low + high):
            break
        jet = fastjet.PseudoJet(first if first.pt() > second.pt() else second)
    return members(jet)


def correlators(share: Floats, rapidity: Floats, phi: Floats) -> dict[str, float]:
    """e2 for beta 0, 1, 2, and for beta 1, 2 the three-point sums over one, two or three of the smallest distances."""
    turn = np.abs(phi[:, None] - phi[None, :])
    apart = np.hypot(rapidity[:, None] - rapidity[None, :], np.minimum(turn, 2 * np.pi - turn))
    i, j = np.triu_indices(len(share), 1)
    pairs, near = share[i] * share[j], apart[i, j]
    found = {f"e2_{beta}": float((pairs * near**beta).sum()) for beta in (0, 1, 2)}
    triples = np.array(list(itertools.combinations(range(len(share)), 3)), dtype=np.int64).reshape(-1, 3)
    a, b, c = triples.T
    weight = share[a] * share[b] * share[c]
    sides = np.sort(np.stack([apart[a, b], apart[a, c], apart[b, c]]), axis=0)
    for count in (1, 2, 3):
        product = sides[:count].prod(axis=0)
        found |= {f"{count}e3_{beta}": float((weight * product**beta).sum()) for beta in (1, 2)}
    return found


def features(vectors: Floats) -> list[float] | None:
    """The features of one jet, from its particles (px, py, pz, E); None where they are not defined."""
    core = vectors[groomed(vectors)]
    x, y, z, energy = core.T
    pt = np.hypot(x, y)
    total = core.sum(axis=0)
    mass = float(total[3] ** 2 - (total[:3] ** 2).sum())
    e = correlators(pt / pt.sum(), np.log((energy + z) / (energy - z)) / 2, np.arctan2(y, x))
    if len(core) < 3 or e["e2_2"] <= 0 or mass <= 0:
        return None
    parts = vectors[:, 3] / vectors[:, 3].sum()
    d2 = [e[f"3e3_{beta}"] / e[f"e2_{beta}"] ** 3 for beta in (1, 2)]
    return [
        float((parts * np.log(parts)).sum()),
        *(e[f"e2_{beta}"] for beta in (0, 1, 2)),
        *(e[f"3e3_{beta}"] / e[f"e2_{beta}"] ** 2 for beta in (1, 2)),
        *d2,
        d2[0],  # D2 with alpha = beta = 1
        e["3e3_1"] / e["e2_2"] ** 1.5,
        *(e[f"1e3_{beta}"] / e[f"e2_{beta}"] for beta in (1, 2)),
        *(e[f"2e3_{beta}"] / e[f"e2_{beta}"] ** 2 for beta in (1, 2)),
        math.sqrt(mass),
        float(len(vectors)),
    ]


def jets(pythia: Any, label: str, random: np.random.Generator) -> Iterator[list[float]]:
    """The features of up to two jets of the event at hand."""
    legs = [pythia.process[5], pythia.process[6]]
    if any(leg.idAbs() not in PROCESSES[label] for leg in legs):
        return
    if label in "wz":
        legs = [leg for leg in legs if isotropic(pythia.process, leg, random)]
    axes = [fastjet.PseudoJet(*four_vector(leg)) for leg in legs]
    if not axes:
        return
    vectors = np.array([four_vector(particle) for particle in pythia.event if particle.isFinal()])
    sequence = clustered(vectors, ANTI_KT)
    for jet in fastjet.sorted_by_pt(sequence.inclusive_jets(PT[0]))[:2]:
        if jet.pt() <= PT[1] and abs(jet.eta()) <= ETA and min(distance(jet, axis) for axis in axes) <= CLOSE:
            row = features(vectors[members(jet)])
            if row is not None:
                yield row


def sample(label: str, count: int, seed: int) -> NDArray[np.float32]:
    """`count` jets of one class, shape (count, 16)."""
    pythia, random = generator(label, seed), np.random.default_rng(seed)
    rows: list[list[float]] = []
    while len(rows) < count:
        if pythia.next():
            rows += jets(pythia, label, random)
    return np.array(rows[:count], np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--per-class", type=int, default=7000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    labels = list(PROCESSES)
    parts = [sample(label, arguments.per_class, 100 * arguments.seed + at) for at, label in enumerate(labels, start=1)]
    y = np.repeat(np.arange(len(labels), dtype=np.int8), arguments.per_class)
    order = np.random.default_rng(arguments.seed).permutation(len(y))
    meta = {
        "seed": arguments.seed,
        "per_class": arguments.per_class,
        "radius": RADIUS,
        **{name: version(name) for name in ("pythia8mc", "fastjet", "numpy")},
    }
    np.savez_compressed(
        arguments.out,
        X=np.concatenate(parts)[order],
        y=y[order],
        features=np.array(FEATURES),
        classes=np.array(labels),
        meta=json.dumps(meta),
    )


if __name__ == "__main__":
    main()
