"""Vectors of edges in the frame of the axes → what they hold besides the force: a term of the receiver alone.

A node function can take back any b(receiver) from each message, so messages may hold one. A force between two bodies
is odd in their displacement, b is not: vectors are fitted as odd functions of the displacement plus a constant, the
receiver's mass and charge, and its velocity (how a drag hides where the node function has no room for it).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sr2hls.distill.extract.gauges import receiver_factors
from sr2hls.distill.extract.trimmed import trimmed_fit
from sr2hls.distill.records import Record
from sr2hls.distill.trajectories import AXES, CHARGE, MASS, Floats

ROWS = 10_000
POWERS = (0, -1, -2, -3)  # of r, times a component of the displacement
SHARE = 0.05  # a velocity term below this share of the spread of the vectors is taken for noise
MIRRORED = 0.3  # a sender's velocity with this share of the receiver's coefficient: a friction of pairs, which stays


def find_offset(record: Record, vectors: Floats) -> dict[str, Floats]:
    """Edge column ("1", "m_i", "q_i", "q_i*m_i", "vx_i", ...) → coefficients (d,), for `vectors` (b, e, d)."""
    d = vectors.shape[-1]
    flat = vectors.reshape(-1, d)
    chosen = np.arange(len(flat))
    if len(chosen) > ROWS:
        chosen = np.sort(np.random.default_rng(0).choice(len(flat), ROWS, replace=False))
    edge = {name: np.asarray(values, dtype=np.float64).reshape(-1)[chosen] for name, values in record.edge.items()}
    flat = flat[chosen]
    receiver = {name: values for name, values in receiver_factors(edge, len(chosen)).items() if name != "1"}
    speeds = {f"v{axis}_{end}": edge[f"v{axis}_{end}"] for end in "ij" for axis in AXES[:d] if f"v{axis}_i" in edge}
    size = np.linalg.norm(flat, axis=1)
    rows = []
    for k in range(d):
        terms = receiver | speeds | _odd(edge, edge[f"d{AXES[k]}"])
        fit = trimmed_fit(np.stack(list(terms.values()), axis=1), flat[:, k : k + 1], size)
        rows.append({"1": float(fit.offset[0])} | dict(zip(terms, fit.coefficients[:, 0].tolist(), strict=True)))
    found = {name: np.array([row[name] for row in rows]) for name in ["1", *receiver]}
    axes = [f"v{axis}_i" for axis in AXES[:d] if f"v{axis}_i" in speeds]
    if axes and _velocity_is_own(rows, speeds, flat):
        found |= {name: np.array([row[name] for row in rows]) for name in axes}
    return found


def _odd(edge: Mapping[str, Floats], displacement: Floats) -> dict[str, Floats]:
    """Displacement times powers of the distance, times products of the masses and charges."""
    r = np.maximum(edge["r"], max(float(np.quantile(edge["r"], 0.001)), 1e-12))
    weights = {"": np.ones_like(r)}
    for name in (MASS, CHARGE):
        i, j = edge.get(f"{name}_i"), edge.get(f"{name}_j")
        if i is not None and j is not None:
            weights |= {f" {name}_i": i, f" {name}_j": j, f" {name}_i*{name}_j": i * j}
    return {f"d/r^{-p}{name}": displacement * r**p * weight for p in POWERS for name, weight in weights.items()}


def _velocity_is_own(rows: list[dict[str, float]], speeds: Mapping[str, Floats], flat: Floats) -> bool:
    """Whether the receiver's velocity, and not the difference of two, contributes to the vectors."""
    size = {end: np.array([[row[n] for n in speeds if n.endswith(end)] for row in rows]) for end in ("_i", "_j")}
    mine, other = (float(np.linalg.norm(values)) for values in (size["_i"], size["_j"]))
    velocity = np.stack([values for name, values in speeds.items() if name.endswith("_i")], axis=1)
    contribution = _spread(velocity @ size["_i"].T)
    return bool((contribution > SHARE * _spread(flat)).any()) and other < MIRRORED * mine


def _spread(values: Floats) -> Floats:
    low, high = np.quantile(values, [0.05, 0.95], axis=0)
    return np.asarray(high - low)
