"""Designs → every engine on the same vectors, compared bit for bit; many designs share one build."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from sr2hls.check import cpp, cxxrtl, hls, verilator
from sr2hls.check.compare import first_mismatch, reference
from sr2hls.check.vectors import input_vectors
from sr2hls.design import Design

ENGINES: dict[str, Callable[[Sequence[Any]], list[Any]]] = {
    "cpp": cpp.run_many,
    "verilator": verilator.run_many,
    "cxxrtl": cxxrtl.run_many,
    "hls": hls.run_many,
}


def compare_all(designs: Sequence[Design], samples: int, seed: int = 0, exhaustive_bits: int = 12) -> int:
    """Run all engines on all designs; print counts and every mismatch. The exit code: 0 when all agree."""
    cases = [
        (design, input_vectors(design, samples, seed + index, exhaustive_bits=exhaustive_bits))
        for index, design in enumerate(designs)
    ]
    start = time.perf_counter()
    expected = [reference(design, inputs) for design, inputs in cases]
    vectors = sum(len(next(iter(codes.values()))) for codes in expected)
    print(f"python: {len(designs)} designs, {vectors} vectors, {time.perf_counter() - start:.1f} s")
    wrong = 0
    for name, run in ENGINES.items():
        start = time.perf_counter()
        results = run(cases)
        mismatches = latencies = 0
        for (design, inputs), result, codes in zip(cases, results, expected, strict=True):
            found = first_mismatch(design, inputs, result, codes)
            if found is not None:
                mismatches += 1
                print(f"  {found}", file=sys.stderr)
            if result.latency is not None and result.latency != design.latency:
                latencies += 1
                print(f"  {name}: {design.name} has latency {result.latency}, not {design.latency}", file=sys.stderr)
        wrong += mismatches + latencies
        sample = next(iter(results), None)
        tool = f"{sample.tool} {sample.version}" if sample else ""
        print(
            f"{name} ({tool}): {len(designs)} designs, {vectors} vectors: {mismatches} designs with mismatches, "
            f"{latencies} wrong latencies, {time.perf_counter() - start:.1f} s"
        )
    print(f"total: {vectors * len(ENGINES)} comparisons of engines with Python, {wrong} failures")
    return int(bool(wrong))
