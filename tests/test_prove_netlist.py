"""The proof that a netlist computes what its Verilog computes: proven as it is, refuted or only tested when altered."""

from __future__ import annotations

import json
import random
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from designs import make_design, random_design

from sr2hls.builder import CircuitBuilder
from sr2hls.circuit import Op, Overflow, Rounding
from sr2hls.cli import main
from sr2hls.design import Design
from sr2hls.emit.verilog import module_name, verilog
from sr2hls.errors import ToolError
from sr2hls.formats import Format
from sr2hls.report.standing import standing
from sr2hls.synth import netlist_proof
from sr2hls.synth.aiger import DIFFERENT, EQUAL, UNKNOWN, equal
from sr2hls.synth.factors import Grid, Slice, factor
from sr2hls.synth.gate_simulation import clocked, evaluate, to_codes, to_lanes, value
from sr2hls.synth.gates import Graph, read_graph
from sr2hls.synth.mapped import Netlist, mapped_netlist
from sr2hls.synth.netlist_proof import prove_netlist


def product_design(wide: int = 22) -> Design:
    """A product wider than a multiplier block, a narrow one, a table, a sum and a saturation, in three stages."""
    b = CircuitBuilder()
    x, y = b.input("x", Format(True, wide, 8)), b.input("y", Format(False, wide - 1, 6))
    p = b.mul(x, y)
    t = b.lookup(b.slice(x, 5, 0), tuple((i * i * 37) % 251 for i in range(64)), 2)
    q = b.mul(t, b.slice(y, 6, 0))
    s = b.add(p, q)
    z = b.cast(s, Format(True, 2 * wide - 6, 10), Rounding.HALF_UP, Overflow.SATURATE)
    circuit = b.build([("z", z), ("q", q)])
    stage = {Op.INPUT: 0, Op.LOOKUP: 0, Op.SLICE: 0, Op.MUL: 1}
    cycles = tuple(stage.get(node.op, 2) for node in circuit.nodes)
    return make_design("product", circuit, cycles, register_inputs=True, register_outputs=True)


@cache
def product_netlist() -> Netlist:
    design = product_design()
    return mapped_netlist(verilog(design), module_name(design), "ecp5")


@pytest.mark.parametrize("seed", [5006, 5007, 5013])
def test_random_netlists_are_proven(seed: int) -> None:
    proof = prove_netlist(random_design(seed), seconds=30)
    assert (proof.status, proof.detail, proof.family) == ("proven", "", "ecp5")
    assert proof.vectors > 4000
    assert json.loads(json.dumps(proof.data())) == proof.data()


def test_products_of_several_blocks_are_proven() -> None:
    netlist = product_netlist()
    assert len(re.findall(r"cell \\MULT18X18D ", netlist.text)) > 2
    proof = prove_netlist(product_design(), netlist=netlist, seconds=30)
    assert (proof.status, proof.detail, proof.products) == ("proven", "", 2)


def test_a_netlist_of_7_series_cells_is_proven() -> None:
    proof = prove_netlist(random_design(5013), family="xc7", seconds=30)
    assert (proof.status, proof.detail, proof.family) == ("proven", "", "xc7")


def test_an_adder_with_two_users_stays_outside_of_the_dsp_block() -> None:
    """Yosys 0.70's own script packs it (the block then adds its port C), and not always rightly."""
    b = CircuitBuilder()
    x, y, z = (b.input(name, Format(True, 12)) for name in "xyz")
    total = b.add(b.mul(x, y), z)
    circuit = b.build([("s", total), ("t", b.mul(b.cast(total, Format(True, 12, -13)), z))])
    cycles = tuple(1 if index > total else 0 for index in range(len(circuit.nodes)))
    design = make_design("shared", circuit, cycles, register_inputs=True, register_outputs=True)
    netlist = mapped_netlist(verilog(design), module_name(design), "xc7")
    assert re.findall(r"connect \\OPMODE (\S+)", netlist.text) == ["7'0000101"] * 2
    proof = prove_netlist(design, netlist=netlist, seconds=30)
    assert (proof.status, proof.detail) == ("proven", "")


def with_cell(text: str, pattern: str, change: Any, seed: int) -> str:
    """One of a pattern's matches, changed."""
    found = list(re.finditer(pattern, text))
    chosen = random.Random(seed).choice(found)
    changed: str = change(chosen)
    return text[: chosen.start()] + changed + text[chosen.end() :]


