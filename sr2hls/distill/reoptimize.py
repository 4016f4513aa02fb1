"""A law over unknown scalars of bodies, and their accelerations → the scalars and constants that fit best.

The last step of Lemos et al. 2022 (arXiv 2202.02306): scalars that were learnt together with a network carry the
network's errors; with the formula in its place they are fitted again, and come out far more exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec

import numpy as np

from sr2hls.distill.evaluate import Prepared, accelerations, prepared
from sr2hls.distill.graphs import Graphs
from sr2hls.distill.law import Law
from sr2hls.distill.symbolic.constants import Template, template
from sr2hls.distill.trajectories import Floats
from sr2hls.errors import FormatError, LoadError, ToolError

_EVALUATIONS = 60
_BAD = 1e6  # residual of a formula that has no value there


@dataclass(frozen=True, slots=True)
class Reoptimized:
    """law: with fitted constants; scalars: name → (n,), one value per body; errors: (n,), root mean square of the
    error of each body's acceleration over that of the acceleration; steps: evaluations of the law."""

    law: Law
    scalars: Mapping[str, Floats]
    errors: Floats
    steps: int


def reoptimize(
    law: Law,
    graphs: Graphs,
    scalars: Mapping[str, Floats],
    *,
    reference: int = 0,
    constants: bool = True,
    snapshots: int = 400,
) -> Reoptimized:
    """Least squares over the logarithms of all positive scalars and the constants of the edge formulas.

    Args:
        scalars: where to begin, name → (n,), above zero; those of the graphs with other names are as they are. The
            body `reference` keeps its values: a law is known up to the unit of its scalars only.
        constants: whether the edge formulas' numbers are fitted, too, each relative to its size; those of the node
            function stay, since a factor could sit in either.
        snapshots: that are fitted, at most, evenly spaced; the errors are of all.

    Raises:
        FormatError: a scalar with another shape, or not above zero. LoadError: the law has no value on the data.
        ToolError: SciPy is missing.
    """
    if find_spec("scipy") is None:
        raise ToolError("fitting scalars needs scipy, which is missing; install it with pip install 'sr2hls[search]'")
    from scipy.optimize import least_squares

    names = tuple(scalars)
    begin = _start(graphs, scalars)
    some = graphs.spread(snapshots)
    free = template(law.edge, scales=True) if constants else Template(law.edge, (), ())
    size = np.maximum(np.sqrt((some.accelerations**2).sum(-1).mean(0)), 1e-300)
    movable = np.arange(begin.shape[1]) != reference
    count = len(names) * int(movable.sum())
    numbers = np.array(free.values)
    open_law, known = replace(law, edge=free.expressions), _known(some, names)

    def at(parameters: Floats) -> tuple[Mapping[str, Floats], Floats]:
        logs = np.log(begin)
        logs[:, movable] += parameters[:count].reshape(len(names), -1)
        return dict(zip(names, np.exp(np.clip(logs, -200, 200)), strict=True)), numbers * (1 + parameters[count:])

    def residuals(parameters: Floats) -> Floats:
        values, fitted = at(parameters)
        with np.errstate(all="ignore"):
            predicted = accelerations(open_law, _with(known, some, values), dict(zip(free.names, fitted, strict=True)))
            off = ((predicted - some.accelerations) / size[:, None]).ravel()
        return np.where(np.isfinite(off), np.clip(off, -_BAD, _BAD), _BAD)

    found, steps = np.zeros(count + len(numbers)), 1
    if np.mean(np.abs(residuals(found)) >= _BAD) > 0.5:
        raise LoadError("the law has no value on most of the data: there is nothing to fit")
    if len(found):
        done = least_squares(residuals, found, x_scale="jac", max_nfev=_EVALUATIONS, xtol=1e-12, ftol=1e-12, gtol=1e-12)
        found, steps = np.asarray(done.x), int(done.nfev)
    values, fitted = at(found)
    best = replace(law, edge=free.at(fitted.tolist())) if constants else law
    return Reoptimized(best, values, errors_of(best, graphs, values), steps)


def errors_of(law: Law, graphs: Graphs, scalars: Mapping[str, Floats]) -> Floats:
    """Root mean square of the error of each body's acceleration over that of the acceleration: (n,)."""
    size = np.sqrt((graphs.accelerations**2).sum(-1).mean(0))
    with np.errstate(all="ignore"):  # at a pole the error is inf or nan
        off = predict(law, graphs, scalars) - graphs.accelerations
        return np.asarray(np.sqrt((off**2).sum(-1).mean(0)) / np.maximum(size, 1e-300))


def predict(law: Law, graphs: Graphs, scalars: Mapping[str, Floats]) -> Floats:
    """Accelerations (b, n, d) by the law, with scalars (n,) per body beside those of the graphs."""
    return accelerations(law, _with(_known(graphs, tuple(scalars)), graphs, scalars))


def _known(graphs: Graphs, unknown: tuple[str, ...]) -> Prepared:
    """What does not depend on the unknown scalars."""
    return prepared(replace(graphs, scalars={name: v for name, v in graphs.scalars.items() if name not in unknown}))


def _with(known: Prepared, graphs: Graphs, scalars: Mapping[str, Floats]) -> Prepared:
    edge, node = dict(known.edge), dict(known.node)
    for name, values in scalars.items():
        edge |= {f"{name}_i": values[graphs.receivers], f"{name}_j": values[graphs.senders]}
        node[f"{name}_i"] = values
    return replace(known, edge=edge, node=node)


def _start(graphs: Graphs, scalars: Mapping[str, Floats]) -> Floats:
    if not scalars:
        raise FormatError("no scalar to fit: give the unknown ones with the values to begin from")
    n = graphs.size[1]
    for name, values in scalars.items():
        if np.shape(values) != (n,):
            raise FormatError(f"the scalar '{name}' has the shape {np.shape(values)}; ({n},) is needed, one per body")
        if not (np.isfinite(values).all() and (np.asarray(values) > 0).all()):
            raise FormatError(f"the scalar '{name}' is not above zero for every body")
    return np.stack([np.asarray(values, dtype=np.float64) for values in scalars.values()])
