"""The native engine: kernels against NumPy, slopes against differences, prices against the reference, the traps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sympy

from sr2hls.analyze.evaluate import array_function
from sr2hls.errors import FormatError, LoadError, UnsupportedError
from sr2hls.model import symbol
from sr2hls.search.candidate import Progress
from sr2hls.search.costs import OperatorCosts
from sr2hls.search.definitions import defined
from sr2hls.search.fusion import circuit_cost
from sr2hls.search.native import score as sc
from sr2hls.search.native import vary
from sr2hls.search.native.engine import search_native
from sr2hls.search.native.export import expression_of, tree_from
from sr2hls.search.native.generator import bits, states
from sr2hls.search.native.kernels import BLOCK, backward
from sr2hls.search.native.polish import CONSTANTS, polish
from sr2hls.search.native.price import price
from sr2hls.search.native.prices import prices_of
from sr2hls.search.native.rows import rows_of
from sr2hls.search.native.symbols import CONSTANT, FIRST, VARIABLE, Symbols, symbols_of
from sr2hls.search.native.tree import NODES, SLOTS, begin, fold, slots
from sr2hls.search.problem import Problem
from sr2hls.search.settings import OPERATORS, Settings

MANY = (*OPERATORS, "tanh", "abs", "atan", "max", "min", "greater", "inv", "cube", "relu", "cosh", "cond", "erf", "tan")
NAMES = ("x0", "x1", "x2")
CYCLES = {"+": 1.0, "-": 1.0, "*": 3.0, "/": 16.0, "sin": 12.0, "cos": 12.0, "exp": 10.0, "log": 12.0, "sqrt": 14.0}
COSTS = OperatorCosts("test", 5.0, CYCLES, {}, {}, 6.0, 90.0, 2.0, 20.0, "of this test", product_cycles=2.0)


def costs_for(names: tuple[str, ...]) -> OperatorCosts:
    return replace(COSTS, cycles=CYCLES | {name: 9.0 for name in names if name not in CYCLES})


def problem(f: str, n: int = 300, seed: int = 1, low: float = -2.0, high: float = 2.0, inputs: int = 3) -> Problem:
    rng = np.random.default_rng(seed)
    rows = rng.uniform(low, high, (n, inputs))
    names = tuple(f"x{i}" for i in range(inputs))
    expression = sympy.sympify(f, {name: symbol(name) for name in names})
    values = array_function(expression, [symbol(x) for x in names])(*rows.T)
    return Problem(rows, names, np.broadcast_to(values, n).copy())


def drawn(
    symbols: Symbols, count: int, seed: int, most: int = 24
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray, int]]:
    g, z, scratch = states(seed, 1)[0], vary.scratch(), np.zeros(SLOTS)
    found = []
    for _ in range(count):
        sym, arg, val = np.zeros(NODES, np.int64), np.zeros(NODES, np.int64), np.zeros(NODES, np.float32)
        n = vary.seedling(g, symbols.table, sym, arg, val, 3, most, z)
        for _ in range(5):
            n, _ = vary.mutate(g, symbols.table, sym, arg, val, n, 3, most, np.array(vary.WEIGHTS), z, vary.scratch())
        n = fold(symbols.table, sym, arg, val, n, scratch)
        assert 1 <= n <= most
        assert begin(symbols.table, sym, n - 1) == 0
        found.append((sym, arg, val, n))
    return found


def test_generator_is_xoshiro() -> None:
    state = np.array([1, 2, 3, 4], np.uint64)
    # the first outputs of the authors' C code for this state
    assert [int(bits(state)) for _ in range(3)] == [41943041, 58720359, 3588806011781223]


def test_values_equal_numpy_on_random_trees() -> None:
    symbols = symbols_of(MANY, {})
    p = problem("x0", n=BLOCK + 77)
    rows, _ = rows_of(p)
    m = sc.room(3, p.rows, CONSTANTS)
    compared: list[float] = []
    for tree in drawn(symbols, 200, 3):
        try:
            expression = expression_of(tree, symbols, NAMES)
        except UnsupportedError:  # a logarithm of a negative constant
            continue
        if not sc.evaluate(symbols.table, *tree, rows, m):
            continue
        if expression.has(sympy.zoo, sympy.nan, sympy.I):
            continue
        want = array_function(expression, [symbol(x) for x in NAMES])(*rows.X.astype(np.float64))
        want = np.broadcast_to(np.asarray(want, dtype=np.float64), p.rows)
        usable = np.isfinite(want) & np.isfinite(m.r) & (np.abs(want) < 1e4)
        scale = 1 + np.abs(want[usable])
        if usable.sum() > 100:
            near = np.abs(want[usable] - m.r[usable]) < 2e-3 * scale
            compared.append(float(near.mean()))
    assert len(compared) > 100
    # a jump or a pole moves by a rounding, and the sign of a zero decides on which side of a pole a row is
    assert np.mean(np.array(compared) > 0.98) > 0.97
    assert np.mean(np.array(compared) == 1.0) > 0.8


@pytest.mark.parametrize("name", [n for n in MANY if n not in ("greater", "+")])
def test_slopes_equal_differences(name: str) -> None:
    symbols = symbols_of(("+", "*", name), {})
    place = symbols.index(name)
    count = int(symbols.table.arity[place])
    p = problem("x0", n=64, low=0.2, high=0.8)
    rows, _ = rows_of(p)
    m = sc.room(3, p.rows, CONSTANTS)
    # name(x0 + c, x1) with c = 0.05
    sym = np.zeros(NODES, np.int64)
    arg, val = np.zeros(NODES, np.int64), np.zeros(NODES, np.float32)
    body = [(VARIABLE, 0), (CONSTANT, 0), (symbols.index("+"), 0)] + [(VARIABLE, 1)] * (count - 1) + [(place, 0)]
    for j, (s, a) in enumerate(body):
        sym[j], arg[j] = s, a
    n = len(body)

    def at(c: float) -> np.ndarray:
        val[1] = c
        sc.evaluate(symbols.table, sym, arg, val, n, rows, m)
        return m.r.astype(np.float64)

    difference = (at(0.06) - at(0.04)) / 0.02
    at(0.05)
    instructions, root = slots(symbols.table, sym, arg, val, n, 3, m.op, m.a, m.b, m.v, m.mine)
    m.adj[:] = 0
    m.adj[root, :64] = 1
    backward(m.op, m.a, m.b, instructions, rows.X, 0, 64, m.buf, m.adj)
    where = 3 + int(np.flatnonzero(m.mine[:instructions] == 1)[0])
    kinked = name in ("max", "min")  # a difference across the kink is no slope
    off = np.abs(m.adj[where, :64] - difference) > 0.02 * (1 + np.abs(difference))
    assert off.mean() < (0.1 if kinked else 1e-9)


def test_prices_equal_the_plain_reference() -> None:
    symbols = symbols_of(OPERATORS, {})
    costs = costs_for(OPERATORS)
    nodes, path, total = (prices_of(symbols, costs, o) for o in ("nodes", "path", "sum"))
    for tree in drawn(symbols, 60, 5):
        sym, arg, val, n = tree
        stack: list[tuple[float, float]] = []
        for s in sym[:n]:
            count = int(symbols.table.arity[s])
            own = costs.cycles[symbols.names[s]] if count else 0.0
            below = [stack.pop() for _ in range(count)]
            stack.append((own + max((b[0] for b in below), default=0.0), own + sum(b[1] for b in below)))
        assert price(symbols.table, nodes, sym, arg, val, n, False, False)[0] == n
        assert price(symbols.table, path, sym, arg, val, n, False, False)[1] == pytest.approx(stack[0][0])
        cost = price(symbols.table, total, sym, arg, val, n, False, False)[0]
        assert cost == pytest.approx(stack[0][1] + total.size * n)


def test_the_circuit_price_follows_the_reference() -> None:
    """Exact but where sympy writes a tree in another way than it stands; so most, not all, are equal."""
    symbols = symbols_of(OPERATORS, {})
    costs = OperatorCosts(
        "test", 5.0, {k: v / 10 for k, v in costs_for(OPERATORS).cycles.items()}, dict.fromkeys(OPERATORS, 9.0),
        dict.fromkeys(OPERATORS, 1.0), 0.5, 90.0, 0.4, 20.0, "of this test",
        input_cycles=0.4, product_cycles=0.5, sum_table_cycles=0.7, constant_digits=5,
    )  # fmt: skip
    prices = prices_of(symbols, costs, "circuit")
    ours, reference = [], []
    for tree in drawn(symbols, 250, 7, 16):
        try:
            expression = expression_of(tree, symbols, NAMES)
        except UnsupportedError:
            continue
        if not expression.free_symbols or expression.has(sympy.zoo, sympy.nan, sympy.I):
            continue
        try:
            reference.append(circuit_cost(expression, costs).cycles)
        except UnsupportedError:  # sympy writes sqrt(x²) as |x|, which these costs do not have
            continue
        ours.append(price(symbols.table, prices, *tree, False, False)[1])
    difference = np.abs(np.array(ours) - np.array(reference))
    assert len(ours) > 150
    assert np.mean(difference < 1e-6) > 0.6
    assert np.corrcoef(ours, reference)[0, 1] > 0.85


def test_polish_finds_the_constants() -> None:
    symbols = symbols_of(OPERATORS, {})
    p = problem("2.5*sin(1.7*x0) + 0.4*x1")
    rows, _ = rows_of(p)
    tree = tree_from(sympy.sympify("sin(1.3*x0) + 0.2*x1", {n: symbol(n) for n in NAMES}), symbols, NAMES)
    assert tree is not None
    m = sc.room(3, p.rows, CONSTANTS)
    assert polish(symbols.table, *tree, rows, m, 30) > 3
    sc.score(symbols.table, *tree, rows, m)
    assert m.fits[sc.BOTH, 0] < 1e-9


@pytest.mark.parametrize("loss", ["mse", "mae", "huber", "logistic"])
def test_losses(loss: str) -> None:
    p = problem("1.5*x0*x1 - 0.5", n=400)
    if loss == "logistic":
        p = replace(p, y=(p.y + 0.3 * np.random.default_rng(0).normal(size=p.rows) > 0).astype(float))
    p = replace(p, loss=loss, weights=np.random.default_rng(2).uniform(0.5, 1.5, p.rows))
    settings = Settings(
        operators=("+", "-", "*"), objective="nodes", budget=30_000, islands=2, island_size=50, threads=1
    )
    found = search_native(p, settings, COSTS)
    texts = [str(c.expression) for c in found]
    assert any("x0*x1" in text for text in texts), texts
    assert found[-1].loss < found[0].loss


def test_front_keeps_all_limits() -> None:
    symbols = symbols_of(OPERATORS, {})
    settings = Settings(
        objective="path", budget=40_000, islands=2, island_size=60, threads=1, max_cycles=14, max_nodes=12,
        nested={"sin": {"sin": 0, "exp": 0}}, constraints={"exp": (2,)},
    )  # fmt: skip
    p = problem("sin(exp(x0) + x1)*x2")
    found = search_native(p, settings, costs_for(OPERATORS))
    assert found
    for candidate in found:
        assert candidate.cycles is not None and candidate.cycles <= 14
        tree = tree_from(candidate.expression, symbols, NAMES)
        assert tree is None or tree[3] <= 12 + 6  # scale and shift come on top, and sympy writes x - c as x + -1*c
        for inner in candidate.expression.atoms(sympy.sin):
            assert not inner.args[0].has(sympy.sin, sympy.exp)
        for inner in candidate.expression.atoms(sympy.exp):
            assert len(list(sympy.preorder_traversal(inner.args[0]))) <= 3


def same(a: list, b: list) -> bool:
    return [(c.expression, c.loss, c.cost) for c in a] == [(c.expression, c.loss, c.cost) for c in b]


SMALL = Settings(objective="path", budget=20_000, islands=3, island_size=40, threads=1, seed=4)


def test_threads_change_nothing() -> None:
    p = problem("x0*x1 + sin(x2)")
    one = search_native(p, SMALL, costs_for(OPERATORS))
    two = search_native(p, replace(SMALL, threads=2), costs_for(OPERATORS))
    assert same(one, two)
    assert not same(one, search_native(p, replace(SMALL, seed=5), costs_for(OPERATORS)))


def test_killed_and_resumed(tmp_path) -> None:
    p = problem("x0*x1 + sin(x2)")
    whole = search_native(p, SMALL, costs_for(OPERATORS))
    file = tmp_path / "checkpoint.npz"
    rounds = iter([False, False, True])

    def stop(_: Progress) -> bool:
        return next(rounds)

    part = search_native(p, SMALL, costs_for(OPERATORS), checkpoint=file, callback=stop)
    assert not same(whole, part)
    assert same(whole, search_native(p, SMALL, costs_for(OPERATORS), checkpoint=file, resume=True))
    with pytest.raises(LoadError, match="another search"):
        search_native(p, replace(SMALL, seed=9), costs_for(OPERATORS), checkpoint=file, resume=True)
    file.write_bytes(b"no checkpoint")
    with pytest.raises(LoadError, match="no checkpoint"):
        search_native(p, SMALL, costs_for(OPERATORS), checkpoint=file, resume=True)


def test_interrupted_keeps_the_front() -> None:
    def interrupt(_: Progress) -> None:
        raise KeyboardInterrupt

    assert search_native(problem("x0*x1"), SMALL, costs_for(OPERATORS), callback=interrupt)


def test_warm_start() -> None:
    p = problem("sin(1.3*x0)*exp(x1) + x2")
    known = sympy.sympify("sin(1.3*x0)*exp(x1) + x2", {n: symbol(n) for n in NAMES})
    found = search_native(p, replace(SMALL, budget=1), costs_for(OPERATORS), warm=[known])
    assert found[-1].loss < 1e-8


def test_user_operator() -> None:
    own = {"sc": "sc(x) = sin(x)*cos(x)"}
    p = problem("sin(x0)*cos(x0) + 2*x1")
    settings = replace(SMALL, operators=("+", "*", "sc"), definitions=own)
    found = search_native(p, settings, costs_for(("+", "*", "sc")))
    assert found[-1].loss < 1e-9
    assert found[-1].expression.has(sympy.cos)
    with pytest.raises(LoadError, match="definition of the operator 'sc'"):
        defined({"sc": "sc(x) = sin("})
    with pytest.raises(LoadError, match="does not define"):
        defined({"sc": "other(x) = sin(x)"})


def test_units_keep_sums_of_like_with_like() -> None:
    p = replace(problem("x0*x1 + x2", low=0.5), input_units=("m/s", "s", "m"), output_unit="m")
    settings = replace(SMALL, operators=("+", "-", "*", "sin"), budget=30_000)
    found = search_native(p, settings, costs_for(OPERATORS))
    assert str(found[-1].expression).count("x") >= 2
    for candidate in found:
        assert not any(a.args[0].free_symbols for a in candidate.expression.atoms(sympy.sin) if a.args[0].is_Symbol)
    with pytest.raises(LoadError, match="unit of 'x0'"):
        search_native(replace(p, input_units=("parsnip", "s", "m")), settings, costs_for(OPERATORS))


def test_fake_quantization_is_in_the_loop() -> None:
    p = problem("x0*x1")
    coarse, _ = rows_of(p, (6, 2))
    symbols = symbols_of(("*",), {})
    m = sc.room(3, p.rows, CONSTANTS)
    tree = tree_from(symbol("x0") * symbol("x1"), symbols, NAMES)
    assert tree is not None
    sc.evaluate(symbols.table, *tree, coarse, m)
    assert np.all(m.r * 4 == np.round(m.r * 4))
    assert np.abs(m.r).max() <= 8


def test_a_huge_constant_is_no_exact_fit() -> None:
    """y - (a·r + b) cancels to nothing in float32 where r is constant but for its last bits."""
    p = problem("x0 + 3*x1**2")
    symbols = symbols_of(("+", "*"), {})
    rows, _ = rows_of(p)
    m = sc.room(3, p.rows, CONSTANTS)
    sym, arg, val = np.zeros(NODES, np.int64), np.zeros(NODES, np.int64), np.zeros(NODES, np.float32)
    sym[:3], val[1] = (VARIABLE, CONSTANT, FIRST), 1e11
    sc.score(symbols.table, sym, arg, val, 3, rows, m)
    assert m.fits[:, 0].min() > 0.5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"operators": ("+", "sim")}, r"unknown operator 'sim' \(did you mean"),
        ({"operators": ("+", "gamma")}, "cannot search with the operator 'gamma'"),
        ({"max_nodes": 2}, "3 to"),
        ({"budget": 0}, "positive budget"),
        ({"island_size": 1}, "2 members"),
        ({"nested": {"sin": {"tanh": 1}}}, "'tanh' is not among the operators"),
        ({"constraints": {"sin": (1, 2)}}, "takes 1 arguments"),
        ({"objective": "speed"}, "objective is one of"),
    ],
)
def test_settings_that_make_no_sense(change: dict, message: str) -> None:
    settings = replace(SMALL, **change)
    with pytest.raises((FormatError, LoadError, UnsupportedError), match=message):
        search_native(problem("x0"), settings, costs_for(settings.operators))
