"""The Julia text that PySR is given, read by a Python model of `tree_mapreduce` → equal to the costs it was made from.

No Julia runs here. The model reads the tables, the choice of the table, the way in which costs combine, and the
final number from the generated text itself, so that a table in a wrong order, or a limit in a wrong unit, shows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
import pytest

from sr2hls.load.assemble import Scope, Value, assemble
from sr2hls.load.parser import parse
from sr2hls.load.syntax import JULIA, row_dialect
from sr2hls.model import symbol
from sr2hls.operators.numeric import evaluate
from sr2hls.search.costs import OperatorCosts
from sr2hls.search.pysr import julia
from sr2hls.search.pysr.rows import measure
from sr2hls.search.pysr.scale import LEAST_MAXSIZE, Scale, scale_of
from sr2hls.search.pysr.vocabulary import BINARY, UNARY, Operators, operators_of
from sr2hls.search.refine.metrics import row_losses
from sr2hls.search.settings import Settings


@dataclass(frozen=True)
class Leaf:
    """A node without arguments, as DynamicExpressions holds it."""

    constant: bool
    feature: int = 0
    degree: int = 0


@dataclass(frozen=True)
class Branch:
    """A node that is known by its place (from 1) among the operators of its number of arguments."""

    op: int
    children: tuple[Any, ...]

    @property
    def degree(self) -> int:
        return len(self.children)


def tree_mapreduce(leaf: Callable[..., Any], branch: Callable[..., Any], combine: Callable[..., Any], tree: Any) -> Any:
    """DynamicExpressions' reduction: `combine(branch(node), children...)`, leaves on their own."""
    if tree.degree == 0:
        return leaf(tree)
    return combine(branch(tree), *(tree_mapreduce(leaf, branch, combine, child) for child in tree.children))


def tables_of(text: str) -> dict[str, tuple[int, ...]]:
    found = re.findall(r"^ +(\w+) = \(([\d, ]+)\)$", text, re.MULTILINE)
    assert len({name for name, _ in found}) == len(found)  # Julia boxes a captured variable that is set twice
    assert all("," in values for _, values in found)  # (3) would be a number
    return {name: tuple(int(v) for v in values.split(",") if v.strip()) for name, values in found}


def picked(pick: str, tables: Mapping[str, tuple[int, ...]], node: Branch) -> int:
    condition = re.fullmatch(r"node\.degree == (\d) \? (\w+)\[node\.op\] : (.+)", pick)
    if condition and node.degree != int(condition[1]):
        return picked(condition[3], tables, node)
    name = condition[2] if condition else re.fullmatch(r"(\w+)\[node\.op\]", pick)[1]
    return tables[name][node.op - 1]


COMBINE = {"maximum": max, "sum": sum}
FUSED_LEAF = "leaf -> leaf.constant ? (0, 0) : (0, Int(leaf.feature))"


def fused(function: Callable[..., int], cap: int) -> Callable[..., tuple[int, int]]:
    def combine(here: int, *children: tuple[int, int]) -> tuple[int, int]:
        cost = here + function([c[0] for c in children])
        inputs = [c[1] for c in children]
        if all(i == 0 for i in inputs):
            return 0, 0
        if max(inputs) > 0 and all(i in (0, max(inputs)) for i in inputs):
            return min(cost, cap), max(inputs)
        return cost, -1

    return combine


FUSED_BLOCK = re.compile(
    r"\(here, children\.\.\.\) -> begin\n"
    r" +cost = here \+ (maximum|sum)\(map\(first, children\)\)\n"
    r" +inputs = map\(last, children\)\n"
    r" +input = maximum\(inputs\)\n"
    r" +all\(i -> i == 0, inputs\) && return \(0, 0\)\n"
    r" +input > 0 && all\(i -> i == 0 \|\| i == input, inputs\) && return \(min\(cost, (\d+)\), input\)\n"
    r" +return \(cost, -1\)\n"
    r" +end,\n +tree,\n"
)


