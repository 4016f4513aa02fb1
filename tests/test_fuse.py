"""Fusion: maximal one-variable regions, shared arguments, native kinks and jumps over wide symbols."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sr2hls.analyze.evaluate import array_function
from sr2hls.analyze.repair import formula_of
from sr2hls.errors import UnsupportedError
from sr2hls.load import load
from sr2hls.model import symbol
from sr2hls.program import Kind, kind_of
from sr2hls.rewrite.fuse import fuse

PUBLISHED = Path(__file__).resolve().parent.parent / "examples" / "jets" / "published.txt"


def program(text, narrow=("x0", "x1", "x2", "x3")):
    return fuse(load(text), narrow)


def kinds(text, **options):
    return sorted(str(a.kind) for a in program(text, **options).assignments)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("exp(-x0^2)/(1+x0)", ["function"]),
        ("x0*sin(x1) + 0.25*x2", ["function", "linear", "product"]),
        ("sin(x0+x1)*cos(x0+x1)", ["function", "turns"]),
        ("sin(2*x0+2*x1)*exp(x0+x1)", ["function", "linear"]),
        ("x0/x1", ["function", "product"]),
        ("x0^x1", ["function", "function", "product"]),
        ("3*x0", ["linear"]),
        ("2.5", ["linear"]),
        ("max(x0, x1)", ["maximum"]),
        ("greater(x0, x1)", ["less"]),
        ("abs(x0 - x1)", ["absolute", "linear"]),
    ],
)
def test_kinds(text, expected):
    assert kinds(text) == expected


def test_over_wide_inputs_kinks_are_native_and_powers_multiply():
    assert kinds("abs(x0)", narrow=()) == ["absolute"]
    assert kinds("x0^3", narrow=()) == ["product", "product"]
    assert kinds("cond(x0, exp(x0))", narrow=()) == ["function", "less", "linear", "select"]


def test_the_published_jets_need_18_trigonometric_evaluators():
    found = fuse(load(PUBLISHED), ("x2", "x3", "x14", "x15"))
    trigonometric = [
        a for a in found.assignments if a.kind is Kind.FUNCTION and ("sin" in a.origin or "cos" in a.origin)
    ]
    assert len(trigonometric) == 18
    assert not [a for a in found.assignments if a.kind is Kind.FUNCTION and a not in trigonometric]


def test_outputs_that_share_a_value_have_their_own_words():
    found = program("a = x0*x1; b = x0*x1; c = a + 1")
    assert len({held for _, held in found.outputs}) == 3
    assert sum(a.kind is Kind.PRODUCT for a in found.assignments) == 1


@pytest.mark.parametrize(
    "text",
    [
        "x0*sin(x1) + 0.3*x2",
        "sin(x0+2*x1+1)*cos(x0+2*x1+1) + round(x0*x1) - floor(x2/x3)",
        "sign(x0-x1)*max(x0,x1,x2) + mod(x0+x1, 0.7)",
        "clamp(x0*x1, -1, x2) + logical_or(x0, x1) + greater_equal(x0*x2, x1)",
        "(x0+x1)^5 - 2*(x0+x1)^3 + exp(x2)^x3",
        "less_equal(x0+x1,x2) + ifelse(x0-x1,x2,x3) + hypot(x0,x1)",
    ],
)
@pytest.mark.parametrize("narrow", [(), ("x0", "x1", "x2", "x3")])
def test_a_program_is_the_formula(text, narrow):
    model = load(text)
    found = fuse(model, narrow)
    assert all(kind_of(a.expression) is a.kind for a in found.assignments)
    symbols = [symbol(name) for name in ("x0", "x1", "x2", "x3")]
    points = np.random.default_rng(5).uniform(0.3, 2.0, (4, 500))
    want = array_function(model.outputs[0].expression, symbols)(*points)
    have = array_function(formula_of(found, found.outputs[0][1]), symbols)(*points)
    np.testing.assert_allclose(have, want, rtol=1e-9, atol=1e-9)


def test_what_hardware_cannot_do_is_named():
    with pytest.raises(UnsupportedError, match="modulus"):
        program("mod(x0, x1)")
    with pytest.raises(UnsupportedError, match="atan2"):
        program("atan2(x0, x1)")
