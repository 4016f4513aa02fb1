"""Operator names of a search → the Julia functions that PySR knows them by, in the order in which it is given them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sr2hls.errors import FormatError

Version = tuple[int, int]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Functions that exist in Julia under this name once PySR is loaded, are defined on all reals (NaN outside their domain,
# no exception: one would end the search) and mean the same in `sr2hls.operators`.
UNARY = _words(
    "neg square cube inv abs abs2 sign sqrt cbrt exp exp2 exp10 expm1 log log2 log10 log1p sin cos tan asin acos atan "
    "sinh cosh tanh asinh acosh atanh sec csc cot sech csch coth sinpi cospi sinc floor ceil round trunc relu erf erfc "
    "gamma atanh_clip deg2rad rad2deg"
)
BINARY = _words(
    "+ - * / ^ mod rem max min greater less greater_equal less_equal cond logical_or logical_and hypot copysign"
)
TERNARY = _words("fma muladd clamp")  # PySR 2 only
ARITY = {name: n for n, names in ((1, UNARY), (2, BINARY), (3, TERNARY)) for name in names}
ALIASES = {
    "plus": "+",
    "add": "+",
    "sub": "-",
    "mult": "*",
    "div": "/",
    "pow": "^",
    ">": "greater",
    "<": "less",
    ">=": "greater_equal",
    "<=": "less_equal",
    "ceiling": "ceil",
}
# What PySR evaluates in place of a function that raises outside its domain.
_RAISING = _words("log log2 log10 log1p sqrt asin acos acosh atanh")
SAFE = {name: f"safe_{name}" for name in _RAISING} | {"^": "safe_pow"}
SAFE_FROM_2 = frozenset({"asin", "acos", "atanh"})  # PySR 1 does not export these three


@dataclass(frozen=True, slots=True)
class Operators:
    """The operators of one run, by number of arguments, in PySR's order; texts: Julia definitions of the user's own.

    Julia's trees name an operator by its place in these lists, so all generated tables follow this order.
    """

    names: Mapping[int, tuple[str, ...]]
    texts: Mapping[str, str] = field(default_factory=dict)

    def given(self, arity: int) -> list[str]:
        """What PySR is given for this number of arguments: names, or definitions of the user's own."""
        return [self.texts.get(name, name) for name in self.names.get(arity, ())]

    def arity(self, name: str) -> int:
        """The number of arguments of an operator of this run, 0 for any other name."""
        return next((n for n, names in self.names.items() if name in names), 0)

    @property
    def all(self) -> tuple[str, ...]:
        return tuple(name for arity in sorted(self.names) for name in self.names[arity])


def canonical(name: str) -> str:
    """The name under which PySR prints an operator."""
    plain = name.removeprefix("safe_")
    return ALIASES.get(plain, plain)


def operators_of(names: Sequence[str], definitions: Mapping[str, tuple[int, str]], version: Version) -> Operators:
    """The operators of a run. definitions: the user's own, name → (number of arguments, Julia text).

    Raises FormatError for a name that Julia does not know so, with those that look like it, and for an empty list.
    """
    found: dict[int, list[str]] = {1: [], 2: [], 3: []}
    for given in dict.fromkeys([*names, *definitions]):
        name = given if given in definitions else canonical(given)
        arity = definitions[name][0] if name in definitions else ARITY.get(name, 0)
        if not arity:
            alike = difflib.get_close_matches(name, ARITY, n=3)
            hint = f"; did you mean {', '.join(alike)}?" if alike else "; give its definition or take the native engine"
            raise FormatError(f"PySR has no operator '{given}'{hint}")
        if arity > (3 if version >= (2, 0) else 2):
            raise FormatError(f"the operator '{given}' takes {arity} arguments; PySR {version[0]} knows one and two")
        if name not in found[arity]:
            found[arity].append(name)
    if not any(found.values()):
        raise FormatError("a search needs at least one operator")
    return Operators(
        {arity: tuple(listed) for arity, listed in found.items() if listed},
        {name: text for name, (_, text) in definitions.items()},
    )


def cost_of(costs: Mapping[str, float], name: str, table: str) -> float:
    """The cost of an operator under any of its names. Raises FormatError where `table` has none."""
    for spelling in (name, *(alias for alias, plain in ALIASES.items() if plain == name)):
        if spelling in costs:
            return float(costs[spelling])
    raise FormatError(f"the costs '{table}' have no figure for the operator '{name}'")
