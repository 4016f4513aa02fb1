"""Files of bodies over time → trajectories; and one clear line for what is bad."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sr2hls.distill import read as module
from sr2hls.distill.graphs import graphs_of
from sr2hls.distill.read import read, write_npz
from sr2hls.distill.systems import simulate, system
from sr2hls.distill.trajectories import AXES, Trajectories
from sr2hls.errors import LoadError, OutputError

FIELDS = ("positions", "velocities", "accelerations")


def simulated(**more: Any) -> Trajectories:
    return simulate(system("r1"), **({"runs": 3, "times": 7, "bodies": 3, "dimension": 3} | more))


def table(given: Trajectories, kinds: str = "xva") -> pd.DataFrame:
    """A long table with the rows in random order."""
    k, t, n, d = given.shape
    run, row, body = (a.ravel() for a in np.indices((k, t, n)))
    columns: dict[str, Any] = {"run": run, "time": 5.0 + row * given.dt, "body": body + 10}
    for kind, name in zip("xva", FIELDS, strict=True):
        if kind in kinds:
            for at, axis in enumerate(AXES[:d]):
                columns[f"{'' if kind == 'x' else kind}{axis}"] = getattr(given, name)[..., at].ravel()
    columns |= {name: np.repeat(values[:, None], t, axis=1).ravel() for name, values in given.scalars.items()}
    return pd.DataFrame(columns).sample(frac=1, random_state=3)


def same(found: Trajectories, given: Trajectories) -> None:
    for name in FIELDS:
        assert np.array_equal(getattr(found, name), getattr(given, name))
    assert {n: v.tolist() for n, v in found.scalars.items()} == {n: v.tolist() for n, v in given.scalars.items()}


def save(folder: Path, **arrays: Any) -> Path:
    np.savez(folder / "bodies.npz", **arrays)
    return folder / "bodies.npz"


def bad(path: Path, words: str) -> None:
    with pytest.raises(LoadError, match=words) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(path.name)


# ---- what is read


def test_npz_is_read_back_number_for_number(tmp_path: Path) -> None:
    given = replace(
        simulate(system("string"), runs=2, times=4, bodies=5), units={"length": "m", "m": "kg"}, name="written"
    )
    write_npz(given, tmp_path / "written.npz")
    found = read(tmp_path / "written.npz")
    same(found, given)
    assert (found.dt, found.softening, found.units, found.name) == (given.dt, 0.01, given.units, "written")
    assert found.notes == ()
    assert np.array_equal(graphs_of(found).senders, graphs_of(given).senders)
    assert found.edges is not None


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_table_in_any_order_is_read(tmp_path: Path, suffix: str) -> None:
    given, path = simulated(), tmp_path / f"long.{suffix}"
    frame = table(given)
    frame.to_csv(path, index=False) if suffix == "csv" else frame.to_parquet(path)
    found = read(path)
    same(found, given)
    assert found.dt == pytest.approx(given.dt)
    assert (found.name, found.edges, found.softening, found.notes) == ("long", None, 0.0, ())


def test_one_run_in_two_dimensions(tmp_path: Path) -> None:
    given = simulated(runs=1, dimension=2)
    table(given).drop(columns=["run", "q"]).to_csv(tmp_path / "one.csv", index=False)
    found = read(tmp_path / "one.csv")
    same(found, replace(given, scalars={"m": given.scalars["m"]}))
    path = save(
        tmp_path, positions=given.positions[0], velocities=given.velocities[0], accelerations=given.accelerations[0],
        m=given.scalars["m"][0], q=given.scalars["q"], times=3 + given.dt * np.arange(7),
    )  # fmt: skip
    same(read(path), given)
    assert read(path).dt == pytest.approx(given.dt)


def test_columns_of_an_npz_are_a_table(tmp_path: Path) -> None:
    given = simulated()
    path = save(tmp_path, **{str(name): column.to_numpy() for name, column in table(given).items()})
    same(read(path), given)


# ---- what is derived


def errors_at(dt: float, kinds: tuple[str, ...], folder: Path) -> tuple[Trajectories, dict[str, float]]:
    """Largest error of each derived field at the time 0.4, from a spring."""
    given = simulate(system("spring"), runs=4, bodies=2, times=round(0.8 / dt) + 1, dt=dt)
    arrays = {name: getattr(given, name) for name in ("positions", *kinds)}
    found = read(save(folder, dt=given.dt, **arrays))
    at = round(0.4 / dt)
    return found, {
        name: float(np.abs(getattr(found, name)[:, at - 1] - getattr(given, name)[:, at]).max()) for name in FIELDS
    }


@pytest.mark.parametrize(
    ("given", "derived", "source"),
    [
        ((), ("velocities", "accelerations"), "positions"),
        (("velocities",), ("accelerations",), "velocities"),
        (("accelerations",), ("velocities",), "positions"),
    ],
)
def test_what_is_missing_is_derived_to_second_order(
    tmp_path: Path, given: tuple[str, ...], derived: tuple[str, ...], source: str
) -> None:
    found, coarse = errors_at(0.02, given, tmp_path)
    _, fine = errors_at(0.01, given, tmp_path)
    assert found.shape[1] == 39
    for name in FIELDS:
        if name in derived:
            assert 3.5 < coarse[name] / fine[name] < 4.5
        else:
            assert coarse[name] == 0
    assert found.notes == (
        f"{' and '.join(derived)}: central differences of the {source}; first and last time of each run left out",
    )


def test_two_times_are_too_few_to_derive(tmp_path: Path) -> None:
    given = simulated(times=2)
    bad(save(tmp_path, positions=given.positions, dt=0.1), "velocities and accelerations are not there; .* 3 times")
    table(given, "xv").to_csv(tmp_path / "t.csv", index=False)
    bad(tmp_path / "t.csv", "accelerations are not there")


# ---- what is refused


def arrays(**change: Any) -> dict[str, Any]:
    given = simulated(dimension=2)
    found = {name: getattr(given, name) for name in FIELDS} | {"m": given.scalars["m"], "dt": 0.1}
    return {name: value for name, value in (found | change).items() if value is not None}


POSITIONS = simulated(dimension=2).positions
HOLE = POSITIONS.copy()
HOLE[1, 2, 0, 1] = np.nan


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"dt": None}, "time between two rows is not there; add it as 'dt'"),
        ({"dt": 0.0}, "dt is 0"),
        ({"dt": np.inf}, "'dt' .* one finite number"),
        ({"dt": [0.1, 0.2]}, "'dt' has the shape"),
        ({"dt": None, "times": np.arange(6.0)}, r"'times' has the shape \(6,\); positions have 7"),
        ({"dt": None, "times": [0, 1, 2, 3, 4, 6, 7.0]}, "not equally spaced"),
        ({"dt": None, "times": np.arange(7.0)[::-1]}, "not equally spaced"),
        ({"dt": None, "times": np.full(7, np.nan)}, "a time is not a finite number"),
        ({"positions": np.zeros((2, 3))}, r"positions have the shape \(2, 3\)"),
        ({"positions": np.zeros((0, 7, 3, 2))}, "positions have the shape"),
        ({"positions": np.array(["a"])}, "'positions' holds <U1, not numbers"),
        ({"positions": POSITIONS.astype(complex)}, "'positions' holds complex128"),
        ({"positions": HOLE}, r"positions: row \(1, 2, 0, 1\) is not a finite number"),
        ({"velocities": np.zeros((3, 6, 3, 2))}, r"velocities have the shape \(3, 6, 3, 2\), positions \(3, 7, 3, 2\)"),
        ({"m": -np.ones((3, 3))}, "a mass 'm' is not above zero"),
        ({"m": np.ones(4)}, r"'m' has the shape \(4,\); a scalar of the bodies has \(3, 3\) or \(3,\)"),
        ({"q": np.full((3, 3), np.inf)}, r"'q': row \(0, 0\) is not a finite"),
        ({"vx": np.ones(3)}, "cannot have the name 'vx'"),
        ({"r": np.ones(3)}, "cannot have the name 'r'"),
        ({"the mass": np.ones(3)}, "is not a word"),
        ({"softening": -0.1}, "softening is -0.1"),
        ({"edges": [[0, 1], [1, 3]]}, "a body outside of 0 to 2"),
        ({"edges": [[0, 1], [2, 2]]}, "joins a body with itself"),
        ({"edges": [[0, 1], [0, 1]]}, "an edge twice"),
        ({"edges": [0, 1]}, r"'edges' has the shape \(2,\)"),
        ({"edges": [[0.5, 1]]}, "'edges'"),
        ({"units": [["m", "__import__('os')"]]}, "unit of 'm'"),
        ({"units": [1, 2]}, "'units' is not a list"),
    ],
)
def test_arrays_that_do_not_fit_are_one_line(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    bad(save(tmp_path, **arrays(**change)), words)


def test_one_body_alone(tmp_path: Path) -> None:
    bad(save(tmp_path, positions=POSITIONS[:, :, :1], dt=0.1), "one body: interactions need two")


def test_numbers_that_overflow_when_derived(tmp_path: Path) -> None:
    positions = POSITIONS.copy()
    positions[0, 3, 0, 0] = 1e300
    bad(save(tmp_path, positions=positions, dt=1e-200), "velocities: row .* is not a finite number")


Frame = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.drop(columns="time"), "there is no column 'time'"),
        (lambda f: f.drop(columns="body"), "there is no column 'body'"),
        (lambda f: f.drop(columns="x"), "there is no column 'x'"),
        (lambda f: f.drop(columns="y"), "columns x, z: 'y' is missing"),
        (lambda f: f.drop(columns="vy"), "vx, vz are there, but vx, vy, vz are needed"),
        (lambda f: f.drop(columns="z"), "the columns vx, vy, vz are there, but vx, vy are needed"),
        (lambda f: f[1:], "has 2 rows at time .*, and there are 3 bodies"),
        (lambda f: f.assign(body=f.body.where(f.index != 8, 11)), "run 0 has body 11 twice at time 5.01"),
        (lambda f: f[(f.run != 2) | (f.time < 5.02)], "run 2 has 4 times, run 0 has 7"),
        (lambda f: f.assign(time=np.where(f.run == 1, f.time**2, f.time)), "run 1: the times are not equally spaced"),
        (lambda f: f.assign(time=np.where(f.run == 1, 2 * f.time, f.time)), "run 1: the times are not equally spaced"),
        (lambda f: f.assign(q=f.time), r"column 'q' changes with time \(run 0, body 10\)"),
        (lambda f: f.assign(m=-f.m), "a mass 'm' is not above zero"),
        (lambda f: f.rename(columns={"q": "a b"}), "is not a word"),
        (lambda f: f.rename(columns={"q": "dx"}), "cannot have the name 'dx'"),
        (lambda f: f.assign(x=np.nan), "column 'x': an empty cell"),
        (lambda f: f.assign(x=np.inf), "column 'x' holds inf"),
        (lambda f: f.assign(x="=cmd()"), "the text '=cmd\\(\\)', not a number"),
        (lambda f: f[:0], "no rows"),
        (lambda f: f[f.body == 10], "one body"),
    ],
)
def test_tables_that_do_not_fit_are_one_line(tmp_path: Path, change: Frame, words: str) -> None:
    path = tmp_path / "long.csv"
    change(table(simulated())).to_csv(path, index=False)
    bad(path, words)


def test_a_little_jitter_of_the_times_is_none(tmp_path: Path) -> None:
    frame = table(simulated())
    frame.assign(time=frame.time.round(4)).to_csv(tmp_path / "t.csv", index=False)
    assert read(tmp_path / "t.csv").dt == pytest.approx(0.005, rel=1e-3)


class Evil:
    def __reduce__(self) -> Any:
        return (print, ("executed",))


def test_nothing_in_a_file_is_executed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad(save(tmp_path, **arrays(m=np.array([Evil(), Evil(), Evil()], dtype=object))), "holds Python objects")
    (tmp_path / "evil.npz").write_bytes(pickle.dumps(Evil()))
    bad(tmp_path / "evil.npz", "not a NumPy file")
    assert capsys.readouterr().out == ""


def test_damaged_archives_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = save(tmp_path, **arrays()).read_bytes()
    path = tmp_path / "cut.npz"
    for cut in (0, 10, len(whole) // 2, len(whole) - 10):
        path.write_bytes(whole[:cut])
        bad(path, "cut.npz")
    random = np.random.default_rng(0)
    for _ in range(60):
        spoiled = bytearray(whole)
        for at in random.integers(0, len(whole), 30):
            spoiled[at] = random.integers(256)
        path.write_bytes(bytes(spoiled))
        try:
            read(path)
        except LoadError as error:
            assert "\n" not in str(error)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("positions.npy", b"\x93NUMPY\x01\x00\x0a\x00__import__")
    bad(path, "not a NumPy file")
    monkeypatch.setattr(module, "MAX_BYTES", 1000)
    bad(save(tmp_path, **arrays()), "GiB unpacked")


def test_other_files(tmp_path: Path) -> None:
    (tmp_path / "a.xyz").write_text("1")
    bad(tmp_path / "a.xyz", "a data file ends in")
    for name in ("no.csv", "no.npz"):
        with pytest.raises(LoadError, match="cannot be read"):
            read(tmp_path / name)
    np.save(tmp_path / "a.npy", np.ones((3, 3)))
    bad(tmp_path / "a.npy", "there is no column 'time'")


def test_what_cannot_be_written(tmp_path: Path) -> None:
    given = simulated()
    with pytest.raises(OutputError, match=r"with \.npz at the end"):
        write_npz(given, tmp_path / "a.csv")
    with pytest.raises(OutputError, match="cannot be written"):
        write_npz(given, tmp_path / "no" / "a.npz")
