"""Operator names → `Symbols`: what the trees of a search are written in, as arrays for the compiled loops."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import sympy

from sr2hls import operators as ops
from sr2hls.errors import LoadError, UnsupportedError
from sr2hls.operators.registry import template
from sr2hls.search.definitions import Defined
from sr2hls.search.native.apart import Flags, Integers, Singles
from sr2hls.search.native.instructions import instructions

VARIABLE, CONSTANT = 0, 1
FIRST = 2  # the first operator


class Table(NamedTuple):
    """Per symbol: its number of arguments, and its slot program, instructions first[s]..first[s + 1] of the others.

    An operand below 0 is an argument of the symbol (-1 - i). unary, binary, ternary: the symbols of that arity.
    """

    arity: Integers
    first: Integers
    op: Integers
    a: Integers
    b: Integers
    v: Singles
    unary: Integers
    binary: Integers
    ternary: Integers
    twin: Flags  # per symbol: whether its arguments may change places
    plus: int  # the symbol of +, and of *; -1 where the search has none
    times: int


@dataclass(frozen=True, slots=True)
class Symbols:
    """names[s], and build[s]: the symbol as a function of sympy expressions."""

    names: tuple[str, ...]
    build: tuple[Callable[..., sympy.Expr], ...]
    table: Table

    def index(self, name: str) -> int:
        return self.names.index(name)


def symbols_of(names: Sequence[str], own: Mapping[str, Defined]) -> Symbols:
    """The symbol table of a search.

    Raises LoadError for an unknown operator, UnsupportedError for one that the search cannot evaluate.
    """
    arity, first, twin = [0, 0], [0, 0, 0], [False, False]
    program: list[tuple[int, int, int, float]] = []
    build: list[Callable[..., sympy.Expr]] = [_no_operator, _no_operator]
    for name in names:
        body, places, function = _meaning(name, own)
        try:
            program += instructions(body, {place: i for i, place in enumerate(places)})
        except UnsupportedError as error:
            raise UnsupportedError(f"the native engine cannot search with the operator '{name}': {error}") from None
        arity.append(len(places))
        first.append(len(program))
        build.append(function)
        twin.append(len(places) == 2 and _commutes(body, places))
    columns: list[Any] = list(zip(*program, strict=True)) if program else [(), (), (), ()]
    op, a, b, v = columns
    by_arity = [np.array([s for s in range(FIRST, len(arity)) if arity[s] == n], np.int64) for n in (1, 2, 3)]
    table = Table(
        np.array(arity, np.int64),
        np.array(first, np.int64),
        np.array(op, np.int64),
        np.array(a, np.int64),
        np.array(b, np.int64),
        np.array(v, np.float32),
        by_arity[0],
        by_arity[1],
        by_arity[2],
        np.array(twin, np.bool_),
        FIRST + list(names).index("+") if "+" in names else -1,
        FIRST + list(names).index("*") if "*" in names else -1,
    )
    return Symbols(("variable", "constant", *names), tuple(build), table)


def _meaning(
    name: str, own: Mapping[str, Defined]
) -> tuple[sympy.Expr, tuple[sympy.Symbol, ...], Callable[..., sympy.Expr]]:
    if name in own:
        return own[name].body, own[name].parameters, own[name]
    counts = ops.arities(name)
    if not counts:
        alike = ops.suggest(name)
        hint = f" (did you mean {', '.join(alike)}?)" if alike else ""
        raise LoadError(f"unknown operator '{name}'{hint}; 'sr2hls functions' lists what is known")
    two = ops.VARIADIC in counts or 2 in counts
    # atan(x), not atan(y, x); but x - y, not -x
    count = 2 if two and (1 not in counts or not name[0].isalpha()) else min(c for c in counts if c > 0)
    operator = ops.find(name, count)
    if operator is None or count > 3:
        raise LoadError(f"the operator '{name}' takes {counts[0]} arguments; a search has those of one to three")
    return *template(operator, count), operator.build


def _commutes(body: sympy.Expr, places: Sequence[sympy.Symbol]) -> bool:
    first, second = places
    return bool(body == body.xreplace({first: second, second: first}))


def _no_operator(*_: sympy.Expr) -> sympy.Expr:
    raise ValueError("a leaf is not applied")
