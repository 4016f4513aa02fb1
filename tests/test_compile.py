"""The compiler end to end in Python: the measured error never exceeds the proven one, and refusals say what to do."""

from __future__ import annotations

import numpy as np
import pytest

from sr2hls.analyze.evaluate import array_function
from sr2hls.check.vectors import input_vectors
from sr2hls.compiler import Options, compile_model
from sr2hls.errors import DomainError, FormatError, UnsupportedError
from sr2hls.formats import Format
from sr2hls.interpret import interpret
from sr2hls.load import from_json, load
from sr2hls.model import symbol

WORD = Format.parse("fixed<12,3>")


def build(text, **options):
    model = load(text)
    return model, compile_model(model, Options(**{"inputs": {"*": WORD}, **options}))


def errors(model, design, samples=4000):
    """Per output: |hardware - formula| on corners and random samples."""
    codes = input_vectors(design, samples, exhaustive_bits=14)
    limits = {name: (low, high) for name, low, high in design.certificate.domain}
    found = interpret(design.circuit, codes)
    samples = next(iter(found.values())).size
    values = {name: np.full(samples, low) for name, (low, _) in limits.items()}  # an input may need no port
    values |= {n: np.clip(codes[n] * float(f.ulp), *limits[n]) for n, f in design.input_formats.items()}
    for output in model.outputs:
        want = array_function(output.expression, [symbol(n) for n in values])(*values.values())
        yield output.name, np.abs(found[output.name] * float(design.output_formats[output.name].ulp) - want)


FORMULAS = [
    "x0*sin(x1) + 0.3*x2",
    "exp(-(x0+x1)^2)/(x2^2+1)",
    "x0/(1+x1^2)",
    "sqrt(x0^2+x1^2)",
    "log(x0^2+x1^2+0.01)",
    "sin(x0+2*x1+1)*cos(x0+2*x1+1)",
    "1/(x0^2+x1^2+0.1)",
    "tanh(x0*x1)",
    "abs(x0-x1)^3",
    "max(0, x0+x1)",
    "(x0+x1)^5",
    "cond(x0-x1, x2)",
    "round(x0+x1) + floor(x0*x1)",
    "a = x0*x1; b = a + x2; c = sin(x0)",
    "2.5",
    "x0",
    "0.1*x0 + 1e-7*x1",
]


@pytest.mark.parametrize("text", FORMULAS)
@pytest.mark.parametrize("ulps", [0.6, 1.0, 8.0])
def test_measured_is_at_most_proven_is_at_most_asked(text, ulps):
    model, design = build(text, max_error_ulps=ulps)
    proven = {output.name: output for output in design.certificate.outputs}
    for name, error in errors(model, design):
        certificate = proven[name]
        assert certificate.bound <= certificate.target
        assert error.max() <= certificate.bound + 1e-12
    shares = {}
    for node in design.certificate.nodes:
        shares[node.expression] = node.share
        assert node.error[0] <= 0 <= node.error[1] or node.error[0] * node.error[1] > 0
    assert design.latency >= 1


def test_a_looser_target_costs_less():
    areas = []
    for ulps in (0.6, 64.0):
        _, design = build("x0*sin(x1) + tanh(x0*x1)", max_error_ulps=ulps, output={"*": Format.parse("fixed<16,4>")})
        areas.append(sum(design.target.area(design.circuit, i).lut for i in range(len(design.circuit.nodes))))
    assert areas[1] < 0.8 * areas[0]


def test_a_range_clamps_the_port():
    model, design = build("1/x0 + x1", ranges={"x0": (0.5, 3.0)})
    assert any("clamped" in note for note in design.certificate.notes)
    for _, error in errors(model, design):
        assert error.max() <= design.certificate.outputs[0].bound + 1e-12


def test_exact_comparisons_have_no_band_and_rounded_ones_name_it():
    _, exact = build("cond(x0*x1 - 0.25, x2)")
    assert exact.certificate.outputs[0].bands == ()
    _, rounded = build("cond(sin(x0)*x1 - 0.25, x2)")
    assert "within" in rounded.certificate.outputs[0].bands[0]


def test_latency_can_be_padded_but_not_below_the_least():
    _, design = build("x0*sin(x1)", latency=7)
    assert design.latency == 7
    with pytest.raises(FormatError, match="latency"):
        build("x0*sin(x1)*x2", latency=0)


