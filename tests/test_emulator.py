"""The C++ header against exact arithmetic and the interpreter, bit for bit, with every sanitizer warning an error."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from designs import make_design, random_design
from exact import exact
from extreme_circuits import WIDTHS, cast_circuit, edge_codes, wide_circuit

from sr2hls.builder import CircuitBuilder
from sr2hls.check import cpp, gxx
from sr2hls.circuit import Overflow, Rounding
from sr2hls.design import Design
from sr2hls.emit.design_json import short_digest
from sr2hls.emit.emulator import emulator
from sr2hls.errors import FormatError, ToolError
from sr2hls.formats import Format
from sr2hls.interpret import interpret

GOLDEN = Path(__file__).parent / "golden"
SANITIZED = (*cpp.SANITIZED, "-Wconversion", "-Wpedantic", "-Wno-tautological-compare")


def extreme_designs() -> list[Design]:
    circuits = [cast_circuit(signed, width) for signed in (False, True) for width in WIDTHS]
    return [make_design(f"edge_{i}", circuit) for i, circuit in enumerate([*circuits, wide_circuit()])]


def disagreements(design: Design, inputs: dict, outputs: dict) -> list[str]:
    """Outputs that differ from the interpreter, or from exact arithmetic on the first 25 samples."""
    expected = interpret(design.circuit, inputs)
    wrong = [
        name
        for name in expected
        if not np.array_equal(np.broadcast_to(expected[name], outputs[name].shape), outputs[name])
    ]
    for sample in range(min(25, *(len(column) for column in outputs.values()))):
        codes = exact(design.circuit, {name: int(column[sample]) for name, column in inputs.items()})
        wrong += [f"{name} at sample {sample}" for name, code in codes.items() if code != outputs[name][sample]]
    return wrong


def test_random_and_extreme_designs_are_bit_exact_without_undefined_behavior() -> None:
    designs = [random_design(seed) for seed in range(64)] + extreme_designs()
    cases = [(design, edge_codes(design.circuit, 400, seed)) for seed, design in enumerate(designs)]
    results = cpp.run_many(cases, flags=SANITIZED)
    assert len(results) == len(designs)
    for (design, inputs), result in zip(cases, results, strict=True):
        assert list(result.outputs) == list(design.output_formats)
        assert disagreements(design, inputs, result.outputs) == [], design.name


def test_optimized_build_agrees() -> None:
    cases = [(design, edge_codes(design.circuit, 1001, 7)) for design in (*extreme_designs()[::5], random_design(4))]
    for (design, inputs), result in zip(cases, cpp.run_many(cases, flags=("-O3",), batch=2, jobs=2), strict=True):
        assert disagreements(design, inputs, result.outputs) == [], design.name


def test_a_wrong_header_is_noticed() -> None:
    design = random_design(0)
    inputs = edge_codes(design.circuit, 400)
    text = re.sub(r"= in\.(\w+) & ", r"= (in.\1 + 1) & ", emulator(design))
    text = re.sub(r"= \(\(in\.(\w+) & ", r"= (((in.\1 + 1) & ", text)
    assert text != emulator(design)
    assert disagreements(design, inputs, cpp.run(design, inputs, text).outputs)


def test_awkward_port_names_and_no_inputs() -> None:
    b = CircuitBuilder()
    fmt = Format(True, 5, 2)
    names = ["class", "int", "in", "out", "i", "n", "n0", "result", "Inputs", "evaluate"]
    total = b.input(names[0], fmt)
    for name in names[1:]:
        total = b.add(total, b.input(name, fmt))
    awkward = make_design("double", b.build([("namespace", total), ("digest", b.negate(total))]))
    constant = CircuitBuilder()
    fixed = make_design("fixed", constant.build([("y", constant.constant(-7, 3))]))
    cases = [(awkward, edge_codes(awkward.circuit, 100)), (fixed, {})]
    results = cpp.run_many(cases, flags=SANITIZED)
    assert disagreements(*cases[0], results[0].outputs) == []
    assert results[1].outputs["y"].tolist() == [-7]


def test_inputs_that_do_not_suit_are_refused() -> None:
    design = random_design(3)
    codes = edge_codes(design.circuit, 5)
    with pytest.raises(FormatError, match="no codes for the input 'x1'"):
        cpp.run(design, {"x0": codes["x0"]})
    with pytest.raises(FormatError, match="different lengths"):
        cpp.run(design, {**codes, "x1": codes["x1"][:2]})
    with pytest.raises(FormatError, match="integers"):
        cpp.run(design, {**codes, "x1": codes["x1"] / 2})


def test_a_missing_compiler_and_a_broken_text_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    design = random_design(3)
    with pytest.raises(ToolError, match="refused the generated C"):
        cpp.run(design, edge_codes(design.circuit, 5), "namespace random_3 { int = ; }")
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(ToolError, match="apt-get install g"):
        cpp.run(design, edge_codes(design.circuit, 5))


HARNESS = """
#include "speed.h"
#include <cstdio>
int main() {
    using namespace golden;
    // rounding: ties up; saturation; NaN; codes are what the port holds
    const double values[] = {0.0, 0.125, 0.0625, -0.0625, 0.1874999, 7.9, 1e300, -1e300, NAN, INFINITY, -INFINITY};
    for (double value : values) std::printf("%lld ", static_cast<long long>(to_codes(InputValues{value, 0}).x0));
    std::printf("| %g ", to_values(Outputs{-3, 0}).y);
    // the port takes the low bits: 64 + 5 is 5 in 6 bits
    std::printf("| %d\\n", evaluate(Inputs{69, 3}).y == evaluate(Inputs{5, 3}).y);
}
"""


def golden_design() -> Design:
    """A small design with a table, a comparison, roundings both ways and a comment that wants to escape."""
    b = CircuitBuilder()
    x0, x1 = b.input("x0", Format(True, 6, 3)), b.input("x1", Format(False, 3, 0))
    b.origin = "sin(x1) \\"
    sine = b.lookup(x1, (0, 13, 15, 2, -12, -15, -4, 11), 4, "sin")
    b.origin = "x0*sin(x1)"
    product = b.mul(x0, sine)
    b.origin = "round(x0*sin(x1)); */ int y;\n#error no"
    y = b.cast(product, Format(True, 5, 3), Rounding.HALF_UP, Overflow.SATURATE)
    b.origin = "x0 > 1"
    z = b.select(b.less(b.constant(1), x0), b.leading_zeros(x1), b.constant(3, 1))
    return make_design("golden", b.build([("y", y), ("z", z)]), register_inputs=True)


def without_digest(text: str, design: Design) -> str:
    assert short_digest(design) in text
    return text.replace(short_digest(design), "DIGEST").replace(design.target.part, "PART")


def test_golden_text() -> None:
    design = golden_design()
    assert without_digest(emulator(design), design) == (GOLDEN / "emulator.h").read_text()


def test_conversions_of_values(tmp_path: Path) -> None:
    (tmp_path / "speed.h").write_text(emulator(golden_design()))
    (tmp_path / "main.cpp").write_text(HARNESS)
    flags = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror", *cpp.SANITIZED)
    subprocess.run([gxx.compiler(), "-std=c++17", *flags, "main.cpp", "-o", "main"], cwd=tmp_path, check=True)
    done = subprocess.run([str(tmp_path / "main")], capture_output=True, text=True, check=True)
    assert done.stdout == "0 1 1 0 1 31 31 -32 0 31 -32 | -0.375 | 1\n"
