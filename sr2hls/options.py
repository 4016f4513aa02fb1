"""What a person writes for formats, ranges, errors, clocks and names → the values that the compiler takes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from sr2hls.errors import FormatError
from sr2hls.formats import Format

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_CLOCK = re.compile(rf"\s*({_NUMBER})\s*(ns|ps|MHz|GHz)?\s*", re.IGNORECASE)
_ULPS = re.compile(rf"\s*({_NUMBER})\s*ulps?\s*", re.IGNORECASE)
_NS = {"ns": lambda x: x, "ps": lambda x: x / 1000, "mhz": lambda x: 1000 / x, "ghz": lambda x: 1 / x}
ALL = "*"  # stands for every input, or every output
MOST_NS = 1e6
DOMAINS = ("strict", "clamp")

Limits = tuple[float, float]


def number(text: str, what: str) -> float:
    """A finite decimal number; `pi` and fractions of it are allowed in ranges, as `-pi`, `pi/2`. Raises FormatError."""
    match = re.fullmatch(rf"\s*([+-]?)\s*(?:({_NUMBER})\s*\*\s*)?pi\s*(?:/\s*({_NUMBER}))?\s*", text)
    try:
        if match:
            value = math.pi * float(match[2] or 1) / float(match[3] or 1) * (-1 if match[1] == "-" else 1)
        else:
            value = float(text)
    except (ValueError, ZeroDivisionError):
        raise FormatError(f"{what}: '{text}' is not a number") from None
    if not math.isfinite(value):
        raise FormatError(f"{what}: '{text}' is not a finite number")
    return value


def named(items: Sequence[str], what: str, example: str) -> dict[str, str]:
    """`a=1`, `b=2` or just `1` for all (under "*") → {"a": "1", ...}; a comma or blank separates several in one text.

    Raises FormatError for an empty or doubled entry.
    """
    found: dict[str, str] = {}
    for item in items:
        for part in _split(item):
            name, equals, value = part.partition("=")
            if not equals:
                name, value = ALL, part
            name, value = name.strip(), value.strip()
            if not name or not value:
                raise FormatError(f"{what} '{part}' is incomplete; write for example {what} '{example}'")
            if name in found:
                which = "all inputs" if name == ALL else f"'{name}'"
                raise FormatError(f"{what} is given twice for {which}")
            found[name] = value
    return found


def _split(text: str) -> list[str]:
    """Cut at blanks and at commas outside <...>."""
    parts = re.split(r"[\s,]+(?![^<]*>)", text.strip())
    return [part for part in parts if part] or [""]


def formats(items: Sequence[str], what: str, example: str) -> dict[str, Format]:
    """Format per name. Raises FormatError."""
    return {name: _format(value, what) for name, value in named(items, what, example).items()}


def _format(text: str, what: str) -> Format:
    try:
        return Format.parse(text)
    except FormatError as error:
        raise FormatError(f"{what}: {error}") from None


def ranges(items: Sequence[str]) -> dict[str, Limits]:
    """(low, high) per name from texts such as `x0=-4:4`. Raises FormatError."""
    found = {}
    for name, value in named(items, "--range", "x0=-4:4").items():
        low, colon, high = value.partition(":")
        if not colon:
            raise FormatError(f"--range '{value}' is no range; write for example --range x0=-4:4")
        limits = number(low, "--range"), number(high, "--range")
        if limits[0] > limits[1]:
            raise FormatError(f"--range {value} is empty: its first end is the larger one")
        found[name] = limits
    return found


def clock_ns(text: str | float) -> float:
    """`5ns`, `200MHz`, `5000ps`, `0.2GHz` or a number of ns → ns. Raises FormatError."""
    match = _CLOCK.fullmatch(str(text))
    value = float(match[1]) if match else 0.0
    if match is None or not (math.isfinite(value) and value > 0):
        raise FormatError(f"the clock '{text}' is not a period or frequency; write for example 5ns or 200MHz")
    period = _NS[(match[2] or "ns").lower()](value)
    if not 0 < period < MOST_NS:
        raise FormatError(f"a clock period of {period:g} ns makes no sense")
    return float(period)


def max_error(text: str | float | None) -> tuple[float | None, float | None]:
    """(absolute error or None, ulps or None) from `0.001`, `2ulp` or nothing. Raises FormatError."""
    if text is None:
        return None, None
    match = _ULPS.fullmatch(str(text))
    if match:
        ulps = float(match[1])
        if not (math.isfinite(ulps) and ulps > 0):
            raise FormatError(f"--max-error {text}: the error must be positive")
        return None, ulps
    try:
        value = float(text)
    except ValueError:
        raise FormatError(f"--max-error '{text}' is no error; write for example 0.001 or 2ulp") from None
    if not (math.isfinite(value) and value > 0):
        raise FormatError(f"--max-error {text}: the error must be positive")
    return value, None


def domain_rule(text: str) -> tuple[str, float | None]:
    """("strict" or "clamp", distance from poles or None) from `strict`, `clamp` or `clamp=0.05`. Raises FormatError."""
    rule, equals, floor = text.partition("=")
    if rule not in DOMAINS or (equals and rule != "clamp"):
        raise FormatError(f"the domain rule is {' or '.join(DOMAINS)} (or clamp=0.05), not '{text}'")
    if not equals:
        return rule, None
    value = number(floor, "--domain clamp")
    if not value > 0:
        raise FormatError(f"--domain {text}: the distance from poles must be positive")
    return rule, value


def design_name(text: str) -> str:
    """A name for modules and functions, checked. Raises FormatError."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,62}", text):
        raise FormatError(
            f"'{text[:80]}' is no name for a design: letters, digits and _ only, not beginning with a digit"
        )
    return text


def name_of_source(source: object) -> str:
    """The design's name where none is given: of the file, or of its folder where the file has a generic name."""
    if not isinstance(source, str | Path):
        return "formula"
    try:
        path = Path(source)
        if not path.exists():
            return "formula"
        path = path.resolve()
    except (OSError, ValueError):
        return "formula"
    generic = path.is_file() and (path.stem in ("model", "checkpoint") or path.name.startswith("hall_of_fame"))
    stem = path.parent.name if generic else path.name if path.is_dir() else path.name.split(".")[0]
    name = re.sub(r"\W+", "_", stem, flags=re.ASCII).strip("_")[:40]
    if not name:
        return "formula"
    return name if not name[0].isdigit() else f"run_{name}"


def all_or_each(values: object) -> Mapping[str, object]:
    """A mapping as it is; one value for all under "*"; None as nothing."""
    if values is None:
        return {}
    return values if isinstance(values, Mapping) else {ALL: values}
