"""A law and true accelerations → the same law with its constants fitted to them, numbers made simple, zeros left out.

The constants of a message's formula carry the network's error. The law as a whole is fitted to the data again, with all
of its constants at once: least squares on (â - a)/(|a| + s) of every body, s the median of |a|, under the soft L1 loss
2 (sqrt(1 + z) - 1) (Charbonnier et al. 1997), so that close encounters do not decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import sympy

from sr2hls.distill.evaluate import Prepared, accelerations, prepared
from sr2hls.distill.graphs import Graphs
from sr2hls.distill.law import Law
from sr2hls.distill.symbolic.axes import generic_of, on_axes
from sr2hls.distill.symbolic.constants import Template, filled, snapped, template
from sr2hls.distill.trajectories import Floats
from sr2hls.errors import ToolError
from sr2hls.model import symbol
from sr2hls.operators import rebuild

SNAPSHOTS = 500
SOFT = 0.1  # relative error from which residuals count linearly
EXACT = 1e-4  # relative error that counts as none when numbers are made simple
MARGIN = 0.01  # relative rise of the loss that a constant may cost to be left out
MOST_STEPS = 60
_AWAY = "away"
LOST = 10.0  # relative error of a body without a finite prediction


@dataclass(frozen=True, slots=True)
class Sharpened:
    """law; loss: the mean soft L1 loss of its residuals, in units of (relative error)²; start: that before the fit;
    constants: how many were fitted."""

    law: Law
    loss: float
    start: float
    constants: int


@dataclass(frozen=True, slots=True)
class LawTemplate:
    """A law's formulas with parameters: one for all axes where they are one, so that the axes share their constants."""

    law: Law
    template: Template
    edge: bool  # whether the edge is one formula
    node: bool

    def filled(self, expressions: Sequence[sympy.Expr]) -> Law:
        """The law of formulas in the order of the template."""
        d = self.law.dimension
        count = 1 if self.edge else len(self.law.edge)
        edge, node = expressions[:count], expressions[count:]
        return replace(
            self.law,
            edge=on_axes(edge[0], d) if self.edge else tuple(edge),
            node=on_axes(node[0], d) if self.node else tuple(node),
        )

    def at(self, values: Sequence[float]) -> Law:
        """The law with these constants."""
        return self.filled(self.template.at(values))


def law_template(law: Law) -> LawTemplate:
    """Every constant a parameter; the softening in |x_i - x_j| = r - softening is none: it is known."""
    edge = generic_of(law.edge) if len(law.edge) == law.dimension else None
    node = generic_of(law.node)
    edges = law.edge if edge is None else (edge,)
    # A factor in front of the edge and one in front of the node do the same work: only the edge gets one.
    free = template([_hidden(formula, law.softening) for formula in edges], scales=True)
    nodes = template(law.node if node is None else (node,), first=len(free.names))
    away = {_AWAY: symbol("r") - sympy.Rational(str(law.softening))}
    formulas = (*(filled(formula, away) for formula in free.expressions), *nodes.expressions)
    joint = Template(formulas, free.names + nodes.names, free.values + nodes.values)
    return LawTemplate(law, joint, edge is not None, node is not None)


def sharpen(law: Law, graphs: Graphs, *, snapshots: int = SNAPSHOTS, seed: int = 0, simplify: bool = True) -> Sharpened:
    """The law with all constants fitted to the accelerations of some of the snapshots.

    simplify: constants that may as well be 0 are left out, and numbers near simple ones made those (`snapped`). Bodies
    for which the law has no finite value count as a large error. Raises ToolError without scipy.
    """
    some = sampled(graphs, snapshots, seed)
    columns = prepared(some)
    free = law_template(law)
    start = _loss(free, columns, some.accelerations, free.template.values)
    if not free.template.names:
        return Sharpened(law, start, start, 0)
    fitted = _fitted(free, columns, some.accelerations)
    if simplify:
        fitted = _simple(_without_zeros(fitted, columns, some.accelerations), columns, some.accelerations)
        # A threshold has no slope: it moves by being made simple only, and then the others fit anew.
        fitted = _simple(_fitted(fitted, columns, some.accelerations), columns, some.accelerations)
    law = fitted.at(fitted.template.values)
    loss = _loss(fitted, columns, some.accelerations, fitted.template.values)
    return Sharpened(law, loss, start, len(free.template.names))


