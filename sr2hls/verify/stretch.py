"""A circuit on an aligned block of codes, base + r with 0 <= r < 2^k → its result as a polynomial in r.

What casts drop becomes an interval beside the polynomial. Where a slice, a comparison or a table's address is not the
same for the whole block, `Split` is raised. Rationals are flint's, which are fast.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from flint import fmpq

from sr2hls.circuit import Circuit, Node, Op, Overflow, Rounding
from sr2hls.formats import Format
from sr2hls.ranges import result_range, round_code
from sr2hls.verify.forms import fits
from sr2hls.verify.refused import Open, Wrong


class Split(Exception):  # noqa: N818
    """The block is not uniform."""


@dataclass(frozen=True, slots=True)
class Reach:
    """All reals from `low` to `high`."""

    low: fmpq
    high: fmpq

    def __add__(self, other: Reach) -> Reach:
        return Reach(self.low + other.low, self.high + other.high)

    def __sub__(self, other: Reach) -> Reach:
        return Reach(self.low - other.high, self.high - other.low)

    def __mul__(self, other: Reach) -> Reach:
        corners = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Reach(min(corners), max(corners))


def at(value: fmpq) -> Reach:
    return Reach(value, value)


EXACT = at(fmpq(0))


def floor_of(value: fmpq) -> int:
    return int(value.p // value.q)


def ceil_of(value: fmpq) -> int:
    return -floor_of(-value)


class Stretch:
    """A code as a polynomial in r (integers, codes of its word) plus an interval of real error in codes.

    low, high: of the code, which may be known better (`within`) than from the polynomial and the error apart.
    """

    __slots__ = ("coefficients", "error", "high", "low")

    def __init__(self, coefficients: list[fmpq], error: Reach, top: int, within: Reach | None = None) -> None:
        while coefficients and coefficients[-1] == 0:
            coefficients = coefficients[:-1]
        self.coefficients, self.error = coefficients, error
        span = _range(coefficients, top) + error
        self.low = span.low if within is None else max(span.low, within.low)
        self.high = span.high if within is None else min(span.high, within.high)

    @property
    def reach(self) -> Reach:
        return Reach(self.low, self.high)

    @property
    def constant(self) -> int | None:
        if self.error != EXACT or len(self.coefficients) > 1:
            return None
        value = self.coefficients[0] if self.coefficients else fmpq(0)
        return int(value) if value.q == 1 else None


def _range(coefficients: list[fmpq], top: int) -> Reach:
    """The values of a polynomial on [0, top], in the form centered at the middle."""
    if len(coefficients) <= 1:
        return at(coefficients[0] if coefficients else fmpq(0))
    if len(coefficients) == 2:
        ends = sorted((coefficients[0], coefficients[0] + coefficients[1] * top))
        return Reach(*ends)
    half = fmpq(top, 2)
    moved = shifted(coefficients, half)
    spread = sum((abs(c) * half**j for j, c in enumerate(moved[1:], 1)), fmpq(0))
    return Reach(moved[0] - spread, moved[0] + spread)


def shifted(coefficients: list[fmpq], by: fmpq) -> list[fmpq]:
    """The polynomial in powers of r - by."""
    result: list[fmpq] = []
    for c in reversed(coefficients):
        result = [fmpq(0), *result] if result else [fmpq(0)]
        for j in range(len(result) - 1):
            result[j] += by * result[j + 1]
        result[0] += c
    return result


def last_casts(circuit: Circuit, index: int) -> tuple[int, ...]:
    """The wrapping casts that end in a node and keep all fraction bits: their ranges are shown by the result's."""
    found = []
    while circuit.nodes[index].op is Op.CAST:
        node = circuit.nodes[index]
        source = circuit.nodes[node.args[0]]
        if node.overflow is not Overflow.WRAP or source.format.fraction > node.format.fraction:
            break
        found.append(index)
        index = node.args[0]
    return tuple(found)


