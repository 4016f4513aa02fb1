"""Subdivision of the domain: boxes cover it, tighten correlated operands, stay sound, and are checked again."""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import replace
from fractions import Fraction
from typing import Any

import flint
import numpy as np
import pytest
from flint import arb
from mutants import applied, data_of, fate, mutants

import sr2hls
from sr2hls.analyze.boxes import Forward, boxes_of
from sr2hls.analyze.cells import Univariate, cells_of
from sr2hls.analyze.interval import Interval
from sr2hls.analyze.intervals import Intervals
from sr2hls.analyze.ranges import Analysis, analyze, functions_of
from sr2hls.analyze.subdivide import subdivided
from sr2hls.certify import with_totals
from sr2hls.check.measure import measured_errors
from sr2hls.check.vectors import input_vectors
from sr2hls.compiler import Options, compile_model
from sr2hls.design import Design
from sr2hls.emit.design_json import design_digest
from sr2hls.errors import DomainError, FormatError
from sr2hls.formats import Format
from sr2hls.load import load
from sr2hls.model import symbol
from sr2hls.program import Program
from sr2hls.quantize.box_errors import variation_in_boxes
from sr2hls.quantize.domains import domains_of
from sr2hls.rewrite.fuse import fuse
from sr2hls.verify import verify_design
from sr2hls.verify.boxes import boxes_of as read_boxes
from sr2hls.verify.refused import Wrong
from sr2hls.wordlength import Limits, Timing, bill_of

FORCE = "x/(x^2 + y^2 + 0.25)^1.5"
WORD = "fixed<8,3>"


def analyzed(text: str, word: str = WORD, most: int = 48, **ranges: tuple[float, float]) -> tuple[Program, Analysis]:
    model = load(text)
    with flint.ctx.workprec(64):
        domains = domains_of(model, {"*": Format.parse(word)}, ranges)
        program = fuse(model, [d.name for d in domains.values() if d.narrow])
        return program, subdivided(program, domains, most)


def compiled(text: str, word: str = WORD, **options: Any) -> Design:
    return compile_model(load(text), Options(inputs={"*": Format.parse(word)}, effort="low", name="f", **options))


def count(design: Design) -> int:
    return sum(name == "" for name, _ in design.certificate.boxes)


@pytest.fixture(scope="module")
def force() -> Design:
    return compiled(FORCE, output={"*": Format.parse("fixed<10,3>")})


# Many intervals at once.


def test_intervals_hold_the_exact_results() -> None:
    rng = random.Random(5)
    ends = [sorted(rng.uniform(-3, 3) * 2.0 ** rng.randrange(-30, 30) for _ in range(2)) for _ in range(80)]
    first, second = (Intervals(*np.array(part).T) for part in (ends[:40], ends[40:]))
    for index in range(40):
        (a, b), (c, d) = (tuple(map(Fraction, ends[at])) for at in (index, index + 40))
        products = [p * q for p, q in itertools.product((a, b), (c, d))]
        for found, low, high in (
            (first + second, a + c, b + d),
            (first - second, a - d, b - c),
            (first * second, min(products), max(products)),
        ):
            assert Fraction(found.low[index]) <= low and high <= Fraction(found.high[index])
            assert Fraction(found.high[index]) - high <= abs(high) / 2**51
            assert low - Fraction(found.low[index]) <= abs(low) / 2**51


@pytest.mark.parametrize("text", ["(x + 0.25)^(-1.5)", "sqrt(x)", "abs(x - 1)", "round(x)", "exp(-x)*sin(5*x)"])
def test_changes_in_boxes_hold_those_at_points(text: str) -> None:
    function = Univariate(load(text).outputs[0].expression, symbol("x"), text)
    rng = random.Random(text)
    cells = cells_of(function, Interval.of(0.0, 8.0))
    edges = [0.0, *sorted(rng.uniform(0, 8) for _ in range(12)), 8.0]
    parts = [Interval.of(a, b) for a, b in itertools.pairwise(edges)]
    errors = [Interval.of(-rng.uniform(0, 2.0 ** -rng.randrange(2, 16)), rng.uniform(0, 0.01)) for _ in parts]
    found = variation_in_boxes(cells, Intervals.of(parts), Intervals.of(errors))
    whole = cells.variation(Interval.hull(*errors))
    assert found.hull.magnitude <= whole.magnitude * (1 + arb(2) ** -40)
    for part, error, change in zip(parts, errors, found, strict=True):
        for _ in range(40):
            t = rng.choice([float(part.low), float(part.high), rng.uniform(float(part.low), float(part.high))])
            moved = t + rng.choice([float(error.low), float(error.high), rng.uniform(*error.floats())])
            moved = min(max(moved, 0.0), 8.0)
            difference = function.at(arb(moved)) - function.at(arb(t))
            assert difference.overlaps(change.ball), (text, t, moved)


