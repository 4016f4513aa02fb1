"""Sums and products of small tables: exact or within the stated error, verified again, fast enough for a trigger."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sympy
from flint import arb

from sr2hls.analyze.interval import Interval
from sr2hls.builder import CircuitBuilder
from sr2hls.compiler import Options, compile_model
from sr2hls.formats import Format
from sr2hls.interpret import interpret
from sr2hls.load import load
from sr2hls.lower.arrival import Arrivals, sum_by_arrival
from sr2hls.lower.linear import Term
from sr2hls.lower.tabled_product import can_be_tabled, tabled_product
from sr2hls.lower.tabled_sum import tabled_sum
from sr2hls.targets import load_target
from sr2hls.verify import verify_design
from sr2hls.wordlength import Limits

TARGET = load_target("vu9p-2")
PUBLISHED = Path(__file__).resolve().parent.parent / "examples" / "jets" / "published.txt"


@pytest.mark.parametrize(
    ("first", "second", "cuts"),
    [
        ("fixed<7,3>", "fixed<6,2>", (0, 0)),
        ("ufixed<5,2>", "fixed<8,3>", (0, 0)),
        ("ufixed<4,0>", "ufixed<3,5>", (0, 0)),
        ("fixed<8,1>", "fixed<7,7>", (2, 1)),
        ("fixed<2,1>", "fixed<9,1>", (0, 4)),
    ],
)
@pytest.mark.parametrize("constant", [(0, 0), (-5, 9), (3, 2)])
def test_tabled_products_are_exact(first, second, cuts, constant):
    words = [Format.parse(first), Format.parse(second)]
    b = CircuitBuilder()
    nodes = [b.input(name, word) for name, word in zip("xy", words, strict=True)]
    assert can_be_tabled(b, *nodes, cuts)
    circuit = b.build([("z", tabled_product(b, *nodes, cuts, constant, Arrivals(b, TARGET)))])
    codes = np.array(list(itertools.product(*(range(w.least, w.greatest + 1) for w in words))), dtype=np.int64).T
    found = interpret(circuit, dict(zip("xy", codes, strict=True)))["z"]
    out = circuit.nodes[circuit.outputs[0][1]].format
    kept = [(code >> cut << cut) * 2.0**-w.fraction for code, cut, w in zip(codes, cuts, words, strict=True)]
    assert np.array_equal(found * 2.0**-out.fraction, kept[0] * kept[1] + constant[0] * 2.0 ** -constant[1])
    assert not any(TARGET.area(circuit, index).dsp for index in range(len(circuit.nodes)))


def test_a_factor_whose_highest_bit_never_changes():
    b = CircuitBuilder()
    x, y = b.input("x", Format.parse("ufixed<6,0>")), b.input("y", Format.parse("fixed<7,1>"))
    below = b.sub(x, b.constant(70, 6))  # 7 bits and a sign, always below zero
    assert b[below].high < 0
    circuit = b.build([("z", tabled_product(b, below, y, (0, 0), (0, 0), Arrivals(b, TARGET)))])
    codes = np.array(list(itertools.product(range(64), range(-64, 64))), dtype=np.int64).T
    out = circuit.nodes[circuit.outputs[0][1]].format
    found = interpret(circuit, {"x": codes[0], "y": codes[1]})["z"]
    assert np.array_equal(found * 2.0**-out.fraction, (codes[0] - 70) * codes[1] * 2.0**-12)


@pytest.mark.parametrize("fraction", [3, 6, 9])
def test_tabled_sums_keep_their_error(fraction):
    words = [Format.parse(text) for text in ("fixed<8,3>", "ufixed<5,2>", "fixed<3,1>")]
    scales = [sympy.Rational(1) / sympy.pi, sympy.Rational(-77, 50), sympy.Integer(2)]
    constant = sympy.Rational(1, 3)
    b = CircuitBuilder()
    nodes = [b.input(name, word) for name, word in zip("xyz", words, strict=True)]
    terms = [Term(k, node, Interval.of(-4, 4)) for k, node in zip(scales, nodes, strict=True)]
    result = tabled_sum(b, terms, constant, fraction, arb(0), Arrivals(b, TARGET))
    assert result is not None
    circuit = b.build([("s", result.node)])
    codes = np.array(list(itertools.product(*(range(w.least, w.greatest + 1) for w in words))), dtype=np.int64).T
    out = circuit.nodes[circuit.outputs[0][1]].format
    assert out.fraction == fraction
    got = interpret(circuit, dict(zip("xyz", codes, strict=True)))["s"] * 2.0**-fraction
    want = sum(float(k) * code * 2.0**-w.fraction for k, code, w in zip(scales, codes, words, strict=True)) + 1 / 3
    error = got - want
    low, high = result.error.floats()
    assert low - 1e-12 <= error.min()
    assert error.max() <= high + 1e-12
    assert max(-low, high) <= 0.8 * 2.0**-fraction  # rounded once, tables a little


def test_what_is_late_is_added_last():
    b = CircuitBuilder()
    early = [b.input(name, Format.parse("fixed<8,3>")) for name in "abc"]
    late = b.mul(early[0], early[1])
    arrivals = Arrivals(b, TARGET)
    total = sum_by_arrival(b, [(1, late), *((-1, node) for node in early)], arrivals)
    assert late in b[total].args
    circuit = b.build([("s", total)])
    found = interpret(circuit, {"a": np.array([8]), "b": np.array([-4]), "c": np.array([1])})["s"]
    out = circuit.nodes[circuit.outputs[0][1]].format
    assert float(found[0]) * 2.0**-out.fraction == 8 * -4 * 2.0**-10 - (8 - 4 + 1) * 2.0**-5


@pytest.fixture(scope="module")
def published():
    """The five jet formulas, each within two cycles of 5 ns and without a multiplier."""
    options = Options(
        inputs={"*": Format.parse("fixed<8,3>")},
        output={"*": Format.parse("fixed<9,4>")},
        max_error_ulps=1.0,
        target="vu9p-2",
        clock_ns=5.0,
        limits=Limits(latency=2, dsp=0),
        effort="low",
    )
    return {name: compile_model(load(PUBLISHED, output=name), options) for name in "gqtwz"}


def test_the_published_jet_formulas_take_two_cycles_and_no_multiplier(published):
    functions = 0
    for name, design in published.items():
        assert design.latency <= 2, name
        assert not design.warnings
        assert not any(design.target.area(design.circuit, index).dsp for index in range(len(design.circuit.nodes)))
        (output,) = design.certificate.outputs
        assert output.bound <= output.target == 2.0**-5
        assert verify_design(design).verified, name
        functions += sum(node.kind == "function" for node in design.certificate.nodes)
    assert functions <= 18


def test_an_altered_entry_is_refused(published):
    design = published["z"]
    tables = {t.name: index for index, t in enumerate(design.circuit.tables)}
    for kind in ("digits", "scaled"):
        index = next(index for name, index in tables.items() if name.startswith(kind))
        table = design.circuit.tables[index]
        codes = list(table.codes)
        at = next(i for i, code in enumerate(codes) if code < max(codes) - 1)
        codes[at] += 1 if kind == "digits" else (max(codes) - codes[at])
        changed = replace(table, codes=tuple(codes))
        circuit = replace(
            design.circuit,
            tables=(*design.circuit.tables[:index], changed, *design.circuit.tables[index + 1 :]),
        )
        assert not verify_design(replace(design, circuit=circuit), totals=False).verified
