"""A step circuit + an initial state → the trajectory that it drives, beside that of the law in float64."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sr2hls.analyze.evaluate import array_function
from sr2hls.distill.law import Law
from sr2hls.distill.step.model import NEXT, exactly, pairs_of
from sr2hls.distill.step.parallel import ParallelStep, codes_of_values, values_of_codes
from sr2hls.distill.step.serial import SerialStep
from sr2hls.errors import FormatError, LoadError
from sr2hls.interpret import Codes
from sr2hls.values import to_codes

Floats = NDArray[np.float64]
Step = ParallelStep | SerialStep
State = dict[str, Floats]


@dataclass(frozen=True, slots=True)
class Driven:
    """positions, reference: (steps + 1, runs, bodies, d), of the circuit and of float64; times: (steps + 1,); states:
    the codes that the circuit was given, field → (steps * runs, bodies), step after step; outputs: what it gave, name →
    the same shape; held: how many coordinates of these states were at the end of their box or beyond."""

    times: Floats
    positions: Floats
    reference: Floats
    states: Mapping[str, Codes]
    outputs: Mapping[str, Floats]
    held: int

    @property
    def error(self) -> Floats:
        """The largest |circuit - float64| of any coordinate of a position: (steps + 1, runs)."""
        found: Floats = np.abs(self.positions - self.reference).max(axis=(2, 3))
        return found


def accelerations(
    law: Law,
    nearest: float | None,
    state: Mapping[str, Floats],
    neighbors: Sequence[tuple[int, int]] | None = None,
) -> list[Floats]:
    """Of every body by the law in float64: for each axis (runs, bodies), from fields of that shape.

    nearest, neighbors: as in `step_model`.
    """
    runs, bodies = state["x"].shape
    j, i = (np.array(ends, dtype=np.int64) for ends in zip(*pairs_of(neighbors, bodies), strict=True))
    known = {f"d{axis}": state[axis][:, i] - state[axis][:, j] for axis in law.axes}
    square = np.asarray(sum(known[f"d{axis}"] ** 2 for axis in law.axes))
    known["r"] = np.sqrt(square if nearest is None else np.maximum(square, nearest**2)) + law.softening
    known |= {f"{field}_i": values[:, i] for field, values in state.items()}
    known |= {f"{field}_j": values[:, j] for field, values in state.items()}
    own = {f"{field}_i": values for field, values in state.items()}
    for k, part in enumerate(law.edge, 1):
        symbols = sorted(part.free_symbols, key=lambda s: s.name)
        message = array_function(exactly(part), symbols)(*(known[s.name] for s in symbols))
        total = np.zeros((bodies, runs))
        np.add.at(total, i, np.broadcast_to(message, square.shape).T)
        own[f"sum_{k}"] = total.T
    found = []
    for part in law.node:
        symbols = sorted(part.free_symbols, key=lambda s: s.name)
        value = array_function(exactly(part), symbols)(*(own[s.name] for s in symbols))
        found.append(np.broadcast_to(value, (runs, bodies)))
    return found


def trajectory(step: Step, state: Mapping[str, ArrayLike], steps: int, dt: float | None = None) -> Driven:
    """Drive a trajectory by the bit-accurate model of a step, and by the law in float64 with the same integrator.

    The integrator is the semi-implicit Euler method. A step with an integrator of its own is fed with its outputs, all
    in its words; the reference then begins at the state that these words hold. A step that gives accelerations is
    integrated outside in float64, and its inputs are rounded to its words. Scalars are those that the words hold in
    both: a mass is a property of the bodies, not a state.

    Args:
        state: field → (bodies,) or (runs, bodies); positions and velocities, and the scalars that are not folded in.
        dt: the time step; that of the step's own integrator where it has one.

    Raises:
        FormatError: `dt` is missing, or not the step's own. LoadError: a field is missing or has a wrong shape.
    """
    inside = step.motion.integrator != "none"
    if inside and dt not in (None, step.motion.dt):
        raise FormatError(f"the step was compiled for dt = {step.motion.dt:g}, not {dt:g}")
    tick = step.motion.dt if inside else dt
    if tick is None:
        raise FormatError("a time step dt is needed: this step gives accelerations")
    axes = step.law.axes
    now = _full(step, state, axes)
    in_words = values_of_codes(step.words, codes_of_values(step.words, now))
    moving = (*axes, *_speeds(axes))
    now |= {field: values for field, values in in_words.items() if inside or field not in moving}
    exact = dict(now)
    neighbors = step.neighbors if isinstance(step, ParallelStep) else None
    shown, wanted = [_positions(now, axes)], [_positions(exact, axes)]
    visited: list[dict[str, Codes]] = []
    given: list[dict[str, Floats]] = []
    for _ in range(steps):
        codes = codes_of_values(step.words, now)
        outputs = step.run(codes)
        visited.append(codes)
        given.append(outputs)
        now = _next(now, outputs, tick, axes)
        found = accelerations(step.law, step.motion.nearest, exact, neighbors)
        exact = _next(exact, {f"a{axis}": a for axis, a in zip(axes, found, strict=True)}, tick, axes)
        shown.append(_positions(now, axes))
        wanted.append(_positions(exact, axes))
    states = {f: np.concatenate([codes[f] for codes in visited]) for f in step.words.formats}
    outputs = {name: np.concatenate([values[name] for values in given]) for name in step.outputs}
    held = sum(_at_the_end(step, field, codes) for field, codes in states.items() if field in moving)
    times: Floats = np.arange(steps + 1, dtype=np.float64) * tick
    return Driven(times, np.stack(shown), np.stack(wanted), states, outputs, held)


def _speeds(axes: Sequence[str]) -> list[str]:
    return [f"v{axis}" for axis in axes]


def _at_the_end(step: Step, field: str, codes: Codes) -> int:
    low, high = step.words.codes(field)
    return int(((codes <= low) | (codes >= high)).sum())


def _full(step: Step, state: Mapping[str, ArrayLike], axes: Sequence[str]) -> State:
    constants = step.constants if isinstance(step, ParallelStep) else {}
    found: State = {}
    needed = dict.fromkeys([*axes, *_speeds(axes), *step.words.formats])
    for field in needed:
        if field not in state:
            raise LoadError(f"the state lacks '{field}' of the bodies")
    for field, values in {**{f: state[f] for f in needed}, **constants}.items():
        rows = np.atleast_2d(np.asarray(values, dtype=np.float64))
        if rows.ndim != 2 or rows.shape[1] != step.bodies:
            raise LoadError(f"'{field}' has the shape {rows.shape}; {step.bodies} bodies are needed")
        found[field] = rows
    runs = max(len(rows) for rows in found.values())
    return {field: np.array(np.broadcast_to(rows, (runs, step.bodies))) for field, rows in found.items()}


def _next(now: State, outputs: Mapping[str, Floats], dt: float, axes: Sequence[str]) -> State:
    new = dict(now)
    for axis in axes:
        if f"{NEXT}{axis}" in outputs:
            new[axis], new[f"v{axis}"] = outputs[f"{NEXT}{axis}"], outputs[f"{NEXT}v{axis}"]
        else:
            new[f"v{axis}"] = now[f"v{axis}"] + dt * outputs[f"a{axis}"]
            new[axis] = now[axis] + dt * new[f"v{axis}"]
    return new


def _positions(state: State, axes: Sequence[str]) -> Floats:
    return np.stack([state[axis] for axis in axes], axis=-1)


def replay(step: SerialStep, driven: Driven) -> dict[str, Codes]:
    """The codes that the outputs of a trajectory stand for, to compare with a simulator fed with its states."""
    formats = step.node.output_formats
    return {name: to_codes(formats[name], values, name) for name, values in driven.outputs.items()}