def test_uniform_precision_reports_the_error_that_results():
    word = Format.parse("ap_fixed<16,6>")
    model, design = build("x0*sin(x1) + 0.3*x2", precision=word)
    bound = design.certificate.outputs[0].bound
    assert bound > 2.0**-10
    for _, error in errors(model, design):
        assert error.max() <= bound
    _, wraps = build("(x0*x1)^4", precision=word)
    assert "wraps" in wraps.certificate.outputs[0].bands[0]


def test_clamped_domains_are_part_of_the_formula():
    _, design = build("x0/x1 + sqrt(x0*x1)", domain="clamp")
    assert sum("clamped" in note for note in design.certificate.notes) == 2
    clamped = from_json(__import__("json").dumps(design.provenance["model"]))
    for _, error in errors(clamped, design):
        assert np.isfinite(error).all() and error.max() <= design.certificate.outputs[0].bound + 1e-9


@pytest.mark.parametrize(
    ("text", "options", "kind", "says"),
    [
        ("1/x0", {}, DomainError, "x0 = 0"),
        ("log(x0*x1)", {}, DomainError, "--range"),
        ("exp(exp(exp(x0)))", {}, UnsupportedError, r"exp\(exp\(exp\(x0\)\)\)"),
        ("x0", {"inputs": {}}, FormatError, "--inputs 'x0=fixed<12,4>'"),
        ("x0", {"inputs": {"q": WORD}}, FormatError, "no input 'q'"),
        ("x0", {"ranges": {"x0": (9.0, 10.0)}}, FormatError, "no value"),
        ("x0", {"ranges": {"x0": (2.0, 1.0)}}, FormatError, "empty"),
        ("x0*x1", {"output": {"*": Format.parse("fixed<8,2>")}}, FormatError, "ask for"),
        ("x0*x1", {"max_error_ulps": 0.5}, FormatError, "0.5"),
        ("x0", {"target": "xc9"}, FormatError, "xc7-2"),
        ("x0", {"clock_ns": -1.0}, FormatError, "clock"),
    ],
)
def test_refusals_say_what_to_do(text, options, kind, says):
    with pytest.raises(kind, match=says):
        build(text, **options)


def test_the_port_has_the_word_that_was_asked_for():
    for text in ("cos(x0)^2", "x0", "2.5", "x0*x1", "max(x0, 0.5)"):
        _, design = build(text, output={"*": Format.parse("fixed<20,6>")})
        assert str(design.output_formats["y"]) == "fixed<20,6>" == design.certificate.outputs[0].format
        _, design = build(text)
        assert str(design.output_formats["y"]) == design.certificate.outputs[0].format


def test_bands_belong_to_the_outputs_that_have_them():
    _, design = build("a = greater(sin(x0)*x1, 0.3); b = x0*x1")
    assert [bool(output.bands) for output in design.certificate.outputs] == [True, False]


def test_affine_comparisons_are_exact_for_decimal_constants():
    _, design = build("greater(x0, 0.3*x1 + 0.1)")
    assert design.certificate.outputs[0].bands == ()


def test_inside_its_band_a_floor_is_off_by_one_and_no_more():
    # the operand reaches 3.9999 in real numbers and 4 after rounding: the word must hold both floors
    model, design = build("floor(cos(x0*x1)*1.9999 + 2.0)", output={"*": Format.parse("int<5>")})
    assert "integer" in design.certificate.outputs[0].bands[0]
    for _, error in errors(model, design, 50_000):
        assert set(np.unique(error)) <= {0.0, 1.0}


def test_a_coarse_angle_is_never_trusted():
    model, design = build("sin(7*x0 + 9*x1 + 0.1*x2)", output={"*": Format.parse("fixed<3,2>")}, max_error_ulps=2.5)
    for _, error in errors(model, design):
        assert error.max() <= design.certificate.outputs[0].bound


def test_a_loose_target_does_not_loosen_a_floor():
    model, design = build("floor(sin(x0)*x1) + sin(x0)*x1", max_error=0.2)
    for _, error in errors(model, design):
        assert np.quantile(error, 0.99) <= design.certificate.outputs[0].bound
