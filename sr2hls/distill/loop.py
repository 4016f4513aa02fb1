"""A trained network → a `Law`: each part is replaced by its formula and frozen, the rest trained again, to the end.

1. The messages of the network, in the frame of the axes (`sr2hls.distill.extract.frame`), give a front of formulas.
   Each is tried as part of a law whose node function is what the frame says (the sum, over the mass or not), with its
   constants fitted to the data; the rule of `choice` takes one.
2. The edge formula replaces the edge perceptron and is frozen; a node perceptron is trained on top of it. The
   strategies "newton" and "hamiltonian" fix the node function: sum over mass.
3. The outputs of that perceptron give formulas of the node function, of which one is taken in the same way.
4. All constants of the law are fitted to the accelerations together.

After Cranmer et al. 2020 (section 4) and SymTorch (Tan, Soubki, Cranmer, arXiv 2602.21307).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import sympy

from sr2hls.distill.evaluate import Errors, law_errors, network_errors
from sr2hls.distill.extract.frame import Framed, frame
from sr2hls.distill.graphs import Graphs
from sr2hls.distill.law import Law, sum_symbol
from sr2hls.distill.records import Record
from sr2hls.distill.symbolic.axes import on_axes, on_displacement
from sr2hls.distill.symbolic.choice import Priced
from sr2hls.distill.symbolic.constants import plain_signs
from sr2hls.distill.symbolic.fit import JUMPS, Fitted, Wishes, fit_edge, fit_energy, fit_node, pair_energy
from sr2hls.distill.symbolic.select import edge_part, node_part, select
from sr2hls.distill.symbolic.sharpen import sharpen
from sr2hls.distill.trajectories import MASS
from sr2hls.errors import LoadError
from sr2hls.model import symbol
from sr2hls.search.settings import Settings

if TYPE_CHECKING:
    from sr2hls.distill.networks.trained import Trained

RECORDED = 1500  # snapshots whose messages are fitted
POOR = 0.02  # relative error of a law on the data from which messages are fitted again
OWN_SHARE = 0.1  # of the rest that a column must account for to be a term of the node function
FIXED_NODE = ("newton", "hamiltonian")


@dataclass(frozen=True, slots=True)
class Stage:
    """One state of the mixed model: name; errors on held-out snapshots; about: for people."""

    name: str
    errors: Errors
    about: str = ""


@dataclass(frozen=True, slots=True)
class Distilled:
    """law: all symbolic; stages: from the network to the law; edge, node: the fits, node None where it is fixed;
    edge_rows: the formulas of the edge as parts of laws, loss on the data; framed: the frame, None for energies;
    energy: of a pair, where the network has one."""

    law: Law
    stages: tuple[Stage, ...]
    edge: Fitted
    node: Fitted | None
    edge_rows: tuple[Priced, ...]
    framed: Framed | None = None
    energy: sympy.Expr | None = None


def distill_law(
    trained: Trained,
    graphs: Graphs,
    held_out: Graphs,
    *,
    system: str = "trajectories",
    wishes: Wishes | None = None,
    steps: int = 1500,
    seed: int = 0,
    tell: Callable[[Stage], object] | None = None,
) -> Distilled:
    """All parts of a trained network as formulas; see the module.

    Args:
        trained: of `sr2hls.distill.networks.train`.
        graphs: the snapshots it was trained on; formulas and constants are fitted to these.
        held_out: others, for the errors that are reported.
        steps: of the training of the node perceptron on top of the edge formula.
        tell: called with each stage.

    Raises:
        LoadError: the messages have no frame, or too few rows; those of the fits. ToolError: a package is missing.
    """
    asked = wishes or Wishes(seed=seed)
    stages: list[Stage] = []

    def note(name: str, errors: Errors, about: str = "") -> None:
        stages.append(Stage(name, errors, about))
        if tell is not None:
            tell(stages[-1])

    note("network", network_errors(trained, held_out))
    record = trained.record(graphs.spread(RECORDED))
    framed, energy = None, None
    if trained.recipe.strategy == "hamiltonian":
        whole = _whole_runs(graphs, RECORDED)
        edge, energy = _energy(trained, whole, asked)
        node, turned = _over_mass(graphs), True
    else:
        framed = frame(record)
        edge = fit_edge(record.edge, framed.vectors, softening=graphs.softening, wishes=asked, units=graphs.units)
        node, turned = _node_of(framed, record)
    edge, law, rows = _take_edge(edge, node, graphs, record, framed, asked, system)
    note("edge formula", law_errors(law, held_out), str(edge_part(law)[0].evalf(4)))
    fitted = None
    if trained.recipe.strategy not in FIXED_NODE:
        fitted, law = _take_node(trained, law, graphs, asked, turned, steps, seed, held_out, note)
    done = sharpen(law, graphs, seed=seed)
    if energy is not None:
        energy = pair_energy(done.law) or energy
    note("law", law_errors(done.law, held_out), f"{done.constants} constants fitted to the accelerations")
    return Distilled(done.law, tuple(stages), edge, fitted, rows, framed, energy)


def _take_edge(
    edge: Fitted, node: tuple[sympy.Expr, ...], graphs: Graphs, record: Record, framed: Framed | None, asked: Wishes,
    system: str,
) -> tuple[Fitted, Law, tuple[Priced, ...]]:  # fmt: skip
    """The edge formula to take. Where the data say that none is good, messages are fitted again in other ways."""

    def laws(fit: Fitted) -> list[Law]:
        made = [fit.expressions, *_others(fit, graphs, record)]
        return [Law(graphs.size[2], tuple(e), node, graphs.softening, system) for e in made]

    found = select(laws(edge), graphs, _priced(asked), part=edge_part, guard=asked.guard, seed=asked.seed)
    for other in _again(asked):
        if found.found.loss <= POOR**2 or framed is None:
            break
        again = fit_edge(record.edge, framed.vectors, softening=graphs.softening, wishes=other, units=graphs.units)
        both = [*found.laws, *laws(again)]
        found = select(both, graphs, _priced(asked), part=edge_part, guard=asked.guard, seed=asked.seed)
        edge = replace(again, fronts=(*edge.fronts, *again.fronts))
    return edge, found.found.law, found.rows


def _priced(asked: Wishes) -> Settings:
    """The settings for costs: of all operators that any of the fits may use."""
    return replace(asked.settings(), operators=tuple(dict.fromkeys((*asked.operators, *JUMPS))))


def _again(asked: Wishes) -> tuple[Wishes, ...]:
    """What is tried where no formula is good on the data: operators with jumps, then another loss."""
    other = "mae" if asked.loss != "mae" else "mse"
    jumps = replace(asked, operators=JUMPS, budget=2 * asked.budget, seed=asked.seed + 1)
    found = [replace(asked, loss=other, seed=asked.seed + 2)]
    if "greater" not in asked.operators:
        found = [jumps, replace(jumps, loss=other), *found]
    return tuple(found)


def _others(fit: Fitted, graphs: Graphs, record: Record) -> list[tuple[sympy.Expr, ...]]:
    """The other formulas of an isotropic fit's front, on the axes."""
    if fit.radial is None:
        return []
    signs = tuple(name for name, values in record.edge.items() if np.all(np.abs(values) == 1))
    found = []
    for front in fit.fronts:
        for row in front:
            if row.expression.free_symbols:
                found.append(
                    on_axes(on_displacement(plain_signs(row.expression, signs), graphs.softening), graphs.size[2])
                )
    return found


