"""Messages and the true forces → `Verdict`: is the force in the messages, by which criterion, in which gauge.

A node function sees its own body, so messages A(m_i, q_i) F_ij + b with any invertible A predict equally well. What a
training finds is therefore compared with the true force in a set of gauges: F itself, the acceleration F/m_i that it
causes, and, because charges are ±1, the field q_i F (and q_i F/m_i), each component of the message in its own gauge.
The trimmed R² (worst 10 % of the edges dropped) is that of the original evaluation of Cranmer et al., "Discovering
symbolic models from deep learning with inductive biases" (2020); the plain one stands beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sr2hls.distill.extract.significance import flat_messages, principal, top
from sr2hls.distill.extract.trimmed import r_squared, trimmed_fit
from sr2hls.distill.records import Record
from sr2hls.distill.trajectories import CHARGE, MASS, Floats, Ints
from sr2hls.errors import FormatError

THRESHOLD = 0.95
ROWS = 20_000  # edges that are compared; more do not change the third digit
DISTINCT = 0.1  # least singular value of the components' unit directions: below, two of them say the same
BULK = 0.0  # R² on the edges of small and middling force: not above it, the fit says nothing of nine edges in ten
_TIE = 5e-4  # gauges and rankings whose R² differ by less are equal; the simplest one is then named
RANKINGS = ("spread", "std", "importance", "principal components")


@dataclass(frozen=True, slots=True)
class Score:
    """Of one ranking's components, (c,) each.

    components: their indices, none for principal components; gauge, trimmed, plain: the best gauge of each component
    and its R²; bulk: R² of the trimmed fit on the edges whose force is below its 90 % quantile, none dropped; by_gauge:
    trimmed R² in every gauge; conditional: trimmed R² where the map from force to message may depend on the receiver's
    mass and charge; distinct: least singular value of the components' unit directions.
    """

    components: tuple[int, ...]
    gauge: tuple[str, ...]
    trimmed: tuple[float, ...]
    plain: tuple[float, ...]
    bulk: tuple[float, ...]
    by_gauge: Mapping[str, tuple[float, ...]]
    conditional: tuple[float, ...]
    distinct: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the true force was found in the messages.

    recovered: every one of as many components as there are dimensions has a trimmed R² above `threshold` in some
    gauge, they point in different directions, and the bulk of the edges agrees (R² above `BULK`: where forces have
    heavy tails, dropping the worst tenth can hide that half of the edges have the wrong sign); ranking: how these
    components were chosen, the best of `RANKINGS`; gauge, trimmed, plain, bulk, conditional: of each of them, see
    `Score`; scores: of every ranking; edges: how many were compared.
    """

    recovered: bool
    threshold: float
    ranking: str
    gauge: tuple[str, ...]
    trimmed: tuple[float, ...]
    plain: tuple[float, ...]
    bulk: tuple[float, ...]
    conditional: tuple[float, ...]
    scores: Mapping[str, Score]
    edges: int

    @property
    def criterion(self) -> str:
        """The rule, for people."""
        return (
            f"trimmed R² (worst 10 % of the edges dropped) above {self.threshold:g} for every axis, in a gauge of "
            "{F, F/m_i, q_i*F, q_i*F/m_i}; R² above 0 on the edges below the 90 % quantile of force; different axes"
        )

    @property
    def line(self) -> str:
        """Criterion, gauge, ranking and figures in one line."""
        names = self.gauge if len(set(self.gauge)) > 1 else self.gauge[:1]
        head = "recovered" if self.recovered else f"not recovered{self._reason}"
        return (
            f"{head}: trimmed R² {_figures(self.trimmed)} to {', '.join(names)} "
            f"(needed: > {self.threshold:g}; plain R² {_figures(self.plain)}; on the bulk {_figures(self.bulk)}; gauge "
            f"free for each receiver {_figures(self.conditional)}; components by {self.ranking})"
        )

    @property
    def _reason(self) -> str:
        """Why not, where the trimmed R² alone would pass."""
        if not self.trimmed or min(self.trimmed) <= self.threshold:
            return ""
        if min(self.bulk) <= BULK:
            return " (a few large forces alone agree)"
        return " (components say the same)" if len(self.trimmed) > 1 else " (too few components)"

    def data(self) -> dict[str, Any]:
        """As JSON data."""
        return {
            "recovered": self.recovered,
            "criterion": self.criterion,
            "threshold": self.threshold,
            "ranking": self.ranking,
            "gauge": list(self.gauge),
            "trimmed_r2": list(self.trimmed),
            "plain_r2": list(self.plain),
            "bulk_r2": list(self.bulk),
            "conditional_r2": list(self.conditional),
            "edges": self.edges,
            "line": self.line,
            "by_ranking": {
                name: {
                    "components": list(score.components),
                    "gauge": list(score.gauge),
                    "trimmed_r2": list(score.trimmed),
                    "plain_r2": list(score.plain),
                    "bulk_r2": list(score.bulk),
                    "trimmed_r2_by_gauge": {gauge: list(values) for gauge, values in score.by_gauge.items()},
                    "conditional_r2": list(score.conditional),
                    "distinct": score.distinct,
                }
                for name, score in self.scores.items()
            },
        }


