"""A `Law` → JSON text and back, exactly; nothing in a file is executed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import sympy

from sr2hls.distill.law import Law
from sr2hls.errors import LoadError
from sr2hls.load.native import LAW, MAX_TEXT, from_json, to_json
from sr2hls.load.native import LAW_KEY as KEY
from sr2hls.load.sources import read_bytes
from sr2hls.model import Output, Provenance, SymbolicModel
from sr2hls.search.refine.text import equation_text as text

VERSION = 1


def law_text(law: Law) -> str:
    """The law as JSON."""
    data = {
        KEY: VERSION,
        "system": law.system,
        "dimension": law.dimension,
        "softening": law.softening,
        "edge": json.loads(to_json(_model(law.edge, "message", law.system))),
        "node": json.loads(to_json(_model(law.node, "acceleration", law.system))),
    }
    return json.dumps(data, indent=1) + "\n"


def read_law(path: str | Path) -> Law:
    """The law that a file, or the folder of a distillation, holds. Raises LoadError."""
    path = Path(path)
    if path.is_dir():
        path = path / LAW
    try:
        return law_of(read_bytes(path).decode("utf-8"))
    except UnicodeDecodeError:
        raise LoadError(f"{path.name}: not a text") from None
    except LoadError as error:
        raise LoadError(f"{path.name}: {error}") from None


def law_of(content: str) -> Law:
    """The law that `law_text` wrote. Raises LoadError."""
    if len(content) > MAX_TEXT:
        raise LoadError(f"a text of {len(content)} characters; the limit is {MAX_TEXT}")
    try:
        data = json.loads(content)
    except (json.JSONDecodeError, RecursionError) as error:
        raise LoadError(f"damaged JSON ({error})"[:200]) from None
    if not isinstance(data, dict) or data.get(KEY) != VERSION:
        raise LoadError(f"not a force law of version {VERSION}")
    dimension, softening = data.get("dimension"), data.get("softening")
    if not isinstance(dimension, int) or not 1 <= dimension <= 3:
        raise LoadError("its dimension is not 1, 2 or 3")
    if isinstance(softening, bool) or not isinstance(softening, int | float) or not 0 <= softening < float("inf"):
        raise LoadError("its softening is not a number from 0 on")
    edge, node = _expressions(data.get("edge")), _expressions(data.get("node"))
    if len(node) != dimension:
        raise LoadError(f"{len(node)} node formulas in {dimension} dimensions")
    return Law(dimension, edge, node, float(softening), str(data.get("system", ""))[:200])


def _model(expressions: tuple[sympy.Expr, ...], name: str, source: str) -> SymbolicModel:
    inputs = sorted({s.name for e in expressions for s in e.free_symbols})
    return SymbolicModel(
        tuple(inputs),
        tuple(Output(f"{name}_{k}", e, Provenance(source, text(e))) for k, e in enumerate(expressions, 1)),
    )


def _expressions(data: Any) -> tuple[sympy.Expr, ...]:
    return tuple(output.expression for output in from_json(json.dumps(data)).outputs)
