"""`SymbolicModel`: named formulas over real numbers, with where they came from. No number formats."""

from __future__ import annotations

from dataclasses import dataclass

import sympy


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where one formula came from; None where the source does not say."""

    source: str  # file name or "text"
    equation: str  # the text as the source wrote it
    loss: float | None = None
    complexity: int | None = None
    writer: str = ""  # such as "PySR 1.5.9"


@dataclass(frozen=True, slots=True)
class Output:
    """One named formula: a real-valued sympy expression with exact rational constants."""

    name: str
    expression: sympy.Expr
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class SymbolicModel:
    """Named inputs (sympy symbols, real) and named outputs over them."""

    inputs: tuple[str, ...]
    outputs: tuple[Output, ...]


def symbol(name: str) -> sympy.Symbol:
    """The one symbol that stands for the input `name`."""
    return sympy.Symbol(name, real=True)
