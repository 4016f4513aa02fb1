"""PySR's `hall_of_fame*.csv` (and the `.bak` twins) to rows; nothing in the equation text is evaluated."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

from sr2hls.errors import LoadError
from sr2hls.load.parser import parse
from sr2hls.load.selection import Row, scores
from sr2hls.load.syntax import row_dialect

MAX_BYTES = 64 << 20
MAX_ROWS = 100_000
_HEADER = ["Complexity", "Loss", "Equation"]
_JULIA_EXPONENT = re.compile(r"(?<=\d)[fF](?=[+-]?\d)")
_LITERAL = re.compile(r"(?<![\w.])\d+\.\d+(?![\w.])|(?<![\w.])\d+\.\d+(?=e)")


def is_header(head: str) -> bool:
    """Whether a file that begins so is a hall of fame."""
    return head.lstrip("\ufeff").startswith(",".join(_HEADER))


def rows_of(text: str) -> tuple[Row, ...]:
    """The rows of one hall of fame. Raises LoadError."""
    reader = csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=""), strict=True)
    found: list[tuple[int, float, str]] = []
    try:
        header = next(reader, None)
        if header != _HEADER:
            raise LoadError(f"not a PySR hall of fame: its first line is not {','.join(_HEADER)}")
        for fields in reader:
            if not fields:
                continue
            if len(fields) != 3:
                raise LoadError(f"line {reader.line_num}: {len(fields)} fields instead of 3")
            try:
                loss = float(_JULIA_EXPONENT.sub("e", fields[1]))
                found.append((int(fields[0]), loss, fields[2].strip()))
            except ValueError:
                raise LoadError(f"line {reader.line_num}: the complexity or the loss is not a number") from None
            if len(found) > MAX_ROWS:
                raise LoadError(f"more than {MAX_ROWS} rows")
    except csv.Error as error:
        raise LoadError(f"line {reader.line_num}: damaged CSV ({error})") from None
    marks = scores([c for c, _, _ in found], [loss for _, loss, _ in found])
    return tuple(Row(e, c, loss, s) for (c, loss, e), s in zip(found, marks, strict=True))


def read_rows(path: Path) -> tuple[Row, ...]:
    """The rows of the file. Raises LoadError, naming the file."""
    try:
        size = path.stat().st_size
        text = path.read_text(encoding="utf-8") if size <= MAX_BYTES else ""
    except (OSError, UnicodeDecodeError) as error:
        raise LoadError(f"{path.name}: cannot be read ({error})") from None
    if size > MAX_BYTES:
        raise LoadError(f"{path.name}: more than {MAX_BYTES} bytes")
    try:
        return rows_of(text)
    except LoadError as error:
        raise LoadError(f"{path.name}: {error}") from None


def files_in(folder: Path) -> list[Path]:
    """The halls of fame of a run, one per output in order; the `.bak` twin first, as PySR does (it is complete)."""

    def one(name: str) -> Path | None:
        return next((p for p in (folder / f"{name}.bak", folder / name) if p.is_file()), None)

    single = one("hall_of_fame.csv")
    if single is not None:
        return [single]
    found: list[Path] = []
    while (path := one(f"hall_of_fame_output{len(found) + 1}.csv")) is not None:
        found.append(path)
    return found


def guess_precision(outputs: tuple[tuple[Row, ...], ...]) -> int:
    """64 where a literal has more digits than the shortest text of any float32 (nine), else 32, PySR's default."""
    for rows in outputs:
        for row in rows:
            for literal in _LITERAL.findall(row.equation):
                if len(literal.replace(".", "").lstrip("0")) > 9 and len(literal.replace(".", "").strip("0")) > 9:
                    return 64
    return 32


def guess_inputs(outputs: tuple[tuple[Row, ...], ...]) -> tuple[str, ...]:
    """The variable names of all equations that can be read, in natural order (x2 before x10)."""
    from sr2hls.load.catalog import natural, variables

    names: set[str] = set()
    for rows in outputs:
        for row in rows:
            try:
                names |= variables(parse(row.equation, row_dialect(64)))
            except LoadError:
                continue
    return tuple(sorted((n for n in names if n.isidentifier()), key=natural))
