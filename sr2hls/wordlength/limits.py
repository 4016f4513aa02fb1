"""What a circuit may cost at most → by how much a bill exceeds it."""

from __future__ import annotations

from dataclasses import dataclass

from sr2hls.errors import FormatError
from sr2hls.wordlength.price import Bill


@dataclass(frozen=True, slots=True)
class Limits:
    """Cycles, LUTs and hard multipliers at most, by the target's model; None: as many as it takes."""

    latency: int | None = None
    luts: int | None = None
    dsp: int | None = None

    def __post_init__(self) -> None:
        for name, most in (("latency", self.latency), ("LUTs", self.luts), ("DSPs", self.dsp)):
            if most is not None and most < 0:
                raise FormatError(f"a limit of {most} {name} makes no sense")

    @property
    def any(self) -> bool:
        return not (self.latency is None and self.luts is None and self.dsp is None)

    def excess(self, bill: Bill) -> float:
        """0 where the bill keeps all limits, else the sum of the relative excesses."""
        pairs = ((bill.latency, self.latency), (bill.luts, self.luts), (bill.dsp, self.dsp))
        return sum(max(0.0, (have - most) / max(most, 1)) for have, most in pairs if most is not None)

    def __str__(self) -> str:
        said = ((self.latency, "cycles"), (self.luts, "LUT"), (self.dsp, "DSP"))
        return ", ".join(f"{most} {what}" for most, what in said if most is not None)
