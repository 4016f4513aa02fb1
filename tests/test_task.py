"""The cheapest circuit whose bit-accurate metric on held-out rows stays within a loss."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import sr2hls
from sr2hls.cli.app import app
from sr2hls.errors import FormatError, LoadError
from sr2hls.load import load
from sr2hls.synth.run import predicted
from sr2hls.task import allowed, labeled, task_of
from sr2hls.task.metric import auc, rmse

RNG = np.random.default_rng(5)
ROWS = 3000
COLUMNS = {"a": RNG.uniform(0, 2, ROWS), "b": RNG.uniform(-1, 1, ROWS), "c": RNG.uniform(-3, 3, ROWS)}
TRUTH = COLUMNS["a"] * COLUMNS["b"] + 0.1 * np.sin(COLUMNS["c"])
NOISY = TRUTH + RNG.normal(0, 0.2, ROWS)
CLASSES = (NOISY > 0).astype(float)
FORMULA = "a*b + 0.1*sin(c)"


def held_out_loss(design, labels, metric):
    """The loss by `predict` and the formula in float64, on the rows that are held out."""
    task = task_of(load(FORMULA), COLUMNS, {"y": labels}, allowed(metric, 1.0))
    order = np.random.default_rng(0).permutation(ROWS)[: round(0.3 * ROWS)]
    measure = {"rmse": rmse, "auc": auc}[metric]
    got = measure(labels[order], design.predict({n: c[order] for n, c in COLUMNS.items()}))
    want = measure(labels[order], TRUTH[order])
    assert task.formula["y"] == pytest.approx(want, rel=1e-12)
    return (got - want) / want if metric == "rmse" else (want - got) / want


@pytest.mark.parametrize(("metric", "labels", "loss"), [("rmse", NOISY, 0.01), ("auc", CLASSES, 0.001)])
def test_input_bits_are_the_first_lever(metric, labels, loss):
    plain = sr2hls.compile(FORMULA, data=COLUMNS, effort="low")
    design = sr2hls.compile(
        FORMULA, data=COLUMNS, labels=labels, metric=metric, max_loss=f"{100 * loss}%", effort="low"
    )
    assert held_out_loss(design, labels, metric) <= loss
    assert predicted(design)["lut"] < 0.3 * predicted(plain)["lut"]
    widths = {name: fmt.width for name, fmt in design.input_formats.items()}
    assert max(widths.values()) < 12
    assert widths["c"] < widths["a"]  # it matters least
    (output,) = design.certificate.outputs
    assert output.bound <= output.target
    assert any("held-out rows" in note for note in design.certificate.notes)


def test_formats_that_were_given_stay():
    words = {"a": "ufixed<10,1>", "b": "fixed<10,1>", "c": "fixed<10,3>"}
    design = sr2hls.compile(
        FORMULA, inputs=words, data=COLUMNS, labels=NOISY, metric="rmse", max_loss="1%", effort="low"
    )
    assert {name: str(fmt) for name, fmt in design.input_formats.items()} == words
    assert next(iter(design.output_formats.values())).width < 16


def test_limits_hold_as_well():
    limits = {"max_latency": 1, "target": "vu9p-2", "effort": "low"}
    design = sr2hls.compile(FORMULA, data=COLUMNS, labels=NOISY, metric="rmse", max_loss="20%", **limits)
    assert design.latency == 1
    with pytest.raises(FormatError, match="the nearest has"):
        sr2hls.compile(FORMULA, data=COLUMNS, labels=NOISY, metric="rmse", max_loss="20%", max_luts=2, effort="low")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"metric": "f1", "max_loss": "1%"}, "rmse or auc"),
        ({"metric": "rmse", "max_loss": "much"}, "--max-loss 'much'"),
        ({"metric": "rmse"}, "--max-loss"),
        ({"metric": "rmse", "max_loss": "1e-9%", "width": 3}, "no circuit stays within"),
        ({"metric": "auc", "max_loss": "1%", "labels": np.ones(ROWS)}, "not defined"),
        ({"metric": "rmse", "max_loss": "1%", "labels": np.ones((ROWS, 2))}, "shape"),
        ({"metric": "rmse", "max_loss": "1%", "labels": "z"}, "no column 'z'"),
        ({"metric": "rmse", "max_loss": "1%", "labels": TRUTH[:-1]}, "labels of 'y'"),
        ({"metric": "rmse", "max_loss": "1%", "labels": TRUTH}, "without '%'"),
    ],
)
def test_refusals_are_one_line(options, says):
    with pytest.raises((FormatError, LoadError), match=says) as caught:
        sr2hls.compile(FORMULA, **{"data": COLUMNS, "labels": NOISY, "effort": "low", **options})
    assert "\n" not in str(caught.value)


def test_labels_by_name_by_default_and_as_arrays():
    data = {**COLUMNS, "weight": np.ones(ROWS), "target": NOISY}
    model = load(FORMULA)
    for labels in (None, "target", {"y": "target"}, NOISY, {"y": NOISY}):
        columns, truth = labeled(model, data, labels, ["a", "b", "c"])
        assert list(columns) == ["a", "b", "c"]
        assert np.array_equal(truth["y"], NOISY)
    two = load("u = a*b; v = c")
    _, truth = labeled(two, {**data, "u": TRUTH, "v": NOISY}, None, ["a", "b", "c"])
    assert np.array_equal(truth["u"], TRUTH)
    assert np.array_equal(truth["v"], NOISY)


def test_the_command(tmp_path):
    rows = np.column_stack([*COLUMNS.values(), NOISY])[:400]
    np.savetxt(tmp_path / "rows.csv", rows, delimiter=",", header="a,b,c,seen", comments="")
    words = ["compile", FORMULA, "--data", str(tmp_path / "rows.csv"), "--effort", "low", "-o", str(tmp_path / "out")]
    task = ["--metric", "rmse", "--max-loss", "2%", "--label", "seen", "--json"]
    done = CliRunner().invoke(app, [*words, *task])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert any("rmse on 120 held-out rows" in note for note in report["notes"])