# The partition.


def test_boxes_cover_the_domain_once() -> None:
    rng = random.Random(3)

    def tree(box: dict[str, tuple[int, int]], depth: int) -> list[tuple[str, int]]:
        names = [name for name, (low, high) in box.items() if low < high]
        if depth == 0 or not names or rng.random() < 0.2:
            return [("", 0)]
        name = rng.choice(names)
        low, high = box[name]
        cut = rng.randrange(low, high)
        halves = {**box, name: (low, cut)}, {**box, name: (cut + 1, high)}
        return [(name, cut), *tree(halves[0], depth - 1), *tree(halves[1], depth - 1)]

    whole = {"x": (-4, 5), "y": (0, 6)}
    for _ in range(20):
        cuts = [("x", 0), *tree({**whole, "x": (-4, 0)}, 5), *tree({**whole, "x": (1, 5)}, 5)]
        boxes = boxes_of(tuple(cuts), whole)
        assert read_boxes(cuts, whole) == boxes
        seen = [
            point
            for box in boxes
            for point in itertools.product(*(range(low, high + 1) for low, high in (box["x"], box["y"])))
        ]
        assert sorted(seen) == sorted(itertools.product(range(-4, 6), range(7)))


@pytest.mark.parametrize(
    "cuts",
    [
        [("", 0)],
        [("x", 0), ("", 0)],
        [("x", 0), ("", 0), ("", 0), ("", 0)],
        [("x", 5), ("", 0), ("", 0)],
        [("x", -5), ("", 0), ("", 0)],
        [("z", 0), ("", 0), ("", 0)],
        [("x", 0), ("x", 3), ("", 0), ("", 0), ("", 0)],
        [("x", 0), ("", 1), ("", 0)],
    ],
)
def test_cuts_that_make_no_boxes_are_refused(cuts: list[tuple[str, int]]) -> None:
    with pytest.raises(Wrong):
        read_boxes(cuts, {"x": (-4, 5), "y": (0, 6)})


def test_ranges_are_near_the_true_ones_and_hold_them() -> None:
    """x/(x^2 + y^2 + 1/4)^1.5 reaches 1.54; in one box it is proven to reach 32."""
    program, found = analyzed(FORCE, "fixed<10,3>")
    name = program.outputs[0][1].name
    _, whole = analyzed(FORCE, "fixed<10,3>", most=1)
    assert found.partition is not None and whole.partition is None
    assert len(found.partition.boxes) <= 48
    assert whole.ranges[name].magnitude > 31
    x, y = (np.arange(-512, 512) / 128 for _ in range(2))
    values = x[:, None] / (x[:, None] ** 2 + y**2 + 0.25) ** 1.5
    assert float(found.ranges[name].low) <= values.min() and values.max() <= float(found.ranges[name].high)
    assert found.ranges[name].magnitude < 1.3 * values.max()
    again = analyzed(FORCE, "fixed<10,3>")[1]
    assert again.partition is not None and again.partition.cuts == found.partition.cuts


@pytest.mark.parametrize(
    "text",
    [FORCE, "max(x*y, x) - y", "ifelse(x - y, x*y, sin(x)*y)", "floor(x*2)*y/(y*x + 20)", "x*sin(y) + abs(x - y)"],
)
def test_every_box_holds_what_its_inputs_reach(text: str) -> None:
    model = load(text)
    with flint.ctx.workprec(64):
        domains = domains_of(model, {"*": Format.parse(WORD)}, {})
        program = fuse(model, [d.name for d in domains.values() if d.narrow])
        forward = Forward(program, dict.fromkeys(domains, 5), functions_of(program), {})
        rng = random.Random(text)
        for _ in range(12):
            codes = {}
            for name in domains:
                low = rng.randrange(-128, 127)
                codes[name] = low, min(127, low + 2 ** rng.randrange(7))
            box = forward.box(codes)
            for _ in range(10):
                point = forward.box({name: (rng.randint(*ends),) * 2 for name, ends in codes.items()})
                for name, inside in box.ranges.items():
                    assert point.ranges[name].high >= inside.low and point.ranges[name].low <= inside.high, name


