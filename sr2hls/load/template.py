"""A PySR 2.x template model (inner expressions and a Julia text that combines them) to one formula."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sympy

from sr2hls.errors import LoadError
from sr2hls.load.assemble import Definition, Scope, Value, assemble, number, variable
from sr2hls.load.parser import Node, parse
from sr2hls.load.syntax import JULIA, Dialect


@dataclass(frozen=True, slots=True)
class Template:
    """A TemplateExpressionSpec: `combine` is Julia text over the inner functions, the variables and the parameters."""

    combine: str
    expressions: tuple[str, ...]
    variables: tuple[str, ...]
    parameters: Mapping[str, int]


_ASSIGNMENT = re.compile(r"\s*([^\W\d]\w*)\s*=(?!=)\s*(.+)", re.DOTALL)


def assignments(text: str) -> list[tuple[str, str]]:
    """[(name or "", formula)] of statements separated by semicolons or line ends; lines that start with # are notes."""
    found = []
    for line in text.splitlines():
        if line.lstrip().startswith("#") and not re.match(r"\s*#\d", line):
            continue
        for piece in line.split(";"):
            match = _ASSIGNMENT.fullmatch(piece)
            if match:
                found.append((match[1], match[2].strip()))
            elif piece.strip():
                found.append(("", piece.strip()))
    return found


def _vector(text: str, dialect: Dialect) -> list[Node]:
    if not (text.startswith("[") and text.endswith("]")):
        raise LoadError(f"the parameter vector {text[:40]!r} is not of the form [1.0, 2.0]")
    return [parse(part, dialect) for part in text[1:-1].split(",") if part.strip()]


def _placeholders(text: str) -> int:
    return max((int(n) for n in re.findall(r"#(\d{1,4})", text)), default=0)


def compose(template: Template, row: str, dialect: Dialect, inputs: Sequence[str], scope: Scope) -> Value:
    """The formula of one template row, such as `f = #1 * #2; g = cos(#1); p = [1.0, 2.0]`, over the model's inputs."""
    if len(template.variables) != len(inputs):
        raise LoadError(f"the template has {len(template.variables)} variables for {len(inputs)} inputs")
    names = {v: variable(i) for v, i in zip(template.variables, inputs, strict=True)}
    definitions = dict(scope.definitions)
    for name, text in assignments(row):
        if name in template.parameters:
            for at, node in enumerate(_vector(text, dialect), 1):
                names[f"{name}[{at}]"] = assemble(node, text, Scope({}))
        elif name in template.expressions:
            body = parse(text, dialect)
            # an inner function is called with as many arguments as `combine` says; those it does not use are dropped
            for count in range(max(1, _placeholders(text)), len(inputs) + 10):
                parameters = tuple(f"#{i}" for i in range(1, count + 1))
                definitions[name, count] = Definition(name, parameters, body, text, julia=False)
        else:
            raise LoadError(f"the template does not declare {name or text[:40]!r}")
    statements = assignments(template.combine)
    if not statements or statements[-1][0]:
        raise LoadError("the template's `combine` does not end in an expression")
    value = number(sympy.S.Zero)
    for name, text in statements:
        value = assemble(parse(text, JULIA), text, Scope(names, definitions, scope.broken, julia=True))
        names[name] = value
    return value
