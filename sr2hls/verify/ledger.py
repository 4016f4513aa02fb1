"""The certificate's numbers against each other: what follows from what, and the totals over the whole design.

A number that is altered where the proof does not notice (a bound made looser, an entry that no argument reaches) no
longer fits the others: every number is in at least two places of this book-keeping.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from fractions import Fraction
from typing import Any

from sr2hls.circuit import Op
from sr2hls.design import Design, NodeCertificate, OutputCertificate
from sr2hls.model import SymbolicModel, symbol
from sr2hls.verify.definitions import affine, number_span
from sr2hls.verify.evaluate import Formula
from sr2hls.verify.proof import Proof, Step
from sr2hls.verify.refused import Wrong
from sr2hls.verify.run import cone
from sr2hls.verify.sampled import cells
from sr2hls.verify.span import of_value, to_arb

_CLOSE = 1e-9  # relative: sensitivities and shares are no part of the proof
_BITS = 40
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?")
_PARTS = ("name", "circuit", "cycles", "stages", "clock_ns", "critical_ns", "certificate", "provenance", "warnings")

Pair = tuple[float, float]


def check_ledger(design: Design, proof: Proof, model: SymbolicModel) -> None:
    """Raises Wrong where two numbers of the certificate contradict each other."""
    for line in design.certificate.nodes:
        _sums(line)
        _grid(line)
        _band(line, proof)
        _method(line, proof)
        _slope(line, proof)
    _weights(design, proof)
    for output in design.certificate.outputs:
        _promise(design, output, proof)
        _bands(output, proof)
    _sources(design, model)
    _clamps(design)
    _boxes(design, proof)


def _sums(line: NodeCertificate) -> None:
    for what, stated, parts in (
        ("error", line.error, (line.inherited, line.local_error)),
        ("range", line.range, (line.exact_range, line.error)),
    ):
        expected = line.exact_range if line.kind == "input" and what == "range" else _added(*parts)
        if stated != expected:
            raise Wrong(f"step {line.symbol}: the {what} is {stated}, its parts add up to {expected}")


def _added(a: Pair, b: Pair) -> Pair:
    """The sum, outward to 40 bits, one unit further where that is not exact."""
    low, high = Fraction(a[0]) + Fraction(b[0]), Fraction(a[1]) + Fraction(b[1])
    largest = max(abs(low), abs(high))
    if not largest:
        return 0.0, 0.0
    unit = Fraction(2) ** (math.frexp(float(largest))[1] - 1 - _BITS)
    ends = [low / unit, high / unit]
    down = ends[0].numerator // ends[0].denominator
    up = -(-ends[1].numerator // ends[1].denominator)
    down -= ends[0].denominator != 1
    up += ends[1].denominator != 1
    return float(down * unit), float(up * unit)


def _size(pair: Pair) -> float:
    return max(0.0, -pair[0], pair[1])


def _grid(line: NodeCertificate) -> None:
    """Every stated interval has the bits that the ledger's rounding leaves."""
    parts = (pair for box in line.boxes for pair in (box[:2], box[2:]))
    for pair in (line.exact_range, line.inherited, line.local_error, *parts):
        size = _size(pair) or _size((-pair[0], -pair[1]))
        if line.kind == "input" or not size or not math.isfinite(size):
            continue
        fine = Fraction(2) ** (math.frexp(size)[1] - 2 - _BITS)  # rounding may have led to the next power of two
        if any((Fraction(end) / fine).denominator != 1 for end in pair):
            raise Wrong(f"step {line.symbol}: {pair} has more bits than the certificate's numbers have")


def _band(line: NodeCertificate, proof: Proof) -> None:
    step = proof.steps[line.symbol]
    expected = 0.0
    if step.kind in ("less", "floor") and step.expression is not None:
        args = [proof.steps[arg.name] for arg in step.expression.args]
        expected = math.fsum(_size(arg.line.error) for arg in args)
        if Fraction(line.band) < sum((arg.error.size for arg in args), Fraction(0)):
            raise Wrong(f"step {line.symbol} may flip in a wider band than {line.band:.3g}")
    if line.band != expected:
        raise Wrong(f"step {line.symbol}: the band is {line.band:.6g}, its operands' errors add up to {expected:.6g}")


