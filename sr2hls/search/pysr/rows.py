"""Rows of PySR's hall of fame → candidates: exact expressions over the problem's names, losses and costs recomputed."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import sympy

from sr2hls.errors import LoadError, UnsupportedError
from sr2hls.load import Catalog, read
from sr2hls.load.parser import Call as Apply
from sr2hls.load.parser import Name, Node, parse
from sr2hls.load.syntax import row_dialect
from sr2hls.model import symbol
from sr2hls.operators import rebuild
from sr2hls.operators.numeric import evaluate
from sr2hls.search.candidate import Candidate
from sr2hls.search.problem import Problem
from sr2hls.search.pysr.call import Call
from sr2hls.search.pysr.scale import MILS, Scale
from sr2hls.search.pysr.vocabulary import canonical
from sr2hls.search.refine.metrics import loss as loss_of


@dataclass(frozen=True, slots=True)
class Measure:
    """Of one tree as PySR holds it: nodes; thousandths of a cycle on its critical path and in sum; LUTs; its inputs."""

    nodes: int
    path: int
    total: int
    luts: int
    inputs: frozenset[str]

    def cost(self, scale: Scale) -> float:
        """In the units of the objective: nodes, or cycles."""
        if scale.objective == "nodes":
            return float(self.nodes)
        return (self.total if scale.objective == "sum" else self.path) / MILS

    def allowed(self, scale: Scale) -> bool:
        """Whether it keeps the hard limits."""
        cycles = self.total if scale.objective == "sum" else self.path
        pairs = ((self.nodes, scale.max_nodes), (cycles, scale.max_cycles), (self.luts, scale.max_luts))
        return all(limit is None or value <= limit for value, limit in pairs)


def _fused(cost: int, inputs: frozenset[str], cap: int | None) -> int:
    if cap is None or len(inputs) > 1:
        return cost
    return min(cost, cap) if inputs else 0


def measure(tree: Node, scale: Scale) -> Measure:
    """The tree of one printed row, measured as the generated Julia text does."""
    if not isinstance(tree, Apply):
        return Measure(1, 0, 0, 0, frozenset([tree.name] if isinstance(tree, Name) else []))
    name, arguments = tree.name, tree.arguments
    second = arguments[1] if len(arguments) == 2 else None
    if name == "+" and isinstance(second, Apply) and second.name == "-" and len(second.arguments) == 1:
        name, arguments = "-", (arguments[0], second.arguments[0])  # how the parser reads a - b
    elif name == "-" and len(arguments) == 1:
        name = "neg"
    name = name if name in scale.cycles or name in scale.luts else canonical(name)
    parts = [measure(a, scale) for a in arguments]
    inputs = frozenset[str]().union(*(p.inputs for p in parts))
    here = scale.cycles.get(name, 0)
    return Measure(
        1 + sum(p.nodes for p in parts),
        _fused(here + max(p.path for p in parts), inputs, scale.table_cycles),
        here + sum(p.total for p in parts),
        _fused(scale.luts.get(name, 0) + sum(p.luts for p in parts), inputs, scale.table_luts),
        inputs,
    )


def _renamed(node: sympy.Basic, names: Mapping[str, str]) -> sympy.Expr:
    if node.is_Symbol:
        return symbol(names[node.name])
    return rebuild(node, tuple(_renamed(a, names) for a in node.args)) if node.args else node


def _candidate(
    catalog: Catalog, index: int, problem: Problem, call: Call, names: Mapping[str, str]
) -> Candidate | None:
    row = catalog.outputs[0][index]
    expression = catalog.choose(index).outputs[0].expression
    if any(old != new for old, new in names.items()):
        expression = _renamed(expression, names)
    try:
        size = measure(parse(row.equation, row_dialect(call.precision)), call.scale)
    except LoadError:  # a row of a template: PySR's own number is all there is
        size = None
    if size is not None and not size.allowed(call.scale):
        return None
    values = evaluate(expression, {n: problem.X[:, i] for i, n in enumerate(problem.names)})
    loss = loss_of(problem, np.broadcast_to(values, problem.y.shape))
    if not math.isfinite(loss):  # finite in PySR's precision only
        return None
    cost = float(row.complexity or 0) if size is None else size.cost(call.scale)
    timed = size is not None and bool(call.scale.cycles)
    return Candidate(expression, loss, cost, size.path / MILS if size is not None and timed else None, "pysr")


def candidates_in(folder: Path, problem: Problem, call: Call) -> tuple[Candidate, ...]:
    """What a run has left in its folder, cost rising; rows beyond a hard limit are dropped.

    A row that has no meaning as a real formula is passed over with a warning. Raises LoadError where there is no hall
    of fame, UnsupportedError where no row at all has a meaning.
    """
    texts = tuple(text for text in call.operators.texts.values())
    catalog = read(folder, inputs=call.columns, precision=call.precision, operators=texts)
    names = dict(zip(call.columns, problem.names, strict=True))
    found: list[Candidate] = []
    refused: list[str] = []
    for index in range(len(catalog.outputs[0])):
        try:
            candidate = _candidate(catalog, index, problem, call, names)
        except UnsupportedError as error:
            refused.append(str(error))
            continue
        if candidate is not None:
            found.append(candidate)
    if refused and not found:
        raise UnsupportedError(f"no equation of the run can be used; the first: {refused[0]}")
    for reason in refused:
        warnings.warn(f"an equation of PySR's is passed over: {reason}", RuntimeWarning, stacklevel=2)
    return tuple(sorted(found, key=lambda c: (c.cost, c.loss)))
