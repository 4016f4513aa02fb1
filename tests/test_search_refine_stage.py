"""The second stage as a whole: text, ranking, circuits judged bit for bit, and `refine` itself."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import numpy as np
import pytest
import sympy
from random_formulas import formula

import sr2hls
from sr2hls import load
from sr2hls.errors import LoadError, UnsupportedError
from sr2hls.formats import Format
from sr2hls.load.assemble import Scope, assemble, variable
from sr2hls.load.hall_of_fame import guess_precision
from sr2hls.load.parser import parse
from sr2hls.load.selection import Row
from sr2hls.load.syntax import row_dialect
from sr2hls.model import Output, Provenance, SymbolicModel
from sr2hls.operators.numeric import evaluate
from sr2hls.search.candidate import Candidate, Progress
from sr2hls.search.found import Found
from sr2hls.search.problem import Problem
from sr2hls.search.refine import best, equation_text, front, hall_of_fame, refine
from sr2hls.search.refine.circuit import circuit_of, error_target, quantized, words_of
from sr2hls.search.refine.codes import for_quantized_inputs
from sr2hls.search.refine.constants import Rows, loss_of
from sr2hls.search.refine.metrics import loss
from sr2hls.search.refine.rank import DSP_LUTS, area, pareto
from sr2hls.search.refine.selection import scores
from sr2hls.search.refine.tree import from_sympy
from sr2hls.search.settings import Settings

NAMES = ("x0", "x1")
SCOPE = Scope({n: variable(n) for n in ("x0", "x1", "x2")})


def expression(text: str) -> sympy.Expr:
    return load(text).outputs[0].expression


def candidate(text: str, cost: float = 1.0) -> Candidate:
    return Candidate(expression(text), 1.0, cost)


def problem(truth: str, noise: float = 0.01, rows: int = 500, seed: int = 0, low: float = 0.5) -> Problem:
    rng = np.random.default_rng(seed)
    X = rng.uniform(low, 3, (rows, 2))  # noqa: N806
    y = evaluate(expression(truth), {n: X[:, i] for i, n in enumerate(NAMES)})
    return Problem(X, NAMES, y + noise * y.std() * rng.normal(size=rows))


# --- text -----------------------------------------------------------------------------------------------------------


def read_back(text: str, bits: int) -> sympy.Expr:
    return assemble(parse(text, row_dialect(bits)), text, SCOPE).expression


def fitted_constants(tree: sympy.Expr, rng: random.Random) -> sympy.Expr:
    """The expression with other numbers in the sums and products, as a fit leaves them."""
    from sr2hls.operators import rebuild

    if not tree.args or not tree.free_symbols:
        return tree
    parts = tuple(fitted_constants(a, rng) for a in tree.args)
    if isinstance(tree, sympy.Add | sympy.Mul) and parts[0].is_Rational and parts[0] not in (0, 1, -1):
        drawn = rng.choice([rng.gauss(0, 3), rng.uniform(-1e-5, 1e-5), 0.1, -1e20 * rng.random(), 16777217.0, 1e-30])
        parts = (sympy.Rational(*drawn.as_integer_ratio()), *parts[1:])
    return rebuild(tree, parts)


def test_equation_text_is_read_back_exactly() -> None:
    rng = random.Random(4)
    checked = {32: 0, 64: 0}
    for _ in range(330):
        row = formula(rng, 4).row
        try:
            found = read_back(row, 64)
            if rng.random() < 0.6:
                found = fitted_constants(found, rng)
            if found.has(sympy.zoo, sympy.nan, sympy.I) or "Abs(Abs" in str(found):
                continue
            text = equation_text(found)
        except (LoadError, UnsupportedError):
            continue
        assert read_back(text, 64) == found, text
        bits = guess_precision(((Row(text),),))
        assert read_back(text, bits) == found, text
        checked[bits] += 1
    assert min(checked.values()) > 60


def test_equation_text_by_hand() -> None:
    assert equation_text(expression("x0/(1+x1^2) - 2*x0")) == "x0 / (square(x1) + 1.0) - 2.0 * x0"
    assert equation_text(sympy.Rational(*(0.1).as_integer_ratio())) == "1.0000000000000001e-1"
    assert equation_text(expression("2*pi*x0"), ("x0", "pi")) == "2.0 * acos(-1.0) * x0"
    with pytest.raises(UnsupportedError, match="no name"):
        equation_text(sympy.besselj(0, sympy.Symbol("x0", real=True)))


# --- rank -----------------------------------------------------------------------------------------------------------


def row(cycles: int | None, luts: float, circuit_loss: float, *, dsps: float = 0.0, nodes: int = 3) -> Found:
    x0 = sympy.Symbol("x0", real=True)
    if cycles is None:
        return Found(x0, "x0", 1.0, 1.0, nodes, "test", refused="a pole")
    return Found(x0, "x0", circuit_loss, circuit_loss, nodes, "test", circuit_loss, cycles, luts, dsps, 0.1, 0.5)


def test_the_front_is_what_nothing_beats() -> None:
    rng = np.random.default_rng(0)
    items = [row(int(c), float(a), float(e), dsps=float(d)) for c, a, e, d in rng.integers(1, 6, (60, 4))]
    kept = front([*items, row(None, 0, 0)])
    assert kept[-1].refused == "a pole"
    marks = [(f.cycles, area(f), f.circuit_loss) for f in items]
    for item in kept[:-1]:
        mine = (item.cycles, area(item), item.circuit_loss)
        assert not any(o != mine and all(a <= b for a, b in zip(o, mine, strict=True)) for o in marks)
    kept_marks = {(f.cycles, area(f), f.circuit_loss) for f in kept[:-1]}
    assert len(kept_marks) == len(kept) - 1
    for mark in marks:
        assert any(all(a <= b for a, b in zip(k, mark, strict=True)) for k in kept_marks)
    assert area(row(1, 10, 1, dsps=2)) == 10 + 2 * DSP_LUTS
    assert pareto([3, 1, 1, 2], lambda x: (float(x),)) == [1]


def test_the_hall_of_fame_falls_with_the_cycles() -> None:
    items = [row(3, 5, 0.5), row(1, 9, 2.0), row(1, 1, 2.0), row(2, 1, 3.0), row(4, 1, 0.5), row(None, 0, 0)]
    rows = hall_of_fame(items)
    assert [(r.cycles, r.circuit_loss, r.luts) for r in rows] == [(1, 2.0, 1), (3, 0.5, 5)]
    assert scores(rows) == [0.0, math.log(4) / 2]
    data = problem("x0")
    assert best(items, data, "accuracy") == rows[1]
    assert best(items, data, "score") == rows[1]
    assert best([], data) is None
    small, large = row(1, 1, 1.0, nodes=3), row(1, 1, 0.999, nodes=9)
    assert best([large, small], data) == small


# --- circuits -------------------------------------------------------------------------------------------------------


def test_the_circuit_loss_is_that_of_predict() -> None:
    train, held_out = problem("x0*x1 + 0.3*x0^2"), problem("x0*x1 + 0.3*x0^2", seed=1)
    found = expression("x0*x1 + 0.3*x0^2")
    settings = Settings(width=10)
    circuit = circuit_of(found, train, held_out, settings)
    words = words_of(train, 10)
    model = SymbolicModel(NAMES, (Output("y", found, Provenance("test", "")),))
    design = sr2hls.compile(
        model,
        inputs={n: w[0] for n, w in words.items()},
        ranges={n: w[1] for n, w in words.items()},
        max_error=error_target(found, train, settings),
        target="vu9p-2",
        effort="low",
    )
    by_hand = design.predict({"x0": held_out.X[:, 0], "x1": held_out.X[:, 1]})
    assert circuit.loss == np.mean((by_hand - held_out.y) ** 2)
    assert circuit.cycles == design.latency
    assert circuit.max_error == design.certificate.outputs[0].bound
    assert Format.parse(str(circuit.output_format)) == design.output_formats["y"]
    assert 1 - circuit.score == pytest.approx(circuit.loss / held_out.y.var())
    residual = np.sqrt(loss(train, evaluate(found, {n: train.X[:, i] for i, n in enumerate(NAMES)})))
    assert circuit.max_error <= residual / 4 or circuit.max_error <= 0.02
    exact = np.abs(by_hand - evaluate(found, dict(zip(NAMES, quantized(held_out, words).X.T, strict=True))))
    assert exact.max() <= circuit.max_error


def test_the_rougher_circuit_is_smaller() -> None:
    data = problem("x0*x1 + 0.3*x0^2")
    fine, rough = (circuit_of(expression("x0*x1 + 0.3*x0^2"), data, data, Settings(), c) for c in (1.0, 4.0))
    assert rough.target_error == 4 * fine.target_error
    assert rough.luts < fine.luts
    assert fine.loss < rough.loss < 2 * fine.loss


def test_a_refused_candidate_carries_its_reason() -> None:
    data = problem("x0")
    clamped = circuit_of(expression("1/(x0-1.5)"), data, data, Settings())
    assert (clamped.refused, clamped.domain) == ("", "clamp")
    refused = circuit_of(expression("tan(x0*x1)"), data, data, Settings())
    assert "'tan(x0*x1)' is not finite" in refused.refused
    assert "\n" not in refused.refused
    assert refused.cycles is refused.loss is refused.luts is None


def test_a_constant_is_a_circuit_too() -> None:
    data = problem("x0")
    circuit = circuit_of(sympy.Rational(7, 4), data, data, Settings())
    assert circuit.loss == pytest.approx(np.mean((data.y - 1.75) ** 2))


def test_constants_for_rounded_inputs() -> None:
    """Inputs of 3 bits: constants fitted to what the circuit sees are better there, and the fit says so."""
    data = problem("exp(x0) + x1", noise=0.0, rows=2000)
    settings = Settings(width=3)
    tree = from_sympy(expression("1.01*exp(1.001*x0) + 1.01*x1"))
    aware = for_quantized_inputs(tree, data, settings)
    assert aware is not None
    rounded = Rows.of(quantized(data, words_of(data, 3)))
    assert loss_of(aware, rounded) < 0.99 * loss_of(from_sympy(expression("exp(x0) + x1")), rounded)
    assert for_quantized_inputs(tree, data, Settings(width=16)) is None


# --- all of it ------------------------------------------------------------------------------------------------------

TEXTS = (
    "0.51*x0/(0.5+0.49*x1*x1)+0.001*exp(0.1*x0)-0.001",
    "x0 - 0.4*x1",
    "x0*(0.9-0.2*x1) + 0.003*sin(x0)",
    "0.5*x0",
    "x0/(x1+0.2)+0.01",
)


@pytest.fixture(scope="module")
def refined() -> tuple[Found, ...]:
    train, held_out = problem("x0/(1+x1^2)"), problem("x0/(1+x1^2)", seed=1)
    return refine(train, held_out, [candidate(t) for t in TEXTS], Settings(width=8), limit=6)


def test_refine_finds_the_law(refined: tuple[Found, ...]) -> None:
    train = problem("x0/(1+x1^2)")
    chosen = best(refined, train)
    assert chosen is not None
    assert chosen.nodes == 6
    assert chosen.expression.has(sympy.Symbol("x1", real=True))
    assert chosen.held_out < 2 * (0.01 * train.y.std()) ** 2
    assert chosen.score > 0.998
    assert [f.cycles for f in refined] == sorted(f.cycles for f in refined)
    assert len({(f.equation, f.target_error) for f in refined}) == len(refined)
    for item in refined:
        assert load(item.equation, precision=64) is not None
        assert read_back(item.equation, 64) == item.expression
        assert item.loss == pytest.approx(
            loss(train, np.broadcast_to(evaluate(item.expression, dict(zip(NAMES, train.X.T, strict=True))), (500,)))
        )


def test_refine_is_deterministic(refined: tuple[Found, ...]) -> None:
    train, held_out = problem("x0/(1+x1^2)"), problem("x0/(1+x1^2)", seed=1)
    told: list[Progress] = []
    again = refine(
        train, held_out, [candidate(t) for t in TEXTS], Settings(width=8), limit=6, seconds=1e6, tell=told.append
    )
    assert again == refined
    assert [p.done for p in told] == sorted(p.done for p in told)
    assert told[-1].done == 1.0
    assert told[-1].front


def test_the_safety_stop_and_bad_candidates() -> None:
    train, held_out = problem("x0/(1+x1^2)"), problem("x0/(1+x1^2)", seed=1)
    texts = ["0.7*x0", "log(x0-1.1)", "x0/(1.1+x1^2)"]
    found = refine(train, held_out, [candidate(t) for t in texts], Settings(), seconds=0.0)
    assert all(f.cycles is None for f in found)
    reasons = {f.refused for f in found}
    assert any("no finite value" in r for r in reasons)
    assert any("time limit" in r for r in reasons)
    assert refine(train, held_out, [], Settings()) == ()


def test_ctrl_c_keeps_what_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from sr2hls.search.refine import stage

    calls = 0

    def interrupted(*args: object) -> object:
        nonlocal calls
        calls += 1
        if calls > 2:
            raise KeyboardInterrupt
        return circuit_of(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(stage, "circuit_of", interrupted)
    train = problem("x0*x1")
    found = refine(train, train, [candidate("x0*x1 + 0.01"), candidate("x0"), candidate("1.3*x0-0.3*x1")], Settings())
    assert 1 <= [f.cycles is not None for f in found].count(True) <= 2
    assert any("interrupted" in f.refused for f in found)


def test_weights_and_labels() -> None:
    rng = np.random.default_rng(3)
    X = rng.uniform(-2, 2, (1500, 2))  # noqa: N806
    y = (rng.uniform(size=1500) < 1 / (1 + np.exp(-(2 * X[:, 0] - X[:, 1] * X[:, 0])))).astype(float)
    data = Problem(X, NAMES, y, weights=np.where(y > 0, 0.5, 1.5) / np.where(y > 0, 0.5, 1.5).mean(), loss="logistic")
    found = refine(data.part(np.arange(1000)), data.part(np.arange(1000, 1500)), [candidate("1.7*x0-0.8*x0*x1")],
                   Settings(width=8), limit=3)  # fmt: skip
    assert found
    assert all(f.score is not None and 0.75 < f.score < 1 for f in found)
    even = replace(data, weights=None)
    assert loss(even, np.zeros(1500)) == pytest.approx(math.log(2))
