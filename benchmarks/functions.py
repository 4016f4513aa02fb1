"""Function × width × evaluator → LUTs of a 7-series FPGA counted by Yosys, beside those of an earlier prototype study.

    python benchmarks/functions.py [--widths 8 10 12] [--functions sin exp ...] [--all] [--area]

Argument and result have w bits (the result one more where it reaches 1), every error below one ulp, proven. Without
block RAM, combinational. "study" is the project's earlier measurement: prototype Verilog of the same functions through
the same Yosys flow, results clamped to w bits, the fewest LUTs of all methods. The ratio is of LUTs, against the
study's result with DSP blocks where the chosen evaluator has some; it is chosen by LUTs times the root of the delay.
--all lists every candidate, not only the chosen one. --area chooses by LUTs alone and takes no DSP block, as the
study did without them.
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
from sr2hls.functions import Evaluator, FunctionSpec, Taste, choose
from sr2hls.functions.choose import candidates
from sr2hls.functions.cost import price_of
from sr2hls.synth.yosys import yosys_counts
from sr2hls.targets import load_target

T = sympy.Symbol("t", real=True)
TARGET = load_target("xc7-2")
NEVER = 1000.0  # times what a DSP block is worth
STUDY = ("study: table", "study: best without DSP", "study: best with DSP", "LUT ratio")
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

# name: by width, the study's best result with DSP blocks, LUTs + blocks; and without, at 16 bits (14: not counted)
WITH_DSP = {
    "sin": {12: "34+1", 14: "67+1", 16: "54+2"},
    "exp": {12: "59+1", 14: "49+2", 16: "69+2"},
    "gauss": {12: "122+2", 14: "142+2", 16: "200+2"},
    "log1p": {12: "21+1", 14: "34+1", 16: "51+2"},
    "recip": {12: "44+1", 14: "54+1", 16: "51+2"},
    "sqrt": {12: "104+1", 14: "159+1", 16: "184+1"},
    "tanh": {12: "83+1", 14: "142+1", 16: "160+2"},
    "phys": {12: "97+2", 14: "129+2", 16: "228+2"},
}
SOFT_16 = {
    "sin": "317",
    "exp": "426",
    "gauss": "673",
    "log1p": "239",
    "recip": "343",
    "sqrt": "378",
    "tanh": "413",
    "phys": "551",
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
    parser.add_argument("--area", action="store_true", help="the smallest without DSP blocks, whatever its delay")
    arguments = parser.parse_args()
    taste = Taste(0.0, NEVER) if arguments.area else Taste()
    columns = ("w", "function", "evaluator", "LUT", "DSP", "model LUT", "model ns", *STUDY)
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    ratios = []
    for width in arguments.widths:
        for name in arguments.functions:
            spec = specification(name, width)
            chosen = choose(spec, TARGET, taste)
            plain, best = FUNCTIONS[name][3].get(width, ("-", SOFT_16[name] if width == 16 else "-"))
            hard = WITH_DSP[name].get(width, "-")
            for evaluator in candidates([spec], TARGET) if arguments.all else [chosen]:
                lut, dsp = counted(spec, evaluator)
                price = price_of(evaluator, spec.word, TARGET)
                mark = " (chosen)" if arguments.all and evaluator.method == chosen.method else ""
                cells = (width, name, evaluator.method + mark, lut, dsp, f"{price.luts:.0f}", f"{price.ns:.1f}")
                same = (hard if dsp else best).split("+")[0]  # of the same kind
                ratio = "-" if same == "-" else f"{lut / int(same):.2f}"
                print(f"| {' | '.join(map(str, (*cells, plain, best, hard, ratio)))} |", flush=True)
                if evaluator.method == chosen.method and same != "-":
                    ratios.append(lut / int(same))
    if ratios:
        mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
        print(f"\nchosen / best of the prototype study: geometric mean {mean:.2f}, worst {max(ratios):.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
