"""A data file, frame or arrays → per output a `Task`: rows to fit, rows held out to judge by. Bad data is one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sr2hls.errors import LoadError, ToolError
from sr2hls.load.data import Columns
from sr2hls.search.problem import LOSSES, Floats, Problem
from sr2hls.search.table import Table, at_source, check, read_table, read_test
from sr2hls.search.words import unit

MIN_SPLIT = 40  # with fewer rows each one is worth more for the fit than for the judgment
MAX_CLASSES = 64
IMPORTANCE_ROWS = 5000
IMPORTANCE_TREES = 60


@dataclass(frozen=True, slots=True)
class Task:
    """One output to search: rows to fit and rows that no engine sees (the same ones where there are too few to split).

    label: the class that a formula tells from all others, for one of several one-against-the-rest outputs.
    """

    train: Problem
    held_out: Problem
    label: float | None = None

    @property
    def name(self) -> str:
        return self.train.output


@dataclass(frozen=True, slots=True)
class Prepared:
    """All outputs of one search.

    inputs: all input columns in order, before feature selection; source: file name, or "" for arrays; classes: the
    labels in rising order where the target is a class; notes: what a user should know, a line each.
    """

    tasks: tuple[Task, ...]
    inputs: tuple[str, ...]
    source: str = ""
    classes: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()


def prepare(
    data: Any,
    y: Any = None,
    *,
    outputs: Sequence[str] | str | None = None,
    weights: str | ArrayLike | None = None,
    drop: Sequence[str] = (),
    test: Any = None,
    test_share: float = 0.2,
    seed: int = 0,
    loss: str = "mse",
    classify: bool | None = None,
    features: int | None = None,
    units: Mapping[str, str] | None = None,
) -> Prepared:
    """Read, check and split data.

    Args:
        data: CSV, npz or parquet file, mapping of columns, frame, or array of shape (n, k).
        y: the target as an array of shape (n,) or (n, outputs), or its column name(s); None: `outputs`.
        outputs: names of the target columns; None: `y` of an npz file, else the last column.
        weights: a column's name, or shape (n,); not negative. They are scaled to mean 1.
        drop: columns to leave out.
        test: rows to judge by, in any form of `data`; for arrays a pair (X, y). None: a part of the rows.
        test_share: that part; with fewer than `MIN_SPLIT` rows all of them serve for both.
        seed: of the split. Classes are split each by itself.
        loss: one of `sr2hls.search.problem.LOSSES`.
        classify: the target is a class label: one output per class, against the rest (one for two classes). None:
            for the logistic loss.
        features: inputs to keep per output, by importance in gradient-boosted trees.
        units: unit of each column, such as {"v": "m/s"}; columns that are not named have none ("1").

    Raises:
        LoadError: in one line, for whatever no search can use. ToolError: scikit-learn or pyarrow is missing.
    """
    if loss not in LOSSES:
        raise LoadError(f"the loss is one of {', '.join(LOSSES)}, not '{loss}'")
    if not 0 <= test_share < 1:
        raise LoadError(f"a test share of {test_share:g} is no part of the rows; 0.2 holds out every fifth row")
    table = read_table(data, y, outputs, weights, drop)
    check(table)
    names = tuple(table.inputs)
    notes: list[str] = []
    judged = None if test is None else read_test(test, table, weights)
    classes: tuple[float, ...] = ()
    if (loss == "logistic") if classify is None else classify:
        table, classes = _one_against_rest(table)
        if judged is not None:
            judged = _with_classes(judged, classes)
    labels = _labels(table, classes)
    if judged is None:
        fit, held = _split(table.rows, test_share, seed, labels)
        if np.array_equal(fit, held) and test_share > 0:
            notes.append(f"only {table.rows} rows: all of them serve to fit and to judge")
    input_units, output_units = _units(units, names, tuple(table.targets))
    constant = [name for name, column in table.inputs.items() if np.ptp(column) == 0]
    if constant:
        notes.append(f"constant, so left out: {', '.join(constant)}")
    tasks: list[Task] = []
    for name, target in table.targets.items():
        rows = _matrix(table.inputs)
        spans = tuple(zip(rows.min(axis=0).tolist(), rows.max(axis=0).tolist(), strict=True))
        unit_of_target = output_units.get(name)
        problem = Problem(rows, names, target, name, table.weights, loss, input_units, unit_of_target, spans)
        if judged is None:
            train, other = problem.part(fit), problem.part(held)
        else:
            train = problem
            other = replace(problem, X=_matrix(judged.inputs), y=judged.targets[name], weights=judged.weights)
        _check_target(train, table.source)
        keep = [at for at, feature in enumerate(names) if feature not in constant]
        if features is not None and features < len(keep):
            keep = select_features(train.features(keep), features, keep, seed)
            notes.append(f"{name}: searched in {', '.join(names[at] for at in keep)}")
        train, other = (_mean_one(part.features(keep)) for part in (train, other))
        tasks.append(Task(train, other, classes[len(tasks)] if len(classes) > 2 else None))
    return Prepared(tuple(tasks), names, table.source, classes, tuple(notes))


def _check_target(problem: Problem, source: str) -> None:
    if np.ptp(problem.y) == 0:
        raise LoadError(
            f"{at_source(source)}the target '{problem.output}' is constant ({problem.y[0]:g}): there is nothing to find"
        )
    if not np.ptp(problem.X, axis=0).any():
        raise LoadError(f"{at_source(source)}all inputs are constant: there is nothing to search in")


def select_features(problem: Problem, count: int, places: Sequence[int], seed: int = 0) -> list[int]:
    """The `count` of `places` (original columns, one per input of the problem) that matter most, in column order.

    By impurity importance in gradient-boosted trees (Friedman 2001) on at most `IMPORTANCE_ROWS` rows; deterministic.
    Raises LoadError for a count below 1, ToolError without scikit-learn.
    """
    if count < 1:
        raise LoadError(f"--features {count}: a search needs at least one input")
    try:
        from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor
    except ImportError:
        raise ToolError(
            "choosing features needs scikit-learn, which is missing; install it with pip install 'sr2hls[search]'"
        ) from None
    chosen = np.random.default_rng(seed).permutation(problem.rows)[:IMPORTANCE_ROWS]
    some = problem.part(np.sort(chosen))
    kind = GradientBoostingClassifier if len(np.unique(some.y)) == 2 else GradientBoostingRegressor
    trees = kind(n_estimators=IMPORTANCE_TREES, max_depth=4, subsample=0.8, random_state=seed)
    trees.fit(some.X, some.y, sample_weight=some.weights)
    order = np.argsort(-np.asarray(trees.feature_importances_), kind="stable")[:count]
    return sorted(places[at] for at in order)


def _one_against_rest(table: Table) -> tuple[Table, tuple[float, ...]]:
    """The label as 0/1 columns: one for two classes, else one per class. Raises LoadError."""
    if len(table.targets) > 1:
        raise LoadError("a class label is one column; several targets can only be fitted as numbers (loss mse)")
    (name, labels), at = next(iter(table.targets.items())), at_source(table.source)
    classes = np.unique(labels)
    if len(classes) < 2:
        raise LoadError(f"{at}the label '{name}' has one class ({labels[0]:g}); there is nothing to tell apart")
    if len(classes) > MAX_CLASSES or not np.array_equal(labels, np.round(labels)):
        raise LoadError(
            f"{at}the label '{name}' has {len(classes)} values; classes are up to {MAX_CLASSES} whole numbers "
            "(loss mse fits numbers)"
        )
    found = tuple(float(c) for c in classes)
    return _with_classes(table, found), found


def _with_classes(table: Table, classes: Sequence[float]) -> Table:
    name, labels = next(iter(table.targets.items()))
    if strange := set(np.unique(labels)) - set(classes):
        raise LoadError(
            f"{at_source(table.source)}the label '{name}' has the class {min(strange):g}, which the data do not"
        )
    if len(classes) == 2:
        return replace(table, targets={name: (labels == classes[1]).astype(np.float64)})
    return replace(table, targets={class_name(name, value): (labels == value).astype(np.float64) for value in classes})


def class_name(target: str, label: float) -> str:
    """The output that tells this class from the others: `y_3`, `y_m1` for the label -1."""
    return f"{target}_{int(label)}".replace("-", "m")


def _labels(table: Table, classes: Sequence[float]) -> NDArray[np.intp] | None:
    if not classes:
        return None
    if len(classes) == 2:
        return next(iter(table.targets.values())).astype(np.intp)
    place: NDArray[np.intp] = np.argmax(np.stack(list(table.targets.values())), axis=0)
    return place


def _split(
    rows: int, share: float, seed: int, labels: NDArray[np.intp] | None
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows to fit and rows to judge by, each in rising order; each class (or all rows) is split by the same share."""
    every = np.arange(rows)
    if rows < MIN_SPLIT or share == 0:
        return every, every
    random = np.random.default_rng(seed)
    groups = [every] if labels is None else [np.flatnonzero(labels == c) for c in np.unique(labels)]
    held = []
    for group in groups:
        count = min(max(1, round(share * len(group))), len(group) - 1)
        held.append(random.permutation(group)[:count])
    taken = np.sort(np.concatenate(held))
    return np.setdiff1d(every, taken), taken


def _mean_one(problem: Problem) -> Problem:
    """Weights of mean 1; none where a part of the rows has no weight at all."""
    if problem.weights is None or not problem.weights.any():
        return replace(problem, weights=None)
    return replace(problem, weights=problem.weights / problem.weights.mean())


def _matrix(columns: Columns) -> Floats:
    return np.ascontiguousarray(np.stack(list(columns.values()), axis=1))


def _units(
    units: Mapping[str, str] | None, inputs: Sequence[str], outputs: Sequence[str]
) -> tuple[tuple[str, ...] | None, dict[str, str]]:
    """(unit per input, unit per output), or (None, {}) where none were given. Raises LoadError."""
    if not units:
        return None, {}
    if strange := [name for name in units if name not in (*inputs, *outputs)]:
        raise LoadError(f"a unit for '{strange[0]}', which is no column; the columns are: {', '.join(inputs)}")
    checked = {name: unit(text, name) for name, text in units.items()}
    return tuple(checked.get(n, "1") for n in inputs), {n: checked.get(n, "1") for n in outputs}
