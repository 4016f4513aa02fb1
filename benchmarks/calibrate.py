"""Target names → their TOML files in this checkout, measured again: python benchmarks/calibrate.py ecp5-6 ecp5-5g-8.

One call of `sr2hls calibrate` each; the measurements stay in a file, so that a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="+")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--points", type=Path, default=Path("calibration.jsonl"))
    options = parser.parse_args()
    program = [sys.executable, "-c", "from sr2hls.cli import main; main()"]
    command = [*program, "calibrate", "--seeds", str(options.seeds), "--points", str(options.points)]
    return max(subprocess.run([*command, "--target", name], check=False).returncode for name in options.targets)


if __name__ == "__main__":
    sys.exit(main())
