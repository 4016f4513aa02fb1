"""Parsers of vendor reports on files in the real layouts (tests/vendor_reports/README.md): fields and damage."""

from __future__ import annotations

from pathlib import Path

import pytest

from sr2hls.errors import LoadError
from sr2hls.synth.reports import (
    cosim_report,
    hls_report,
    parse_cosim,
    parse_csynth_xml,
    parse_timing_summary,
    parse_utilization,
    timing_report,
    utilization_report,
)

FOLDER = Path(__file__).parent / "vendor_reports"


def test_csynth_of_vitis() -> None:
    assert parse_csynth_xml(FOLDER / "vitis_2023_csynth.xml") == {
        "tool": "Vitis HLS 2023.2",
        "part": "xcvu9p-flga2577-2-e",
        "top": "golden",
        "clock_target_ns": 5.0,
        "clock_estimated_ns": 3.412,
        "latency_best": 4,
        "latency_worst": 4,
        "interval_min": 1,
        "interval_max": 1,
        "lut": 412,
        "ff": 187,
        "dsp": 2,
        "bram18": 1,
        "uram": 0,
    }


def test_csynth_of_vivado_hls_with_an_unknown_latency() -> None:
    report = parse_csynth_xml(FOLDER / "vivado_hls_2019_csynth.xml")
    assert report["tool"] == "Vivado HLS 2019.2"
    assert (report["dsp"], report["lut"], report["ff"]) == (3, 300, 90)
    assert report["latency_best"] is report["latency_worst"] is report["interval_max"] is None


def test_utilization() -> None:
    assert parse_utilization(FOLDER / "utilization_us.rpt") == {
        "tool": "Vivado v.2020.1",
        "part": "xcvu9pflga2577-2",
        "state": "Routed",
        "lut": 412,
        "lut_logic": 400,
        "lut_memory": 12,
        "ff": 187,
        "carry": 21,
        "bram36": 0.5,
        "uram": 0,
        "dsp": 2,
    }
    old = parse_utilization(FOLDER / "utilization_7.rpt")
    assert (old["lut"], old["ff"], old["carry"], old["bram36"], old["dsp"]) == (300, 90, 25, 1.0, 3)
    assert old["state"] == "Synthesized"


def test_timing() -> None:
    met = parse_timing_summary(FOLDER / "timing_met.rpt")
    assert met == {
        "tool": "Vivado v.2021.2",
        "part": "xcvu9p-flga2577",
        "state": "Routed",
        "clock": "clk",
        "period_ns": 5.0,
        "wns_ns": 1.875,
        "tns_ns": 0.0,
        "whs_ns": 0.031,
        "ths_ns": 0.0,
        "met": True,
        "fmax_mhz": 320.0,
    }
    violated = parse_timing_summary(FOLDER / "timing_violated.rpt")
    assert (violated["wns_ns"], violated["tns_ns"], violated["met"]) == (-0.412, -3.95, False)
    assert violated["fmax_mhz"] == pytest.approx(1000 / 5.412)


def test_timing_of_a_design_without_registers() -> None:
    text = (FOLDER / "timing_met.rpt").read_text().replace("1.875 ", "   NA ").replace("0.031 ", "   NA ")
    report = timing_report(text)
    assert (report.wns_ns, report.whs_ns, report.met, report.fmax_mhz) == (None, None, False, None)


def test_a_hold_violation_alone_is_a_violation() -> None:
    text = (FOLDER / "timing_met.rpt").read_text().replace(" 0.031", "-0.010")
    assert timing_report(text).met is False


def test_cosimulation() -> None:
    assert parse_cosim(FOLDER / "cosim.rpt") == {
        "rtl": "Verilog",
        "status": "Pass",
        "latency_min": 4,
        "latency_avg": 4.0,
        "latency_max": 5,
        "interval_min": 1,
        "interval_avg": 1.0,
        "interval_max": 2,
    }
    with pytest.raises(LoadError, match="nothing was simulated"):
        cosim_report((FOLDER / "cosim.rpt").read_text().replace("Verilog|      Pass", "Verilog|        NA"))


@pytest.mark.parametrize("parse", [parse_csynth_xml, parse_utilization, parse_timing_summary, parse_cosim])
def test_missing_and_foreign_files(parse: object, tmp_path: Path) -> None:
    assert callable(parse)
    with pytest.raises(LoadError, match="No such file"):
        parse(tmp_path / "absent.rpt")
    for content in ("", "<profile/>", "<profile><a></profile>", "| CLB LUTs | x |", "hello\n" * 5):
        (tmp_path / "x.rpt").write_text(content)
        with pytest.raises(LoadError):
            parse(tmp_path / "x.rpt")


def test_damaged_numbers_and_entities() -> None:
    xml = (FOLDER / "vitis_2023_csynth.xml").read_text()
    for old, new in (("<LUT>412<", "<LUT>many<"), ("<Best-caseLatency>4<", "<Best-caseLatency>four<")):
        with pytest.raises(LoadError, match="stands where"):
            hls_report(xml.replace(old, new))
    with pytest.raises(LoadError, match="TargetClockPeriod is missing"):
        hls_report(xml.replace("TargetClockPeriod", "Other"))
    with pytest.raises(LoadError, match="document type"):
        hls_report('<!DOCTYPE profile [<!ENTITY a "aaa">]>' + xml)
    with pytest.raises(LoadError, match="stands where"):
        utilization_report((FOLDER / "utilization_us.rpt").read_text().replace("|  412 |", "|  4?2 |"))