def test_where_nothing_is_gained_the_design_is_the_same() -> None:
    for text in ("exp(-x*x)/(1 + x)", "sin(x) + sqrt(y + 4)", "x*y + 2", "exp(-x)*(y + 5)", "x*y/(z + 9)"):
        span = {"*": (0.0, 3.0)}
        assert design_digest(compiled(text, ranges=span)) == design_digest(compiled(text, ranges=span, boxes=1)), text
    both = compiled(FORCE, boxes=1), compiled(FORCE, precision=Format.parse("fixed<16,7>"))
    assert not any(design.certificate.boxes for design in both)


# Circuits.


def test_boxes_make_the_circuit_smaller(force: Design) -> None:
    """Planck's law: proven to reach 1774 in one box, 14.3 in 48; the outputs have the same ulp."""
    span = {"x": (0.5, 8.0), "y": (1.0, 2.0)}
    options: dict[str, Any] = {"ranges": span, "limits": Limits(dsp=0)}
    few = compiled("x^3/(exp(x/y) - 1)", "ufixed<8,4>", output={"*": Format.parse("ufixed<8,4>")}, boxes=48, **options)
    one = compiled("x^3/(exp(x/y) - 1)", "ufixed<8,4>", output={"*": Format.parse("ufixed<15,11>")}, boxes=1, **options)
    assert count(few) > 1 and count(one) == 0
    luts = [bill_of(design.circuit, design.target, Timing(design.clock_ns, 1)).luts for design in (few, one)]
    assert luts[0] < 0.75 * luts[1], luts
    assert f"the bound is proven in each of {count(force)} boxes that cover the domain (--subdivide)" in (
        force.certificate.notes
    )


@pytest.mark.parametrize(
    ("text", "word", "options"),
    [
        (FORCE, WORD, {}),
        ("x*(1 - 1/sqrt(x^2 + y^2 + 0.0625))", WORD, {}),
        ("x^3/(exp(x/y) - 1)", "ufixed<8,4>", {"ranges": {"x": (0.5, 8.0), "y": (1.0, 2.0)}}),
        ("a = x*y/(1 + x*y)^2\nb = y/(x^2 - x*y + y^2 + 1)", WORD, {"ranges": {"x": (0.0, 3.0), "y": (0.0, 3.0)}}),
        ("(x + y)/(1 + x*y)", "ufixed<8,0>", {}),
        ("max(x, y)/(x^2 + y^2 + 0.3)", WORD, {}),
        ("ifelse(x*y - 1.3, x, -y)/(x^2 + y^2 + 0.4)", WORD, {}),
        ("ifelse(exp(x) - y, x, -y)/(x^2 + y^2 + 0.4)", WORD, {}),
        ("floor(x/3 + y)*x/(x^2 + y^2 + 0.5)", WORD, {}),
        ("clamp(x, -1, y)*y/(y^2 + x^2 + 0.5)", WORD, {}),
        ("sin(3*x + y)*x/(x^2 + y^2 + 0.5)", WORD, {}),
        ("x/(x^2 + y^2)^1.5", WORD, {"ranges": {"x": (-3.0, 3.0), "y": (0.5, 3.0)}, "max_error_ulps": 2.0}),
        (FORCE, "fixed<13,3>", {"output": {"*": Format.parse("fixed<10,4>")}, "boxes": 9}),
    ],
)
def test_bounds_hold_and_are_verified(text: str, word: str, options: dict[str, Any]) -> None:
    design = compiled(text, word, **options)
    assert 1 < count(design) <= options.get("boxes", 128)
    for error in measured_errors(design, input_vectors(design, 20_000, seed=1)):
        assert 0 < error.measured <= error.proven
    verdict = verify_design(design)
    assert verdict.verified, verdict


