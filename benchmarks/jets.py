"""The five published hls4ml jet formulas → cycles, Yosys counts, ECP5 nanoseconds and errors, beside published cost.

    python benchmarks/jets.py [--no-place] [--classes g q t w z] [--seeds 3]
    python benchmarks/jets.py --fewest-cycles [--widths 8 10 12 16] [--classes g q t w z all]

Inputs fixed<12,3> (12 bits in ±4), outputs fixed<16,6> (the published precision) within one ulp, proven. The published
cost is the critical path over the operator table of hls4sr (Tsoi et al., arXiv 2305.04099; one operator at a time
through vivado_hls at <16,6>, 5 ns): 15 to 16 cycles a formula. Formulas: hls4ml tutorial, part 8.

`--fewest-cycles`: the fewest cycles at 200 MHz by the `vu9p-2` model without a multiplier, for inputs fixed<W,3> and
outputs fixed<W+1,4> (as many fraction bits; w reaches -4.2), within one ulp of the output, proven and verified again.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from sr2hls.analyze.evaluate import array_function
from sr2hls.check.vectors import input_vectors
from sr2hls.compiler import Options, compile_model
from sr2hls.design import Design
from sr2hls.errors import FormatError
from sr2hls.formats import Format
from sr2hls.interpret import interpret
from sr2hls.load import load
from sr2hls.model import SymbolicModel, symbol
from sr2hls.synth import synthesize
from sr2hls.verify import verify_design
from sr2hls.wordlength import Limits

PUBLISHED = Path(__file__).resolve().parent.parent / "examples" / "jets" / "published.txt"
_MOST_CYCLES = 6
PUBLISHED_CYCLES = {"g": 15, "q": 16, "t": 15, "w": 15, "z": 15}
OPTIONS = Options(
    inputs={"*": Format.parse("fixed<12,3>")}, output={"*": Format.parse("fixed<16,6>")}, clock_ns=5.0, target="vu9p-2"
)


def worst_error(model: SymbolicModel, design: Design, samples: int = 1_000_000) -> dict[str, float]:
    """The largest |circuit - float64 formula| over seeded random inputs, per output."""
    codes = input_vectors(design, samples, seed=1)
    values = [codes[name] * float(fmt.ulp) for name, fmt in design.input_formats.items()]
    found = interpret(design.circuit, codes)
    result = {}
    for output in model.outputs:
        want = array_function(output.expression, [symbol(name) for name in design.input_formats])(*values)
        ulp = float(design.output_formats[output.name].ulp)
        result[output.name] = float(np.abs(found[output.name] * ulp - want).max())
    return result


def fewest_cycles(names: list[str], widths: list[int]) -> None:
    """Print the table of `--fewest-cycles`: a row per width and formula; `all` is one circuit of the five."""
    columns = ("W", "formula", "cycles", "slowest stage, ns", "LUT (model)", "LUT/DSP/FF (Yosys xc7)", "proven, ulp")
    print(f"| {' | '.join((*columns, 'measured, ulp', 'trig evaluators', 'verified', 'CPU s'))} |\n{'|---' * 11}|")
    for width, name in itertools.product(widths, names):
        model = load(PUBLISHED) if name == "all" else load(PUBLISHED, output=name)
        start = time.process_time()
        design = _fewest(model, name, width)
        seconds = time.process_time() - start
        if design is None:
            print(f"| {width} | {name} | none up to {_MOST_CYCLES} {'| - ' * 8}|", flush=True)
            continue
        outputs = {output.name: Format.parse(output.format) for output in design.certificate.outputs}
        scale = {output: 2.0**word.fraction for output, word in outputs.items()}
        proven = max(output.bound * scale[output.name] for output in design.certificate.outputs)
        measured = max(e * scale[output] for output, e in worst_error(model, design, 200_000).items())
        luts = sum(design.target.area(design.circuit, index).lut for index in range(len(design.circuit.nodes)))
        with tempfile.TemporaryDirectory() as folder:
            (result,) = synthesize(design, Path(folder), tools=["yosys-xc7"])
        functions = sum(node.kind == "function" for node in design.certificate.nodes)
        verified = "yes" if verify_design(design).verified else "no"
        row = (
            width,
            name,
            design.latency,
            f"{design.critical_ns:.2f}",
            f"{luts:.0f}",
            _cell("yosys-xc7", result, design),
        )
        row += (f"{proven:.3f}", f"{measured:.3f}", functions, verified, f"{seconds:.0f}")
        print(f"| {' | '.join(map(str, row))} |", flush=True)


def _fewest(model: SymbolicModel, name: str, width: int) -> Design | None:
    words = {"inputs": {"*": Format(True, width, width - 3)}, "output": {"*": Format(True, width + 1, width - 3)}}
    for cycles in range(2, _MOST_CYCLES + 1):
        for effort in ("low", "normal"):
            limits = Limits(latency=cycles, dsp=0)
            options = replace(OPTIONS, **words, max_error_ulps=1.0, limits=limits, effort=effort, name=f"jets_{name}")
            with contextlib.suppress(FormatError):
                return compile_model(model, options)
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--no-place", action="store_true", help="skip synthesis and place and route")
    parser.add_argument("--classes", nargs="+")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--fewest-cycles", action="store_true", help="few cycles without multipliers, by input width")
    parser.add_argument("--widths", nargs="+", type=int, default=[8, 10, 12, 16])
    arguments = parser.parse_args()
    if arguments.fewest_cycles:
        fewest_cycles(arguments.classes or [*PUBLISHED_CYCLES, "all"], arguments.widths)
        return 0
    classes = arguments.classes or list(PUBLISHED_CYCLES)
    tools = [] if arguments.no_place else ["yosys-xc7", "yosys-ecp5", "nextpnr-ecp5"]
    columns = (
        *("class", "published cycles", "cycles at 200 MHz (vu9p-2, estimate)", "proven", "measured", "trig evaluators"),
        *("compile s", "Yosys xc7 LUT/DSP/FF", "Yosys ECP5 LUT4/DSP", "ECP5-6"),
    )
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    everything = load(PUBLISHED)
    for name in [*classes, "all"]:
        model = everything if name == "all" else load(PUBLISHED, output=name)
        start = time.perf_counter()
        design = compile_model(model, replace(OPTIONS, name=f"jets_{name}"))
        seconds = time.perf_counter() - start
        proven = max(output.bound for output in design.certificate.outputs)
        measured = max(worst_error(model, design).values())
        functions = sum(node.kind == "function" for node in design.certificate.nodes)
        row = [
            name,
            str(max(PUBLISHED_CYCLES.values()) if name == "all" else PUBLISHED_CYCLES[name]),
            f"{design.latency}{' (clock not met)' if design.warnings else ''}",
            f"{proven:.2g}",
            f"{measured:.2g}",
            str(functions),
            f"{seconds:.1f}",
        ]
        row += _synthesized(model, name, tools if name != "all" else tools[:1], arguments.seeds)
        print(f"| {' | '.join(row)} |", flush=True)
    return 0


def _synthesized(model: SymbolicModel, name: str, tools: list[str], seeds: int) -> list[str]:
    ecp5 = compile_model(model, replace(OPTIONS, target="ecp5-6", clock_ns=10.0, name=f"jets_{name}"))
    cells = []
    with tempfile.TemporaryDirectory() as folder:
        for tool in ("yosys-xc7", "yosys-ecp5", "nextpnr-ecp5"):
            if tool not in tools:
                cells.append("-")
                continue
            (result,) = synthesize(ecp5, Path(folder), tools=[tool], seeds=seeds)
            cells.append(_cell(tool, result, ecp5))
    return cells


def _cell(tool: str, result: dict[str, object], design: Design) -> str:
    if result["status"] != "done":
        return f"{result['status']}: {str(result.get('message', ''))[:60]}"
    if tool == "nextpnr-ecp5":
        print(result, file=sys.stderr)
        return f"{result['median_mhz']:.1f} MHz, {design.latency} cycles = {result['latency_ns']:.1f} ns"
    if tool == "yosys-xc7":
        return f"{result['lut']}/{result['dsp']}/{result['ff']}"
    return f"{result['lut']}/{result['dsp']}"


if __name__ == "__main__":
    sys.exit(main())