def all_followed(
    circuit: Circuit, path: list[int], leaf: int, base: int, k: int, trusted: Collection[int] = ()
) -> tuple[dict[int, Stretch | None], list[int]]:
    """Every node's value for the codes base + r, 0 <= r < 2^k, of the leaf; None where the block is not uniform.

    Also the casts whose ranges are not seen to hold. trusted: casts (`last_casts`) that the caller shows not to wrap.
    """
    top = (1 << k) - 1
    values: dict[int, Stretch | None] = {leaf: Stretch([fmpq(base), fmpq(1)] if k else [fmpq(base)], EXACT, top)}
    unsure = []
    for at in path:
        node = circuit.nodes[at]
        try:
            if at in trusted:
                gain = node.format.fraction - circuit.nodes[node.args[0]].format.fraction
                values[at] = _times(_known(values[node.args[0]]), fmpq(1 << gain), top)
                continue
            values[at] = _step(circuit, node, _needed(node, values), top)
        except Split:
            values[at] = None  # of no interest, perhaps: what a selection does not take
        try:
            _check_promise(circuit, at, values[at], k)
        except Split:
            unsure.append(at)
    return values, unsure


def _known(value: Stretch | None) -> Stretch:
    if value is None:
        raise Split
    return value


def _needed(node: Node, values: Mapping[int, Stretch | None]) -> list[Stretch]:
    """The arguments' values; where a selection is the same for the whole block, the other branch may be unknown."""
    if node.op is Op.SELECT:
        condition = _known(values[node.args[0]])
        if condition.constant is not None:
            taken = _known(values[node.args[1 if condition.constant else 2]])
            others = [values[arg] or taken for arg in node.args[1:]]
            return [condition, *others]
    return [_known(values[arg]) for arg in node.args]


def _check_promise(circuit: Circuit, at: int, value: Stretch | None, k: int) -> None:
    """A wrapping cast must keep the range that it promises. Raises Split where that is not seen, Wrong if not so."""
    node = circuit.nodes[at]
    full = (node.low, node.high) == (node.format.least, node.format.greatest)
    if node.op is not Op.CAST or full or (node.low, node.high) == result_range(node, circuit.nodes, circuit.tables):
        return
    if value is None or ceil_of(value.low) < node.low or floor_of(value.high) > node.high:
        if k == 0 and value is not None:
            raise Wrong(f"node {at} leaves its range [{node.low}, {node.high}]")
        raise Split


def _step(circuit: Circuit, node: Node, args: list[Stretch], top: int) -> Stretch:
    formats = [circuit.nodes[a].format for a in node.args]

    def exactly(value: int) -> Stretch:
        return Stretch([fmpq(value)], EXACT, top)

    match node.op:
        case Op.CONSTANT:
            return exactly(node.value)
        case Op.ADD | Op.SUB:
            a, b = _aligned(args, formats, top)
            return _added(a, b, 1 if node.op is Op.ADD else -1, top)
        case Op.MUL:
            return _multiplied(args[0], args[1], top)
        case Op.SHIFT:
            return args[0]
        case Op.NEGATE:
            return _added(exactly(0), args[0], -1, top)
        case Op.ABSOLUTE:
            if args[0].low >= 0:
                return args[0]
            if args[0].high <= 0:
                return _added(exactly(0), args[0], -1, top)
            raise Split
        case Op.LESS:
            a, b = _aligned(args, formats, top)
            if a.high < b.low:
                return exactly(1)
            if a.low >= b.high:
                return exactly(0)
            raise Split
        case Op.SELECT:
            if args[0].constant is None:
                raise Split
            a, b = _aligned(args[1:], formats[1:], top)
            return a if args[0].constant else b
        case Op.SLICE:
            return _sliced(args[0], node.value, node.format.width, top)
        case Op.CONCAT:
            high, low = (_sliced(a, 0, f.width, top) for a, f in zip(args, formats, strict=True))
            return _added(_times(high, fmpq(1 << formats[1].width), top), low, 1, top)
        case Op.LEADING_ZEROS:
            least, most = floor_of(args[0].low), ceil_of(args[0].high)
            if least < 0 or least.bit_length() != most.bit_length():
                raise Split
            return exactly(formats[0].width - least.bit_length())
        case Op.LOOKUP:
            if args[0].constant is None:
                raise Split
            return exactly(circuit.tables[node.table].codes[args[0].constant & ((1 << formats[0].width) - 1)])
        case Op.CAST:
            drop = formats[0].fraction - node.format.fraction
            return _cast(args[0], drop, node, top, never_wraps=fits(circuit, node))
        case _:
            raise Open(f"'{node.op}' in a function of a wide argument")


