"""A 10-node formula circuit → samples per second of the compiled C++ header and of the NumPy interpreter, one core.

Run: python benchmarks/emulator_speed.py [--json]. Goals: header 20 M/s, NumPy 1 M/s; the exit code is 1 when missed.
"""

from __future__ import annotations

import json
import math
import sys
import time

import numpy as np

from sr2hls.builder import CircuitBuilder
from sr2hls.check import cpp
from sr2hls.circuit import Overflow, Rounding
from sr2hls.design import Certificate, Design
from sr2hls.formats import Format
from sr2hls.interpret import interpret
from sr2hls.targets import Target

GOALS = {"header": 20e6, "numpy": 1e6}
SAMPLES = 1_000_000


def formula_design() -> Design:
    """x0·sin(x1) + 0.3·x2, clamped and rounded: 3 inputs of 12 bits, one table, 10 operations."""
    b = CircuitBuilder()
    word = Format(True, 12, 8)
    x0, x1, x2 = (b.input(f"x{i}", word) for i in range(3))
    codes = tuple(round(4096 * math.sin(word.wrap(i) / 256)) for i in range(4096))
    product = b.mul(x0, b.lookup(x1, codes, 12, "sin"))
    scaled = b.mul(x2, b.constant(19661, 16))
    total = b.add(b.round_to(product, 14, Rounding.HALF_UP), b.round_to(scaled, 14, Rounding.HALF_UP))
    y = b.cast(total, Format(True, 14, 10), Rounding.HALF_UP, Overflow.SATURATE)
    circuit = b.build([("y", y)])
    target = Target(name="xc7-2", part="xc7k325t", family="xc7", clock_ns=5.0, estimate=True)
    return Design(
        name="speed",
        circuit=circuit,
        cycles=(0,) * len(circuit.nodes),
        stages=1,
        register_inputs=False,
        register_outputs=False,
        clock_ns=5.0,
        target=target,
        certificate=Certificate((), (), ()),
        provenance={},
    )


def measure() -> dict[str, float]:
    """Samples per second of both engines (the best of three runs), after they were found equal."""
    design = formula_design()
    rng = np.random.default_rng(1)
    inputs = {name: rng.integers(fmt.least, fmt.greatest + 1, SAMPLES) for name, fmt in design.input_formats.items()}
    compiled = cpp.run_many([(design, inputs)] * 5, flags=("-O3",))
    expected, slow = {}, []
    for _ in range(3):
        start = time.perf_counter()
        expected = interpret(design.circuit, inputs)
        slow.append(time.perf_counter() - start)
    assert all(np.array_equal(expected["y"], result.outputs["y"]) for result in compiled)
    return {"header": SAMPLES / min(r.seconds for r in compiled), "numpy": SAMPLES / min(slow)}


def main() -> int:
    rates = measure()
    if "--json" in sys.argv[1:]:
        print(json.dumps(rates))
    else:
        for name, rate in rates.items():
            print(f"{name:8} {rate / 1e6:8.1f} M samples/s   (goal {GOALS[name] / 1e6:.0f})")
    return int(any(rates[name] < goal for name, goal in GOALS.items()))


if __name__ == "__main__":
    raise SystemExit(main())
