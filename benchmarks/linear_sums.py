"""Constant matrices and formulas → LUTs of the circuit, predicted and as Yosys counts them; adders beside the rivals'.

    python benchmarks/linear_sums.py [--only NAME ...] [--no-yosys] [--rivals-python V/bin/python]

`adders`: of the products of the matrix with integers, digits alone (canonical signed digits, each row for itself), with
recurring pairs added once (`lower.digits.shared`), and by the optimizers of da4ml and Alkaid (latency free; their
own cost, LUTs by their model, in brackets; `pip install alkaid==0.8.2 da4ml==0.6.0`). The circuits: 8-bit inputs,
outputs rounded to 8 fraction bits within one ulp, proven; the jets and the other formulas with ports of 12 bits;
7-series, no multiplier blocks, 5 ns, registers at the ports.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from qor_formulas import case_of
from resumable import versions

from sr2hls.circuit import Circuit
from sr2hls.compiler import Options, compile_model
from sr2hls.emit.verilog import module_name, verilog
from sr2hls.formats import Format
from sr2hls.load import load
from sr2hls.lower.digits import shared
from sr2hls.lower.linear import signed_digits
from sr2hls.model import SymbolicModel
from sr2hls.synth.yosys import yosys_counts
from sr2hls.targets import Area, load_target
from sr2hls.wordlength import Limits

Matrix = NDArray[np.int64]

_DRAWN = np.random.default_rng(7)
MATRICES: dict[str, Matrix] = {
    "matrix 4x4": _DRAWN.integers(-127, 128, (4, 4)),
    "dot product 6": _DRAWN.integers(-127, 128, (1, 6)),
    "DCT 4": np.array([[64, 64, 64, 64], [83, 36, -36, -83], [64, -64, -64, 64], [36, -83, 83, -36]]),  # HEVC's
    "two sums": np.array([[3, 5, 7], [3, 5, -9]]),
}
FORMULAS = (*(f"jet_{c}" for c in "gqtwz"), "damped", "I.12.11", "I.37.4")
WIDTH = 12
RIVALS = """
import json, sys
import numpy as np
import alkaid.cmvm, da4ml.cmvm
kernel = np.array(json.load(sys.stdin), dtype=np.float32).T
inputs = [(-128.0, 127.0, 1.0)] * kernel.shape[0]
found = {}
for name, solve in (("da4ml", da4ml.cmvm.solve), ("alkaid", alkaid.cmvm.cmvm_solve)):
    settings = {"adder_size": 1, "carry_size": -1} if name == "da4ml" else {}
    solution = solve(kernel, qintervals=inputs, **settings)
    stages = solution.solutions if hasattr(solution, "solutions") else solution
    adders = sum(op.opcode in (0, 1) for stage in stages for op in stage.ops)
    found[name] = [adders, float(sum(stage.cost for stage in stages))]
print(json.dumps(found))
"""


def rivals(matrix: Matrix, python: str) -> dict[str, tuple[int, float]]:
    """Adders and cost by tool."""
    asked = json.dumps(matrix.tolist())
    done = subprocess.run([python, "-c", RIVALS], input=asked, capture_output=True, text=True, check=True)
    return {name: (int(adders), float(cost)) for name, (adders, cost) in json.loads(done.stdout).items()}


def adders(matrix: Matrix) -> tuple[int, int]:
    """Adders of the digits, each row for itself, and with shared pairs."""
    rows = [tuple((s, p, j) for j, k in enumerate(row) for s, p in signed_digits(int(k))) for row in matrix]
    return sum(len(row) - 1 for row in rows), shared(rows, matrix.shape[1]).adders


def matrix_task(matrix: Matrix) -> tuple[SymbolicModel, Options]:
    rows = [" + ".join(f"({int(k)}/128)*x{j}" for j, k in enumerate(row)) for row in matrix]
    model = load("\n".join(f"y{i} = {row}" for i, row in enumerate(rows)))
    whole = {f"y{i}": Format.parse("fixed<14,6>") for i in range(len(rows))}
    return model, Options(inputs={"*": Format.parse("fixed<8,4>")}, output=whole, max_error_ulps=1.0)


def formula_task(name: str) -> tuple[SymbolicModel, Options]:
    case = case_of(name, WIDTH)
    output = {case.model.outputs[0].name: case.output}
    return case.model, Options(inputs=case.inputs, ranges=case.limits, output=output, max_error_ulps=1.0)


def lut(circuit: Circuit, target: str) -> int:
    device = load_target(target)
    return round(sum((device.area(circuit, at) for at in range(len(circuit.nodes))), Area()).lut)


def row(name: str, python: str | None, counted: bool) -> str:
    model, options = matrix_task(MATRICES[name]) if name in MATRICES else formula_task(name)
    options = replace(options, target="xc7-2", clock_ns=5.0, registers="both", limits=Limits(dsp=0), name="sums")
    begun = time.process_time()
    design = compile_model(model, options)
    cells = ["", "", "", ""]
    if name in MATRICES:
        plain, common = adders(MATRICES[name])
        cells[:2] = [str(plain), str(common)]
        if python is not None:
            cells[2:] = [f"{n} ({cost:.0f})" for n, cost in rivals(MATRICES[name], python).values()]
    taken = time.process_time() - begun
    cells += [str(design.stages), str(lut(design.circuit, "xc7-2-nodsp")), ""]
    if counted:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "sums.v"
            file.write_text(verilog(design))
            cells[-1] = str(yosys_counts(file, module_name(design), "xc7", dsp=False).lut)
    return f"| {name} | {' | '.join(cells)} | {taken:.1f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=(*MATRICES, *FORMULAS), default=[*MATRICES, *FORMULAS])
    parser.add_argument("--rivals-python", help="an interpreter that has alkaid and da4ml")
    parser.add_argument("--no-yosys", action="store_true")
    arguments = parser.parse_args()
    print(f"{versions('sr2hls', 'pyosys')}\n")
    print("| task | adders: digits | shared | da4ml | Alkaid | stages | LUT, model | LUT, Yosys | CPU s |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name in arguments.only:
        print(row(name, arguments.rivals_python, not arguments.no_yosys), flush=True)


if __name__ == "__main__":
    main()
