"""Factors → rows that are added: the same codes as the product, the same polynomial, fewer LUTs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sr2hls.builder import CircuitBuilder
from sr2hls.circuit import Circuit, Op
from sr2hls.emit.verilog import module_name, verilog
from sr2hls.formats import Format
from sr2hls.interpret import interpret
from sr2hls.lower import in_pieces
from sr2hls.products import chains
from sr2hls.synth.microbench import probe_design
from sr2hls.synth.yosys import yosys_counts
from sr2hls.targets import Area, load_target
from sr2hls.verify.refused import Open, Wrong
from sr2hls.verify.whole import whole

XC7, ECP5 = load_target("xc7-2-nodsp"), load_target("ecp5-6-nodsp")
FACTORS = [(8, 8), (6, 3), (2, 9), (7, 1), (11, 10), (16, 16)]


def product(x: Format, y: Format | None) -> Circuit:
    """x · y, or x · x."""
    b = CircuitBuilder()
    first = b.input("x", x)
    return b.build([("z", b.mul(first, first if y is None else b.input("y", y)))])


def drawn(circuit: Circuit, count: int = 3000) -> dict[str, np.ndarray]:
    """Corners, zeros and random codes of every input."""
    rng = np.random.default_rng(5)
    found = {}
    for place, (name, index) in enumerate(circuit.inputs):
        word = circuit.nodes[index].format
        corners = np.array([word.least, -1 if word.signed else 1, 0, word.greatest])
        corners = np.tile(corners, 4) if place else np.repeat(corners, 4)
        found[name] = np.concatenate([corners, rng.integers(word.least, word.greatest + 1, count)])
    return found


@pytest.mark.parametrize("signed", [(False, False), (False, True), (True, False), (True, True)])
@pytest.mark.parametrize("widths", FACTORS)
def test_rows_amount_to_the_product(widths: tuple[int, int], signed: tuple[bool, bool]) -> None:
    x, y = (Format(sign, width, 3) for sign, width in zip(signed, widths, strict=True))
    circuit = product(x, y)
    pieces = in_pieces(circuit, XC7, 1000.0)
    codes = drawn(circuit)
    assert (interpret(pieces.circuit, codes)["z"] == interpret(circuit, codes)["z"]).all()
    if all(word.width > 1 for word in (x, y)):
        assert not any(node.op is Op.MUL for node in pieces.circuit.nodes)
        assert whole(designed(pieces)).circuit.nodes[-1].op is Op.MUL


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("width", [2, 3, 8, 13, 16])
def test_rows_amount_to_the_square(width: int, signed: bool) -> None:
    circuit = product(Format(signed, width, 5), None)
    pieces = in_pieces(circuit, XC7, 1000.0)
    codes = drawn(circuit)
    assert (interpret(pieces.circuit, codes)["z"] == interpret(circuit, codes)["z"]).all()
    assert not any(node.op is Op.MUL for node in pieces.circuit.nodes)
    assert whole(designed(pieces)).circuit.nodes[-1].op is Op.MUL


def designed(pieces):
    design = probe_design(pieces.circuit, XC7)
    entries = [[w.node, str(w.op), [a if isinstance(a, int) else list(a) for a in w.args]] for w in pieces.wholes]
    return replace(design, provenance={"pieces": entries})


@pytest.mark.parametrize("square", [False, True])
def test_a_row_in_another_place_is_refused(square: bool) -> None:
    word = Format(True, 6, 0)
    design = designed(in_pieces(product(word, None if square else word), XC7, 1000.0))
    nodes = design.circuit.nodes
    refused = 0
    for at, node in enumerate(nodes):
        if node.op is not Op.SLICE or node.format.width != 1 or nodes[node.args[0]].op is not Op.INPUT:
            continue
        other = replace(node, value=(node.value + 1) % 6)
        with pytest.raises((Wrong, Open)):
            whole(replace(design, circuit=replace(design.circuit, nodes=(*nodes[:at], other, *nodes[at + 1 :]))))
        refused += 1
    assert refused >= 6


def test_a_chain_is_never_later_than_a_tree() -> None:
    assert [chains(rows) for rows in (1, 2, 3, 4, 8, 12, 16)] == [1, 1, 1, 2, 4, 4, 8]


@pytest.mark.parametrize("target", [XC7, ECP5], ids=lambda target: target.name)
@pytest.mark.parametrize("width", [8, 12])
@pytest.mark.parametrize("square", [False, True])
def test_rows_take_fewer_luts_than_the_synthesizer_s_product(target, width, square, tmp_path) -> None:
    """As the model says, roughly."""
    word = Format(True, width, 0)
    circuit = product(word, None if square else word)
    luts = []
    for number, held in enumerate((circuit, in_pieces(circuit, target, 1000.0).circuit)):
        design = probe_design(held, target)
        file = tmp_path / f"{number}.v"
        file.write_text(verilog(design))
        luts.append(yosys_counts(file, module_name(design), target.family, dsp=False).lut)
    assert luts[1] < 0.75 * luts[0]
    priced = sum((target.area(held, index) for index in range(len(held.nodes))), Area()).lut
    assert target.area(circuit, len(circuit.nodes) - 1).lut == pytest.approx(priced, rel=0.1)
    if target is XC7:  # the model of an ECP5 counts as nextpnr does, carry cells too
        assert priced == pytest.approx(luts[1], rel=0.25)
