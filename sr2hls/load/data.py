"""A table of numbers (CSV, npz, npy, parquet) → named float64 columns. A cell that is no number is reported."""

from __future__ import annotations

import csv
import io
import math
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from lzma import LZMAError
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sr2hls.errors import LoadError, ToolError

Columns = dict[str, NDArray[np.float64]]
Wanted = Sequence[str] | Callable[[Sequence[str]], Sequence[str]] | None

MAX_BYTES = 1 << 30
_TITLES = ("features", "feature_names", "columns", "names")
SUFFIXES = (".csv", ".tsv", ".txt", ".npz", ".npy", ".parquet")
# What zipfile, zlib, lzma, bz2 and NumPy raise on damaged archives: also an encrypted one (RuntimeError), a method of
# compression that is not known (NotImplementedError, a RuntimeError) and a header that asks for the impossible.
_DAMAGE = (
    ArithmeticError, BadZipFile, EOFError, LookupError, LZMAError, MemoryError, RuntimeError, struct.error, SyntaxError,
    TypeError, ValueError, zlib.error,
)  # fmt: skip
_PARQUET_EXTRA = "pip install 'sr2hls[data]'"


def read_columns(path: str | Path, names: Wanted = None) -> Columns:
    """The columns of a data file, each of shape (n,), n >= 1, all finite.

    CSV: comma, semicolon or tab, the names in the first line; without such a line, and for a two-dimensional array
    in an npz or npy file, the columns are x0, x1, ... in order. npz: one-dimensional arrays by their names, and the
    columns of a two-dimensional `X` (x0, x1, ..., or by the texts of an array `features`) and `y` (y0, y1, ...); beside
    these, arrays of another length are no columns.

    Args:
        names: the columns to read (others may hold anything), or a function that picks them from all names; None
            reads all.

    Raises:
        LoadError: no such file, another kind of file, a column that is not there, no rows, or a cell that is not a
            finite number. ToolError: parquet without pyarrow.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
    except OSError as error:
        raise LoadError(f"{path}: cannot be read ({error.strerror})") from None
    if path.is_dir():
        raise LoadError(f"{path}: a folder, not a data file")
    if size > MAX_BYTES:
        raise LoadError(f"{path.name}: more than {MAX_BYTES >> 20} MiB")
    reader = {".npz": _npz, ".npy": _npz, ".parquet": _parquet, ".csv": _csv, ".tsv": _csv, ".txt": _csv}.get(
        path.suffix.lower()
    )
    if reader is None:
        raise LoadError(f"{path.name}: a data file ends in one of {', '.join(SUFFIXES)}")
    try:
        return reader(path, names)
    except LoadError as error:
        raise LoadError(f"{path.name}: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise LoadError(f"{path.name}: cannot be read ({error})") from None


def columns_of(data: Any, names: Sequence[str] | None = None) -> Columns:
    """Named columns from Python: a mapping of arrays, a pandas frame, or an array of shape (n, k) named x0, x1, ...

    Raises LoadError as `read_columns`.
    """
    if hasattr(data, "columns") and hasattr(data, "to_numpy"):  # a frame, without importing pandas
        data = {str(name): data[name].to_numpy() for name in data.columns}
    if isinstance(data, Mapping):
        return _checked({name: _numbers(name, data[name]) for name in _wanted(list(data), names)})
    return _checked(_named_matrix("the array", np.asarray(data), names))


def _wanted(found: Sequence[str], names: Wanted) -> list[str]:
    """The columns to read, in the file's order. Raises LoadError for one that is not there."""
    if names is None:
        return list(found)
    if callable(names):
        names = names(found)
    missing = [name for name in names if name not in found]
    if missing:
        raise LoadError(
            f"there is no column {', '.join(map(repr, missing))}; the columns are: {', '.join(found) or '(none)'}"
        )
    return [name for name in found if name in names]


def _checked(columns: Columns) -> Columns:
    """Equal lengths, not empty, finite. Raises LoadError."""
    if len({len(column) for column in columns.values()}) > 1:
        lengths = ", ".join(f"{name} {len(column)}" for name, column in columns.items())
        raise LoadError(f"the columns have different lengths: {lengths}")
    for name, column in columns.items():
        if column.size == 0:
            raise LoadError("it has no rows")
        bad = np.flatnonzero(~np.isfinite(column))
        if bad.size:
            raise LoadError(
                f"column '{name}' holds {column[bad[0]]:g} in row {bad[0] + 1} ({bad.size} such cells); "
                "a hardware input is a finite number: drop or replace these rows"
            )
    return columns


