"""Target names → their TOML files, re-measured: python benchmarks/calibrate.py ecp5-6 ecp5-5g-8 xc7-2."""

from __future__ import annotations

import argparse
import datetime
import json
from dataclasses import asdict
from pathlib import Path

from sr2hls.synth.calibrate import Measured, calibrate_ecp5
from sr2hls.synth.calibrate_xc7 import calibrate_xc7
from sr2hls.targets import load_target
from sr2hls.targets.text import target_text

_TARGETS = Path(__file__).resolve().parent.parent / "sr2hls" / "targets"
_HEAD = {
    "ecp5": (
        "Lattice ECP5: calibrated by open place-and-route.\nWritten by benchmarks/calibrate.py; do not edit by hand."
    ),
    "xc7": (
        "AMD Artix-7: an estimate. Cell delays from Project X-Ray, assumed routing; no vendor tool was run.\n"
        "Written by benchmarks/calibrate.py; do not edit by hand."
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="+")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--points", type=Path, help="write the raw measurements to this JSON file")
    options = parser.parse_args()
    date = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    raw: dict[str, list[dict[str, object]]] = {}
    for name in options.targets:
        target = load_target(name)
        print(f"{name}: {target.part}", flush=True)
        if target.family == "xc7":
            fitted, measured = calibrate_xc7(target, date=date, tell=_tell)
        else:
            seeds = range(1, options.seeds + 1)
            fitted, measured = calibrate_ecp5(target, seeds=list(seeds), date=date, tell=_tell)
        (_TARGETS / f"{name}.toml").write_text(target_text(fitted, _HEAD[target.family]))
        raw[name] = [_row(item) for item in measured]
    if options.points:
        options.points.write_text(json.dumps(raw, indent=1) + "\n")


def _tell(line: str) -> None:
    print(f"  {line}", flush=True)


def _row(item: Measured) -> dict[str, object]:
    row = asdict(item)
    probe = row.pop("probe")
    return {"name": probe["name"], "law": probe["law"], "width": probe["width"], "pieces": probe["pieces"], **row}


if __name__ == "__main__":
    main()
