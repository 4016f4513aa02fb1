"""A `Record` → `Framed`: messages in the frame of the axes, found without any true force, for short formulas.

The bodies of the network's own data tell: m_i a_i = sum over j of g(m_i, q_i) C m_ij + own terms of the body. The
factor g and the matrix C come from `sr2hls.distill.extract.gauges`, a term of the receiver alone that messages may
hold besides the force from `sr2hls.distill.extract.offset`. Accelerations are the true ones, not the predicted: a
network that predicts too little (sampled messages do) would else scale every constant of the law.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from sr2hls.distill.extract.gauges import Gauge, balance, find_gauge, receiver_factors
from sr2hls.distill.extract.offset import find_offset
from sr2hls.distill.extract.significance import summed_by_receiver
from sr2hls.distill.extract.trimmed import trimmed_fit
from sr2hls.distill.records import Record
from sr2hls.distill.trajectories import MASS, Floats
from sr2hls.errors import FormatError

Target = Literal["force", "acceleration"]
GOOD = 0.95  # trimmed R² of the balance of every axis, below which the frame says that it is poor
OWN_R2, OWN_SHARE = 0.5, 0.05  # a body's own term is one that its variables explain, and not a small remainder
ROWS = 10_000
_EXACT = 1e-3  # relative difference of sum and prediction below which the node function is the fixed one


@dataclass(frozen=True, slots=True)
class Framed:
    """a_i = (sum over j of vectors_ij + rest_i) / m_i for target "force", without the division for "acceleration".

    vectors: (b, e, d) along the axes; matrix: receiver factor → (d, w), vectors = sum of factor * matrix @ message,
    minus the offset; offset: edge column ("1", "m_i", "vx_i", ...) → (d,), in the units of the target "force", removed
    from every vector; trimmed, plain: R² of the balance of each axis, which needs no true force; rest: (b, n, d), what
    accelerations have besides the sum, own terms and the network's error alike; rest_share: median |rest| / median
    |target|; own: node column → (d,), a linear fit of the rest; own_r2: its trimmed R²; notes: for people.
    """

    vectors: Floats
    target: Target
    gauge: str
    matrix: Mapping[str, Floats]
    offset: Mapping[str, Floats]
    trimmed: tuple[float, ...]
    plain: tuple[float, ...]
    rest: Floats
    rest_share: float
    own: Mapping[str, Floats]
    own_r2: tuple[float, ...]
    notes: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether the balance holds well enough to trust the frame."""
        return min(self.trimmed) >= GOOD

    @property
    def has_own(self) -> bool:
        """Whether bodies have a term of their own (drag, a uniform field) that a node function should hold."""
        return self.rest_share >= OWN_SHARE and max(self.own_r2) >= OWN_R2

    @property
    def line(self) -> str:
        """The frame in one line for people."""
        quality = "" if self.good else "poor frame, its formulas need not be the law: "
        figures = "/".join(f"{value:.4f}" for value in self.trimmed)
        return f"{quality}{self.target} = {self.gauge} * matrix * message, balance of a body with trimmed R² {figures}"

    def data(self) -> dict[str, Any]:
        """As JSON data, without the arrays of edges and bodies."""
        return {
            "target": self.target,
            "gauge": self.gauge,
            "matrix": {name: values.tolist() for name, values in self.matrix.items()},
            "offset": {name: values.tolist() for name, values in self.offset.items()},
            "trimmed_r2": list(self.trimmed),
            "plain_r2": list(self.plain),
            "rest_share": self.rest_share,
            "own": {name: values.tolist() for name, values in self.own.items()},
            "own_r2": list(self.own_r2),
            "good": self.good,
            "line": self.line,
            "notes": list(self.notes),
        }


def frame(record: Record, *, identity: bool | None = None, target: Target | None = None) -> Framed:
    """Fix gauge and rotation of the messages.

    Args:
        record: masses and charges are used where it has columns `m_i` and `q_i`.
        identity: messages are forces (or accelerations) along the axes already, as the strategy "newton" fixes them;
            None: recognized by predicted * m_i = summed (or predicted = summed). The messages of "hamiltonian" are
            energies: give the record of its pair forces, see `with_messages`.
        target: None: the one that depends less on the receiver's mass, so that the formula is the shorter one; the
            identity stays with what it is.

    Raises FormatError where the record has too few rows, or numbers that are not finite, or no masses for a force.
    """
    known = f"{MASS}_i" in record.edge
    if target == "force" and not known:
        raise FormatError("forces need the masses of the bodies: a column 'm'; use target=\"acceleration\"")
    natural = _natural(record, identity)
    if natural is None:
        gauge = find_gauge(record)
    else:
        gauge = balance(record).fixed("m_i" if natural == "acceleration" and known else "1", f"identity ({natural})")
    vectors = _vectors(record, gauge.matrix)
    offset = find_offset(record, vectors)
    vectors = vectors - _offset(record, offset)
    if target is None:
        target = natural or _shorter(record, vectors)
    whole = record.accelerations * (record.node[f"{MASS}_i"][..., None] if known else 1.0)
    rest = whole - summed_by_receiver(record, vectors)
    if known and target == "acceleration":
        vectors = vectors / record.edge[f"{MASS}_i"][..., None]
        rest, whole = rest / record.node[f"{MASS}_i"][..., None], record.accelerations
    own, own_r2 = _own(record, rest)
    share = float(np.median(np.linalg.norm(rest, axis=-1)) / max(np.median(np.linalg.norm(whole, axis=-1)), 1e-300))
    return Framed(
        vectors,
        target,
        gauge.text,
        gauge.matrix,
        offset,
        tuple(float(v) for v in gauge.trimmed),
        tuple(float(v) for v in gauge.plain),
        rest,
        share,
        own,
        own_r2,
        _notes(record, gauge),
    )


