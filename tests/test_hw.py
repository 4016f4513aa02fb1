"""The hand-written RTL in hw/: lint clean, accepted by Yosys, and its cocotb bench at several latencies."""

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
SOURCES = ("sr2hls_delay.v", "sr2hls_axis.v", "test/echo_top.v")

RUN = (
    f"SOURCES = {SOURCES}"
    + """
import json, sys
from cocotb_tools.runner import get_results, get_runner
hw, build, sim, latency = sys.argv[1:]
runner = get_runner(sim)
runner.build(sources=[f"{hw}/{name}" for name in SOURCES], hdl_toplevel="echo_top", build_dir=build,
             parameters={"LATENCY": int(latency)}, timescale=("1ns", "1ps"), always=True)
results = runner.test(hdl_toplevel="echo_top", test_module="test_axis", build_dir=build, test_dir=build,
                      timescale=("1ns", "1ps"), extra_env={"AXIS_LATENCY": latency})
print(json.dumps(get_results(results)))
"""
)


@pytest.mark.parametrize("latency", [0, 1, 2, 7])
def test_lint_clean(latency: int) -> None:
    program = str(toolchain.verilator_root() / "bin" / "verilator")
    command = [program, "--lint-only", "-Wall", f"-GLATENCY={latency}", "--top-module", "echo_top", *SOURCES]
    toolchain.run_tool(command, HW, environment=toolchain.verilator_environment())


def test_yosys_accepts(tmp_path: Path) -> None:
    for name in SOURCES:
        (tmp_path / Path(name).name).write_text((HW / name).read_text())
    read = "\n".join(f"read_verilog {Path(name).name}" for name in SOURCES)
    toolchain.run_yosys(f"{read}\nsynth -top echo_top -noabc\ncheck -assert\n", tmp_path)


@pytest.mark.parametrize("latency", [0, 1, 5])
def test_axis_bench(latency: int, tmp_path: Path) -> None:
    # Verilator builds for half a minute; the hand-written shell is simulated with it only where Icarus is missing
    sim = "icarus" if icarus.available() else "verilator"
    environment = toolchain.verilator_environment() if sim == "verilator" else dict(os.environ)
    environment["PYTHONPATH"] = str(HW / "test")
    command = [sys.executable, "-c", RUN, str(HW), str(tmp_path), sim, str(latency)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    tests, failed = json.loads(done.stdout.splitlines()[-1])
    assert (tests, failed) == (3, 0), done.stdout
