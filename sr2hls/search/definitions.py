"""Text such as "sc(x) = sin(x)*cos(x)" → `Defined`: a user's operator, as a function of sympy expressions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sympy

from sr2hls.errors import LoadError
from sr2hls.load.assemble import Scope, Value, assemble
from sr2hls.load.julia import definitions as read_definitions
from sr2hls.model import symbol
from sr2hls.operators import rebuild


@dataclass(frozen=True, slots=True)
class Defined:
    """A user's operator: its meaning is `body` over `parameters`."""

    name: str
    parameters: tuple[sympy.Symbol, ...]
    body: sympy.Expr
    text: str

    def __call__(self, *arguments: sympy.Expr) -> sympy.Expr:
        return _substituted(self.body, dict(zip(self.parameters, arguments, strict=True)))


def _substituted(node: sympy.Basic, values: Mapping[sympy.Basic, sympy.Expr]) -> sympy.Expr:
    if node in values:
        return values[node]
    return rebuild(node, tuple(_substituted(a, values) for a in node.args)) if node.args else node


def defined(texts: Mapping[str, str]) -> dict[str, Defined]:
    """The operators of `Settings.definitions`. Raises LoadError for text that is no definition, or of another name."""
    found, broken = read_definitions(texts.values())
    for name, reason in broken.items():
        raise LoadError(f"the definition of the operator '{name}': {reason}")
    result: dict[str, Defined] = {}
    for (name, _), definition in found.items():
        places = {p: Value(symbol(p)) for p in definition.parameters}
        value = assemble(definition.body, definition.text, Scope(places, found, julia=True))
        result[name] = Defined(name, tuple(symbol(p) for p in definition.parameters), value.expression, definition.text)
    for name in texts:
        if name not in result:
            raise LoadError(f"'{texts[name]}' does not define the operator '{name}': write {name}(x) = ...")
    return result
