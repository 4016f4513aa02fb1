"""A data file or table, and where its labels are → the formula's input columns and the labels of each output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sr2hls.errors import LoadError
from sr2hls.load.data import Columns, columns_of, read_columns
from sr2hls.model import SymbolicModel
from sr2hls.task.metric import Floats


def labeled(model: SymbolicModel, data: Any, labels: Any, inputs: Sequence[str]) -> tuple[Columns, dict[str, Floats]]:
    """Input columns, and labels by output name, all of shape (n,).

    Args:
        data: a file, or as `sr2hls.load.data.columns_of`.
        labels: a column's name, a name or array per output, or an array of shape (n,) or (n, outputs). None: the
            columns that are called as the outputs; of one output, else the last column that is no input.

    Raises LoadError: no such column, or labels of another length.
    """
    outputs = [output.name for output in model.outputs]
    if labels is not None and not isinstance(labels, str | Mapping):
        array = np.asarray(labels, dtype=np.float64)
        matrix = array[:, None] if array.ndim == 1 else array
        if matrix.ndim != 2 or matrix.shape[1] != len(outputs):
            raise LoadError(f"the labels have the shape {array.shape}, not (n, {len(outputs)})")
        labels = dict(zip(outputs, matrix.T, strict=True))
    asked: dict[str, Any] = {outputs[0]: labels} if isinstance(labels, str) else dict(labels or {})
    if unknown := [name for name in asked if name not in outputs]:
        raise LoadError(f"the model has no output '{unknown[0]}'; its outputs are {', '.join(outputs)}")
    arrays = {name: value for name, value in asked.items() if not isinstance(value, str)}
    every = _columns(data, inputs, named=[v for v in asked.values() if isinstance(v, str)], all_of=len(arrays) == 0)
    places = {name: asked.get(name, name) for name in outputs if name not in arrays}
    others = [name for name in every if name not in inputs]
    if not asked and len(outputs) == 1 and outputs[0] not in others and others:
        places[outputs[0]] = others[-1]
    missing = [place for place in places.values() if place not in every]
    if missing:
        raise LoadError(
            f"there is no column '{missing[0]}' with the labels of an output; name it with --label (columns: "
            f"{', '.join(every)})"
        )
    truth = {name: np.asarray(arrays[name] if name in arrays else every[places[name]], float) for name in outputs}
    columns = {name: every[name] for name in inputs}
    count = next(iter(columns.values())).size if columns else 0
    for name, values in truth.items():
        if values.shape != (count,) or not np.isfinite(values).all():
            raise LoadError(f"the labels of '{name}' are not {count} finite numbers")
    return columns, truth


def _columns(data: Any, inputs: Sequence[str], named: Sequence[str], all_of: bool) -> Columns:
    if isinstance(data, str | Path):
        return read_columns(data, None if all_of else [*inputs, *named])
    if isinstance(data, Mapping) or hasattr(data, "columns"):
        return columns_of(data)
    return columns_of(data, list(inputs))