def _take_node(
    trained: Trained, law: Law, graphs: Graphs, asked: Wishes, isotropic: bool, steps: int, seed: int,
    held_out: Graphs, note: Callable[..., None],
) -> tuple[Fitted, Law]:  # fmt: skip
    """The edge frozen as a formula, the node trained again, and its formula."""
    from sr2hls.distill.networks.retrain import with_edge_formula

    mixed = with_edge_formula(trained, law.edge, graphs, replace(trained.recipe, steps=steps, seed=seed))
    note("edge formula, node trained again", network_errors(mixed, held_out))
    record = mixed.record(graphs.spread(RECORDED))
    fitted = fit_node(
        record.node, record.summed, record.predicted, wishes=asked, units=graphs.units, isotropic=isotropic
    )
    nodes = [fitted.expressions, law.node]
    if fitted.generic is not None:
        nodes += [on_axes(row.expression, law.dimension) for row in fitted.fronts[0] if row.expression.free_symbols]
    laws = [replace(law, node=tuple(node)) for node in nodes]
    found = select(laws, graphs, _priced(asked), part=node_part, guard=asked.guard, seed=seed)
    note("node formula", law_errors(found.found.law, held_out), str(node_part(found.found.law)[0].evalf(4)))
    return fitted, found.found.law


