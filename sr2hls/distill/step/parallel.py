"""`Law` + words of the bodies → one circuit for the whole step of N bodies, a new step at every clock edge (II = 1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sr2hls import api
from sr2hls.distill.law import Law
from sr2hls.distill.step.model import NEXT, Motion, Scalars, fields_of, output_names, pairs_of, step_model
from sr2hls.distill.step.words import Words
from sr2hls.errors import DomainError
from sr2hls.formats import Format
from sr2hls.interpret import Codes, interpret
from sr2hls.values import to_values

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ParallelStep:
    """The whole step as one design; its ports are a field and a body's number (x0, m3).

    neighbors: pairs (sender, receiver), None: all; words: of the fields that a body has; constants: numbers of scalars
    by body that were folded into the circuit; outputs: names without the body's number.
    """

    law: Law
    motion: Motion
    bodies: int
    neighbors: tuple[tuple[int, int], ...] | None
    words: Words
    constants: Mapping[str, tuple[float, ...]]
    outputs: tuple[str, ...]
    design: api.Design

    @property
    def interval(self) -> int:
        """Clock cycles from one step to the next."""
        return 1

    @property
    def latency(self) -> int:
        """Clock cycles from the states at the ports to the outputs."""
        return self.design.latency

    @property
    def bounds(self) -> dict[str, float]:
        """|circuit - law| of each output, proven by the compiler; the largest over the bodies."""
        found = {output.name: output.bound for output in self.design.certificate.outputs}
        return {name: max(found[f"{name}{body}"] for body in range(self.bodies)) for name in self.outputs}

    def ports(self, states: Mapping[str, Codes]) -> dict[str, Codes]:
        """Codes of the fields, (n, bodies) each → codes of the design's ports, (n,) each."""
        every = {f"{field}{body}": (field, body) for field in self.words.formats for body in range(self.bodies)}
        places = {name: every[name] for name in self.design.input_formats}
        return {name: np.ascontiguousarray(states[field][:, body]) for name, (field, body) in places.items()}

    def run(self, states: Mapping[str, Codes]) -> dict[str, Floats]:
        """Codes of the fields, (n, bodies) each → the outputs' values, bit for bit as in hardware, (n, bodies) each."""
        return self.gathered(interpret(self.design.circuit, self.ports(states)))

    def gathered(self, codes: Mapping[str, Codes]) -> dict[str, Floats]:
        """Codes of the design's outputs → values by output and body."""
        values = {name: to_values(fmt, codes[name]) for name, fmt in self.design.output_formats.items()}
        each = range(self.bodies)
        return {name: np.stack([values[f"{name}{body}"] for body in each], axis=1) for name in self.outputs}


def parallel_step(
    law: Law,
    bodies: int,
    words: Words,
    *,
    motion: Motion | None = None,
    neighbors: Sequence[tuple[int, int]] | None = None,
    scalars: Scalars | None = None,
    max_error: float | str | None = None,
    name: str = "step",
    **options: Any,
) -> ParallelStep:
    """Compile the step of all bodies at once.

    Args:
        words: formats and boxes, see `words_of`.
        motion: the nearest distance and the integrator; with one, the states are held in the boxes of `words`, and the
            outputs have the formats of the fields.
        neighbors, scalars: see `step_model`.
        max_error: of each output, as in `sr2hls.compile`.
        options: target, clock, registers, domain, ... of `sr2hls.compile`.

    Raises:
        Sr2hlsError: as `sr2hls.compile` and `step_model`.
    """
    asked = boxed(motion or Motion(), words)
    fields = fields_of(law, asked)
    words = words.of([field for field in fields if field not in (scalars or {})])
    model = step_model(
        law,
        bodies,
        neighbors=neighbors,
        scalars=scalars,
        nearest=asked.nearest,
        integrator=asked.integrator,
        dt=asked.dt,
        limits=asked.limits,
    )
    outputs = output_names(law, asked)
    each = range(bodies)
    ports = {f"{field}{body}": field for field in words.formats for body in each}
    used = {port: field for port, field in ports.items() if port in model.inputs}
    following = outputs if asked.integrator != "none" else ()
    next_words = {f"{o}{body}": words.formats[o.removeprefix(NEXT)] for o in following for body in each}
    design = compiled(
        model,
        asked,
        inputs={port: words.formats[field] for port, field in used.items()},
        ranges={port: words.limits[field] for port, field in used.items()},
        output=next_words or "auto",
        max_error=max_error,
        name=name,
        **options,
    )
    constants = {
        field: tuple(float(v) for v in numbers) for field, numbers in (scalars or {}).items() if field in fields
    }
    pairs = None if neighbors is None else tuple(pairs_of(neighbors, bodies))
    return ParallelStep(law, asked, bodies, pairs, words, constants, outputs, design)


def boxed(motion: Motion, words: Words) -> Motion:
    """With an integrator, the words' boxes where the motion names none."""
    if motion.integrator == "none" or motion.limits is not None:
        return motion
    return Motion(motion.nearest, motion.integrator, motion.dt, words.limits)


def compiled(model: Any, motion: Motion, **options: Any) -> api.Design:
    """`sr2hls.compile`, with a hint where a pole at distance 0 is likely the cause."""
    try:
        return api.compile(model, **options)
    except DomainError as error:
        if motion.nearest is not None:
            raise
        raise DomainError(
            f"{error}. Bodies may meet: give a nearest distance, below which a force stays finite"
        ) from None


def codes_of_values(words: Words, states: Mapping[str, Floats]) -> dict[str, Codes]:
    """Real values of the fields → codes, rounded to nearest and held inside the boxes."""
    from sr2hls.values import to_codes

    found = {}
    for field, fmt in words.formats.items():
        low, high = words.codes(field)
        found[field] = np.clip(to_codes(fmt, states[field], field), low, high)
    return found


def values_of_codes(words: Words, states: Mapping[str, Codes]) -> dict[str, Floats]:
    """The exact values of codes."""
    formats: Mapping[str, Format] = words.formats
    return {field: to_values(fmt, states[field]) for field, fmt in formats.items()}
