"""Tasks → one JSON line each in a file: every task in a process of its own, finished ones skipped, failures kept."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

Record = dict[str, Any]
_SINGLE = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
_PACKAGE = Path(__file__).resolve().parent.parent / "sr2hls" / "search"


def read(out: Path, identity: Sequence[str]) -> dict[str, Record]:
    """The finished runs of a file by their identity; a later line replaces an earlier one."""
    found: dict[str, Record] = {}
    if out.is_file():
        for line in out.read_text(encoding="utf-8").splitlines():
            try:
                record = json.loads(line)
            except json.JSONDecodeError:
                continue  # the last line of a benchmark that was killed while it wrote
            found[key(record, identity)] = record
    return found


def key(record: Record, identity: Sequence[str]) -> str:
    """What tells runs apart."""
    return json.dumps([record.get(name) for name in identity])


def run_all(
    script: Path, tasks: Sequence[Record], out: Path, jobs: int, timeout: float, describe: Callable[[Record], str]
) -> list[Record]:
    """Run `script --task JSON` for every task that `out` has no result of; `jobs` at a time, each on one thread.

    The child prints its result, a JSON object, as the last line of its output. A run that failed is kept as a line
    with "error", counts as a run in the tables, and is tried again by the next call. Returns the records of all tasks.
    """
    identity = sorted(tasks[0])
    done = {k: r for k, r in read(out, identity).items() if "error" not in r}
    left = [task for task in tasks if key(task, identity) not in done]
    print(f"{len(tasks)} runs, {len(tasks) - len(left)} of them found in {out}", file=sys.stderr, flush=True)
    lock = threading.Lock()
    environment = {**os.environ, **dict.fromkeys(_SINGLE, "1")}
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.is_file() and out.stat().st_size and not out.read_bytes().endswith(b"\n"):
        with out.open("a", encoding="utf-8") as file:
            file.write("\n")  # a line that was cut short stays a line of its own

    def one(task: Record) -> None:
        begun, code = time.monotonic(), digest()
        command = [sys.executable, str(script), "--task", json.dumps(task)]
        try:
            run = subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=environment, check=False)
            result = json.loads(run.stdout.splitlines()[-1]) if run.returncode == 0 else _failure(run.stderr)
        except subprocess.TimeoutExpired:
            result = {"error": f"stopped after {timeout:g} s"}
        except (json.JSONDecodeError, IndexError):
            result = {"error": "the run printed no result"}
        record = {**task, **result, "wall": round(time.monotonic() - begun, 2), "code": code}
        with lock:
            done[key(task, identity)] = record
            with out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
            print(describe(record), file=sys.stderr, flush=True)

    with ThreadPoolExecutor(max(jobs, 1)) as pool:
        try:
            list(pool.map(one, left))
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            raise
    return [done[key(task, identity)] for task in tasks]


def _failure(text: str) -> Record:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("nanobind")]
    named = [line for line in lines if "Error" in line.split(":")[0]] or lines
    return {"error": named[-1][:300] if named else "the run ended without a word"}


def digest() -> str:
    """Tells versions of the engine and of the second stage apart."""
    total = hashlib.sha256()
    for room in ("native", "refine"):
        for path in sorted((_PACKAGE / room).glob("*.py")):
            total.update(path.read_bytes())
    return total.hexdigest()[:12]


def versions(*packages: str) -> str:
    """Python's, the machine's and the packages' versions in a line."""
    found = [f"Python {platform.python_version()}"]
    for name in packages:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} not installed")
    return ", ".join([*found, _processor(), f"{os.cpu_count()} cores"])


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def mixed(records: Sequence[Record]) -> str:
    """A sentence where the runs come from more than one version of the code, else nothing."""
    codes = sorted({str(record.get("code")) for record in records})
    return "" if len(codes) < 2 else f"CAUTION: runs of {len(codes)} versions of engine or second stage: {codes}"
