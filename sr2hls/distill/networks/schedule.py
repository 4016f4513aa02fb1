"""The share of a training that is done → learning rate and first momentum of Adam (one-cycle policy)."""

from __future__ import annotations

import math

_RISE, _START, _END = 0.3, 1 / 25, 1 / 25 / 1e5
_MOMENTUM = (0.85, 0.95)


def one_cycle(share: float, rate: float) -> tuple[float, float]:
    """Rate: rate/25 → rate over the first 30 %, then → rate/2,500,000, along cosines; the momentum goes against it.

    Smith and Topin 2019 (arXiv 1708.07120), with the usual momenta 0.85 to 0.95.
    """
    low, high = _MOMENTUM
    if share < _RISE:
        along = _cosine(share / _RISE)
        return rate * (_START + (1 - _START) * along), high + (low - high) * along
    along = _cosine((share - _RISE) / (1 - _RISE))
    return rate * (1 + (_END - 1) * along), low + (high - low) * along


def _cosine(share: float) -> float:
    return (1 - math.cos(math.pi * min(share, 1.0))) / 2
