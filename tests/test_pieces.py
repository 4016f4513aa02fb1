"""Operations in pieces: the same codes, within the clock, and what they amount to is proven, not believed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from designs import make_design
from random_circuits import random_circuit

from sr2hls.builder import CircuitBuilder
from sr2hls.circuit import Circuit, Op, Overflow, Rounding
from sr2hls.compiler import Options, compile_model
from sr2hls.design import Design
from sr2hls.formats import Format
from sr2hls.interpret import interpret
from sr2hls.load import load
from sr2hls.lower import in_pieces
from sr2hls.lower.pieces import Pieces, slow_nodes
from sr2hls.targets import load_target
from sr2hls.verify import verify_design
from sr2hls.verify.refused import Open, Wrong
from sr2hls.verify.whole import whole

ECP5, XC7 = load_target("ecp5-6"), load_target("xc7-2")
WORD = Format(True, 12, 8)


def design_of(pieces: Pieces) -> Design:
    data = json.loads(json.dumps([[w.node, str(w.op), list(w.args)] for w in pieces.wholes]))
    return replace(make_design("pieces", pieces.circuit), provenance={"pieces": data})


def random_codes(circuit: Circuit, count: int) -> dict[str, np.ndarray[Any, np.dtype[np.int64]]]:
    rng = np.random.default_rng(count)
    found = {}
    for name, index in circuit.inputs:
        word = circuit.nodes[index].format
        found[name] = rng.integers(word.least, word.greatest, count, endpoint=True)
        found[name][:2] = word.least, word.greatest
    return found


def same_codes(before: Circuit, after: Circuit) -> None:
    codes = random_codes(before, 400)
    wanted, found = interpret(before, codes), interpret(after, codes)
    assert all((wanted[name] == found[name]).all() for name in wanted)


@pytest.mark.parametrize(
    ("target", "clock"),
    [(ECP5, 3.0), (ECP5, 3.5), (XC7, 1.9), (XC7, 2.4)],
    ids=["ecp5-3", "ecp5-3.5", "xc7-1.9", "xc7-2.4"],
)
def test_pieces_of_random_circuits_are_the_same_and_proven(target: Any, clock: float) -> None:
    cut = 0
    for seed in range(12):
        circuit = random_circuit(seed, 25)
        pieces = in_pieces(circuit, target, clock)
        same_codes(circuit, pieces.circuit)
        merged = whole(design_of(pieces)).circuit
        for node, op in {entry.node: entry.op for entry in pieces.wholes}.items():  # the last of a node says it all
            assert merged.nodes[node].op is op
        for old, new in enumerate(pieces.places):
            if new >= 0:
                nodes = circuit.nodes[old], pieces.circuit.nodes[new]
                assert len({(node.format, node.low, node.high) for node in nodes}) == 1
        cut += len(pieces.wholes)
    assert cut > 5


BUILT: dict[str, Callable[[CircuitBuilder, int, int], int]] = {
    "mul": lambda b, x, y: b.mul(x, y),
    "square": lambda b, x, y: b.add(b.mul(x, x), y),
    "constant": lambda b, x, y: b.add(b.mul(x, b.constant(-183)), y),
    "add": lambda b, x, y: b.add(b.shift(x, 9), y),
    "sub": lambda b, x, y: b.sub(y, b.shift(x, 9)),
    "less": lambda b, x, y: b.less(x, y),
    "maximum": lambda b, x, y: b.maximum(x, y),
    "absolute": lambda b, x, y: b.absolute(b.sub(x, y)),
    "negate": lambda b, x, y: b.negate(b.shift(b.concat(x, y), -4)),
    "round": lambda b, x, y: b.round_to(b.concat(x, y), -5, Rounding.HALF_UP),
    "zeros": lambda b, x, y: b.leading_zeros(b.concat(x, y)),
    "table": lambda b, x, y: b.add(b.lookup(x, tuple(range(0, 8192, 2)), 8), y),
    "leaves": lambda b, x, y: b.lookup(b.slice(x, 8, 0), tuple((i * i) % 301 for i in range(512)), 3),
}


@pytest.mark.parametrize("clock", [3.0, 4.0, 5.0])
@pytest.mark.parametrize("name", BUILT)
def test_every_operation_comes_within_the_clock(name: str, clock: float) -> None:
    b = CircuitBuilder()
    x, y = b.input("x", WORD), b.input("y", WORD)
    circuit = b.build([("z", BUILT[name](b, x, y))])
    budget = clock - ECP5.overhead_ns
    if clock < 4:
        assert slow_nodes(circuit, ECP5, budget)
    pieces = in_pieces(circuit, ECP5, clock)
    assert not slow_nodes(pieces.circuit, ECP5, budget + 1e-6)
    same_codes(circuit, pieces.circuit)
    whole(design_of(pieces))


def test_wide_products_become_products_of_one_block() -> None:
    b = CircuitBuilder()
    x, y = b.input("x", Format(True, 30, 20)), b.input("y", Format(False, 24, 20))
    circuit = b.build([("z", b.mul(x, y))])
    pieces = in_pieces(circuit, ECP5, 8.0)
    blocks = [i for i, node in enumerate(pieces.circuit.nodes) if node.op is Op.MUL]
    assert len(blocks) == 4
    assert all(ECP5.area(pieces.circuit, index).dsp == 1 for index in blocks)
    same_codes(circuit, pieces.circuit)
    assert whole(design_of(pieces)).circuit.nodes[-1].op is Op.MUL


def test_what_fits_stays_and_what_cannot_be_cut_stays() -> None:
    circuit = random_circuit(3, 25)
    assert in_pieces(circuit, ECP5, 1000.0).circuit is circuit
    b = CircuitBuilder()
    saturated = b.cast(b.input("x", Format(True, 40)), Format(True, 30), overflow=Overflow.SATURATE)
    circuit = b.build([("z", saturated)])
    assert in_pieces(circuit, ECP5, 3.0).circuit == circuit


def test_false_pieces_are_refused() -> None:
    b = CircuitBuilder()
    x, y = b.input("x", WORD), b.input("y", WORD)
    circuit = b.build([("z", b.add(b.mul(x, y), b.maximum(x, y)))])
    design = design_of(in_pieces(circuit, ECP5, 3.5))
    entries = design.provenance["pieces"]
    assert {op for _, op, _ in entries} >= {"mul", "less", "select"}
    whole(design)
    for number, (node, op, args) in enumerate(entries):
        lies = [[node, other, args] for other in ("mul", "add", "sub", "less") if other != op and len(args) == 2]
        lies += [[node, op, list(reversed(args))]] if op in ("less", "select") else []
        lies += [[node, op, [*args[:-1], args[0]]], [node - 1, op, args], [len(circuit.nodes) + 10**6, op, args]]
        for lie in lies:
            changed = [*entries[:number], lie, *entries[number + 1 :]]
            with pytest.raises((Wrong, Open)):
                whole(replace(design, provenance={"pieces": changed}))


def test_a_changed_piece_is_refused() -> None:
    b = CircuitBuilder()
    circuit = b.build([("z", b.mul(b.input("x", WORD), b.input("y", WORD)))])
    design = design_of(in_pieces(circuit, ECP5, 4.0))
    nodes = design.circuit.nodes
    at = next(i for i, node in enumerate(nodes) if node.op is Op.SHIFT and nodes[node.args[0]].op is Op.SELECT)
    other = replace(nodes[at], value=nodes[at].value + 1)
    with pytest.raises(Wrong):
        whole(replace(design, circuit=replace(design.circuit, nodes=(*nodes[:at], other, *nodes[at + 1 :]))))


@pytest.mark.parametrize("formula", ["x0*x1 + 0.7*x0", "sin(x0*x1)"])
@pytest.mark.parametrize("clock", [4.0, 5.0])
def test_a_compiled_formula_meets_its_clock_and_keeps_its_proof(formula: str, clock: float) -> None:
    options = Options(inputs={"*": Format(True, 10, 8)}, clock_ns=clock, registers="both", effort="low")
    design = compile_model(load(formula), options)
    assert design.critical_ns <= clock
    assert not design.warnings
    assert design.provenance["pieces"]
    assert verify_design(design).verified
    slow = compile_model(load(formula), replace(options, clock_ns=50.0))
    assert "pieces" not in slow.provenance
    same_codes(slow.circuit, design.circuit)
