"""A problem and CPU seconds → trees of formulas, by the native engine, pyoperon or gplearn, on one thread each.

All have the operators + - * / sin cos exp log sqrt square and, where they can use it, one table of costs: the sum of
`CYCLES` over the operators of a formula.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sr2hls.errors import UnsupportedError
from sr2hls.search.candidate import Progress
from sr2hls.search.costs import OperatorCosts
from sr2hls.search.native.engine import search_native
from sr2hls.search.problem import Problem
from sr2hls.search.refine.tree import Tree, free, from_sympy, number
from sr2hls.search.settings import Settings

CYCLES = {
    **{"+": 1.0, "-": 1.0, "*": 3.0, "square": 3.0, "/": 16.0},
    **{"sin": 12.0, "cos": 12.0, "exp": 10.0, "log": 12.0, "sqrt": 14.0},
}
MANY = 10**12  # evaluations: the clock ends a run
MOST_NODES = 34
TOP = 12  # candidates of an engine that has a population instead of a front
MINUS: Tree = number(-1)


@dataclass(frozen=True, slots=True)
class Searched:
    """evaluations: of a formula on all rows, those of the constants' fits included; cpu: seconds of the search."""

    trees: list[Tree]
    cpu: float
    evaluations: int
    info: dict[str, Any] = field(default_factory=dict)


Search = Callable[[Problem, float, int], Searched]


def table(cycles: dict[str, float]) -> OperatorCosts:
    """Costs of single operators; a constant factor costs a product."""
    zero = dict.fromkeys(cycles, 0.0)
    return OperatorCosts(
        "benchmark", 5.0, cycles, zero, zero, 0.0, 0.0, cycles["*"], 0.0, "benchmarks/search_engines.py", fused=False
    )


def native(problem: Problem, seconds: float, seed: int) -> Searched:
    """`search_native` with its default settings, weighted sum of cycles as the cost."""
    settings = Settings(objective="sum", budget=MANY, seed=seed, threads=1, max_nodes=MOST_NODES)
    return run_native(problem, settings, table(CYCLES), seconds)


def run_native(problem: Problem, settings: Settings, costs: OperatorCosts, seconds: float = math.inf) -> Searched:
    """Any search by the native engine; compilation of its loops is not counted."""
    warm = problem.part(np.arange(min(problem.rows, 64)))
    search_native(warm, _small(settings), costs)
    last: list[Progress] = []
    begun = time.process_time()

    def over(progress: Progress) -> bool:
        last[:] = [progress]
        return time.process_time() - begun > seconds

    found = search_native(problem, settings, costs, callback=over)
    cpu = time.process_time() - begun
    trees = [from_sympy(candidate.expression) for candidate in found]
    return Searched(trees, cpu, last[0].evaluations if last else 0)


def _small(settings: Settings) -> Settings:
    return replace(settings, budget=2000, islands=2, island_size=20, seconds=None)


def operon_single(problem: Problem, seconds: float, seed: int) -> Searched:
    """pyoperon, one objective: the error. Candidate: the best model; 0.6.2 does not hand the population to Python."""
    return run_operon(problem, seconds, seed, None)


def operon_nsga(problem: Problem, seconds: float, seed: int) -> Searched:
    """pyoperon, NSGA-II over error and the sum of cycles, by a Python callback. Candidates: the front."""
    return run_operon(problem, seconds, seed, _operon_cost)


