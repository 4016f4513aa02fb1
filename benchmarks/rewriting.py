"""Rewriting by hardware cost: LUTs, DSPs, cycles and CPU seconds of formulas as written and in the chosen form.

    python benchmarks/rewriting.py [--cases jets feynman rules] [--target ecp5-6] [--effort normal]

Same words at the ports and the same proven error (1 ulp of the output); "as written" is the same effort without
rewriting. Both by the target's model. Every rewritten design goes through `sr2hls verify`, which proves the circuit
against the formula as written.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from sr2hls import compiler
from sr2hls.compiler import Options, compile_model
from sr2hls.design import Design
from sr2hls.errors import Sr2hlsError
from sr2hls.formats import Format
from sr2hls.load import from_json, load
from sr2hls.load.native import to_json
from sr2hls.verify import verify_design
from sr2hls.wordlength import PATIENCE, Bill, Timing, bill_of

WORD = Format.parse("fixed<12,3>")
JETS = Path(__file__).resolve().parent.parent / "examples" / "jets" / "published.txt"
ABOVE = (0.5, 3.5)
RULES = (
    "x0*x1 + x0*x2",
    "exp(x0)*exp(x1)",
    "exp(-x0^2 - x1^2)",
    "log(x0*x1)",
    "log(x0) - log(x1)",
    "x0/x2 + x1/x2",
    "sin(x0)*cos(x1)",
    "sqrt(x0)*sqrt(x1)",
    "1/(1/x0 + 1/x1)",
    "(x0 + x1)^2 - (x0 - x1)^2",
    "x0*x1*x2 + x1*x2*x3 + x0*x3",
)
FEYNMAN = (  # Feynman Symbolic Regression Database (Udrescu and Tegmark 2020), constants 1
    "x0*x1*x2/((x3 - x4)^2 + x5^2)",
    "x0/sqrt(1 - x1^2/16)",
    "x0*x1/(x2*x3^2)",
    "x0*x1*cos(x2) + x0*x3*cos(x2)",
    "x0*(x1^2 + x2^2 + x3^2)/2",
    "1/(1/x0 + x2/x1)",
    "sqrt(x0^2 + x1^2 - 2*x0*x1*cos(x2 - x3))",
    "(x0*x1 + x2*x3)/(x0 + x2)",
    "x0^3/(exp(x0/x1) - 1)",
    "x0*(1/x1 - 1/x2)",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--cases", nargs="+", choices=("jets", "feynman", "rules"), default=["jets", "feynman", "rules"]
    )
    parser.add_argument("--target", default="ecp5-6")
    parser.add_argument("--effort", default="normal", choices=("normal", "high"))
    arguments = parser.parse_args()
    cases = [(name, load(JETS, output=name), {}) for name in "gqtwz" if "jets" in arguments.cases]
    for group, texts in (("rules", RULES), ("feynman", FEYNMAN)):
        cases += [(text, load(text), {"*": ABOVE}) for text in texts if group in arguments.cases]
    columns = ("formula", "LUT/DSP/cycles as written", "CPU s", "rewritten", "CPU s", "area", "rules", "verify")
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    patience = compiler.PATIENCE[arguments.effort]
    for name, model, ranges in cases:
        cells, bills = [name], []
        for here in (PATIENCE["low"], patience):
            compiler.PATIENCE[arguments.effort] = here
            fresh = from_json(to_json(model))  # without what an earlier compilation may have kept
            options = Options(inputs={"*": WORD}, ranges=ranges, target=arguments.target, effort=arguments.effort)
            start = time.process_time()
            try:
                design = compile_model(fresh, options)
            except Sr2hlsError as error:
                cells.append(f"refused: {error}")
                break
            bills.append(bill(design))
            cells += [f"{bills[-1].luts:.0f}/{bills[-1].dsp:.0f}/{bills[-1].latency}"]
            cells += [f"{time.process_time() - start:.2f}"]
        if len(bills) < 2:
            print(f"| {' | '.join(cells)} |", flush=True)
            continue
        cells.append(f"{bills[1].area / bills[0].area:.2f}" if bills[0].area else "-")
        cells.append(", ".join(step["rule"] for step in design.provenance["rewrites"]) or "-")
        cells.append(verify_design(design).status)
        print(f"| {' | '.join(cells)} |", flush=True)
    return 0


def bill(design: Design) -> Bill:
    ports = int(design.register_inputs) + int(design.register_outputs)
    return bill_of(design.circuit, design.target, Timing(design.clock_ns, ports))


if __name__ == "__main__":
    sys.exit(main())
