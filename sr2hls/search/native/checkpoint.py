"""`World` → a file and back: arrays only (npz without pickles), written beside its place and moved there."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from sr2hls.errors import LoadError
from sr2hls.search.native.evolve import Island
from sr2hls.search.native.islands import World, benches

VERSION = 2
FILE = "checkpoint.npz"


def fingerprint(*parts: Any) -> str:
    """What a checkpoint belongs to: a digest of arrays and of plain values."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(str((part.dtype, part.shape)).encode())
            digest.update(np.ascontiguousarray(part).tobytes())
        else:
            digest.update(json.dumps(part, sort_keys=True, default=str).encode())
    return digest.hexdigest()


def write_checkpoint(path: Path, world: World, belongs: str) -> None:
    """Write the world. Raises OSError where the place cannot be written."""
    arrays: dict[str, Any] = {
        "head": np.array([VERSION, world.round, world.evaluations, int(world.planted), len(world.islands)]),
        "belongs": np.frombuffer(belongs.encode(), np.uint8),
    }
    for q, i in enumerate([*world.islands, world.hall]):
        arrays |= {f"{q}.{name}": value for name, value in i._asdict().items()}
    beside = path.with_name(path.name + ".tmp")
    with beside.open("wb") as file:
        np.savez(file, **arrays)
    beside.replace(path)


def read_checkpoint(path: Path, belongs: str, inputs: int, rows: int) -> World:
    """The world of a checkpoint. Raises LoadError for a damaged file, or one of another search."""
    try:
        with np.load(path, allow_pickle=False) as file:
            data = {name: file[name] for name in file.files}
        head = [int(x) for x in data["head"]]
        found = bytes(data["belongs"]).decode("ascii", "replace")
        if head[0] != VERSION:
            raise LoadError(f"{path}: a checkpoint of version {head[0]}, not {VERSION}")
        if found != belongs:
            raise LoadError(
                f"{path}: the checkpoint of another search (data or settings differ); choose another folder"
            )
        every = [Island(**{name: data[f"{q}.{name}"] for name in Island._fields}) for q in range(head[4] + 1)]
    except (OSError, ValueError, KeyError, IndexError, BadZipFile) as error:
        raise LoadError(f"{path}: no checkpoint of a search ({error})") from None
    world = World(every[:-1], every[-1], head[1], head[2], bool(head[3]))
    world.benches = benches(inputs, rows, len(world.islands))
    return world