def flipped(match: re.Match[str]) -> str:
    bits = list(match[2])
    bits[len(bits) // 3] = "10"[int(bits[len(bits) // 3])]
    return match[1] + "".join(bits)


def exchanged(match: re.Match[str]) -> str:
    return f"{match[1]}{match[4]}{match[3]}{match[2]}\n"


MUTATIONS = {
    "a bit of a lookup table": (r"(parameter \\INIT 16')([01]+)", flipped),
    "inputs of a multiplexer": (r"(connect \\ALUT )(.*)(\n *connect \\BLUT )(.*)\n", exchanged),
    "a carry cell": (r"(parameter \\INIT[01] 16')([01]+)", flipped),
    "a bit of an operand": (r"(connect \\A3 )(.*)(\n *connect \\A4 )(.*)\n", exchanged),
    "a bit of a product": (r"(connect \\P20 )(.*)(\n *connect \\P21 )(.*)\n", exchanged),
}


@pytest.mark.parametrize("name", MUTATIONS)
@pytest.mark.parametrize("seed", [1, 2])
def test_altered_netlists_are_caught(name: str, seed: int) -> None:
    """Refuted by an input; or, where the change makes no difference (a table's bit that is never read), proven."""
    netlist = product_netlist()
    text = with_cell(netlist.text, *MUTATIONS[name], seed)
    assert text != netlist.text
    proof = prove_netlist(product_design(), netlist=replace(netlist, text=text), seconds=20)
    assert proof.status == "refuted", proof
    assert re.search(
        r"output '[zq]' is -?\d+, the integer model gives -?\d+, at the codes x=-?\d+, y=\d+", proof.detail
    )


def rare_design() -> tuple[Design, str]:
    """x < y, and a text that gives the opposite for one of 2^40 inputs."""
    b = CircuitBuilder()
    x, y = b.input("x", Format(False, 20)), b.input("y", Format(False, 20))
    design = make_design("rare", b.build([("l", b.less(x, y))]), register_outputs=True)
    found = re.search(r"= (n0 < n1);", verilog(design))
    assert found
    text = verilog(design).replace(found[1], f"({found[1]}) ^ ({{n0, n1}} == 40'h1234554321)")
    return design, text


def test_one_wrong_input_of_2_to_the_40_is_found() -> None:
    design, text = rare_design()
    wrong = mapped_netlist(text, module_name(design), "ecp5")
    proof = prove_netlist(design, netlist=wrong, seconds=20)
    assert proof.status == "refuted"
    assert proof.detail.endswith(f"the integer model gives 1, at the codes x={0x12345}, y={0x54321}")
    assert prove_netlist(design, text, netlist=wrong, seconds=20).status == "proven"  # equal to that Verilog, it is


def test_what_is_not_proven_is_only_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    design, _ = rare_design()
    monkeypatch.setattr(netlist_proof, "equal", lambda *_: (UNKNOWN, {}))
    proof = prove_netlist(design, seconds=7)
    assert (proof.status, proof.detail) == ("tested", "ABC gave no answer within 7 s")
    monkeypatch.setattr(netlist_proof, "equal", lambda *_: (DIFFERENT, {}))
    proof = prove_netlist(design, seconds=7)
    assert (proof.status, proof.detail[:22]) == ("tested", "ABC found a difference")
    data: dict[str, Any] = {"outputs": [{"name": "l", "promise": "p"}], "proof": {"netlist": proof.data()}}
    (line,) = standing(data)
    assert line.endswith(f"; only tested: Yosys' ecp5 netlist on {proof.vectors} samples")
    assert "=" not in line


def test_registers_are_counted_and_begin_right() -> None:
    """A register more on the way of one bit, and out_valid that is 1 at power-up."""
    design = random_design(5007)
    text = verilog(design)
    assert design.latency > 1
    early = text.replace("initial valid = ", "initial valid = ~")
    top = module_name(design)
    proof = prove_netlist(design, netlist=mapped_netlist(early, top, "ecp5"), seconds=20)
    assert (proof.status, proof.detail) == ("refuted", "out_valid is 1 in clock cycle 0, and should not be")
    late = re.sub(
        r"assign out_valid = valid\[(\d)\];",
        r"reg w; always @(posedge clk) w <= valid[\1]; assign out_valid = w;",
        text,
    )
    assert late != text
    proof = prove_netlist(design, netlist=mapped_netlist(late, top, "ecp5"), seconds=20)
    assert proof.status == "refuted" and "out_valid is 0 in clock cycle" in proof.detail
    constant = make_design("c", _constant().circuit, register_outputs=True)
    assert prove_netlist(constant, seconds=20).status == "proven"


def _constant() -> Design:
    b = CircuitBuilder()
    return make_design("c", b.build([("y", b.constant(5)), ("z", b.input("x", Format(True, 3)))]))


def test_cells_that_no_proof_covers_are_named() -> None:
    netlist = product_netlist()
    with pytest.raises(ToolError, match="multiplier_of_tomorrow"):
        prove_netlist(
            product_design(),
            netlist=replace(netlist, text=netlist.text.replace("MULT18X18D ", "multiplier_of_tomorrow ")),
        )
    with pytest.raises(ToolError, match="netlists are proven for ecp5, xc7, not 'xcup'"):
        prove_netlist(product_design(), family="xcup")
    cell = {"type": "$_DLATCH_P_", "parameters": {}, "connections": {"E": [2], "D": [3], "Q": [4]}}
    ports = {"clk": {"direction": "input", "bits": [2]}, "y": {"direction": "output", "bits": [4]}}
    with pytest.raises(ToolError, match=r"of type .*LATCH"):
        read_graph({"ports": ports, "cells": {"l": cell}, "netnames": {}})


def test_a_multiplier_of_gates_multiplies() -> None:
    rng = random.Random(3)
    for signed in (False, True):
        graph = Graph()
        a, b = graph.word(6), graph.word(5)
        gates, block = graph.multiply(a, b, signed, 12), graph.product(a, b, signed, 12)
        state = {bit >> 1: rng.getrandbits(300) for bit in (*a, *b)}
        values = evaluate(graph, state, 300)
        results = [to_codes([value(values, bit, 300) for bit in word], 300, signed) for word in (gates, block)]
        x, y = (to_codes([state[bit >> 1] for bit in word], 300, signed) for word in (a, b))
        assert (results[0] == x * y).all() and (results[1] == x * y).all()
        limit = graph.at_most(a, 9, signed)
        values = evaluate(graph, state, 300)
        assert (to_codes([value(values, limit, 300)], 300, False) == (x <= 9)).all()
        assert to_lanes(x, 6) == [state[bit >> 1] for bit in a]


def test_abc_says_equal_or_gives_an_example() -> None:
    graph = Graph()
    a, b, c = (graph.add("input") for _ in range(3))
    left, right = graph.both(a, graph.either(b, c)), graph.either(graph.both(a, b), graph.both(a, c))
    assert equal(graph, [(left, right)], 10) == (EQUAL, {})
    answer, example = equal(graph, [(left, right), (left, graph.both(a, b))], 10)
    assert answer == DIFFERENT
    assert [example[node >> 1] for node in (a, b, c)] == [True, False, True]
    assert equal(graph, [(left, right), (left, left ^ 1)], 10)[0] == DIFFERENT
    assert equal(graph, [(left, graph.both(a, b))], 10, possible=b) == (EQUAL, {})


def test_a_toggling_register_is_simulated_from_power_up() -> None:
    graph = Graph()
    q = graph.add("register")
    graph.data, graph.start, graph.outputs = {q >> 1: q ^ 1}, {q >> 1: True}, {"y": (q,)}
    assert [found["y"] for found in clocked(graph, [{}] * 4, 2)] == [[3], [0], [3], [0]]


def test_operands_are_cut() -> None:
    assert factor([0, 4, 6, 6, 6], True).bits == (4, 6)
    assert factor([0, 4, 6, 0], True) == factor([0, 4, 6, 0, 0], False)
    grid = Grid(9, 4)
    assert grid.take(Slice(0, 5), Slice(0, 4))
    assert not grid.take(Slice(4, 5), Slice(0, 4))
    assert grid.cells() == [(Slice(0, 5), Slice(0, 4)), (Slice(5, 4), Slice(0, 4))]


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, model = tmp_path / "out", tmp_path / "f.txt"
    model.write_text("x0*x1 + x0\n")
    for arguments in (
        ["compile", str(model), "--inputs", "fixed<6,2>", "-o", str(folder)],
        ["prove", str(folder), "--prove-netlist", "--family", "ecp5"],
    ):
        with pytest.raises(SystemExit) as end:
            main(arguments)
        assert not end.value.code
    out = capsys.readouterr().out
    assert re.search(
        r"proven:    Yosys' ecp5 netlist computes what the Verilog computes, for every input \(pyosys", out
    )
    report = json.loads((folder / "report.json").read_text())
    assert report["proof"]["netlist"]["status"] == "proven"
    assert "and Yosys' ecp5 netlist = the Verilog for every input; " in report["standing"][0]
