"""A PySR checkpoint (`checkpoint.pkl`, or any pickle of a PySRRegressor) to what it says, read as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sr2hls.errors import LoadError
from sr2hls.load.pickle_data import Record, read_pickle
from sr2hls.load.pickle_layouts import array, frame, is_array, unbox
from sr2hls.load.selection import RULES, Row, scores
from sr2hls.load.template import Template

_REGRESSOR = "pysr.sr.PySRRegressor"
_COLUMNS = frozenset({"complexity", "loss", "equation", "score"})


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The fields of a pickled PySRRegressor that a compiler needs.

    outputs is empty for a run that was interrupted before its first result. feature_names are those AFTER PySR's
    feature selection; selection_mask is over the original columns. operators are the texts as given to PySR.
    """

    outputs: tuple[tuple[Row, ...], ...]
    feature_names: tuple[str, ...]
    selection_mask: tuple[bool, ...] | None
    operators: tuple[str, ...]
    precision: int
    model_selection: str
    scored: bool
    writer: str
    template: Template | None


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [v for v in value if isinstance(v, str)] if isinstance(value, list | tuple) else []


def _operators(state: Mapping[Any, Any]) -> tuple[str, ...]:
    found = _texts(state.get("unary_operators")) + _texts(state.get("binary_operators"))
    by_arity = state.get("operators")
    if isinstance(by_arity, dict):
        for value in by_arity.values():
            found += _texts(value)
    return tuple(found)


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else array(value)[1]


def _feature_names(state: Mapping[Any, Any]) -> tuple[str, ...]:
    value = state.get("feature_names_in_")
    if value is None:
        count = unbox(state.get("n_features_in_"))
        return tuple(f"x{i}" for i in range(count)) if isinstance(count, int) and 0 <= count < 100_000 else ()
    names = [unbox(v) for v in _list(value)]
    if not all(isinstance(n, str) for n in names):
        raise LoadError("its feature names are not text")
    return tuple(names)


def _rows(value: Any, scored: bool) -> tuple[Row, ...]:
    columns = frame(value, _COLUMNS)
    equations = [str(e) for e in columns["equation"]]
    complexities = [int(c) for c in columns["complexity"]]
    losses = [float(loss) for loss in columns["loss"]]
    marks: list[Any] = columns.get("score") or (scores(complexities, losses) if scored else [None] * len(losses))
    return tuple(
        Row(e, c, loss, None if s is None else float(s))
        for e, c, loss, s in zip(equations, complexities, losses, marks, strict=True)
    )


def _outputs(state: Mapping[Any, Any], scored: bool) -> tuple[tuple[Row, ...], ...]:
    for key in ("equations_", "equation_file_contents_"):
        frames = state.get(key)
        if frames is not None:
            return tuple(_rows(f, scored) for f in (frames if isinstance(frames, list) else [frames]))
    return ()


def _template(state: Mapping[Any, Any]) -> Template | None:
    spec = state.get("expression_spec")
    if not isinstance(spec, Record) or spec.path.endswith(".ExpressionSpec"):
        return None
    kind = spec.path.rpartition(".")[2]
    fields = spec.state
    if kind != "TemplateExpressionSpec" or not isinstance(fields, dict) or not isinstance(fields.get("combine"), str):
        raise LoadError(f"a model with a {kind!r} is not supported; supported are plain models and 2.x templates")
    variables = fields.get("variable_names")
    parameters = fields.get("parameters") or {}
    if not isinstance(variables, list | tuple) or not isinstance(parameters, dict):
        raise LoadError("the template of this model does not name its variables (only 2.x templates are supported)")
    sizes = {str(k): v for k, v in parameters.items() if isinstance(v, int)}
    return Template(fields["combine"], tuple(_texts(fields.get("expressions"))), tuple(_texts(variables)), sizes)


def _mask(state: Mapping[Any, Any]) -> tuple[bool, ...] | None:
    mask = state.get("selection_mask_")
    if mask is None or not (isinstance(mask, list | tuple) or is_array(mask)):
        return None
    return tuple(bool(unbox(m)) for m in _list(mask))


def _view(top: Any) -> Checkpoint:
    if not (isinstance(top, Record) and top.path == _REGRESSOR and isinstance(top.state, dict)):
        kind = (top.path or "a call") if isinstance(top, Record) else type(top).__name__
        raise LoadError(f"the pickle holds {kind}, not a PySRRegressor; save the regressor itself")
    state = top.state
    scored = state.get("loss_scale", "log") == "log"
    schema = state.get("_checkpoint_schema_version")
    precision = unbox(state.get("precision", 32))
    if precision not in (16, 32, 64):
        raise LoadError(f"its precision is {str(precision)[:20]!r}, not 16, 32 or 64")
    rule = state.get("model_selection", "best")
    return Checkpoint(
        _outputs(state, scored),
        _feature_names(state),
        _mask(state),
        _operators(state),
        precision,
        rule if rule in RULES else "best",
        scored,
        "PySR 1.x" if schema is None else "PySR 2.x",
        _template(state),
    )


def read_checkpoint(data: bytes) -> Checkpoint:
    """What the checkpoint says. Raises LoadError, and nothing else, whatever the bytes are."""
    tree = read_pickle(data)
    try:
        return _view(tree)
    except LoadError:
        raise
    except Exception as error:  # the layout is the file's own: any mismatch is a damaged or unknown file
        reason = " ".join(str(error).split())[:200]
        raise LoadError(f"a PySR model of an unknown layout ({type(error).__name__}: {reason})") from None
