"""A `SearchResult` → the texts of hall_of_fame.csv, search.json and best.json, and the folder that holds them."""

from __future__ import annotations

import csv
import io
import json
import math
import platform
from collections.abc import Mapping
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from sr2hls.load.native import to_json
from sr2hls.load.search_json import KEY, NAME, VERSION
from sr2hls.search.found import Found
from sr2hls.search.result import OutputFound, SearchResult
from sr2hls.version import __version__

BEST = "best.json"
TABLE = "hall_of_fame"
_PACKAGES = ("numpy", "sympy", "numba", "scipy", "pysr")


def files(result: SearchResult) -> dict[str, str]:
    """The content of each file by its name."""
    tables = {
        f"{TABLE}.csv" if len(result.outputs) == 1 else f"{TABLE}_output{at}.csv": table(output)
        for at, output in enumerate(result.outputs, 1)
    }
    return {NAME: record_text(result), BEST: to_json(result.model()) + "\n", **tables}


def save(result: SearchResult, folder: Path, *, force: bool = False) -> Path:
    """Write the files beside `folder` and move them when complete. Raises OutputError."""
    from sr2hls.report.folder import staged

    content = files(result)
    with staged(folder, content, force=force):
        pass
    for old in folder.glob(f"{TABLE}*.csv"):  # of an earlier search with other outputs
        if old.name not in content:
            old.unlink()
    return folder


def table(output: OutputFound) -> str:
    """PySR's hall of fame: of the circuits those that no circuit of as few cycles beats; loss on held-out rows."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
    writer.writerow(["Complexity", "Loss", "Equation"])
    rows = [row for row in output.rows_of_front if row.score is not None]
    for row in sorted(rows, key=lambda row: row.complexity or 0):
        writer.writerow([row.complexity, repr(row.loss), row.equation])
    return text.getvalue()


def record(result: SearchResult) -> dict[str, Any]:
    """Everything about a search as plain data; the key that tells its kind comes first."""
    return {
        KEY: VERSION,
        "version": __version__,
        "versions": _versions(),
        "engine": result.engine,
        "source": result.source,
        "inputs": list(result.inputs),
        "classes": list(result.classes),
        "settings": _plain(asdict(result.settings)),
        "asked": _plain(dict(result.asked)),
        "interrupted": result.interrupted,
        "seconds": round(result.seconds, 3),
        "notes": list(result.notes),
        "word": result.word,
        "words": words(result),
        "outputs": [_output(output) for output in result.outputs],
    }


def record_text(result: SearchResult) -> str:
    """The same as JSON text."""
    return json.dumps(record(result), indent=1, allow_nan=False) + "\n"


def words(result: SearchResult) -> dict[str, dict[str, Any]]:
    """Per input the format and the range that its circuits were made for: those of the training rows."""
    from sr2hls.quantize.from_data import words_from_data

    found = words_from_data(result.columns, result.settings.width)
    return {name: {"format": str(fmt), "range": list(span)} for name, (fmt, span) in found.items()}


def _output(output: OutputFound) -> dict[str, Any]:
    return {
        "name": output.name,
        "label": output.label,
        "inputs": list(output.inputs),
        "rows": output.rows,
        "held_out_rows": output.held_out_rows,
        "candidates": output.candidates,
        "evaluations": output.evaluations,
        "seconds": round(output.seconds, 3),
        "best": output.index(),
        "together": output.together,
        "front": [
            {"complexity": row.complexity, "rank_loss": _plain(row.loss), **_found(found)}
            for row, found in zip(output.rows_of_front, output.front, strict=True)
        ],
    }


def _found(found: Found) -> dict[str, Any]:
    data = {name: getattr(found, name) for name in Found.__slots__ if name != "expression"}
    return dict(_plain(data))


def _plain(value: Any) -> Any:
    """JSON without infinities: a number that is not finite is no number (null)."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, bool | int | str) or value is None:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return _plain(value.item()) if hasattr(value, "item") else str(value)


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