def in_frame(framed: Framed, record: Record) -> Floats:
    """The vectors of another record of the same network in a frame that was found: (b, e, d)."""
    vectors = _vectors(record, framed.matrix) - _offset(record, framed.offset)
    if framed.target == "acceleration" and f"{MASS}_i" in record.edge:
        vectors = vectors / record.edge[f"{MASS}_i"][..., None]
    return vectors


def _natural(record: Record, identity: bool | None) -> Target | None:
    """What messages are by the network's construction: forces, accelerations, or None, which a training chose."""
    if identity is False or record.messages.shape[-1] != record.accelerations.shape[-1]:
        if identity:
            raise FormatError("messages that are forces have as many components as there are dimensions")
        return None
    size = max(float(np.median(np.abs(record.predicted))), 1e-300)
    mass = record.node.get(f"{MASS}_i")
    as_acceleration = float(np.median(np.abs(record.predicted - record.summed))) / size
    as_force = np.inf
    if mass is not None:
        as_force = float(np.median(np.abs(record.predicted - record.summed / mass[..., None]))) / size
    if not identity and min(as_force, as_acceleration) > _EXACT:
        return None
    return "force" if as_force <= as_acceleration else "acceleration"


def _vectors(record: Record, matrix: Mapping[str, Floats]) -> Floats:
    """Forces (accelerations where masses are not known) in the frame of the axes, with their offset: (b, e, d)."""
    factors = receiver_factors(record.edge, record.messages.shape[:2])
    messages = np.asarray(record.messages, dtype=np.float64)
    return np.asarray(sum(factors[name][..., None] * (messages @ found.T) for name, found in matrix.items()))


def _offset(record: Record, offset: Mapping[str, Floats]) -> Floats:
    """(b, e, d)."""
    columns = receiver_factors(record.edge, record.messages.shape[:2]) | dict(record.edge)
    total = np.zeros((*record.messages.shape[:2], record.accelerations.shape[-1]))
    for name, coefficients in offset.items():
        total += columns[name][..., None] * coefficients
    return total


def _shorter(record: Record, vectors: Floats) -> Target:
    """Which of F and F/m_i depends less on m_i: by the exponent of m_i in |F|, beside those of m_j and r."""
    mass = record.edge.get(f"{MASS}_i")
    if mass is None:
        return "acceleration"
    size = np.linalg.norm(vectors, axis=-1).reshape(-1)
    factors = [mass.reshape(-1), record.edge[f"{MASS}_j"].reshape(-1), record.edge["r"].reshape(-1)]
    usable = np.flatnonzero((size > 0) & (np.min(factors, axis=0) > 0))
    if len(usable) > ROWS:
        usable = np.sort(np.random.default_rng(0).choice(usable, ROWS, replace=False))
    logs = np.log(np.stack([values[usable] for values in factors], axis=1))
    if len(usable) < 100 or logs[:, 0].std() < 1e-3:
        return "force"
    y = np.log(size[usable])[:, None]
    exponent = trimmed_fit(logs, y, np.abs(y[:, 0] - np.median(y))).coefficients[0, 0]
    return "acceleration" if exponent > 0.5 else "force"


def _own(record: Record, rest: Floats) -> tuple[dict[str, Floats], tuple[float, ...]]:
    """A linear fit of the rest by the variables of the body: coefficients and trimmed R² by axis."""
    d = rest.shape[-1]
    flat = rest.reshape(-1, d)
    names = list(record.node)
    columns = np.stack([np.asarray(record.node[name], dtype=np.float64).reshape(-1) for name in names], axis=1)
    if len(flat) > ROWS:
        chosen = np.sort(np.random.default_rng(0).choice(len(flat), ROWS, replace=False))
        flat, columns = flat[chosen], columns[chosen]
    fit = trimmed_fit(columns, flat, np.linalg.norm(flat, axis=1))
    found = {"1": fit.offset} | {name: fit.coefficients[k] for k, name in enumerate(names)}
    return found, tuple(float(v) for v in fit.trimmed)


def _notes(record: Record, gauge: Gauge) -> tuple[str, ...]:
    notes = []
    if gauge.trimmed.min() < GOOD:
        notes.append(
            "no frame was found in which the messages sum to what the bodies do (trimmed R² "
            f"{gauge.trimmed.min():.3f}, {GOOD:g} is needed): formulas of these messages need not be the law; "
            "train longer or with another strategy"
        )
    if record.accelerations.shape[1] < 3:
        notes.append("with two bodies a force cannot be told from a term of the receiver alone")
    return tuple(notes)