def test_poles_that_no_input_meets() -> None:
    text = "y/(x^2 - x*y + y^2 + 0.5)"
    with pytest.raises(DomainError):
        compiled(text, boxes=1)
    for options in ({}, {"domain": "clamp"}):
        design = compiled(text, **options)
        assert count(design) > 1 and not any("clamp" in note for note in design.certificate.notes)
        (error,) = measured_errors(design, {})
        assert error.method == "exhaustive" and error.measured <= error.proven
        assert verify_design(design).verified
    for pole in ("y/(x - y)", "1/(x*y + 2)", "log(x^2 - x*y + y^2 - 0.25)"):
        with pytest.raises(DomainError, match="is not finite"):
            compiled(pole)


# The check.


def test_every_altered_number_of_the_boxes_is_refused(force: Design) -> None:
    data = data_of(force)
    rng = random.Random(11)
    every = [
        mutant
        for mutant in mutants(data, rng, tables=0, ways=2)
        if mutant.place[:2] == ("certificate", "boxes") or "boxes" in mutant.place[3:]
    ]
    assert len(every) > 100
    fates = [fate(applied(data, mutant))[0] for mutant in rng.sample(every, 30)]
    assert "missed" not in fates
    assert sum(kind in ("read", "proof", "undecided") for kind in fates) >= 12  # not by the totals alone


def test_narrower_boxes_are_refused_by_the_proof(force: Design) -> None:
    """Ranges and errors of one box a little too narrow, everything else and the totals as they follow."""
    place = next(i for i, node in enumerate(force.certificate.nodes) if node.boxes)
    node = force.certificate.nodes[place]
    assert len(node.boxes) == count(force)
    refused = 0
    for box, end in itertools.product(range(0, len(node.boxes), 5), range(4)):
        numbers = list(node.boxes[box])
        if numbers[end] == 0.0:
            continue
        numbers[end] = _inward(numbers[end], end % 2 == 0)
        low, high, least, most = numbers
        boxes = (*node.boxes[:box], (low, high, least, most), *node.boxes[box + 1 :])
        nodes = (*force.certificate.nodes[:place], replace(node, boxes=boxes), *force.certificate.nodes[place + 1 :])
        verdict = verify_design(with_totals(replace(force, certificate=replace(force.certificate, nodes=nodes))))
        assert verdict.status == "refused", (box, end)
        assert "in box" in verdict.detail, verdict
        refused += 1
    assert refused > 5


def _inward(value: float, lower: bool) -> float:
    """By a tenth, kept to the bits that the ledger has."""
    scale = 2.0 ** (math.frexp(value)[1] - 20)
    return (math.ceil if lower else math.floor)((value + abs(value) / 10 * (1 if lower else -1)) / scale) * scale


def test_other_cuts_and_lines_are_refused(force: Design) -> None:
    cuts = force.certificate.boxes
    swapped = [("y" if name == "x" else "x" if name else "", code) for name, code in cuts]
    leaf = next(i for i in range(len(cuts)) if cuts[i + 1][0] == cuts[i + 2][0] == "" != cuts[i][0])
    merged = [*cuts[:leaf], ("", 0), *cuts[leaf + 3 :]]
    for other in ((), tuple(swapped), tuple(merged), (*cuts, ("", 0)), cuts[:-1]):
        changed = replace(force, certificate=replace(force.certificate, boxes=other))
        assert verify_design(with_totals(changed)).status == "refused"
    nodes = tuple(replace(node, boxes=node.boxes[:-1]) for node in force.certificate.nodes)
    changed = replace(force, certificate=replace(force.certificate, nodes=nodes))
    assert verify_design(with_totals(changed)).status == "refused"


# The option.


def test_the_option() -> None:
    assert count(sr2hls.compile(FORCE, inputs=WORD, effort="low", subdivide=4)) in (2, 3, 4)
    assert count(sr2hls.compile(FORCE, inputs=WORD, effort="low", subdivide=1)) == 0
    with pytest.raises(FormatError, match="into 1 to 1024 boxes, not 0"):
        sr2hls.compile(FORCE, inputs=WORD, subdivide=0)


def test_one_box_is_the_plain_analysis() -> None:
    model = load("x*y + sin(x)/(y + 9)")
    with flint.ctx.workprec(64):
        domains = domains_of(model, {"*": Format.parse(WORD)}, {})
        program = fuse(model, list(domains))
        plain, found = analyze(program, domains), subdivided(program, domains, 48)
    assert found.partition is None
    assert {n: r.floats() for n, r in found.ranges.items()} == {n: r.floats() for n, r in plain.ranges.items()}
