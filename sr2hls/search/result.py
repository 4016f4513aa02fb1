"""What a search found: per output a front of formulas; as a model, as predictions, as a folder."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sr2hls.errors import LoadError
from sr2hls.load.data import Columns, columns_of
from sr2hls.load.search_json import ranked
from sr2hls.load.selection import Row, pick
from sr2hls.model import Output, Provenance, SymbolicModel
from sr2hls.operators.numeric import evaluate
from sr2hls.search.found import Found
from sr2hls.search.settings import Settings
from sr2hls.version import __version__

Choice = str | int
_OF_RANGES = {"inputs", "ranges", "data", "width", "output", "max_error", "precision"}  # what an output word depends on


def row_of(found: Found) -> Row:
    """A formula as a row of a hall of fame: cycles as complexity, the circuit's loss on held-out rows as loss."""
    if found.cycles is None:
        return Row(found.equation)
    return Row(found.equation, found.cycles, found.held_out if found.circuit_loss is None else found.circuit_loss)


def order(front: Sequence[Found]) -> tuple[Found, ...]:
    """Circuits by cycles and loss, then what has no circuit by loss."""

    def key(f: Found) -> tuple[float, float, float, str]:
        loss = f.held_out if f.circuit_loss is None else f.circuit_loss
        return math.inf if f.cycles is None else f.cycles, loss, f.luts or 0.0, f.equation

    return tuple(sorted(front, key=key))


@dataclass(frozen=True, slots=True)
class OutputFound:
    """The front of one output.

    front: circuits by cycles and loss first, then formulas without a circuit; inputs: those that were searched in;
    label: the class that it tells from all others, for one of several; candidates: what the second stage was given;
    together: the place of the formula that was fitted together with those of the other classes, which is the best one.
    """

    name: str
    front: tuple[Found, ...]
    inputs: tuple[str, ...]
    label: float | None = None
    rows: int = 0
    held_out_rows: int = 0
    candidates: int = 0
    evaluations: int = 0
    seconds: float = 0.0
    together: int | None = None

    @property
    def rows_of_front(self) -> tuple[Row, ...]:
        """The front as a hall of fame, with PySR's scores along the steps of falling loss."""
        rows = [row_of(found) for found in self.front]
        if all(row.complexity is None for row in rows):  # no circuit at all: the formulas alone, by size
            rows = [Row(found.equation, found.nodes, found.held_out) for found in self.front]
        return ranked(rows, self.together)

    def index(self, choice: Choice = "best") -> int:
        """The place of a formula, chosen as `sr2hls.load` does: "best", "accuracy", "score", an index, "complexity=N".

        Raises LoadError.
        """
        try:
            return pick(self.rows_of_front, choice)
        except LoadError as error:
            raise LoadError(f"{self.name}: {error}") from None

    @property
    def best(self) -> Found:
        return self.front[self.index()]


