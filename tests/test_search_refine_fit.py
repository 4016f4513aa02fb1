"""Constants, pruning and forms of the second stage: overgrown formulas come back to the law they hide."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import numpy as np
import pytest
import sympy

from sr2hls import load
from sr2hls.operators.numeric import evaluate as reference
from sr2hls.search.problem import Problem
from sr2hls.search.refine.constants import Rows, loss_of, predictions, refit
from sr2hls.search.refine.edits import edits
from sr2hls.search.refine.expand import expanded, factored, together
from sr2hls.search.refine.forms import forms
from sr2hls.search.refine.metrics import auc, loss, score
from sr2hls.search.refine.normal import normal
from sr2hls.search.refine.program import compiled, evaluate
from sr2hls.search.refine.prune import criterion, pruned
from sr2hls.search.refine.size import nodes, size
from sr2hls.search.refine.snap import settled
from sr2hls.search.refine.tree import Tree, constants, from_sympy, shape, to_sympy, with_constants

NAMES = ("x0", "x1", "x2")


def tree_of(text: str) -> Tree:
    return from_sympy(load(text).outputs[0].expression)


def problem(truth: str, noise: float = 0.0, kind: str = "mse", rows: int = 600, low: float = 0.5) -> Problem:
    rng = np.random.default_rng(7)
    X = rng.uniform(low, 3, (rows, 3))  # noqa: N806
    y = np.broadcast_to(evaluate(tree_of(truth), {n: X[:, i] for i, n in enumerate(NAMES)}), (rows,)).copy()
    if kind == "logistic":
        y = (rng.uniform(size=rows) < 1 / (1 + np.exp(-y))).astype(float)
    else:
        y += noise * y.std() * rng.normal(size=rows)
    return Problem(X, NAMES, y, loss=kind)


# --- size -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("x0", 1),
        ("x0^2", 2),
        ("sqrt(x0)", 2),
        ("1/x0", 2),
        ("x0/(1+x1^2)", 6),
        ("x0*x1 + sin(x2)", 6),
        ("x0*x1/x2^2", 6),
        ("x0 - x1", 3),
        ("x0^3", 3),
        ("1/sqrt(x0)", 3),
        ("x0*sqrt(x0)", 3),  # sympy's x0^1.5
        ("2*pi*x0", 3),
        ("max(x0, x1, 2)", 5),
        ("x0^3/(exp(x0/x1)-1)", 10),
    ],
)
def test_nodes(text: str, count: int) -> None:
    assert nodes(load(text).outputs[0].expression) == count


# --- evaluation and derivatives -------------------------------------------------------------------------------------

ONE_OF_EACH = [
    "exp(0.3*x0)*log(x1+0.2)",
    "sin(1.1*x0)+cos(0.7*x1)*tan(0.3*x2)",
    "asin(x0/7.1)+acos(x1/6.3)+atan(2.1*x2)",
    "sinh(0.3*x0)+cosh(0.2*x1)*tanh(1.2*x2)",
    "asinh(0.3*x0)+acosh(x1+1.3)*atanh(0.2*x2)",
    "sec(0.1*x0)+csc(0.3*x1)+cot(0.2*x2)",
    "sech(0.3*x0)+csch(1.3*x1)+coth(0.7*x2)",
    "erf(0.3*x0)+erfc(0.2*x1)*gamma(0.9*x2)+loggamma(1.7*x0)",
    "x0^2.3 + 0.7^x1 + (0.2*x0+x1)^0.5 + 1/(0.3+x2)^2",
    "abs(x0-1.7)*max(0.3*x0, x1, 1.1)+min(x2, 1.3*x0)",
    "mod(x0, 0.77)+atan2(x0-1.2, 0.3*x1)+clamp(x2, 0.9, 1.8)",
    "cond(x0-1.2, 0.3*x1)+ifelse(x0-x1, 2.2*x2, 0.1*x1)+1.7*greater(x0,x1)",
    "1.3*round(x0)+0.7*floor(x1)+0.3*ceil(x2)+0.9*cbrt(x0)",
    "sinc(0.3*x0)+1.1*logical_or(x0-2, x1-2)+0.2*logical_and(x0-1,x1-1)*sign(x2-1)",
    "(0.3+x0)*(0.2+x1)*(x2-0.7)*(0.6*x0-x2)",
]


@pytest.mark.parametrize("text", ONE_OF_EACH)
def test_values_and_derivatives(text: str) -> None:
    tree = tree_of(text)
    assert to_sympy(tree) == to_sympy(from_sympy(to_sympy(tree)))
    rng = np.random.default_rng(3)
    columns = {n: rng.uniform(0.5, 3, 40) for n in NAMES}
    program = compiled(tree, columns)
    start = np.array(constants(tree))
    assert start.size > 0
    with np.errstate(all="ignore"):
        values = program.values(start)
        np.testing.assert_allclose(values[program.output], reference(to_sympy(tree), columns), rtol=1e-12)
        jacobian = program.jacobian(values, 40)
        for k in range(start.size):
            step = np.zeros(start.size)
            step[k] = 1e-6 * max(1, abs(start[k]))
            up, down = (program.values(start + s * step)[program.output] for s in (1, -1))
            slope = (up - down) / (2 * step[k])
            near = np.abs(slope) < 1e3  # a difference across a jump is no slope
            np.testing.assert_allclose(jacobian[k][near], np.broadcast_to(slope, 40)[near], rtol=2e-5, atol=1e-6)
            assert near.sum() >= 36


def test_the_normal_form_is_the_same_function() -> None:
    rng = random.Random(5)

    def grown(depth: int) -> Tree:
        kind = rng.random()
        if depth == 0 or kind < 0.1:
            return rng.choice([("x", n) for n in NAMES] + [("k", rng.uniform(0.2, 3)), ("n", Fraction(2))])
        if kind < 0.45:
            return ("+", *[grown(depth - 1) for _ in range(rng.choice((2, 3)))])
        if kind < 0.75:
            return ("*", *[grown(depth - 1) for _ in range(rng.choice((2, 3)))])
        if kind < 0.9:
            return ("^", grown(depth - 1), ("n", Fraction(rng.choice(("2", "-1", "1/2", "-2", "3", "3/2")))))
        return (rng.choice(("exp", "log", "sin", "Abs")), grown(depth - 1))

    columns = {n: np.random.default_rng(1).uniform(0.2, 2, 50) for n in NAMES}
    smaller = checked = 0
    for _ in range(400):
        tree = grown(4)
        before = np.broadcast_to(evaluate(tree, columns), (50,))
        good = np.isfinite(before) & (np.abs(before) < 1e6)
        if not good.any():
            continue
        for form in (normal(tree), expanded(tree), factored(tree), together(normal(tree))):
            after = np.broadcast_to(evaluate(form, columns), (50,))
            np.testing.assert_allclose(after[good], before[good], rtol=1e-6, atol=1e-6)
            checked += 1
        assert shape(normal(normal(tree))) == shape(normal(tree))
        smaller += size(normal(tree)) < size(tree)
        assert len(constants(normal(tree))) <= len(constants(tree)) + 3
    assert checked > 1000
    assert smaller > 100


# --- constants ------------------------------------------------------------------------------------------------------


def test_a_refit_reaches_float64() -> None:
    data = problem("2.5*x0*exp(-0.7*x1) + 1.3*sin(2.1*x2+0.3)/(1+0.2*x0^2)")
    rows = Rows.of(data)
    fit = refit(normal(tree_of("2.2*x0*exp(-0.6*x1) + 1.1*sin(2.05*x2+0.2)/(1.2+0.3*x0^2)")), rows)
    assert fit.loss < 1e-28 * data.y.var()
    assert fit.loss == loss_of(fit.tree, rows)
    assert fit == refit(with_constants(fit.tree, iter(constants(fit.tree))), rows) or fit.loss <= 1e-28


@pytest.mark.parametrize("kind", ["mse", "mae", "huber", "logistic"])
def test_every_loss_is_minimized(kind: str) -> None:
    """The minimum of a linear model against scipy's, which knows nothing of ours."""
    from scipy.optimize import minimize

    data = problem("2*x0 - 1.5*x1 - 0.4", noise=0.3, kind=kind)
    weights = np.random.default_rng(2).uniform(0.2, 2, data.rows)
    data = Problem(data.X, NAMES, data.y, weights=weights / weights.mean(), loss=kind)
    fit = refit(tree_of("1.1*x0 - 1.2*x1 - 0.1"), Rows.of(data))

    def objective(c: np.ndarray) -> float:
        return loss(data, c[0] * data.X[:, 0] + c[1] * data.X[:, 1] + c[2])

    best = minimize(objective, [1.0, -1.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12})
    assert fit.loss <= best.fun * (1 + 1e-5)
    assert fit.loss == pytest.approx(best.fun, rel=1e-3)


