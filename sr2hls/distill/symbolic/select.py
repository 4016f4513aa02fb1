"""The formulas of a front, each as part of a law fitted to the data → the one to take.

Messages are a network's, with its errors, and a longer formula may follow them better than the law does. The data do
not have these errors: as part of a law, with its constants fitted to the accelerations (`sharpen`), the true formula is
the more exact one. So the front comes from the messages, and the choice, by the rule of `choice`, from the data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sympy

from sr2hls.distill.graphs import Graphs
from sr2hls.distill.law import Law
from sr2hls.distill.symbolic.axes import generic_of
from sr2hls.distill.symbolic.choice import GUARD, Priced, choose
from sr2hls.distill.symbolic.sharpen import EXACT, Sharpened, sharpen
from sr2hls.errors import UnsupportedError
from sr2hls.search.objective import predicted_latency
from sr2hls.search.refine.size import nodes
from sr2hls.search.settings import Settings
from sr2hls.search.stages import find_costs

SNAPSHOTS = 300


@dataclass(frozen=True, slots=True)
class Selected:
    """found: the law that was taken; rows: all that were tried, priced, loss on the data; laws: theirs."""

    found: Sharpened
    rows: tuple[Priced, ...]
    laws: tuple[Law, ...]


def select(
    laws: Sequence[Law],
    graphs: Graphs,
    settings: Settings,
    *,
    part: Callable[[Law], Sequence[sympy.Expr]],
    guard: float = GUARD,
    snapshots: int = SNAPSHOTS,
    seed: int = 0,
) -> Selected:
    """The law to take of several that differ in one part. Equal ones are fitted once.

    part: the formulas of a law that are priced: of one formula for all axes, that one. Raises LoadError where no law
    has a finite value on the data.
    """
    costs = find_costs(settings)
    tried: list[tuple[Sharpened, Priced]] = []
    seen: set[tuple[sympy.Expr, ...]] = set()
    for law in dict.fromkeys(laws):
        made = sharpen(law, graphs, snapshots=snapshots, seed=seed)
        formulas = tuple(part(made.law))
        if formulas in seen:
            continue
        seen.add(formulas)
        try:
            cycles = max(predicted_latency(formula, costs) for formula in formulas)
            size = sum(nodes(formula) for formula in formulas)
        except UnsupportedError:
            continue
        tried.append((made, Priced(sympy.Tuple(*formulas), cycles, size, made.loss)))
    if not tried:
        raise UnsupportedError("none of the formulas has hardware")
    rows = tuple(row for _, row in tried)
    best = choose(rows, guard, EXACT**2)
    return Selected(tried[rows.index(best)][0], rows, tuple(made.law for made, _ in tried))


def edge_part(law: Law) -> Sequence[sympy.Expr]:
    """The edge's formula for all axes where there is one, else all of them; r for |x_i - x_j|, as it is built."""
    generic = generic_of(law.edge) if len(law.edge) == law.dimension else None
    return law.edge if generic is None else (generic,)


def node_part(law: Law) -> Sequence[sympy.Expr]:
    """The same of the node function."""
    generic = generic_of(law.node)
    return law.node if generic is None else (generic,)
