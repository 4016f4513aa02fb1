"""The numbers of a target's TOML file: one cost law an operation, the DSP block, and where each number comes from."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import log2


@dataclass(frozen=True, slots=True)
class Cost:
    """Delay (ns) and LUTs of one operation on words of `w` bits.

    delay = ns + ns_bit · w + ns_log · log2(w / 4) (the last term not below 4 bits, which a LUT takes whole), from the
    arguments' pins to the result, the routing of one net included; LUTs = lut + lut_bit · w. No coefficient is
    negative, so both grow with the width.
    """

    ns: float = 0.0
    ns_bit: float = 0.0
    ns_log: float = 0.0
    lut: float = 0.0
    lut_bit: float = 0.0
    source: str = "generic default"

    def delay(self, width: float) -> float:
        return self.ns + self.ns_bit * width + self.ns_log * levels(width)

    def luts(self, width: float) -> float:
        return self.lut + self.lut_bit * width


def levels(width: float) -> float:
    """log2(width / 4), and 0 up to 4 bits."""
    return log2(max(width, 4) / 4)


DEEP = 9  # address bits


@dataclass(frozen=True, slots=True)
class LookupCost:
    """A table in LUTs: `ns` up to a LUT's address bits, `ns_bit` for each one above.

    LUTs = `lut_factor` · the structural count of `sr2hls.targets.rom` in 6-input LUTs, for tables deeper than those;
    `lut_deep` times that above `DEEP` address bits, where synthesizers find less of the structure.
    """

    ns: float = 1.0
    ns_bit: float = 0.5
    lut_factor: float = 1.5
    lut_deep: float = 1.0
    source: str = "generic default"


@dataclass(frozen=True, slots=True)
class Dsp:
    """The hard multiplier: operands of at most `wide` x `narrow` bits.

    Wider operands are cut: the first piece keeps the full size, the others have at most `partial` bits, one less
    when the block is `signed_only` (its unsigned operands take a bit more). Each further piece adds `split_ns` and
    `split_lut` LUTs per bit of the product. Products narrower than `least_product` bits stay in LUTs.
    """

    wide: int = 18
    narrow: int = 18
    partial: int = 18
    signed_only: bool = True
    least_product: int = 9
    ns: float = 4.0
    split_ns: float = 1.5
    split_lut: float = 1.0
    source: str = "generic default"

    def pieces(self, a: int, b: int) -> tuple[int, int]:
        """Into how many pieces operands of a and b bits are cut, wider operand first."""
        return self._cut(max(a, b), self.wide), self._cut(min(a, b), self.narrow)

    def _cut(self, width: int, size: int) -> int:
        step = self.partial - int(self.signed_only)
        return 1 + max(0, -((size - width) // step))


def _cost(ns: float, ns_bit: float, ns_log: float, lut_bit: float) -> Cost:
    return Cost(ns, ns_bit, ns_log, 0.0, lut_bit)


@dataclass(frozen=True, slots=True)
class Costs:
    """One law an operation; the width that each law takes is said in `sr2hls.targets.model`."""

    add: Cost = field(default_factory=lambda: _cost(1.0, 0.03, 0.0, 1.0))
    negate: Cost = field(default_factory=lambda: _cost(1.0, 0.03, 0.0, 1.0))
    absolute: Cost = field(default_factory=lambda: _cost(1.5, 0.03, 0.0, 2.0))
    less: Cost = field(default_factory=lambda: _cost(1.0, 0.03, 0.0, 0.5))
    equal: Cost = field(default_factory=lambda: _cost(0.5, 0.0, 0.3, 0.5))
    select: Cost = field(default_factory=lambda: _cost(0.8, 0.0, 0.1, 1.0))
    leading_zeros: Cost = field(default_factory=lambda: _cost(0.5, 0.0, 0.8, 2.0))
    round: Cost = field(default_factory=lambda: _cost(1.0, 0.03, 0.0, 1.0))
    saturate: Cost = field(default_factory=lambda: _cost(1.0, 0.0, 0.3, 1.5))
    mask: Cost = field(default_factory=lambda: _cost(0.8, 0.0, 0.1, 0.5))  # a selection between a word and 0
    lookup: LookupCost = field(default_factory=LookupCost)
    dsp: Dsp = field(default_factory=Dsp)
