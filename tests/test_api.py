"""The Python interface: what it takes, and that `predict` is the hardware."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import sr2hls
from sr2hls.errors import DomainError, FormatError, LoadError, UnsupportedError
from sr2hls.formats import Format
from sr2hls.options import clock_ns, formats, max_error, name_of_source, ranges

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
QUICKSTART = EXAMPLES / "quickstart"


@pytest.fixture(scope="module")
def quickstart() -> sr2hls.Design:
    return sr2hls.compile(QUICKSTART / "model.pkl", data=QUICKSTART / "data.csv")


def test_a_checkpoint_with_its_data(quickstart: sr2hls.Design) -> None:
    assert quickstart.name == "quickstart"
    assert list(quickstart.input_formats) == ["pt", "met", "dphi"]
    data = np.genfromtxt(QUICKSTART / "data.csv", delimiter=",", names=True)
    y = quickstart.predict({name: data[name] for name in data.dtype.names})
    assert y.shape == (500,)
    quantized = {n: np.round(data[n] / float(f.ulp)) * float(f.ulp) for n, f in quickstart.input_formats.items()}
    truth = quantized["pt"] * quantized["met"] * (2.0003622 - np.cos(quantized["dphi"]) * 1.9997401)
    # the constants are those of float32; inputs at the very end of the data may round past it
    assert np.abs(y - truth).max() <= quickstart.certificate.outputs[0].bound + 1e-6


def test_predict_takes_arrays_frames_and_mappings(quickstart: sr2hls.Design) -> None:
    import pandas  # of the dev extra

    rows = np.array([[1.0, 1.5, 0.5], [0.3, 0.7, -3.0]])
    frame = pandas.DataFrame(rows, columns=["pt", "met", "dphi"])
    expected = quickstart.predict(rows)
    np.testing.assert_array_equal(quickstart.predict(frame), expected)
    np.testing.assert_array_equal(quickstart.predict(frame[["dphi", "met", "pt"]]), expected)
    np.testing.assert_array_equal(quickstart.predict({n: frame[n].tolist() for n in frame}), expected)
    with pytest.raises(LoadError, match=r"shape \(2, 2\), not \(n, 3\)"):
        quickstart.predict(rows[:, :2])
    with pytest.raises(LoadError, match="no column 'met'"):
        quickstart.predict(frame[["pt", "dphi"]])


def test_predict_rounds_and_saturates() -> None:
    design = sr2hls.compile("x0", inputs="fixed<6,3>", output="fixed<6,3>")
    found = design.predict(np.array([[0.0624], [0.0625], [-0.0625], [100.0], [-100.0]]))
    np.testing.assert_array_equal(found, [0, 0.125, 0, 3.875, -4])


def test_several_outputs_are_columns() -> None:
    design = sr2hls.compile("a = x0 + x3; b = x0 - x3", inputs="fixed<8,4>")
    rows = np.array([[1.0, 9, 9, 2.0], [3.0, 9, 9, -1.0]])  # columns by the number in the name
    np.testing.assert_array_equal(design.predict(rows), [[3, -1], [2, 4]])


def test_sympy_and_models() -> None:
    import sympy

    x = sympy.Symbol("x", real=True)
    design = sr2hls.compile(sympy.sin(x) / 2, inputs={"x": Format.parse("fixed<10,3>")}, output="fixed<12,1>")
    points = np.linspace(-4, 3.9, 100)
    quantized = np.floor(points * 128 + 0.5) / 128
    assert np.abs(design.predict({"x": points}) - np.sin(quantized) / 2).max() <= design.certificate.outputs[0].bound
    model = sr2hls.load("x0^2")
    assert sr2hls.compile(model, inputs="ufixed<6,0>").output_formats["y"].signed is False


def test_formats_and_ranges_from_data() -> None:
    data = {"x0": [0.5, 1.5], "x1": [-2.0, 1.0]}
    design = sr2hls.compile("x0*x1", data=data)
    assert {n: str(f) for n, f in design.input_formats.items()} == {"x0": "ufixed<12,1>", "x1": "fixed<12,2>"}
    assert design.certificate.domain == (("x0", 0.5, 1.5), ("x1", -2.0, 1.0))
    # what is given goes before the data
    design = sr2hls.compile("x0*x1", data=data, inputs={"x0": "fixed<9,3>"}, ranges={"x1": (-4, 3)}, width=8)
    assert {n: str(f) for n, f in design.input_formats.items()} == {"x0": "fixed<9,3>", "x1": "fixed<8,3>"}
    assert design.certificate.domain == (("x0", -4.0, 3.984375), ("x1", -4.0, 3.0))


def test_uniform_precision_takes_only_ranges_from_data() -> None:
    design = sr2hls.compile("sin(x0)*x1", data={"x0": [-1.0, 1.0], "x1": [0.0, 3.0]}, precision="ap_fixed<12,4>")
    assert {str(f) for f in (*design.input_formats.values(), *design.output_formats.values())} == {"fixed<12,4>"}
    assert design.certificate.domain == (("x0", -1.0, 1.0), ("x1", 0.0, 3.0))


def test_clamped_domain() -> None:
    with pytest.raises(DomainError, match="x0 = 0"):
        sr2hls.compile("1/x0", inputs="fixed<8,3>")
    design = sr2hls.compile("1/x0", inputs="fixed<8,3>", domain="clamp")
    assert "clamped" in design.certificate.notes[0]
    assert abs(design.predict([[0.0]])[0]) <= 32


def test_max_error_in_ulps() -> None:
    loose = sr2hls.compile("sin(x0)*x1", inputs="fixed<8,3>", output="fixed<12,4>", max_error="4ulp")
    assert loose.certificate.outputs[0].target == 4 / 256
    assert loose.certificate.outputs[0].bound <= 4 / 256
    absolute = sr2hls.compile("sin(x0)*x1", inputs="fixed<8,3>", max_error=0.01)
    assert absolute.certificate.outputs[0].bound <= 0.01
    with pytest.raises(FormatError, match=r"more than 0\.5ulp"):
        sr2hls.compile("sin(x0)*x1", inputs="fixed<8,3>", max_error="0.5ulp")


def test_timing_options() -> None:
    design = sr2hls.compile("x0*x1 + x2", inputs="fixed<8,3>", clock="100MHz", latency=5, registers="both")
    assert (design.latency, design.clock_ns) == (5, 10.0)
    assert design.register_inputs
    assert design.register_outputs


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "no number format for x0"),
        ({"inputs": {"x9": "fixed<8,3>"}}, "no input 'x9'"),
        ({"inputs": "float"}, "no number format"),
        ({"inputs": "fixed<8,3>", "output": {"z": "fixed<8,3>"}}, "no output 'z'"),
        ({"inputs": "fixed<8,3>", "target": "z80"}, "is no target"),
        ({"inputs": "fixed<8,3>", "registers": "everywhere"}, "registers can be at"),
        ({"inputs": "fixed<8,3>", "domain": "lax"}, "domain rule is"),
        ({"inputs": "fixed<8,3>", "latency": -1}, "makes no sense"),
        ({"inputs": "fixed<8,3>", "name": "a b"}, "no name for a design"),
        ({"inputs": "fixed<8,3>", "clock": "-5ns"}, "not a period"),
        ({"inputs": "fixed<8,3>", "clock": 0}, "not a period"),
        ({"inputs": "fixed<8,3>", "max_error": -1}, "must be positive"),
        ({"data": {"x0": [1.0]}, "width": 99}, "2 to 32 bits"),
    ],
)
def test_bad_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(FormatError, match=message) as caught:
        sr2hls.compile("x0^2", **options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_what_people_write() -> None:
    assert [clock_ns(t) for t in ("5ns", "200MHz", "0.2 GHz", "5000ps", 5, "5")] == [5.0] * 6
    assert max_error("2ulp") == (None, 2.0)
    assert max_error("1e-3") == (0.001, None)
    assert max_error(None) == (None, None)
    assert formats(["fixed<12,4>"], "--inputs", "") == {"*": Format.parse("fixed<12,4>")}
    assert set(formats(["a=fixed<12,4>,b=ufixed<8,0>", "c=int<3>"], "--inputs", "")) == {"a", "b", "c"}
    assert ranges(["x0=-pi:pi", "-1e-2:2"]) == {"x0": (-math.pi, math.pi), "*": (-0.01, 2.0)}
    for bad in (["x0="], ["=1:2"], ["1"], ["1:2:3"], ["a:b"], ["0:nan"], ["2:1"], ["x=0:1", "x=0:1"], [""]):
        with pytest.raises(FormatError, match="--range"):
            ranges(bad)


def test_names_of_sources(tmp_path: Path) -> None:
    assert name_of_source("x0 + 1") == "formula"
    assert name_of_source(QUICKSTART / "model.pkl") == "quickstart"
    assert name_of_source(str(QUICKSTART)) == "quickstart"
    (tmp_path / "20260101_run").mkdir()
    assert name_of_source(tmp_path / "20260101_run") == "run_20260101_run"
    (tmp_path / "my formula.txt").write_text("x0", encoding="utf-8")
    assert name_of_source(tmp_path / "my formula.txt") == "my_formula"
    assert name_of_source("a" * 5000) == "formula"


def test_hls4ml(tmp_path: Path) -> None:
    design = sr2hls.compile("x0*0.5 + x1", inputs="fixed<6,3>")
    model = design.to_hls4ml(tmp_path / "model")
    assert list(model.get_input_variables()[0].shape) == [1]


def test_unknown_objects() -> None:
    with pytest.raises(LoadError, match="cannot load a int"):
        sr2hls.compile(3)
    with pytest.raises(UnsupportedError):
        sr2hls.compile("erfinv(x0)", inputs="fixed<8,0>")


def test_the_package_names_what_it_has() -> None:
    for name in sr2hls.__all__:
        assert getattr(sr2hls, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'search_for_it'"):
        _ = sr2hls.search_for_it


def test_float64_noise_is_no_violation():
    design = sr2hls.compile("sin(exp(x))", inputs="ufixed<9,5>", output="fixed<16,2>")
    (measured,) = design.simulate(samples=100).errors
    assert measured.measured <= measured.proven
