"""Data files → columns, and columns → formats and ranges; damaged files are refused in one line."""

from __future__ import annotations

import contextlib
import pickle
import random
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sr2hls.errors import FormatError, LoadError, ToolError
from sr2hls.formats import Format
from sr2hls.load.data import columns_of, read_columns
from sr2hls.quantize.from_data import codes_of, format_for, words_from_data
from sr2hls.values import to_codes, to_values


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "a,b\n1,2.5\n-3,4e-1\n"),
        ("a.csv", "\ufeffa, b\r\n1, 2.5\r\n\r\n-3, 0.4\r\n"),
        ("a.csv", 'a;b\n1;2.5\n"-3";0.4\n'),
        ("a.tsv", "a\tb\n1\t2.5\n-3\t0.4\n"),
    ],
)
def test_csv(tmp_path: Path, name: str, text: str) -> None:
    columns = read_columns(write(tmp_path, name, text))
    assert list(columns) == ["a", "b"]
    assert columns["a"].dtype == np.float64
    np.testing.assert_array_equal(columns["a"], [1, -3])
    np.testing.assert_array_equal(columns["b"], [2.5, 0.4])


def test_csv_without_names_is_positional(tmp_path: Path) -> None:
    columns = read_columns(write(tmp_path, "a.csv", "1,2\n3,4\n"))
    np.testing.assert_array_equal(columns["x1"], [2, 4])


def test_only_the_wanted_columns_must_be_numbers(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "id,x0,note\nabc,1,\ndef,2,nan\n")
    assert list(read_columns(path, ["x0"])) == ["x0"]
    with pytest.raises(LoadError, match=r"line 2, column 'id': the text 'abc', not a number"):
        read_columns(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("\n\n", "the file is empty"),
        ("a,b\n", "no rows"),
        ("a,b\n1,2\n3\n", "line 3 has 1 cells, not 2"),
        ("a,b\n1,\n", "line 2, column 'b': an empty cell"),
        ("a,b\n1,2\n\n1,two\n", "line 4, column 'b': the text 'two'"),
        ("a,b\n1,nan\n", "column 'b' holds nan in row 1"),
        ("a,b\n1,2\n1,-inf\n", "column 'b' holds -inf in row 2"),
        ("a,a\n1,2\n", "same name"),
    ],
)
def test_damaged_csv(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(LoadError, match=message) as caught:
        read_columns(write(tmp_path, "bad.csv", text))
    assert str(caught.value).startswith("bad.csv: ")
    assert "\n" not in str(caught.value)


def test_a_missing_column_names_those_there(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "pt,eta\n1,2\n")
    with pytest.raises(LoadError, match=r"a\.csv: there is no column 'phi'; the columns are: pt, eta"):
        read_columns(path, ["pt", "phi"])


def test_npz(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", a=np.array([1, 2], dtype=np.int32), b=np.array([0.5, 0.25], dtype=np.float32))
    np.testing.assert_array_equal(read_columns(tmp_path / "a.npz")["b"], [0.5, 0.25])
    matrix = np.arange(6.0).reshape(2, 3)
    np.savez_compressed(tmp_path / "x.npz", X=matrix, y=np.zeros(2))
    assert list(read_columns(tmp_path / "x.npz")) == ["x0", "x1", "x2", "y"]
    np.save(tmp_path / "x.npy", matrix)
    np.testing.assert_array_equal(read_columns(tmp_path / "x.npy", ["x2"])["x2"], [2, 5])


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (Path(Bomb.path),))  # type: ignore[attr-defined]


def test_npz_with_objects_is_not_unpickled(tmp_path: Path) -> None:
    Bomb.path = str(tmp_path / "executed")  # type: ignore[attr-defined]
    np.savez(tmp_path / "a.npz", a=np.array([Bomb()], dtype=object))
    (tmp_path / "b.npz").write_bytes(pickle.dumps(Bomb()))
    (tmp_path / "c.npz").write_bytes(b"PK\x03\x04 cut short")
    for name in ("a.npz", "b.npz", "c.npz"):
        with pytest.raises(LoadError, match="not a NumPy file of plain numbers"):
            read_columns(tmp_path / name)
    assert not (tmp_path / "executed").exists()


def test_damaged_npz_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, X=np.arange(40.0).reshape(20, 2))
    stored = path.read_bytes()
    np.savez_compressed(path, X=np.arange(40.0).reshape(20, 2))
    rng = random.Random(7)
    for whole in [stored, path.read_bytes()] * 150:
        data = bytearray(whole)
        for _ in range(rng.randint(1, 3)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        path.write_bytes(data)
        with contextlib.suppress(LoadError):
            read_columns(path)
    for at in (whole.index(b"PK\x01\x02") + 10, 8):  # another method of compression: in the directory, in the entry
        data = bytearray(whole)
        data[at] = 99
        path.write_bytes(data)
        with contextlib.suppress(LoadError):
            read_columns(path)
    data[whole.index(b"PK\x01\x02") + 10] = 99
    path.write_bytes(data)
    with pytest.raises(LoadError, match=r"^a\.npz: not a NumPy file of plain numbers \(.+\)$"):
        read_columns(path)


def test_npz_of_texts_or_unequal_lengths(tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", a=np.array(["x", "y"]))
    with pytest.raises(LoadError, match="not numbers"):
        read_columns(tmp_path / "t.npz")
    np.savez(tmp_path / "u.npz", a=np.zeros(2), b=np.zeros(3))
    with pytest.raises(LoadError, match="different lengths: a 2, b 3"):
        read_columns(tmp_path / "u.npz")


def test_parquet(tmp_path: Path) -> None:
    import pyarrow as arrow  # of the dev extra
    from pyarrow import parquet

    table = arrow.table({"pt": [1.0, 2.0], "n": [3, 4], "hole": [1.0, None], "name": ["a", "b"]})
    parquet.write_table(table, tmp_path / "a.parquet")
    np.testing.assert_array_equal(read_columns(tmp_path / "a.parquet", ["n", "pt"])["n"], [3, 4])
    with pytest.raises(LoadError, match="column 'hole' has 1 empty cells"):
        read_columns(tmp_path / "a.parquet", ["hole"])
    with pytest.raises(LoadError, match="the columns are: pt, n, hole, name"):
        read_columns(tmp_path / "a.parquet", ["eta"])
    (tmp_path / "b.parquet").write_bytes(b"nonsense")
    with pytest.raises(LoadError, match="not a parquet file"):
        read_columns(tmp_path / "b.parquet")


def test_parquet_without_pyarrow_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ToolError, match=r"sr2hls\[data\]"):
        read_columns(tmp_path / "a.parquet")


def test_other_paths(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="cannot be read"):
        read_columns(tmp_path / "none.csv")
    with pytest.raises(LoadError, match="a data file ends in one of"):
        read_columns(write(tmp_path, "a.xlsx", "x"))
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(LoadError, match="cannot be read"):
        read_columns(tmp_path / "b.csv")
    with pytest.raises(LoadError, match="a folder"):
        read_columns(tmp_path)


def test_columns_from_python() -> None:
    import pandas  # of the dev extra

    frame = pandas.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    np.testing.assert_array_equal(columns_of(frame, ["a"])["a"], [1, 2])
    np.testing.assert_array_equal(columns_of(np.ones((3, 2)))["x1"], [1, 1, 1])
    with pytest.raises(LoadError, match="no column 'c'"):
        columns_of({"a": [1.0]}, ["c"])
    with pytest.raises(LoadError, match="two"):
        columns_of(np.ones(3))


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (-4, 3.99, "fixed<12,3>"),
        (-4, 4, "fixed<12,4>"),
        (0, 1, "ufixed<12,1>"),
        (0, 0.99, "ufixed<12,0>"),
        (0, 0.99999, "ufixed<12,1>"),  # its code would be rounded outward to 1
        (0, 0, "ufixed<12,0>"),
        (-1e-3, 1e-3, "fixed<12,-8>"),
        (1000, 1001, "ufixed<12,10>"),
    ],
)
def test_format_for(low: float, high: float, expected: str) -> None:
    assert str(format_for(low, high)) == expected.replace(
        "ufixed<12,0>", "ufixed<12,1>" if low == high else "ufixed<12,0>"
    )


