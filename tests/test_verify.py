"""`sr2hls verify`: designs of every kind verified, altered numbers refused, false promises refused by the proof."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import flint
import numpy as np
import pytest
import sympy
from mutants import DESIGNS, applied, built, data_of, fate, mutants

from sr2hls.certify import with_totals
from sr2hls.check.measure import measured_errors
from sr2hls.check.vectors import input_vectors
from sr2hls.circuit import Op
from sr2hls.cli import main
from sr2hls.compiler import Options, compile_model
from sr2hls.design import Design
from sr2hls.emit.design_json import digest_of, write_design
from sr2hls.emit.design_read import parse_design
from sr2hls.formats import Format
from sr2hls.load import load
from sr2hls.model import symbol
from sr2hls.operators.numeric import evaluate
from sr2hls.verify import verify_design
from sr2hls.verify.algebra import require_equal
from sr2hls.verify.evaluate import Formula
from sr2hls.verify.refused import Open, Wrong
from sr2hls.verify.rules import ball
from sr2hls.verify.run import run
from sr2hls.verify.sampled import Sampled
from sr2hls.verify.span import Span, of_value, to_fmpq

QUICKSTART = Path(__file__).resolve().parent.parent / "examples" / "quickstart"
X, Y = symbol("x"), symbol("y")


@pytest.fixture(scope="module")
def designs() -> dict[str, Design]:
    return {name: built(name) for name in DESIGNS}


def compiled(text: str, word: str = "fixed<8,3>", **options: Any) -> Design:
    return compile_model(load(text), Options(inputs={"*": Format.parse(word)}, name="f", **options))


def test_the_designs_are_verified(designs: dict[str, Design]) -> None:
    for name, design in designs.items():
        verdict = verify_design(design)
        assert verdict.verified, (name, verdict)
        assert len(verdict.outputs) == len(design.circuit.outputs)


@pytest.mark.parametrize(
    ("text", "word", "options"),
    [
        ("sqrt(x - 1.5) + 1/y", "fixed<9,4>", {"domain": "clamp"}),
        ("log(x*y)", "ufixed<12,4>", {"domain": "clamp"}),
        ("x*abs(y) - 0.3", "fixed<10,3>", {"precision": Format(True, 12, 6)}),
        ("3*x - y", "fixed<10,3>", {"precision": Format(True, 8, 4)}),  # wraps
        ("round(x*1.25) + floor(y/2) + mod(x, 3)", "fixed<8,4>", {}),
        ("clamp(x, -1, y) + sign(x - y) + ifelse(x, y, 2)", "fixed<8,3>", {}),
        ("logical_or(x, y) + logical_and(x, y) + greater_equal(x, y)", "fixed<8,3>", {}),
        ("tanh(x + y)/cosh(x)", "fixed<8,3>", {}),
        ("sin(3*x + 0.2*y)*cos(3*x + 0.2*y)", "fixed<14,4>", {}),
        ("(x + y)^1.5", "ufixed<10,3>", {}),
        ("exp(-x)*y", "fixed<24,4>", {"max_error": 1e-4}),
        ("max(x, y, 0.5) - min(x, 2*y)", "fixed<8,3>", {}),
        ("x*cos(y/x)", "ufixed<6,2>", {"ranges": {"*": (0.5, 3.5)}}),  # 3.5 times a range of about 1 + 1e-9
        ("2.5", "fixed<8,3>", {}),
        ("x", "fixed<8,3>", {}),
    ],
)
def test_more_kinds_are_verified(text: str, word: str, options: dict[str, Any]) -> None:
    verdict = verify_design(compiled(text, word, **options))
    assert verdict.verified, verdict


@pytest.mark.parametrize("name", list(DESIGNS))
def test_every_altered_number_is_refused(designs: dict[str, Design], name: str) -> None:
    """A seeded sample, all digests recomputed; benchmarks/verify_mutants.py alters every number."""
    data = data_of(designs[name])
    rng = random.Random(f"mutants of {name}")
    every = list(mutants(data, rng, tables=60, ways=1))
    chosen = rng.sample(every, 30)
    fates = [fate(applied(data, mutant)) for mutant in chosen]
    missed = [(mutant, words) for mutant, (kind, words) in zip(chosen, fates, strict=True) if kind == "missed"]
    assert not missed
    assert sum(kind in ("read", "proof") for kind, _ in fates) >= 12  # not by the totals alone


def test_what_only_the_totals_refuse_keeps_the_promise(designs: dict[str, Design]) -> None:
    design = designs["comparison"]
    data = data_of(design)
    rng = random.Random(7)
    places = [m for m in mutants(data, rng, tables=400, ways=1) if m.place[0] in ("nodes", "tables")]
    for mutant in rng.sample(places, 40):
        changed = applied(data, mutant)
        if fate(changed)[0] == "totals":
            other = parse_design(changed)
            measured_errors(other, input_vectors(other, 1000, seed=1))  # raises where the bound does not hold


def consistent(design: Design, factor: float) -> Design:
    """All errors of the certificate scaled, with everything that follows from them: a false promise, well kept."""

    def scaled(pair: tuple[float, float]) -> tuple[float, float]:
        return _on_grid(pair[0] * factor), _on_grid(pair[1] * factor)

    def added(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
        from sr2hls.certify import _sum

        return _sum(a, b)

    nodes = []
    for node in design.certificate.nodes:
        nodes.append(node)
        if node.kind != "input":
            local, inherited = scaled(node.local_error), scaled(node.inherited)
            error = added(inherited, local)
            share = node.share * factor
            changed = added(node.exact_range, error)
            nodes[-1] = replace(
                node, local_error=local, inherited=inherited, error=error, share=share, range=changed, band=0.0
            )
    errors = {node.symbol: node.error for node in nodes}
    outputs = tuple(
        replace(output, bound=max(-errors[output.symbol][0], errors[output.symbol][1]), bands=())
        for output in design.certificate.outputs
    )
    return with_totals(replace(design, certificate=replace(design.certificate, nodes=tuple(nodes), outputs=outputs)))


def _on_grid(value: float) -> float:
    return float(Fraction(round(math.ldexp(value, 60)), 2**60)) if value else 0.0


def test_false_promises_are_refused_by_the_proof(designs: dict[str, Design]) -> None:
    for name in ("mass", "jet g", "polynomial", "division", "wide"):
        verdict = verify_design(consistent(designs[name], 0.9))
        assert verdict.status == "refused", (name, verdict)
        assert "the certificate says" in verdict.detail, verdict


def test_another_formula_is_refused(designs: dict[str, Design]) -> None:
    design = designs["division"]
    near = compiled("x/(y + 2.5) - exp(-y*1.0001)", "fixed<8,2>", max_error_ulps=2.0)
    other = design.provenance | {"model": near.provenance["model"]}
    verdict = verify_design(with_totals(replace(design, provenance=other)))
    assert verdict.status == "refused"
    assert "the formula" in verdict.detail


def test_a_table_may_not_promise_a_narrower_range(designs: dict[str, Design]) -> None:
    """A claim of a wrapping cast that is not so is found by running the argument's codes."""
    design = designs["mass"]
    nodes = list(design.circuit.nodes)
    for index, node in enumerate(nodes):
        if node.op is Op.LOOKUP:
            table = design.circuit.tables[node.table]
            codes = tuple(code + (code == max(table.codes)) for code in table.codes)
            tables = list(design.circuit.tables)
            tables[node.table] = replace(table, codes=codes)
            changed = replace(design, circuit=replace(design.circuit, tables=tuple(tables)))
            assert not verify_design(with_totals(changed)).verified, index