def test_a_formula_with_a_pole_in_the_data_has_no_loss() -> None:
    data = problem("x0")
    rows = Rows.of(data)
    tree = tree_of("log(x0-1.3)")
    assert refit(tree, rows).loss == math.inf
    assert [f.loss for f in pruned(tree, rows, criterion(rows))] == [math.inf]


# --- pruning --------------------------------------------------------------------------------------------------------

LAWS = [
    ("x0*x1 + sin(x2)", "1.0003*x0*x1+0.98*sin(x2+0.01)+1e-7*x1^3+0.003*cos(x0)/(1+x1^2)+0.0001*x2*x0"),
    ("x0/(1+x1^2)", "0.51*x0/(0.5+0.49*x1*x1)+0.001*exp(0.1*x0)-0.001+0.00001*x1^2*x0"),
    ("x0^3/(exp(x0/x1)-1)", "1.1*x0*x0*x0/(1.01*exp(0.99*x0/(x1*1.001+0.01))-1.02)+0.01*x0"),
    ("1.097*(1/x0^2-1/x1^2)", "(1.1*x1*x1-1.1*x0*x0)/(x0*x0*x1*x1)+0.001*x0"),
    ("x0*exp(-x1)*cos(x2-2.1*x0)", "0.9*x0*exp(0.01-x1)*sin(x2-2.08*x0+1.5)+0.01*x0"),
    ("2*(sqrt(x0^2+x1^2)-1)*x0/sqrt(x0^2+x1^2)", "2.1*x0-1.9*x0/sqrt(x0^2+1.05*x1^2+0.001)+0.01*x1"),
    ("2*x0-1.5*x1*x2+sin(2*x2)-0.5", "1.9*x0-1.4*x1*x2+2.1*sin(x2)*cos(x2)-0.4+0.001*x1+0.002*x2*x0"),
    ("x0*sqrt(x0)", "1.2*x0^1.4 + 0.01*x0"),
    ("sin(pi*x0)", "1.02*sin(3.1*x0+0.01)+0.001"),
]


