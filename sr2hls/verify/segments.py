"""A function step with too many arguments to try them all → a bound of result - formula, stretch by stretch.

A stretch is an aligned block of codes base + r, 0 <= r < 2^k. Inside it the circuit is followed as a polynomial in r
with an interval for what casts drop; where a slice, a comparison or a table's address is not the same for the whole
block, the block is halved. The polynomial is then held against a Taylor model of the formula.
"""

from __future__ import annotations

import math
from fractions import Fraction

from flint import arb

from sr2hls.circuit import Circuit, Node, Op, Overflow, Rounding
from sr2hls.ranges import result_range, round_code
from sr2hls.verify.evaluate import Formula
from sr2hls.verify.forms import fits
from sr2hls.verify.refused import Open, Wrong
from sr2hls.verify.run import cone
from sr2hls.verify.span import ZERO, Span, of_value, point, to_arb

_MOST = 1 << 14  # blocks
_TERMS = 8
_PARTS = (4, 16, 64)  # intervals on which the difference of polynomials is bounded
_FINEST = 4  # halvings of a block beyond what the circuit needs


class _Split(Exception):  # noqa: N818
    """The block is not uniform."""


class _Stretch:
    """A code as a polynomial in r (integers, codes of its word) plus an interval of real error in codes."""

    __slots__ = ("coefficients", "error", "high", "low")

    def __init__(self, coefficients: list[Fraction], error: Span, top: int) -> None:
        while coefficients and coefficients[-1] == 0:
            coefficients = coefficients[:-1]
        self.coefficients, self.error = coefficients, error
        span = _range(coefficients, top) + error
        self.low, self.high = span.low, span.high

    @property
    def constant(self) -> int | None:
        if self.error != ZERO or len(self.coefficients) > 1:
            return None
        value = self.coefficients[0] if self.coefficients else Fraction(0)
        return int(value) if value.denominator == 1 else None


def _range(coefficients: list[Fraction], top: int) -> Span:
    """The values of a polynomial on [0, top], in the form centered at the middle."""
    if len(coefficients) <= 1:
        return point(coefficients[0] if coefficients else 0)
    if len(coefficients) == 2:
        ends = sorted((coefficients[0], coefficients[0] + coefficients[1] * top))
        return Span(*ends)
    half = Fraction(top, 2)
    moved = shifted(coefficients, half)
    spread = sum((abs(c) * half**j for j, c in enumerate(moved[1:], 1)), Fraction(0))
    return Span(moved[0] - spread, moved[0] + spread)


def shifted(coefficients: list[Fraction], by: Fraction) -> list[Fraction]:
    """The polynomial in powers of r - by."""
    result: list[Fraction] = []
    for c in reversed(coefficients):
        result = [Fraction(0), *result] if result else [Fraction(0)]
        for j in range(len(result) - 1):
            result[j] += by * result[j + 1]
        result[0] += c
    return result


def errors_by_stretch(
    circuit: Circuit, index: int, leaf: int, codes: tuple[int, int], formula: Formula, inside: Span, stated: Span
) -> Span:
    """The hull of result - f over all codes whose value is inside an interval, once it is inside the stated one.

    Codes beyond the interval are left to the caller. Raises Open where the circuit cannot be followed.
    """
    node = circuit.nodes[leaf]
    path = [i for i in cone(circuit, index, [leaf]) if i != leaf]
    unit = node.format.ulp
    low, high = max(codes[0], math.ceil(inside.low / unit)), min(codes[1], math.floor(inside.high / unit))
    bits = node.format.width
    waiting = [(node.format.least, bits, 0)]
    found: Span | None = None
    count = 0
    while waiting:
        base, k, extra = waiting.pop()
        if base > high or base + (1 << k) - 1 < low:
            continue
        count += 1
        if count > _MOST:
            raise Open(f"the argument of node {index} falls into more than {_MOST} stretches")
        try:
            result = _followed(circuit, path, leaf, base, k, index)
        except _Split:
            if k == 0:
                raise Open(f"node {index} cannot be followed at the code {base}") from None
            waiting += [(base, k - 1, extra), (base + (1 << (k - 1)), k - 1, extra)]
            continue
        first, last = max(base, low) - base, min(base + (1 << k) - 1, high) - base
        error = _difference(result, circuit.nodes[index].format.ulp, formula, (base, first, last), unit, stated)
        if error is not None and error.inside(stated):
            found = error if found is None else found.hull(error)
        elif k > 0 and extra < _FINEST:
            waiting += [(base, k - 1, extra + 1), (base + (1 << (k - 1)), k - 1, extra + 1)]
        elif error is None:
            raise Open(f"the function of node {index} has no Taylor model at its argument {float(base * unit):.6g}")
        else:
            raise Wrong(
                f"node {index} is off by {error} for arguments from {float(base * unit):.6g} on, the certificate says "
                f"{stated}"
            )
    if found is None:
        raise Open(f"node {index}: no argument lies in its range")
    return found