def test_a_wrapped_angle_is_for_periodic_functions_only() -> None:
    design = compiled("sin(3*x + 0.2*y)", "fixed<14,4>")
    assert any(node.kind == "turns" for node in design.certificate.nodes)
    nodes = tuple(
        replace(node, definition=("exp", *node.definition[1:])) if node.kind == "function" else node
        for node in design.certificate.nodes
    )
    verdict = verify_design(replace(design, certificate=replace(design.certificate, nodes=nodes)))
    assert verdict.status == "refused"


def test_formulas_mean_what_numpy_says() -> None:
    texts = [
        "sin(x)*cos(y) + tan(x/3)", "exp(-x*x)", "log(x*x + 1)", "sqrt(abs(x))", "x^3/(y^2 + 1)", "cbrt(x)",
        "atan(x) + asin(x/5) - acos(y/5)", "sinh(x) + cosh(y) + tanh(x)", "asinh(x) + acosh(abs(x) + 1.5)",
        "atanh(x/5)", "erf(x) + erfc(y)", "gamma(abs(x) + 1.5)", "round(x) + floor(y) + ceil(x) + sign(y)",
        "max(x, y, 0.5) - min(x, 2*y)", "greater(x, y) + less(x, y) + greater_equal(x, y) + less_equal(x, y)",
        "logical_or(x, y) + 2*logical_and(x, y) + cond(x, y)", "ifelse(x, y, 3) + clamp(x, -1, 1)", "mod(x, 1.7)",
        "(abs(x) + 0.1)^y", "2^x", "sec(x) + csc(x/9 + 2) + cot(x/9 + 1)", "sech(x) + csch(abs(x) + 1) + coth(y + 9)",
    ]  # fmt: skip
    rng = np.random.default_rng(5)
    for text in texts:
        expression = load(text).outputs[0].expression
        for x, y in rng.integers(-1000, 1000, (12, 2)) / 256:
            with flint.ctx.workprec(128):
                point = [to_fmpq(Fraction(float(v))) for v in (x, y)]
                found = float(ball(Formula(expression, [X, Y])(*point)).mid())
                near = Formula(expression, [X, Y])(*(flint.arb(float(v), 2.0**-20) for v in (x, y)))
            expected = float(evaluate(expression, {"x": x, "y": y}))
            assert math.isclose(found, expected, rel_tol=1e-12, abs_tol=1e-12), (text, x, y)
            assert not ball(near).is_finite() or ball(near).contains(flint.arb(found)), (text, x, y)