def run_operon(  # noqa: PLR0915, see below
    problem: Problem, seconds: float, seed: int, cost_of: Callable[[Any], Callable[[Any, Any], list[float]]] | None
) -> Searched:
    """Population 1,000, 3 Levenberg-Marquardt iterations for each offspring, trees of 30 nodes.

    Of the settings that were tried on these targets none was consistently better. The report callback cannot end a run
    in 0.6.2; a spent budget of evaluations does. One function, since all objects must outlive the run.

    cost_of: None for one objective, the error; else pyoperon → the second objective of NSGA-II, as
    `UserDefinedEvaluator` takes it.
    """
    import pyoperon as op

    size, steps, longest = 1000, 3, 30
    data = op.Dataset(np.asfortranarray(np.column_stack((problem.X, problem.y))))
    columns = sorted(data.Variables, key=lambda variable: variable.Index)
    inputs = [variable.Hash for variable in columns[:-1]]
    names = dict(zip(inputs, problem.names, strict=True))
    rows = op.Range(0, data.Rows)
    task = op.Problem(data)
    task.TrainingRange, task.TestRange = rows, op.Range(data.Rows - 1, data.Rows)
    task.Target, task.InputHashes = columns[-1], inputs
    kinds = op.NodeType.Constant | op.NodeType.Variable
    for name in _OPERON.values():
        kinds |= getattr(op.NodeType, name)
    task.ConfigurePrimitiveSet(kinds)
    primitives = task.PrimitiveSet

    creator = op.BalancedTreeCreator(primitives, inputs, 0.0)
    start = op.NormalCoefficientInitializer()
    start.ParameterizeDistribution(0, 1)
    dispatch = op.DispatchTable()
    fit = op.LMOptimizer(dispatch, task, steps, 0)
    error = op.Evaluator(task, dispatch, op.NMSE(), True)
    error.Budget = MANY
    evaluator: Any = error
    several = cost_of is not None
    if cost_of is not None:
        cost = op.UserDefinedEvaluator(task, cost_of(op))
        cost.Budget = MANY
        evaluator = op.MultiEvaluator(task)
        evaluator.Add(error)
        evaluator.Add(cost)
        evaluator.Budget = MANY
    compare = op.CrowdedComparison() if several else op.SingleObjectiveComparison(0)
    parents = [op.TournamentSelector(compare) for _ in range(2)]
    for selector in parents:
        selector.TournamentSize = 5
    shift = op.NormalOnePointMutation()
    shift.ParameterizeDistribution(0, 1)
    changes = [
        shift,
        op.ChangeVariableMutation(inputs),
        op.ChangeFunctionMutation(primitives),
        op.ReplaceSubtreeMutation(creator, start, 10, longest),
        op.InsertSubtreeMutation(creator, start, 10, longest),
        op.RemoveSubtreeMutation(primitives),
    ]
    mutation = op.MultiMutation()
    for change in changes:
        mutation.Add(change, 1.0)
    crossover = op.SubtreeCrossover(0.9, 10, longest)
    optimizer = op.CoefficientOptimizer(fit)
    offspring = op.BasicOffspringGenerator(evaluator, crossover, mutation, *parents, optimizer)
    trees = op.UniformLengthTreeInitializer(creator)
    trees.ParameterizeDistribution(2, 10)
    trees.MinDepth, trees.MaxDepth = 1, 1000
    config = op.GeneticAlgorithmConfig(
        generations=10**9,
        max_evaluations=MANY,
        local_iterations=steps,
        population_size=size,
        pool_size=size,
        p_crossover=1.0,
        p_mutation=0.25,
        p_local=1.0,
        p_lamarck=1.0,
        epsilon=1e-12,
        seed=seed,
        max_time=int(seconds * 20) + 60,
    )
    keep, rank = op.KeepBestReinserter(compare), op.RankSorter()
    if several:
        algorithm: Any = op.NSGA2Algorithm(config, task, trees, start, offspring, keep, rank)
    else:
        algorithm = op.GeneticProgrammingAlgorithm(config, task, trees, start, offspring, keep)
    begun = time.process_time()

    def over() -> None:
        if time.process_time() - begun > seconds:
            evaluator.Budget = error.Budget = 0

    algorithm.Run(op.RandomGenerator(np.uint64(seed)), over, 1, False)
    cpu = time.process_time() - begun
    members = list(algorithm.BestFront) if several else [algorithm.BestModel]
    found: dict[Tree, None] = {}
    for member in members:
        values = op.Evaluate(dispatch, member.Genotype, data, rows).astype(np.float64)
        if not np.isfinite(values).all():
            continue
        scale, offset = _line(values, problem.y)
        tree = _operon_tree(member.Genotype.Nodes, names)
        found.setdefault(("+", ("*", free(scale), tree), free(offset)))
    counters = [error, evaluator] if several else [error]  # with several objectives the fits count in the second
    spent = sum(int(c.ResidualEvaluations + c.JacobianEvaluations) for c in counters)
    info = {"generations": int(algorithm.Generation), "individuals": int(algorithm.Generation) * size}
    return Searched(list(found), cpu, spent, info)


_OPERON = {
    **{"+": "Add", "-": "Sub", "*": "Mul", "/": "Div", "square": "Square"},
    **{"sin": "Sin", "cos": "Cos", "exp": "Exp", "log": "Log", "sqrt": "Sqrt"},
}


def _operon_cost(op: Any) -> Callable[[Any, Any], list[float]]:
    """The sum of cycles of an individual; a variable's hidden weight other than 1 is a product."""
    prices = {op.Node(getattr(op.NodeType, name)).HashValue: CYCLES[symbol] for symbol, name in _OPERON.items()}

    def cost(_random: Any, individual: Any) -> list[float]:
        total = 0.0
        for node in individual.Genotype.Nodes:
            if node.Arity:
                total += prices[node.HashValue]
            elif node.IsVariable and node.Value != 1:
                total += CYCLES["*"]
        return [total]

    return cost


