"""Design → the same design with one number altered and all digests recomputed, and what refuses it."""

from __future__ import annotations

import copy
import json
import math
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sr2hls.circuit import Table
from sr2hls.compiler import Options, compile_model
from sr2hls.design import Design
from sr2hls.emit.design_json import design_json, digest_of, table_digest
from sr2hls.emit.design_read import parse_design
from sr2hls.errors import Sr2hlsError
from sr2hls.formats import Format
from sr2hls.load import load
from sr2hls.verify import verify_design
from sr2hls.verify.ledger import check_totals
from sr2hls.verify.refused import Wrong

_G = (
    "-0.1630426*(sin(-0.75052315)*cos(-0.75052315) - 0.84283006)*sin(2*x14 - 1.03665108)*cos(2*x14 - 1.03665108)"
    " - sin(x14 - (0.9237657 - 0.11933863*x3)*(-x15 + 2*x2 - 0.3817056) + 1.761264957)"
)
# name: formula, word of the inputs, options
DESIGNS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "mass": ("pt*met*(2.0003622 - cos(dphi)*1.9997401)", "fixed<12,3>", {"ranges": {"*": (0.25, 2.0)}}),
    "jet g": (_G, "fixed<8,3>", {"output": {"*": Format.parse("fixed<12,4>")}}),
    "polynomial": ("0.37*x**3 - 1.21*x**2 + 0.5*x - 0.125", "fixed<16,3>", {}),
    "comparison": ("max(x*y, 0.3) + greater(x, 0.7*y)*y", "fixed<8,3>", {}),
    "division": ("x/(y + 2.5) - exp(-y)", "fixed<8,2>", {"max_error_ulps": 2.0}),
    "two outputs": ("a = sin(x + y)\nb = sqrt(abs(x)) + 0.1*y", "fixed<8,3>", {}),
    "boxes": ("x/(x^2 + y^2 + 0.25)^1.5", "fixed<8,3>", {"boxes": 12}),
    "wide": ("log(x + 2.1*y)", "ufixed<16,4>", {"ranges": {"*": (0.5, 12.0)}}),
}
_DIGITS = re.compile(r"\d+")
_SKIPPED = ("sha256", "digest", "software", "schema", "schema_version")  # digests are recomputed; the rest is no number

Path = tuple[Any, ...]


@dataclass(frozen=True)
class Mutant:
    """One altered number."""

    place: Path
    old: Any
    new: Any


def built(name: str) -> Design:
    """One of the designs."""
    text, word, options = DESIGNS[name]
    return compile_model(load(text), Options(inputs={"*": Format.parse(word)}, name=name.replace(" ", "_"), **options))


def places(data: Any, place: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every number, and every text that holds one."""
    if isinstance(data, dict):
        for key, value in data.items():
            if key not in _SKIPPED:
                yield from places(value, (*place, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from places(value, (*place, index))
    elif isinstance(data, int | float) or (isinstance(data, str) and _DIGITS.search(data)):
        yield place, data


def altered(value: Any, rng: random.Random) -> Any:
    """Another number of the same type; of a text, another digit in one of its numbers."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return rng.choice([value + 1, value - 1, -value or 1, 2 * value or 2, value + (1 << rng.randrange(8))])
    if isinstance(value, float):
        near = [math.nextafter(value, math.inf), math.nextafter(value, -math.inf), value * (1 + 2.0**-40)]
        return rng.choice([*near, value * 1.5, -value, value / 2, value + 0.001])
    found = rng.choice(list(_DIGITS.finditer(value)))
    at = rng.randrange(found.start(), found.end())
    digit = rng.choice([d for d in "0123456789" if d != value[at]])
    return value[:at] + digit + value[at + 1 :]


def mutants(data: Any, rng: random.Random, tables: int, ways: int) -> Iterator[Mutant]:
    """Every number in some ways; of each table a few entries."""
    entries = [(place, old) for place, old in places(data) if place[0] == "tables" and place[-2] == "codes"]
    others = [(place, old) for place, old in places(data) if not (place[0] == "tables" and place[-2] == "codes")]
    count = tables * len(data["tables"])
    for place, old in [*others, *rng.sample(entries, min(count, len(entries)))]:
        for _ in range(1 if isinstance(old, bool) else ways):
            new = altered(old, rng)
            if new != old:
                yield Mutant(place, old, new)


def applied(data: Any, mutant: Mutant) -> Any:
    """The data with the number altered and all digests recomputed."""
    changed = copy.copy(data)
    at = changed
    for key in mutant.place[:-1]:
        at[key] = copy.copy(at[key])
        at = at[key]
    at[mutant.place[-1]] = mutant.new
    if mutant.place[0] == "tables":
        table = changed["tables"][mutant.place[1]]
        if mutant.place[2] == "codes":
            table["sha256"] = table_digest(Table("", Format(False, 1), tuple(table["codes"])))
    changed["digest"] = digest_of(changed)
    return changed


def fate(data: Any) -> tuple[str, str]:
    """(what refuses the design, the words): read, proof, undecided, totals; or missed."""
    try:
        design = parse_design(data)
    except (Sr2hlsError, KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        return "read", str(error)
    verdict = verify_design(design, totals=False)
    if verdict.status != "verified":
        return ("proof" if verdict.status == "refused" else "undecided"), verdict.detail
    try:
        check_totals(design)
    except Wrong as wrong:
        return "totals", str(wrong)
    return "missed", ""


def data_of(design: Design) -> Any:
    """The JSON data of design.json."""
    return json.loads(design_json(design))
