"""Calibration: measurements that are kept, the file that is written, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from sr2hls.cli import main
from sr2hls.errors import LoadError, ToolError
from sr2hls.synth import calibrate
from sr2hls.synth.calibrate import MARGIN, Placed, calibrate_ecp5, heading, read_points
from sr2hls.synth.chains import CHAIN, DSP, LESS, chains, longest, saving
from sr2hls.synth.microbench import probes
from sr2hls.synth.nextpnr import PlaceAndRoute
from sr2hls.targets import load_target, target_file
from sr2hls.targets.model import parse_target
from sr2hls.targets.text import target_text

TARGET = load_target("ecp5-6")


class Tool:
    """Stands for place-and-route: what the shipped model says, plus 1 ns, in a device twice as large."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def __call__(self, text: str, top: str, *_: object, seeds: range, **__: object) -> PlaceAndRoute:
        self.calls.append(text)
        period = 2.0 + 0.001 * len(text)
        return PlaceAndRoute(
            fmax_mhz=(1000 / period,),
            median_mhz=1000 / period,
            seeds=tuple(seeds),
            utilization={"lut": 20, "dsp": 2 if "*" in text else 0},
            latency_ns=period,
            latency_cycles=1,
            harness="",
            critical_path=("0.5 clk-to-q a.Q", "1.0 routing b.D", "0.25 setup b.D"),
            device="device",
            tool="tool",
            version="1",
        )


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> Tool:
    made = Tool()
    monkeypatch.setattr(calibrate, "nextpnr_ecp5", made)
    monkeypatch.setattr(calibrate, "ThreadPoolExecutor", _Sequential)
    return made


class _Sequential(SimpleNamespace):
    def __enter__(self) -> _Sequential:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    map = staticmethod(map)


def test_the_new_target_says_where_its_numbers_come_from(tool: Tool) -> None:
    fitted, measured = calibrate_ecp5(TARGET, seeds=(1, 2))
    assert len(measured) == len(tool.calls) == len(probes(TARGET)) + len(chains())
    for law, found in (("net", fitted.net_ns), ("reset", fitted.logic_ns)):
        assert found == pytest.approx(MARGIN * max(m.delay_ns for m in measured if m.probe.law == law))
    assert f"delays x {MARGIN} for the longer nets" in fitted.chain_source
    assert "sr2hls calibrate" in fitted.costs.mask.source
    assert fitted.overhead_ns == 0.75
    assert "tool, 1, device, median of seeds 1/2, sr2hls calibrate" in fitted.costs.add.source
    assert fitted.costs.add != TARGET.costs.add
    assert parse_target(target_text(fitted, heading(fitted))).name == "ecp5-6"


def test_measurements_are_kept_and_not_repeated(tool: Tool, tmp_path: Path) -> None:
    path = tmp_path / "points.jsonl"
    told: list[Placed] = []
    first, _ = calibrate_ecp5(TARGET, seeds=(1,), tell=told.append)
    count = len(tool.calls)
    path.write_text("".join(item.line("ecp5-6") for item in told) + told[0].line("ecp5-5g-8") + '{"target": "ec')
    again = read_points(path, "ecp5-6")
    assert again == told
    assert calibrate_ecp5(TARGET, seeds=(1,), known=again[1:])[0] == first
    assert len(tool.calls) == count + 1
    calibrate_ecp5(TARGET, seeds=(1, 2), known=again)
    assert len(tool.calls) == 2 * count + 1  # other seeds are other measurements
    path.write_text('{"target": "ecp5-6", "color": "red"}\n')
    with pytest.raises(LoadError, match="no measurements of 'sr2hls calibrate --points'"):
        read_points(path, "ecp5-6")


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    return int(end.value.code or 0)


def test_the_command_writes_a_target_file(tool: Tool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shipped = target_file("ecp5-6").read_text()
    out, points = tmp_path / "new.toml", tmp_path / "points.jsonl"
    arguments = ("calibrate", "--target", "ecp5-6", "--out", str(out), "--points", str(points))
    assert run(*arguments) == 0
    text = capsys.readouterr().out
    assert re.search(r"add_8 +\d+\.\d\d ns measured; law before +\d+\.\d\d, now +\d+\.\d\d\n", text)
    assert parse_target(out.read_text()).overhead_ns == 0.75
    assert "Written by sr2hls calibrate" in out.read_text()
    first, calls = out.read_text(), len(tool.calls)
    assert run(*arguments) == 0
    assert (out.read_text(), len(tool.calls)) == (first, calls)  # all from the file
    assert target_file("ecp5-6").read_text() == shipped


def test_targets_that_nothing_measures_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("calibrate", "--target", "vu9p-2") == 2
    assert "no open tool that measures it" in capsys.readouterr().err
    assert run("calibrate", "--target", "vu10") == 2
    assert "is no target; choose one of" in capsys.readouterr().err


def test_missing_place_and_route_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sr2hls.synth.nextpnr.find_program", lambda _: None)
    with pytest.raises(ToolError, match="nextpnr-ecp5 is missing"):
        calibrate_ecp5(TARGET, seeds=(1,))


def test_what_a_chain_saves_behind_a_multiplier_or_a_comparison() -> None:
    """The least of all chains; for blocks, those with other logic in front do not count."""
    delays = []
    for probe in chains():
        total, fronts = longest(TARGET, probe.circuit)
        blocks, others = fronts.count(DSP), len(fronts) - fronts.count(DSP)
        delays.append((probe, total - 1.5 * blocks - 3.0 * others if probe.law == CHAIN else 0.5))
        if probe.name == "chain_mul_add":
            assert fronts == (DSP,)
            delays[-1] = (probe, total - 0.7)
        if probe.name == "chain_clamp":
            assert fronts == (LESS, "logic", LESS)
            delays[-1] = (probe, total - 2 * 0.6)
    assert saving(TARGET, delays, DSP) == pytest.approx(0.7)
    assert saving(TARGET, delays, LESS) == pytest.approx(0.6)
