"""Widths of factors → LUTs of their product as the synthesizer builds `a * b`, and in rows (`sr2hls.products`).

    python benchmarks/products.py [--target xc7-2 ecp5-6] [--widths 4 8 12 16]

Yosys' counts without multiplier blocks, signed factors of equal widths, registers at the ports; beside them what the
target's model says of the rows.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from resumable import versions

from sr2hls.builder import CircuitBuilder
from sr2hls.circuit import Circuit
from sr2hls.emit.verilog import module_name, verilog
from sr2hls.formats import Format
from sr2hls.lower import in_pieces
from sr2hls.synth.microbench import probe_design
from sr2hls.synth.yosys import yosys_counts
from sr2hls.targets import NO_DSP, Target, load_target


def luts(circuit: Circuit, target: Target) -> int:
    design = probe_design(circuit, target)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "product.v"
        file.write_text(verilog(design))
        return yosys_counts(file, module_name(design), target.family, dsp=False).lut


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", nargs="+", default=["xc7-2", "ecp5-6"])
    parser.add_argument("--widths", nargs="+", type=int, default=[4, 8, 12, 16])
    arguments = parser.parse_args()
    print(f"{versions('sr2hls', 'pyosys')}\n")
    print("| target | bits | product | `a * b` | rows | of it | model |\n|---|---|---|---|---|---|---|")
    for name in arguments.target:
        target = load_target(name + NO_DSP)
        for width in arguments.widths:
            for square in (False, True):
                b = CircuitBuilder()
                x = b.input("x", Format(True, width, 0))
                y = x if square else b.input("y", Format(True, width, 0))
                circuit = b.build([("z", b.mul(x, y))])
                whole, rows = luts(circuit, target), luts(in_pieces(circuit, target, 1000.0).circuit, target)
                model = target.area(circuit, len(circuit.nodes) - 1).lut
                what = "x · x" if square else "x · y"
                print(
                    f"| {name} | {width} | {what} | {whole} | {rows} | {rows / whole:.2f} | {model:.0f} |", flush=True
                )


if __name__ == "__main__":
    main()
