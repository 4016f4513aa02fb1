"""The symbolic outcome of a distillation: `Law`, an edge function, a sum over senders, a node function."""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from sr2hls.distill.trajectories import AXES
from sr2hls.model import symbol


@dataclass(frozen=True, slots=True)
class Law:
    """a_i = node(v_i, s_i, sum over j of edge(x_i - x_j, ...)).

    dimension: d; edge: one expression per component of the message over the edge variables of `sr2hls.distill.graphs`
    (dx, dy, dz, r, vx_i, ..., m_i, m_j, ...); node: one expression per axis over the node variables and the summed
    messages `sum_1`, `sum_2`, ...; softening: r = |x_i - x_j| + softening.
    """

    dimension: int
    edge: tuple[sympy.Expr, ...]
    node: tuple[sympy.Expr, ...]
    softening: float = 0.0
    system: str = "trajectories"

    @property
    def axes(self) -> tuple[str, ...]:
        return AXES[: self.dimension]


def sum_symbol(component: int) -> sympy.Symbol:
    """The summed message's component, counted from 1."""
    return symbol(f"sum_{component}")
