"""The proof that the Verilog computes the integer model: random designs proven, altered texts refuted or unbalanced."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from designs import make_design, random_design

from sr2hls.builder import CircuitBuilder
from sr2hls.check import claims, cones
from sr2hls.check.balance import balance
from sr2hls.check.netlist import read_netlist
from sr2hls.check.prove import Proof, prove
from sr2hls.circuit import Circuit, Op, Overflow, Rounding
from sr2hls.cli import main
from sr2hls.design import Design
from sr2hls.emit.verilog import module_name, verilog
from sr2hls.errors import MismatchError, ToolError
from sr2hls.formats import Format
from sr2hls.interpret import interpret

QUICKSTART = Path(__file__).resolve().parent.parent / "examples" / "quickstart" / "model.pkl"


@pytest.mark.parametrize("seed", range(4000, 4030))
def test_random_designs_are_proven_and_balanced(seed: int) -> None:
    design = random_design(seed)
    netlist = read_netlist(verilog(design), module_name(design))
    proof = prove(design, netlist=netlist, seconds=20)
    assert (proof.status, proof.detail, proof.counterexample) == ("proven", "", None)
    assert json.loads(json.dumps(proof.data())) == proof.data()
    found = balance(design, netlist=netlist)
    assert found.ok, found.detail
    assert {count for count in found.registers.values() if count is not None} == {design.latency}


def test_the_seeds_cover_the_vocabulary() -> None:
    designs = [random_design(seed) for seed in range(4000, 4030)]
    assert {node.op for design in designs for node in design.circuit.nodes} == set(Op)
    casts = {(n.rounding, n.overflow) for d in designs for n in d.circuit.nodes if n.op is Op.CAST}
    assert len(casts) == 4
    assert len({design.latency for design in designs}) >= 6


def table_design(bits: int = 9) -> Design:
    """f(x)·z - w, saturated to 10 bits, with a table of 2^bits entries and a product."""
    b = CircuitBuilder()
    x, z, w = (
        b.input("x", Format(True, bits, bits - 3)),
        b.input("z", Format(True, 10, 6)),
        b.input("w", Format(True, 9)),
    )
    codes = tuple((i * i * 31) % 4093 - 2000 for i in range(1 << bits))
    f = b.lookup(x, codes, 8)
    p = b.mul(f, z)
    d = b.sub(b.cast(p, Format(True, 20, 4), Rounding.HALF_UP), w)
    y = b.cast(d, Format(True, 10, 2), Rounding.FLOOR, Overflow.SATURATE)
    circuit = b.build([("y", y)])
    stage = {Op.INPUT: 0, Op.LOOKUP: 0, Op.MUL: 1}
    cycles = tuple(stage.get(node.op, 2) for node in circuit.nodes)
    return make_design("tabled", circuit, cycles, register_inputs=True, register_outputs=True)


def confirmed(design: Design, proof: Proof) -> None:
    """The counterexample is an input whose result by the interpreter is the expected one and not the found one."""
    found = proof.counterexample
    assert proof.status == "refuted"
    assert found is not None
    assert set(found.inputs) - {"in_valid"} == set(design.input_formats)
    assert found.expected != found.found
    if found.output != "out_valid":
        codes = {name: [found.inputs[name]] for name in design.input_formats}
        assert int(interpret(design.circuit, codes)[found.output][0]) == found.expected


def altered(text: str, old: str, new: str) -> str:
    """The text with the first match of a pattern replaced."""
    changed, count = re.subn(old, new, text, count=1)
    assert count == 1 and changed != text
    return changed


def test_a_large_table_is_proven_in_seconds() -> None:
    proof = prove(table_design(12), seconds=20)
    assert (proof.status, proof.input_bits) == ("proven", 31)
    assert proof.seconds < 15


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(r"(9'h05b: n3 = 13'sh0*)[1-9a-f]", r"\g<1>0", id="a table entry"),
        pytest.param(r"= (n5\S*) - (\{.*\});", r"= \2 - \1;", id="operands of the subtraction"),
        pytest.param(r"\{n2_s2\[8\], n2_s2, 4'd0\}", "{1'b0, n2_s2, 4'd0}", id="sign extension"),
        pytest.param(r"10'sh1ff", "10'sh1fe", id="a constant"),
        pytest.param(r"n3_s1 \* n1_s1", "n3_s1 * $signed(n1_s1[9:1])", id="factor"),
        pytest.param(r" \+ \{19'd0, n4_s2\[9\]\};", ";", id="rounding"),
        pytest.param(r"assign out_valid = valid\[\d\]", "assign out_valid = 1'b1", id="valid"),
        pytest.param(r"\(~(n7_r\[\d+\]) &", r"(\1 &", id="saturation"),
    ],
)
def test_altered_texts_are_refuted(old: str, new: str) -> None:
    design = table_design()
    confirmed(design, prove(design, altered(verilog(design), old, new), seconds=30))


def test_every_operator_of_a_random_text_matters() -> None:
    """Operators exchanged in random texts: refuted, or proven where the change makes no difference, never unknown."""
    swaps = [(r" \+ ", " - "), (r" < ", " <= "), (r" \* ", " + "), (r" \? (.*) : (.*);", r" ? \2 : \1;")]
    refuted = 0
    for seed in range(4100, 4106):
        design = random_design(seed)
        text = verilog(design)
        for old, new in swaps:
            if not re.search(old, re.sub("//.*", "", text)):
                continue
            changed = re.sub("//.*", "", text)
            proof = prove(design, re.sub(old, new, changed, count=1), seconds=20)
            assert proof.status in ("proven", "refuted"), (seed, old, proof)
            if proof.status == "refuted":
                confirmed(design, proof)
                refuted += 1
    assert refuted >= 8


def test_a_logical_shift_is_refuted() -> None:
    b = CircuitBuilder()
    x = b.input("x", Format(True, 9, 4))
    design = make_design("shifted", b.build([("y", b.cast(x, Format(True, 8, 2)))]))
    written = altered(verilog(design), r"(wire signed \[7:0\] n1) = .*;", r"wire signed [8:0] q = n0 >>> 2; \1 = q;")
    assert prove(design, written).status == "proven"
    confirmed(design, prove(design, written.replace(">>>", ">>")))


def test_an_undefined_value_is_no_proof() -> None:
    design = table_design(6)
    text = verilog(design)
    unknown = altered(text, r"6'h05: n3 = ..'sh...?.?;", "6'h05: n3 = 12'bx;")
    confirmed(design, prove(design, unknown))
    latch = altered(text, r"6'h05: n3 = ..'sh...?.?;", "")
    proof = prove(design, latch)
    assert (proof.status, proof.counterexample) == ("not proven", None)
    assert "$dlatch" in proof.detail
    assert "$dlatch" in balance(design, latch).detail


def test_one_register_too_many_is_found_by_the_balance_alone() -> None:
    design = table_design(6)
    late = altered(verilog(design), r"n2 <= w;", "w_late <= w; n2 <= w_late;")
    late = altered(late, r"(reg signed \[8:0\] n2;)", r"\1 reg signed [8:0] w_late;")
    assert prove(design, late).status == "proven"
    found = balance(design, late)
    assert not found.ok
    assert "paths meet at" in found.detail
    assert "w -> w_late -> n2" in found.detail
    assert "after 3 registers" in found.detail and "after 4 registers" in found.detail


def test_balance_finds_a_late_output_a_loop_and_another_clock() -> None:
    design = table_design(6)
    text = verilog(design)
    early = altered(text, r"assign out_valid = valid\[\d\]", "assign out_valid = valid[1]")
    assert "output 'out_valid' comes after 2 registers, not 4: in_valid" in balance(design, early).detail
    falling = text.replace("posedge clk", "negedge clk")
    assert "not clocked by the rising edge" in balance(design, falling).detail
    loop = altered(text, r"n2 <= w;", "n2 <= n2 + w;")
    assert "a loop: " in balance(design, loop).detail


def test_the_time_limit_gives_no_proof() -> None:
    """Two multipliers of different structure: no solver proves them equal at once."""
    b = CircuitBuilder()
    x, y, z = (b.input(name, Format(False, 20)) for name in "xyz")
    design = make_design("wide", b.build([("p", b.mul(x, b.add(y, z)))]))
    other = altered(verilog(design), r" = n0 \* (n\d+);", r" = (n0[19:9] * \1 << 9) + n0[8:0] * \1;")
    proof = prove(design, other, seconds=3)
    assert (proof.status, proof.detail, proof.counterexample) == ("not proven", "time limit", None)
    assert proof.seconds < 12


def test_the_text_must_have_the_ports() -> None:
    design = table_design(6)
    with pytest.raises(MismatchError, match="no input 'w' of 9 bits"):
        prove(design, verilog(design).replace("[8:0] w", "[7:0] w"))
    with pytest.raises(ToolError, match="yosys"):
        prove(design, "module tabled(; endmodule")


def claiming(high: int) -> Circuit:
    """x² - x in as few bits as the claim leaves, and a sum up to 31 that fits its word only where the claim is true."""
    b = CircuitBuilder()
    x = b.input("x", Format(True, 4))
    s = b.slice(b.sub(b.mul(x, x), x), 4, 0)  # 0 to 30, by intervals to 31
    return b.build([("y", b.add(b.narrow(s, 0, high), b.constant(31 - high)))])


def test_claims_are_proven_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    true, false = make_design("true", claiming(30)), make_design("false", claiming(29))
    for few in (20, 0):  # by running all inputs, by z3
        monkeypatch.setattr(claims, "_FEW_BITS", few)
        proof = prove(true)
        assert proof.status == "proven"
        assert proof.claims == {"run": int(few > 0), "solved": int(few == 0), "open": 0}
        proof = prove(false)
        assert (proof.status, proof.claims["open"]) == ("not proven", 1)
        assert "the ranges of nodes" in proof.detail


def test_names_are_only_hints() -> None:
    """Wires exchanged under the names of other nodes: proven all the same."""
    b = CircuitBuilder()
    x, y = b.input("x", Format(True, 8)), b.input("y", Format(True, 8))
    design = make_design("named", b.build([("s", b.add(x, y)), ("d", b.sub(x, y))]))
    text = verilog(design).replace("n2", "hidden").replace("n3", "n2").replace("hidden", "n3")
    assert prove(design, text).status == "proven"


def test_operands_of_products_are_compared_not_multiplied(monkeypatch: pytest.MonkeyPatch) -> None:
    b = CircuitBuilder()
    x, y = b.input("x", Format(True, 24)), b.input("y", Format(False, 24))
    design = make_design("product", b.build([("p", b.mul(b.negate(x), y))]))
    swapped = altered(verilog(design), r"(n2) \* (\$signed\(\{1'b0, n1\}\));", r"\2 * \1;")
    proof = prove(design, swapped, seconds=20)
    assert (proof.status, proof.method) == ("proven", "operation by operation")
    monkeypatch.setattr(cones._Cones, "_same", lambda *_: False)
    assert prove(design, swapped, seconds=1).status in ("proven", "not proven")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = 0
    try:
        main(arguments)
    except SystemExit as end:
        code = int(end.code or 0)
    return code, capsys.readouterr().out


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "out"
    assert run(capsys, "compile", str(QUICKSTART), "--inputs", "fixed<8,3>", "-o", str(folder))[0] == 0
    assert "proof:     not yet" in run(capsys, "show", str(folder))[1]
    code, out = run(capsys, "prove", str(folder))
    assert code == 0
    assert re.search(
        r"proven:    the Verilog computes the integer model for all 2\^24 inputs \(z3 .* s\); every p", out
    )
    report: dict[str, Any] = json.loads((folder / "report.json").read_text())
    assert report["proof"]["verilog"]["status"] == "proven"
    assert report["proof"]["balance"]["ok"]
    assert out in run(capsys, "show", str(folder))[1]
    (file,) = (folder / "verilog").glob("*.v")
    file.write_text(altered(file.read_text(), r" \+ ", " - "))
    code, out = run(capsys, "prove", str(folder))
    assert code == 2
    assert "refuted:   output 'y' is " in out
    assert json.loads(run(capsys, "prove", str(folder), "--json")[1])["proof"]["verilog"]["status"] == "refuted"


def test_not_proven_is_said_and_is_no_success(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"
    run(capsys, "compile", str(QUICKSTART), "--inputs", "fixed<8,3>", "-o", str(folder))
    monkeypatch.setattr("sr2hls.check.prove.compare", lambda *_, **__: ([cones.Answer("y", cones.UNKNOWN, {})], []))
    code, out = run(capsys, "prove", str(folder))
    assert (code, out.startswith("proof:     not proven: z3 gave no answer")) == (1, True)
