"""Messages of a `Record` → how much each component says, by several measures, and the components that say most."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from sr2hls.distill.records import Record
from sr2hls.distill.trajectories import Floats, Ints
from sr2hls.errors import FormatError

By = Literal["std", "spread", "importance"]
BULK = 0.9  # share of the edges, those with the shortest messages, that principal components are taken from


@dataclass(frozen=True, slots=True)
class Significance:
    """Of every component of a message, (w,) each.

    std: standard deviation, the measure of the original; spread: from the 5 % to the 95 % quantile, which a few close
    encounters cannot dominate; importance: as the strategy ranks them, the largest is 1; information: of sampled
    messages, nats against a unit normal, or None; principal: share of the variance of each principal component, in
    falling order (a property of the messages as a whole, not of single components).
    """

    std: Floats
    spread: Floats
    importance: Floats
    principal: Floats
    information: Floats | None = None


@dataclass(frozen=True, slots=True)
class Principal:
    """The directions in which messages vary most: (w, c) orthonormal columns; mean: (w,); share: (w,) of variance."""

    directions: Floats
    mean: Floats
    share: Floats


def significance(record: Record) -> Significance:
    """Measure every component. Raises FormatError where messages are not finite."""
    flat = flat_messages(record)
    low, high = np.quantile(flat, [0.05, 0.95], axis=0)
    return Significance(
        flat.std(0), high - low, np.asarray(record.importance), principal(record, 0).share, information(record)
    )


def information(record: Record) -> Floats | None:
    """Mean Kullback-Leibler divergence of each sampled component from a unit normal, in nats: (w,); None: not sampled.

    (e^v + mean² - v - 1)/2 with v the log variance: Kingma and Welling, "Auto-encoding variational Bayes" (2014).
    """
    if record.spread is None:
        return None
    nats: Floats = ((np.exp(record.spread) + record.messages**2 - record.spread - 1.0) / 2).mean(axis=(0, 1))
    return nats


def top(record: Record, d: int, by: By = "spread") -> Ints:
    """Indices of the `d` most significant components (all, where there are fewer), the first one most so."""
    measured = significance(record)
    values = {"std": measured.std, "spread": measured.spread, "importance": measured.importance}
    if by not in values:
        raise FormatError(f"components cannot be ranked by '{by}'; use one of {', '.join(values)}")
    return np.argsort(-values[by], kind="stable")[:d]


def principal(record: Record, d: int) -> Principal:
    """Principal components of the bulk of the messages: what they span, whatever axes the network has chosen."""
    flat = flat_messages(record)
    length = np.sqrt(((flat - np.median(flat, axis=0)) ** 2).sum(1))
    bulk = flat[length <= np.quantile(length, BULK)]
    mean = bulk.mean(0)
    values, vectors = np.linalg.eigh(np.cov((bulk - mean).T).reshape(flat.shape[1], flat.shape[1]))
    order = np.argsort(-values, kind="stable")
    values = np.maximum(values[order], 0.0)
    total = values.sum()
    return Principal(vectors[:, order[:d]], mean, values / total if total else values)


def with_messages(record: Record, messages: Floats) -> Record:
    """The record with other vectors (b, e, w) as messages, such as the pair forces of a Hamiltonian network."""
    summed = summed_by_receiver(record, messages)
    std = np.asarray(messages, dtype=np.float64).std(axis=(0, 1))
    importance = std / std.max() if std.max() > 0 else std
    return replace(record, messages=messages, summed=summed, importance=importance, spread=None)


def summed_by_receiver(record: Record, vectors: Floats) -> Floats:
    """Sums over senders: (b, e, w) → (b, n, w)."""
    b, n, _ = record.accelerations.shape
    total = np.zeros((b, n, vectors.shape[-1]))
    for edge, receiver in enumerate(record.receivers):
        total[:, receiver] += vectors[:, edge]
    return total


def flat_messages(record: Record) -> Floats:
    """(b·e, w). Raises FormatError where one is not finite."""
    flat = np.asarray(record.messages, dtype=np.float64).reshape(-1, record.messages.shape[-1])
    if not np.isfinite(flat).all():
        raise FormatError("the network's messages are not finite numbers: the training diverged; use a lower rate")
    return flat
