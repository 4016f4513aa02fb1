"""What a person writes for operators, definitions, units, words and PySR's options → the values that a search takes."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from sr2hls.errors import FormatError
from sr2hls.formats import Format
from sr2hls.search.settings import OPERATORS

_HEAD = re.compile(r"\s*([^\W\d]\w*)\s*\(([^()]*)\)\s*=(?!=)")


def definitions(texts: Sequence[str]) -> dict[str, str]:
    """`sc(x) = sin(x)*cos(x)` → {"sc": that text}. Raises FormatError for text without a head, or a name twice."""
    found: dict[str, str] = {}
    for text in texts:
        head = _HEAD.match(text)
        if head is None:
            raise FormatError(f"--define '{text[:60]}' is no definition; write for example 'sc(x) = sin(x)*cos(x)'")
        if head[1] in found:
            raise FormatError(f"--define: '{head[1]}' is defined twice")
        found[head[1]] = text.strip()
    return found


def operator_names(text: str | None, defined: Sequence[str]) -> tuple[str, ...] | None:
    """`+,-,*,sin` and the defined ones → names, each once; None where nothing was said. Raises FormatError."""
    own = tuple(definitions(defined))
    if text is None:
        return (*OPERATORS, *own) if own else None
    names = [part.strip() for part in re.split(r"[,\s]+", text.strip())]
    if not all(names):
        raise FormatError(f"--operators '{text[:60]}' names none; write for example '+,-,*,/,sin'")
    return tuple(dict.fromkeys([*names, *own]))


def unit_texts(items: Sequence[str]) -> dict[str, str]:
    """`v=m/s`, several of them also in one text with commas → {"v": "m/s"}. Raises FormatError."""
    found: dict[str, str] = {}
    for part in (part for item in items for part in item.split(",")):
        name, equals, unit = (piece.strip() for piece in part.partition("="))
        if not (name and equals and unit):
            raise FormatError(f"--units '{part.strip()[:60]}' is no unit of a column; write for example v=m/s")
        if name in found:
            raise FormatError(f"--units is given twice for '{name}'")
        found[name] = unit
    return found


def fake_format(text: str) -> tuple[int, int]:
    """`fixed<16,6>` → (width, fraction bits). Raises FormatError."""
    try:
        fmt = Format.parse(text)
    except FormatError as error:
        raise FormatError(f"--formats: {error}") from None
    if not fmt.signed:
        raise FormatError(f"--formats {text}: the values of a formula have signs; write fixed<{fmt.width},...>")
    return fmt.width, fmt.fraction


def pysr_options(items: Sequence[str]) -> dict[str, Any]:
    """`populations=40`, `turbo=true`, `loss_scale=log` → values: JSON, or else text. Raises FormatError."""
    found: dict[str, Any] = {}
    for item in items:
        name, equals, text = (piece.strip() for piece in item.partition("="))
        if not (name.isidentifier() and equals):
            raise FormatError(f"--pysr-option '{item[:60]}' is not name=value; write for example populations=40")
        try:
            found[name] = json.loads({"True": "true", "False": "false", "None": "null"}.get(text, text))
        except json.JSONDecodeError:
            found[name] = text
    return found
