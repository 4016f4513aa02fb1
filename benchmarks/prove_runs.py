"""A folder of PySR runs → a table: is the Verilog of every row that compiles proven to be the integer model, how fast?

    python benchmarks/prove_runs.py RUNS [--time 60]

Rows, formats and ranges are those of pysr_runs.py. The seconds are Yosys' reading and z3 together, on one core.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path

from pysr_runs import rows_of

from sr2hls.check.balance import balance
from sr2hls.check.netlist import read_netlist
from sr2hls.check.prove import PROVEN, prove
from sr2hls.emit.verilog import module_name, verilog


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--time", type=float, default=60.0)
    arguments = parser.parse_args()
    designs = [(row, row.design) for row in rows_of(arguments.runs) if row.design is not None]
    print("| run | output | complexity | nodes | input bits | registers | result | s | how |")
    print("|---|---|---|---|---|---|---|---|---|")
    seconds, failures = [], 0
    for row, design in designs:
        text = verilog(design)
        proof = prove(design, text, seconds=arguments.time)
        found = balance(design, netlist=read_netlist(text, module_name(design)))
        failures += proof.status != PROVEN or not found.ok
        seconds.append(proof.seconds)
        print(
            f"| {row.run} | {row.output} | {row.complexity} | {len(design.circuit.nodes)} | {proof.input_bits} "
            f"| {design.latency if found.ok else found.detail} | {proof.status} | {proof.seconds:.2f} "
            f"| {proof.method or proof.detail} |",
            flush=True,
        )
    print(
        f"\n{len(designs)} designs: {len(designs) - failures} proven and balanced, {failures} not; "
        f"median {statistics.median(seconds):.2f} s, slowest {max(seconds):.2f} s"
    )
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