def _times(a: Stretch, k: fmpq, top: int) -> Stretch:
    return Stretch([c * k for c in a.coefficients], a.error * at(k), top, a.reach * at(k))


def _added(a: Stretch, b: Stretch, sign: int, top: int) -> Stretch:
    size = max(len(a.coefficients), len(b.coefficients))
    pad = [fmpq(0)]
    first, second = (s.coefficients + pad * (size - len(s.coefficients)) for s in (a, b))
    error, within = (a.error + b.error, a.reach + b.reach) if sign > 0 else (a.error - b.error, a.reach - b.reach)
    return Stretch([x + sign * y for x, y in zip(first, second, strict=True)], error, top, within)


def _multiplied(a: Stretch, b: Stretch, top: int) -> Stretch:
    result = [fmpq(0)] * max(1, len(a.coefficients) + len(b.coefficients) - 1)
    for i, x in enumerate(a.coefficients):
        for j, y in enumerate(b.coefficients):
            result[i + j] += x * y
    error = _range(a.coefficients, top) * b.error + _range(b.coefficients, top) * a.error + a.error * b.error
    return Stretch(result, error, top)


def _aligned(args: list[Stretch], formats: list[Format], top: int) -> list[Stretch]:
    finest = max(f.fraction for f in formats)
    return [_times(a, fmpq(1 << (finest - f.fraction)), top) for a, f in zip(args, formats, strict=True)]


def _sliced(arg: Stretch, place: int, width: int, top: int) -> Stretch:
    """Bits place + width - 1 ... place, where the bits above do not change: what those below hold is dropped."""
    above = floor_of(arg.low / (1 << (place + width)))
    if above != floor_of(arg.high / (1 << (place + width))):
        raise Split
    whole = _added(arg, Stretch([fmpq(above << (place + width))], EXACT, top), -1, top)
    if place == 0:
        return whole
    low, high = floor_of(whole.low / (1 << place)), floor_of(whole.high / (1 << place))
    if low == high:
        return Stretch([fmpq(low)], EXACT, top)
    kept = _times(whole, fmpq(1, 1 << place), top)
    if arg.error == EXACT and all(c.q == 1 for c in kept.coefficients):
        return kept
    # a code is an integer, so its floor after the division is at most 1 - 2^-place below
    dropped = Reach(fmpq(1, 1 << place) - 1, fmpq(0))
    return Stretch(kept.coefficients, kept.error + dropped, top, Reach(fmpq(low), fmpq(high)))


def _cast(arg: Stretch, drop: int, node: Node, top: int, *, never_wraps: bool) -> Stretch:
    moved = _times(arg, fmpq(2) ** -drop, top)
    if drop > 0 and arg.constant is not None:
        moved = Stretch([fmpq(round_code(arg.constant, drop, node.rounding))], EXACT, top)
    elif drop > 0 and not all(c.q == 1 for c in moved.coefficients):
        unit = fmpq(1, 1 << drop)
        dropped = Reach(unit - 1, fmpq(0)) if node.rounding is Rounding.FLOOR else Reach(unit - fmpq(1, 2), fmpq(1, 2))
        up = fmpq(0) if node.rounding is Rounding.FLOOR else fmpq(1, 2)
        whole = Reach(fmpq(floor_of(moved.low + up)), fmpq(floor_of(moved.high + up)))
        moved = Stretch(moved.coefficients, moved.error + dropped, top, whole)
    if never_wraps or (node.format.least <= moved.low and moved.high <= node.format.greatest):
        return moved
    # a rounded value lies on whole codes, so up to one code more does not leave the word
    if ceil_of(moved.low) >= node.format.least and floor_of(moved.high) <= node.format.greatest:
        return moved
    if node.overflow is Overflow.SATURATE:
        if moved.low >= node.format.greatest:
            return Stretch([fmpq(node.format.greatest)], EXACT, top)
        if moved.high <= node.format.least:
            return Stretch([fmpq(node.format.least)], EXACT, top)
        raise Split
    turns = (floor_of(moved.low) - node.format.least) >> node.format.width
    if turns != (ceil_of(moved.high) - node.format.least) >> node.format.width:
        raise Split
    return _added(moved, Stretch([fmpq(turns << node.format.width)], EXACT, top), -1, top)
