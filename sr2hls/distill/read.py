"""A file of measured or simulated bodies (npz, CSV, parquet) → `Trajectories`, and back to npz. Bad data is one line.

npz: `positions` (runs, times, bodies, axes), or (times, bodies, axes) for one run; `dt`, a number, or `times` (times,);
and if they are there `velocities` and `accelerations` of the same shape, `edges` (e, 2) with a sender and a receiver in
each row, `softening`, `units` (k, 2) with the texts of a quantity and its unit in each row. Every other array is a
scalar of the bodies, (runs, bodies) or (bodies,): `m` is the mass, `q` the charge.

CSV, parquet, and npz without `positions`: one row for each body at each time, in any order, with the columns `time`,
`body` (a number), `x`, `y`, if there is one `z`, and if they are there `run`, `vx`, ..., `ax`, ...; every other column
is a scalar of the bodies, the same at all times of a run.

What is missing is derived by central differences, of the positions for both, or of the velocities that are there; the
first and the last time of each run are then left out, and `notes` says so. Their error falls with dt squared.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sr2hls.distill.trajectories import AXES, Floats, Ints, Trajectories, check
from sr2hls.errors import LoadError, OutputError
from sr2hls.load.data import Columns, read_columns
from sr2hls.search.words import check_column, unit

MAX_BYTES = 4 << 30  # of all arrays of an archive, unpacked
JITTER = 0.01  # of a time from the regular grid, in steps
_KEYS = ("positions", "velocities", "accelerations", "dt", "times", "edges", "softening", "units")
_DAMAGED = (ValueError, KeyError, EOFError, OSError, RuntimeError, zipfile.BadZipFile, zlib.error, struct.error)
_INDEX = "__index_level_"
_COLUMNS = ("run", "time", "body", *(f"{kind}{axis}" for kind in ("", "v", "a") for axis in AXES))


def read(path: str | Path) -> Trajectories:
    """The trajectories in a file, see above.

    Raises:
        LoadError: in one line, for a file that cannot be read, shapes that do not fit, steps of time that are not
            equal, bodies that come and go, or numbers that are not finite. ToolError: parquet without pyarrow.
    """
    path = Path(path)
    arrays = path.suffix.lower() == ".npz" and _has_positions(path)
    columns = {} if arrays else _columns(path)
    try:
        return check(_of_arrays(_arrays(path), path.stem) if arrays else _of_table(columns, path.stem))
    except LoadError as error:
        raise LoadError(f"{path.name}: {error}") from None


def write_npz(trajectories: Trajectories, path: str | Path) -> None:
    """Writes what `read` reads back, number for number (not the notes). Raises OutputError."""
    path = Path(path)
    if path.suffix.lower() != ".npz":
        raise OutputError(f"{path.name}: name the file of trajectories with .npz at the end")
    given: dict[str, Any] = {
        "positions": trajectories.positions,
        "velocities": trajectories.velocities,
        "accelerations": trajectories.accelerations,
        "dt": np.float64(trajectories.dt),
        "softening": np.float64(trajectories.softening),
        **trajectories.scalars,
    }
    if trajectories.edges is not None:
        given["edges"] = trajectories.edges
    if trajectories.units:
        given["units"] = np.array(list(trajectories.units.items()))
    try:
        with path.open("wb") as file:
            np.savez_compressed(file, **given)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror})") from None


# ---- arrays


def _has_positions(path: Path) -> bool:
    """Whether it is an archive with that array; if not, the reader of tables says what is wrong."""
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            return "positions.npy" in archive.namelist()
    except _DAMAGED:
        return False


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of an archive, plain numbers and texts only. Raises LoadError."""
    try:
        with path.open("rb") as file:
            with zipfile.ZipFile(file) as archive:
                size = sum(item.file_size for item in archive.infolist())
            if size <= MAX_BYTES:
                file.seek(0)
                with np.load(file, allow_pickle=False) as loaded:  # with pickles allowed, a file could run anything
                    return {name: loaded[name] for name in loaded.files}
    except (*_DAMAGED, MemoryError) as error:
        why = "it holds Python objects" if "allow_pickle" in str(error) else str(error).split("\n", 1)[0]
        raise LoadError(f"not a NumPy file of plain numbers ({why})") from None
    raise LoadError(f"more than {MAX_BYTES >> 30} GiB unpacked")


