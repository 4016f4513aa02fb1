"""Operator families, one file each, gathered into one table keyed by (name, arity)."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import sympy

VARIADIC = -1  # two arguments or more
_NOT_FAMILIES = {"registry", "words", "heads", "numeric", "build"}


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator: its name as PySR or Julia prints it, its arity (or VARIADIC), and its meaning.

    `build` takes sympy expressions over real symbols and gives one; it raises UnsupportedError for constants that
    would make sympy compute a number of absurd size.
    """

    name: str
    arity: int
    build: Callable[..., sympy.Expr]


@cache
def table() -> Mapping[tuple[str, int], Operator]:
    """All operators. Raises ValueError where two families define the same (name, arity)."""
    found: dict[tuple[str, int], Operator] = {}
    package = importlib.import_module("sr2hls.operators")
    for module in pkgutil.iter_modules(package.__path__):
        if module.name in _NOT_FAMILIES:
            continue
        family = importlib.import_module(f"sr2hls.operators.{module.name}")
        for operator in family.OPERATORS:
            key = (operator.name, operator.arity)
            if key in found:
                raise ValueError(f"operator {key} is defined twice, the second time in {module.name}")
            found[key] = operator
    return found


def find(name: str, arity: int) -> Operator | None:
    """The operator of this name for this number of arguments, or None."""
    exact = table().get((name, arity))
    if exact is None and arity >= 2:
        return table().get((name, VARIADIC))
    return exact


def arities(name: str) -> tuple[int, ...]:
    """The numbers of arguments that `name` is known with; empty if unknown."""
    return tuple(sorted(arity for other, arity in table() if other == name))


def known() -> tuple[str, ...]:
    """All operator names, sorted."""
    return tuple(sorted({name for name, _ in table()}))


def suggest(name: str) -> tuple[str, ...]:
    """Known names that look like `name`, best first."""
    return tuple(difflib.get_close_matches(name, known(), n=3, cutoff=0.6))


@cache
def template(operator: Operator, count: int) -> tuple[sympy.Expr, tuple[sympy.Symbol, ...]]:
    """The operator applied to `count` fresh real symbols, for looking at its shape without sympy folding anything."""
    places = tuple(sympy.Symbol(f"_{i}", real=True) for i in range(count))
    return operator.build(*places), places