@pytest.mark.parametrize("noise", [0.0, 0.01])
@pytest.mark.parametrize(("law", "overgrown"), LAWS)
def test_overgrown_formulas_come_back_to_the_law(law: str, overgrown: str, noise: float) -> None:
    data = problem(law, noise)
    rows = Rows.of(data)
    path = pruned(tree_of(overgrown), rows, criterion(rows))
    judge = criterion(rows)
    marks = [judge.of(fit) for fit in path]
    assert marks == sorted(marks, reverse=True)
    last = path[-1]
    assert size(last.tree) <= size(normal(tree_of(law)))
    if noise == 0:
        assert last.loss < 1e-25 * data.y.var()
    else:
        clean = Rows.of(problem(law))
        assert refit(last.tree, clean).loss < 1e-9 * data.y.var()


@pytest.mark.parametrize(
    ("law", "bare"),
    [
        ("2.5*x0/(1.3+x1^2)+0.7", "x0/(1+x1^2)"),
        ("1.7*exp(-0.6*x0)*x1+0.3*x2", "exp(-x0)*x1+x2"),
        ("(x0+0.2)*(x1-0.4)/(x2+0.6)", "x0*x1/x2"),
        ("x0*sin(1.3*x1+0.3)", "x0*sin(x1)"),
        ("sin(5.1*x0)*x1", "0.3*sin(2*x0+0.1)*x1+0.2"),  # from a wrong frequency, too
    ],
)
def test_constants_that_a_formula_lacks_are_found(law: str, bare: str) -> None:
    data = problem(law, 0.01)
    rows = Rows.of(data)
    last = pruned(tree_of(bare), rows, criterion(rows))[-1]
    assert size(last.tree) <= size(normal(tree_of(law)))
    assert refit(last.tree, Rows.of(problem(law))).loss < 1e-9 * data.y.var()


