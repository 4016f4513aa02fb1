"""What a trained network computes on held-out snapshots → plain arrays for extraction and symbolic fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sr2hls.distill.trajectories import Floats, Ints


@dataclass(frozen=True, slots=True)
class Record:
    """Inputs and outputs of the parts of a network on `b` snapshots with `n` bodies and `e` edges.

    edge: the variables of edges, name → (b, e), see `sr2hls.distill.graphs`; messages: (b, e, w), before they are
    summed (means, where the strategy samples); spread: (b, e, w), the log variances of sampled messages, or None;
    importance: (w,), as the strategy ranks its messages, the largest is 1; senders, receivers: (e,); node: the
    variables of bodies, name → (b, n); summed: (b, n, w); predicted, accelerations: (b, n, d), of the network and true;
    forces: (b, e, d), the true force of j on i, where the system is known.
    """

    edge: Mapping[str, Floats]
    messages: Floats
    importance: Floats
    senders: Ints
    receivers: Ints
    node: Mapping[str, Floats]
    summed: Floats
    predicted: Floats
    accelerations: Floats
    spread: Floats | None = None
    forces: Floats | None = None