@pytest.mark.parametrize("head", ["round", "cbrt"])
@pytest.mark.parametrize("inside", ["exp(-exp(x))", "-exp(-exp(x))", "exp(exp(x))"])
def test_numbers_that_no_memory_holds_are_enclosed(head: str, inside: str) -> None:
    formula, part = (Formula(load(text).outputs[0].expression, [X]) for text in (f"{head}({inside})", inside))
    for x in (flint.arb(3), flint.arb(80), flint.arb(60, 1), flint.arb(300)):
        found, value = ball(formula(x)), ball(part(x))
        if head == "round" and found.is_finite():
            assert (found - value).abs_lower() <= 0.5
            assert found.overlaps(value.floor()) or found.overlaps(value.ceil())
        elif found.is_finite():
            assert (found**3).overlaps(value)
        assert of_value(found) is None or x == 3 or inside != "exp(exp(x))"
    assert ball(Formula(load("round(x)").outputs[0].expression, [X])(flint.arb(2.5))) == 2


def test_series_are_derivatives() -> None:
    for text in (
        "sin(x)*exp(x/3)",
        "sqrt(x^2 + 1)",
        "tanh(x)",
        "1/cosh(x)",
        "asinh(x) + x^5",
        "abs(x - 9)",
        "max(x, 8)",
    ):
        formula = Formula(load(text).outputs[0].expression, [X])
        with flint.ctx.workprec(128):
            value, slope, bend = formula.series(flint.arb(0.7), 3)
            step = flint.arb(2) ** -30
            right, left = (ball(formula(flint.arb(0.7) + sign * step)) for sign in (1, -1))
            assert abs(float(((right - left) / (2 * step) - slope).mid())) < 1e-12, text
            assert abs(float(((right + left - 2 * value) / step**2 / 2 - bend).mid())) < 1e-6, text


@pytest.mark.parametrize(
    ("stated", "steps"),
    [
        ("(x + y)^2", "x^2 + 2*x*y + y^2"),
        ("(2*x + 2*y)^(-1)", "0.5/(x + y)"),
        ("x/(x + y) + y/(x + y)", "1 + 0*x"),
        ("sin(2*(x + y))", "sin(2*x + 2*y)"),
        ("cond(x - y, y)", "ifelse(2*x - 2*y, y, 0)"),
        ("greater(x, y)", "less(3*y, 3*x)"),
        ("sign(x*y)", "greater(x*y, 0) - less(x*y, 0)"),
        ("max(x, y, 1)", "max(max(x, 1), y)"),
        ("x^y", "exp(y*log(x))"),
        ("sin(x)*cos(x)", "sin(2*x)/2"),
    ],
)
def test_equal_formulas_are_seen_to_be_equal(stated: str, steps: str) -> None:
    a, b = (load(text).outputs[0].expression for text in (stated, steps))
    require_equal(a, b, "y")
    with pytest.raises(Wrong):
        require_equal(a, b + sympy.Rational(1, 10**6), "y")