def _node_of(framed: Framed, record: Record) -> tuple[tuple[sympy.Expr, ...], bool]:
    """The node function that the frame says, per axis, and whether no axis is preferred: the sum and own terms, over
    the mass for forces."""
    d = record.accelerations.shape[-1]
    mass = symbol(f"{MASS}_i") if framed.target == "force" and f"{MASS}_i" in record.node else sympy.S.One
    own = _own_terms(framed, record) if framed.has_own else [{} for _ in range(d)]
    drag = [terms.get(f"v{axis}_i") for axis, terms in zip("xyz", own, strict=False)]
    isotropic = all(set(terms) <= {f"v{axis}_i"} for axis, terms in zip("xyz", own, strict=False))
    if isotropic and all(drag):
        mean = float(np.mean([value for value in drag if value is not None]))
        own = [{f"v{axis}_i": mean} for axis in "xyz"[:d]]
    node = []
    for k, terms in enumerate(own):
        total = sum_symbol(k + 1)
        for name, value in terms.items():
            factor = sympy.Rational(str(round(value, 6)))
            total = total + factor * (sympy.S.One if name == "1" else symbol(name))
        node.append(total / mass)
    return tuple(node), isotropic


def _own_terms(framed: Framed, record: Record) -> list[dict[str, float]]:
    """Per axis: the columns of the body that matter in the linear fit of what the messages leave."""
    d = record.accelerations.shape[-1]
    size = np.median(np.abs(framed.rest), axis=(0, 1))
    found: list[dict[str, float]] = [{} for _ in range(d)]
    for name, slopes in framed.own.items():
        typical = 1.0 if name == "1" else float(np.median(np.abs(record.node[name])))
        for k in range(d):
            if abs(float(slopes[k])) * typical > OWN_SHARE * float(size[k]):
                found[k][name] = float(slopes[k])
    return found


def _over_mass(graphs: Graphs) -> tuple[sympy.Expr, ...]:
    return tuple(sum_symbol(k + 1) / symbol(f"{MASS}_i") for k in range(graphs.size[2]))


def _energy(trained: Trained, graphs: Graphs, asked: Wishes) -> tuple[Fitted, sympy.Expr | None]:
    """The pair energy's formula and its force; where its slope has no closed integral, the pair forces' formula."""
    record = trained.record(graphs)
    try:
        energy, fitted = fit_energy(
            record.edge,
            record.messages[..., 0],
            graphs.run,
            softening=graphs.softening,
            wishes=asked,
            units=graphs.units,
        )
    except LoadError:
        forces = trained.map_edges(graphs, cast(Any, trained.network).pair_forces)
        return fit_edge(record.edge, forces, softening=graphs.softening, wishes=asked, units=graphs.units), None
    return fitted, energy


def _whole_runs(graphs: Graphs, count: int) -> Graphs:
    """The first runs, in the order of time, of about as many snapshots."""
    runs = graphs.run[np.sort(np.unique(graphs.run, return_index=True)[1])]
    per = max(1, len(graphs.run) // max(1, len(runs)))
    return graphs.rows(np.flatnonzero(np.isin(graphs.run, runs[: max(1, count // per)])))
