"""Evaluators: tables round correctly, polynomials stay within their proven error for every argument."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from flint import arb, ctx

from sr2hls.analyze.cells import Univariate
from sr2hls.analyze.evaluate import array_function
from sr2hls.analyze.interval import Interval
from sr2hls.builder import CircuitBuilder
from sr2hls.errors import DomainError, UnsupportedError
from sr2hls.formats import Format
from sr2hls.functions import FunctionSpec, choose, table
from sr2hls.functions.choose import candidates
from sr2hls.functions.cost import price_of
from sr2hls.functions.mirror import mirrored, sizes
from sr2hls.functions.reference import reference_of
from sr2hls.functions.segments import Octaves, Uniform
from sr2hls.interpret import interpret
from sr2hls.targets import load_target

T = sympy.Symbol("t", real=True)
TARGET = load_target("xc7-2")


def spec(expression, word, fraction, tolerance, low=None, high=None):
    low, high = word.least if low is None else low, word.greatest if high is None else high
    unit = arb(2) ** -word.fraction
    domain = Interval(arb(low) * unit, arb(high) * unit)
    return FunctionSpec(Univariate(expression, T, str(expression)), word, low, high, domain, fraction, arb(tolerance))


def measured(s, evaluator):
    """(result - function) for every argument code of the range."""
    b = CircuitBuilder()
    port = b.input("t", s.word)
    circuit = b.build([("y", evaluator.build(b, port))])
    codes = np.arange(s.low, s.high + 1)
    inputs = {"t": codes} if circuit.inputs else {}
    found = interpret(circuit, inputs)["y"] * 2.0 ** -circuit.nodes[circuit.outputs[0][1]].format.fraction
    return found - array_function(s.function.expression, (T,))(codes * float(s.word.ulp))


@pytest.mark.parametrize("expression", [sympy.sin(T), sympy.exp(-(T**2)) / (1 + T**2), sympy.floor(T) + T / 3])
def test_a_table_is_correctly_rounded(expression):
    s = spec(expression, Format.parse("fixed<10,3>"), 12, 2.0**-13)
    evaluator = table.plan(s)
    assert evaluator.method == "table of 1024 entries"
    assert np.abs(measured(s, evaluator)).max() <= 2.0**-13 * (1 + 1e-9)


@pytest.mark.parametrize(
    ("expression", "word", "fraction", "low"),
    [
        (sympy.sin(T), "fixed<16,3>", 14, None),
        (sympy.exp(-T), "ufixed<16,3>", 15, None),
        (sympy.tanh(T), "fixed<15,3>", 13, None),
        (1 / T, "ufixed<16,2>", 12, 1 << 8),
        (sympy.sqrt(T), "ufixed<16,1>", 14, None),
        (sympy.log(T), "ufixed<15,2>", 12, 16),
        (1 / (1 + T**2), "fixed<14,4>", 13, None),
        (sympy.sin(2 * sympy.pi * T) * sympy.cos(4 * sympy.pi * T), "ufixed<16,0>", 14, None),
    ],
)
def test_a_polynomial_is_faithful_for_every_argument(expression, word, fraction, low):
    s = spec(expression, Format.parse(word), fraction, 0.75 * 2.0**-fraction, low)
    found = [e for e in candidates([s], TARGET) if "polynomial" in e.method]
    evaluator = min(found, key=lambda e: price_of(e, s.word, TARGET).luts)
    error = measured(s, evaluator)
    least, greatest = evaluator.error.floats()
    assert least - 1e-9 * 2.0**-fraction <= error.min() and error.max() <= greatest + 1e-9 * 2.0**-fraction
    assert max(-least, greatest) <= 0.75 * 2.0**-fraction
    assert max(-least, greatest) <= 1.6 * np.abs(error).max()  # the proof is not far from the truth


def within_proof(s, evaluator):
    """Whether every argument's error lies in the proven interval, that in the tolerance; float64 errors aside."""
    error, (least, greatest), noise = measured(s, evaluator), evaluator.error.floats(), 1e-6 * 2.0**-s.fraction
    assert least - noise <= error.min() and error.max() <= greatest + noise, evaluator.method
    assert max(-least, greatest) <= s.tolerance, evaluator.method
    assert max(-least, greatest) <= np.abs(error).max() + noise, evaluator.method  # the proof is exhaustive: exact


