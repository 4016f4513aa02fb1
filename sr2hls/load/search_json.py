"""The `search.json` of a search to a `Catalog`: its front as rows, cycles as complexity. Nothing in it is executed."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sr2hls.errors import LoadError
from sr2hls.load.catalog import Catalog, check_names
from sr2hls.load.pickle_data import MAX_BYTES
from sr2hls.load.selection import Row, scores
from sr2hls.load.syntax import row_dialect
from sr2hls.model import SymbolicModel

KEY = "sr2hls_search"
VERSION = 1
NAME = "search.json"
MAX_ROWS = 100_000


def is_search(head: str) -> bool:
    """Whether a JSON text that begins so is a search's."""
    return f'"{KEY}"' in head[:200]


def ranked(rows: Sequence[Row], preferred: int | None = None) -> tuple[Row, ...]:
    """The rows with PySR's score for those that have a lower loss than every row of less or equal complexity before.

    The others have none: they are there for another reason (such as less area), and no rule picks them. `preferred`:
    the place of the row that is the best whatever its score.
    """
    steps: list[int] = []
    least = math.inf
    for at in sorted(range(len(rows)), key=lambda at: (_or_inf(rows[at].complexity), _or_inf(rows[at].loss))):
        loss = rows[at].loss
        if rows[at].complexity is not None and loss is not None and loss < least:
            steps.append(at)
            least = loss
    marks = scores([rows[at].complexity or 0 for at in steps], [rows[at].loss or 0.0 for at in steps])
    found = dict(zip(steps, marks, strict=True))
    return tuple(replace(row, score=found.get(at), preferred=at == preferred) for at, row in enumerate(rows))


def _or_inf(value: float | None) -> float:
    return math.inf if value is None or math.isnan(value) else value


def read_search(text: str, source: str) -> Catalog:
    """The catalog in the text of a `search.json`: every formula of the front. Raises LoadError."""
    if len(text) > MAX_BYTES:
        raise LoadError(f"{source}: more than {MAX_BYTES} bytes")
    try:
        data = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise LoadError(f"{source}: damaged JSON ({error})"[:200]) from None
    try:
        return _catalog(data, source)
    except LoadError as error:
        raise LoadError(f"{source}: {error}") from None


def _catalog(data: Any, source: str) -> Catalog:
    if not isinstance(data, dict) or data.get(KEY) != VERSION:
        raise LoadError(f"not a search of version {VERSION}")
    inputs = _words(data.get("inputs"), "input")
    listed = data.get("outputs")
    if not isinstance(listed, list) or not listed or not all(isinstance(o, dict) for o in listed):
        raise LoadError("it has no outputs")
    names = _words([o.get("name") for o in listed], "output")
    outputs = tuple(_front(o) for o in listed)
    writer = f"sr2hls {data['version']}" if isinstance(data.get("version"), str) else "sr2hls"
    return Catalog(source, writer, inputs, outputs, names, precision=64, dialect=row_dialect(64))


def read_search_file(path: Path) -> Catalog:
    """The same from a file. Raises LoadError."""
    return read_search(_text(path), path.name)


def _text(path: Path) -> str:
    try:
        size = path.stat().st_size
        text = path.read_text(encoding="utf-8") if size <= MAX_BYTES else ""
    except (OSError, UnicodeDecodeError) as error:
        raise LoadError(f"{path.name}: cannot be read ({error})") from None
    if size > MAX_BYTES:
        raise LoadError(f"{path.name}: more than {MAX_BYTES} bytes")
    return text


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a search compiled its formulas with, as texts and numbers of the command line; None where it did not."""

    target: str | None = None
    clock: str | None = None
    max_error: str | None = None
    output: str | None = None
    domain: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)


def recorded(source: str | Path, model: SymbolicModel) -> Recorded:
    """How the search in this folder or `search.json` compiled the formulas of `model`; nothing for other sources.

    Several outputs share the least error of theirs. Raises LoadError for a damaged file.
    """
    path = Path(source)
    try:
        path = path / NAME if path.is_dir() else path
        if path.suffix != ".json" or not path.is_file():
            return Recorded()
    except (OSError, ValueError):  # formula text
        return Recorded()
    text = _text(path)
    if not is_search(text):
        return Recorded()
    _catalog(json.loads(text), path.name)  # whole and well formed
    data = json.loads(text)
    origins = {o.name: o.provenance for o in model.outputs}
    chosen = {name: (origin.equation, origin.complexity, origin.loss) for name, origin in origins.items()}
    rows = [
        row
        for output in data["outputs"]
        for row in output["front"]
        if chosen.get(output["name"]) == (row["equation"], row.get("complexity"), row.get("rank_loss"))
    ]
    errors = [e["target_error"] for e in rows if isinstance(e.get("target_error"), float)]
    settings = data.get("settings") if isinstance(data.get("settings"), dict) else {}
    target, clock = settings.get("target"), settings.get("clock_ns")
    words = {n: w for n, w in _mapping(data.get("words")).items() if n in model.inputs and isinstance(w, dict)}
    return Recorded(
        target if isinstance(target, str) else None,
        f"{clock}ns" if isinstance(clock, float) else None,
        repr(min(errors)) if errors else None,
        _word(data, rows),
        "clamp" if any(e.get("domain") == "clamp" for e in rows) else None,
        {n: w["format"] for n, w in words.items() if isinstance(w.get("format"), str)},
        {n: (w["range"][0], w["range"][1]) for n, w in words.items() if _is_range(w.get("range"))},
    )


def _word(data: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> str | None:
    """The output format that all classes share, where these are the formulas that were fitted together."""
    preferred = [_preferred(output) for output in data["outputs"]]
    chosen = [o["front"][at] for o, at in zip(data["outputs"], preferred, strict=True) if at is not None]
    word = data.get("word")
    return word if isinstance(word, str) and len(chosen) == len(preferred) and chosen == list(rows) else None


def _preferred(output: Mapping[str, Any]) -> int | None:
    at, front = output.get("together"), output.get("front")
    known = isinstance(at, int) and not isinstance(at, bool) and isinstance(front, list) and 0 <= at < len(front)
    return at if known else None


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_range(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(v, float) for v in value)


def _words(value: Any, what: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise LoadError(f"its {what}s are not a list of names")
    return check_names(value, what)


def _front(output: dict[str, Any]) -> tuple[Row, ...]:
    front = output.get("front")
    if not isinstance(front, list) or not front or len(front) > MAX_ROWS:
        raise LoadError(f"the output '{output['name']}' has no formulas, or too many")
    return ranked([_row(entry) for entry in front], _preferred(output))


def _row(entry: Any) -> Row:
    if not isinstance(entry, dict) or not isinstance(entry.get("equation"), str):
        raise LoadError("a formula without its equation")
    complexity, loss = entry.get("complexity"), entry.get("rank_loss")
    if complexity is not None and (not isinstance(complexity, int) or isinstance(complexity, bool)):
        raise LoadError(f"the complexity {str(complexity)[:40]!r} is not a whole number")
    if loss is not None and (not isinstance(loss, int | float) or isinstance(loss, bool)):
        raise LoadError(f"the loss {str(loss)[:40]!r} is not a number")
    return Row(entry["equation"], complexity, None if loss is None else float(loss))
