"""Messages that are drawn from a learnt normal distribution and cost what they tell over N(0, 1)."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Generator, Tensor

from sr2hls.distill.networks.strategies.base import Strategy, per_component


class KL(Strategy):
    """Means and log variances of the components are the outputs of the edge function (Cranmer et al. 2020, A.2). The
    paper's weight is 1; with it predictions stay poor, and a direction of the force may be lost.
    """

    name: ClassVar[str] = "kl"
    weight: ClassVar[float] = 0.1

    def outputs(self, width: int) -> int:
        return 2 * width

    def read(self, raw: Tensor, noise: Generator | None) -> tuple[Tensor, Tensor, Tensor | None]:
        mean, spread = raw.float().chunk(2, -1)
        if noise is None:
            return mean, mean, spread
        drawn = torch.randn(mean.shape, generator=noise, dtype=mean.dtype)
        return mean + drawn * torch.exp(spread / 2), mean, spread

    def penalty(self, messages: Tensor, spread: Tensor | None) -> Tensor | None:
        return self._information(messages, spread).sum((1, 2))

    def importance(self, messages: Tensor, spread: Tensor | None) -> Tensor:
        """The mean divergence in nats: 0 for a component that is N(0, 1) whatever the edge."""
        return per_component(self._information(messages, spread))

    @staticmethod
    def _information(mean: Tensor, spread: Tensor | None) -> Tensor:
        if spread is None:
            raise ValueError("messages that are drawn have a spread")
        return (mean**2 + spread.exp() - spread - 1) / 2