def verdict(record: Record, *, threshold: float = THRESHOLD) -> Verdict:
    """Compare messages with the true force. Raises FormatError where the record has no forces."""
    if record.forces is None:
        raise FormatError("the true forces of this record are not known, so that its messages cannot be judged by them")
    d = record.forces.shape[-1]
    messages = flat_messages(record)
    chosen = _sample(len(messages))
    forces = record.forces.reshape(-1, d)[chosen]
    factors = _factors(record, chosen)
    scores: dict[str, Score] = {}
    known: dict[tuple[int, ...], Score] = {}
    for name in RANKINGS:
        if name == "principal components":
            scores[name] = _score(messages[chosen] @ principal(record, d).directions, (), forces, factors)
            continue
        picked = tuple(int(c) for c in top(record, d, name))  # type: ignore[arg-type]
        key = tuple(sorted(picked))
        if key not in known:
            known[key] = _score(messages[chosen][:, list(picked)], picked, forces, factors)
        scores[name] = known[key]
    # The first of the rankings with equal R² is named.
    best = max(
        RANKINGS, key=lambda name: (_passes(scores[name], d, threshold), round(min(scores[name].trimmed) / _TIE))
    )
    found = scores[best]
    return Verdict(
        _passes(found, d, threshold),
        threshold,
        best,
        found.gauge,
        found.trimmed,
        found.plain,
        found.bulk,
        found.conditional,
        scores,
        len(chosen),
    )


def gauged_forces(record: Record) -> dict[str, Floats]:
    """Gauge → the true forces of all edges in it, (b·e, d). Raises FormatError where they are not known."""
    if record.forces is None:
        raise FormatError("the true forces of this record are not known")
    flat = record.forces.reshape(-1, record.forces.shape[-1])
    return {gauge: flat * factor for gauge, factor in _factors(record, np.arange(len(flat))).items()}


def _passes(score: Score, d: int, threshold: float) -> bool:
    enough = len(score.trimmed) == d and score.distinct >= DISTINCT
    return enough and min(score.trimmed) > threshold and min(score.bulk) > BULK


def _score(components: Floats, indices: tuple[int, ...], forces: Floats, factors: Mapping[str, Floats]) -> Score:
    size = np.sqrt((forces**2).sum(1))
    scale = components.std(0)
    components = (components - components.mean(0)) / np.where(scale > 0, scale, 1.0)
    fits = {gauge: trimmed_fit(forces * factor, components, size) for gauge, factor in factors.items()}
    gauges, rows, bulk = [], [], []
    for c in range(components.shape[1]):
        best = max(float(fit.trimmed[c]) for fit in fits.values())
        gauge = next(name for name, fit in fits.items() if fit.trimmed[c] >= best - _TIE)
        gauges.append(gauge)
        rows.append(fits[gauge].coefficients[:, c])
        felt = np.sqrt(((forces * factors[gauge]) ** 2).sum(1))
        most = felt <= np.quantile(felt, 0.9)
        residual = components[:, c] - (forces * factors[gauge]) @ rows[-1] - fits[gauge].offset[c]
        bulk.append(r_squared(components[most, c], residual[most]))
    free = np.concatenate([forces * factor for factor in factors.values()] + list(factors.values())[1:], axis=1)
    return Score(
        indices,
        tuple(gauges),
        tuple(float(fits[gauge].trimmed[c]) for c, gauge in enumerate(gauges)),
        tuple(float(fits[gauge].plain[c]) for c, gauge in enumerate(gauges)),
        tuple(bulk),
        {gauge: tuple(float(v) for v in fit.trimmed) for gauge, fit in fits.items()},
        tuple(float(v) for v in trimmed_fit(free, components, size).trimmed),
        _distinct(np.array(rows)),
    )


def _factors(record: Record, chosen: Ints) -> dict[str, Floats]:
    """Gauge → what the force of each chosen edge is multiplied by, (rows, 1); simple gauges first."""
    found = {"F": np.ones((len(chosen), 1))}
    mass, charge = (_receiver(record, name, chosen) for name in (MASS, CHARGE))
    if mass is not None:
        found["F/m_i"] = 1.0 / mass
    if charge is not None:
        found["q_i*F"] = charge
    if mass is not None and charge is not None:
        found["q_i*F/m_i"] = charge / mass
    return found


def _receiver(record: Record, name: str, chosen: Ints) -> Floats | None:
    values = record.edge.get(f"{name}_i")
    return None if values is None else np.asarray(values, dtype=np.float64).reshape(-1, 1)[chosen]


def _distinct(rows: Floats) -> float:
    """Least singular value of the rows scaled to length 1: 1 where they are orthogonal, 0 where they coincide."""
    length = np.sqrt((rows**2).sum(1, keepdims=True))
    if not (length > 0).all():
        return 0.0
    return float(np.linalg.svd(rows / length, compute_uv=False).min())


def _sample(edges: int) -> Ints:
    """At most `ROWS` of the edges, always the same ones."""
    if edges <= ROWS:
        return np.arange(edges)
    return np.sort(np.random.default_rng(0).choice(edges, ROWS, replace=False))


def _figures(values: tuple[float, ...]) -> str:
    """R² for people; cut, not rounded, so that 0.94996 does not read as a pass."""
    return "/".join(f"{np.floor(v * 1e4) / 1e4:.4f}" for v in values)
