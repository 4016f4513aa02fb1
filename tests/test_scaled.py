"""Evaluators of one octave between shifts: faithful for every argument, proven for wide ones, verified."""

from __future__ import annotations

import random

import numpy as np
import pytest
import sympy
from flint import arb
from mutants import applied, data_of, fate, mutants
from test_functions import TARGET, T, measured, spec, within_proof

from sr2hls.analyze.cells import Univariate
from sr2hls.analyze.interval import Interval
from sr2hls.builder import CircuitBuilder
from sr2hls.circuit import Op
from sr2hls.compiler import Options, compile_model
from sr2hls.formats import Format
from sr2hls.functions import FunctionSpec, choose, scaled
from sr2hls.functions.choose import candidates
from sr2hls.interpret import interpret
from sr2hls.load import load
from sr2hls.verify import verify_design

HALF = sympy.Rational(1, 2)


def around(s):
    return [e for e in candidates([s], TARGET) if "scaled" in e.method]


@pytest.mark.parametrize(
    ("expression", "law"),
    [
        (3 / T, (1, -1, 0)),
        (sympy.sqrt(2 * T), (2, 1, 0)),
        (-(T ** (-3 * HALF)), (2, -3, 0)),
        (T**-2 / 3, (1, -2, 0)),
        (2 * sympy.log(3 * T) + 1, (1, 0, 2 * sympy.log(2))),
        (sympy.sqrt(T) + 1, None),
        (sympy.cbrt(T), None),
        (1 / (1 + T), None),
        (sympy.exp(T), None),
        (sympy.log(T) / T, None),
    ],
)
def test_the_law_of_a_function(expression, law):
    found = scaled.law_of(Univariate(expression, T, "t"))
    assert (None if found is None else (found.span, found.fall, found.step)) == law


@pytest.mark.parametrize(
    ("expression", "word", "fraction", "low", "high"),
    [
        (sympy.sqrt(T), "ufixed<12,0>", 12, None, None),
        (sympy.sqrt(T), "fixed<13,2>", 10, 0, 3001),
        (1 / T, "ufixed<13,4>", 9, 131, 8000),
        (-2 / T, "ufixed<12,4>", 9, 131, None),
        (T ** (-3 * HALF), "ufixed<12,4>", 8, 200, None),
        (T ** (3 * HALF), "ufixed<12,2>", 9, None, None),
        (1 / T**2, "ufixed<12,4>", 7, 90, 4000),
        (sympy.log(T), "ufixed<14,4>", 11, 3, None),
        (1 - sympy.log(5 * T) / 2, "ufixed<13,4>", 11, 40, None),
    ],
)
def test_scaled_evaluators_stay_within_their_proof_for_every_argument(expression, word, fraction, low, high):
    for ulps, spare in ((0.75, 0), (0.999, 1)):
        s = spec(expression, Format.parse(word), fraction, ulps * 2.0**-fraction, low, high)
        s = FunctionSpec(s.function, s.word, s.low, s.high, s.domain, s.fraction, s.tolerance, spare)
        found = around(s)
        assert found, (ulps, spare)
        for evaluator in found:
            within_proof(s, evaluator)


@pytest.mark.parametrize(
    ("expression", "word", "fraction", "low"),
    [
        (sympy.sqrt(T), "ufixed<20,4>", 12, 0),
        (1 / T, "ufixed<20,4>", 11, 1 << 13),
        (sympy.log(T), "ufixed<20,4>", 12, 7),
    ],
)
def test_wide_arguments_are_proven_octave_by_octave(expression, word, fraction, low):
    s = spec(expression, Format.parse(word), fraction, 0.75 * 2.0**-fraction, low)
    s = FunctionSpec(s.function, s.word, s.low, s.high, s.domain, s.fraction, s.tolerance, 1)
    evaluator = choose(s, TARGET)
    assert "scaled" in evaluator.method
    error, (least, greatest) = measured(s, evaluator), evaluator.error.floats()
    assert least <= error.min() and error.max() <= greatest <= 0.75 * 2.0**-fraction
    assert max(-least, greatest) <= 1.35 * np.abs(error).max()  # the proof is not far from the truth


def test_arguments_below_the_domain_are_clamped_before_the_shift():
    word = Format.parse("ufixed<12,4>")
    inside = Interval(arb(77) / 256, arb(3737) / 256)
    s = FunctionSpec(Univariate(1 / T, T, "t"), word, 0, 4095, inside, 9, arb(2) ** -9)
    codes = np.arange(4096)
    want = 1 / np.clip(codes * float(word.ulp), 77 / 256, 3737 / 256)
    found = around(s)
    assert found
    for evaluator in found:
        b = CircuitBuilder()
        circuit = b.build([("y", evaluator.build(b, b.input("t", word)))])
        value = interpret(circuit, {"t": codes})["y"] * 2.0 ** -circuit.nodes[circuit.outputs[0][1]].format.fraction
        assert np.abs(value - want).max() <= float(evaluator.error.magnitude) + 1e-12 <= 2.0**-9 + 1e-12


def test_zero_has_the_root_zero():
    s = spec(sympy.sqrt(T), Format.parse("ufixed<20,4>"), 12, 0.75 * 2.0**-12)
    assert measured(s, choose(s, TARGET))[0] == 0.0


def test_a_scaled_evaluator_is_smaller_where_the_argument_spans_octaves():
    s = spec(1 / T, Format.parse("ufixed<14,4>"), 10, 0.999 * 2.0**-10, 256)
    from sr2hls.functions.cost import price_of

    luts = {e.method: price_of(e, s.word, TARGET).luts for e in candidates([s], TARGET)}
    assert min(v for k, v in luts.items() if "scaled" in k) < 0.65 * min(
        v for k, v in luts.items() if "scaled" not in k
    )


@pytest.mark.parametrize(
    ("text", "word", "options"),
    [
        ("1/(x + y)", "ufixed<21,4>", {"ranges": {"*": (0.5, 12.0)}, "max_error": 2e-4}),
        ("sqrt(x + y)", "ufixed<22,4>", {"max_error": 1e-3}),
    ],
)
def test_wide_designs_with_shifts_are_verified(text, word, options):
    inputs = {"*": Format.parse(word)}
    design = compile_model(load(text), Options(inputs=inputs, name="f", effort="low", **options))
    assert any("scaled" in node.method for node in design.certificate.nodes)
    assert any(node.op is Op.LEADING_ZEROS for node in design.circuit.nodes)
    verdict = verify_design(design)
    assert verdict.verified, verdict


def test_altered_numbers_of_a_wide_design_with_shifts_are_refused():
    inputs, ranges = {"*": Format.parse("ufixed<21,4>")}, {"*": (0.5, 12.0)}
    options = Options(inputs=inputs, ranges=ranges, name="f", max_error=1e-3, effort="low")
    data, rng = data_of(compile_model(load("1/(x + y)"), options)), random.Random(7)
    every = list(mutants(data, rng, tables=30, ways=1))
    tables = [m for m in every if m.place[0] == "tables"]
    nodes = [m for m in every if m.place[0] == "nodes"]
    for mutant in [*rng.sample(tables, 15), *rng.sample(nodes, 15)]:
        assert fate(applied(data, mutant))[0] != "missed", mutant
