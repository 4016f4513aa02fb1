"""Ten formulas → register bits where every node is computed as soon as possible, and where registers are fewest.

    python benchmarks/register_placement.py [--clock 5] [--target ecp5-6]

The latency is the same. By the model (bits between the stages) and by Yosys (flip-flops of the whole module, those of
the ports and of the valid bit among them).
"""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import replace

from sr2hls.compiler import Options, compile_model
from sr2hls.design import Design
from sr2hls.emit.verilog import module_name, verilog
from sr2hls.formats import Format
from sr2hls.load import load
from sr2hls.schedule import register_bits, soonest
from sr2hls.synth.yosys import yosys_counts

FORMULAS = (
    "x0*x1*x2",
    "0.5*x0*x1 + x2*x2",
    "sin(x0)*x1 + x2",
    "exp(-x0*x0)*cos(2.0*x1)",
    "x0*x1/(x2*x2 + 1.5)",
    "sqrt(x0*x0 + x1*x1)",
    "tanh(1.3*x0 + x1)*x2",
    "(x0 - x1)*(x1 - x2)*(x2 - x0)",
    "x0*exp(-x1*x1)/(1.2 + cos(x2))",
    "max(x0*x1, x1*x2) + abs(x0 - x2)",
)


def flip_flops(design: Design) -> int:
    return yosys_counts(verilog(design), module_name(design), design.target.family).ff


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", default="ecp5-6")
    parser.add_argument("--clock", type=float, default=5.0)
    options = parser.parse_args()
    ratios = []
    print("| formula | cycles | bits, soonest | bits, fewest | FF, soonest | FF, fewest | ratio |")
    print("|---|---|---|---|---|---|---|")
    for number, formula in enumerate(FORMULAS):
        asked = Options(
            inputs={"*": Format(True, 10, 9)},
            target=options.target,
            clock_ns=options.clock,
            registers="both",
            effort="low",
            name=f"f{number}",
        )
        best = compile_model(load(formula), asked)
        plain = replace(best, cycles=soonest(best.circuit, best.target, best.clock_ns))
        bits = [register_bits(d.circuit, d.cycles, d.stages) for d in (plain, best)]
        cells = [flip_flops(d) for d in (plain, best)]
        ratios.append(cells[1] / cells[0])
        print(
            f"| {formula} | {best.latency} | {bits[0]} | {bits[1]} | {cells[0]} | {cells[1]} | {ratios[-1]:.2f} |",
            flush=True,
        )
    print(f"\nflip-flops, geometric mean: {math.exp(sum(map(math.log, ratios)) / len(ratios)):.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
