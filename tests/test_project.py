"""The folder of a design: complete, of one digest, written whole or not at all; altered files are refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import sr2hls
from sr2hls.api import Design, bench_vectors, staged_project
from sr2hls.check.measure import measured_errors
from sr2hls.check.simulate import read_files
from sr2hls.check.vectors import input_vectors
from sr2hls.emit.design_json import short_digest, stated_digest
from sr2hls.emit.project import emulator_path, project_files, verilog_path
from sr2hls.emit.summary import promise, rounded_up
from sr2hls.errors import LoadError, MismatchError, OutputError
from sr2hls.report.data import read_report, report_data
from sr2hls.report.folder import check_destination, design_in, is_ours


@pytest.fixture(scope="module")
def design() -> Design:
    return sr2hls.compile("x0*sin(x1) + 0.3", inputs="fixed<8,3>", ranges={"x1": (-3.0, 3.0)}, name="wave")


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_every_file_is_there_and_states_the_digest(design: Design) -> None:
    files = project_files(design, bench_vectors(design))
    assert set(files) == {
        "README.md",
        "design.json",
        "certificate.json",
        "verilog/wave.v",
        "cpp/wave.h",
        "hls/wave.h",
        "hls/wave.cpp",
        "hls/wave_test.cpp",
        "hls/wave_vectors.txt",
        "hls/build_prj.tcl",
        "hls/Makefile",
        "vivado/vivado_synth.tcl",
        "vivado/wave_ooc.xdc",
        "sim/run.py",
        "sim/test_design.py",
        "sim/vectors.json",
    }
    digest = short_digest(design)
    for name, text in files.items():
        if name in ("sim/run.py", "sim/test_design.py"):  # the same for every design
            continue
        if name.endswith(".json"):
            assert json.loads(text)["digest"].startswith(digest), name
        else:
            assert stated_digest(text) == digest, name
        assert text.endswith("\n"), name


def test_the_readme_says_what_is_promised(design: Design) -> None:
    text = project_files(design, bench_vectors(design))["README.md"]
    assert promise(design, design.certificate.outputs[0]) in text
    assert "for all 2^16 inputs" in text
    assert "| `x1` | input | `fixed<8,3>` | -3 to 3 |" in text
    for path in (verilog_path(design), emulator_path(design), "hls/", "vivado/", "sim/"):
        assert f"`{path}`" in text


@pytest.mark.parametrize("value", [0.0, 1e-300, 0.00039584351391942324, 0.0001, 0.9999999, 1.0, 123456.7, 1e22 + 1e7])
def test_bounds_are_never_printed_below_themselves(value: float) -> None:
    from fractions import Fraction

    shown = Fraction(rounded_up(value))
    assert shown >= Fraction(value)
    assert shown <= Fraction(value) * Fraction(102, 100)


def test_saved_and_read_back(design: Design, tmp_path: Path) -> None:
    folder = design.save(tmp_path / "out")
    assert files_below(folder) == {*project_files(design, bench_vectors(design)), "report.json"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]  # no temporary folder is left
    again = Design.read(folder)
    assert short_digest(again) == short_digest(design)
    x = {"x0": np.linspace(-5, 5, 50), "x1": np.linspace(3.5, -3.5, 50)}
    np.testing.assert_array_equal(again.predict(x), design.predict(x))
    read_files(again, folder)


def test_a_failing_check_leaves_nothing(design: Design, tmp_path: Path) -> None:
    with pytest.raises(MismatchError), staged_project(design, tmp_path / "sub" / "out"):
        raise MismatchError("no")
    assert not list((tmp_path / "sub").iterdir())


def test_ours_is_replaced_and_other_files_stay(design: Design, tmp_path: Path) -> None:
    folder = design.save(tmp_path / "out")
    (folder / "verilog" / "old_name.v").write_text("stale", encoding="utf-8")
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    assert is_ours(folder)
    design.save(folder)
    assert not (folder / "verilog" / "old_name.v").exists()
    assert (folder / "notes.txt").read_text(encoding="utf-8") == "mine"


def test_foreign_folders_are_refused(design: Design, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "design.json").write_text('{"schema": "something else"}', encoding="utf-8")
    with pytest.raises(OutputError, match="holds other files"):
        design.save(tmp_path)
    assert files_below(tmp_path) == {"notes.txt", "design.json"}
    design.save(tmp_path, force=True)
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "mine"
    assert is_ours(tmp_path)


def test_a_file_in_the_way(design: Design, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    for place in ("file", "file/below", "file/far/below"):
        with pytest.raises(OutputError, match="-o"):
            check_destination(tmp_path / place)
        with pytest.raises(OutputError, match="-o"):
            design.save(tmp_path / place)
    assert files_below(tmp_path) == {"file"}


def test_altered_files_are_refused(design: Design, tmp_path: Path) -> None:
    folder = design.save(tmp_path / "out")
    module = folder / verilog_path(design)
    text = module.read_text(encoding="utf-8")
    other = sr2hls.compile("x0*cos(x1)", inputs="fixed<8,3>", name="wave").save(tmp_path / "other")
    module.write_text((other / verilog_path(design)).read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(MismatchError, match="is of another design"):
        sr2hls.simulate(folder)
    module.write_text(text.replace("sr2hls-digest", "digest"), encoding="utf-8")
    with pytest.raises(MismatchError, match="digest none"):
        sr2hls.simulate(folder)
    module.unlink()
    with pytest.raises(LoadError, match="cannot be read"):
        sr2hls.simulate(folder)
    (folder / "design.json").write_text(
        (folder / "design.json").read_text(encoding="utf-8").replace('"stages": ', '"stages": 1', 1), encoding="utf-8"
    )
    with pytest.raises(MismatchError, match="digest"):
        design_in(folder)


def test_a_changed_table_entry_is_found_by_simulation(design: Design, tmp_path: Path) -> None:
    """The digest line is left alone: the files on disk are what is simulated."""
    folder = design.save(tmp_path / "out")
    header = folder / emulator_path(design)
    text = header.read_text(encoding="utf-8")
    start = text.index("] = {") + len("] = {")
    entry = text[start:].split(",", 1)[0].strip()
    header.write_text(text[:start] + text[start:].replace(entry, str(int(entry) ^ 4096), 1), encoding="utf-8")
    with pytest.raises(MismatchError, match="cpp disagrees on design 'wave'"):
        sr2hls.simulate(folder)
    assert read_report(design, folder)["simulation"] is None


def test_simulation_of_a_folder(design: Design, tmp_path: Path) -> None:
    folder = design.save(tmp_path / "out")
    told: list[float] = []
    evidence = sr2hls.simulate(folder, samples=50, tell=lambda _, done: told.append(done))
    engines = {engine.engine: engine for engine in evidence.engines}
    assert set(engines) == {
        "python",
        "cpp",
        "verilator",
        "cxxrtl",
        "icarus",
        "hls",
        "cocotb-verilator",
        "cocotb-icarus",
    }
    for name, engine in engines.items():
        if engine.status != "equal":
            assert "icarus" in name
            assert engine.status == "not installed"
    assert evidence.vectors == engines["verilator"].vectors == 1 << 16
    assert engines["verilator"].latency == engines["cxxrtl"].latency == design.latency
    (error,) = evidence.errors
    assert error.method == "exhaustive"
    assert error.points == 1 << 16
    assert 0 < error.measured <= error.proven
    assert told == sorted(told)
    assert told[-1] == 1.0
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["simulation"]["errors"][0]["measured"] == error.measured


def test_the_measured_error_is_the_true_one(design: Design) -> None:
    """Against math, over all inputs, clamped as declared."""
    (found,) = measured_errors(design, {})
    codes = np.arange(-128, 128) / 32
    x0, x1 = np.meshgrid(codes, codes, indexing="ij")
    hardware = design.predict({"x0": x0.ravel(), "x1": x1.ravel()})
    truth = x0.ravel() * np.sin(np.clip(x1.ravel(), -3, 3)) + 0.3
    assert found.measured == pytest.approx(np.abs(hardware - truth).max(), abs=1e-11)


def test_an_error_above_the_bound_is_reported(design: Design) -> None:
    from dataclasses import replace

    entry = design.certificate.outputs[0]
    lying = replace(design, certificate=replace(design.certificate, outputs=(replace(entry, bound=1e-6),)))
    with pytest.raises(MismatchError, match="above the proven 1e-06"):
        measured_errors(lying, input_vectors(design, 10))


def test_samples_are_said_to_be_samples() -> None:
    wide = sr2hls.compile("x0 + 0.1*x1", inputs="fixed<16,4>")
    (found,) = measured_errors(wide, input_vectors(wide, 200))
    assert found.method == "sampled"
    assert 200 <= found.points < 1000


def test_points_in_a_band_are_left_out_and_counted() -> None:
    jump = sr2hls.compile("greater(x0, 0.3*x1)", inputs="fixed<8,3>")
    (found,) = measured_errors(jump, {})
    if jump.certificate.outputs[0].bands:
        assert 0 < found.in_bands < 1000
    assert found.points + found.in_bands == 1 << 16
    assert found.measured == 0


def test_the_report_is_of_the_design(design: Design, tmp_path: Path) -> None:
    folder = design.save(tmp_path / "out")
    report = read_report(design, folder)
    assert report["latency_cycles"] == design.latency
    assert report["outputs"][0]["error_proven"] == design.certificate.outputs[0].bound
    (folder / "report.json").write_text("damaged", encoding="utf-8")
    assert read_report(design, folder) == report_data(design)
    (folder / "report.json").write_text(
        json.dumps(report | {"digest": "0" * 16, "simulation": {"engines": []}}), encoding="utf-8"
    )
    assert read_report(design, folder)["simulation"] is None
