"""hls4ml on its stock backends: predictions equal the interpreter bit for bit; build and report keep their contract."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import numpy as np
import pytest
from designs import make_design, random_design
from extreme_circuits import edge_codes
from test_emulator import golden_design

from sr2hls.builder import CircuitBuilder
from sr2hls.check import hls4ml_run
from sr2hls.design import Design
from sr2hls.emit.hls4ml_model import codes_to_values, model_names, predict_codes, to_hls4ml, values_to_codes
from sr2hls.errors import FormatError, ToolError, UnsupportedError
from sr2hls.formats import Format
from sr2hls.interpret import interpret

REPORTS = Path(__file__).parent / "vendor_reports"


def awkward_design() -> Design:
    """Seven inputs of all kinds of formats, three outputs, names that hls4ml uses itself."""
    b = CircuitBuilder()
    formats = {
        "input": Format(False, 8, 3),
        "class": Format(True, 8, 10),
        "x": Format(True, 5, -3),
        "x_t": Format(False, 9, 12),
        "result": Format(True, 9, 4),
        "nnet": Format(False, 1, 0),
        "circuit": Format(True, 7, 2),
    }
    made = [b.input(name, fmt) for name, fmt in formats.items()]
    table = b.lookup(made[5], (-3, 9), 2)
    y = b.add(b.mul(made[0], table), b.mul(made[1], made[2]))
    other = b.sub(made[3], b.select(b.less(made[4], made[1]), made[4], b.leading_zeros(made[0])))
    return make_design("model", b.build([("y", y), ("y_t", other), ("project", made[6])]))


def assert_equal(design: Design, inputs: dict, outputs: dict) -> None:
    expected = interpret(design.circuit, inputs)
    assert list(outputs) == list(expected)
    for name, codes in expected.items():
        np.testing.assert_array_equal(np.broadcast_to(codes, outputs[name].shape), outputs[name])


@pytest.mark.parametrize("backend", ["Vitis", "Vivado"])
def test_predictions_are_bit_equal(backend: hls4ml_run.Backend) -> None:
    designs = {"Vitis": [awkward_design()], "Vivado": [awkward_design(), random_design(0)]}
    for design in designs[backend]:
        inputs = edge_codes(design.circuit, 400, 1)
        result = hls4ml_run.run(design, inputs, backend)
        assert_equal(design, inputs, result.outputs)
        assert result.tool == f"hls4ml {backend}"


def test_one_sample_one_input_and_doubles_are_rounded_to_codes(tmp_path: Path) -> None:
    b = CircuitBuilder()
    x = b.input("x", Format(True, 6, 3))
    design = make_design("square", b.build([("y", b.mul(x, x))]))
    model = to_hls4ml(design, tmp_path / "model")
    model.compile()
    assert predict_codes(design, model, {"x": np.array([-5])})["y"].tolist() == [25]
    values = np.array([[0.0625], [-0.0625], [0.19], [99.0], [-99.0]])  # ties up, nearest, saturated
    codes = values_to_codes(design, model.predict(values))["y"]
    assert codes.tolist() == [1, 0, 4, 31 * 31, 32 * 32]


def test_names_of_ports() -> None:
    names = model_names(awkward_design())
    assert names["project"] == "project"
    assert len(set(names.values())) == len(names)
    assert not {"input", "class", "result", "nnet", "circuit"} & set(names.values())
    assert f"{names['x']}_t" not in names.values()
    assert f"{names['y']}_t" not in names.values()


def test_what_cannot_be_carried_is_refused(tmp_path: Path) -> None:
    b = CircuitBuilder()
    constant = make_design("fixed", b.build([("y", b.constant(5))]))
    with pytest.raises(UnsupportedError, match="has no inputs"):
        to_hls4ml(constant, tmp_path)
    with pytest.raises(UnsupportedError, match="choose Vivado or Vitis"):
        to_hls4ml(golden_design(), tmp_path, "Quartus")  # type: ignore[arg-type]
    with pytest.raises(UnsupportedError, match="io_parallel"):
        to_hls4ml(golden_design(), tmp_path, io_type="io_stream")
    wide = CircuitBuilder()
    x = wide.input("x", Format(True, 54, 3))
    design = make_design("wide", wide.build([("y", wide.slice(x, 3, 0))]))
    with pytest.raises(FormatError, match="54 bits"):
        codes_to_values(design, {"x": [1]})
    with pytest.raises(FormatError, match="no codes"):
        codes_to_values(golden_design(), {"x0": [1]})


def test_a_missing_hls4ml_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hls4ml.backends", None)
    with pytest.raises(ToolError, match="pip install"):
        to_hls4ml(golden_design(), tmp_path)


# A stand-in for the vendor tool: it copies report files to where Vitis HLS puts them and synthesizes nothing.
STAND_IN = """#!/bin/sh
mkdir -p golden_prj/solution1/syn/report
cat > golden_prj/hls.app <<END
<project xmlns="com.autoesl.autopilot.project" name="golden_prj" top="golden">
    <solutions><solution name="solution1" status="active"/></solutions>
</project>
END
cp "{reports}/vitis_2023_csynth.xml" golden_prj/solution1/syn/report/golden_csynth.xml
cp "{reports}/utilization_us.rpt" vivado_synth.rpt
echo stand-in > golden_prj/solution1/syn/report/golden_csynth.rpt
"""


def test_build_and_report_contract(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    tool = tmp_path / "bin" / "vitis-run"
    tool.parent.mkdir()
    tool.write_text(STAND_IN.format(reports=REPORTS))
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tool.parent}{os.pathsep}{os.environ['PATH']}")
    folder = tmp_path / "model"
    model = to_hls4ml(golden_design(), folder, part="xcvu9p-flga2577-2-e")
    model.write()
    report = model.build(csim=False)
    assert report["CSynthesisReport"]["BestLatency"] == "4"
    assert report["CSynthesisReport"]["LUT"] == "412"
    assert report["VivadoSynthReport"]["LUT"] == "412"
    from hls4ml.report import read_vivado_report

    capfd.readouterr()
    read_vivado_report(str(folder))
    assert 'Reports for solution "solution1"' in capfd.readouterr().out
    assert "xcvu9p-flga2577-2-e" in (folder / "project.tcl").read_text()
    assert "sr2hls_golden" in (folder / "firmware" / "golden.cpp").read_text()
