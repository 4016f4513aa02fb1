"""`Catalog`: all equations of one source, and the choice of one per output as a `SymbolicModel`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sr2hls.errors import LoadError, UnsupportedError
from sr2hls.load.assemble import Definition, Scope, Value, assemble, variable
from sr2hls.load.parser import Call, Name, Node, parse
from sr2hls.load.selection import Row, pick
from sr2hls.load.syntax import PLAIN, Dialect
from sr2hls.load.template import Template, compose
from sr2hls.model import Output, Provenance, SymbolicModel

Choice = str | int
_TEMPLATE_ROW = re.compile(r"\s*[^\W\d]\w*\s*=(?!=)")
_IDENTIFIER = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class Catalog:
    """What one source holds: per output, the rows of its hall of fame in the order of the file.

    source           file or folder name, or "text"
    writer           such as "PySR 1.x"; "" if unknown
    inputs           input names, after PySR's feature selection, in column order
    outputs          per output, its equations
    names            one name per output
    model_selection  the rule that the model itself was saved with
    scored           whether scores mean anything (not for PySR's loss_scale="linear")
    precision        bits of the floats that the search used; None for exact decimals
    selection_mask   PySR's feature selection over the original columns; None if there was none
    """

    source: str
    writer: str
    inputs: tuple[str, ...]
    outputs: tuple[tuple[Row, ...], ...]
    names: tuple[str, ...]
    model_selection: str = "best"
    scored: bool = True
    precision: int | None = None
    selection_mask: tuple[bool, ...] | None = None
    dialect: Dialect = PLAIN
    definitions: Mapping[tuple[str, int], Definition] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)
    template: Template | None = None

    def position(self, output: str | int) -> int:
        """The index of an output given by name or index. Raises LoadError."""
        text = str(output)
        if text in self.names:
            return self.names.index(text)
        if re.fullmatch(r"\d{1,6}", text) and int(text) < len(self.names):
            return int(text)
        raise LoadError(f"{self.source}: there is no output {text!r}; there are: {', '.join(self.names)}")

    def only(self, *outputs: str | int) -> Catalog:
        """The same catalog with these outputs (names or indices from 0) alone. Raises LoadError."""
        places = [self.position(o) for o in outputs]
        return replace(
            self,
            outputs=tuple(self.outputs[p] for p in places),
            names=tuple(self.names[p] for p in places),
        )

    def choose(
        self, select: Choice | Sequence[Choice] | None = None, *, complexity: int | None = None
    ) -> SymbolicModel:
        """One equation per output as a model; its inputs are those that the chosen equations use, in column order.

        select: see `selection.pick`; one choice for all outputs or one for each; None is the rule that the model
        was saved with. complexity: the same as select="complexity=N".
        Raises LoadError, or UnsupportedError where an equation is understood but is no real-valued formula.
        """
        if complexity is not None:
            select = f"complexity={complexity}"
        if select is None:
            select = self.model_selection
        choices = [select] * len(self.names) if isinstance(select, str | int) else list(select)
        if len(choices) != len(self.names):
            raise LoadError(f"{self.source}: {len(choices)} choices for {len(self.names)} outputs")
        outputs, known = [], dict[str, Value]()
        for at, choice in enumerate(choices):
            rows = self.outputs[at]
            try:
                index = pick(rows, choice, self.scored)
            except LoadError as error:
                label = f" output {self.names[at]}:" if len(self.names) > 1 else ""
                raise LoadError(f"{self.source}:{label} {error}") from None
            value = self._value(at, index, known)
            row = rows[index]
            provenance = Provenance(self.source, row.equation, row.loss, row.complexity, self.writer)
            outputs.append(Output(self.names[at], value.expression, provenance))
            if self.dialect is PLAIN:
                known[self.names[at]] = value  # later formulas of a text may use earlier ones
        used = {s.name for o in outputs for s in o.expression.free_symbols}
        return SymbolicModel(tuple(n for n in self.inputs if n in used), tuple(outputs))

    def _value(self, output: int, index: int, known: Mapping[str, Value]) -> Value:
        text = self.outputs[output][index].equation
        names = {n: variable(n) for n in self.inputs} | dict(known)
        scope = Scope(names, self.definitions, self.broken)
        try:
            if self.template is not None:
                return compose(self.template, text, self.dialect, self.inputs, scope)
            return self._plain_row(text, scope)
        except (LoadError, UnsupportedError) as error:
            shown = " ".join(text.split())
            shown = shown if len(shown) <= 80 else shown[:77] + "..."
            which = f" of {self.names[output]}" if len(self.names) > 1 else ""
            raise type(error)(f"{self.source}: equation {index}{which} ({shown}): {error}") from None

    def _plain_row(self, text: str, scope: Scope) -> Value:
        if self.dialect is not PLAIN and _TEMPLATE_ROW.match(text):
            raise UnsupportedError("a template row; only the checkpoint says how its parts combine")
        return assemble(parse(text, self.dialect), text, scope)


def output_names(count: int, inputs: Sequence[str]) -> tuple[str, ...]:
    """ "y", or "y0", "y1", ... for several, or "out..." where an input already has such a name."""
    for stem in ("y", "out", "output", "result", "output_"):
        names = (stem,) if count == 1 else tuple(f"{stem}{i}" for i in range(count))
        if not set(names) & set(inputs):
            return names
    raise LoadError("the input names leave no name for the outputs")


def natural(name: str) -> list[tuple[int, int | str]]:
    """A key that sorts x2 before x10."""
    parts = re.split(r"(\d+)", name)
    return [(1, int(p)) if p.isdecimal() and len(p) < 100 else (0, p) for p in parts if p]


def variables(node: Node) -> set[str]:
    """The names that a tree uses as variables (or named constants)."""
    if isinstance(node, Name):
        return {node.name}
    if isinstance(node, Call):
        return set().union(*(variables(a) for a in node.arguments))
    return set()


def check_names(names: Sequence[str], what: str) -> tuple[str, ...]:
    """The names, if they are distinct words that can stand in a formula. Raises LoadError."""
    for name in names:
        if not _IDENTIFIER.fullmatch(name):
            raise LoadError(f"the {what} name {name[:60]!r} is not a word of letters, digits and _")
    if len(set(names)) < len(names):
        raise LoadError(f"the {what} names are not distinct: {', '.join(names)[:200]}")
    return tuple(names)
