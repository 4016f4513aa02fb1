"""The certificates of an edge and a node design → the proven error of the step that they make, and its range checks.

The circuit computes node'(state, S') with S'_k = sum of N - 1 messages edge'_k, summed exactly; the law is
node(state, S). With |edge'_k - edge_k| <= e_k, |node' - node| <= n on the same inputs, and |d node / d S_k| <= L_k on
the box of all states and of both sums,

    |node'(state, S') - node(state, S)| <= n + sum over k of L_k (N - 1) e_k,

by the mean value theorem on the segment between S' and S, whose box is convex. It holds if no message sum leaves the
accumulator or the node's port, and if both designs were compiled for states of the whole box: that is checked here, on
the ranges of codes that the circuits can produce.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction

from sr2hls.analyze.interval import Interval
from sr2hls.check.measure import model_of
from sr2hls.design import Design
from sr2hls.distill.step.slopes import largest_slope
from sr2hls.distill.step.words import Words
from sr2hls.emit.design_json import short_digest
from sr2hls.errors import CircuitError, FormatError, LoadError
from sr2hls.formats import Format
from sr2hls.model import symbol

VERSION = 1


@dataclass(frozen=True, slots=True)
class MessageSum:
    """One component of the messages. low, high: codes that the edge unit can produce; sum_low, sum_high: that N - 1 of
    them can sum up to; accumulator: bits of the signed register; port: the node's word for the sum; error: of one
    message, proven; sum_error: of the sum, (N - 1) times that."""

    name: str
    format: str
    low: int
    high: int
    sum_low: int
    sum_high: int
    accumulator: int
    port: str
    error: float
    sum_error: float


@dataclass(frozen=True, slots=True)
class StepBound:
    """|circuit - law| <= bound for every state in the domain; slopes: bounds of |d output / d sum|, by sum."""

    name: str
    format: str
    target: float
    node: float
    slopes: Mapping[str, float]
    messages: float
    bound: float


@dataclass(frozen=True, slots=True)
class StepCertificate:
    """domain: field, format, lowest and highest value of every body; edge, node: the digests of the two designs, whose
    own certificates this one rests on; bands, notes: theirs, in words (a bound does not hold inside a band)."""

    bodies: int
    domain: tuple[tuple[str, str, float, float], ...]
    messages: tuple[MessageSum, ...]
    outputs: tuple[StepBound, ...]
    edge: str
    node: str
    bands: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def text(self) -> str:
        """As JSON."""
        return json.dumps({"sr2hls_step_certificate": VERSION, **asdict(self)}, indent=1) + "\n"


def asked_of(text: str) -> tuple[int, Words, int, dict[str, float]]:
    """What a certificate's text says it is for: bodies, words, bits of the accumulator, targets. Raises LoadError."""
    try:
        data = json.loads(text)
        if data["sr2hls_step_certificate"] != VERSION:
            raise LoadError(f"not a step certificate of version {VERSION}")
        formats = {str(field): Format.parse(fmt) for field, fmt, _, _ in data["domain"]}
        limits = {str(field): (float(low), float(high)) for field, _, low, high in data["domain"]}
        targets = {str(output["name"]): float(output["target"]) for output in data["outputs"]}
        return int(data["bodies"]), Words(formats, limits), int(data["messages"][0]["accumulator"]), targets
    except (ValueError, TypeError, KeyError, IndexError, RecursionError):
        raise LoadError("no step certificate, or a damaged one") from None


def node_slopes(node: Design, sums: Sequence[str], margins: Mapping[str, Fraction]) -> dict[str, dict[str, Fraction]]:
    """Output → sum → bound of |d output / d sum|, on the node's domain with each sum's range wider by its margin."""
    box = {}
    for name, low, high in node.certificate.domain:
        wider = margins.get(name, Fraction(0))
        box[name] = Interval.of(Fraction(low) - wider, Fraction(high) + wider)
    found = {}
    for output in model_of(node).outputs:
        used = {s.name for s in output.expression.free_symbols}
        found[output.name] = {s: largest_slope(output.expression, symbol(s), box) for s in sums if s in used}
    return found


