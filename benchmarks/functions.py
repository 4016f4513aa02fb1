"""Function × width × evaluator → LUTs of a 7-series FPGA counted by Yosys, beside those of an earlier prototype study.

    python benchmarks/functions.py [--widths 8 10 12] [--functions sin exp ...] [--all]

Argument and result have w bits (the result one more where it reaches 1), every error below one ulp, proven. Without
block RAM, combinational. "prototype study" is the best result without DSP blocks there: throw-away Verilog on the same
functions through the same Yosys flow, results clamped to w bits. --all lists every candidate, not only the chosen one.
"""

from __future__ import annotations

import argparse
import math
import sys

import sympy
from flint import arb

from sr2hls.analyze.cells import Univariate
from sr2hls.analyze.interval import Interval
from sr2hls.builder import CircuitBuilder
from sr2hls.design import Certificate, Design
from sr2hls.emit.verilog import verilog
from sr2hls.formats import Format
from sr2hls.functions import Evaluator, FunctionSpec, choose
from sr2hls.functions.choose import candidates
from sr2hls.functions.cost import price_of
from sr2hls.synth.yosys import yosys_counts
from sr2hls.targets import load_target

T = sympy.Symbol("t", real=True)
TARGET = load_target("xc7-2")
# name: expression, the argument's least and greatest value, LUTs of the prototype study by width: plain table, best
FUNCTIONS: dict[str, tuple[sympy.Expr, int, int, dict[int, tuple[str, str]]]] = {
    "sin": (sympy.sin(sympy.pi * T / 2), 0, 1, {8: ("29", "14"), 10: ("214", "48"), 12: ("737", "96")}),
    "exp": (sympy.exp(-T), 0, 4, {8: ("41", "21"), 10: ("202", "71"), 12: ("693", "128")}),
    "gauss": (sympy.exp(-(T**2)), -4, 4, {8: ("34", "28"), 10: ("130", "95"), 12: ("569", "167")}),
    "log1p": (sympy.log(1 + T), 0, 1, {8: ("34", "12"), 10: ("180", "29"), 12: ("666", "58")}),
    "recip": (1 / (1 + T), 0, 1, {8: ("35", "11"), 10: ("187", "32"), 12: ("703", "71")}),
    "sqrt": (sympy.sqrt(T), 0, 1, {8: ("24", "24"), 10: ("147", "68"), 12: ("741", "148")}),
    "tanh": (sympy.tanh(T), -4, 4, {8: ("35", "31"), 10: ("165", "63"), 12: ("560", "129")}),
    "phys": (
        sympy.exp(-(T**2)) / (1 + T**2) * sympy.cos(2 * T),
        *(-4, 4),
        {8: ("25", "22"), 10: ("108", "59"), 12: ("434", "151")},
    ),
}


def specification(name: str, width: int) -> FunctionSpec:
    """The function on a w-bit word, to less than one ulp of a w-bit result."""
    expression, low, high, _ = FUNCTIONS[name]
    word = Format(low < 0, width, width - int(math.log2(high - low)))
    fraction = width - 1 if name in ("tanh", "phys") else width
    unit = arb(2) ** -word.fraction
    domain = Interval(arb(word.least) * unit, arb(word.greatest) * unit)
    tolerance = arb("0.999").mid() * arb(2) ** -fraction
    return FunctionSpec(Univariate(expression, T, name), word, word.least, word.greatest, domain, fraction, tolerance)


def counted(spec: FunctionSpec, evaluator: Evaluator) -> tuple[int, int]:
    """(LUTs, DSP blocks) of the evaluator alone, by Yosys."""
    b = CircuitBuilder()
    circuit = b.build([("y", evaluator.build(b, b.input("t", spec.word)))])
    nothing = Certificate(outputs=(), nodes=(), domain=())
    cycles = (0,) * len(circuit.nodes)
    design = Design("evaluator", circuit, cycles, 1, False, False, 5.0, TARGET, nothing, {})
    counts = yosys_counts(verilog(design), "evaluator", "xc7")
    return counts.lut, counts.dsp


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--widths", nargs="+", type=int, default=[8, 10, 12])
    parser.add_argument("--functions", nargs="+", choices=FUNCTIONS, default=list(FUNCTIONS))
    parser.add_argument("--all", action="store_true", help="every candidate, the chosen one marked")
    arguments = parser.parse_args()
    columns = ("w", "function", "evaluator", "LUT", "DSP", "model LUT", "model ns", "prototype study: table, best")
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    ratios = []
    for width in arguments.widths:
        for name in arguments.functions:
            spec = specification(name, width)
            chosen = choose(spec, TARGET)
            study = FUNCTIONS[name][3].get(width, ("-", "-"))
            for evaluator in candidates([spec], TARGET) if arguments.all else [chosen]:
                lut, dsp = counted(spec, evaluator)
                price = price_of(evaluator, spec.word, TARGET)
                mark = " (chosen)" if arguments.all and evaluator.method == chosen.method else ""
                cells = (width, name, evaluator.method + mark, lut, dsp, f"{price.luts:.0f}", f"{price.ns:.1f}")
                print(f"| {' | '.join(map(str, cells))} | {', '.join(study)} |", flush=True)
                if evaluator.method == chosen.method and study[1] != "-" and not dsp:
                    ratios.append(lut / int(study[1]))
    if ratios:
        mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
        print(f"\nchosen / best of the prototype study: geometric mean {mean:.2f}, worst {max(ratios):.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
