"""Cheaper words under the same proven error, limits, and what is said when they cannot be kept."""

from __future__ import annotations

import itertools
import random

import pytest
from test_compile import build, errors

import sr2hls
from sr2hls.compiler import Options, compile_model
from sr2hls.errors import FormatError
from sr2hls.formats import Format
from sr2hls.load import load
from sr2hls.wordlength import Bill, Limits, Timing, bill_of
from sr2hls.wordlength.aim import Aim
from sr2hls.wordlength.combine import Change, combine

WORD = Format.parse("fixed<10,3>")
FORMULA = "x0*sin(x1) + x0*x2"


def bill(design):
    ports = int(design.register_inputs) + int(design.register_outputs)
    return bill_of(design.circuit, design.target, Timing(design.clock_ns, ports))


def test_effort_lowers_the_bill_under_the_same_error():
    bills = {}
    for effort in ("low", "normal"):
        model, design = build(FORMULA, inputs={"*": WORD}, effort=effort)
        bills[effort] = bill(design)
        (output,) = design.certificate.outputs
        assert output.bound <= output.target == 2.0 ** -design.output_formats["y"].fraction
        for _, error in errors(model, design):
            assert error.max() <= output.bound + 1e-12
    low, normal = bills["low"], bills["normal"]
    assert normal.luts < 0.97 * low.luts
    assert normal.dsp <= low.dsp
    assert normal.latency <= low.latency


def test_a_cut_factor_is_proven_and_verified_again():
    model, design = build("x0*x1*x2 + x0", inputs={"*": WORD}, max_error_ulps=4.0, output={"*": Format(True, 18, 8)})
    steps = {node.node: node for node in design.certificate.nodes if node.kind == "product"}
    assert steps
    for _, error in errors(model, design, 20_000):
        assert error.max() <= design.certificate.outputs[0].bound + 1e-12


def test_limits_relax_the_error_only_where_none_was_asked_for():
    first = compile_model(load(FORMULA), Options(inputs={"*": WORD}, effort="low"))
    most = round(bill(first).luts * 0.4)
    design = sr2hls.compile(FORMULA, inputs=WORD, max_luts=most, effort="low")
    assert bill(design).luts <= most
    (output,) = design.certificate.outputs
    assert output.bound <= output.target
    assert output.target > first.certificate.outputs[0].target
    assert any("relaxed" in note for note in design.certificate.notes)
    with pytest.raises(FormatError, match=rf"at most {most} LUT was found: the nearest, .* cycles, \d+ LUT"):
        sr2hls.compile(FORMULA, inputs=WORD, max_luts=most, max_error="1ulp", effort="low")


def test_a_given_word_is_kept_and_only_its_error_grows():
    design = sr2hls.compile(FORMULA, inputs=WORD, output="fixed<16,7>", max_latency=2, target="vu9p-2", effort="low")
    assert design.latency <= 2
    assert str(design.output_formats["y"]) == "fixed<16,7>"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"max_luts": 3, "effort": "low"}, "at most 3 LUT was found"),
        ({"max_luts": -1}, "a limit of -1 LUTs"),
        ({"max_luts": 100, "precision": "fixed<16,6>"}, "--precision"),
        ({"effort": "huge"}, "low, normal, high"),
    ],
)
def test_refusals_are_one_line(options, says):
    with pytest.raises(FormatError, match=says) as caught:
        sr2hls.compile(FORMULA, inputs=WORD, **options)
    assert "\n" not in str(caught.value)


def best_by_trying(changes, room):
    levers = sorted({c.lever for c in changes})
    best = 0.0
    for chosen in itertools.product(*[[None, *[c for c in changes if c.lever == lever]] for lever in levers]):
        taken = [c for c in chosen if c is not None]
        if all(sum(c.errors[o] for c in taken) <= room[o] + 1e-9 for o in range(len(room))):
            best = min(best, sum(c.price for c in taken))
    return best


def test_combinations_keep_the_room_and_come_near_the_best():
    rng = random.Random(3)
    gaps = []
    for _ in range(60):
        changes = []
        for lever in range(5):
            price, error = rng.uniform(5, 50), rng.uniform(0.05, 0.5)
            for step in (-2, -1, 1, 2):  # coarser is cheaper and errs more
                errors = tuple(-step * error * rng.uniform(0.6, 1.4) for _ in range(2))
                changes.append(Change(lever, step, step * price * rng.uniform(0.7, 1.3), errors))
        room = (rng.uniform(0, 0.4), rng.uniform(0, 0.4))
        chosen = combine(changes, room)
        assert len({c.lever for c in chosen}) == len(chosen)
        assert all(sum(c.errors[o] for c in chosen) <= room[o] + 1e-8 for o in range(2))
        best = best_by_trying(changes, room)
        gaps.append(sum(c.price for c in chosen) / best if best < 0 else 1.0)
    assert sum(gaps) / len(gaps) > 0.8


def test_what_exceeds_a_limit_counts_first():
    small, fast = Bill(100, 4, 5, 20.0, 150.0), Bill(900, 4, 2, 8.0, 150.0)
    assert Aim(Limits(), small).better(small, fast)
    late = Aim(Limits(latency=2), small)
    assert late.better(fast, small)
    assert not late.better(small, fast)
    without = Bill(700, 0, 5, 20.0, 150.0)
    assert not Aim(Limits(), small).better(Bill(800, 0, 5, 20.0, 150.0), small)
    assert Aim(Limits(dsp=0), small).better(without, small)
    assert Limits(dsp=0).excess(small) == 4.0
