"""What PySR asks of Julia → a recording; nothing is computed. It stands in for the package `juliacall` in tests.

Text that PySR has evaluated gives a `Value` that remembers it. The call of `equation_search` writes the hall of fame
named by `HALL_OF_FAME` where the search would have written it. `EVALUATED` and `CALLS` hold what was asked for.
"""

from __future__ import annotations

import re
import types
from pathlib import Path
from typing import Any

__version__ = "0.0-stub"
EVALUATED: list[str] = []
CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
HALL_OF_FAME = ""


class JuliaError(Exception):
    """Never raised here; PySR imports the name."""


class AnyValue:
    """A Julia object: any attribute, index or call of it is another one."""

    def __init__(self, path: str, text: str = "") -> None:
        self._path, self._text = path, text
        self._items: dict[Any, Any] = {}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(self)(f"{self._path}.{name}")

    def __getitem__(self, key: Any) -> Any:
        return self._items.get(key, AnyValue(f"{self._path}[]"))

    def __setitem__(self, key: Any, value: Any) -> None:
        self._items[key] = value

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        last = self._path.rpartition(".")[2]
        if last == "_jl_call_nogil":
            last = self._path.split(".")[-2]
        CALLS.append((last, args, kwargs))
        if last == "seval":
            return evaluate(args[-1])
        if last == "include_string":
            return evaluate(args[1])
        if last == "methods":
            return args[0]
        if last == "collect":
            return [types.SimpleNamespace(nargs=1 + arity(args[0]._text), isva=False)]
        if last == "nameof":
            return name_of(args[0]._text)
        if last in ("take_b", "take!"):
            return [55, 74, 76]
        if last == "generate_run_id":
            return "generated"
        if last == "equation_search":
            options = next(kw for name, _, kw in reversed(CALLS) if name == "Options")
            folder = Path(options["output_directory"]) / str(kwargs["run_id"])
            folder.mkdir(parents=True, exist_ok=True)
            for name in ("hall_of_fame.csv", "hall_of_fame.csv.bak"):
                (folder / name).write_text(HALL_OF_FAME, encoding="utf-8")
        return AnyValue(f"{last}()")

    def __iter__(self) -> Any:
        return iter(())

    def __str__(self) -> str:
        return self._text or self._path


class VectorValue(AnyValue):
    """A Julia vector; PySR names it in annotations."""


def name_of(text: str) -> str:
    """The name that a definition of a function gives it."""
    match = re.match(r"\s*(?:function\s+)?(\w+)\(", text)
    return match[1] if match else text


def arity(text: str) -> int:
    """The number of arguments of a function defined by `text`, without nested brackets in its head."""
    match = re.match(r"\s*(?:function\s+)?\w+\(([^()]*)\)", text)
    return 1 + re.sub(r"\{[^{}]*\}", "", match[1]).count(",") if match else 0


def evaluate(text: str) -> Any:
    """What Julia would evaluate, recorded."""
    EVALUATED.append(str(text).strip())
    return AnyValue("value", str(text).strip())


def convert(kind: Any, value: Any) -> Any:
    """A conversion, which changes nothing here."""
    return value


Main = AnyValue("Main")
Main.VERSION = types.SimpleNamespace(major=1, minor=11, patch=0)
Base, Core = AnyValue("Base"), AnyValue("Core")
