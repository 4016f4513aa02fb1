"""What the parts of a trained network compute, as arrays → formulas, through `sr2hls.search` with latency as cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import sympy

from sr2hls.distill.law import Law
from sr2hls.distill.symbolic.axes import (
    COMPONENT,
    SUMMED,
    VELOCITIES,
    generic_of,
    on_axes,
    on_displacement,
    parallel_share,
)
from sr2hls.distill.symbolic.choice import GUARD, Priced, choose
from sr2hls.distill.symbolic.constants import plain_signs, snapped, template
from sr2hls.distill.symbolic.rows import Rows, chosen, component_rows, displacement, radial_rows, scalars_in, weights
from sr2hls.distill.symbolic.units import TARGET, column_units
from sr2hls.distill.trajectories import AXES, Floats, Ints
from sr2hls.errors import LoadError
from sr2hls.model import symbol
from sr2hls.operators.numeric import evaluate
from sr2hls.search.costs import OperatorCosts
from sr2hls.search.objective import expression_cost
from sr2hls.search.settings import Settings

PARALLEL = 0.98  # of |F|², the median of edges: from here on a message counts as a vector along the displacement
LONGEST_STEP, SHORTEST_STEP = 0.1, 0.003  # in r, relative, between the snapshots of a slope
Whole = Callable[[sympy.Expr], sympy.Expr]
OPERATORS = ("+", "-", "*", "/", "square", "sqrt", "exp", "log")
JUMPS = ("+", "-", "*", "/", "square", "greater")  # for laws that hold in a part of space only


@dataclass(frozen=True, slots=True)
class Wishes:
    """Of one symbolic fit.

    rows: edges (or bodies) that are fitted, at most; loss: of `sr2hls.search`, on residuals relative to the size;
    guard: see `sr2hls.distill.symbolic.choice`; exact: relative errors up to this one count as none, since no
    network is better; finalists: formulas that are pruned; the others: as in `sr2hls.search.settings.Settings`.
    """

    budget: int = 100_000
    rows: int = 2000
    operators: tuple[str, ...] = OPERATORS
    loss: str = "mse"
    guard: float = GUARD
    exact: float = 3e-3
    finalists: int = 6
    max_nodes: int = 16
    target: str = "vu9p-2"
    width: int = 16
    seed: int = 0

    def settings(self) -> Settings:
        return Settings(
            operators=self.operators, target=self.target, width=self.width, max_nodes=self.max_nodes,
            budget=self.budget, seed=self.seed, threads=1, rows=self.rows,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fitted:
    """Formulas of one part of a network.

    expressions: one per component; generic: the one formula of all axes, or None; radial: of an isotropic edge, f in
    F = f (x_i - x_j)/|x_i - x_j|; parallel: median share of |F|² along the displacement; error: root mean square
    residual relative to the size, on held-out rows (mean absolute one for the loss "mae"); fronts: the formulas to
    choose from, one tuple per search; evaluations: of the engine.
    """

    expressions: tuple[sympy.Expr, ...]
    generic: sympy.Expr | None
    radial: sympy.Expr | None
    parallel: float
    error: float
    fronts: tuple[tuple[Priced, ...], ...]
    evaluations: int


def fit_edge(
    edge: Mapping[str, Floats],
    vectors: Floats,
    *,
    softening: float = 0.0,
    scalars: Sequence[str] | None = None,
    wishes: Wishes | None = None,
    units: Mapping[str, str] | None = None,
    isotropic: bool | None = None,
) -> Fitted:
    """The formula of messages.

    Messages that point along the displacement (`parallel_share` of `PARALLEL` or more) have one formula for all axes:
    f(r, scalars) is searched, and component k is f d_k/(r - softening), where r - softening is |x_i - x_j|. Others
    have a formula per component, over dx, dy, dz, r and the scalars.

    Args:
        edge: name → (b, e), see `sr2hls.distill.graphs.edge_columns`.
        vectors: (b, e, c), in the frame of the axes for an isotropic fit, c = d.
        softening: what r has in addition to |x_i - x_j|.
        scalars: those that a formula may use, such as ("m_i", "m_j"); None: all of them. Velocities may be named, too,
            where the fit is by component.
        units: of the trajectories, see `Trajectories.units`.
        isotropic: None: as the vectors say.

    Raises:
        LoadError: too few edges, or names that are not there; those of `sr2hls.search`.
    """
    asked = wishes or Wishes()
    names = scalars_in(edge) if scalars is None else tuple(scalars)
    dimension = sum(f"d{axis}" in edge for axis in AXES)
    flat = vectors.reshape(-1, vectors.shape[-1])
    share = parallel_share(flat, displacement(edge, dimension)) if vectors.shape[-1] == dimension else 0.0
    if isotropic or (isotropic is None and share >= PARALLEL):
        rows = radial_rows(edge, vectors, names, asked.rows, asked.loss, asked.seed)
        found = _search(rows, 0, asked, units, _vector)
        best = _chosen(found[0], rows, 0, asked)
        radial = _tidied(best.expression, rows, 0, asked.loss)
        generic = on_displacement(radial, softening)
        error = _relative(best.loss, rows.targets[:, 0], rows.weights[:, 0], asked.loss)
        return Fitted(on_axes(generic, dimension), generic, radial, share, error, (found[0],), found[1])
    rows = component_rows(edge, vectors, names, asked.rows, asked.loss, asked.seed)
    return _by_component(rows, asked, units, share)


def fit_node(
    node: Mapping[str, Floats],
    summed: Floats,
    targets: Floats,
    *,
    scalars: Sequence[str] | None = None,
    wishes: Wishes | None = None,
    units: Mapping[str, str] | None = None,
    isotropic: bool = True,
) -> Fitted:
    """The formula of a node function: accelerations from summed messages, velocities and scalars of the body.

    Isotropic: one formula for all axes, found on the axes stacked, each row also with sum, v and a of the other sign
    (space has no preferred direction, so the formula is odd in them). Else one per axis.

    Args:
        node: name → (b, n), see `sr2hls.distill.graphs.node_columns`.
        summed: (b, n, c), in the frame of the axes for an isotropic fit; targets: (b, n, d).
    """
    asked = wishes or Wishes()
    dimension = targets.shape[-1]
    moves = {f"v{axis}_i" for axis in AXES}
    names = tuple(k for k in node if k not in moves) if scalars is None else tuple(scalars)
    given = targets.reshape(-1, dimension)
    total = summed.reshape(-1, summed.shape[-1])
    pick = chosen(np.sqrt((given**2).sum(-1)), asked.rows // (2 * dimension if isotropic else 1), asked.seed)
    own = {name: np.asarray(node[name], dtype=np.float64).reshape(-1)[pick] for name in names}
    size = np.sqrt((given[pick] ** 2).sum(-1))
    velocity = {axis: np.asarray(node[f"v{axis}_i"]).reshape(-1)[pick] for axis in AXES if f"v{axis}_i" in node}
    if not isotropic:
        columns = {f"sum_{k + 1}": total[pick, k] for k in range(total.shape[1])}
        columns |= {f"v{axis}_i": values for axis, values in velocity.items()} | own
        weight = np.repeat(weights(size, asked.loss)[:, None], dimension, axis=1)
        return _by_component(Rows(columns, given[pick], weight), asked, units, 0.0)
    if total.shape[1] != dimension:
        raise LoadError(f"{total.shape[1]} summed messages in {dimension} dimensions have no formula for all axes")
    signs = [(axis, sign) for axis in range(dimension) for sign in (1.0, -1.0)]

    def stacked(values: Sequence[Floats]) -> Floats:
        return np.concatenate([sign * values[axis] for axis, sign in signs])

    columns = {SUMMED: stacked(list(total[pick].T))}
    if velocity:
        columns[VELOCITIES[0]] = stacked([velocity[axis] for axis in AXES[:dimension]])
    columns |= {name: np.tile(values, len(signs)) for name, values in own.items()}
    rows = Rows(columns, stacked(list(given[pick].T))[:, None], np.tile(weights(size, asked.loss), len(signs))[:, None])
    found = _search(rows, 0, asked, units, _itself, "acceleration")
    best = _chosen(found[0], rows, 0, asked)
    error = _relative(best.loss, rows.targets[:, 0], rows.weights[:, 0], asked.loss)
    generic = _tidied(best.expression, rows, 0, asked.loss)
    return Fitted(on_axes(generic, dimension), generic, None, 1.0, error, (found[0],), found[1])


def fit_energy(
    edge: Mapping[str, Floats],
    energies: Floats,
    runs: Ints,
    *,
    softening: float = 0.0,
    scalars: Sequence[str] | None = None,
    wishes: Wishes | None = None,
    units: Mapping[str, str] | None = None,
) -> tuple[sympy.Expr, Fitted]:
    """The pair energy U(r, scalars) of a Hamiltonian network, and the force that follows from it.

    A pair energy is known up to a constant and to functions of the bodies' own scalars, which no difference within a
    run sees. So the slope between neighboring snapshots of a run, (U' - U)/(r' - r) at the middle, is fitted, and the
    formula is integrated over r. The force on i is -dU/dr along the displacement, by symbolic differentiation.

    Args:
        energies: (b, e); runs: (b,), snapshots of a run in the order of time.

    Returns:
        (U, the fit with the force's formulas). Raises LoadError where the slope's formula has no closed integral.
    """
    asked = wishes or Wishes()
    names = scalars_in(edge) if scalars is None else tuple(scalars)
    dimension = sum(f"d{axis}" in edge for axis in AXES)
    columns, slopes, weight = _slopes(edge, energies, runs, names)
    pick = chosen(np.abs(slopes) * (weight > 0), asked.rows, asked.seed)
    size = weights(np.abs(slopes[pick]), asked.loss) * weight[pick]
    rows = Rows({k: v[pick] for k, v in columns.items()}, -slopes[pick, None], size[:, None] / size.mean())
    found = _search(rows, 0, asked, units, _vector)
    best = _chosen(found[0], rows, 0, asked)
    energy = _integral(_tidied(best.expression, rows, 0, asked.loss))
    radial = sympy.expand(-sympy.diff(energy, symbol("r")))
    generic = on_displacement(radial, softening)
    error = _relative(best.loss, rows.targets[:, 0], rows.weights[:, 0], asked.loss)
    return energy, Fitted(on_axes(generic, dimension), generic, radial, 1.0, error, (found[0],), found[1])


def pair_energy(law: Law) -> sympy.Expr | None:
    """U(r, scalars) with -dU/dr = f, for a law of edges f (x_i - x_j)/|x_i - x_j|; None where there is none in powers
    of r and log r. Without constants of integration."""
    generic = generic_of(law.edge) if len(law.edge) == law.dimension else None
    if generic is None:
        return None
    radial = sympy.cancel(generic * (symbol("r") - sympy.Rational(str(law.softening))) / symbol(COMPONENT))
    if symbol(COMPONENT) in radial.free_symbols:
        return None
    try:
        return _integral(radial)
    except LoadError:
        return None


def _slopes(
    edge: Mapping[str, Floats], energies: Floats, runs: Ints, names: Sequence[str]
) -> tuple[dict[str, Floats], Floats, Floats]:
    """Columns, slopes and weights of neighboring snapshots: the error of U counts over the step in r, and steps that
    are long or very short against r are left out."""
    same = runs[1:] == runs[:-1]
    r = np.asarray(edge["r"], dtype=np.float64)
    middle, step = ((r[1:] + r[:-1]) / 2)[same], (r[1:] - r[:-1])[same]
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = (energies[1:] - energies[:-1])[same] / step
    ratio = np.abs(step) / middle
    usable = (ratio < LONGEST_STEP) & (ratio > SHORTEST_STEP)
    columns = {"r": middle.reshape(-1)} | {
        n: np.asarray(edge[n], dtype=np.float64)[1:][same].reshape(-1) for n in names
    }
    return columns, np.where(usable, slope, 0.0).reshape(-1), usable.astype(np.float64).reshape(-1)


def _integral(force: sympy.Expr) -> sympy.Expr:
    """-∫ force dr of a sum of powers of r; without constants of integration. Raises LoadError for other formulas."""
    r = symbol("r")
    found = []
    for term in sympy.Add.make_args(sympy.expand(force)):
        factor, power = term.as_independent(r)
        exponent = power.as_base_exp()[1] if power != 1 else sympy.S.Zero
        if power not in (r**exponent, sympy.S.One) or not exponent.is_Rational:
            raise LoadError(f"the slope {force} of the pair energy is no sum of powers of r; take fewer operators")
        found.append(-factor * (sympy.log(r) if exponent == -1 else r ** (exponent + 1) / (exponent + 1)))
    return sympy.Add(*found)


def _by_component(rows: Rows, asked: Wishes, units: Mapping[str, str] | None, share: float) -> Fitted:
    found = [_search(rows, k, asked, units, _itself) for k in range(rows.targets.shape[1])]
    best = [_chosen(front, rows, k, asked) for k, (front, _) in enumerate(found)]
    errors = [_relative(one.loss, rows.targets[:, k], rows.weights[:, k], asked.loss) for k, one in enumerate(best)]
    made = tuple(_tidied(one.expression, rows, k, asked.loss) for k, one in enumerate(best))
    return Fitted(
        made, None, None, share, max(errors),
        tuple(front for front, _ in found), sum(evaluations for _, evaluations in found),
    )  # fmt: skip


def _floor(rows: Rows, component: int, asked: Wishes) -> float:
    """The loss of residuals of `exact` times the target."""
    target, weight = rows.targets[:, component], rows.weights[:, component]
    power = 1 if asked.loss == "mae" else 2
    return asked.exact**power * float(np.mean(weight * np.abs(target) ** power))


def _chosen(front: Sequence[Priced], rows: Rows, component: int, asked: Wishes) -> Priced:
    return choose(front, asked.guard, _floor(rows, component, asked))


def _relative(loss: float, target: Floats, weight: Floats, kind: str) -> float:
    """A weighted loss → the root mean square (or mean absolute) residual over that of the target."""
    if kind == "mae":
        return float(loss / np.mean(weight * np.abs(target)))
    return float(np.sqrt(loss / np.mean(weight * target**2)))


def _search(
    rows: Rows, component: int, asked: Wishes, units: Mapping[str, str] | None, whole: Whole, kind: str = "force"
) -> tuple[tuple[Priced, ...], int]:
    """The front of one target, priced as part of the whole formula, and the engine's evaluations."""
    from sr2hls.distill.symbolic.stage import refine
    from sr2hls.search.run import search
    from sr2hls.search.stages import choose as engine

    settings = asked.settings()
    stages = engine("native")
    costs = stages.costs(settings)
    price = partial(_price, costs=costs, whole=whole)
    stages = replace(stages, refine=partial(refine, price=price, floor=_floor(rows, component, asked)))
    given = column_units(units or {}, rows.columns, kind)
    if given is not None:
        given["y"] = given.pop(TARGET)  # as the search calls the target of an array
    found = search(
        rows.columns, rows.targets[:, component], weights=rows.weights[:, component],
        loss=asked.loss, units=given, settings=settings, stages=stages, finalists=asked.finalists, jobs=1,
    ).outputs[0]  # fmt: skip
    return tuple(Priced(f.expression, f.cycles or 1, f.nodes, f.held_out) for f in found.front), found.evaluations


def _price(expression: sympy.Expr, costs: OperatorCosts, whole: Whole) -> float:
    return expression_cost(whole(expression), costs, "circuit")


def _vector(radial: sympy.Expr) -> sympy.Expr:
    """What is built of a radial formula: a component of the vector."""
    return radial * symbol(COMPONENT) / symbol("r")


def _itself(formula: sympy.Expr) -> sympy.Expr:
    return formula


def _tidied(found: sympy.Expr, rows: Rows, component: int, kind: str) -> sympy.Expr:
    """The formula with simple numbers where they do as well, and without needless powers of columns of signs."""
    signs = tuple(name for name, column in rows.columns.items() if np.all(np.abs(column) == 1))
    free = template([plain_signs(found, signs)])

    def loss(values: Sequence[float]) -> float:
        predicted = evaluate(free.expressions[0], rows.columns | dict(zip(free.names, values, strict=True)))
        residual = np.abs(predicted - rows.targets[:, component])
        return float(np.mean(rows.weights[:, component] * (residual if kind == "mae" else residual**2)))

    return snapped(free, loss).at()[0] if free.names else free.expressions[0]
