"""Cost tables → the Julia text that PySR evaluates: complexity as critical path, losses, hard limits.

Each text is one named top-level function with literal tables: PySR copies it to worker processes by name, without what
it would refer to. The name ends in a digest of the text, so two searches in one process do not redefine each other's.
An operator is known in a tree by its place among those of its number of arguments (`node.op`, from 1), never by name.
`tree_mapreduce(leaf, branch, combine, tree)` calls `combine(branch(node), children...)`; leaves have no branch.
"""

from __future__ import annotations

import hashlib
import textwrap
from collections.abc import Mapping

from sr2hls.search.pysr.scale import Scale
from sr2hls.search.pysr.vocabulary import Operators

_ARITY_WORDS = {1: "unary", 2: "binary", 3: "ternary"}
PATH, SUM = "maximum", "sum"  # how the costs of the arguments combine

# Of one row, from the prediction p and the target t; the literals are whole, so the type of the data is kept.
ROW_LOSSES = {
    "mse": "(p - t)^2",
    "mae": "abs(p - t)",
    "huber": "ifelse(abs(p - t) <= 1, (p - t)^2 / 2, abs(p - t) - one(p) / 2)",
    "logistic": "max(p, zero(p)) - p * t + log1p(exp(-abs(p)))",
}
_BUILT_IN = {"mse": "L2DistLoss()", "mae": "L1DistLoss()"}


def _named(stem: str, text: str) -> str:
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return text.replace("NAME", f"sr2hls_{stem}_{digest}")


def _tuple(values: list[int]) -> str:
    return "(" + ", ".join(map(str, values)) + ("," if len(values) == 1 else "") + ")"


# With tables: (cost, input), the input 0 for a constant and -1 for several; what has one input costs a table at most.
_FUSED = """\
{result} = first(tree_mapreduce(
    leaf -> leaf.constant ? (0, 0) : (0, Int(leaf.feature)),
    node -> {pick},
    (here, children...) -> begin
        cost = here + {combine}(map(first, children))
        inputs = map(last, children)
        input = maximum(inputs)
        all(i -> i == 0, inputs) && return (0, 0)
        input > 0 && all(i -> i == 0 || i == input, inputs) && return (min(cost, {cap}), input)
        return (cost, -1)
    end,
    {tree},
))"""
_PLAIN = """\
{result} = tree_mapreduce(
    leaf -> 0,
    node -> {pick},
    (here, children...) -> here + {combine}(children),
    {tree},
)"""


def reduction(
    result: str, operators: Operators, table: Mapping[str, int], combine: str, tree: str, cap: int | None = None
) -> str:
    """Julia statements that set `result` to the cost of `tree`; combine: PATH or SUM; cap: the cost of a table."""
    arities = sorted(operators.names)
    names = {n: f"{result}_{_ARITY_WORDS[n]}" for n in arities}  # each assigned once: Julia boxes what it reassigns
    lines = [f"{names[n]} = {_tuple([table[o] for o in operators.names[n]])}" for n in arities]
    pick = f"{names[arities[-1]]}[node.op]"
    for n in reversed(arities[:-1]):
        pick = f"node.degree == {n} ? {names[n]}[node.op] : {pick}"
    shape = _PLAIN if cap is None else _FUSED
    lines.append(shape.format(result=result, pick=pick, combine=combine, cap=cap, tree=tree))
    return "\n".join(lines)


def complexity_mapping(operators: Operators, scale: Scale) -> str:
    """Text for PySR's `complexity_mapping`: 1 + the critical path in units, rounded up.

    Beyond the limit on cycles or nodes it is maxsize + 1, which has no place in the hall of fame and which crossover
    refuses (PySR counts nodes itself for mutations only); without a limit on cycles, at most
    maxsize. Costs do not depend on the values of constants, since PySR keeps a complexity when it refits them.
    """
    lines = ["tree = get_tree(ex)"]
    if scale.max_nodes is not None:
        lines += [f"count_nodes(tree) > {scale.max_nodes} && return {scale.maxsize + 1}"]
    lines += [reduction("cycles", operators, scale.cycles, PATH, "tree", scale.table_cycles)]
    size = f"min(1 + cld(cycles, {scale.unit}), {scale.maxsize})"
    if scale.max_cycles is not None:
        lines += [f"cycles > {scale.max_cycles} && return {scale.maxsize + 1}"]
    body = textwrap.indent("\n".join([*lines, f"return {size}"]), "    ")
    return _named("path", f"function NAME(ex)\n{body}\nend")


def elementwise_loss(kind: str, weighted: bool) -> str:
    """Text for PySR's `elementwise_loss`. With weights PySR divides the sum by the sum of the weights."""
    if kind in _BUILT_IN:
        return _BUILT_IN[kind]
    row = ROW_LOSSES[kind]
    return _named(kind, f"NAME(p, t, w) = w * ({row})" if weighted else f"NAME(p, t) = {row}")


def limited_loss(kind: str, weighted: bool, operators: Operators, scale: Scale) -> str:
    """Text for PySR's `loss_function`: infinite beyond the limits on cycles or LUTs, where nothing is evaluated.

    A complexity of maxsize + 1 alone would not do: mutations are checked by nodes, and trees beyond the limit, fitting
    better, would fill the populations.
    """
    lines = []
    if scale.max_cycles is not None:
        combine = SUM if scale.objective == "sum" else PATH
        lines += [reduction("cycles", operators, scale.cycles, combine, "tree", scale.table_cycles)]
        lines += [f"cycles > {scale.max_cycles} && return L(Inf)"]
    if scale.max_luts is not None:
        lines += [reduction("luts", operators, scale.luts, SUM, "tree", scale.table_luts)]
        lines += [f"luts > {scale.max_luts} && return L(Inf)"]
    lines += ["prediction, complete = eval_tree_array(tree, dataset.X, options)", "complete || return L(Inf)"]
    lines += [f"losses = map((p, t) -> {ROW_LOSSES[kind]}, prediction, dataset.y)"]
    mean = "sum(losses .* dataset.weights) / sum(dataset.weights)" if weighted else "sum(losses) / length(losses)"
    body = textwrap.indent("\n".join([*lines, f"return L({mean})"]), "    ")
    return _named("limited", f"function NAME(tree, dataset::Dataset{{T,L}}, options)::L where {{T,L}}\n{body}\nend")
