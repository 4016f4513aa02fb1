"""`Law` + words → a step with one edge unit: an edge design, a node design, and the accumulating shell between them.

With one lane the edge unit works off the N (N - 1) pairs of a snapshot one a cycle, so a receiver takes N - 1 cycles.
With L lanes (L divides N) there are L edge and node units, each for N / L receivers; with L = N a snapshot takes as
long as it takes to load it, N cycles. See `hw/sr2hls_accumulate.v` for the protocol.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from sr2hls import api
from sr2hls.distill.law import Law
from sr2hls.distill.step.certificate import StepCertificate, certify, node_slopes, sum_codes
from sr2hls.distill.step.model import NEXT, Motion, edge_model, fields_of, gauged, node_model, output_names
from sr2hls.distill.step.parallel import Floats, boxed, compiled
from sr2hls.distill.step.words import Words
from sr2hls.errors import FormatError, LoadError
from sr2hls.formats import Format
from sr2hls.interpret import Codes, interpret
from sr2hls.model import Output, SymbolicModel
from sr2hls.options import design_name
from sr2hls.options import max_error as error_target
from sr2hls.values import to_values

_NODE_SHARE = Fraction(3, 4)  # of the error target; rounding the output alone costs 1/2 of one ulp
_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class SerialStep:
    """edge: ports FIELD_i, FIELD_j → message_k; node: ports FIELD_i, sum_k → outputs; both with II = 1."""

    law: Law
    motion: Motion
    bodies: int
    words: Words
    lanes: int
    outputs: tuple[str, ...]
    edge: api.Design
    node: api.Design
    name: str
    certificate: StepCertificate

    @property
    def receivers(self) -> int:
        """Receivers of a lane."""
        return self.bodies // self.lanes

    @property
    def interval(self) -> int:
        """Clock cycles from one step to the next, when the snapshots come back to back."""
        return max(self.bodies, self.receivers * (self.bodies - 1))

    @property
    def latency(self) -> int:
        """Clock cycles from the edge that takes the last body to the last result, of a snapshot that need not wait."""
        return self.receivers * (self.bodies - 1) + self.edge.latency + self.node.latency + 2

    @property
    def bounds(self) -> dict[str, float]:
        """|circuit - law| of each output, proven."""
        return {output.name: output.bound for output in self.certificate.outputs}

    def run_codes(self, states: Mapping[str, Codes]) -> dict[str, Codes]:
        """Codes of the fields, (n, bodies) each → codes of the outputs, (n, bodies) each, bit for bit as in hardware.

        Both designs are interpreted, and the messages summed exactly.
        """
        n, bodies = next(iter(states.values())).shape
        pairs = [(i, j) for i in range(bodies) for j in range(bodies) if i != j]
        end = {"i": [i for i, _ in pairs], "j": [j for _, j in pairs]}
        ports = {p: np.ascontiguousarray(states[p[:-2]][:, end[p[-1]]]).ravel() for p in self.edge.input_formats}
        messages = interpret(self.edge.circuit, ports)
        own = {}
        for name in self.node.input_formats:
            if name.startswith("sum_"):
                every = messages[f"message_{name.removeprefix('sum_')}"]
                own[name] = every.reshape(n, bodies, bodies - 1).sum(axis=2).ravel()
            else:
                own[name] = np.ascontiguousarray(states[name[:-2]]).ravel()
        return {name: codes.reshape(n, bodies) for name, codes in interpret(self.node.circuit, own).items()}

    def run(self, states: Mapping[str, Codes]) -> dict[str, Floats]:
        """As `run_codes`, the outputs as values."""
        formats = self.node.output_formats
        return {name: to_values(formats[name], codes) for name, codes in self.run_codes(states).items()}


def serial_step(
    law: Law,
    bodies: int,
    words: Words,
    *,
    motion: Motion | None = None,
    lanes: int = 1,
    max_error: float | str | None = None,
    name: str = "step",
    **options: Any,
) -> SerialStep:
    """Compile edge and node unit so that the whole step keeps the error target.

    Args:
        words: formats and boxes, see `words_of`; every scalar that the law uses is loaded with its body.
        motion, options: as in `parallel_step`.
        lanes: edge units; a divisor of the number of bodies.
        max_error: of each output, absolute or in units of its last place ("2ulp"). None: 1 ulp, for the outputs of an
            integrator only, whose formats are those of the fields.

    Raises:
        FormatError: the target cannot be met, a sum is wider than 63 bits, the lanes do not divide the bodies.
        Sr2hlsError: as `sr2hls.compile`, `fields_of` and `largest_slope`.
    """
    asked = boxed(motion or Motion(), words)
    words = words.of(fields_of(law, asked))
    if bodies < 2 or lanes < 1 or bodies % lanes:
        raise FormatError(
            f"{lanes} lanes for {bodies} bodies: the lanes must divide the bodies, of which two are least"
        )
    name = design_name(name)
    targets = _targets(law, asked, words, max_error)
    used = gauged(law)
    nodes = node_model(used, asked)
    edges = _only(
        edge_model(used, asked), [n.replace("sum_", "message_") for n in nodes.inputs if n.startswith("sum_")]
    )
    error = float(min(targets.values())) / (4 * bodies * (asked.dt or 1.0))
    for attempt in range(_ROUNDS):
        edge = _edge(edges, asked, words, error, f"{name}_edge", options)
        node = _node(nodes, edge, asked, words, bodies, targets, f"{name}_node", options)
        allowed = _allowed(edge, node, bodies, targets)
        reached = max(Fraction(output.bound) for output in edge.certificate.outputs)
        if reached <= allowed and (attempt > 0 or reached > allowed / 4):  # the first guess may be much too strict
            bits = _accumulator(edge, bodies)
            stated = {output: float(target) for output, target in targets.items()}
            proof = certify(edge, node, words, bodies, bits, stated)
            return SerialStep(law, asked, bodies, words, lanes, output_names(law, asked), edge, node, name, proof)
        error = float(allowed) * 0.95
    raise FormatError(f"messages within {error:.3g} were asked of the edge unit and not reached; allow a larger error")


def _targets(law: Law, motion: Motion, words: Words, max_error: float | str | None) -> dict[str, Fraction]:
    absolute, ulps = error_target(max_error)
    names = output_names(law, motion)
    if absolute is not None:
        return dict.fromkeys(names, Fraction(absolute))
    if motion.integrator == "none":
        raise FormatError("the serial step needs an absolute error of the accelerations (max_error)")
    return {name: Fraction(1 if ulps is None else ulps) * words.formats[name.removeprefix(NEXT)].ulp for name in names}


def _only(model: SymbolicModel, outputs: list[str]) -> SymbolicModel:
    """The messages that the node function uses, and their inputs. Raises LoadError when there are none."""
    kept: tuple[Output, ...] = tuple(output for output in model.outputs if output.name in outputs)
    if not kept:
        raise LoadError("the node function uses no message: the bodies do not act on each other")
    used = {s.name for output in kept for s in output.expression.free_symbols}
    return SymbolicModel(tuple(name for name in model.inputs if name in used), kept)


def _edge(
    model: SymbolicModel, motion: Motion, words: Words, error: float, name: str, options: Mapping[str, Any]
) -> api.Design:
    return compiled(
        model,
        motion,
        inputs={port: words.formats[port[:-2]] for port in model.inputs},
        ranges={port: words.limits[port[:-2]] for port in model.inputs},
        max_error=error,
        name=name,
        **options,
    )


def _node(
    model: SymbolicModel,
    edge: api.Design,
    motion: Motion,
    words: Words,
    bodies: int,
    targets: Mapping[str, Fraction],
    name: str,
    options: Mapping[str, Any],
) -> api.Design:
    inputs = {port: words.formats[port[:-2]] for port in model.inputs if not port.startswith("sum_")}
    ranges = {port: words.limits[port[:-2]] for port in inputs}
    for message, index in edge.circuit.outputs:
        made, port = edge.circuit.nodes[index], message.replace("message_", "sum_")
        # the whole word, so that the port needs no clamp
        inputs[port] = Format.least_for(*sum_codes(made.low, made.high, bodies - 1), made.format.fraction)
    following = {o: words.formats[o.removeprefix(NEXT)] for o in targets if motion.integrator != "none"}
    share: float | str = float(min(targets.values()) * _NODE_SHARE)
    if following and len({targets[o] / f.ulp for o, f in following.items()}) == 1:  # one number of ulps for all outputs
        share = f"{float(next(targets[o] / f.ulp for o, f in following.items()) * _NODE_SHARE):.6f}ulp"
    return compiled(
        model, motion, inputs=inputs, ranges=ranges, output=following or "auto", max_error=share, name=name, **options
    )


def _allowed(edge: api.Design, node: api.Design, bodies: int, targets: Mapping[str, Fraction]) -> Fraction:
    """The largest error of a message with which every output keeps its target."""
    terms = bodies - 1
    margins = {o.name.replace("message_", "sum_"): terms * Fraction(o.bound) for o in edge.certificate.outputs}
    slopes = node_slopes(node, list(margins), margins)
    room = []
    for output in node.certificate.outputs:
        steepest = sum(slopes[output.name].values(), Fraction(0))
        if steepest > 0:
            room.append((targets[output.name] - Fraction(output.bound)) / (steepest * terms))
    return min(room)


def _accumulator(edge: api.Design, bodies: int) -> int:
    """Bits of the signed accumulators: the widest sum, and no less than a message."""
    ranges = [(edge.circuit.nodes[i].low, edge.circuit.nodes[i].high) for _, i in edge.circuit.outputs]
    sums = [sum_codes(low, high, bodies - 1) for low, high in ranges]
    widest = max(Format.least_for(min(low, -1), high, 0).width for low, high in sums)
    return max(widest, message_width(edge))


def message_width(edge: api.Design) -> int:
    """Bits of a message as the shell takes it: signed."""
    return max(2, *(fmt.width + (not fmt.signed) for fmt in edge.output_formats.values()))
