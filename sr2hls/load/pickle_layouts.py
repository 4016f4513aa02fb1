"""Records of pickled numpy arrays, pandas frames and Arrow strings to plain Python lists."""

from __future__ import annotations

import itertools
import math
import re
import struct
from typing import Any

from sr2hls.errors import LoadError
from sr2hls.load.pickle_data import Record

MAX_ELEMENTS = 1 << 22
_CODES = {
    "f8": "d",
    "f4": "f",
    "f2": "e",
    "i8": "q",
    "i4": "i",
    "i2": "h",
    "i1": "b",
    "u8": "Q",
    "u4": "I",
    "u2": "H",
    "u1": "B",
    "b1": "?",
}
_ARROW_WIDTHS = {"string": 4, "utf8": 4, "large_string": 8, "large_utf8": 8}


def _is(value: Any, *endings: str) -> bool:
    return isinstance(value, Record) and value.path.endswith(endings)


def _type_and_order(dtype: Any) -> tuple[str, str]:
    if not (_is(dtype, "numpy.dtype") and dtype.arguments and isinstance(dtype.arguments[0], str)):
        raise LoadError("an array without a numpy type")
    state = dtype.state
    big = isinstance(state, tuple) and len(state) > 1 and state[1] == ">"
    return dtype.arguments[0], ">" if big else "<"


def _bytes(value: Any) -> bytes:
    if _is(value, "_codecs.encode") and value.arguments[1:] == ("latin1",):  # protocol 2
        return str(value.arguments[0]).encode("latin1")
    if _is(value, "builtins.bytearray", "__builtin__.bytearray") and len(value.arguments) == 1:
        return _bytes(value.arguments[0])
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    raise LoadError("an array without data")


def _elements(name: str, order: str, raw: Any) -> list[Any]:
    data = _bytes(raw)
    if name in _CODES:
        code = _CODES[name]
        size = struct.calcsize("<" + code)
        if len(data) % size:
            raise LoadError("an array of a broken length")
        return list(struct.unpack(f"{order}{len(data) // size}{code}", data))
    if re.fullmatch(r"U[1-9]\d{0,5}", name):
        step = 4 * int(name[1:])
        codec = "utf-32-be" if order == ">" else "utf-32-le"
        return [data[i : i + step].decode(codec).rstrip("\0") for i in range(0, len(data), step)]
    raise LoadError(f"an array of type {name}")


def is_array(value: Any) -> bool:
    """Whether the record is a numpy array."""
    return _is(value, "multiarray._reconstruct", "numeric._frombuffer")


def array(value: Any) -> tuple[tuple[int, ...], list[Any]]:
    """(shape, elements in C order) of a pickled array. Raises LoadError."""
    if _is(value, "multiarray._reconstruct") and isinstance(value.state, tuple) and len(value.state) == 5:
        _, shape, dtype, fortran, raw = value.state
        name, order = _type_and_order(dtype)
        objects = name in ("O8", "O4", "O") and isinstance(raw, list)
        flat = list(raw) if objects else _elements(name, order, raw)
    elif _is(value, "numeric._frombuffer") and len(value.arguments) == 4:
        raw, dtype, shape, layout = value.arguments
        fortran = layout == "F"
        flat = _elements(*_type_and_order(dtype), raw)
    else:
        raise LoadError("an array of an unknown layout")
    if not (isinstance(shape, tuple) and all(isinstance(n, int) and n >= 0 for n in shape)):
        raise LoadError("an array without a shape")
    if math.prod(shape) != len(flat):
        raise LoadError("an array whose shape and length disagree")
    if fortran and len(shape) > 2:
        raise LoadError("a column-major array of more than two dimensions")
    if fortran and len(shape) == 2:
        rows, columns = shape
        flat = [flat[j * rows + i] for i in range(rows) for j in range(columns)]
    return shape, flat


def unbox(value: Any) -> Any:
    """A numpy scalar as a Python one; anything else unchanged."""
    if _is(value, "multiarray.scalar") and len(value.arguments) == 2:
        return _elements(*_type_and_order(value.arguments[0]), value.arguments[1])[0]
    return value


def _arrow_chunk(chunk: Any) -> list[str]:
    kind, length, _nulls, offset, buffers, *_ = chunk.arguments[0]
    width = _ARROW_WIDTHS.get(kind.arguments[0])
    if width is None:
        raise LoadError(f"an Arrow column of type {str(kind.arguments[0])[:40]}")
    if buffers[0] is not None:
        raise LoadError("an Arrow column with missing values")
    if not 0 <= length <= MAX_ELEMENTS:
        raise LoadError("an Arrow column of an absurd length")
    offsets, text = (b"" if b is None else _bytes(b.arguments[0]) for b in buffers[1:3])
    part = offsets[width * offset : width * (offset + length + 1)]
    ends = struct.unpack(f"<{length + 1}{'q' if width == 8 else 'i'}", part)
    return [text[a:b].decode("utf-8") for a, b in itertools.pairwise(ends)]


def _strings(value: Any) -> list[Any]:
    if _is(value, "__pyx_unpickle_NDArrayBacked"):
        inner = [x for x in value.state if _is(x, "multiarray._reconstruct")]
        return array(inner[0])[1]
    if _is(value, "ArrowStringArray", "ArrowStringArrayNumpySemantics"):
        column = value.state["_pa_array"]
        chunks = column.arguments[0] if column.path.endswith("chunked_array") else [column]
        return [text for chunk in chunks for text in _arrow_chunk(chunk)]
    raise LoadError("a column of an unknown type")


def _column(value: Any) -> list[Any]:
    return array(value)[1] if is_array(value) else _strings(value)


def _index(value: Any) -> list[Any]:
    if not _is(value, "_new_Index"):
        raise LoadError("a pandas index of an unknown layout")
    content = value.arguments[1]
    if "start" in content:
        numbers = range(content["start"], content["stop"], content["step"])
        if len(numbers) > MAX_ELEMENTS:
            raise LoadError("a pandas index of an absurd length")
        return list(numbers)
    return _column(content["data"])


def _rows(values: Any, count: int) -> list[list[Any]]:
    """The columns that one block holds, each a list of `count` values."""
    if not is_array(values):
        return [_strings(values)]
    shape, flat = array(values)
    if len(shape) != 2:
        return [flat]
    return [flat[i * count : (i + 1) * count] for i in range(shape[0])]


def frame(value: Any, wanted: frozenset[str]) -> dict[str, list[Any]]:
    """The wanted columns of a pickled DataFrame (pandas 1.3 and newer). Raises LoadError."""
    manager = value.state["_mgr"]
    if not _is(manager, "BlockManager") or len(manager.arguments) != 2:
        raise LoadError("a pandas frame of an unknown layout (pandas before 1.3?)")
    blocks, (columns_index, rows_index) = manager.arguments
    columns, count = _index(columns_index), len(_index(rows_index))
    found: dict[str, list[Any]] = {}
    for block in blocks:
        values, place = block.arguments[0], block.arguments[1]
        where = list(range(*place.arguments))[:1000] if _is(place, "slice") else array(place)[1]
        names = [columns[w] for w in where]
        if not wanted.intersection(n for n in names if isinstance(n, str)):
            continue
        for name, column in zip(names, _rows(values, count), strict=True):
            if name in wanted:
                if len(column) != count:
                    raise LoadError(f"the column {name!r} has {len(column)} values for {count} rows")
                found[name] = column
    return found
