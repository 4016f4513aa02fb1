"""A `Distillation` → the `Story` of its report, and the lines that the terminal shows."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import sympy

from sr2hls.distill.extract import in_frame
from sr2hls.distill.report import Candidate, Case, Curve, Formula, Front, Panel, Story, panels, versions
from sr2hls.distill.result import FORCE, PAIRS, Distillation
from sr2hls.distill.symbolic.choice import Priced
from sr2hls.distill.symbolic.select import edge_part
from sr2hls.distill.trajectories import Floats
from sr2hls.operators.numeric import evaluate

DIGITS = 6
STEEP = 1000.0  # times the median force: beyond it a circuit needs a floor for the distance


def story_of(result: Distillation) -> Story:
    """All that the report says."""
    source, found, law = result.source, result.found, result.law
    units = source.trajectories.units
    unit = f"{units['length']}/{units['time']}²" if {"length", "time"} <= set(units) else ""
    stages = [f"{s.name}: median error of accelerations {s.errors.median:.3%}" for s in found.stages]
    return Story(
        source.name,
        law.dimension,
        result.trained.recipe,
        data=source.about,
        unit=unit,
        curves=(Curve("network", result.trained.curve, result.trained.seconds, result.trained.finished),),
        significance=result.significance,
        verdict=result.verdict,
        frame_line="" if found.framed is None else found.framed.line,
        panels=_panels(result),
        formulas=_formulas(result),
        law=law_lines(result),
        fronts=(Front("edge formula, as part of the law", _candidates(found.edge_rows, edge_part(law))),),
        cases=tuple(
            Case(name, at == 0, graphs.size[1], graphs.size[0], network.median, formula.median)
            for at, (name, graphs, formula, network) in enumerate(result.cases)
        ),
        seeds={"data and split": result.trained.recipe.seed, "training": result.trained.recipe.seed,
               "symbolic fit": result.wishes.seed},
        versions=versions(),
        notes=(*source.trajectories.notes, *stages),
    )  # fmt: skip


def law_lines(result: Distillation) -> tuple[str, ...]:
    """Edge and node formula of each axis, for people: numbers with six digits."""
    law = result.law
    sums = [f"sum_{k} = Σ_j {_text(e)}" for k, e in enumerate(law.edge, 1)]
    return (*sums, *(f"a_{axis} = {_text(e)}" for axis, e in zip(law.axes, law.node, strict=True)))


def lines(result: Distillation, folder: Path) -> list[tuple[str, str]]:
    """(label, text) of what a distillation came to, and what to do next."""
    found = [("law" if at == 0 else "", text) for at, text in enumerate(law_lines(result))]
    if result.law.softening:
        found.append(("", f"with r = |x_i - x_j| + {result.law.softening:g}"))
    if result.same is not None:
        if result.same.equal:
            found.append(("truth", f"it is the true law; constants within {result.same.error:.2%}"))
        else:
            found.append(("truth", f"it is not the true law: {result.same.why}"))
    for name, graphs, law, network in result.cases:
        text = (
            f"{law.median:.3%} of the law, {network.median:.3%} of the network, on {name} ({graphs.size[0]} snapshots)"
        )
        found.append(("error", f"{text}; medians of |a - a'|/|a|"))
    if result.nearest is None and result.steepness > STEEP:
        steep = f"the largest force on these pairs is {result.steepness:.3g} times the median one"
        found.append(("note", f"{steep}; --nearest gives the circuit a floor for the distance, and a finer word"))
    command = ["sr2hls", "compile", str(folder / FORCE), "--data", str(folder / PAIRS), "--domain", "clamp"]
    found.append(("files", f"{folder}/ (law.json, report.html, network/)"))
    found.append(("next", f"{shlex.join(command)} --simulate"))
    return found


def _formulas(result: Distillation) -> tuple[Formula, ...]:
    law, truth = result.law, result.source.truth
    equal = None if result.same is None else result.same.equal
    letter = "F" if result.found.framed is None or result.found.framed.target == "force" else "a"
    found = [
        Formula("edge", f"{letter}_{axis}" if len(law.edge) == law.dimension else f"message {k + 1}", _text(e),
                result.found.edge.error, true="" if truth is None else _text(truth.edge[k]), equal=equal)
        for k, (axis, e) in enumerate(zip((*law.axes, "", "", ""), law.edge, strict=False))
    ]  # fmt: skip
    return (
        *found,
        *(
            Formula("node", f"a_{axis}", _text(e), true="" if truth is None else _text(truth.node[k]), equal=equal)
            for k, (axis, e) in enumerate(zip(law.axes, law.node, strict=True))
        ),
    )


def _candidates(rows: Sequence[Priced], chosen: Sequence[sympy.Expr]) -> tuple[Candidate, ...]:
    """The formulas that were tried; the one that was taken has other numbers by now, and is known by its form."""
    form = [_form(e) for e in chosen]
    return tuple(
        Candidate(", ".join(_text(e) for e in row.expression), row.cycles, row.nodes, row.loss,
                  [_form(e) for e in row.expression] == form)
        for row in rows
    )  # fmt: skip


def _panels(result: Distillation) -> tuple[Panel, ...]:
    record, framed = result.record, result.found.framed
    law: Floats | None = None
    if framed is not None:
        framed = replace(framed, vectors=in_frame(framed, record))
        if len(result.law.edge) == result.law.dimension:
            shape = record.edge["r"].shape
            values = [np.broadcast_to(evaluate(e, record.edge), shape) for e in result.law.edge]
            law = np.stack(values, axis=-1)
    return panels(record, result.verdict, framed, law)


def _form(expression: sympy.Expr) -> sympy.Expr:
    """The expression with a 1 for every number that is not a small integer."""
    return expression.replace(lambda e: e.is_Number and not (e.is_Integer and abs(e) <= 4), lambda _: sympy.Integer(1))


def _text(expression: sympy.Expr) -> str:
    """With six digits of every number that is not an integer or a half."""
    long = {n for n in expression.atoms(sympy.Rational) if not n.is_Integer and n != sympy.S.Half}
    return str(expression.xreplace({n: sympy.Float(n, DIGITS) for n in long}))
