"""Rewriting by hardware cost: the rules as identities, the traps of domains, what the compiler takes, and its proof."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import flint
import pytest
import sympy

from sr2hls.analyze.identity import agree
from sr2hls.analyze.ranges import Domain
from sr2hls.compiler import Options, compile_model
from sr2hls.design import Design
from sr2hls.errors import DomainError
from sr2hls.formats import Format
from sr2hls.load import load
from sr2hls.model import symbol
from sr2hls.rewrite.form import form_of
from sr2hls.rewrite.rules import NAMES, neighbors
from sr2hls.verify import verify_design
from sr2hls.verify.algebra import require_equal
from sr2hls.verify.refused import Open, Wrong
from sr2hls.wordlength import Timing, bill_of

X, Y, Z, W = map(symbol, "xyzw")
WORD = Format.parse("fixed<12,3>")
ABOVE = {"*": (0.5, 3.5)}
DOMAINS = {name: Domain(name, WORD, 256, 1792) for name in "xyzw"}

FORMULAS = [
    "x*y + x*z + w",
    "x^2 - y^2 + w*(x^2 + 2*x*y + y^2)",
    "x/z + y/z + 1/(x*y)",
    "1/x + 1/y",
    "1/(1/x + 1/y)",
    "sqrt(x)*sqrt(y) + 1/sqrt(x)",
    "sqrt(x*y) + 1/sqrt(x + y) + (x + y)^1.5",
    "exp(x)*exp(y) + exp(z - w)",
    "exp(x + y) + exp(2*(x + y))",
    "log(x*y/z) + log(x + y)",
    "2*log(x) - 2*log(y + z)",
    "sin(x)*cos(y) + cos(x)*cos(z) + sin(z)*sin(w)",
    "sin(x + y) + sin(x - 2*z) + cos(w) - cos(x)",
    "x*y*z + x*y*w",
    "x/y^2/z",
    "x^3*y/(exp(x/z) - 0.5) + cos(3*x - 2*y + 1)",
]


def compiled(text: str, *, word: Format = WORD, **options: Any) -> Design:
    return compile_model(load(text), Options(inputs={"*": word}, name="f", **options))


def rules_of(design: Design) -> list[str]:
    return [step["rule"] for step in design.provenance["rewrites"]]


def area(design: Design) -> float:
    return bill_of(design.circuit, design.target, Timing(design.clock_ns, 1)).area


def test_every_rule_is_an_identity_that_the_verifier_shows() -> None:
    """Every neighbor of every formula, by Arb and by the algebra of `sr2hls verify`, which knows the ranges."""
    seen = set()
    with flint.ctx.workprec(64):
        for text in FORMULAS:
            model = load(text)
            known = [symbol(name) for name in model.inputs]
            for form in neighbors(form_of(model), rare=True):
                (step,) = form.steps[-1:]
                assert agree(step.before, step.after, DOMAINS, seed=1), step
                seen.add(step.rule)
                after = form.over_inputs(form.outputs[0])
                sums = [node for node in sympy.preorder_traversal(after) if node.is_Add]
                inside = [node for node in sums if node.free_symbols and _positive(node)]
                require_equal(model.outputs[0].expression, after, text, [*known, *inside])
    assert seen == set(NAMES)


def _positive(total: sympy.Expr) -> bool:
    rng = random.Random(3)
    points = [{s: rng.uniform(0.5, 3.5) for s in total.free_symbols} for _ in range(50)]
    values = [sympy.N(total.subs(point)) for point in points]
    return all(value.is_real and value > 0 for value in values)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x*y", "x*y + 1/1024/1024/1024"),
        ("log(x - 2)", "log(x - 2) + 0*x"),  # not defined on the whole range
        ("sqrt(x - 2)^2", "abs(x - 2)"),
        ("sin(x)*cos(y)", "(sin(x + y) + sin(x + y))/2"),
        ("exp(x + y)", "exp(x)*exp(y)*(1 + 1/2^120)"),
    ],
)
def test_what_is_no_identity_is_noticed(before: str, after: str) -> None:
    first, second = load(before).outputs[0].expression, load(after).outputs[0].expression
    if before == "sqrt(x - 2)^2":
        first = sympy.Pow(sympy.sqrt(symbol("x") - 2), 2, evaluate=False)
    assert not agree(first, second, DOMAINS, seed=1)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("sqrt(x*y)", "y*sqrt(x/y)"),  # both below 0: the sign differs
        ("log(x^2)", "2*log(x)*1.0000001"),
        ("sqrt(x^2*y)", "x*sqrt(y)"),
        ("log(x*y)", "log(x) + log(y + 1/2^90)"),
    ],
)
def test_the_verifier_takes_no_near_identity(before: str, after: str) -> None:
    first, second = load(before).outputs[0].expression, load(after).outputs[0].expression
    with pytest.raises((Open, Wrong)):
        require_equal(first, second, "y")


def test_signs_that_the_proof_knows_decide() -> None:
    first, second = load("sqrt(x^2*y)").outputs[0].expression, load("x*sqrt(y)").outputs[0].expression
    with pytest.raises((Open, Wrong)):
        require_equal(first, second, "y", [symbol("y")])


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("x*y + x*z", "factor"),
        ("x/z + y/z", "factor"),
        ("(x + y)^2 - (x - y)^2", "factor the whole sum"),
        ("exp(x)*exp(y)", "one exponential"),
        ("w*cos(x - y)", "angle apart"),
        ("x^3/(exp(x/z) - 1)", "ratio apart"),
    ],
)
def test_a_cheaper_form_is_taken_recorded_and_verified(text: str, rule: str) -> None:
    within = {name: (0.5, 3.5) for name in "xz" if name == "z" or "^3" in text}
    limits: dict[str, Any] = {"ranges": within} if "/" in text else {}
    design = compiled(text, **limits)
    plain = compiled(text, effort="low", **limits)
    assert rule in rules_of(design)
    assert rules_of(plain) == []
    assert area(design) < 0.95 * area(plain)
    assert verify_design(design).verified
    step = design.provenance["rewrites"][0]
    assert step["before"] != step["after"]


def test_an_altered_record_is_refused() -> None:
    design = compiled("x*y + x*z")
    changed = [{**design.provenance["rewrites"][0], "after": "x*(y + z) + 1"}]
    assert not verify_design(replace(design, provenance={**design.provenance, "rewrites": changed})).verified


def test_outputs_share() -> None:
    design = compile_model(
        load({"a": X * Y * Z, "b": X * Y * W, "c": X * Y - W}), Options(inputs={"*": WORD}, name="f")
    )
    assert sum(node.kind == "product" for node in design.certificate.nodes) == 3
    assert verify_design(design).verified


@pytest.mark.parametrize("text", ["log(x) + log(y)", "sqrt(x)*sqrt(y)", "x*y/(x*y + x*x - x*x) + 1/x", "1/(1/x + 1/y)"])
def test_no_rewriting_makes_the_undefined_defined(text: str) -> None:
    """log(x·y) is defined where both are below 0, and x·y/(x + y) where x is 0; the formula as written is not."""
    with pytest.raises(DomainError):
        compiled(text, effort="high")


def test_no_rewriting_makes_the_defined_undefined() -> None:
    """Both below 0: log(x·y) and √(x·y) stay whole, whatever it costs."""
    for text in ("log(x*y)", "sqrt(x*y)"):
        design = compiled(text, word=Format.parse("fixed<7,3>"), ranges={"*": (-3.0, -0.5)}, effort="high")
        assert "split the logarithm" not in rules_of(design)
        assert "split the root" not in rules_of(design)
        assert verify_design(design).verified


def test_a_root_squared_keeps_its_domain() -> None:
    x = symbol("x")
    whole = sympy.sqrt(x * symbol("y")) * sympy.sqrt(x)
    model = load("x + y")
    model = replace(model, outputs=(replace(model.outputs[0], expression=whole),))
    with pytest.raises(DomainError):
        compile_model(model, Options(inputs={"*": WORD}, ranges={"*": (-1.0, 1.0)}))


def test_the_same_design_twice() -> None:
    text = "x*y*z + y*z*w + x*w"
    assert compiled(text) == compiled(text)


def test_limits_count_first() -> None:
    from sr2hls.wordlength import Limits

    design = compiled("x*y + x*z", limits=Limits(dsp=1))
    assert "factor" in rules_of(design)
