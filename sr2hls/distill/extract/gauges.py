"""Summed messages and the bodies' accelerations → the receiver factor and the matrix that turn messages into forces.

Why this needs no true force: if m_i a_i = sum over j of v_ij + own_i holds for every snapshot of three or more bodies,
moving one sender alone shows that v_ij is the force of j on i up to a term of the receiver. So the R² of this balance
certifies the messages in their frame, with measured accelerations only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sr2hls.distill.extract.significance import principal, top
from sr2hls.distill.extract.trimmed import kept_rows, r_squared, trimmed_fit
from sr2hls.distill.records import Record
from sr2hls.distill.trajectories import AXES, CHARGE, MASS, Floats, Ints
from sr2hls.errors import FormatError

ROWS = 8_000  # bodies that are fitted
GAIN = 0.5  # a less simple frame is taken if it leaves at most this share of the unexplained variance
ENOUGH = 5e-4  # unexplained share of the variance below which no other frame is tried
_ACTIVE = 0.01  # components whose spread is below this share of the largest carry nothing


@dataclass(frozen=True, slots=True)
class Gauge:
    """v_ij = sum over factors g of g(m_i, q_i) * matrix[g] @ message_ij.

    matrix: factor ("1", "m_i", "q_i", "q_i*m_i") → (d, w); trimmed, plain: (d,), R² of the balance of each axis;
    text: which factor for which component.
    """

    matrix: Mapping[str, Floats]
    trimmed: Floats
    plain: Floats
    text: str

    @property
    def unexplained(self) -> float:
        """Mean over axes of 1 - trimmed R²."""
        return float(np.mean(1.0 - self.trimmed))


@dataclass(frozen=True, slots=True)
class Balance:
    """Rows (bodies in snapshots) of one balance: target (rows, d), sums (rows, w), own (rows, p), factors (rows,)."""

    target: Floats
    sums: Floats
    own: Floats
    factors: Mapping[str, Floats]

    def fit(self, basis: Floats, choice: Sequence[Sequence[str]], text: str) -> Gauge:
        """Fit with `choice[c]`, the factors of column c of `basis` (w, c)."""
        components = self.sums @ basis
        pairs = [(c, name) for c, names in enumerate(choice) for name in names]
        features = np.stack([components[:, c] * self.factors[name] for c, name in pairs], axis=1)
        size = np.sqrt((self.target**2).sum(1))
        fit = trimmed_fit(np.concatenate([features, self.own], axis=1), self.target, size)
        matrix = {name: np.zeros((self.target.shape[1], basis.shape[0])) for _, name in pairs}
        for row, (c, name) in enumerate(pairs):
            matrix[name] += np.outer(fit.coefficients[row], basis[:, c])
        return Gauge(matrix, fit.trimmed, fit.plain, text)

    def fixed(self, factor: str, text: str) -> Gauge:
        """The frame of messages that are forces ("1") or accelerations ("m_i") along the axes: own terms are fitted."""
        rest = self.target - self.sums * self.factors[factor][:, None]
        fit = trimmed_fit(self.own, rest, np.sqrt((self.target**2).sum(1)))
        rest = rest - self.own @ fit.coefficients - fit.offset
        axes = range(rest.shape[1])
        kept = [kept_rows(rest[:, k]) for k in axes]
        return Gauge(
            {factor: np.eye(rest.shape[1])},
            np.array([r_squared(self.target[kept[k], k], rest[kept[k], k]) for k in axes]),
            np.array([r_squared(self.target[:, k], rest[:, k]) for k in axes]),
            text,
        )


def balance(record: Record, *, rows: int = ROWS) -> Balance:
    """m_i a_i (a_i where masses are not known), summed messages, and what a body may feel by itself, of every body.

    Own terms: 1, m, q, q m (uniform fields) and v, m v, q v (drag, a magnetic field), and other scalars.
    """
    b, n, d = record.accelerations.shape
    chosen = np.arange(b * n)
    if len(chosen) > rows:
        chosen = np.sort(np.random.default_rng(0).choice(b * n, rows, replace=False))
    node = {name: np.asarray(values, dtype=np.float64).reshape(-1)[chosen] for name, values in record.node.items()}
    factors = receiver_factors(node, len(chosen))
    speeds = [node[f"v{axis}_i"] for axis in AXES[:d] if f"v{axis}_i" in node]
    mass, charge = node.get(f"{MASS}_i"), node.get(f"{CHARGE}_i")
    own = [values for name, values in factors.items() if name != "1"]
    own += [values for name, values in node.items() if not name.startswith("v") and name[:-2] not in (MASS, CHARGE)]
    own += speeds
    own += [v * scalar for v in speeds for scalar in (mass, charge) if scalar is not None]
    target = record.accelerations.reshape(-1, d)[chosen]
    if mass is not None:
        target = target * mass[:, None]
    sums = np.asarray(record.summed, dtype=np.float64).reshape(b * n, -1)[chosen]
    return Balance(target, sums, np.stack(own, axis=1) if own else np.zeros((len(chosen), 0)), factors)


def receiver_factors(columns: Mapping[str, Floats], size: int | tuple[int, ...]) -> dict[str, Floats]:
    """What messages may be multiplied by, by name: 1, m_i, q_i, q_i*m_i, as far as the columns know them."""
    found = {"1": np.ones(size)}
    mass, charge = columns.get(f"{MASS}_i"), columns.get(f"{CHARGE}_i")
    if mass is not None:
        found["m_i"] = mass
    if charge is not None:
        found["q_i"] = charge
    if mass is not None and charge is not None:
        found["q_i*m_i"] = charge * mass
    return found


def find_gauge(record: Record) -> Gauge:
    """The simplest of these frames that explains the balance nearly as well as any.

    In rising order: the d most spread components with one factor for all; with one each; the d principal components
    with one factor; the d components with all factors; all active components with one factor; with all factors.
    Raises FormatError where no component varies.
    """
    rows = balance(record)
    w, d = record.messages.shape[-1], record.accelerations.shape[-1]
    if not len(_active(record)):
        raise FormatError("no component of the messages varies: the network has learnt nothing; train it longer")
    few = _unit(w, top(record, d, "spread"))
    best = _one_factor(rows, few, "")

    def better(found: Gauge) -> Gauge:
        return found if found.unexplained < GAIN * best.unexplained else best

    if best.unexplained > ENOUGH:
        best = better(_each_its_own(rows, few, best))
    if best.unexplained > ENOUGH and w > d:
        best = better(_one_factor(rows, principal(record, d).directions, " on principal components"))
    if best.unexplained > ENOUGH:
        best = better(_all_factors(rows, few, ""))
    if best.unexplained > ENOUGH and w > d:
        every = _unit(w, _active(record))
        best = better(_one_factor(rows, every, " on all components"))
        best = better(_all_factors(rows, every, " on all components"))
    return best


def _one_factor(rows: Balance, basis: Floats, where: str) -> Gauge:
    fits = [rows.fit(basis, [[name]] * basis.shape[1], f"{name}{where}") for name in rows.factors]
    return min(fits, key=lambda gauge: gauge.unexplained)


def _each_its_own(rows: Balance, basis: Floats, start: Gauge) -> Gauge:
    """Change one component's factor at a time while that helps: charges' signs are found so."""
    first = next(iter(start.matrix))
    names, best = [first] * basis.shape[1], start
    for _ in range(3):
        before = list(names)
        for c in range(len(names)):
            for name in rows.factors:
                if name == names[c]:
                    continue
                trial = [*names[:c], name, *names[c + 1 :]]
                found = rows.fit(basis, [[factor] for factor in trial], ", ".join(trial))
                if found.unexplained < best.unexplained:
                    best, names = found, trial
        if names == before:
            break
    return best


def _all_factors(rows: Balance, basis: Floats, where: str) -> Gauge:
    return rows.fit(basis, [list(rows.factors)] * basis.shape[1], f"a sum of {', '.join(rows.factors)}{where}")


def _active(record: Record) -> Ints:
    flat = record.messages.reshape(-1, record.messages.shape[-1])
    low, high = np.quantile(flat, [0.05, 0.95], axis=0)
    return np.flatnonzero(high - low > _ACTIVE * (high - low).max())


def _unit(w: int, components: Ints) -> Floats:
    basis = np.zeros((w, len(components)))
    basis[components, np.arange(len(components))] = 1.0
    return basis
