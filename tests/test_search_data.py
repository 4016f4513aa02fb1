"""Data files, frames and arrays → problems: targets, splits, classes, features; and one clear line for what is bad."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from search_stubs import plane

from sr2hls.errors import FormatError, LoadError
from sr2hls.search.data import Prepared, prepare
from sr2hls.search.wishes import definitions, fake_format, operator_names, pysr_options, unit_texts

ROWS = "\n".join(f"{i},{i % 7},{3 * i % 11}" for i in range(50))


def csv(folder: Path, head: str, rows: str = ROWS, name: str = "data.csv") -> Path:
    path = folder / name
    path.write_text(f"{head}\n{rows}\n")
    return path


def only(prepared: Prepared) -> Any:
    assert len(prepared.tasks) == 1
    return prepared.tasks[0]


# ---- what is read


def test_the_target_is_the_last_column_or_the_one_named(tmp_path: Path) -> None:
    path = csv(tmp_path, "a,b,c")
    task = only(prepare(path))
    assert (task.name, task.train.names) == ("c", ("a", "b"))
    assert only(prepare(path, outputs="b")).train.names == ("a", "c")
    assert only(prepare(path, "a")).name == "a"
    two = prepare(path, outputs=["a", "c"])
    assert [t.name for t in two.tasks] == ["a", "c"]
    assert two.inputs == ("b",)
    assert only(prepare(path, drop=["a"])).train.names == ("b",)
    text = csv(tmp_path, "id,b,c", "\n".join(f"run{row}" for row in ROWS.split("\n")))
    assert only(prepare(text, drop=["id"])).train.names == ("b",)
    assert only(prepare(text, drop=["id"], test=text)).held_out.names == ("b",)


def test_the_target_of_an_npz_is_y(tmp_path: Path) -> None:
    X, y = plane()  # noqa: N806
    np.savez(tmp_path / "one.npz", y=y, X=X)
    assert only(prepare(tmp_path / "one.npz")).name == "y"
    np.savez(tmp_path / "two.npz", X=X, y=np.stack([y, -y], axis=1))
    prepared = prepare(tmp_path / "two.npz")
    assert [t.name for t in prepared.tasks] == ["y0", "y1"]
    assert prepared.inputs == ("x0", "x1", "x2")


def test_an_npz_may_name_its_features_and_hold_other_things(tmp_path: Path) -> None:
    X, y = plane()  # noqa: N806
    np.savez(tmp_path / "d.npz", X=X, y=y, features=["pt", "eta", "m"], classes=["a", "b"], seed=np.array(3))
    assert only(prepare(tmp_path / "d.npz")).train.names == ("pt", "eta", "m")
    np.savez(tmp_path / "d.npz", X=X, y=y, features=["pt", "pt", "m"])
    assert only(prepare(tmp_path / "d.npz")).train.names == ("x0", "x1", "x2")


def test_parquet_frames_mappings_and_arrays_are_the_same_data(tmp_path: Path) -> None:
    X, y = plane()  # noqa: N806
    frame = pd.DataFrame(X, columns=["x0", "x1", "x2"]).assign(y=y)
    frame.to_parquet(tmp_path / "data.parquet")
    sources = [
        prepare(tmp_path / "data.parquet"),
        prepare(frame),
        prepare({name: frame[name].to_numpy() for name in frame}),
        prepare(X, y),
        prepare(frame.drop(columns="y"), frame["y"]),
    ]
    for prepared in sources:
        task = only(prepared)
        assert (task.name, task.train.names) == ("y", ("x0", "x1", "x2"))
        np.testing.assert_array_equal(task.train.X, only(sources[0]).train.X)
        np.testing.assert_array_equal(task.held_out.y, only(sources[0]).held_out.y)


# ---- the split


def test_every_fifth_row_is_held_out_and_the_seed_says_which() -> None:
    X, y = plane(200)  # noqa: N806
    task, again, other = (only(prepare(X, y, seed=seed)) for seed in (1, 1, 2))
    assert (task.train.rows, task.held_out.rows) == (160, 40)
    np.testing.assert_array_equal(np.sort(np.concatenate([task.train.y, task.held_out.y])), np.sort(y))
    np.testing.assert_array_equal(task.train.X, again.train.X)
    assert not np.array_equal(task.train.X, other.train.X)


def test_few_rows_serve_for_both() -> None:
    X, y = plane(10)  # noqa: N806
    prepared = prepare(X, y)
    np.testing.assert_array_equal(only(prepared).train.X, only(prepared).held_out.X)
    assert prepared.notes == ("only 10 rows: all of them serve to fit and to judge",)


def test_rows_to_judge_by_from_a_file_with_the_columns_in_any_order(tmp_path: Path) -> None:
    path = csv(tmp_path, "a,b,c")
    test = csv(tmp_path, "c,b,a", "1,2,3\n4,5,6", "test.csv")
    task = only(prepare(path, test=test))
    assert task.train.rows == 50
    np.testing.assert_array_equal(task.held_out.X, [[3, 2], [6, 5]])
    np.testing.assert_array_equal(task.held_out.y, [1, 4])
    with pytest.raises(LoadError, match=r"test.csv: there is no column 'c', which the data have"):
        prepare(path, test=csv(tmp_path, "b,a", "1,2\n3,4", "test.csv"))


def test_weights_are_scaled_to_mean_one_and_are_no_input(tmp_path: Path) -> None:
    task = only(prepare(csv(tmp_path, "a,b,c"), outputs="a", weights="c"))
    assert task.train.names == ("b",)
    assert task.train.weights.mean() == pytest.approx(1)
    assert task.held_out.weights.mean() == pytest.approx(1)
    assert only(prepare(csv(tmp_path, "a,b,c"))).train.weights is None


# ---- classes


def test_two_classes_are_one_problem_and_more_are_one_each() -> None:
    X, y = plane(100)  # noqa: N806
    two = prepare(X, np.where(y > 0, 5, -1), loss="logistic")
    assert two.classes == (-1, 5)
    assert set(np.unique(only(two).train.y)) == {0, 1}
    assert only(two).label is None
    labels = np.digitize(y, [-2, 2])
    three = prepare(X, labels, loss="logistic")
    assert [t.name for t in three.tasks] == ["y_0", "y_1", "y_2"]
    assert [t.label for t in three.tasks] == [0, 1, 2]
    np.testing.assert_array_equal(sum(t.train.y for t in three.tasks), 1)
    for task in three.tasks:  # every class has the same share of rows held out
        assert task.held_out.y.sum() == round(0.2 * np.sum(labels == task.label))


def test_labels_may_be_fitted_with_another_loss() -> None:
    X, y = plane()  # noqa: N806
    prepared = prepare(X, (y > 0) * 3, loss="mse", classify=True)
    assert set(only(prepared).train.y) == {0, 1}
    assert only(prepared).train.loss == "mse"


# ---- features and units


def test_the_inputs_that_matter_are_found() -> None:
    X, y = plane(300, 12)  # noqa: N806
    prepared = prepare(X, y, features=2)
    assert only(prepared).train.names == ("x0", "x1")
    assert only(prepared).held_out.X.shape[1] == 2
    assert prepared.inputs == tuple(f"x{i}" for i in range(12))
    assert prepared.notes == ("y: searched in x0, x1",)


def test_constant_inputs_are_left_out_and_said() -> None:
    X, y = plane()  # noqa: N806
    prepared = prepare(np.column_stack([X, np.full(60, 3.0)]), y)
    assert only(prepared).train.names == ("x0", "x1", "x2")
    assert prepared.notes == ("constant, so left out: x3",)


def test_units_are_of_columns_and_can_be_read() -> None:
    X, y = plane()  # noqa: N806
    task = only(prepare(X, y, units={"x0": "m/s^2", "y": "kg*m^2"}))
    assert task.train.input_units == ("m/s^2", "1", "1")
    assert task.train.output_unit == "kg*m^2"
    with pytest.raises(LoadError, match=r"a unit for 'z', which is no column; the columns are: x0, x1, x2"):
        prepare(X, y, units={"z": "m"})
    for bad in ("", "m//s", "m^^2", "3 apples"):
        with pytest.raises(LoadError, match="the unit of 'x0' is"):
            prepare(X, y, units={"x0": bad})


# ---- what is bad: one line that says what is wrong, where, what to do


@pytest.mark.parametrize(
    ("head", "rows", "options", "message"),
    [
        ("a,b", "1,2\n3,nan\n4,5", {}, r"data.csv: column 'b' holds nan in row 2 \(1 such cells\)"),
        ("a,b", "1,2\n3,inf\n4,5", {}, r"data.csv: column 'b' holds inf in row 2"),
        ("a,b", "1,7\n2,7\n3,7", {}, r"data.csv: the target 'b' is constant \(7\): there is nothing to find"),
        ("a,b", "1,2", {}, r"data.csv: 1 sample \(row\); a search needs at least 3"),
        ("a,b", "1,2\nlow,3\n4,5", {}, r"data.csv: line 3, column 'a': the text 'low', not a number"),
        ("a,a,b", "1,2,3\n4,5,6", {}, r"data.csv: two columns have the same name"),
        ("b", "1\n2\n3", {}, r"data.csv: there is no column but the target b; a formula needs an input"),
        ("a,b", "5,2\n5,3\n5,4", {}, r"data.csv: all inputs are constant"),
        ("my mass,b", "5,2\n6,3\n7,4", {}, r"data.csv: the column name 'my mass' is not a word .*; rename it"),
        ("pi,b", "5,2\n6,3\n7,4", {}, r"data.csv: the column name 'pi' is a number or a constant in a formula"),
        ("a,b", "5,2\n6,3\n7,1e40", {}, r"data.csv: column 'b' holds values up to 1e\+40; use another unit"),
        ("a,b", ROWS.replace(",", ",1,", 0), {}, r"data.csv: line 2 has 3 cells, not 2"),
        ("a,w,b", ROWS, {"weights": "ww"}, r"there is no column 'ww' with weights; the columns are: a, w, b"),
        ("a,b", "1,2\n3,1\n4,5", {"weights": "c"}, r"there is no column 'c' with weights"),
        ("w,a,b", "1,1,2\n-2,3,4\n1,5,1", {"weights": "w"}, r"data.csv: the weight in row 2 is negative \(-2\)"),
        ("w,a,b", "1,1,2\n0,3,4\n0,5,1", {"weights": "w"}, r"data.csv: 1 rows have a weight above 0; .* at least 3"),
        ("a,b,c", ROWS, {"outputs": ["q"]}, r"data.csv: there is no target column 'q'; the columns are: "),
        ("a,b,c", ROWS, {"outputs": ["b", "b"]}, r"the target 'b' is named twice"),
        ("a,b,c", ROWS, {"drop": ["q"]}, r"data.csv: there is no column 'q' to leave out"),
        ("a,b,c", ROWS, {"loss": "absolute"}, r"the loss is one of mse, mae, huber, logistic, not 'absolute'"),
        ("a,b,c", ROWS, {"test_share": 1.0}, r"a test share of 1 is no part of the rows"),
        ("a,b,c", ROWS, {"features": 0}, r"--features 0: a search needs at least one input"),
        ("a,b", "1,.5\n2,.25\n3,1", {"loss": "logistic"}, r"the label 'b' has 3 values; classes are up to 64 whole"),
        ("a,b", "1,4\n2,4\n3,4", {"loss": "logistic"}, r"the label 'b' has one class \(4\)"),
        ("a,b,c", ROWS, {"loss": "logistic", "outputs": ["a", "b"]}, r"a class label is one column"),
    ],
)  # fmt: skip
def test_bad_data_is_one_clear_line(
    tmp_path: Path, head: str, rows: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(LoadError, match=message) as caught:
        prepare(csv(tmp_path, head, rows), **options)
    assert "\n" not in str(caught.value)


def test_bad_arrays_and_frames() -> None:
    X, y = plane()  # noqa: N806
    with pytest.raises(LoadError, match="two columns have the same name: a; rename one"):
        prepare(pd.DataFrame(X[:, :2], columns=["a", "a"]), y)
    with pytest.raises(LoadError, match=r"column 'x0' has 60 rows, the target 59"):
        prepare(X, y[1:])
    with pytest.raises(LoadError, match="59 weights for 60 rows"):
        prepare(X, y, weights=np.ones(59))
    with pytest.raises(LoadError, match="the weight in row 3 is not a finite number"):
        prepare(X, y, weights=np.where(np.arange(60) == 2, np.nan, 1))
    with pytest.raises(LoadError, match=r"the target holds <U1, not numbers"):
        prepare(X, np.array(["a", "b"] * 30))
    with pytest.raises(LoadError, match=r"600 inputs \(n_features\) are more than 512; leave some out"):
        prepare(np.zeros((60, 600)), y)


# ---- what a person writes on the command line


def test_wishes() -> None:
    assert definitions(["sc(x) = sin(x)*cos(x)"]) == {"sc": "sc(x) = sin(x)*cos(x)"}
    assert operator_names("+, -,sin,+", ["sc(x) = x"]) == ("+", "-", "sin", "sc")
    assert operator_names(None, []) is None
    assert unit_texts(["v=m/s, t=s", "x=1"]) == {"v": "m/s", "t": "s", "x": "1"}
    assert fake_format("fixed<16,6>") == (16, 10)
    assert pysr_options(["populations=40", "turbo=true", "loss_scale=log", "constraints={\"/\": [-1, 9]}"]) == {
        "populations": 40, "turbo": True, "loss_scale": "log", "constraints": {"/": [-1, 9]}
    }  # fmt: skip


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: definitions(["sin(x)"]), "is no definition; write for example 'sc"),
        (lambda: definitions(["f(x)=x", "f(y)=y"]), "'f' is defined twice"),
        (lambda: operator_names(" ", []), "names none"),
        (lambda: unit_texts(["m/s"]), "is no unit of a column; write for example v=m/s"),
        (lambda: unit_texts(["a=m,a=s"]), "given twice for 'a'"),
        (lambda: fake_format("ufixed<8,4>"), "the values of a formula have signs"),
        (lambda: pysr_options(["populations"]), "is not name=value"),
    ],
)
def test_unreadable_wishes(call: Any, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        call()
