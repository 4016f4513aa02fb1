"""A path to a catalog: which kind of file it is, and what lies beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sr2hls.errors import LoadError
from sr2hls.load.catalog import Catalog, check_names, output_names
from sr2hls.load.checkpoint import Checkpoint, read_checkpoint
from sr2hls.load.hall_of_fame import files_in, guess_inputs, guess_precision, is_header, read_rows
from sr2hls.load.julia import definitions
from sr2hls.load.pickle_data import MAX_BYTES
from sr2hls.load.search_json import NAME as SEARCH
from sr2hls.load.search_json import is_search, read_search, read_search_file
from sr2hls.load.selection import Row
from sr2hls.load.syntax import row_dialect
from sr2hls.load.text import read_text

PICKLE_SUFFIXES = (".pkl", ".pickle")
TABLE_SUFFIXES = (".csv", ".bak")
CHECKPOINTS = ("checkpoint.pkl", "model.pkl")


@dataclass(frozen=True, slots=True)
class Options:
    """What the caller says that a file may leave open: input order, float width, Julia texts of custom operators."""

    inputs: Sequence[str] | None = None
    precision: int | None = None
    operators: Sequence[str] = ()


def read_bytes(path: Path) -> bytes:
    """The content of a file. Raises LoadError."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise LoadError(f"{path.name}: more than {MAX_BYTES} bytes")
        return path.read_bytes()
    except OSError as error:
        raise LoadError(f"{path.name}: cannot be read ({error.strerror})") from None


def _catalog(source: str, outputs: tuple[tuple[Row, ...], ...], saved: Checkpoint | None, options: Options) -> Catalog:
    if not any(outputs) or not all(outputs):
        raise LoadError(f"{source}: there are no equations in it")
    texts = [*(saved.operators if saved else ()), *options.operators]
    found, broken = definitions(texts)
    if options.inputs is not None:
        inputs: Sequence[str] = options.inputs
    else:
        inputs = (saved.feature_names if saved else ()) or guess_inputs(outputs)
    order = check_names(list(inputs), "input")
    precision = options.precision or (saved.precision if saved else guess_precision(outputs))
    if precision not in (16, 32, 64):
        raise LoadError(f"the precision is {precision}, not 16, 32 or 64")
    return Catalog(
        source,
        saved.writer if saved else "PySR",
        order,
        outputs,
        output_names(len(outputs), order),
        saved.model_selection if saved else "best",
        saved.scored if saved else True,
        precision,
        saved.selection_mask if saved else None,
        row_dialect(precision),
        found,
        broken,
        saved.template if saved else None,
    )


def _tables(folder: Path, saved: Checkpoint | None, options: Options) -> Catalog | None:
    files = files_in(folder)
    if not files:
        return None
    name = f"{folder.name}/hall_of_fame" if len(files) > 1 else f"{folder.name}/{files[0].name}"
    return _catalog(name, tuple(read_rows(f) for f in files), saved, options)


def read_pickle_file(path: Path, options: Options) -> Catalog:
    """A checkpoint; one that is empty or holds no equations falls back on the halls of fame beside it."""
    data = read_bytes(path)
    saved: Checkpoint | None = None
    if data:
        try:
            saved = read_checkpoint(data)
        except LoadError as error:
            raise LoadError(f"{path.name}: {error}") from None
    if saved is not None and saved.outputs:
        return _catalog(path.name, saved.outputs, saved, options)
    beside = _tables(path.parent, saved, options)
    if beside is None:
        why = "is empty" if saved is None else "holds no equations (an interrupted run)"
        raise LoadError(f"{path.name}: the checkpoint {why}, and there is no hall_of_fame.csv beside it")
    return beside


def read_folder(path: Path, options: Options) -> Catalog:
    """A run folder of sr2hls search (its search.json) or PySR: its checkpoint, else its halls of fame."""
    if (path / SEARCH).is_file():
        return read_search_file(path / SEARCH)
    for name in CHECKPOINTS:
        if (path / name).is_file():
            return read_pickle_file(path / name, options)
    found = _tables(path, None, options)
    if found is None:
        raise LoadError(
            f"{path.name}: no {' or '.join(CHECKPOINTS)}, no {SEARCH} and no hall_of_fame.csv in this folder"
        )
    return found


def read_path(path: Path, options: Options) -> Catalog:
    """Any file or folder but our own JSON. Raises LoadError."""
    if path.is_dir():
        return read_folder(path, options)
    if path.suffix in PICKLE_SUFFIXES:
        return read_pickle_file(path, options)
    if path.suffix in TABLE_SUFFIXES:
        if options.precision is None and (path.parent / SEARCH).is_file():  # written by us, not by a float32 search
            options = replace(options, precision=64)
        return _catalog(path.name, (read_rows(path),), None, options)
    data = read_bytes(path)
    if data[:1] == b"\x80":
        return read_pickle_file(path, options)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise LoadError(f"{path.name}: neither a pickle nor text") from None
    if path.suffix == ".json" and is_search(text):
        return read_search(text, path.name)
    if is_header(text[:100]):
        return _catalog(path.name, (read_rows(path),), None, options)
    return read_text(text, options.inputs, path.name)
