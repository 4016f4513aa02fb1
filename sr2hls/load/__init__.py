"""Formulas in foreign forms to a `SymbolicModel`; whatever a file says, nothing in it is executed.

`read` gives a `Catalog` (all equations of a source), `load` one equation per output. Sources: a PySR 1.x or 2.x
checkpoint, a run folder, a `hall_of_fame*.csv`, a `search.json`, formula text, sympy expressions, and JSON of our own.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from sr2hls.errors import LoadError, UnsupportedError
from sr2hls.load.catalog import Catalog, Choice
from sr2hls.load.native import from_json, to_json
from sr2hls.load.search_json import is_search
from sr2hls.load.selection import Row
from sr2hls.load.sources import PICKLE_SUFFIXES, TABLE_SUFFIXES, Options, read_bytes, read_path
from sr2hls.load.symbolic import from_sympy
from sr2hls.load.text import read_text
from sr2hls.model import SymbolicModel

__all__ = ["Catalog", "Row", "from_json", "from_sympy", "load", "read", "read_text", "to_json"]

_FILE_SUFFIXES = (*PICKLE_SUFFIXES, *TABLE_SUFFIXES, ".json", ".txt")


def _as_path(source: str | Path) -> Path | None:
    """The path that `source` names, or None if it is formula text. Raises LoadError for a file that is not there."""
    if not str(source).strip():
        return None
    path = Path(source)
    try:
        if path.exists():
            return path
    except (OSError, ValueError):  # too long, or with a NUL: no file name
        if isinstance(source, Path):
            raise LoadError(f"{str(path)[:80]!r}: not a file name") from None
        return None
    if isinstance(source, Path) or (path.suffix in _FILE_SUFFIXES and "\n" not in str(source)):
        raise LoadError(f"{path}: there is no such file")
    return None


def _is_search(path: Path) -> bool:
    """Whether the JSON file is the record of a search: a catalog, not one finished model."""
    return path.is_file() and is_search(read_bytes(path)[:200].decode("utf-8", errors="replace"))


def read(
    source: str | Path,
    *,
    inputs: Sequence[str] | None = None,
    precision: int | None = None,
    operators: Sequence[str] = (),
) -> Catalog:
    """All equations of a PySR checkpoint, run folder, hall of fame, or formula text.

    inputs     names of the inputs in order, where the source does not say (a bare CSV, text)
    precision  16, 32 or 64: the float width of the search, where the source does not say; a bare CSV is taken as 32
               unless a constant has more digits than a float32
    operators  Julia definitions of custom operators, such as "quart(x) = x^4", beside those in the checkpoint
    Raises LoadError in one line that names the file, the equation and the offending token.
    """
    path = _as_path(source)
    if path is None:
        return read_text(str(source), inputs)
    if path.suffix == ".json" and not _is_search(path):
        raise LoadError(f"{path.name}: a finished model; use load")
    return read_path(path, Options(inputs, precision, operators))


def _outputs(model: SymbolicModel, output: Sequence[str | int] | str | int | None) -> SymbolicModel:
    if output is None:
        return model
    wanted = [output] if isinstance(output, str | int) else list(output)
    names = [o.name for o in model.outputs]
    chosen = []
    for want in wanted:
        if str(want) in names:
            chosen.append(model.outputs[names.index(str(want))])
        elif str(want).isdecimal() and int(want) < len(names):
            chosen.append(model.outputs[int(want)])
        else:
            raise LoadError(f"there is no output {str(want)!r}; there are: {', '.join(names)}")
    used = {s.name for o in chosen for s in o.expression.free_symbols}
    return SymbolicModel(tuple(n for n in model.inputs if n in used), tuple(chosen))


def load(
    source: Any,
    *,
    select: Choice | Sequence[Choice] | None = None,
    output: Sequence[str | int] | str | int | None = None,
    inputs: Sequence[str] | None = None,
    precision: int | None = None,
    operators: Sequence[str] = (),
) -> SymbolicModel:
    """One equation per output of any source: a path, formula text, sympy expressions, or a SymbolicModel as it is.

    select  "best", "accuracy", "score" (PySR's rules), an index, or "complexity=N"; one for all outputs or one for
            each; None is the rule that the model was saved with ("best" where the source does not say)
    output  the outputs to keep, by name or index from 0 (several: a sequence); None keeps all
    others  see `read`
    The model's inputs are those that the chosen equations use, in column order.
    Raises LoadError, or UnsupportedError for an equation that is understood but is no real-valued formula.
    """
    if isinstance(source, SymbolicModel):
        return _outputs(source, output)
    if not isinstance(source, str | Path):
        if isinstance(source, Mapping | list | tuple) or hasattr(source, "free_symbols"):
            return _outputs(from_sympy(source, inputs), output)
        raise LoadError(f"cannot load a {type(source).__name__}; give a path, formula text or sympy expressions")
    path = _as_path(source)
    if path is not None and path.suffix == ".json" and not _is_search(path):
        try:
            return _outputs(from_json(read_bytes(path).decode("utf-8")), output)
        except UnicodeDecodeError:
            raise LoadError(f"{path.name}: not UTF-8 text") from None
        except (LoadError, UnsupportedError) as error:
            raise type(error)(f"{path.name}: {error}") from None
    catalog = read(source, inputs=inputs, precision=precision, operators=operators)
    if output is not None and catalog.source != "text":
        wanted = [output] if isinstance(output, str | int) else list(output)
        return catalog.only(*wanted).choose(select)
    return _outputs(catalog.choose(select), output)


class _CallableModule(ModuleType):
    """`sr2hls.load` is this package and the function of the public interface: both are to be had under one name."""

    def __call__(self, source: Any, **options: Any) -> SymbolicModel:
        return load(source, **options)


sys.modules[__name__].__class__ = _CallableModule
