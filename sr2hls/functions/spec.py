"""What an evaluator must do (`FunctionSpec`) and what it says of itself (`Evaluator`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flint import arb

from sr2hls.analyze.cells import Univariate
from sr2hls.analyze.interval import Interval
from sr2hls.builder import CircuitBuilder
from sr2hls.formats import Format


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """Evaluate `function` at the value of every code in [low, high] of a word.

    Arguments outside `domain` count as its nearer end (the circuit's argument may leave it by a rounding). The result
    has `fraction` fraction bits, up to `spare_bits` more where that is cheaper, and is within `tolerance` (a real
    number) of the function.
    """

    function: Univariate
    word: Format
    low: int
    high: int
    domain: Interval
    fraction: int
    tolerance: arb
    spare_bits: int = 0

    def argument(self, code: int) -> arb:
        """The real argument that a code stands for, exactly."""
        value = arb(code) * arb(2) ** -self.word.fraction
        if value < self.domain.low:
            return self.domain.low
        return self.domain.high if value > self.domain.high else value


@dataclass(frozen=True, slots=True)
class Evaluator:
    """A planned evaluator: the proven error (result - function) and how to build it on an argument node."""

    method: str
    error: Interval
    build: Callable[[CircuitBuilder, int], int]
