"""The results of a distillation, as far as there are any → `Story`, all that its report says."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from typing import Any

from sr2hls.distill.extract.recovery import Verdict
from sr2hls.distill.extract.significance import Significance
from sr2hls.distill.recipe import Recipe
from sr2hls.distill.trajectories import Floats

PACKAGES = ("sr2hls", "numpy", "sympy", "torch", "torch-geometric", "numba", "matplotlib")


@dataclass(frozen=True, slots=True)
class Curve:
    """Learning curve of one training. rows: (k, 3), step, training loss and held-out error per graph, as that of a
    trained network; seconds: of CPU; finished: false where it was stopped early."""

    name: str
    rows: Floats
    seconds: float = 0.0
    finished: bool = True


@dataclass(frozen=True, slots=True)
class Panel:
    """One quantity against another that it should equal: x, y (points,); labels with units; note: of R² and gauge."""

    title: str
    x: Floats
    y: Floats
    x_label: str
    y_label: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Formula:
    """One component of the law as text. part: "edge" or "node"; name: its left side ("F_x", "message 1", "a_x"); error:
    root mean square residual relative to the size, on rows that were not fitted; true: the text it should be, where
    that is known; equal: whether it is, None: not compared."""

    part: str
    name: str
    text: str
    error: float | None = None
    cycles: int | None = None
    nodes: int | None = None
    true: str = ""
    equal: bool | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A formula that the search offered: predicted cycles, nodes, loss on held-out rows."""

    text: str
    cycles: int
    nodes: int
    loss: float
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Front:
    """The formulas of one search, from which one was chosen."""

    name: str
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """Errors of accelerations on one kind of data. inside: data as in the training (held-out runs), else out of the
    distribution; each error: median over bodies of |a - â|/|a|, None: not measured; snapshots: how many."""

    name: str
    inside: bool
    bodies: int
    snapshots: int
    network: float | None = None
    formula: float | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """Of one distillation. What is None or empty was not done, and the report says so.

    system: its name, or that of the data file; data: text, how many runs, bodies, snapshots; unit: of accelerations, as
    text; significance, verdict, frame_line: of the messages; law: the composed formulas, a line an axis; hardware: text
    by text, a row each, of the compiled circuit; seeds: what they seed → number; not_run: further steps that were left
    out, a line each with the reason; notes: further lines.
    """

    system: str
    dimension: int
    recipe: Recipe
    data: str = ""
    unit: str = ""
    curves: tuple[Curve, ...] = ()
    significance: Significance | None = None
    verdict: Verdict | None = None
    frame_line: str = ""
    panels: tuple[Panel, ...] = ()
    formulas: tuple[Formula, ...] = ()
    law: tuple[str, ...] = ()
    fronts: tuple[Front, ...] = ()
    cases: tuple[Case, ...] = ()
    hardware: Mapping[str, str] = field(default_factory=dict)
    seeds: Mapping[str, int] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    not_run: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def versions(packages: Sequence[str] = PACKAGES) -> dict[str, str]:
    """Package → version, of those that are installed, and Python's."""
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def missing(story: Story) -> tuple[str, ...]:
    """What this distillation did not do, or not to the end, a line each: a report must not look more than it is."""
    lines = [f"{curve.name}: stopped early, after {_last(curve)} steps" for curve in story.curves if not curve.finished]
    if not story.curves:
        lines.append("no network was trained in this run: there are no learning curves")
    if story.significance is None:
        lines.append("the significance of the messages was not measured")
    if story.verdict is None:
        lines.append(
            "the messages were not compared with true forces (for measured data there are none to compare with)"
        )
    if not story.formulas:
        lines.append("no formula was fitted")
    elif all(formula.equal is None for formula in story.formulas):
        lines.append("the formulas were not compared with a known law")
    if not any(case.inside for case in story.cases):
        lines.append("errors on held-out data were not measured")
    if not any(not case.inside for case in story.cases):
        lines.append("errors out of the distribution were not measured")
    if story.formulas and any(case.formula is None for case in story.cases):
        lines.append("in some of the cases below the formulas' error was not measured")
    if not story.hardware:
        lines.append("no circuit was made: run 'sr2hls compile' on the formulas")
    return (*lines, *story.not_run)


def data(story: Story) -> dict[str, Any]:
    """As JSON data: everything but the points of the panels."""
    return {
        "schema": "sr2hls-distill-report",
        "system": story.system,
        "dimension": story.dimension,
        "data": story.data,
        "unit": story.unit,
        "recipe": asdict(story.recipe),
        "curves": [
            {"name": curve.name, "rows": curve.rows.tolist(), "seconds": curve.seconds, "finished": curve.finished}
            for curve in story.curves
        ],
        "significance": None if story.significance is None else _significance(story.significance),
        "verdict": None if story.verdict is None else story.verdict.data(),
        "frame": story.frame_line or None,
        "panels": [{"title": p.title, "note": p.note, "points": len(p.x)} for p in story.panels],
        "formulas": [asdict(formula) for formula in story.formulas],
        "law": list(story.law),
        "fronts": [asdict(front) for front in story.fronts],
        "cases": [asdict(case) for case in story.cases],
        "hardware": dict(story.hardware),
        "seeds": dict(story.seeds),
        "versions": dict(story.versions),
        "not_run": list(missing(story)),
        "notes": list(story.notes),
    }


def _significance(measured: Significance) -> dict[str, Any]:
    return {
        "std": measured.std.tolist(),
        "spread": measured.spread.tolist(),
        "importance": measured.importance.tolist(),
        "information": None if measured.information is None else measured.information.tolist(),
        "principal": measured.principal.tolist(),
    }


def _last(curve: Curve) -> int:
    return int(curve.rows[-1, 0]) if len(curve.rows) else 0
