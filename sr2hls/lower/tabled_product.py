"""Two factors → their product from small tables and adders, without a multiplier.

Each factor is cut into digits of three bits, so that the product of two digits is a table of six address bits: one LUT
for each of its bits (Dadda's scheme, Alta Frequenza 34, 1965, with LUTs for its cells). Digit products that do not
overlap stand side by side in one row, so 12 by 12 bits make seven rows. The digits that hold a sign make products
below zero: their tables are lifted to start at zero, and one constant takes all lifts back. It also takes up what
rounds the product.
"""

from __future__ import annotations

from dataclasses import dataclass

from sr2hls.builder import CircuitBuilder
from sr2hls.circuit import Node
from sr2hls.formats import Format
from sr2hls.lower.arrival import Arrivals, sum_by_arrival

_DIGIT = 3
_ELEMENT = Format(False, 2 * _DIGIT, 0)
_NARROWEST = 2  # bits of a factor below which a selection is the better product
_WIDEST = 36


@dataclass(frozen=True, slots=True)
class _Digit:
    """Bits low … low + bits - 1 of a factor, with `zeros` below them."""

    low: int
    bits: int
    signed: bool
    zeros: int

    def values(self) -> list[int]:
        """The digit's value at each pattern of its bits."""
        half = 1 << (self.bits - 1)
        codes = (code - 2 * half if self.signed and code >= half else code for code in range(2 * half))
        return [code << self.zeros for code in codes]


def can_be_tabled(b: CircuitBuilder, first: int, second: int, cuts: tuple[int, int]) -> bool:
    """Whether both factors have bits enough, and the highest digits vary."""
    for node, cut in zip((first, second), cuts, strict=True):
        word = b[node].format
        if not _NARROWEST <= word.width - cut <= _WIDEST:
            return False
        if len({code >> _digits(b[node], cut)[-1].low for code in (b[node].low, b[node].high)}) == 1:
            return False
    return True


def tabled_fraction(b: CircuitBuilder, first: int, second: int, cuts: tuple[int, int]) -> int:
    """The fraction bits of a tabled product, the zeros that its digits were filled up with included."""
    return sum(
        b[node].format.fraction - cut + _digits(b[node], cut)[0].zeros
        for node, cut in zip((first, second), cuts, strict=True)
    )


def tabled_product(
    b: CircuitBuilder,
    first: int,
    second: int,
    cuts: tuple[int, int],
    constant: tuple[int, int],
    arrivals: Arrivals,
) -> int:
    """(first without its lowest cuts[0] bits) · (second without its lowest cuts[1] bits) + constant.

    `constant` is (code, fraction bits). Both factors must pass `can_be_tabled`.
    """
    whole = b.origin
    digits = [_digits(b[node], cut) for node, cut in ((first, cuts[0]), (second, cuts[1]))]
    fraction = b[first].format.fraction + b[second].format.fraction - sum(cuts)
    place = tabled_fraction(b, first, second, cuts)  # fraction bits of the lowest position
    b.origin = f"products of digits of {whole}"
    elements: dict[int, list[int]] = {}  # by the position of the lowest bit, in digits
    lifted = 0
    for i, one in enumerate(digits[0]):
        for j, two in enumerate(digits[1]):
            values = [u * v for u in one.values() for v in two.values()]
            lift = -min(values)
            address = b.concat(_field(b, first, one), _field(b, second, two))
            product = b.lookup(address, tuple(value + lift for value in values), 0, "digits")
            elements.setdefault(i + j, []).append(product)
            lifted += lift << (_DIGIT * (i + j))
    rows = [(1, b.shift(node, _DIGIT * position - place)) for position, node in _rows(b, elements)]
    bits = max(place, constant[1])
    code = (constant[0] << (bits - constant[1])) - (lifted << (bits - place))
    if code:
        rows.append((1, b.constant(code, bits)))
    b.origin = whole
    total = sum_by_arrival(b, rows, arrivals)
    if any(cuts):
        return total  # the range of the step's value bounds it, which its caller knows
    ends = [[b[node].low, b[node].high] for node in (first, second)]
    corners = [u * v for u in ends[0] for v in ends[1]]
    if first == second:
        corners = [0, *corners] if ends[0][0] < 0 < ends[0][1] else [end * end for end in ends[0]]
    have = b[total].format.fraction
    spare = have - constant[1]
    offset = constant[0] << spare if spare >= 0 else constant[0] >> -spare  # exact: otherwise `bits` would be kept
    return b.narrow(total, *((end << (have - fraction)) + offset for end in (min(corners), max(corners))))


def _digits(factor: Node, cut: int) -> list[_Digit]:
    """From the lowest kept bit up. The short digit is the highest one, or the lowest where that is fixed."""
    word = factor.format
    over = (word.width - cut) % _DIGIT
    fixed = over > 0 and factor.low >> (word.width - over) == factor.high >> (word.width - over)
    zeros = _DIGIT - over if fixed else 0
    found = []
    for low in range(cut - zeros, word.width, _DIGIT):
        below, bits = max(0, cut - low), min(_DIGIT, word.width - low)
        signed = word.signed and low + bits == word.width
        found.append(_Digit(low + below, bits - below, signed, below))
    return found


def _field(b: CircuitBuilder, node: int, digit: _Digit) -> int:
    return b.slice(node, digit.low + digit.bits - 1, digit.low)


def _rows(b: CircuitBuilder, elements: dict[int, list[int]]) -> list[tuple[int, int]]:
    """Digit products two digits apart joined into rows: (position of the lowest bit in digits, node)."""
    rows = []
    for parity in (0, 1):
        places = [place for place in sorted(elements) if place % 2 == parity]
        for row in range(max((len(elements[place]) for place in places), default=0)):
            inside = [place for place in places if len(elements[place]) > row]  # no gap: counts rise, then fall
            node = elements[inside[0]][row]
            for place in inside[1:]:
                low = node if b[node].format.width % _ELEMENT.width == 0 else _widened(b, node)
                node = b.concat(elements[place][row], low)
            rows.append((inside[0], node))
    return rows


def _widened(b: CircuitBuilder, node: int) -> int:
    """With zeros above, up to whole elements."""
    width = -(-b[node].format.width // _ELEMENT.width) * _ELEMENT.width
    return b.cast(node, Format(False, width, 0))
