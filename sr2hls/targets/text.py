"""A `Target` → the text of its TOML file; `parse_target` reads it back."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from typing import Any

from sr2hls.targets.coefficients import Costs
from sr2hls.targets.model import Target


def target_text(target: Target, head: str) -> str:
    """The file's text; `head` becomes the comment at its top, one line a line."""
    lines = [f"# {line}".rstrip() for line in head.splitlines()]
    lines += [f"{f.name} = {_value(getattr(target, f.name))}" for f in fields(Target) if f.name != "costs"]
    for law in fields(Costs):
        coefficients = getattr(target.costs, law.name)
        lines += ["", f"[costs.{law.name}]"]
        lines += [f"{f.name} = {_value(getattr(coefficients, f.name))}" for f in fields(coefficients)]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(round(value, 4))
    if isinstance(value, tuple):
        return json.dumps(list(value))
    if is_dataclass(value):
        raise TypeError("a nested table is not a value")
    return json.dumps(value, ensure_ascii=False)
