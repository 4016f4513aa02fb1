"""User-defined operators, such as "sc(x) = sin(x)*cos(x)" → Julia text that PySR can evaluate at its precision.

The text is printed anew from its syntax tree, so nothing but arithmetic and known functions reaches Julia. Literals
get the type of the data (a Float64 literal would turn Float32 data into Float64, which the search refuses), and
functions that raise outside their domain become PySR's own that give NaN there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from sr2hls.errors import LoadError, UnsupportedError
from sr2hls.load.assemble import Definition
from sr2hls.load.julia import definitions as read_definitions
from sr2hls.load.parser import Call, Name, Node, Number
from sr2hls.search.pysr.vocabulary import ARITY, SAFE, SAFE_FROM_2, Version, canonical

_INFIX = {"+", "-", "*", "/"}
_LARGEST_POWER = 16  # whole exponents up to this are multiplications in Julia
_TYPES = {16: "Float16", 32: "Float32", 64: "Float64"}
_COMPARISONS = {">": "greater", "<": "less", ">=": "greater_equal", "<=": "less_equal"}
_SAME = {"identity", "float", "Float16", "Float32", "Float64"}


def literal(value: Fraction, precision: int) -> str:
    """A constant as a Julia literal of the data's type, at 32 bits `0.1f0`."""
    if precision == 64:
        return repr(float(value))
    if precision == 16:
        return f"Float16({np.float16(float(value))!s})"
    number = np.float32(float(value))
    size = abs(float(number))
    if size == 0 or 1e-4 <= size < 1e6:
        return np.format_float_positional(number, trim="0") + "f0"
    mantissa, exponent = np.format_float_scientific(number, trim="0").split("e")
    return f"{mantissa}f{int(exponent)}"


class _Printer:
    def __init__(self, all_: Mapping[tuple[str, int], Definition], precision: int, version: Version) -> None:
        self.all = all_
        self.precision = precision
        self.version = version

    def body(self, definition: Definition, arguments: tuple[str, ...], active: frozenset[str]) -> str:
        if definition.name in active:
            raise LoadError(f"the operator '{definition.name}' is defined by itself")
        places = dict(zip(definition.parameters, arguments, strict=True))
        return self.text(definition.body, places, active | {definition.name})

    def text(self, node: Node, places: Mapping[str, str], active: frozenset[str]) -> str:
        if isinstance(node, Number):
            return literal(node.value, self.precision)
        if isinstance(node, Name):
            if node.name in places:
                return places[node.name]
            if node.name in ("pi", "π", "ℯ"):
                return f"{_TYPES[self.precision]}({'ℯ' if node.name == 'ℯ' else 'pi'})"
            raise LoadError(f"unknown name '{node.name}'")
        arguments = tuple(self.text(a, places, active) for a in node.arguments)
        definition = self.all.get((node.name, len(arguments)))
        if definition is not None:
            return f"({self.body(definition, arguments, active)})"
        return self.call(node, arguments)

    def call(self, node: Call, arguments: tuple[str, ...]) -> str:
        if node.name in _SAME and len(arguments) == 1:
            return arguments[0]
        if node.name == "ifelse" and len(arguments) == 3:
            return f"ifelse({arguments[0]} > 0, {arguments[1]}, {arguments[2]})"
        name = _COMPARISONS.get(node.name, canonical(node.name))
        if name == "-" and len(arguments) == 1:
            return f"(-{arguments[0]})"
        if name in _INFIX and len(arguments) >= 2:
            return "(" + f" {name} ".join(arguments) + ")"
        if name == "^":
            return self.power(node, arguments)
        if ARITY.get(name) != len(arguments):
            raise UnsupportedError(f"'{node.name}' of {len(arguments)} argument(s) is not to be had in PySR")
        if name in SAFE_FROM_2 and self.version < (2, 0):
            raise UnsupportedError(f"'{name}' inside a definition needs PySR 2")
        return f"{SAFE.get(name, name)}({', '.join(arguments)})"

    def power(self, node: Call, arguments: tuple[str, ...]) -> str:
        exponent = node.arguments[1]
        if isinstance(exponent, Call) and exponent.name == "-" and len(exponent.arguments) == 1:
            inner = exponent.arguments[0]
            value = -inner.value if isinstance(inner, Number) else None
        else:
            value = exponent.value if isinstance(exponent, Number) else None
        if value is not None and value.denominator == 1 and abs(value) <= _LARGEST_POWER:
            return f"({arguments[0]})^({value.numerator})"
        return f"safe_pow({arguments[0]}, {arguments[1]})"


def julia_definitions(texts: Mapping[str, str], precision: int, version: Version) -> dict[str, tuple[int, str]]:
    """The user's own operators: name → (number of arguments, a Julia definition).

    texts: as in `Settings.definitions`; precision: bits of PySR's floats. Raises LoadError for text that is no
    definition or of another name, UnsupportedError for a function in it that PySR cannot evaluate safely.
    """
    found, broken = read_definitions(texts.values())
    for name, reason in broken.items():
        raise LoadError(f"the definition of the operator '{name}': {reason}")
    printer = _Printer(found, precision, version)
    result: dict[str, tuple[int, str]] = {}
    for (name, arity), definition in found.items():
        if canonical(name) in ARITY or not re.fullmatch(r"[A-Za-z]\w*", name, re.ASCII):
            free = "one that PySR does not have itself" if canonical(name) in ARITY else "letters, digits and _"
            raise LoadError(f"the operator '{name}' needs another name for PySR: {free}")
        try:
            body = printer.body(definition, definition.parameters, frozenset())
        except (LoadError, UnsupportedError) as error:
            raise type(error)(f"the definition of the operator '{name}': {error}") from None
        result[name] = (arity, f"{name}({', '.join(definition.parameters)}) = {body}")
    for name, text in texts.items():
        if name not in result:
            raise LoadError(f"'{text}' does not define the operator '{name}': write {name}(x) = ...")
    return result