@dataclass(frozen=True, slots=True)
class SearchResult:
    """All outputs of one search.

    inputs: all input columns in order; source: the data file's name; classes: the labels where the target was one;
    interrupted: whether Ctrl-C or a limit of seconds ended it early; columns: the inputs of the training rows, for the
    formats of circuits; notes: what a user should know, a line each; word: the output format that the best formulas of
    all classes share where they were fitted together by a softmax, else None.
    """

    outputs: tuple[OutputFound, ...]
    inputs: tuple[str, ...]
    settings: Settings
    engine: str
    source: str = ""
    classes: tuple[float, ...] = ()
    interrupted: bool = False
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    asked: Mapping[str, Any] = field(default_factory=dict)
    columns: Columns = field(default_factory=dict, repr=False)
    word: str | None = None

    @property
    def best(self) -> tuple[Found, ...]:
        """The formula of each output that `compile` takes by default."""
        return tuple(output.best for output in self.outputs)

    def output(self, name: str | int) -> OutputFound:
        """An output by name or index. Raises LoadError."""
        names = [o.name for o in self.outputs]
        if isinstance(name, int) and 0 <= name < len(names):
            return self.outputs[name]
        if name in names:
            return self.outputs[names.index(str(name))]
        raise LoadError(f"there is no output '{name}'; there are: {', '.join(names)}")

    def model(self, select: Choice | Sequence[Choice] = "best") -> SymbolicModel:
        """One formula per output, for `sr2hls.compile`; `select` for all outputs or one for each. Raises LoadError."""
        outputs = []
        for output, choice in zip(self.outputs, self._choices(select), strict=True):
            found = output.front[output.index(choice)]
            row = row_of(found)
            origin = Provenance(
                self.source or "search", found.equation, row.loss, found.cycles, f"sr2hls {__version__}"
            )
            outputs.append(Output(output.name, found.expression, origin))
        used = {s.name for o in outputs for s in o.expression.free_symbols}
        return SymbolicModel(tuple(n for n in self.inputs if n in used), tuple(outputs))

    def predict(self, X: Any, select: Choice | Sequence[Choice] = "best") -> NDArray[np.float64]:  # noqa: N803
        """The formulas in float64: shape (n,) for one output, (n, outputs) for several; nan outside their domain.

        X: a mapping or frame of columns, or an array of shape (n, k) with the columns of the search in order.
        Raises LoadError.
        """
        model = self.model(select)
        columns = self._columns(X, model.inputs)
        rows = len(X) if not isinstance(X, Mapping) else len(next(iter(X.values())))
        values = [np.broadcast_to(evaluate(o.expression, columns), (rows,)) for o in model.outputs]
        return np.array(values[0]) if len(values) == 1 else np.stack(values, axis=1)

    def compile(self, select: Choice | Sequence[Choice] = "best", **options: Any) -> Any:
        """The circuit of a formula: `sr2hls.compile` with the search's formats, target, clock and error.

        The search judged many circuits with the effort "low"; this one takes `compile`'s own, and is never slower.

        `options` of `sr2hls.compile` go before. Several outputs share the least error of theirs.
        """
        from sr2hls import api

        settings, choices = self.settings, self._choices(select)
        chosen = [o.front[o.index(choice)] for o, choice in zip(self.outputs, choices, strict=True)]
        errors = [found.target_error for found in chosen if found.target_error is not None]
        given = {
            "target": settings.target,
            "clock": settings.clock_ns,
            "width": settings.width,
            "data": self.columns,
            "max_error": min(errors, default=None),
            "domain": "clamp" if any(found.domain == "clamp" for found in chosen) else "strict",
        }
        if self.word is not None and not _OF_RANGES & set(options) and all(str(c) == "best" for c in choices):
            given["output"] = self.word
        return api.compile(self.model(select), **{**given, **options})

    def save(self, folder: str | Path, *, force: bool = False) -> Path:
        """Write hall_of_fame.csv, search.json and best.json; returns the folder.

        Raises OutputError when the folder holds something else (unless `force`) or cannot be written.
        """
        from sr2hls.search.record import save

        return save(self, Path(folder), force=force)

    def _choices(self, select: Choice | Sequence[Choice]) -> list[Choice]:
        choices = [select] * len(self.outputs) if isinstance(select, str | int) else list(select)
        if len(choices) != len(self.outputs):
            raise LoadError(f"{len(choices)} choices for {len(self.outputs)} outputs")
        return choices

    def _columns(self, X: Any, names: Sequence[str]) -> Columns:  # noqa: N803 - as scikit-learn calls it
        if isinstance(X, Mapping) or hasattr(X, "columns"):
            return columns_of(X, names)
        array = np.asarray(X)
        if array.ndim != 2 or array.shape[1] != len(self.inputs):
            raise LoadError(
                f"X has the shape {array.shape}, not (n, {len(self.inputs)}) for the inputs {', '.join(self.inputs)}"
            )
        return columns_of(dict(zip(self.inputs, array.T, strict=True)), names)