def _of_arrays(arrays: Mapping[str, NDArray[Any]], name: str) -> Trajectories:
    positions = _floats(arrays, "positions")
    single = positions.ndim == 3
    if single:
        positions = positions[None]
    if positions.ndim != 4 or 0 in positions.shape:
        raise LoadError(f"positions have the shape {arrays['positions'].shape}; (runs, times, bodies, axes) is needed")
    given = {}
    for key in ("velocities", "accelerations"):
        if key in arrays:
            values = _floats(arrays, key)
            given[key] = values[None] if single and values.ndim == 3 else values
            if given[key].shape != positions.shape:
                raise LoadError(f"{key} have the shape {values.shape}, positions {arrays['positions'].shape}")
    runs, times, bodies, _ = positions.shape
    scalars = {}
    for key in arrays:
        if key not in _KEYS:
            values = _floats(arrays, key)
            if values.shape not in ((bodies,), (runs, bodies)):
                raise LoadError(
                    f"'{key}' has the shape {values.shape}; a scalar of the bodies has {(runs, bodies)} or {(bodies,)}"
                )
            scalars[_scalar_name(key)] = np.broadcast_to(values, (runs, bodies)).copy()
    softening = float(_number(arrays, "softening")) if "softening" in arrays else 0.0
    if softening < 0:
        raise LoadError(f"softening is {softening:g}; it is not below zero")
    return _complete(
        positions, given, scalars, _step(arrays, times), name, _edges(arrays, bodies), softening, _units(arrays)
    )


def _floats(arrays: Mapping[str, NDArray[Any]], key: str) -> Floats:
    if arrays[key].dtype.kind not in "biuf":
        raise LoadError(f"'{key}' holds {str(arrays[key].dtype)[:40]}, not numbers")
    return np.ascontiguousarray(arrays[key], dtype=np.float64)


def _number(arrays: Mapping[str, NDArray[Any]], key: str) -> float:
    values = _floats(arrays, key)
    if values.size != 1 or not np.isfinite(values).all():
        raise LoadError(f"'{key}' has the shape {arrays[key].shape}; it is one finite number")
    return float(values.reshape(()))


def _step(arrays: Mapping[str, NDArray[Any]], times: int) -> float:
    if "dt" in arrays:
        step = _number(arrays, "dt")
    elif "times" in arrays:
        grid = _floats(arrays, "times")
        if grid.shape != (times,):
            raise LoadError(f"'times' has the shape {grid.shape}; positions have {times} times")
        step = _regular(grid[None], lambda run: "")
    else:
        raise LoadError("the time between two rows is not there; add it as 'dt'")
    if step <= 0:
        raise LoadError(f"dt is {step:g}; a number above zero is needed")
    return step


def _edges(arrays: Mapping[str, NDArray[Any]], bodies: int) -> Ints | None:
    if "edges" not in arrays:
        return None
    edges = arrays["edges"]
    if edges.dtype.kind not in "iu" or edges.ndim != 2 or edges.shape[1] != 2 or len(edges) == 0:
        raise LoadError(
            f"'edges' has the shape {edges.shape}; (edges, 2) whole numbers are needed, sender and receiver"
        )
    if (edges < 0).any() or (edges >= bodies).any():
        raise LoadError(f"'edges' names a body outside of 0 to {bodies - 1}")
    found = edges.astype(np.int64)
    if (found[:, 0] == found[:, 1]).any():
        raise LoadError("'edges' joins a body with itself")
    if len(np.unique(found, axis=0)) < len(found):
        raise LoadError("'edges' names an edge twice")
    return found


def _units(arrays: Mapping[str, NDArray[Any]]) -> dict[str, str]:
    if "units" not in arrays:
        return {}
    texts = arrays["units"]
    if texts.dtype.kind != "U" or texts.ndim != 2 or texts.shape[1] != 2:
        raise LoadError("'units' is not a list of (quantity, unit) texts")
    return {str(quantity): unit(str(text), str(quantity)) for quantity, text in texts}


# ---- tables


def _columns(path: Path) -> Columns:
    """All columns but the row numbers that pandas adds to a parquet file."""
    try:
        return {name: column for name, column in read_columns(path).items() if not name.startswith(_INDEX)}
    except _DAMAGED as error:  # archives can be damaged in more ways than its reader knows
        raise LoadError(f"{path.name}: damaged ({str(error).splitlines()[0]})") from None


def _of_table(columns: Columns, name: str) -> Trajectories:
    missing = [column for column in ("time", "body", "x") if column not in columns]
    if missing:
        raise LoadError(
            f"there is no column '{missing[0]}'; a table of bodies has time, body, x, y and so on "
            f"(it has: {', '.join(columns)[:200]})"
        )
    run = columns.get("run", np.zeros(len(columns["time"])))
    order = np.lexsort((columns["body"], columns["time"], run))
    run, time, body = run[order], columns["time"][order], columns["body"][order]
    bodies = np.unique(body)
    shape = _grid(run, time, body, bodies)
    axes = [axis for axis in AXES if axis in columns]
    if axes != list(AXES[: len(axes)]):
        raise LoadError(f"the positions have the columns {', '.join(axes)}: '{AXES[len(axes) - 1]}' is missing")

    def vectors(kind: str) -> Floats | None:
        there = [f"{kind}{axis}" for axis in AXES if f"{kind}{axis}" in columns]
        wanted = [f"{kind}{axis}" for axis in axes]
        if there and there != wanted:
            raise LoadError(f"the columns {', '.join(there)} are there, but {', '.join(wanted)} are needed")
        return np.stack([columns[column][order] for column in wanted], axis=-1).reshape(*shape, -1) if there else None

    found = {"positions": vectors(""), "velocities": vectors("v"), "accelerations": vectors("a")}
    labels = run.reshape(shape)[:, 0, 0]
    scalars = {}
    for column in columns:
        if column not in _COLUMNS:
            values = columns[column][order].reshape(shape)
            if moving := np.argwhere(values != values[:, :1]).tolist():
                at, _, who = moving[0]
                raise LoadError(
                    f"column '{column}' changes with time (run {labels[at]:g}, body {bodies[who]:g}); a scalar of the "
                    "bodies is constant: leave the column out"
                )
            scalars[_scalar_name(column)] = values[:, 0].copy()
    step = _regular(time.reshape(shape)[..., 0], lambda at: f"run {labels[at]:g}: " if "run" in columns else "")
    given = {key: values for key, values in found.items() if values is not None}
    return _complete(given.pop("positions"), given, scalars, step, name)