def certify(
    edge: Design, node: Design, words: Words, bodies: int, accumulator: int, targets: Mapping[str, float]
) -> StepCertificate:
    """Compose the certificates.

    Args:
        accumulator: bits of the signed sums. targets: what was asked of each output.

    Raises:
        FormatError: a sum can leave the accumulator or the node's port. CircuitError: the designs do not fit together
            (a bug). DomainError, UnsupportedError: see `largest_slope`.
    """
    terms = bodies - 1
    _same_domain(edge, words)
    _same_domain(node, words)
    stated = {output.name: Fraction(output.bound) for output in edge.certificate.outputs}
    messages = []
    for name, index in edge.circuit.outputs:
        number = name.removeprefix("message_")
        port = node.input_formats.get(f"sum_{number}")
        if port is None:
            raise CircuitError(f"the node unit has no port for '{name}'")
        made = edge.circuit.nodes[index]
        messages.append(_sum(name, made.format, (made.low, made.high), terms, accumulator, port, stated[name], node))
    margins = {f"sum_{m.name.removeprefix('message_')}": terms * stated[m.name] for m in messages}
    slopes = node_slopes(node, list(margins), margins)
    outputs = []
    for output in node.certificate.outputs:
        own = slopes[output.name]
        passed = sum((own[s] * margins[s] for s in own), Fraction(0))
        outputs.append(
            StepBound(
                output.name,
                output.format,
                targets[output.name],
                output.bound,
                {s: upward(value) for s, value in own.items()},
                upward(passed),
                upward(Fraction(output.bound) + passed),
            )
        )
    domain = tuple((f, str(fmt), *words.limits[f]) for f, fmt in words.formats.items())
    parts = (edge.certificate, node.certificate)
    bands = tuple(f"{o.name}: {band}" for part in parts for o in part.outputs for band in o.bands)
    notes = tuple(note for part in parts for note in part.notes)
    return StepCertificate(
        bodies, domain, tuple(messages), tuple(outputs), short_digest(edge), short_digest(node), bands, notes
    )


def sum_codes(low: int, high: int, terms: int) -> tuple[int, int]:
    """The range of the accumulator's codes: of whole sums and, as it counts up, of every partial one."""
    return min(low, terms * low), max(high, terms * high)


def upward(value: Fraction) -> float:
    """The least float that is not below."""
    near = float(value)
    return near if Fraction(near) >= value else math.nextafter(near, math.inf)


def _sum(
    name: str,
    fmt: Format,
    codes: tuple[int, int],
    terms: int,
    accumulator: int,
    port: Format,
    error: Fraction,
    node: Design,
) -> MessageSum:
    low, high = sum_codes(*codes, terms)
    if not Format(True, accumulator, fmt.fraction).holds(low, high):
        raise FormatError(
            f"{terms} codes of '{name}' reach {low} ... {high}: more than an accumulator of {accumulator} bits"
        )
    if port.fraction != fmt.fraction or not port.holds(low, high):
        raise FormatError(
            f"{terms} codes of '{name}' ({fmt}) reach {low} ... {high}: more than the node's port, {port}"
        )
    stated = {n: (first, last) for n, first, last in node.certificate.domain}[f"sum_{name.removeprefix('message_')}"]
    if not stated[0] <= port.value(terms * codes[0]) <= port.value(terms * codes[1]) <= stated[1]:
        raise FormatError(
            f"the sum of '{name}' leaves the range {stated[0]:g} ... {stated[1]:g} that the node clamps to"
        )
    total = terms * error
    return MessageSum(
        name, str(fmt), *codes, terms * codes[0], terms * codes[1], accumulator, str(port), upward(error), upward(total)
    )


def _same_domain(design: Design, words: Words) -> None:
    """Each state port is compiled for the whole box of its field."""
    formats = design.input_formats
    for name, low, high in design.certificate.domain:
        field = name[:-2]
        if name.startswith("sum_") or field not in words.formats:
            continue
        wanted = words.limits[field]
        if formats[name] != words.formats[field] or low > wanted[0] or high < wanted[1]:
            raise CircuitError(
                f"'{design.name}' was compiled for {name} in {low:g} ... {high:g}, not for the whole box"
            )
