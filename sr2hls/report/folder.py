"""Relative path → text becomes a folder: written whole beside its destination, then moved; never over foreign files."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sr2hls.design import Design
from sr2hls.emit.design_json import SCHEMA
from sr2hls.emit.design_read import read_design
from sr2hls.emit.project import DESIGN
from sr2hls.errors import LoadError, OutputError
from sr2hls.load.native import LAW, is_law
from sr2hls.load.search_json import NAME as SEARCH
from sr2hls.load.search_json import is_search


def is_ours(folder: Path) -> bool:
    """Whether a folder was written by sr2hls: it holds our design.json, the search.json of a search, or a force law."""
    return (
        f'"schema": {json.dumps(SCHEMA)}' in _head(folder / DESIGN)
        or is_search(_head(folder / SEARCH))
        or is_law(_head(folder / LAW))
    )


def _head(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(200)
    except (OSError, UnicodeDecodeError):
        return ""


def check_destination(folder: Path, *, force: bool = False) -> None:
    """Raise OutputError unless the folder may be written: new, empty, one of ours, or `force`."""
    try:
        if folder.exists() and not folder.is_dir():
            raise OutputError(f"{folder}: a file is in the way; choose another folder with -o")
        if folder.is_dir() and any(folder.iterdir()) and not is_ours(folder) and not force:
            raise OutputError(
                f"{folder}: this folder holds other files and was not written by sr2hls; choose another one with -o, "
                "or add --force (it replaces only what sr2hls writes)"
            )
        parent = next(place for place in folder.absolute().parents if place.exists())
        if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
            raise OutputError(f"{folder}: {parent} is not a folder that may be written to; choose another one with -o")
    except OSError as error:
        raise OutputError(f"{folder}: cannot be used ({error.strerror}); choose another one with -o") from None


@contextmanager
def staged(folder: Path, files: Mapping[str, str], *, force: bool = False) -> Iterator[Path]:
    """The files in a temporary folder beside `folder`; on leaving without an error it takes the folder's place.

    In an existing folder, only the top-level entries that the new files have are replaced; others stay. Raises
    OutputError as `check_destination`, and when writing fails.
    """
    check_destination(folder, force=force)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        place = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror}); choose another one with -o") from None
    try:
        place.chmod(0o777 & ~_umask())
        _write(place, files)
        yield place
        _move(place, folder)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror or error})") from None
    finally:
        shutil.rmtree(place, ignore_errors=True)


def replace_text(path: Path, text: str) -> None:
    """Write a file so that it is either the old or the new one. Raises OutputError."""
    try:
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
            file.write(text)
        place = Path(file.name)
        place.chmod(0o666 & ~_umask())
        place.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error})") from None


def design_in(folder: Path) -> Design:
    """The design of an output folder (or of a design.json itself). Raises LoadError, MismatchError."""
    if folder.is_file():
        return read_design(folder)
    if not folder.is_dir():
        raise LoadError(f"{folder}: there is no such folder")
    if not (folder / DESIGN).is_file():
        raise LoadError(f"{folder}: there is no {DESIGN} in it; give the folder that 'sr2hls compile' wrote")
    return read_design(folder / DESIGN)


def _write(place: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _move(place: Path, folder: Path) -> None:
    if not folder.exists():
        place.rename(folder)
        return
    for entry in sorted(place.iterdir()):
        old = folder / entry.name
        if old.is_dir() and not old.is_symlink():
            shutil.rmtree(old)
        elif old.exists() or old.is_symlink():
            old.unlink()
        entry.rename(old)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