def reduced(text: str, result: str, tree: Any) -> int:
    """The value of `result = tree_mapreduce(...)` in the text."""
    tables = tables_of(text)
    block = re.search(rf"^ +{result} = (first\()?tree_mapreduce\(\n(.*?)^    \)\)?$", text, re.MULTILINE | re.DOTALL)[0]
    leaf, pick = re.search(r"^ +(leaf -> .+),\n +node -> (.+),$", block, re.MULTILINE).groups()

    def branch(node: Branch) -> int:
        return picked(pick, tables, node)

    whole = FUSED_BLOCK.search(block)
    if whole is not None:
        assert leaf == FUSED_LEAF
        function = fused(COMBINE[whole[1]], int(whole[2]))
        return tree_mapreduce(lambda n: (0, 0 if n.constant else n.feature), branch, function, tree)[0]
    assert leaf == "leaf -> 0"
    name = re.search(r"\(here, children\.\.\.\) -> here \+ (\w+)\(children\),\n +tree,\n", block)[1]
    return tree_mapreduce(lambda n: 0, branch, lambda here, *children: here + COMBINE[name](children), tree)


def count_nodes(node: Any) -> int:
    return 1 + (sum(count_nodes(c) for c in node.children) if node.degree else 0)


def complexity(text: str, tree: Any) -> int:
    """What the mapping returns: its early returns in their order, then its last line."""
    assert "\n    tree = get_tree(ex)\n" in text
    assert text.index("count_nodes") < text.index("cycles = ")
    cycles = reduced(text, "cycles", tree)
    for value, what in ((count_nodes(tree), r"count_nodes\(tree\)"), (cycles, "cycles")):
        early = re.search(rf"^    {what} > (\d+) && return (\d+)$", text, re.MULTILINE)
        if early and value > int(early[1]):
            return int(early[2])
    unit, most = re.search(r"return min\(1 \+ cld\(cycles, (\d+)\), (\d+)\)\nend$", text).groups()
    return min(1 + -(-cycles // int(unit)), int(most))


def random_tree(random: np.random.Generator, operators: Operators, nodes: int, features: int) -> Any:
    if nodes <= 1:
        return Leaf(True) if random.random() < 0.3 else Leaf(False, int(random.integers(1, features + 1)))
    arity = int(random.choice(sorted(operators.names)))
    shares = random.multinomial(nodes - 1, [1 / arity] * arity)
    op = int(random.integers(1, len(operators.names[arity]) + 1))
    return Branch(op, tuple(random_tree(random, operators, int(n), features) for n in shares))


def name_of(node: Branch, operators: Operators) -> str:
    return operators.names[node.degree][node.op - 1]


def printed(node: Any, operators: Operators) -> str:
    """As DynamicExpressions prints a tree (outermost brackets kept, which reads the same)."""
    if node.degree == 0:
        return "-1.5" if node.constant else f"x{node.feature - 1}"
    name, parts = name_of(node, operators), [printed(c, operators) for c in node.children]
    if node.degree == 2 and not name[0].isalpha():
        return f"({parts[0]} {name} {parts[1]})"
    return f"{name}({', '.join(parts)})"


def inputs_of(node: Any) -> set[int]:
    if node.degree == 0:
        return set() if node.constant else {node.feature}
    return set().union(*(inputs_of(c) for c in node.children))


def expected(node: Any, operators: Operators, table: Mapping[str, int], how: Any, cap: int | None) -> int:
    """The cost of a tree from the figures by operator name: nothing of the generated text, nothing of its order."""
    if node.degree == 0:
        return 0
    cost = table[name_of(node, operators)] + how(expected(c, operators, table, how, cap) for c in node.children)
    count = len(inputs_of(node))
    return cost if cap is None or count > 1 else min(cost, cap) if count else 0


def random_costs(random: np.random.Generator) -> OperatorCosts:
    names = [*UNARY, *BINARY]
    cycles = dict(zip(names, random.choice([0.0, 0.04, 0.3, 0.81, 1.2, 2.5, 11.7], len(names)), strict=True))
    luts = dict(zip(names, random.integers(0, 900, len(names)).astype(float), strict=True))
    return OperatorCosts("random", 5.0, cycles, luts, {}, 1.1, 120.0, 0.5, 30.0, "random figures")


CASES = [
    (("sin", "+", "exp", "*", "log", "/", "-"), "path"),
    (("/", "-", "sqrt", "*", "+", "square", "cos"), "circuit"),
    (("^", "+"), "path"),
    (("greater", "max", "tanh"), "circuit"),
    (("neg", "sin"), "path"),
    (("+", "-", "*", "erf"), "sum"),
]


@pytest.mark.parametrize(("names", "objective"), CASES)
def test_generated_text_counts_what_the_costs_say(names: tuple[str, ...], objective: str) -> None:
    random = np.random.default_rng(len(names))
    for trial in range(12):
        costs = random_costs(random)
        limits = {"max_cycles": float(random.uniform(1, 20)), "max_luts": 1500.0} if trial % 2 else {}
        operators = operators_of(names, {}, (2, 7))
        settings = Settings(operators=names, objective=objective, max_nodes=int(random.integers(3, 40)), **limits)
        scale = scale_of(settings, costs, operators)
        guard = julia.limited_loss("mse", False, operators, scale) if limits else ""
        mapping = "" if objective == "sum" else julia.complexity_mapping(operators, scale)
        cap = scale.table_cycles
        for _ in range(25):
            tree = random_tree(random, operators, int(random.integers(1, 25)), 3)
            how = sum if objective == "sum" else max
            cycles = expected(tree, operators, {n: round(1000 * c) for n, c in costs.cycles.items()}, how, cap)
            row = measure(parse(printed(tree, operators), row_dialect(32)), scale)
            assert (row.total if objective == "sum" else row.path) == cycles
            allowed = True
            if limits:
                luts = expected(tree, operators, {n: round(a) for n, a in costs.luts.items()}, sum, scale.table_luts)
                assert reduced(guard, "cycles", tree) == cycles
                assert reduced(guard, "luts", tree) == luts == row.luts
                allowed = cycles <= 1000 * limits["max_cycles"] + 0.5 and luts <= 1500
                assert f"cycles > {round(1000 * limits['max_cycles'])} && return L(Inf)" in guard
                assert "luts > 1500 && return L(Inf)" in guard
            big = scale.max_nodes is not None and row.nodes > scale.max_nodes
            assert row.nodes == count_nodes(tree)
            assert row.allowed(scale) == (allowed and not big)
            if mapping:
                steps = 1 + ceil(cycles / scale.unit)
                late = bool(limits) and cycles > scale.max_cycles
                assert complexity(mapping, tree) == (scale.maxsize + 1 if late or big else min(steps, scale.maxsize))


def test_a_wrong_order_of_a_table_would_show() -> None:
    """The model above can fail: the same text with two entries exchanged gives another number."""
    operators = operators_of(("sin", "exp", "+"), {}, (2, 7))
    scale = Scale("path", 30, 100, {"sin": 1200, "exp": 1500, "+": 300}, max_nodes=30)
    text = julia.complexity_mapping(operators, scale)
    tree = Branch(1, (Leaf(False, 1),))
    assert complexity(text, tree) == 13
    assert complexity(text.replace("(1200, 1500)", "(1500, 1200)"), tree) == 16


@pytest.mark.parametrize("objective", ["nodes", "sum", "path", "circuit"])
def test_the_hall_of_fame_is_never_empty(objective: str) -> None:
    """A leaf has complexity 1, and every operator on leaves that keeps the limit has a place in the hall of fame."""
    random = np.random.default_rng(5)
    for _ in range(200):
        names = tuple(random.choice([*UNARY, *BINARY], int(random.integers(1, 9)), replace=False))
        operators, costs = operators_of(names, {}, (1, 5)), random_costs(random)
        limit = float(random.choice([0.2, 0.9, 1, 3, 7.5, 40, 400])) if random.random() < 0.7 else None
        nodes = int(random.integers(1, 60))
        scale = scale_of(Settings(objective=objective, max_cycles=limit, max_nodes=nodes), costs, operators)
        assert LEAST_MAXSIZE <= scale.maxsize <= max(150, LEAST_MAXSIZE)
        if limit is not None and objective in ("path", "circuit"):
            steps = 1 + ceil(1000 * limit / scale.unit)  # the slowest formula that is allowed still has its own step
            assert steps <= scale.maxsize
            assert steps > scale.maxsize // 2 or scale.unit == 1 or 1000 * limit / (scale.unit - 1) > scale.maxsize - 1
        for name in operators.all:
            arity = operators.arity(name)
            place = operators.names[arity].index(name) + 1
            tree = Branch(place, tuple(Leaf(False, 1 + i) for i in range(arity)))
            if limit is not None and costs.cycles[name] > limit:
                continue
            if objective == "sum":
                size = scale.steps[name] + arity
                assert scale.steps[name] >= 1
            elif objective == "nodes":
                size = 1 + arity
            else:
                text = julia.complexity_mapping(operators, scale)
                assert complexity(text, Leaf(True)) == complexity(text, Leaf(False, 2)) == 1
                size = complexity(text, tree)
            assert 1 <= size <= scale.maxsize


def test_names_tell_texts_apart() -> None:
    operators = operators_of(("sin", "+"), {}, (2, 7))
    one = julia.complexity_mapping(operators, Scale("path", 30, 100, {"sin": 1200, "+": 300}))
    two = julia.complexity_mapping(operators, Scale("path", 30, 100, {"sin": 1200, "+": 301}))
    names = [re.match(r"function (sr2hls_path_[0-9a-f]{8})\(ex\)", text)[1] for text in (one, two)]
    assert names[0] != names[1]
    assert "NAME" not in one


@pytest.mark.parametrize("kind", ["mse", "mae", "huber", "logistic"])
def test_losses_mean_what_the_problem_means(kind: str) -> None:
    """The Julia text of a loss, read by the loader, against the loss of the second stage."""
    random = np.random.default_rng(2)
    p = np.concatenate([random.normal(size=200) * 3, [-80.0, 80.0, 0.0]])
    t = (random.random(203) < 0.5) * 1.0 if kind == "logistic" else random.normal(size=203)
    wanted = row_losses(kind, p, t)

    def value(text: str, **given: Any) -> Any:
        scope = Scope({name: Value(symbol(name)) for name in given}, julia=True)
        return evaluate(assemble(parse(text, JULIA), text, scope).expression, given)

    np.testing.assert_allclose(value(julia.ROW_LOSSES[kind], p=p, t=t), wanted, rtol=1e-12, atol=1e-12)
    plain, weighted = julia.elementwise_loss(kind, False), julia.elementwise_loss(kind, True)
    if kind in ("mse", "mae"):
        assert plain == weighted == ("L2DistLoss()" if kind == "mse" else "L1DistLoss()")
        return
    assert re.match(rf"sr2hls_{kind}_\w+\(p, t\) = ", plain)
    head, body = weighted.split(" = ", 1)
    assert head.endswith("(p, t, w)")
    np.testing.assert_allclose(value(body, p=p, t=t, w=2 + 0 * p), 2 * wanted, rtol=1e-12, atol=1e-12)


def test_the_limited_loss_is_a_mean() -> None:
    operators, scale = operators_of(("+",), {}, (2, 7)), Scale("nodes", 30, 1, {"+": 300}, {}, 900)
    plain = julia.limited_loss("huber", False, operators, scale)
    assert plain.startswith("function sr2hls_limited_")
    assert "(tree, dataset::Dataset{T,L}, options)::L where {T,L}\n" in plain
    assert f"map((p, t) -> {julia.ROW_LOSSES['huber']}, prediction, dataset.y)" in plain
    assert "return L(sum(losses) / length(losses))" in plain
    assert "weights" not in plain
    assert "sum(losses .* dataset.weights) / sum(dataset.weights)" in julia.limited_loss("mse", True, operators, scale)