def _numbers(name: str, values: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(values)
    if array.ndim != 1:
        raise LoadError(f"column '{name}' has {array.ndim} dimensions, not one")
    if array.dtype.kind not in "biuf":
        raise LoadError(f"column '{name}' holds {array.dtype}, not numbers")
    return array.astype(np.float64)


def _named_matrix(what: str, array: NDArray[Any], names: Wanted) -> Columns:
    if array.ndim != 2:
        raise LoadError(f"{what} has {array.ndim} dimensions; columns need two, (samples, inputs)")
    titles = [f"x{i}" for i in range(array.shape[1])]
    return {name: _numbers(name, array[:, titles.index(name)]) for name in _wanted(titles, names)}


def _npz(path: Path, names: Wanted) -> Columns:
    try:
        with path.open("rb") as file:  # opened here: NumPy leaves a damaged archive open
            loaded = np.load(file, allow_pickle=False)  # with pickles allowed, a file could run anything
            if isinstance(loaded, np.ndarray):
                return _checked(_named_matrix("the array", loaded, names))
            arrays = {name: loaded[name] for name in loaded.files}
    except _DAMAGE as error:
        why = "it holds Python objects" if "allow_pickle" in str(error) else str(error) or type(error).__name__
        raise LoadError(f"not a NumPy file of plain numbers ({why})") from None
    columns: dict[str, NDArray[Any]] = {}
    for key, stem in (("X", "x"), ("y", "y")):
        if key in arrays and arrays[key].ndim == 2:
            matrix = arrays.pop(key)
            titles = _titles(arrays, matrix.shape[1]) if key == "X" else ()
            columns |= dict(zip(titles or [f"{stem}{i}" for i in range(matrix.shape[1])], matrix.T, strict=True))
            arrays = {name: array for name, array in arrays.items() if len(array.shape) and len(array) == len(matrix)}
    columns |= {name: array for name, array in arrays.items() if array.ndim == 1}
    return _checked({name: _numbers(name, columns[name]) for name in _wanted(list(columns), names)})


def _titles(arrays: Mapping[str, NDArray[Any]], count: int) -> tuple[str, ...]:
    """The names of the columns of X, where the file has them as text."""
    for key in _TITLES:
        titles = arrays.get(key)
        if titles is not None and titles.dtype.kind == "U" and titles.shape == (count,):
            return tuple(str(title) for title in titles) if len(set(titles.tolist())) == count else ()
    return ()


def _parquet(path: Path, names: Wanted) -> Columns:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise ToolError(f"reading parquet needs pyarrow, which is missing; install it with {_PARQUET_EXTRA}") from None
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            wanted = _wanted(file.schema_arrow.names, names)
            table = file.read(columns=wanted)
    except pyarrow.ArrowException as error:
        raise LoadError(f"not a parquet file ({str(error).splitlines()[0]})") from None
    columns = {}
    for name in wanted:
        column = table.column(name)
        if column.null_count:
            raise LoadError(f"column '{name}' has {column.null_count} empty cells; drop or fill these rows")
        columns[name] = _numbers(name, column.to_numpy())
    return _checked(columns)


def _csv(path: Path, names: Wanted) -> Columns:
    text = path.read_text(encoding="utf-8-sig")
    lines = [(number, line) for number, line in enumerate(io.StringIO(text), 1) if line.strip()]
    if not lines:
        raise LoadError("the file is empty")
    separator = max(",;\t", key=lines[0][1].count)
    try:
        rows = list(csv.reader((line for _, line in lines), delimiter=separator, skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise LoadError(f"damaged CSV ({error})") from None
    numbers = [number for number, _ in lines]
    titles = [cell.strip() for cell in rows[0]]
    if all(_is_number(cell) for cell in titles):
        titles = [f"x{i}" for i in range(len(titles))]
    else:
        rows, numbers = rows[1:], numbers[1:]
    if len(set(titles)) < len(titles):
        raise LoadError(f"two columns have the same name in its first line: {', '.join(titles)[:200]}")
    wanted = _wanted(titles, names)
    for number, row in zip(numbers, rows, strict=False):
        if len(row) != len(titles):
            raise LoadError(f"line {number} has {len(row)} cells, not {len(titles)}")
    return _checked({name: _cells(name, titles.index(name), rows, numbers) for name in wanted})


def _cells(name: str, place: int, rows: Sequence[Sequence[str]], numbers: Sequence[int]) -> NDArray[np.float64]:
    values = np.empty(len(rows))
    for index, row in enumerate(rows):
        try:
            values[index] = float(row[place])
        except ValueError:
            shown = row[place].strip()[:30]
            what = f"the text {shown!r}" if shown else "an empty cell"
            raise LoadError(f"line {numbers[index]}, column '{name}': {what}, not a number") from None
    return values


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
