"""Wall times that a user waits for: a 10-node formula compiled after imports, the whole command, and the help page.

python benchmarks/compile_time.py [--runs 5]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sr2hls.compiler import Options, compile_model
from sr2hls.formats import Format
from sr2hls.load import load

FORMULA = "x0*sin(x1 + 0.3*x2) + exp(-x2^2)/(1.5 + x1)"  # 10 operators
RANGES = {"x1": (-1.0, 4.0)}


def median_seconds(run: object, runs: int) -> float:
    """The median wall time of a callable, in seconds."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        run()  # type: ignore[operator]
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    model = load(FORMULA)
    options = Options(inputs={"*": Format.parse("fixed<12,3>")}, ranges=RANGES)
    print(f"compile {FORMULA}: {median_seconds(lambda: compile_model(model, options), runs):.2f} s (limit 3 s)")
    program = str(Path(sys.executable).parent / "sr2hls")
    with tempfile.TemporaryDirectory() as folder:
        words = [
            program,
            "compile",
            FORMULA,
            "--inputs",
            "fixed<12,3>",
            "--range",
            "x1=-1:4",
            "--force",
            "-o",
            folder + "/out",
        ]
        whole = median_seconds(lambda: subprocess.run(words, check=True, capture_output=True), runs)
    print(f"the whole command, imports and files included: {whole:.2f} s")
    help_page = median_seconds(lambda: subprocess.run([program, "--help"], check=True, capture_output=True), runs)
    print(f"sr2hls --help: {help_page:.2f} s (limit 0.5 s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
