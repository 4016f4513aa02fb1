"""A `Story` and its images → the text of one self-contained HTML page."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING

from sr2hls.distill.report.story import Case, Story, missing
from sr2hls.resources import resource

if TYPE_CHECKING:
    from jinja2 import Environment

_ALT = {
    "curves": "Learning curves: training loss and held-out error over the steps",
    "significance": "Bars: significance of each component of the message, and principal components",
    "messages": "Scatter plots: messages against what they should equal",
    "fronts": "Loss over predicted latency of the formulas that the search offered",
    "errors": "Median relative errors of network and formula in each case",
}


def page(story: Story, images: Mapping[str, bytes]) -> str:
    """HTML with the PNG images of `figures` inside. All texts are escaped."""
    return (
        _environment()
        .get_template("distill/report.html.j2")
        .render(
            story=story,
            title=f"{story.system}, {story.dimension}D, {story.recipe.strategy}",
            images={name: base64.b64encode(content).decode("ascii") for name, content in images.items()},
            alt=_ALT,
            missing=missing(story),
            recipe=asdict(story.recipe),
            summary=_summary(story),
        )
    )


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    found = Environment(
        loader=FileSystemLoader(resource("templates")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=True,
    )
    found.filters["error"] = _error
    return found


def _summary(story: Story) -> tuple[tuple[str, str, str], ...]:
    """(what, its state: "yes", "no" or "open", a line) of the questions that a reader has first."""
    judged = story.verdict
    if judged is None:
        force = ("force in the messages", "open", "not compared with a true force")
    else:
        force = ("force in the messages", "yes" if judged.recovered else "no", judged.line)
    compared = [formula.equal for formula in story.formulas if formula.equal is not None]
    if not story.formulas:
        law = ("law", "open", "no formula was fitted")
    elif not compared:
        law = ("law", "open", "formulas were fitted; there was no known law to compare them with")
    else:
        right = sum(compared)
        line = f"{right} of {len(compared)} compared formulas equal the known law"
        law = ("law", "yes" if right == len(compared) else "no", line)
    return (force, law, ("errors", "open", _errors(story)))


def _errors(story: Story) -> str:
    cases = [_case(case) for case in story.cases]
    return "; ".join(cases) if cases else "not measured"


def _case(case: Case) -> str:
    return f"{case.name}: network {_error(case.network)}, formula {_error(case.formula)}"


def _error(value: float | None) -> str:
    """A relative error for people."""
    if value is None:
        return "not measured"
    return f"{100 * value:.2g} %" if value < 1 else f"{100 * value:.0f} %"
