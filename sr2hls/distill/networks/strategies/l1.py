"""Wide messages that cost their absolute value, so that most components fall silent."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from sr2hls.distill.networks.strategies.base import Strategy


class L1(Strategy):
    """The penalty is not free of scale (small messages and a steep node function cost less): its weight has to fit the
    length of the training. The paper's is 0.01 for a million steps; short trainings need more.
    """

    name: ClassVar[str] = "l1"
    weight: ClassVar[float] = 0.1

    def penalty(self, messages: Tensor, spread: Tensor | None) -> Tensor | None:
        del spread
        return messages.abs().sum((1, 2))