def _line(values: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    """Scale and offset of the least squares fit, which Operon does outside its trees."""
    matrix = np.column_stack((values, np.ones_like(values)))
    scale, offset = np.linalg.lstsq(matrix, y, rcond=None)[0]
    return float(scale), float(offset)


def _operon_tree(nodes: Any, names: dict[int, str]) -> Tree:
    """Postfix → tree; the child that stands right before a node is its first argument."""
    stack: list[Tree] = []
    for node in nodes:
        kind = str(node.Type).rsplit(".", maxsplit=1)[-1]
        if kind == "Constant":
            stack.append(free(node.Value))
        elif kind == "Variable":
            leaf: Tree = ("x", names[node.HashValue])
            stack.append(leaf if node.Value == 1 else ("*", free(node.Value), leaf))
        else:
            stack.append(_call(kind, [stack.pop() for _ in range(node.Arity)]))
    return stack[-1]


def _call(kind: str, parts: list[Tree]) -> Tree:
    """An operator by Operon's name."""
    first, rest = parts[0], parts[1:]
    if kind in ("Add", "Mul"):
        return ("+" if kind == "Add" else "*", *parts) if rest else first
    if kind == "Sub":
        return ("+", first, *[("*", MINUS, part) for part in rest]) if rest else ("*", MINUS, first)
    if kind == "Div":
        below = [("^", part, MINUS) for part in (rest or parts)]
        return ("*", first, *below) if rest else below[0]
    if kind == "Square":
        return ("^", first, number(2))
    if kind == "Sqrt":
        return ("^", first, number(Fraction(1, 2)))
    if kind in ("Sin", "Cos", "Exp", "Log"):
        return (kind.lower(), first)
    raise UnsupportedError(f"no tree for Operon's {kind}")


def gplearn(problem: Problem, seconds: float, seed: int) -> Searched:
    """gplearn, population 1,000, mean squared error with 1e-4 of the variance per node; it fits no constants.

    Candidates: the best of all generations and the best distinct ones of the last. Its protected sqrt and log are read
    as those of the absolute value, its protected division as a plain one.
    """
    from gplearn.functions import make_function
    from gplearn.genetic import SymbolicRegressor

    exp = make_function(function=lambda a: np.exp(np.clip(a, -50, 50)), name="exp", arity=1)
    square = make_function(function=lambda a: np.clip(a * a, 0, 1e12), name="square", arity=1)
    spread = float(np.var(problem.y))
    size = 1000
    model = SymbolicRegressor(
        population_size=size,
        generations=1,
        warm_start=True,
        low_memory=True,
        function_set=["add", "sub", "mul", "div", "sin", "cos", "log", "sqrt", exp, square],
        metric="mse",
        parsimony_coefficient=1e-4 * spread,
        const_range=(-3, 3),
        random_state=seed,
        n_jobs=1,
        stopping_criteria=1e-12 * spread,
    )
    begun, generation = time.process_time(), 0
    best: list[Any] = []
    while time.process_time() - begun < seconds:
        generation += 1
        model.set_params(generations=generation)
        model.fit(problem.X, problem.y)
        if not best or model._program.raw_fitness_ < best[0].raw_fitness_:
            best = [model._program]
        if best[0].raw_fitness_ < 1e-12 * spread:
            break
    cpu = time.process_time() - begun
    last = [program for program in model._programs[-1] if program is not None]
    found: dict[Tree, None] = {}
    for program in [*best, *sorted(last, key=lambda p: p.raw_fitness_)]:
        found.setdefault(_gplearn_tree(iter(program.program), problem.names))
        if len(found) >= TOP:
            break
    return Searched(list(found), cpu, generation * size, {"generations": generation})


def _gplearn_tree(program: Any, names: tuple[str, ...]) -> Tree:
    """Prefix → tree."""
    node = next(program)
    if isinstance(node, int | np.integer):
        return ("x", names[int(node)])
    if isinstance(node, float | np.floating):
        return free(float(node))
    parts = [_gplearn_tree(program, names) for _ in range(node.arity)]
    if node.name in ("sqrt", "log"):
        parts = [("Abs", parts[0])]
    return _call({"add": "Add", "sub": "Sub", "mul": "Mul", "div": "Div"}.get(node.name, node.name.title()), parts)


ENGINES: dict[str, Search] = {
    "native": native,
    "operon": operon_single,
    "operon-nsga2": operon_nsga,
    "gplearn": gplearn,
}