def test_errors_over_all_arguments_are_exact() -> None:
    """The hull that float64 models and a few balls give is that of a ball at every argument."""
    formula = Formula(load("exp(x)").outputs[0].expression, [X])
    count, unit = 20_000, Fraction(1, 1 << 13)
    with flint.ctx.workprec(128):
        sampled = Sampled(formula, Fraction(-1), unit, count)
        codes = np.round(np.exp(-1 + np.arange(count) / 2**13) * 1024).astype(np.int64)
        found = sampled.errors(codes, Fraction(1, 1024))
        spans = [sampled.at(i) for i in range(count)]
    errors = [
        Span(int(c) / Fraction(1024) - s.high, int(c) / Fraction(1024) - s.low)
        for c, s in zip(codes, spans, strict=True)
    ]
    assert found == Span(min(e.low for e in errors), max(e.high for e in errors))


def test_the_own_interpreter_is_the_reference() -> None:
    from random_circuits import random_circuit

    from sr2hls.interpret import interpret

    compared = 0
    for seed in range(60):
        circuit = random_circuit(seed, 25)
        if len(circuit.inputs) != 1 or circuit.nodes[circuit.inputs[0][1]].format.width > 12:
            continue
        name, leaf = circuit.inputs[0]
        word = circuit.nodes[leaf].format
        codes = np.arange(word.least, word.greatest + 1)
        expected = interpret(circuit, {name: codes})
        for output, index in circuit.outputs:
            try:
                found, _ = run(circuit, index, leaf, codes)
            except (Wrong, Open):  # a claim that is not so, or too wide a shift
                continue
            assert np.array_equal(found, expected[output])
            compared += 1
    assert compared > 5


def command(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = 0
    try:
        main(arguments)
    except SystemExit as end:
        code = int(end.code or 0)
    got = capsys.readouterr()
    return code, got.out + got.err


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "out"
    data = ["--data", str(QUICKSTART / "data.csv")]
    assert command(capsys, "compile", str(QUICKSTART / "model.pkl"), *data, "-o", str(folder))[0] == 0
    code, out = command(capsys, "verify", str(folder))
    assert code == 0
    assert "verified:  |y - f(pt, met, dphi)| <= " in out
    assert "checked again by sr2hls verify" in command(capsys, "show", str(folder))[1]
    report = json.loads((folder / "report.json").read_text())
    assert report["verification"]["status"] == "verified"
    assert report["standing"][0].startswith("proven: |y - f(pt, met, dphi)| <= ")
    assert json.loads(command(capsys, "verify", str(folder), "--json")[1])["status"] == "verified"

    certificate = (folder / "certificate.json").read_text()
    altered = json.loads(certificate)
    altered["nodes"][3]["local_error"][0] *= 2
    (folder / "certificate.json").write_text(json.dumps(altered))
    assert command(capsys, "verify", str(folder)) == (
        2, "refused:   certificate.json: 'nodes' is not that of design.json\n",
    )  # fmt: skip
    (folder / "certificate.json").write_text(certificate)

    text = (folder / "design.json").read_text()
    changed = json.loads(text)
    changed["nodes"][-1]["origin"] = "something else 17"
    changed["digest"] = digest_of(changed)
    (folder / "design.json").write_text(json.dumps(changed))
    code, out = command(capsys, "verify", str(folder))
    assert (code, "refused" in out) == (2, True)
    assert command(capsys, "verify", str(tmp_path))[0] == 2


def test_what_cannot_be_decided_is_no_success(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from designs import random_design

    design = replace(random_design(3), target=built("comparison").target)
    write_design(design, tmp_path / "design.json")
    code, out = command(capsys, "verify", str(tmp_path / "design.json"))
    assert (code, "not verified" in out) == (2, True)
    code, out = command(capsys, "verify", str(tmp_path))
    assert (code, "certificate.json cannot be read" in out) == (2, True)
