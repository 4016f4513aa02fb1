"""Several classes fitted together: the minimum, the gain over one against the rest, limits, the way to a circuit."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from search_stubs import STAGES

import sr2hls
from sr2hls.errors import FormatError
from sr2hls.load.search_json import recorded
from sr2hls.search import SymbolicLatencyClassifier
from sr2hls.search.found import Found
from sr2hls.search.problem import Problem
from sr2hls.search.refine.softmax import Labeled, accuracy, cross_entropy, fit, values
from sr2hls.search.refine.together import common, together
from sr2hls.search.refine.tree import Tree, constants, from_sympy, with_constants
from sr2hls.search.run import search
from sr2hls.search.settings import Settings
from sr2hls.search.stages import run_join, run_refine

REAL = replace(STAGES, join=run_join)
COMPILED = replace(STAGES, refine=run_refine, join=run_join)


def bands(rows: int = 400, seed: int = 0, noise: float = 0.2) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Three classes along a line, the middle one between the others: no plane tells it from the rest."""
    random = np.random.default_rng(seed)
    X = random.uniform(-1, 1, (rows, 2))  # noqa: N806
    edges = 2 * X[:, 0] - X[:, 1] + noise * random.normal(size=rows)
    return X, np.digitize(edges, [-0.6, 0.6])


def tree(text: str) -> Tree:
    return from_sympy(sr2hls.load(text).outputs[0].expression)


def rows_of(X: NDArray[np.float64], y: NDArray[np.intp], weights: Any = None) -> Labeled:  # noqa: N803
    return Labeled({f"x{at}": np.ascontiguousarray(X[:, at]) for at in range(X.shape[1])}, y, weights)


TREES = ["1.3*x0 + 0.7", "0.2*tanh(2.2*x1) + 0.4*x0*x1", "0.9*x1 + 1.7*x0 - 0.3"]


def test_cross_entropy_and_accuracy_are_their_definitions() -> None:
    X, y = bands(50)  # noqa: N806
    weights = np.linspace(0.1, 2.0, 50)
    rows, scores = rows_of(X, y, weights), np.random.default_rng(1).normal(size=(3, 50))
    chance = np.exp(scores) / np.exp(scores).sum(axis=0)
    assert cross_entropy(scores, rows) == pytest.approx(np.average(-np.log(chance[y, range(50)]), weights=weights))
    assert accuracy(scores, rows) == pytest.approx(weights[scores.argmax(axis=0) == y].sum() / weights.sum())
    assert cross_entropy(np.where(scores > 2, np.inf, scores), rows) == np.inf
    assert cross_entropy(1e4 * scores, rows) < np.inf


@pytest.mark.parametrize("weighted", [False, True])
def test_a_fit_ends_where_no_constant_can_be_moved_with_gain(weighted: bool) -> None:
    X, y = bands()  # noqa: N806
    rows = rows_of(X, y, np.where(y == 1, 3.0, 0.5) if weighted else None)
    trees = [tree(text) for text in TREES]
    found = fit(trees, rows)
    assert found.loss < cross_entropy(values(trees, rows), rows) - 0.1
    assert found.loss == pytest.approx(cross_entropy(values(found.trees, rows), rows), rel=1e-12)
    for at, one in enumerate(found.trees):
        numbers = constants(one)
        for place in range(len(numbers)):
            for step in (-1e-2, 1e-2):
                moved = [n + step * (p == place) for p, n in enumerate(numbers)]
                other = [*found.trees[:at], with_constants(one, iter(moved)), *found.trees[at + 1 :]]
                assert cross_entropy(values(other, rows), rows) > found.loss - 1e-5


def test_only_the_moving_class_moves() -> None:
    X, y = bands()  # noqa: N806
    trees = [tree(text) for text in TREES]
    found = fit(trees, rows_of(X, y), moving=[1])
    assert found.trees[0] == trees[0]
    assert found.trees[2] == trees[2]
    assert found.trees[1] != trees[1]


def test_the_common_word_has_every_value() -> None:
    assert common(["fixed<9,6>", "fixed<12,9>"]) == "fixed<12,9>"
    assert common(["fixed<8,2>", "ufixed<7,4>", None]) == "fixed<11,5>"
    assert common(["ufixed<8,2>", "ufixed<7,4>"]) == "ufixed<10,4>"


