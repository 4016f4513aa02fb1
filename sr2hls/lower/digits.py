"""Rows of signed digits over the same operands → fewer digits over more operands: pairs that recur are added once.

Two-term common subexpressions of canonical signed digits (Potkonjak, Srivastava, Chandrakasan, IEEE Trans. CAD 15,
1996; Hartley, IEEE Trans. Circuits and Systems II 43, 1996): the pair of digits that occurs most often in all rows, up
to a common shift and sign, becomes an adder and an operand of its own; and so on while a pair recurs. All of it is
exact: it happens to integers, before a sum is rounded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

Digit = tuple[int, int, int]  # sign, power of two, operand
Row = tuple[Digit, ...]  # their sum
Kind = tuple[int, int, int, int]  # first operand, second one, shift and sign of the second against the first

_LONGEST = 96  # digits of all rows: more are not searched


@dataclass(frozen=True, slots=True)
class Pair:
    """first + sign · 2^shift · second, of operands by number."""

    first: int
    second: int
    shift: int
    sign: int


@dataclass(frozen=True, slots=True)
class Shared:
    """Pair k is operand `operands` + k of later pairs and of the rows."""

    operands: int
    pairs: tuple[Pair, ...]
    rows: tuple[Row, ...]

    @property
    def adders(self) -> int:
        """Additions and subtractions in all."""
        return len(self.pairs) + sum(max(0, len(row) - 1) for row in self.rows)

    def needed(self, row: Row) -> list[int]:
        """The pairs, as operands, that a row is made of, in an order in which they can be added."""
        waiting, found = [number for _, _, number in row], set()
        while waiting:
            number = waiting.pop()
            if number >= self.operands and number not in found:
                found.add(number)
                pair = self.pairs[number - self.operands]
                waiting += [pair.first, pair.second]
        return sorted(found)


def shared(rows: Sequence[Row], operands: int, deeper: int = 0) -> Shared:
    """The rows with what recurs in them as pairs; equal values, never more adders.

    Args:
        rows: digits of the operands 0 … operands - 1.
        deeper: how many adders more may follow each other in a row than in a balanced tree of its own.
    """
    work = _Work([list(row) for row in rows], operands, deeper)
    if sum(map(len, rows)) <= _LONGEST:
        while work.extract():
            pass
    return Shared(operands, tuple(work.pairs), tuple(tuple(row) for row in work.rows))


class _Work:
    """Rows on the way, with the kinds of pairs in each."""

    def __init__(self, rows: list[list[Digit]], operands: int, deeper: int) -> None:
        self.rows, self.operands = rows, operands
        self.pairs: list[Pair] = []
        self._depths = [0] * operands
        self._deepest = [len(row).bit_length() + deeper for row in rows]  # of the digits and a constant
        self._counts = [self._counted(row) for row in rows]

    def extract(self) -> bool:
        """Make the best pair an operand; False where none occurs twice."""
        total: Counter[Kind] = Counter()
        for counts in self._counts:
            total.update(counts)
        often = [(count, kind) for kind, count in total.items() if count > 1]
        often.sort(key=lambda item: (-item[0], self._depth(item[1]), abs(item[1][2]), item[1]))
        for _, kind in often:
            found = [self._occurrences(row, kind, most) for row, most in zip(self.rows, self._deepest, strict=True)]
            if sum(map(len, found)) > 1:
                self._take(kind, found)
                return True
        return False

    def _depth(self, kind: Kind) -> int:
        return 1 + max(self._depths[kind[0]], self._depths[kind[1]])

    def _take(self, kind: Kind, found: list[list[tuple[int, int]]]) -> None:
        first, second, shift, sign = kind
        new = self.operands + len(self.pairs)
        self.pairs.append(Pair(first, second, shift, sign))
        self._depths.append(self._depth(kind))
        for number, places in enumerate(found):
            if places:
                row = self.rows[number]
                gone = {place for pair in places for place in pair}
                heads = {a: (row[a][0], row[a][1], new) for a, _ in places}
                self.rows[number] = [
                    heads.get(place, digit) for place, digit in enumerate(row) if place in heads or place not in gone
                ]
                self._counts[number] = self._counted(self.rows[number])

    def _counted(self, row: list[Digit]) -> Counter[Kind]:
        """How often each kind occurs, overlapping ones too."""
        counts: Counter[Kind] = Counter()
        for at, one in enumerate(row):
            for other in row[:at]:
                counts[_kind(one, other)] += 1
        return counts

    def _occurrences(self, row: list[Digit], kind: Kind, deepest: int) -> list[tuple[int, int]]:
        """Disjoint pairs of digits (first, second) of that kind, as many as the row may become deep."""
        places: dict[Digit, list[int]] = {}
        for place, digit in enumerate(row):
            places.setdefault(digit, []).append(place)
        first, second, shift, sign = kind
        taken: set[int] = set()
        found: list[tuple[int, int]] = []
        # Kraft: a tree of depth d has room where the sum of 2^depth of its leaves is at most 2^d
        spare = (1 << deepest) - 1 - sum(1 << self._depths[digit[2]] for digit in row)
        more = (1 << self._depth(kind)) - (1 << self._depths[first]) - (1 << self._depths[second])
        for place, (s, power, operand) in sorted(enumerate(row), key=lambda item: item[1][1]):
            if operand != first or place in taken or more > spare:
                continue
            partner = next(
                (p for p in places.get((s * sign, power + shift, second), ()) if p not in taken and p != place), None
            )
            if partner is not None:
                taken |= {place, partner}
                found.append((place, partner))
                spare -= more
        return found


def _kind(one: Digit, other: Digit) -> Kind:
    """The kind of two digits in either order: the lower operand is the first, of the same the lower power."""
    (s, p, i), (t, q, j) = one, other
    return (j, i, p - q, s * t) if (i, p) > (j, q) else (i, j, q - p, s * t)