def test_numbers_that_some_rows_suggested_are_settled_on_all() -> None:
    rows = Rows.of(problem("1.5*x0 + 2*x1 - 0.1*x2", 0.01))
    fit = settled(normal(("+", ("*", ("n", Fraction(5, 3)), ("x", "x0")), *tree_of("1.9*x1-0.13*x2")[1:])), rows,
                  criterion(rows))  # fmt: skip
    assert ("*", ("n", Fraction(3, 2)), ("x", "x0")) in fit.tree
    assert ("*", ("n", Fraction(2)), ("x", "x1")) in fit.tree
    assert fit.loss == pytest.approx(loss_of(tree_of("1.5*x0+2*x1-0.1*x2"), rows), rel=0.02)


def test_pruning_is_deterministic_and_every_edit_is_sound() -> None:
    data = problem(LAWS[2][0], 0.01)
    rows = Rows.of(data)
    tree = tree_of(LAWS[2][1])
    assert pruned(tree, rows, criterion(rows)) == pruned(tree, rows, criterion(rows))
    found = edits(normal(tree), rows)
    assert len(found) > 20
    assert len(set(found)) == len(found)
    for edited in found:
        assert predictions(edited, rows).shape == (data.rows,)
        assert normal(tree) != edited


def test_pruning_a_logit_keeps_what_matters() -> None:
    data = problem("2*x0 - 1.5*x1*x2 + 0.5", kind="logistic", rows=3000, low=-2)
    rows = Rows.of(data)
    last = pruned(tree_of("1.8*x0 - 1.2*x1*x2 + 0.4 + 0.05*x1 + 0.03*sin(x2) + 0.01*x0^2"), rows, criterion(rows))[-1]
    found = sympy.Poly(to_sympy(last.tree), *(sympy.Symbol(n, real=True) for n in NAMES)).as_dict()
    assert {k: float(v) for k, v in found.items()} == {
        (1, 0, 0): pytest.approx(2, abs=0.2),
        (0, 1, 1): pytest.approx(-1.5, abs=0.2),
        (0, 0, 0): pytest.approx(0.5, abs=0.2),
    }


# --- forms and metrics ----------------------------------------------------------------------------------------------


def test_forms() -> None:
    tree = normal(tree_of("x0^2 + x0*x1 + x0*x2"))
    assert factored(tree) == normal(tree_of("x0*(x0+x1+x2)"))
    assert expanded(factored(tree)) == tree
    assert shape(together(normal(tree_of("x1/x0 + x2/x0 + 1")))) == shape(normal(tree_of("(x0+x1+x2)/x0")))
    assert forms(tree)[0] == tree
    assert len(forms(tree)) == 2
    horner = factored(normal(tree_of("1.5*x0^3 + 2.5*x0^2 + 3.5*x0 + 4.5")))
    assert horner == normal(tree_of("4.5 + x0*(3.5 + x0*(2.5 + 1.5*x0))"))


def test_metrics() -> None:
    y = np.array([0.0, 1.0, 2.0, 4.0])
    data = Problem(np.zeros((4, 1)), ("x0",), y)
    assert loss(data, y + 0.5) == 0.25
    assert score(data, y) == 1.0
    assert loss(data, np.array([0.0, 1, 2, np.nan])) == math.inf
    huber = Problem(np.zeros((2, 1)), ("x0",), np.zeros(2), loss="huber")
    assert loss(huber, np.array([0.5, -3.0])) == pytest.approx((0.125 + 2.5) / 2)
    labels = Problem(np.zeros((4, 1)), ("x0",), np.array([0.0, 0, 1, 1]), loss="logistic")
    assert loss(labels, np.zeros(4)) == pytest.approx(math.log(2))
    assert score(labels, np.array([1.0, 2.0, 2.0, 3.0])) == 0.875
    assert auc(labels.y, np.zeros(4)) == 0.5
    weighted = auc(labels.y, np.array([1.0, 3.0, 2.0, 4.0]), np.array([1.0, 3.0, 1.0, 1.0]))
    assert weighted == pytest.approx((1 * 1 + 1 * 4) / (2 * 4))