def sampled(graphs: Graphs, count: int, seed: int = 0) -> Graphs:
    """Some of the snapshots, drawn evenly."""
    if len(graphs.run) <= count:
        return graphs
    return graphs.rows(np.sort(np.random.default_rng(seed).permutation(len(graphs.run))[:count]))


def residuals(predicted: Floats, true: Floats) -> Floats:
    """(â - a)/(|a| + s): (b, n, d); `LOST` where the prediction is not finite."""
    size = np.sqrt((true**2).sum(-1, keepdims=True))
    with np.errstate(all="ignore"):
        found = (predicted - true) / (size + np.median(size))
    return np.clip(np.where(np.isfinite(found), found, LOST), -1e6, 1e6)


def soft(residual: Floats) -> Floats:
    """The soft L1 loss of each."""
    return np.asarray(2 * SOFT**2 * (np.sqrt(1 + (residual / SOFT) ** 2) - 1), dtype=np.float64)


def _loss(free: LawTemplate, columns: Prepared, true: Floats, values: Sequence[float]) -> float:
    named = free.filled(free.template.expressions)
    predicted = accelerations(named, columns, dict(zip(free.template.names, values, strict=True)))
    return float(soft(residuals(predicted, true)).mean())


def _fitted(free: LawTemplate, columns: Prepared, true: Floats) -> LawTemplate:
    try:
        from scipy.optimize import least_squares
    except ImportError:
        raise ToolError("fitting constants needs scipy; install it with pip install 'sr2hls[distill]'") from None
    named, names = free.filled(free.template.expressions), free.template.names

    def difference(values: Floats) -> Floats:
        return residuals(accelerations(named, columns, dict(zip(names, values, strict=True))), true).reshape(-1)

    start = np.array(free.template.values)
    found = least_squares(difference, start, loss="soft_l1", f_scale=SOFT, x_scale=np.maximum(np.abs(start), 0.1),
                          max_nfev=MOST_STEPS)  # fmt: skip
    return replace(free, template=replace(free.template, values=tuple(float(v) for v in found.x)))


def _simple(free: LawTemplate, columns: Prepared, true: Floats) -> LawTemplate:
    done = snapped(free.template, lambda values: _loss(free, columns, true, values) + EXACT**2)
    return replace(free, template=done)


def _without_zeros(free: LawTemplate, columns: Prepared, true: Floats) -> LawTemplate:
    """Without the constants, smallest first, that the data do not miss."""
    for _ in range(len(free.template.names)):
        values = free.template.values
        limit = (_loss(free, columns, true, values) + EXACT**2) * (1 + MARGIN)
        for place in np.argsort(np.abs(values)):
            trial = [0.0 if k == place else value for k, value in enumerate(values)]
            law = free.at(trial)
            if any(formula.has(sympy.nan, sympy.zoo) or not formula.free_symbols for formula in law.edge):
                continue
            shorter = law_template(law)
            if shorter.template.names:
                shorter = _fitted(shorter, columns, true)
            if _loss(shorter, columns, true, shorter.template.values) + EXACT**2 <= limit:
                free = shorter
                break
        else:
            return free
    return free


def _hidden(node: sympy.Expr, softening: float) -> sympy.Expr:
    if node.is_Add and node - symbol("r") + sympy.Rational(str(softening)) == 0:
        return symbol(_AWAY)
    return rebuild(node, tuple(_hidden(part, softening) for part in node.args)) if node.args else node