@given(
    st.floats(-1e9, 1e9, allow_subnormal=False),
    st.floats(-1e9, 1e9, allow_subnormal=False),
    st.sampled_from([4, 12, 18]),
)
def test_format_for_is_the_finest_that_holds(a: float, b: float, width: int) -> None:
    low, high = min(a, b), max(a, b)
    fmt = format_for(low, high, width)
    assert fmt.width == width
    assert fmt.signed == (low < 0)
    assert fmt.holds(*codes_of(fmt, low, high))
    finer = Format(fmt.signed, width, fmt.fraction + 1)
    if max(abs(low), abs(high)) >= 2.0**-60:
        assert not finer.holds(*codes_of(finer, low, high))


def test_ranges_are_rounded_outward() -> None:
    (fmt, (low, high)) = words_from_data({"x": np.array([-0.3, 0.7])})["x"]
    assert low <= -0.3 < 0.7 <= high
    assert Fraction(low) / fmt.ulp % 1 == 0
    assert high - 0.7 < float(fmt.ulp)


def test_an_infinite_range_is_refused() -> None:
    with pytest.raises(FormatError, match="not finite"):
        format_for(0, float("inf"))


def test_values_to_codes_and_back() -> None:
    fmt = Format.parse("fixed<8,4>")
    values = [0.03125, -0.03125, 0.1, 7.96, 100, -100, float("inf"), -0.0]
    assert to_codes(fmt, values).tolist() == [1, 0, 2, 127, 127, -128, 127, 0]
    np.testing.assert_array_equal(to_values(fmt, [1, -128]), [0.0625, -8])
    with pytest.raises(FormatError, match="NaN"):
        to_codes(fmt, [float("nan")])
    widest = Format(True, 63, 0)
    assert to_codes(widest, [1e30, -1e30]).tolist() == [widest.greatest, widest.least]
    assert to_codes(Format(False, 63, 0), [1e30]).tolist() == [(1 << 63) - 1]


@given(st.integers(-2048, 2047))
def test_codes_are_unchanged_by_a_round_trip(code: int) -> None:
    fmt = Format.parse("fixed<12,4>")
    assert to_codes(fmt, to_values(fmt, [code])).tolist() == [code]
