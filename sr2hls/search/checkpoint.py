"""A search → the folder that keeps its state while it runs, and the digest by which it is known again."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict
from pathlib import Path

from sr2hls.errors import LoadError, OutputError
from sr2hls.search.data import Prepared
from sr2hls.search.settings import Settings

JOB = "job.json"  # what the search was asked
STOP = "stop"  # its existence tells workers to stop


class Work:
    """The folder of a running search: state of each run, and a note of what was asked so that nothing is mixed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def open(cls, folder: Path, prepared: Prepared, settings: Settings, engine: str, seeds: int, resume: bool) -> Work:
        """Make the folder, or find it again. Raises LoadError (another search's, or none), OutputError."""
        digest = digest_of(prepared, settings, engine, seeds)
        note = folder / JOB
        try:
            if folder.exists() and not note.is_file():
                raise OutputError(f"{folder}: this is no checkpoint folder; it is in the way")
            if resume:
                if not note.is_file():
                    raise LoadError(f"{folder}: there is no checkpoint to resume from; start without --resume")
                if json.loads(note.read_text(encoding="utf-8")) != {"search": digest}:
                    raise LoadError(
                        f"{folder}: this checkpoint is of another search (other data or settings); start it without "
                        "--resume, or with the same options"
                    )
            else:
                cls(folder).remove()
                folder.mkdir(parents=True)
                note.write_text(json.dumps({"search": digest}), encoding="utf-8")
            (folder / STOP).unlink(missing_ok=True)
        except (OSError, ValueError) as error:
            raise OutputError(f"{folder}: cannot be used for checkpoints ({error})") from None
        return cls(folder)

    def remove(self) -> None:
        """Delete the folder if it is one of checkpoints."""
        if (self.folder / JOB).is_file():
            shutil.rmtree(self.folder, ignore_errors=True)


def digest_of(prepared: Prepared, settings: Settings, engine: str, seeds: int) -> str:
    """What makes two searches the same: data and settings, but for budget, time and threads."""
    free = {"budget", "seconds", "threads"}
    plain = {key: value for key, value in asdict(settings).items() if key not in free}
    sha = hashlib.sha256(json.dumps([plain, engine, seeds], sort_keys=True, default=str).encode())
    for task in prepared.tasks:
        sha.update(json.dumps([task.name, task.train.names, task.train.loss]).encode())
        for array in (task.train.X, task.train.y, task.train.weights):
            sha.update(b"" if array is None else array.tobytes())
    return sha.hexdigest()
