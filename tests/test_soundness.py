"""Seeded random formulas on random formats: bounds hold, and all engines agree bit for bit."""

from __future__ import annotations

import pytest
from drawn import draw, worst_ratio

from sr2hls.check import cpp, cxxrtl, hls, verilator
from sr2hls.check.compare import first_mismatch, reference
from sr2hls.check.vectors import input_vectors
from sr2hls.errors import Sr2hlsError


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
