"""Seeded random formulas on random formats: bounds hold, and all engines agree bit for bit."""

from __future__ import annotations

import pytest
from drawn import draw, worst_ratio

from sr2hls.check import cpp, cxxrtl, hls, verilator
from sr2hls.check.compare import first_mismatch, reference
from sr2hls.check.measure import measured_errors
from sr2hls.check.vectors import input_vectors
from sr2hls.compiler import Options, compile_model
from sr2hls.errors import DomainError, Sr2hlsError, UnsupportedError
from sr2hls.formats import Format
from sr2hls.load import load
from sr2hls.verify.folder import verify_design


@pytest.fixture(scope="module")
def drawn():
    found = []
    for seed in range(20_000, 20_400):
        try:
            found.append(draw(seed))
        except Sr2hlsError:
            continue
        if len(found) == 200:
            break
    return found


def test_measured_never_exceeds_proven(drawn):
    assert len(drawn) == 200
    for item in drawn:
        ratio, _ = worst_ratio(item, 1000)
        assert ratio <= 1.0, (item.seed, item.text, ratio)


def test_five_engines_agree(drawn):
    cases = [(item.design, input_vectors(item.design, 300, item.seed, exhaustive_bits=8)) for item in drawn[:40]]
    expected = [reference(design, inputs) for design, inputs in cases]
    for engine in (cpp, hls, verilator, cxxrtl):
        for (design, inputs), result, codes in zip(cases, engine.run_many(cases), expected, strict=True):
            assert first_mismatch(design, inputs, result, codes) is None
            assert result.latency in (None, design.latency)


def test_values_too_small_for_any_memory():
    """csch(gamma(31)) is about 10^(-10^32): its exact quotient cannot be written down."""
    design = draw(1_008_020).design
    assert design.certificate.outputs[0].bound <= 2.0**-60
    assert verify_design(design).verified


def test_numbers_of_too_different_size_are_refused_by_name():
    with pytest.raises(UnsupportedError, match="aligned to the finer one, the coarser needs 69 bits"):
        draw(1_013_006)


@pytest.mark.parametrize("text", ["max(x0,min(x1,-3.0)^(-3.3125))", "min(x0,min(x1,-3.0)^0.5,x1)"])
def test_an_operand_that_is_never_real_is_refused_by_name(text):
    with pytest.raises(DomainError, match=r"Min\(-3, x1\).* is not a real number"):
        compile_model(load(text), Options(inputs={"*": Format.parse("fixed<8,3>")}))


def test_errors_too_small_for_any_double():
    """erf(x^y), x near 0: what its argument's error makes of it in one box is below 2^-1074."""
    assert verify_design(draw(1_130_032).design).verified


@pytest.mark.parametrize("most", [1 << 14, 100])
def test_what_float64_has_no_digit_of_is_evaluated_with_more_bits(most, monkeypatch):
    """cos(2^x) up to 2^64: three quarters of all inputs look wrong in float64."""
    monkeypatch.setattr("sr2hls.check.measure._MOST_SUSPECTS", most)
    design = draw(1_146_053).design
    (found,) = measured_errors(design, {})
    assert 0.45 * 2.0**-14 < found.measured <= found.proven
    assert found.points + found.undefined == 4096
    assert (found.undefined == 0) == (most > 4096)


def test_a_clamp_whose_ends_changed_places_jumps_inside_its_band():
    """clamp(2^-15.5, 74, x0) at x0 = 0: the threshold is rounded to 0, which the certificate names as a band."""
    design = draw(1_008_035).design
    (found,) = measured_errors(design, input_vectors(design, 10))
    assert found.in_bands == 1
    assert found.measured <= found.proven
    assert verify_design(design).verified
