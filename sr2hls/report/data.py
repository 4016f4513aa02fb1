"""Design, evidence and synthesis results → report.json, which `simulate`, `synth` and `prove` keep up to date."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sr2hls.check.simulate import Evidence
from sr2hls.design import Design
from sr2hls.emit.design_json import short_digest, software
from sr2hls.emit.summary import ports, promise, ranges
from sr2hls.report.folder import replace_text
from sr2hls.report.standing import standing
from sr2hls.synth.run import predicted

REPORT = "report.json"
_SCHEMA = "sr2hls-report"

Json = dict[str, Any]


def report_data(design: Design) -> Json:
    """The report of a design that was neither simulated nor synthesized yet."""
    return with_standing(_fresh(design))


def _fresh(design: Design) -> Json:
    provenance = {key: value for key, value in design.provenance.items() if key != "model"}
    return {
        "schema": _SCHEMA,
        "software": design.provenance.get("software") or software(),
        "digest": short_digest(design),
        "name": design.name,
        "provenance": provenance,
        "latency_cycles": design.latency,
        "clock_ns": design.clock_ns,
        "latency_ns": design.latency * design.clock_ns,
        "initiation_interval": 1,
        "critical_ns": design.critical_ns,
        "target": {"name": design.target.name, "part": design.target.part, "estimate": design.target.estimate},
        "ports": [dict(zip(("direction", "name", "format", "values"), port, strict=True)) for port in ports(design)],
        "ranges": {name: list(limits) for name, limits in ranges(design).items()},
        "outputs": [
            {
                "name": entry.name,
                "formula": entry.formula,
                "error_asked": entry.target,
                "error_proven": entry.bound,
                "promise": promise(design, entry),
                "bands": list(entry.bands),
            }
            for entry in design.certificate.outputs
        ],
        "notes": list(design.certificate.notes),
        "warnings": list(design.warnings),
        "predicted": predicted(design),
        "simulation": None,
        "synthesis": None,
        "proof": None,
        "verification": None,
    }


def report_text(data: Json) -> str:
    """The text of report.json. JSON has no infinity: such a bound is the text "inf"."""
    return json.dumps(_plain(data), indent=2, allow_nan=False) + "\n"


def read_report(design: Design, folder: Path) -> Json:
    """The report in a folder; a fresh one where there is none, or where it is of another design or damaged."""
    try:
        data = json.loads((folder / REPORT).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return report_data(design)
    if not isinstance(data, dict) or data.get("schema") != _SCHEMA or data.get("digest") != short_digest(design):
        return report_data(design)
    kept = {key: data.get(key) for key in ("simulation", "synthesis", "proof", "verification")}
    return with_standing(report_data(design) | kept)


def with_standing(data: Json) -> Json:
    """The report with its line for each output: what is proven, measured, only tested."""
    return data | {"standing": standing(data)}


def update_report(
    design: Design,
    folder: Path,
    *,
    evidence: Evidence | None = None,
    synthesis: Sequence[Json] | None = None,
    proof: Json | None = None,
    verification: Json | None = None,
) -> Json:
    """Add results to the report of a folder and write it; the newest of each tool stays. Raises OutputError."""
    data = read_report(design, folder)
    if evidence is not None:
        data["simulation"] = evidence.data()
    if synthesis is not None:
        new = {result["tool"] for result in synthesis}
        data["synthesis"] = [old for old in data["synthesis"] or [] if old["tool"] not in new] + list(synthesis)
    if proof is not None:
        data["proof"] = proof
    if verification is not None:
        data["verification"] = verification
    data = with_standing(data)
    replace_text(folder / REPORT, report_text(data))
    return data


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
