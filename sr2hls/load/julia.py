"""Operator definitions in Julia text, such as `quart(x) = x^4`, to syntax trees that are inlined; nothing is run."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sr2hls.errors import LoadError
from sr2hls.load.assemble import Definition
from sr2hls.load.parser import parse
from sr2hls.load.syntax import JULIA, MAX_TEXT

_HEAD = re.compile(r"\s*([^\W\d]\w*!?)\s*\(([^()]*)\)\s*(?:where\s*(?:\{[^{}]*\}|\w+)\s*)?=(?!=)\s*(.+)", re.DOTALL)
_PARAMETER = re.compile(r"[^\W\d]\w*")

Definitions = dict[tuple[str, int], Definition]


def _pieces(text: str) -> list[str]:
    """Several definitions in one string, separated by semicolons or line ends."""
    return [piece for piece in re.split(r"[;\n]", text) if piece.strip()]


def _define(text: str) -> Definition:
    match = _HEAD.fullmatch(text)
    if match is None:
        raise LoadError("it is not of the form name(x, y) = expression")
    name, parameters, body = match[1], match[2], match[3].strip()
    names = tuple(p.split("::")[0].strip() for p in parameters.split(","))
    if not all(_PARAMETER.fullmatch(n) for n in names) or len(set(names)) < len(names):
        raise LoadError(f"its parameters ({parameters.strip()}) are not plain distinct names")
    return Definition(name, names, parse(body, JULIA), body)


def definitions(texts: Iterable[str]) -> tuple[Definitions, dict[str, str]]:
    """The operators that are defined in Julia text, and {name: reason} for those that could not be read.

    Texts that are plain operator names are passed over. A broken definition harms only the equations that use it.
    """
    found: Definitions = {}
    broken: dict[str, str] = {}
    for text in texts:
        if "(" not in text or len(text) > MAX_TEXT:
            continue
        for piece in _pieces(text):
            try:
                definition = _define(piece)
            except LoadError as error:
                name = re.search(r"[^\W\d]\w*(?=\s*\()", piece)
                broken[name[0] if name else piece.strip()[:40]] = f"{piece.strip()[:80]!r}: {error}"
                continue
            found[definition.name, len(definition.parameters)] = definition
    return found, broken
