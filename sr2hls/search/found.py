"""One row of the hall of fame that a user sees: a formula with its circuit's true latency, area and accuracy."""

from __future__ import annotations

from dataclasses import dataclass

import sympy


@dataclass(frozen=True, slots=True)
class Found:
    """A candidate after the second stage.

    expression: over `sr2hls.model.symbol(name)`; equation: the same as text that `sr2hls.load` reads back exactly;
    loss: of the formula in float64 on the training rows; held_out: the same on the held-out rows; circuit_loss: of the
    bit-accurate circuit on the held-out rows; cycles, luts, dsps: of the compiled circuit on the target (its model's
    figures); max_error: the proven bound between circuit and formula; score: R² (or AUC for the logistic loss) of the
    circuit on the held-out rows; target_error, domain: what it was compiled with; nodes: of the expression. The
    circuit's figures are None where `refused` says why there is no circuit.
    """

    expression: sympy.Expr
    equation: str
    loss: float
    held_out: float
    nodes: int
    source: str
    circuit_loss: float | None = None
    cycles: int | None = None
    luts: float | None = None
    dsps: float | None = None
    max_error: float | None = None
    score: float | None = None
    output_format: str | None = None
    target_error: float | None = None
    domain: str = "strict"
    refused: str = ""
