"""A record with its verdict or its frame → the panels of messages against forces, as points to plot."""

from __future__ import annotations

import numpy as np

from sr2hls.distill.extract.frame import Framed
from sr2hls.distill.extract.recovery import Verdict, gauged_forces
from sr2hls.distill.extract.significance import flat_messages, principal
from sr2hls.distill.extract.trimmed import trimmed_fit
from sr2hls.distill.records import Record
from sr2hls.distill.report.story import Panel
from sr2hls.distill.trajectories import AXES, Floats, Ints

POINTS = 2000


def panels(
    record: Record, verdict: Verdict | None = None, framed: Framed | None = None, law: Floats | None = None
) -> tuple[Panel, ...]:
    """What can be shown of the messages.

    Args:
        verdict: with the true forces: each significant component against the combination of force components that it
            follows, as in Cranmer et al. 2020, figure 2.
        framed: the vectors in the frame of the axes, against `law`.
        law: (b, e, d), the formulas' values on the record's edges in units of the framed vectors; None: the true force
            (or acceleration), where it is known.
    """
    found: list[Panel] = []
    if verdict is not None and record.forces is not None:
        found += _against_force(record, verdict)
    if framed is not None:
        found += _against_law(record, framed, law)
    return tuple(found)


def _against_force(record: Record, verdict: Verdict) -> list[Panel]:
    score = verdict.scores[verdict.ranking]
    messages = flat_messages(record)
    d = record.accelerations.shape[-1]
    components = messages[:, list(score.components)] if score.components else messages @ principal(record, d).directions
    named = [f"message {c + 1}" for c in score.components] or [f"principal component {c + 1}" for c in range(d)]
    forces = gauged_forces(record)
    size = np.linalg.norm(forces["F"], axis=1)
    chosen = _sample(len(messages))
    found = []
    for k, gauge in enumerate(score.gauge):
        target = components[:, k : k + 1]
        fit = trimmed_fit(forces[gauge], target, size)
        values = (forces[gauge] @ fit.coefficients)[:, 0] + fit.offset[0]
        found.append(
            Panel(
                named[k],
                values[chosen],
                target[chosen, 0],
                f"linear combination of the components of {gauge}",
                f"{named[k]} (network units)",
                f"trimmed R² {score.trimmed[k]:.4f}, plain R² {score.plain[k]:.4f}",
            )
        )
    return found


def _against_law(record: Record, framed: Framed, law: Floats | None) -> list[Panel]:
    label = "formula"
    if law is None:
        if record.forces is None:
            return []
        known = f"true {framed.target}"
        label = known
        law = record.forces
        if framed.target == "acceleration" and "m_i" in record.edge:
            law = law / record.edge["m_i"][..., None]
    d = framed.vectors.shape[-1]
    x, y = law.reshape(-1, d), framed.vectors.reshape(-1, d)
    chosen = _sample(len(x))
    letter = "F" if framed.target == "force" else "a"
    fit = trimmed_fit(x, y, np.linalg.norm(x, axis=1))
    return [
        Panel(
            f"{letter}_{axis} of an edge",
            x[chosen, k],
            y[chosen, k],
            f"{label}, {letter}_{axis}",
            f"message in the frame of the axes, {letter}_{axis}",
            f"trimmed R² {fit.trimmed[k]:.4f}",
        )
        for k, axis in enumerate(AXES[:d])
    ]


def _sample(rows: int) -> Ints:
    if rows <= POINTS:
        return np.arange(rows)
    return np.sort(np.random.default_rng(0).choice(rows, POINTS, replace=False))