def _difference(
    result: _Stretch, ulp: Fraction, formula: Formula, codes: tuple[int, int, int], unit: Fraction, stated: Span
) -> Span | None:
    """result - f over r in [first, last] from the base on, as tight as the stated interval needs."""
    base, first, last = codes
    left, right = (base + first) * unit, (base + last) * unit
    if left == right:
        value = of_value(formula(to_arb(left)))
        at = sum((c * first**j for j, c in enumerate(result.coefficients)), Fraction(0))
        return None if value is None else (point(at) + result.error) * point(ulp) - value
    middle, half = (left + right) / 2, (right - left) / 2
    taylor = formula.series(to_arb(middle), _TERMS)
    remainder = formula.series(to_arb(left).union(to_arb(right)), _TERMS + 1)[_TERMS]
    if not (remainder.is_finite() and all(a.is_finite() for a in taylor)):
        return None
    # both in s = (x - middle) / half: r = (middle / unit - base) + s · half / unit
    own = shifted(result.coefficients, middle / unit - base)
    difference = []
    for j in range(max(_TERMS, len(own))):
        term = to_arb(own[j] * (half / unit) ** j * ulp) if j < len(own) else arb(0)
        difference.append(term - taylor[j] * to_arb(half) ** j if j < _TERMS else term)
    bound = abs(remainder).upper() * to_arb(half) ** _TERMS
    error: Span | None = None
    for parts in _PARTS:
        here = _polynomial_range(difference, bound, parts)
        error = None if here is None else here + result.error * point(ulp)
        if error is not None and error.inside(stated):
            break
    return error


def _polynomial_range(difference: list[arb], bound: arb, parts: int) -> Span | None:
    """The values of a polynomial on [-1, 1], widened by a bound."""
    found: Span | None = None
    for part in range(parts):
        center, radius = arb(2 * part + 1 - parts) / parts, arb(1) / parts
        moved: list[arb] = []
        for c in reversed(difference):
            moved = [arb(0), *moved] if moved else [arb(0)]
            for j in range(len(moved) - 1):
                moved[j] = moved[j] + center * moved[j + 1]
            moved[0] = moved[0] + c
        spread = sum((abs(c).upper() * radius**j for j, c in enumerate(moved[1:], 1)), arb(0))
        here = of_value(moved[0] + arb(0, 1) * (spread + bound).upper())
        if here is None:
            return None
        found = here if found is None else found.hull(here)
    return found


def _followed(circuit: Circuit, path: list[int], leaf: int, base: int, k: int, index: int) -> _Stretch:
    top = (1 << k) - 1
    values = {leaf: _Stretch([Fraction(base), Fraction(1)] if k else [Fraction(base)], ZERO, top)}
    for at in path:
        node = circuit.nodes[at]
        values[at] = _step(circuit, node, [values[a] for a in node.args], top)
        promises = node.op is Op.CAST and (node.low, node.high) != result_range(node, circuit.nodes, circuit.tables)
        if promises and (math.ceil(values[at].low) < node.low or math.floor(values[at].high) > node.high):
            if k == 0:
                raise Wrong(f"node {at} leaves its range for the code {base} of node {leaf}")
            raise _Split
    return values[index]


def _step(circuit: Circuit, node: Node, args: list[_Stretch], top: int) -> _Stretch:
    formats = [circuit.nodes[a].format for a in node.args]

    def exactly(value: int) -> _Stretch:
        return _Stretch([Fraction(value)], ZERO, top)

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
            raise _Split
        case Op.LESS:
            a, b = _aligned(args, formats, top)
            if a.high < b.low:
                return exactly(1)
            if a.low >= b.high:
                return exactly(0)
            raise _Split
        case Op.SELECT:
            if args[0].constant is None:
                raise _Split
            a, b = _aligned(args[1:], formats[1:], top)
            return a if args[0].constant else b
        case Op.SLICE:
            return _sliced(args[0], node.value, node.format.width, top)
        case Op.CONCAT:
            high, low = (_sliced(a, 0, f.width, top) for a, f in zip(args, formats, strict=True))
            return _added(_times(high, Fraction(1 << formats[1].width), top), low, 1, top)
        case Op.LEADING_ZEROS:
            least, most = math.floor(args[0].low), math.ceil(args[0].high)
            if least < 0 or least.bit_length() != most.bit_length():
                raise _Split
            return exactly(formats[0].width - least.bit_length())
        case Op.LOOKUP:
            if args[0].constant is None:
                raise _Split
            return exactly(circuit.tables[node.table].codes[args[0].constant & ((1 << formats[0].width) - 1)])
        case Op.CAST:
            drop = formats[0].fraction - node.format.fraction
            return _cast(args[0], drop, node, top, never_wraps=fits(circuit, node))
        case _:
            raise Open(f"'{node.op}' in a function of a wide argument")


