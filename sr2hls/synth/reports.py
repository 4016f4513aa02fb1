"""Reports of Vivado HLS, Vitis HLS and Vivado → numbers.

Formats followed: `TOP_csynth.xml` of Vivado HLS 2018.2–2020.1 and Vitis HLS 2020.2–2024.1 (their element names
differ for DSPs and for missing estimates); `report_utilization` of Vivado 2018–2024, whose tables say `Slice` on 7
series and `CLB` on UltraScale+; `report_timing_summary` of the same; the cosimulation table `TOP_cosim.rpt`.
The tools were not run here: these are the layouts of reports that others have published.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sr2hls.errors import LoadError

_BYTES = 64_000_000  # no report of one circuit is longer


@dataclass(frozen=True, slots=True)
class HlsReport:
    """C synthesis estimates. Latency in cycles, None where the tool gives none ("undef", "?"); clocks in ns."""

    tool: str
    part: str
    top: str
    clock_target_ns: float
    clock_estimated_ns: float
    latency_best: int | None
    latency_worst: int | None
    interval_min: int | None
    interval_max: int | None
    lut: int
    ff: int
    dsp: int
    bram18: int
    uram: int


@dataclass(frozen=True, slots=True)
class UtilizationReport:
    """What `report_utilization` counts. BRAM in units of 36 kbit, so halves occur."""

    tool: str
    part: str
    state: str  # "Synthesized", "Routed", ...
    lut: int
    lut_logic: int
    lut_memory: int
    ff: int
    carry: int
    bram36: float
    uram: int
    dsp: int


@dataclass(frozen=True, slots=True)
class TimingReport:
    """What `report_timing_summary` says, ns. Slacks are None in a design without such paths ("NA")."""

    tool: str
    part: str
    state: str
    clock: str
    period_ns: float | None
    wns_ns: float | None
    tns_ns: float | None
    whs_ns: float | None
    ths_ns: float | None
    met: bool

    @property
    def fmax_mhz(self) -> float | None:
        """1000 / (period - WNS), MHz."""
        if self.period_ns is None or self.wns_ns is None:
            return None
        return 1000 / (self.period_ns - self.wns_ns)


@dataclass(frozen=True, slots=True)
class CosimReport:
    """One row of the cosimulation table; cycles."""

    rtl: str
    status: str
    latency_min: int
    latency_avg: float
    latency_max: int
    interval_min: int
    interval_avg: float
    interval_max: int


def parse_csynth_xml(path: Path) -> dict[str, Any]:
    """`syn/report/TOP_csynth.xml` → the fields of `HlsReport`. Raises LoadError: missing or of another layout."""
    return asdict(hls_report(_text(path)))


def parse_utilization(path: Path) -> dict[str, Any]:
    """`report_utilization -file` → the fields of `UtilizationReport`. Raises LoadError: missing or another layout."""
    return asdict(utilization_report(_text(path)))


def parse_timing_summary(path: Path) -> dict[str, Any]:
    """`report_timing_summary -file` → the fields of `TimingReport` and `fmax_mhz`.

    Raises LoadError: missing or of another layout.
    """
    report = timing_report(_text(path))
    return {**asdict(report), "fmax_mhz": report.fmax_mhz}


def parse_cosim(path: Path) -> dict[str, Any]:
    """`sim/report/TOP_cosim.rpt` → the fields of `CosimReport`. Raises LoadError: missing, or nothing was simulated."""
    return asdict(cosim_report(_text(path)))


def hls_report(text: str) -> HlsReport:
    """The estimates in the text of a csynth.xml. Raises LoadError."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:  # no report has one; entities could expand without end
        raise LoadError("a csynth.xml has no document type")
    try:
        root = ET.fromstring(text)  # noqa: S314 - without entities the standard parser is safe
    except ET.ParseError as error:
        raise LoadError(f"not XML: {error}") from None
    resources = root.find("AreaEstimates/Resources")
    if root.tag != "profile" or resources is None:
        raise LoadError("no C synthesis report (csynth.xml) of Vivado HLS or Vitis HLS")
    latency = "PerformanceEstimates/SummaryOfOverallLatency"
    dsp = resources.findtext("DSP") or resources.findtext("DSP48E") or "0"
    version = root.findtext("ReportVersion/Version", "").strip()
    return HlsReport(
        tool=f"{_product(version)} {version}".strip(),
        part=root.findtext("UserAssignments/Part", "").strip(),
        top=root.findtext("UserAssignments/TopModelName", "").strip(),
        clock_target_ns=_float(_need(root, "UserAssignments/TargetClockPeriod")),
        clock_estimated_ns=_float(_need(root, "PerformanceEstimates/SummaryOfTimingAnalysis/EstimatedClockPeriod")),
        latency_best=_cycles(_need(root, f"{latency}/Best-caseLatency")),
        latency_worst=_cycles(_need(root, f"{latency}/Worst-caseLatency")),
        interval_min=_cycles(_need(root, f"{latency}/Interval-min")),
        interval_max=_cycles(_need(root, f"{latency}/Interval-max")),
        lut=_int(resources.findtext("LUT", "0")),
        ff=_int(resources.findtext("FF", "0")),
        dsp=_int(dsp),
        bram18=_int(resources.findtext("BRAM_18K", "0")),
        uram=_int(resources.findtext("URAM", "0")),
    )


