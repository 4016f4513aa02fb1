"""The word of an argument → segments: an address, an offset in [0, 1), and the real interval behind each address."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from flint import arb

from sr2hls.builder import CircuitBuilder
from sr2hls.formats import Format


@dataclass(frozen=True, slots=True)
class Segment:
    """Argument x = start + offset · width for the arguments of one address; only codes in [low, high] occur."""

    address: int
    start: arb
    width: arb
    low: int
    high: int


class Segmentation(Protocol):
    """How a word is cut into an address and an offset of `offset_bits` bits."""

    @property
    def address_bits(self) -> int:
        """Bits of the address."""

    @property
    def offset_bits(self) -> int:
        """Bits of the offset."""

    @property
    def text(self) -> str:
        """In words, for the certificate."""

    def segments(self, low: int, high: int) -> Iterator[Segment]:
        """The segments that codes in [low, high] reach."""

    def build(self, b: CircuitBuilder, arg: int) -> tuple[int, int]:
        """Nodes of the address (unsigned) and of the offset (unsigned, `offset_bits` bits, an integer)."""


@dataclass(frozen=True, slots=True)
class Uniform:
    """The highest `address_bits` bits of the word address equal segments."""

    word: Format
    address_bits: int

    @property
    def offset_bits(self) -> int:
        return self.word.width - self.address_bits

    @property
    def text(self) -> str:
        return f"{1 << self.address_bits} equal segments"

    def segments(self, low: int, high: int) -> Iterator[Segment]:
        size, unit = 1 << self.offset_bits, arb(2) ** -self.word.fraction
        mask = (1 << self.address_bits) - 1
        for place in range(low >> self.offset_bits, (high >> self.offset_bits) + 1):
            start = place << self.offset_bits
            yield Segment(
                place & mask, arb(start) * unit, arb(size) * unit, max(low, start), min(high, start + size - 1)
            )

    def build(self, b: CircuitBuilder, arg: int) -> tuple[int, int]:
        width, offset = self.word.width, self.offset_bits
        return b.slice(arg, width - 1, offset), b.slice(arg, offset - 1, 0)


@dataclass(frozen=True, slots=True)
class Octaves:
    """Segments that double in size from zero on: the place of the leading one, then the next `index_bits` bits."""

    word: Format  # unsigned
    index_bits: int

    @property
    def address_bits(self) -> int:
        return self.word.width.bit_length() + self.index_bits

    @property
    def offset_bits(self) -> int:
        return self.word.width - 1 - self.index_bits

    @property
    def text(self) -> str:
        return f"{1 << self.index_bits} segments an octave"

    def segments(self, low: int, high: int) -> Iterator[Segment]:
        unit = arb(2) ** -self.word.fraction
        width, rest = self.word.width, self.offset_bits
        if low == 0:
            yield Segment(width << self.index_bits, arb(0), arb(0), 0, 0)
        for zeros in range(width - high.bit_length(), width - max(low, 1).bit_length() + 1):
            for index in range(1 << self.index_bits):
                first, last = ((1 << self.index_bits) + index) << rest, ((1 << self.index_bits) + index + 1) << rest
                bottom, top = -(-first >> zeros), (last - 1) >> zeros  # the codes of this segment
                if bottom <= top and bottom <= high and top >= low:
                    scale = unit * arb(2) ** -zeros
                    yield Segment(
                        (zeros << self.index_bits) | index,
                        arb(first) * scale,
                        arb(1 << rest) * scale,
                        max(low, bottom),
                        min(high, top),
                    )

    def build(self, b: CircuitBuilder, arg: int) -> tuple[int, int]:
        width, rest = self.word.width, self.offset_bits
        zeros = b.leading_zeros(arg)
        normal = b.slice(arg, width - 1, 0)
        for bit in range(b[zeros].format.width):
            step = 1 << bit
            if step < width:
                kept = b.slice(normal, width - 1 - step, 0)
                moved = b.cast(b.shift(kept, step), Format(False, width, 0))
            else:
                moved = b.constant(0)
            chosen = b.select(b.slice(zeros, bit, bit), moved, normal)
            normal = b.cast(chosen, Format(False, width, 0), claim=(0, (1 << width) - 1))
        padded = b.cast(zeros, Format(False, width.bit_length(), 0))
        index = padded if self.index_bits == 0 else b.concat(padded, b.slice(normal, width - 2, rest))
        return index, b.slice(normal, rest - 1, 0)
