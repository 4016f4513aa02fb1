"""Widths → a multilayer perceptron with smooth activations, so that its derivatives are usable too."""

from __future__ import annotations

from torch import nn


def perceptron(inputs: int, hidden: int, outputs: int, depth: int) -> nn.Sequential:
    """`depth` hidden layers of `hidden` SiLU units, then a linear layer."""
    layers: list[nn.Module] = []
    width = inputs
    for _ in range(depth):
        layers += [nn.Linear(width, hidden), nn.SiLU()]
        width = hidden
    return nn.Sequential(*layers, nn.Linear(width, outputs))
