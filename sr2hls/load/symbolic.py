"""sympy expressions of a user to a `SymbolicModel`: real symbols, exact constants, the closed set of heads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sympy
from sympy.codegen import cfunctions

from sr2hls.errors import LoadError, UnsupportedError
from sr2hls.load.catalog import check_names, natural, output_names
from sr2hls.load.guard import check
from sr2hls.model import Output, Provenance, SymbolicModel, symbol
from sr2hls.operators import HEADS, find, rebuild
from sr2hls.operators import words as w


def _operator(name: str) -> Callable[..., sympy.Expr]:
    def build(*arguments: sympy.Expr) -> sympy.Expr:
        operator = find(name, len(arguments))
        if operator is None:
            raise UnsupportedError(f"{name} of {len(arguments)} arguments")
        return operator.build(*arguments)

    return build


def _not(c: sympy.Expr) -> sympy.Expr:
    return w.LessEqual(c, 0)


def _fold(two: Callable[..., sympy.Expr]) -> Callable[..., sympy.Expr]:
    def build(*arguments: sympy.Expr) -> sympy.Expr:
        result = arguments[0]
        for argument in arguments[1:]:
            result = two(result, argument)
        return result

    return build


# What sympy writes in other words than the closed set. Conditions become 1 or 0.
_TRANSLATED: dict[type[sympy.Basic], Callable[..., sympy.Expr]] = {
    sympy.StrictGreaterThan: w.Greater,
    sympy.GreaterThan: w.GreaterEqual,
    sympy.StrictLessThan: w.Less,
    sympy.LessThan: w.LessEqual,
    sympy.Equality: w.Equal,
    sympy.Unequality: lambda x, y: 1 - w.Equal(x, y),
    sympy.And: _fold(w.LogicalAnd),
    sympy.Or: _fold(w.LogicalOr),
    sympy.Not: _not,
    sympy.ITE: w.Select,
    sympy.Mod: _operator("mod"),
    sympy.frac: lambda x: x - sympy.floor(x),
    sympy.factorial: _operator("factorial"),
    sympy.Heaviside: lambda x, h: w.Select(x, sympy.S.One, w.Select(-x, sympy.S.Zero, h)),
    sympy.acot: _operator("acot"),
    sympy.asec: _operator("asec"),
    sympy.acsc: _operator("acsc"),
    sympy.acoth: _operator("acoth"),
    sympy.asech: _operator("asech"),
    sympy.acsch: _operator("acsch"),
    cfunctions.log2: _operator("log2"),
    cfunctions.log10: _operator("log10"),
    cfunctions.log1p: _operator("log1p"),
    cfunctions.expm1: _operator("expm1"),
    cfunctions.exp2: _operator("exp2"),
    cfunctions.fma: _operator("fma"),
    cfunctions.Cbrt: _operator("cbrt"),
    cfunctions.Sqrt: _operator("sqrt"),
    cfunctions.hypot: _operator("hypot"),
    sympy.Max: _operator("max"),
    sympy.Min: _operator("min"),
    sympy.Abs: _operator("abs"),
    sympy.Pow: _operator("^"),
}


def _leaf(node: sympy.Basic) -> sympy.Expr:
    if node.is_Symbol:
        return symbol(node.name)
    if node.is_Float:
        if not node.is_finite:
            raise UnsupportedError(f"the constant {node} is not finite")
        return sympy.Rational(node)
    if node is sympy.true or node is sympy.false:
        return sympy.S.One if node is sympy.true else sympy.S.Zero
    if isinstance(node, sympy.Expr):
        return node
    raise UnsupportedError(f"{node} has no meaning here")


def _piecewise(node: sympy.Piecewise) -> sympy.Expr:
    *pairs, last = node.args
    if last.cond is not sympy.true:
        raise UnsupportedError("a Piecewise without a branch for all other cases; end it with (value, True)")
    result = convert(last.expr)
    for pair in reversed(pairs):
        result = w.Select(convert(pair.cond), convert(pair.expr), result)
    return result


def convert(node: sympy.Basic) -> sympy.Expr:
    """The same formula over real symbols, exact constants and the closed set of heads. Raises UnsupportedError."""
    if isinstance(node, sympy.Piecewise):
        return _piecewise(node)
    if not node.args:
        return _leaf(node)
    arguments = [convert(a) for a in node.args]
    translated = _TRANSLATED.get(type(node))
    if translated is not None:
        return translated(*arguments) if type(node) is not sympy.Max or len(arguments) > 1 else arguments[0]
    if type(node) in HEADS:
        return rebuild(node, tuple(arguments))
    known = " ".join(sorted(h.__name__ for h in HEADS))
    raise UnsupportedError(f"{type(node).__name__} is not supported; supported: {known}")


def from_sympy(source: Any, inputs: Sequence[str] | None = None) -> SymbolicModel:
    """A model from one sympy expression, a sequence of them, or {output name: expression}.

    Symbols become real inputs of the same name; a Float becomes the exact rational of its binary value.
    inputs: their order (default: natural order of the names). Raises LoadError and UnsupportedError.
    """
    if isinstance(source, Mapping):
        named = {str(k): v for k, v in source.items()}
    else:
        listed = list(source) if isinstance(source, list | tuple) else [source]
        symbols = {s.name for e in listed if isinstance(e, sympy.Basic) for s in e.free_symbols}
        named = dict(zip(output_names(len(listed), sorted(symbols)), listed, strict=True))
    check_names(list(named), "output")
    outputs = []
    for name, expression in named.items():
        if not isinstance(expression, sympy.Basic):
            raise LoadError(f"the output {name!r} is a {type(expression).__name__}, not a sympy expression")
        try:
            real = convert(expression)
            check(real)
        except UnsupportedError as error:
            raise UnsupportedError(f"{name} = {str(expression)[:80]}: {error}") from None
        except RecursionError:
            raise UnsupportedError(f"{name}: nested too deeply") from None
        outputs.append(Output(name, real, Provenance("sympy", str(expression))))
    used = {s.name for o in outputs for s in o.expression.free_symbols}
    order = check_names(list(inputs) if inputs is not None else sorted(used, key=natural), "input")
    if missing := used - set(order):
        raise LoadError(f"the formula uses {', '.join(sorted(missing))}, which is not among the inputs")
    return SymbolicModel(tuple(n for n in order if n in used), tuple(outputs))