def _method(line: NodeCertificate, proof: Proof) -> None:
    """The numbers in the name of a function's method are those of the circuit."""
    if (line.kind == "function") != bool(line.method):
        raise Wrong(f"step {line.symbol} of the kind '{line.kind}' has the method '{line.method}'")
    if not line.method or line.node < 0:
        return
    step = proof.steps[line.symbol]
    circuit = proof.circuit
    stops = [proof.steps[name].line.node for name in step.operands]
    lookups = [i for i in cone(circuit, line.node, stops) if circuit.nodes[i].op is Op.LOOKUP]
    sizes = sorted(len(circuit.tables[circuit.nodes[i].table].codes) for i in lookups)
    method, _, around = line.method.partition(", scaled by ")
    if around:  # the table of octaves stands beside those of the evaluator of one octave
        octaves = [int(number) for number in re.findall(r"\d+", around)]
        if len(octaves) != 1 or octaves[0] not in sizes:
            raise Wrong(f"step {line.symbol}: '{line.method}', but its tables have {sizes} entries")
        sizes.remove(octaves[0])
    if "table" in method:
        stated = sorted(map(int, re.findall(r"\d+", method)))
        if sizes and any(size not in stated for size in sizes):
            raise Wrong(f"step {line.symbol}: '{line.method}', but its tables have {sizes} entries")
    found = re.match(r"polynomial of degree (\d+) on (\d+) equal segments", method)
    if found and sizes and (len(sizes) > int(found[1]) + 1 or any(size != int(found[2]) for size in sizes)):
        raise Wrong(f"step {line.symbol}: '{line.method}', but its tables have {sizes} entries")


def _slope(line: NodeCertificate, proof: Proof) -> None:
    """A function's stated slope is not below its derivative, where that is bounded over the whole range."""
    step = proof.steps[line.symbol]
    if step.kind != "function" or step.expression is None:
        if line.slope != 0:
            raise Wrong(f"step {line.symbol} is no function and has a slope")
        return
    (operand,) = (proof.steps[name] for name in step.operands)
    # of a table over an input, or at a single point: nothing to multiply an error with
    if line.slope == 0 and (operand.kind == "input" or operand.exact.width == 0):
        return
    formula = Formula(step.expression, [symbol(operand.line.symbol)])
    slopes = []
    for cell in cells(operand.exact, 32):
        if of_value(formula.series(cell.ball(), 2)[1]) is None:
            return  # a kink or a vertical tangent: the slope is a typical one, for budgets
        slopes.append(of_value(formula.series(to_arb((cell.low + cell.high) / 2), 2)[1]))
    largest = max((min(abs(s.low), abs(s.high)) for s in slopes if s is not None), default=Fraction(0))
    if largest > Fraction(line.slope) * (1 + Fraction(1, 10**9)):
        raise Wrong(f"step {line.symbol}: a slope of {float(largest):.9g} occurs, the certificate says {line.slope}")


def _weights(design: Design, proof: Proof) -> None:
    """Sensitivities by reverse accumulation of the stated slopes, and the shares that follow."""
    weights: dict[str, float] = {}
    shares: dict[str, float] = {}
    for output in design.certificate.outputs:
        found = {output.symbol: 1.0}
        for line in reversed(design.certificate.nodes):
            weight = found.get(line.symbol, 0.0)
            for name, slope in _slopes(proof.steps[line.symbol], proof) if weight else ():
                found[name] = found.get(name, 0.0) + weight * slope
        for name, weight in found.items():
            weights[name] = max(weights.get(name, 0.0), weight)
            shares[name] = max(shares.get(name, 0.0), weight / output.target if output.target else 0.0)
    for line in design.certificate.nodes:
        if not _near(line.sensitivity, weights.get(line.symbol, 0.0)):
            raise Wrong(
                f"step {line.symbol}: the sensitivity is {line.sensitivity:.12g}, "
                f"the slopes give {weights.get(line.symbol, 0.0):.12g}"
            )
        local = _size(line.local_error)
        share = local * shares.get(line.symbol, 0.0) if local else 0.0
        if not _near(line.share, share):
            raise Wrong(f"step {line.symbol}: the share is {line.share:.12g}, its local error makes {share:.12g}")


def _slopes(step: Step, proof: Proof) -> list[tuple[str, float]]:
    expression = step.expression
    if expression is None:
        return []
    args = [arg.name for arg in expression.args if arg.is_Symbol]
    match step.kind:
        case "linear" | "turns":
            terms, _ = affine(expression) or ({}, None)
            return [(name, float(number_span(k).size)) for name, k in terms.items()]
        case "product":
            a, b = args[0], args[-1]
            return [(a, _size(proof.steps[b].line.exact_range)), (b, _size(proof.steps[a].line.exact_range))]
        case "maximum" | "minimum" | "absolute":
            return [(name, 1.0) for name in args]
        case "select":
            return [(name, 1.0) for name in args[1:]]
        case "function":
            return [(name, step.line.slope) for name in step.operands] if step.line.slope else []
        case _:
            return []


def _near(a: float, b: float) -> bool:
    return a == b or abs(a - b) <= _CLOSE * max(abs(a), abs(b))


