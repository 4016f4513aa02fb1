"""Text such as `fixed<12,4>` → `Format`: signedness, width and fraction bits of one fixed-point word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from sr2hls.errors import FormatError

MAX_WIDTH = 63  # a code of either signedness must fit an int64 in every engine

_TEXT = re.compile(r"\s*(ap_)?(?P<kind>u?fixed|u?int)\s*<\s*(?P<width>\d+)\s*(,\s*(?P<integer>-?\d+)\s*)?>\s*")


@dataclass(frozen=True, slots=True, order=True)
class Format:
    """A fixed-point word: value = code · 2^-fraction, code a `width`-bit integer, two's complement if signed."""

    signed: bool
    width: int
    fraction: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.width <= MAX_WIDTH:
            raise FormatError(f"a word of {self.width} bits is outside 1…{MAX_WIDTH} bits")

    @property
    def integer(self) -> int:
        """Integer bits in the sense of ap_fixed<W,I>: width - fraction, sign included."""
        return self.width - self.fraction

    @property
    def least(self) -> int:
        """The least code."""
        return -(1 << (self.width - 1)) if self.signed else 0

    @property
    def greatest(self) -> int:
        """The greatest code."""
        return (1 << (self.width - 1)) - 1 if self.signed else (1 << self.width) - 1

    @property
    def ulp(self) -> Fraction:
        """The value of one code step, exactly."""
        return Fraction(2) ** -self.fraction

    def holds(self, low: int, high: int) -> bool:
        """Whether every code in [low, high] is a code of this format."""
        return self.least <= low and high <= self.greatest

    def value(self, code: int) -> Fraction:
        """The real value of a code, exactly."""
        return code * self.ulp

    def wrap(self, code: int) -> int:
        """The code whose low `width` bits equal those of any integer."""
        code &= (1 << self.width) - 1
        return code - (1 << self.width) if self.signed and code >> (self.width - 1) else code

    @staticmethod
    def least_for(low: int, high: int, fraction: int) -> Format:
        """The narrowest format that holds the codes [low, high]; unsigned where low >= 0.

        Raises FormatError when more than `MAX_WIDTH` bits are needed.
        """
        if low >= 0:
            return Format(False, max(1, high.bit_length()), fraction)
        return Format(True, max((-low - 1).bit_length(), high.bit_length() if high > 0 else 0) + 1, fraction)

    @staticmethod
    def parse(text: str) -> Format:
        """Read `fixed<W,I>`, `ufixed<W,I>`, `int<W>`, `uint<W>`, each also with the prefix `ap_`.

        W counts all bits, I those before the binary point (sign included), as in Vitis HLS (UG1399).
        Raises FormatError on anything else.
        """
        match = _TEXT.fullmatch(text)
        if match is None:
            raise FormatError(f"'{text}' is no number format; write for example fixed<12,4>, ufixed<8,0> or int<8>")
        width, kind = int(match["width"]), match["kind"]
        if "int" in kind:
            if match["integer"] is not None:
                raise FormatError(f"'{text}': an integer format takes one number, its width")
            return Format(kind == "int", width, 0)
        if match["integer"] is None:
            raise FormatError(f"'{text}': write the integer bits too, for example {kind}<{width},4>")
        return Format(kind == "fixed", width, width - int(match["integer"]))

    def __str__(self) -> str:
        return f"{'' if self.signed else 'u'}fixed<{self.width},{self.integer}>"