@pytest.mark.parametrize(
    ("expression", "word", "fraction", "low", "high"),
    [
        (sympy.sin(T), "ufixed<12,0>", 12, None, None),
        (sympy.exp(-(T**2)) * sympy.cos(2 * T), "fixed<11,3>", 10, None, None),
        (sympy.tanh(T), "fixed<12,3>", 11, None, None),
        (sympy.tanh(T), "fixed<11,3>", 10, -1023, None),
        (1 / (5 + T), "fixed<11,3>", 14, -300, 900),
        (1000 * T**3, "fixed<10,2>", 1, None, None),
        (sympy.log(T), "ufixed<10,1>", 9, 37, 1001),
        (sympy.sqrt(T), "ufixed<10,0>", 10, None, None),
        (sympy.floor(2 * T) + T / 3, "fixed<9,2>", 9, None, None),
        (sympy.exp(T) / 2**40, "fixed<9,1>", 48, None, None),
        (sympy.exp(T), "ufixed<14,1>", 13, None, None),
    ],
)
def test_every_family_stays_within_its_proof_for_every_argument(expression, word, fraction, low, high):
    for ulps in (0.6, 0.75, 1.0):
        s = spec(expression, Format.parse(word), fraction, ulps * 2.0**-fraction, low, high)
        found = list(candidates([s], TARGET))
        assert found
        for evaluator in found:
            within_proof(s, evaluator)


def test_arguments_beyond_the_domain_count_as_its_end():
    word = Format.parse("fixed<10,1>")
    inside = Interval(arb(0), arb("0.9").mid())
    s = FunctionSpec(Univariate(sympy.sqrt(T + 1), T, "t"), word, -40, 500, inside, 10, arb(2) ** -10)
    codes = np.arange(s.low, s.high + 1)
    want = np.sqrt(1 + np.clip(codes * float(word.ulp), 0.0, 0.9))
    for evaluator in candidates([s], TARGET):
        b = CircuitBuilder()
        circuit = b.build([("y", evaluator.build(b, b.input("t", word)))])
        assert np.abs(interpret(circuit, {"t": codes})["y"] * 2.0**-10 - want).max() <= 2.0**-10


@pytest.mark.parametrize("width", [10, 12])
@pytest.mark.parametrize("expression", [sympy.sin(T), sympy.exp(-4 * T), sympy.log(1 + T), 1 / (1 + T)])
def test_offset_tables_beat_the_plain_table(expression, width):
    s = spec(expression, Format(False, width, width), width, 0.99 * 2.0**-width)
    plain = price_of(table.plan(s), s.word, TARGET).luts
    found = [e for e in candidates([s], TARGET) if "partite" in e.method]
    least = min(found, key=lambda e: price_of(e, s.word, TARGET).luts)
    assert price_of(least, s.word, TARGET).luts < (0.5 if width == 10 else 0.27) * plain
    assert "mirrored" in least.method or width == 10
    assert "partite" in choose(s, TARGET).method


@pytest.mark.parametrize("bits", [1, 3, 7])
def test_mirroring_complements_below_the_middle(bits):
    b = CircuitBuilder()
    upright, word = b.input("u", Format(False, 1, 0)), b.input("w", Format(False, bits, 0))
    circuit = b.build([("y", mirrored(b, upright, word, bits, 2))])
    codes = np.arange(1 << bits)
    for bit, want in ((0, codes[::-1]), (1, codes)):
        assert np.array_equal(interpret(circuit, {"u": np.full(codes.size, bit), "w": codes})["y"], want)
    assert circuit.nodes[circuit.outputs[0][1]].format == Format(False, bits, 2)
    assert {len(table.codes) for table in circuit.tables} == sizes(bits)


@pytest.mark.parametrize(
    ("expression", "odd"), [(sympy.tanh(T), "odd"), (sympy.exp(-(T**2)), "even"), (sympy.exp(T / 4), None)]
)
def test_symmetric_functions_are_folded(expression, odd):
    s = spec(expression, Format.parse("fixed<12,3>"), 11, 0.75 * 2.0**-11)
    folded = [e for e in candidates([s], TARGET) if "folded" in e.method]
    assert bool(folded) == (odd is not None)
    assert all(f"folded ({odd})" in e.method for e in folded)
    if odd == "even":  # fewer LUTs: half the arguments for one absolute value
        luts = {e.method: price_of(e, s.word, TARGET).luts for e in candidates([s], TARGET)}
        assert "folded" in min(luts, key=lambda method: luts[method])


