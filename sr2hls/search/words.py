"""Names and units as a person writes them → names that can stand in a formula, units that can be read. Or one line."""

from __future__ import annotations

import re

from sr2hls.errors import LoadError
from sr2hls.load.assemble import CONSTANTS
from sr2hls.load.catalog import check_names
from sr2hls.load.parser import Name, parse
from sr2hls.load.syntax import row_dialect

_FACTOR = re.compile(r"\s*(?:1|[^\W\d_]+(?:(?:\^|\*\*)?\(?-?\d+(?:/\d+)?\)?)?)\s*")


def check_column(name: str) -> str:
    """The name of an input or output, if a formula can hold it. Raises LoadError."""
    try:
        check_names([name], "column")
        usable = isinstance(parse(name, row_dialect(64)), Name) and name not in CONSTANTS and name != "im"
    except LoadError:
        raise LoadError(f"the column name {name[:60]!r} is not a word of letters, digits and _; rename it") from None
    if not usable:
        raise LoadError(f"the column name '{name}' is a number or a constant in a formula; rename it")
    return name


def unit(text: str, name: str) -> str:
    """A unit: words with whole or fractional powers, multiplied and divided, such as `kg*m^2/s^2`; "1" is none.

    Raises LoadError.
    """
    stripped = text.strip()
    if not stripped or not all(_FACTOR.fullmatch(part) for part in re.split(r"(?<!\*)\*(?!\*)|/(?!\d)|·| +", stripped)):
        raise LoadError(f"the unit of '{name}' is '{text[:40]}'; write for example m/s^2, GeV, or 1 for none")
    return stripped
