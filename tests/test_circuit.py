"""The vocabulary: formats, the builder's derivations, the checker's rules, exact ranges."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from random_circuits import random_circuit

from sr2hls.builder import CircuitBuilder
from sr2hls.checker import checked
from sr2hls.circuit import Circuit, Node, Op, Overflow, Rounding
from sr2hls.errors import CircuitError, FormatError, UnsupportedError
from sr2hls.formats import Format
from sr2hls.interpret import interpret


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fixed<12,4>", Format(True, 12, 8)),
        ("ap_ufixed<8,0>", Format(False, 8, 8)),
        (" ap_fixed< 16 , -2 >", Format(True, 16, 18)),
        ("int<5>", Format(True, 5, 0)),
        ("uint<9>", Format(False, 9, 0)),
    ],
)
def test_formats_read(text, expected):
    assert Format.parse(text) == expected
    assert Format.parse(str(expected)) == expected


@pytest.mark.parametrize("text", ["fixed<12>", "float", "fixed<0,0>", "int<4,2>", "fixed<64,4>", "fixed<12,4", ""])
def test_bad_formats_are_refused(text):
    with pytest.raises(FormatError):
        Format.parse(text)


def test_least_for_is_least():
    for low in range(-9, 9):
        for high in range(low, 9):
            fmt = Format.least_for(low, high, 0)
            assert fmt.holds(low, high)
            if fmt.width > 1:
                assert not Format(fmt.signed, fmt.width - 1, 0).holds(low, high)


@pytest.mark.parametrize("seed", range(60))
def test_codes_stay_in_the_ranges_of_every_node(seed):
    circuit = random_circuit(seed, 25)
    nodes = tuple((f"n{i}", i) for i in range(len(circuit.nodes)))
    rng = np.random.default_rng(seed)
    inputs = {
        name: rng.integers(circuit.nodes[i].low, circuit.nodes[i].high, 300, endpoint=True)
        for name, i in circuit.inputs
    }
    codes = interpret(Circuit(circuit.nodes, nodes, circuit.tables), inputs)
    for name, index in nodes:
        node = circuit.nodes[index]
        assert node.low <= codes[name].min() and codes[name].max() <= node.high
        assert node.format.holds(node.low, node.high)


def test_the_builder_shares_folds_and_drops():
    b = CircuitBuilder()
    x = b.input("x", Format.parse("fixed<8,4>"))
    assert b.add(x, x) == b.add(x, x)
    assert b[b.mul(b.constant(3), b.constant(5))].value == 15
    assert b[b.sub(x, x)].value == 0 and b[b.less(x, x)].value == 0 and b[b.equal(x, x)].value == 1
    assert b[b.mul(x, b.less(x, b.constant(0)))].op is Op.SELECT
    b.mul(x, x)  # unused
    circuit = b.build([("y", b.add(x, b.constant(1, 4)))])
    assert [node.op for node in circuit.nodes] == [Op.INPUT, Op.CONSTANT, Op.ADD]


def test_minimum_and_maximum_have_tight_ranges():
    b = CircuitBuilder()
    x = b.input("x", Format.parse("int<8>"))
    inside = b.minimum(b.maximum(x, b.constant(-5)), b.constant(9))
    assert (b[inside].low, b[inside].high) == (-5, 9)


def test_a_word_too_wide_names_its_origin():
    b = CircuitBuilder()
    b.origin = "x^4"
    x = b.input("x", Format.parse("fixed<20,4>"))
    with pytest.raises(UnsupportedError, match=r"x\^4"):
        b.mul(b.mul(x, x), b.mul(x, x))


@pytest.mark.parametrize("rounding", list(Rounding))
@pytest.mark.parametrize("overflow", list(Overflow))
def test_a_cast_is_exact_rounding(rounding, overflow):
    b = CircuitBuilder()
    x = b.input("x", Format.parse("fixed<8,4>"))
    word = Format.parse("fixed<5,3>")
    circuit = b.build([("y", b.cast(x, word, rounding, overflow))])
    codes = np.arange(-128, 128)
    found = interpret(circuit, {"x": codes})["y"]
    for code, result in zip(codes.tolist(), found.tolist(), strict=True):
        exact = Fraction(code, 4)  # in units of the result's ulp
        want = (exact + Fraction(1, 2)).__floor__() if rounding is Rounding.HALF_UP else exact.__floor__()
        want = max(-16, min(15, want)) if overflow is Overflow.SATURATE else word.wrap(want)
        assert result == want


def adder() -> Circuit:
    b = CircuitBuilder()
    x, y = b.input("x", Format.parse("fixed<8,4>")), b.input("y", Format.parse("fixed<6,3>"))
    return b.build([("s", b.add(x, y))])


def broken(**fields) -> Circuit:
    circuit = adder()
    return replace(circuit, nodes=(*circuit.nodes[:2], replace(circuit.nodes[2], **fields)))


@pytest.mark.parametrize(
    "circuit",
    [
        broken(args=(0,)),
        broken(args=(0, 2)),
        broken(low=-1000),
        broken(high=5),
        broken(format=Format(True, 12, 3)),
        broken(format=Format(True, 4, 4)),
        broken(op=Op.LESS),
        broken(op=Op.LEADING_ZEROS, args=(0,)),
        broken(op=Op.LOOKUP, args=(0,), table=0),
        replace(adder(), outputs=(("x", 2),)),
        replace(adder(), outputs=(("s", 9),)),
        replace(adder(), outputs=(("a b", 2),)),
        replace(adder(), outputs=(("s", 0),)),
        replace(adder(), nodes=(*adder().nodes, Node(Op.CONSTANT, (), Format(False, 1, 0), 1, 1, value=1))),
    ],
)
def test_the_checker_finds_broken_rules(circuit):
    with pytest.raises(CircuitError):
        checked(circuit)


def test_interpret_refuses_bad_codes():
    circuit = adder()
    with pytest.raises(FormatError, match="'y'"):
        interpret(circuit, {"x": [1]})
    with pytest.raises(FormatError, match="outside"):
        interpret(circuit, {"x": [1000], "y": [0]})
    with pytest.raises(FormatError, match="integers"):
        interpret(circuit, {"x": [0.5], "y": [0]})
    with pytest.raises(FormatError, match="shapes"):
        interpret(circuit, {"x": [1, 2], "y": [0]})
