"""`--domain clamp` where the argument has several inputs: as near to the pole as the rows come, proven and verified."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import sr2hls
from sr2hls.analyze.nearest import kept, snapped
from sr2hls.check.measure import measured_errors
from sr2hls.design import Design
from sr2hls.errors import DomainError, FormatError
from sr2hls.options import domain_rule
from sr2hls.verify import verify_design


def rows(one_side: bool = False) -> dict[str, np.ndarray[Any, Any]]:
    rng = np.random.default_rng(1)
    y = rng.integers(-6, 7, 300) / 4
    side = np.where(one_side | (rng.random(300) < 0.5), -1, 1)
    return {"x": rng.integers(-8, 9, 300) / 4, "y": y, "z": y + side * rng.integers(2, 9, 300) / 4}


def built(text: str, **options: Any) -> Design:
    design = sr2hls.compile(text, **{"domain": "clamp", **options})
    verdict = verify_design(design)
    assert verdict.verified, verdict.detail
    (found,) = measured_errors(design, {})
    assert found.method == "exhaustive" and found.points > 30 * found.in_bands
    assert 0 < found.measured <= found.proven
    return design


def note(design: Design) -> str:
    (found,) = [text for text in design.certificate.notes if "--domain clamp" in text]
    return found


def test_the_rows_say_how_near() -> None:
    design = built("x/(y - z)", data=rows(), width=5)
    assert "is clamped to [-4.75, -0.5] or [0.5, 5] (--domain clamp, as near to where" in note(design)
    x, y, z = rows().values()
    error = np.abs(design.predict(rows()) - x / (y - z))
    assert error.max() <= design.certificate.outputs[0].bound  # no row is changed
    across = design.predict({"x": [1.0, 1.0, 1.0], "y": [0.5, 0.0, 0.25], "z": [0.25, 0.25, 0.25]})
    np.testing.assert_allclose(across, [2, -2, -2], atol=design.certificate.outputs[0].bound)


def test_a_side_without_rows_is_dropped() -> None:
    design = built("x/(y - z)", data=rows(one_side=True), width=5)
    assert " is clamped to [0.5, " in note(design) and " or " not in note(design)
    assert len(design.circuit.nodes) < len(built("x/(y - z)", data=rows(), width=5).circuit.nodes)


def test_the_floor_of_the_user_goes_before() -> None:
    design = built("x/(y - z)", data=rows(), width=5, domain="clamp=1.25")
    assert "[-4.75, -1.25] or [1.25, 5] (--domain clamp, 1.25 from where it is not defined)" in note(design)
    with pytest.raises(DomainError, match=r"'1/\(y - z\)': nothing is left of its argument's range"):
        sr2hls.compile("x/(y - z)", data=rows(), width=5, domain="clamp=50")


def test_without_rows_a_small_part_of_the_range_is_kept_free() -> None:
    design = built("x/(y - z)", inputs="fixed<5,3>")
    assert "[-7.75, -0.00378418] or [0.00378418, 7.75] (--domain clamp)" in note(design)


@pytest.mark.parametrize(
    "text", ["x/(y - z)^2", "x*log(y - z)", "1/(y^2 - z - 2) + x", "x/(y^2 + z^2)", "x/(sin(y) - z)"]
)
def test_poles_and_edges_of_other_functions(text: str) -> None:
    built(text, inputs="fixed<5,2>", domain="clamp=0.25")


def test_a_root_keeps_its_edge() -> None:
    assert "is clamped to [0, 7.75] (--domain clamp)" in note(built("x*sqrt(y - z)", inputs="fixed<5,3>"))


def test_angles_of_several_turns_are_refused() -> None:
    with pytest.raises(DomainError, match="several turns"):
        sr2hls.compile("tan(y*z)", inputs="fixed<6,3>", domain="clamp")


def test_rows_that_lie_elsewhere_are_counted() -> None:
    pieces, whole = ((Fraction(-1), Fraction(0)), (Fraction(0), Fraction(1))), (Fraction(-1), Fraction(1))
    found = kept(pieces, whole, np.array([0.5, 0.01, np.nan, 0.0]), None, Fraction(1, 16))
    assert found.pieces == ((Fraction(1, 16), Fraction(1)),)
    assert found.how.endswith("but for 3 of 4")


def test_ends_are_round_numbers() -> None:
    third, cell = Fraction(1, 3), Fraction(1, 1 << 30)
    (low, high), _ = snapped(((-1 - third, -cell), (cell, third)), (-1 - third, third), cell)
    assert (low, high) == (-1 - third, 0)


def test_the_rule_is_read() -> None:
    assert domain_rule("strict") == ("strict", None)
    assert domain_rule("clamp=pi/2")[1] == pytest.approx(1.5707963)
    for text in ("strict=1", "clamp=0", "clamp=-1", "clamp=", "hope"):
        with pytest.raises(FormatError):
            domain_rule(text)