def _promise(design: Design, output: OutputCertificate, proof: Proof) -> None:
    step = proof.steps.get(output.symbol)
    if step is None:
        raise Wrong(f"output '{output.name}' is no step of the certificate")
    if output.bound != _size(step.line.error):
        raise Wrong(
            f"output '{output.name}': the bound is {output.bound!r}, its step's error {_size(step.line.error)!r}"
        )
    if step.error.size > Fraction(output.bound):
        raise Wrong(
            f"output '{output.name}': the error reaches {float(step.error.size):.9g}, the bound is {output.bound}"
        )
    if not output.target * (1 + 2.0**-36) >= output.bound:
        raise Wrong(f"output '{output.name}': the bound {output.bound} is above the target {output.target}")
    if output.format != str(design.output_formats[output.name]):
        raise Wrong(
            f"output '{output.name}' is {design.output_formats[output.name]}, the certificate says {output.format}"
        )


def _bands(output: OutputCertificate, proof: Proof) -> None:
    """Every comparison that may flip is named, with a width that covers its band."""
    reached, waiting = set[str](), [output.symbol]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += proof.steps[name].operands
    for name in sorted(reached):
        line = proof.steps[name].line
        if line.band == 0:
            continue
        where = "of its threshold" if line.kind == "less" else "of an integer"
        pattern = re.escape(f"'{line.expression}' may flip where its argument is within ")
        found = [re.fullmatch(pattern + r"(\S+) " + where, text) for text in output.bands]
        widths = [float(match[1]) for match in found if match]
        if not any(line.band <= width <= line.band * 1.05 for width in widths):
            raise Wrong(
                f"output '{output.name}': the band of '{line.expression}', {line.band:.4g}, is not named as it is"
            )


def _sources(design: Design, model: SymbolicModel) -> None:
    """What the design says of its formulas, twice."""
    listed = design.provenance.get("outputs")
    held = [o.provenance for o in model.outputs]
    if not isinstance(listed, list) or len(listed) != len(held):
        raise Wrong("the provenance does not list the outputs of the model")
    for entry, origin, output in zip(listed, held, design.certificate.outputs, strict=True):
        own = [origin.equation, origin.loss, origin.complexity, origin.writer, origin.source]
        loss = entry.get("loss")
        loss = float(loss) if isinstance(loss, str) else loss
        same = [entry.get("equation"), loss, entry.get("complexity"), entry.get("writer"), entry.get("source")]
        if repr(own) != repr(same) or output.formula != origin.equation:
            raise Wrong(f"output '{output.name}': the provenance contradicts itself")


def _clamps(design: Design) -> None:
    for name, low, high in design.certificate.domain:
        fmt = next((Format for n, Format in design.input_formats.items() if n == name), None)
        if fmt is None or (Fraction(low), Fraction(high)) == (fmt.value(fmt.least), fmt.value(fmt.greatest)):
            continue
        expected = f"{name} is clamped to [{low:g}, {high:g}]"
        if not any(note.startswith(expected) for note in design.certificate.notes):
            raise Wrong(f"no note says that {expected}")


def _boxes(design: Design, proof: Proof) -> None:
    """The note that says in how many boxes the bound is proven, and on which side of it there are any."""
    expected = f"the bound is proven in each of {len(proof.boxes)} boxes"
    stated = [note for note in design.certificate.notes if note.startswith("the bound is proven in each of ")]
    if [note.startswith(expected) for note in stated] != [True] * bool(proof.boxes):
        raise Wrong(f"the domain is cut into {len(proof.boxes)} boxes, the notes say {stated}")


def check_totals(design: Design) -> None:
    """Raises Wrong where the numbers of a kind do not add up to the total that the certificate states."""
    found: dict[str, int | Fraction] = {}
    for part in _PARTS:
        value = getattr(design, part)
        if part == "certificate":
            value = {f.name: getattr(value, f.name) for f in fields(value) if f.name != "totals"}
        for place, number in numbers(part, value):
            found[place] = found.get(place, 0) + number
    stated: Mapping[str, str] = dict(design.certificate.totals)
    if stated.keys() != found.keys():
        names = sorted(stated.keys() ^ found.keys())
        raise Wrong(f"the totals are not those of this design: {', '.join(names[:3])}")
    for place, total in found.items():
        if stated[place] != str(total):
            raise Wrong(f"the numbers of {place} add up to {total}, the certificate says {stated[place]}")


def numbers(place: str, value: Any) -> Iterator[tuple[str, int | Fraction]]:
    """Every number in a value, those in its texts too, by the names of the fields that lead there."""
    match value:
        case str():
            yield from ((place, Fraction(text)) for text in _NUMBER.findall(value))
        case int():
            yield place, int(value)
        case float():
            if math.isfinite(value):
                yield place, Fraction(value)
        case dict():
            for key, item in value.items():
                yield from numbers(f"{place}.{key}", item)
        case list() | tuple():
            for item in value:
                yield from numbers(place, item)
        case _ if is_dataclass(value):
            for field in fields(value):
                yield from numbers(f"{place}.{field.name}", getattr(value, field.name))
