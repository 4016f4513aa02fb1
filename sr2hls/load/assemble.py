"""A syntax tree to a sympy expression over the closed set of heads, with constants kept exact and small."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import sympy

from sr2hls import operators
from sr2hls.errors import LoadError, UnsupportedError
from sr2hls.load.parser import Call, Name, Node, Number
from sr2hls.model import symbol
from sr2hls.operators.numeric import evaluate
from sr2hls.operators.powers import MAX_BITS, bits
from sr2hls.operators.registry import template

MAX_SIZE = 20_000  # nodes of the expression written out as a tree

CONSTANTS = {"pi": sympy.pi, "π": sympy.pi, "ℯ": sympy.E}


@dataclass(frozen=True, slots=True)
class Value:
    """An expression, its size as a tree, and its approximate value where it is constant."""

    expression: sympy.Expr
    size: int = 1
    approximate: float | None = None


@dataclass(frozen=True, slots=True)
class Definition:
    """A function given as text, such as `quart(x) = x^4`."""

    name: str
    parameters: tuple[str, ...]
    body: Node
    text: str  # the text that the spans of `body` refer to
    julia: bool = True  # whether the body is Julia source or text that a search printed


@dataclass(frozen=True, slots=True)
class Scope:
    """What the names of one formula stand for.

    definitions  operators given as text, by (name, arity)
    broken       why a definition of that name could not be read; raised only where it is used
    julia        Julia's meaning of `div` and of conversions such as `Float32(x)`
    """

    names: Mapping[str, Value]
    definitions: Mapping[tuple[str, int], Definition] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)
    active: frozenset[str] = frozenset()
    julia: bool = False


def number(value: sympy.Rational) -> Value:
    """A constant as a value."""
    try:
        return Value(value, 1, int(value.p) / int(value.q))
    except OverflowError:
        raise UnsupportedError("the constant is out of the range of any float") from None


def variable(name: str) -> Value:
    """An input as a value: a real symbol."""
    return Value(symbol(name))


def _quote(text: str, span: tuple[int, int]) -> str:
    part = " ".join(text[span[0] : span[1]].split())
    return part if len(part) <= 60 else part[:57] + "..."


def _unknown(name: str, count: int, scope: Scope) -> LoadError:
    if name in scope.broken:
        return LoadError(f"the definition of the operator {name!r} could not be read: {scope.broken[name]}")
    arities = sorted(set(operators.arities(name)) | {n for other, n in scope.definitions if other == name})
    if arities:
        takes = " or ".join("two or more" if n == operators.VARIADIC else str(n) for n in arities)
        return LoadError(f"the operator {name!r} takes {takes} argument(s), not {count}")
    alike = operators.suggest(name)
    hint = f" (did you mean {', '.join(alike)}?)" if alike else ""
    own = f"give an operator of your own as Julia text (--operator '{name}(x) = ...')"
    here = "".join(f" {other}" for other, _ in scope.definitions)
    defined = f"; the file itself defines:{here}" if here else ""
    return LoadError(f"unknown operator {name!r}{hint}; {own}; 'sr2hls functions' lists what is known{defined}")


_JULIA_CONVERSIONS = {"Float16", "Float32", "Float64", "float", "identity"}
_JULIA_CONSTANTS = {"one": sympy.S.One, "oneunit": sympy.S.One, "zero": sympy.S.Zero}


def _too_big(expression: sympy.Expr) -> bool:
    terms = sympy.Add.make_args(expression)
    return any(part.is_Rational and bits(part) > MAX_BITS for t in terms for part in sympy.Mul.make_args(t))


@cache
def _uses(operator: operators.Operator, count: int) -> tuple[int, ...]:
    """How often each argument occurs in the expression that the operator builds."""
    if operator.arity == operators.VARIADIC:
        return (1,) * count
    shape, places = template(operator, count)
    return tuple(max(1, int(shape.count(p))) for p in places)


def _approximate(operator: operators.Operator, point: Sequence[float | None]) -> float | None:
    """The float64 value at constants, computed before sympy may fold them; None where an argument is not constant."""
    values = [v for v in point if v is not None]
    if len(values) < len(point):
        return None
    step = 2 if operator.arity == operators.VARIADIC else len(values)
    shape, places = template(operator, step)
    while True:
        here, values = values[:step], values[step:]
        result = float(evaluate(shape, {p.name: v for p, v in zip(places, here, strict=True)}))
        if not values:
            return result
        values = [result, *values]


def apply(name: str, arguments: Sequence[Value], scope: Scope) -> Value:
    """The operator `name` applied. Raises LoadError for an unknown one, UnsupportedError for what is no number."""
    if scope.julia and len(arguments) == 1:
        if name in _JULIA_CONVERSIONS:
            return arguments[0]
        if name in _JULIA_CONSTANTS:
            return number(_JULIA_CONSTANTS[name])
    if scope.julia and name == "div":
        name = "÷"
    operator = operators.find(name, len(arguments))
    if operator is None:
        raise _unknown(name, len(arguments), scope)
    size = sum(n * a.size for n, a in zip(_uses(operator, len(arguments)), arguments, strict=True)) + len(arguments)
    if size > MAX_SIZE:
        raise UnsupportedError(f"the formula written out has more than {MAX_SIZE} nodes")
    approximate = _approximate(operator, [a.approximate for a in arguments])
    if approximate is not None and not np.isfinite(approximate):
        raise UnsupportedError("the constant is not a finite real number")
    expression = operator.build(*(a.expression for a in arguments))
    if _too_big(expression):
        raise UnsupportedError(f"an exact constant of more than {MAX_BITS} bits")
    if expression.is_Rational:
        return number(expression)
    return Value(expression, size, approximate)


def _name(node: Name, scope: Scope) -> Value:
    value = scope.names.get(node.name)
    if value is not None:
        return value
    constant = CONSTANTS.get(node.name)
    if constant is not None:
        return Value(constant, 1, float(constant))
    if node.name == "im":
        raise UnsupportedError("complex constants")
    inputs = ", ".join(scope.names) or "none"
    raise LoadError(f"unknown name {node.name!r}; the names here are: {inputs}")


def _expand(definition: Definition, arguments: Sequence[Value], scope: Scope) -> Value:
    if definition.name in scope.active:
        raise LoadError(f"the operator {definition.name!r} is defined by itself")
    names = dict(zip(definition.parameters, arguments, strict=True))
    active = scope.active | {definition.name}
    inner = Scope(names, scope.definitions, scope.broken, active, julia=definition.julia)
    try:
        return _build(definition.body, definition.text, inner)
    except (LoadError, UnsupportedError) as error:
        raise type(error)(f"in the definition of {definition.name!r}: {error}") from None


def _build(node: Node, text: str, scope: Scope) -> Value:
    if isinstance(node, Number):
        return number(sympy.Rational(node.value.numerator, node.value.denominator))
    if isinstance(node, Name):
        return _name(node, scope)
    arguments = [_build(a, text, scope) for a in node.arguments]
    definition = scope.definitions.get((node.name, len(arguments)))
    if definition is not None:
        return _expand(definition, arguments, scope)
    try:
        return apply(node.name, arguments, scope)
    except UnsupportedError as error:
        if "in '" in str(error):
            raise
        raise UnsupportedError(f"in '{_quote(text, node.span)}': {error}") from None


def _first_foreign(node: Node, text: str, scope: Scope) -> str:
    """The smallest part of the text whose expression has a node outside the closed set."""
    if isinstance(node, Call):
        for argument in node.arguments:
            if operators.foreign(_build(argument, text, scope).expression) is not None:
                return _first_foreign(argument, text, scope)
    return _quote(text, node.span)


def assemble(node: Node, text: str, scope: Scope) -> Value:
    """The expression of a tree parsed from `text`, not expanded (2*(x + 1) stays so).

    Raises LoadError for unknown names and operators, UnsupportedError, naming the sub-expression, for what is not a
    real number or would need constants of absurd size.
    """
    try:
        value = _build(node, text, scope)
        stranger = operators.foreign(value.expression)
        part = "" if stranger is None else _first_foreign(node, text, scope)
    except RecursionError:
        raise UnsupportedError("the formula is nested too deeply for sympy") from None
    if stranger is not None:
        raise UnsupportedError(f"in '{part}': not a real number ({stranger})")
    return value