def _grid(run: Floats, time: Floats, body: Floats, bodies: Floats) -> tuple[int, int, int]:
    """(runs, times, bodies) of sorted rows, if each body has one row at each time and runs are equally long."""
    new = np.flatnonzero((np.diff(run) != 0) | (np.diff(time) != 0)) + 1
    begin = np.concatenate([[0], new])
    count = np.diff([*begin, len(run)])
    if (odd := np.flatnonzero(count != len(bodies))).size:
        at = begin[odd[0]]
        raise LoadError(
            f"run {run[at]:g} has {count[odd[0]]} rows at time {time[at]:g}, and there are {len(bodies)} bodies; "
            "each has one row at each time"
        )
    if (odd := np.flatnonzero(body != np.tile(bodies, len(begin)))).size:
        at = odd[0]
        raise LoadError(f"run {run[at]:g} has body {body[at]:g} twice at time {time[at]:g}, and another one not at all")
    runs, times = np.unique(run[begin], return_counts=True)
    if (odd := np.flatnonzero(times != times[0])).size:
        raise LoadError(
            f"run {runs[odd[0]]:g} has {times[odd[0]]} times, run {runs[0]:g} has {times[0]}; make them equally long"
        )
    return len(runs), int(times[0]), len(bodies)


# ---- both


def _scalar_name(name: str) -> str:
    if name in (*_COLUMNS, *_KEYS) or name in (f"d{axis}" for axis in AXES) or name == "r":
        raise LoadError(f"a scalar of the bodies cannot have the name '{name}'; rename it")
    return check_column(name)


def _regular(times: Floats, where: Callable[[int], str]) -> float:
    """The step of times (runs, t) that are equally spaced. Raises LoadError."""
    if not np.isfinite(times).all():
        raise LoadError("a time is not a finite number")
    count = times.shape[1]
    if count == 1:
        return 1.0
    step: float = (float(times[0, -1]) - float(times[0, 0])) / (count - 1)
    off = np.abs(times - times[:, :1] - step * np.arange(count))
    if step <= 0 or (off > JITTER * abs(step)).any():
        run, row = (0, 1) if step <= 0 else np.argwhere(off > JITTER * step)[0].tolist()
        raise LoadError(
            f"{where(run)}the times are not equally spaced (at {times[run, row]:g}; the step is {step:g}): "
            "interpolate them to equal steps first"
        )
    return step


def _complete(
    positions: Floats,
    given: Mapping[str, Floats],
    scalars: Mapping[str, Floats],
    dt: float,
    name: str,
    edges: Ints | None = None,
    softening: float = 0.0,
    units: Mapping[str, str] | None = None,
) -> Trajectories:
    """With velocities and accelerations, derived where they were not given."""
    rest = (dt, name, edges, softening, units or {})
    velocities, accelerations = given.get("velocities"), given.get("accelerations")
    if velocities is not None and accelerations is not None:
        return Trajectories(positions, velocities, accelerations, scalars, *rest)
    missing = [what for what in ("velocities", "accelerations") if what not in given]
    if positions.shape[1] < 3:
        raise LoadError(f"{' and '.join(missing)} are not there; to derive them, 3 times are needed at least")
    source = "positions" if velocities is None else "velocities"
    inner = slice(1, -1)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # `check` says where a number is not finite
        if accelerations is not None:
            accelerations = accelerations[:, inner]
        elif velocities is not None:
            accelerations = _slope(velocities, dt)
        else:
            accelerations = (positions[:, 2:] - 2 * positions[:, 1:-1] + positions[:, :-2]) / dt**2
        velocities = _slope(positions, dt) if velocities is None else velocities[:, inner]
    note = f"{' and '.join(missing)}: central differences of the {source}; first and last time of each run left out"
    return Trajectories(positions[:, inner], velocities, accelerations, scalars, *rest, (note,))


def _slope(values: Floats, dt: float) -> Floats:
    slope: Floats = (values[:, 2:] - values[:, :-2]) / (2 * dt)
    return slope
