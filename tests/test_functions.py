"""Evaluators: tables round correctly, polynomials stay within their proven error for every argument."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from flint import arb

from sr2hls.analyze.cells import Univariate
from sr2hls.analyze.evaluate import array_function
from sr2hls.analyze.interval import Interval
from sr2hls.builder import CircuitBuilder
from sr2hls.errors import DomainError, UnsupportedError
from sr2hls.formats import Format
from sr2hls.functions import FunctionSpec, choose
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
    evaluator = choose(s, TARGET)
    assert "table" in evaluator.method
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
    evaluator = choose(s, TARGET)
    assert "polynomial" in evaluator.method
    error = measured(s, evaluator)
    least, greatest = evaluator.error.floats()
    assert least - 1e-9 * 2.0**-fraction <= error.min() and error.max() <= greatest + 1e-9 * 2.0**-fraction
    assert max(-least, greatest) <= 0.75 * 2.0**-fraction
    assert max(-least, greatest) <= 1.6 * np.abs(error).max()  # the proof is not far from the truth


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
