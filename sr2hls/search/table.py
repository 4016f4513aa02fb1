"""A data file, frame or arrays → a `Table`: inputs, targets and weights as checked columns. Bad data is one line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from sr2hls.errors import LoadError
from sr2hls.load.data import Columns, columns_of, read_columns
from sr2hls.search.problem import Floats
from sr2hls.search.words import check_column

MIN_ROWS = 3
MAX_FEATURES = 512
MAX_VALUE = 1e30  # engines square float32 values


@dataclass(frozen=True, slots=True)
class Table:
    inputs: Columns
    targets: Columns
    weights: Floats | None = None
    source: str = ""

    @property
    def rows(self) -> int:
        return len(next(iter(self.targets.values())))


def _columns(data: Any, kept: Callable[[Sequence[str]], Sequence[str]]) -> tuple[Columns, str]:
    """The columns that `kept` picks, and the name of the file. Raises LoadError."""
    if isinstance(data, str | Path):
        return read_columns(data, kept), Path(data).name
    if hasattr(data, "columns"):
        twice = [str(name) for name, times in Counter(str(c) for c in data.columns).items() if times > 1]
        if twice:
            raise LoadError(f"two columns have the same name: {', '.join(twice)[:200]}; rename one")
    columns = columns_of(data)
    return {name: columns[name] for name in kept(list(columns))}, ""


def read_table(data: Any, y: Any, outputs: Sequence[str] | str | None, weights: Any, drop: Sequence[str]) -> Table:
    if y is not None and (isinstance(y, str) or (isinstance(y, list | tuple) and all(isinstance(v, str) for v in y))):
        outputs, y = y, None
    columns, source = _columns(data, partial(_but, drop=drop))
    weigh: Floats | None = None
    if isinstance(weights, str):
        if weights not in columns:
            raise LoadError(
                f"{at_source(source)}there is no column '{weights}' with weights; the columns are: {', '.join(columns)}"
            )
        weigh = columns.pop(weights)
    elif weights is not None:
        weigh = _vector(weights, "the weights")
    if y is not None:
        targets = _targets_of(y, columns)
    else:
        wanted = [outputs] if isinstance(outputs, str) else list(outputs or _default_output(columns, source))
        if missing := [name for name in wanted if name not in columns]:
            raise LoadError(
                f"{at_source(source)}there is no target column {', '.join(map(repr, missing))}; "
                f"the columns are: {', '.join(columns)}"
            )
        if twice := [name for name, times in Counter(wanted).items() if times > 1]:
            raise LoadError(f"the target '{twice[0]}' is named twice")
        targets = {name: columns.pop(name) for name in wanted}
    return Table(columns, targets, weigh, source)


def _but(names: Sequence[str], drop: Sequence[str]) -> list[str]:
    if missing := [name for name in drop if name not in names]:
        raise LoadError(f"there is no column {', '.join(map(repr, missing))} to leave out")
    return [name for name in names if name not in drop]


def _default_output(columns: Columns, source: str) -> list[str]:
    if source.lower().endswith((".npz", ".npy")):
        many = [name for name in columns if name.startswith("y") and name[1:].isdecimal()]
        if "y" in columns:
            return ["y"]
        if many:
            return many
    if not columns:
        raise LoadError(f"{at_source(source)}there are no columns of numbers in it")
    return [list(columns)[-1]]


def _targets_of(y: Any, columns: Columns) -> Columns:
    if hasattr(y, "columns") or isinstance(y, Mapping):
        return columns_of(y)
    name = getattr(y, "name", None)
    array = np.asarray(y)
    if array.dtype.kind not in "biuf":
        raise LoadError(f"the target holds {array.dtype}, not numbers; number the classes, or use the classifier")
    if array.ndim == 1:
        return columns_of({str(name) if isinstance(name, str) and name not in columns else _free("y", columns): array})
    if array.ndim != 2 or array.shape[1] == 0:
        raise LoadError(f"the target has the shape {array.shape}, not (n,) or (n, outputs)")
    if array.shape[1] == 1:
        return columns_of({_free("y", columns): array[:, 0]})
    return columns_of({_free(f"y{at}", columns): array[:, at] for at in range(array.shape[1])})


def _free(name: str, columns: Columns) -> str:
    while name in columns:
        name += "_"
    return name


def _vector(values: Any, what: str) -> Floats:
    array = np.asarray(values)
    if array.ndim != 1 or array.dtype.kind not in "biuf":
        raise LoadError(f"{what} have the shape {array.shape} and type {array.dtype}, not one number per row")
    return array.astype(np.float64)


def read_test(test: Any, table: Table, weights: Any) -> Table:
    """The rows to judge by, with the same columns. Raises LoadError."""
    weigh = None
    if isinstance(test, tuple):
        inputs, targets = columns_of(test[0]), dict(zip(table.targets, _targets_of(test[1], {}).values(), strict=False))
        source = "the test data"
    else:
        needed = {*table.inputs, *table.targets, weights if isinstance(weights, str) else ""}
        columns, source = _columns(test, lambda names: [name for name in names if name in needed])
        source = source or "the test data"
        inputs, targets = columns, {name: columns[name] for name in table.targets if name in columns}
        weigh = columns.get(weights) if isinstance(weights, str) else None
    missing = [n for n in table.inputs if n not in inputs] + [n for n in table.targets if n not in targets]
    if missing:
        raise LoadError(f"{source}: there is no column {', '.join(map(repr, missing))}, which the data have")
    found = Table({name: inputs[name] for name in table.inputs}, targets, weigh, source)
    _check_sizes(found)
    return found


def at_source(source: str) -> str:
    return f"{source}: " if source else ""


def check(table: Table) -> None:
    at = at_source(table.source)
    if not table.inputs:
        raise LoadError(f"{at}there is no column but the target {', '.join(table.targets)}; a formula needs an input")
    if len(table.inputs) > MAX_FEATURES:
        raise LoadError(
            f"{at}{len(table.inputs)} inputs (n_features) are more than {MAX_FEATURES}; leave some out with --drop"
        )
    try:
        for name in (*table.inputs, *table.targets):
            check_column(name)
    except LoadError as error:
        raise LoadError(f"{at}{error}") from None
    _check_sizes(table)
    if table.rows < MIN_ROWS:
        what = "1 sample (row)" if table.rows == 1 else f"{table.rows} rows"
        raise LoadError(f"{at}{what}; a search needs at least {MIN_ROWS}")
    for name, column in (table.inputs | table.targets).items():
        if (size := float(np.abs(column).max())) > MAX_VALUE:
            raise LoadError(f"{at}column '{name}' holds values up to {size:.3g}; use another unit (up to 1e30)")
    if table.weights is not None:
        _check_weights(table.weights, at)


def _check_sizes(table: Table) -> None:
    at, rows = at_source(table.source), table.rows
    for name, column in (table.inputs | table.targets).items():
        if len(column) != rows:
            raise LoadError(f"{at}column '{name}' has {len(column)} rows, the target {rows}")
    if table.weights is not None and len(table.weights) != rows:
        raise LoadError(f"{at}{len(table.weights)} weights for {rows} rows")


def _check_weights(weights: Floats, at: str) -> None:
    if not np.isfinite(weights).all():
        raise LoadError(f"{at}the weight in row {np.flatnonzero(~np.isfinite(weights))[0] + 1} is not a finite number")
    if (weights < 0).any():
        row = int(np.flatnonzero(weights < 0)[0])
        raise LoadError(f"{at}the weight in row {row + 1} is negative ({weights[row]:g})")
    if np.count_nonzero(weights) < MIN_ROWS:
        raise LoadError(
            f"{at}{np.count_nonzero(weights)} rows have a weight above 0; a search needs at least {MIN_ROWS}"
        )