def _times(a: _Stretch, k: Fraction, top: int) -> _Stretch:
    return _Stretch([c * k for c in a.coefficients], a.error * point(k), top)


def _added(a: _Stretch, b: _Stretch, sign: int, top: int) -> _Stretch:
    size = max(len(a.coefficients), len(b.coefficients))
    pad = [Fraction(0)]
    first, second = (s.coefficients + pad * (size - len(s.coefficients)) for s in (a, b))
    error = a.error + b.error if sign > 0 else a.error - b.error
    return _Stretch([x + sign * y for x, y in zip(first, second, strict=True)], error, top)


def _multiplied(a: _Stretch, b: _Stretch, top: int) -> _Stretch:
    result = [Fraction(0)] * max(1, len(a.coefficients) + len(b.coefficients) - 1)
    for i, x in enumerate(a.coefficients):
        for j, y in enumerate(b.coefficients):
            result[i + j] += x * y
    error = _range(a.coefficients, top) * b.error + _range(b.coefficients, top) * a.error + a.error * b.error
    return _Stretch(result, error, top)


def _aligned(args: list[_Stretch], formats: list, top: int) -> list[_Stretch]:  # type: ignore[type-arg]
    finest = max(f.fraction for f in formats)
    return [_times(a, Fraction(1 << (finest - f.fraction)), top) for a, f in zip(args, formats, strict=True)]


def _sliced(arg: _Stretch, place: int, width: int, top: int) -> _Stretch:
    """Bits place + width - 1 ... place, where the bits above do not change and those below are none or all dropped."""
    if arg.error != ZERO:
        raise _Split
    above = math.floor(arg.low / (1 << (place + width)))
    if above != math.floor(arg.high / (1 << (place + width))):
        raise _Split
    whole = _added(arg, _Stretch([Fraction(above << (place + width))], ZERO, top), -1, top)
    if place == 0:
        return whole
    low, high = math.floor(whole.low / (1 << place)), math.floor(whole.high / (1 << place))
    if low == high:
        return _Stretch([Fraction(low)], ZERO, top)
    if all((c / (1 << place)).denominator == 1 for c in whole.coefficients):
        return _times(whole, Fraction(1, 1 << place), top)
    raise _Split


def _cast(arg: _Stretch, drop: int, node: Node, top: int, *, never_wraps: bool) -> _Stretch:
    moved = _times(arg, Fraction(2) ** -drop, top)
    if drop > 0 and arg.constant is not None:
        moved = _Stretch([Fraction(round_code(arg.constant, drop, node.rounding))], ZERO, top)
    elif drop > 0 and not all(c.denominator == 1 for c in moved.coefficients):
        unit = Fraction(1, 1 << drop)
        dropped = (
            Span(unit - 1, Fraction(0))
            if node.rounding is Rounding.FLOOR
            else Span(unit - Fraction(1, 2), Fraction(1, 2))
        )
        moved = _Stretch(moved.coefficients, moved.error + dropped, top)
    if never_wraps or (node.format.least <= moved.low and moved.high <= node.format.greatest):
        return moved
    # a rounded value lies on whole codes, so up to one code more does not leave the word
    if math.ceil(moved.low) >= node.format.least and math.floor(moved.high) <= node.format.greatest:
        return moved
    if node.overflow is Overflow.SATURATE:
        if moved.low >= node.format.greatest:
            return _Stretch([Fraction(node.format.greatest)], ZERO, top)
        if moved.high <= node.format.least:
            return _Stretch([Fraction(node.format.least)], ZERO, top)
        raise _Split
    turns = (math.floor(moved.low) - node.format.least) >> node.format.width
    if turns != (math.ceil(moved.high) - node.format.least) >> node.format.width:
        raise _Split
    return _added(moved, _Stretch([Fraction(turns << node.format.width)], ZERO, top), -1, top)