def test_a_table_of_eight_bits_is_halved_behind_an_absolute_value():
    s = spec(sympy.exp(-(T**2) / 2) / sympy.sqrt(2 * sympy.pi), Format.parse("fixed<8,3>"), 9, 0.75 * 2.0**-9)
    luts = {e.method: price_of(e, s.word, TARGET).luts for e in candidates([s], TARGET)}
    assert "folded (even)" in min(luts, key=lambda method: luts[method])


def test_a_nearly_symmetric_function_is_not_folded():
    s = spec(sympy.exp(-(T**2)) + T / 2**9, Format.parse("fixed<12,3>"), 11, 0.75 * 2.0**-11)
    assert not [e for e in candidates([s], TARGET) if "folded" in e.method]


def test_the_choice_weighs_area_and_delay():
    for expression in (sympy.sin(T), sympy.exp(-4 * T), 1 / (1 + T)):
        s = spec(expression, Format.parse("ufixed<12,0>"), 12, 0.99 * 2.0**-12)
        prices = {e.method: price_of(e, s.word, TARGET) for e in candidates([s], TARGET)}
        taken = prices[choose(s, TARGET).method]
        for other in prices.values():
            assert taken.luts < other.luts or taken.ns <= other.ns  # none is better in both
            assert taken.luts**2 * taken.ns <= other.luts**2 * other.ns


@pytest.mark.parametrize(
    ("expression", "word", "low"),
    [
        (sympy.exp(-(T**2)) / (1 + T**2) * sympy.cos(2 * T), "fixed<12,3>", None),
        (sympy.floor(3 * T) + sympy.sqrt(T + 4), "fixed<11,3>", None),
        (1 / T, "ufixed<12,2>", 9),
        (sympy.Abs(T) * 10**6, "fixed<12,3>", None),
    ],
)
def test_the_reference_encloses_the_function(expression, word, low):
    s = spec(expression, Format.parse(word), 8, 1.0, low)
    reference = reference_of(s)
    scale = arb(2) ** reference.fraction
    with ctx.workprec(200):
        for code in np.random.default_rng(5).integers(s.low, s.high + 1, 400).tolist():
            value = s.function.at(s.argument(code)) * scale
            index = code - s.low
            assert arb(int(reference.lower[index])) <= value <= arb(int(reference.upper[index]))
    spread = (reference.upper - reference.lower).max() / np.abs(reference.upper).max()
    assert spread < 2.0**-40


@pytest.mark.parametrize(
    "segmentation", [Uniform(Format.parse("fixed<9,3>"), 3), Octaves(Format.parse("ufixed<9,3>"), 2)]
)
def test_segments_locate_every_code(segmentation):
    word = segmentation.word
    b = CircuitBuilder()
    port = b.input("t", word)
    address, offset = segmentation.build(b, port)
    circuit = b.build([("address", address), ("offset", offset)])
    codes = np.arange(word.least, word.greatest + 1)
    out = interpret(circuit, {"t": codes})
    seen = 0
    for segment in segmentation.segments(word.least, word.greatest):
        for code in range(segment.low, segment.high + 1):
            at = code - word.least
            assert out["address"][at] == segment.address
            x = segment.start + segment.width * int(out["offset"][at]) / (1 << segmentation.offset_bits)
            assert float(x) == float(word.value(code))
            seen += 1
    assert seen == codes.size


def test_failures_are_named():
    with pytest.raises(DomainError, match="1/t"):
        choose(spec(1 / T, Format.parse("fixed<8,3>"), 8, 2.0**-9), TARGET)
    with pytest.raises(UnsupportedError, match="varies too fast"):
        choose(spec(sympy.sin(T * 10**6), Format.parse("fixed<20,4>"), 14, 2.0**-14), TARGET)


def test_a_removable_singularity_at_a_code_is_no_crash():
    s = spec(sympy.sinc(T), Format.parse("fixed<12,4>"), 12, 0.75 * 2.0**-12)
    assert np.abs(measured(s, choose(s, TARGET))).max() <= 0.75 * 2.0**-12