def test_a_formula_within_the_limits_is_chosen() -> None:
    X, y = bands()  # noqa: N806
    problems = [Problem(X, ("x0", "x1"), (y == c) * 1.0, f"y_{c}", None, "logistic") for c in range(3)]
    fronts = []
    for slow in ("3*x0*x0*x1 - x0", "x0*x1 - 1", "x0*x0*x0*x1 + 2*x0"):
        texts = [("0.3*x0 + 0.1*x1", 0.6, 1), (slow, 0.1, 9), ("0.2*x1 - 0.4", 0.5, 1)]
        fronts.append(
            [
                Found(sr2hls.load(t).outputs[0].expression, t, b, b, 5, "s", circuit_loss=b, cycles=c, luts=50.0)
                for t, b, c in texts
            ]
        )
    settings = Settings(width=8, max_cycles=2.0)
    found = together(problems, problems, fronts, settings, 2.0)
    assert found is not None
    assert found.cycles <= 2
    assert found.accuracy > 0.85
    assert all(f.source == "s, softmax" for f in found.found)
    assert found == together(problems, problems, fronts, settings, 2.0)
    assert together(problems, problems, fronts, settings, 0.5) is None


def test_a_search_tells_the_middle_class_apart_by_softmax(tmp_path: Path) -> None:
    X, y = bands(noise=0.8)  # noqa: N806
    result = search(X, y, loss="logistic", multi_class="softmax", stages=COMPILED, finalists=3, width=8, max_cycles=2)
    other = search(X, y, loss="logistic", multi_class="ovr", stages=COMPILED, finalists=3, width=8, max_cycles=2)
    held_out = bands(2000, seed=5, noise=0.8)
    rows = rows_of(*held_out)
    scores = [r.predict(held_out[0]).T for r in (result, other)]
    assert accuracy(scores[0], rows) > accuracy(scores[1], rows) + 0.02
    assert cross_entropy(scores[0], rows) < 0.92 * cross_entropy(scores[1], rows)
    assert other.word is None
    assert result.word is not None
    assert any(note.startswith("softmax over 3 classes") for note in result.notes)
    design = result.compile()
    assert {str(word) for word in design.output_formats.values()} == {result.word}
    codes = design.predict(held_out[0])
    assert np.abs(codes - result.predict(held_out[0])).max() < 0.2
    assert result.compile(width=6).latency >= 1  # other words: their own output format
    folder = result.save(tmp_path / "found")
    again = sr2hls.load(folder)
    assert [o.expression for o in again.outputs] == [f.expression for f in result.best]
    assert recorded(folder, again).output == result.word
    assert recorded(folder, sr2hls.load(folder, select=0)).output is None
    record = json.loads((folder / "search.json").read_text())
    assert [o["best"] for o in record["outputs"]] == [o["together"] for o in record["outputs"]]


def test_one_against_the_rest_stays_where_it_is_better(monkeypatch: pytest.MonkeyPatch) -> None:
    from sr2hls.search import classes

    X, y = bands(120)  # noqa: N806
    real = classes.together
    monkeypatch.setattr(classes, "together", lambda *a: replace(real(*a), accuracy=0.1))  # type: ignore[type-var]
    result = search(X, y, loss="logistic", stages=REAL, width=6)
    assert result.word is None
    assert all(output.together is None for output in result.outputs)
    assert "one against the rest: accuracy of the circuits" in result.notes[-1]
    monkeypatch.setattr(classes, "together", lambda *_: None)
    assert "within the limits" in search(X, y, loss="logistic", stages=REAL, width=6).notes[-1]


def test_the_estimator_gives_the_probabilities_of_the_softmax() -> None:
    class Classifier(SymbolicLatencyClassifier):
        _stages = COMPILED

    X, y = bands(200)  # noqa: N806
    model = Classifier(multi_class="softmax", width=8, finalists=2).fit(X, np.array(["a", "b", "c"])[y])
    scores, chances = model.decision_function(X), model.predict_proba(X)
    assert model.result_.word is not None
    np.testing.assert_allclose(np.log(chances[:, 1] / chances[:, 0]), scores[:, 1] - scores[:, 0], atol=1e-9)
    np.testing.assert_allclose(chances.sum(axis=1), 1)
    assert np.mean(model.predict_circuit(X) == model.predict(X)) > 0.95
    assert model.score(X, np.array(["a", "b", "c"])[y]) > 0.8
    other = Classifier(multi_class="ovr", width=8, finalists=2).fit(X, y)
    assert other.result_.word is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"multi_class": "both"}, "auto, ovr, softmax, not 'both'"),
        ({"multi_class": "softmax", "loss": "mse", "classify": True}, "takes the loss logistic, not mse"),
    ],
)
def test_senseless_wishes(options: dict[str, Any], message: str) -> None:
    X, y = bands(60)  # noqa: N806
    with pytest.raises(FormatError, match=message):
        search(X, y, **{"loss": "logistic", "stages": STAGES, **options})