def utilization_report(text: str) -> UtilizationReport:
    """The counts in the text of a utilization report. Raises LoadError."""
    rows = _rows(text)

    def used(*names: str) -> str:
        return next((rows[name] for name in names if name in rows), "0")

    if not {"CLB LUTs", "Slice LUTs"} & rows.keys():
        raise LoadError("no utilization report of Vivado: the row 'CLB LUTs' or 'Slice LUTs' is missing")
    return UtilizationReport(
        tool=_header(text, "Tool Version"),
        part=_header(text, "Device"),
        state=_header(text, "Design State"),
        lut=_int(used("CLB LUTs", "Slice LUTs")),
        lut_logic=_int(used("LUT as Logic")),
        lut_memory=_int(used("LUT as Memory")),
        ff=_int(used("CLB Registers", "Slice Registers")),
        carry=_int(used("CARRY8", "CARRY4")),
        bram36=_float(used("Block RAM Tile")),
        uram=_int(used("URAM")),
        dsp=_int(used("DSPs", "DSP Slices")),
    )


def timing_report(text: str) -> TimingReport:
    """The slacks in the text of a timing summary. Raises LoadError."""
    summary = _below(text, r"WNS\(ns\)\s+TNS\(ns\)\s+TNS Failing Endpoints")
    if summary is None or len(summary) < 8:
        raise LoadError("no timing summary of Vivado: the table with 'WNS(ns)' is missing")
    clock = re.search(r"^(\S+)\s+\{[\d. -]+\}\s+([\d.]+)\s+[\d.]+\s*$", text, re.MULTILINE)
    slacks = [_slack(summary[i]) for i in (0, 1, 4, 5)]
    violated = "Timing constraints are not met" in text
    return TimingReport(
        tool=_header(text, "Tool Version"),
        part=_header(text, "Device"),
        state=_header(text, "Design State"),
        clock=clock[1] if clock else "",
        period_ns=_float(clock[2]) if clock else None,
        wns_ns=slacks[0],
        tns_ns=slacks[1],
        whs_ns=slacks[2],
        ths_ns=slacks[3],
        met=not violated and slacks[0] is not None and all(slack is None or slack >= 0 for slack in slacks),
    )


def cosim_report(text: str) -> CosimReport:
    """The row of the simulated language in the text of a cosimulation report. Raises LoadError."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) >= 8 and cells[0] in ("VHDL", "Verilog") and cells[1] != "NA":
            numbers = cells[2:8]
            return CosimReport(
                cells[0],
                cells[1],
                _int(numbers[0]),
                _float(numbers[1]),
                _int(numbers[2]),
                _int(numbers[3]),
                _float(numbers[4]),
                _int(numbers[5]),
            )
    raise LoadError("no cosimulation report, or nothing was simulated")


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _BYTES:
            raise LoadError(f"{path.name}: too long for a report of one circuit")
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise LoadError(f"{path}: {error.strerror or error}") from None


def _rows(text: str) -> dict[str, str]:
    """First cell → second cell of every table row; of equal names the first, which is the total."""
    rows: dict[str, str] = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.lstrip().startswith("|") and len(cells) >= 2:
            rows.setdefault(cells[0].rstrip("*").strip(), cells[1])
    return rows


def _header(text: str, key: str) -> str:
    """A field of the box at the top, such as `| Tool Version : Vivado v.2020.1 (lin64) Build ...`."""
    found = re.search(rf"^\|\s*{key}\s*:\s*(.*?)\s*$", text, re.MULTILINE)
    if found is None:
        return ""
    version = re.search(r"Vivado v\.\S+", found[1])
    return version[0] if key == "Tool Version" and version else found[1]


def _below(text: str, pattern: str) -> list[str] | None:
    """The cells of the line two below the one with the pattern: title, rule, numbers."""
    lines = text.splitlines()
    for index, line in enumerate(lines):
        if re.search(pattern, line) and index + 2 < len(lines):
            return lines[index + 2].split()
    return None


def _product(version: str) -> str:
    year = re.match(r"(\d{4})\.(\d)", version)
    if year is None:
        return ""
    return "Vivado HLS" if (int(year[1]), int(year[2])) < (2020, 2) else "Vitis HLS"


def _need(root: ET.Element, path: str) -> str:
    found = root.findtext(path)
    if found is None:
        raise LoadError(f"no C synthesis report: {path} is missing")
    return found.strip()


def _cycles(text: str) -> int | None:
    return None if text in ("undef", "?", "-", "") else _int(text)


def _slack(text: str) -> float | None:
    return None if text in ("NA", "inf") else _float(text)


def _int(text: str) -> int:
    try:
        return int(text.strip())
    except ValueError:
        raise LoadError(f"'{text:.40}' stands where a whole number should") from None


def _float(text: str) -> float:
    try:
        return float(text.strip().lstrip("<"))
    except ValueError:
        raise LoadError(f"'{text:.40}' stands where a number should") from None
