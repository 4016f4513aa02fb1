"""Signals and bit ranges → Verilog expressions of an exact width; remembers which bits were read."""

from __future__ import annotations

from dataclasses import dataclass, field

from sr2hls.formats import Format


@dataclass(frozen=True, slots=True)
class Signal:
    """A declared wire, register or port: value = code · 2^-fraction. Unlike a `Format`, of any width."""

    name: str
    signed: bool
    width: int
    fraction: int

    @staticmethod
    def of(name: str, fmt: Format) -> Signal:
        return Signal(name, fmt.signed, fmt.width, fmt.fraction)


@dataclass(slots=True)
class Words:
    """Builds expressions; `unread()` tells afterwards which bits of the signals nobody used."""

    _read: dict[str, int] = field(default_factory=dict)

    def declare(self, signal: Signal) -> Signal:
        self._read[signal.name] = 0
        return signal

    def bits(self, signal: Signal, high: int, low: int) -> str:
        """The bits high…low of a signal (unsigned unless that is the whole signal)."""
        self._read[signal.name] |= (2 << high) - (1 << low)
        width = signal.width
        if (high, low) == (width - 1, 0):
            return signal.name
        return f"{signal.name}[{high}]" if high == low else f"{signal.name}[{high}:{low}]"

    def resized(self, signal: Signal, drop: int, width: int) -> str:
        """Exactly `width` bits of floor(code · 2^-drop) in two's complement (a negative `drop` appends zeros)."""
        zeros = min(max(-drop, 0), width)
        low = max(drop, 0)
        high = min(signal.width - 1, low + width - zeros - 1)
        parts: list[str] = []
        extension = width - zeros - max(high - low + 1, 0)
        if extension:
            parts.append(self._extension(signal, extension))
        if high >= low:
            parts.append(self.bits(signal, high, low))
        if zeros:
            parts.append(f"{zeros}'d0")
        return parts[0] if len(parts) == 1 else "{" + ", ".join(parts) + "}"

    def whole(self, signal: Signal) -> str:
        return self.bits(signal, signal.width - 1, 0)

    def _extension(self, signal: Signal, count: int) -> str:
        if not signal.signed:
            return f"{count}'d0"
        sign = self.bits(signal, signal.width - 1, signal.width - 1)
        return sign if count == 1 else f"{{{count}{{{sign}}}}}"

    def unread(self, signals: list[Signal]) -> list[str]:
        """The unread bit ranges of the signals, as expressions, highest first."""
        ranges: list[str] = []
        for signal in signals:
            free = ~self._read[signal.name] & ((1 << signal.width) - 1)
            while free:
                high = free.bit_length() - 1
                low = (~free & ((1 << high) - 1)).bit_length()
                ranges.append(self.bits(signal, high, low))
                free &= (1 << low) - 1
        return ranges


def literal(code: int, fmt: Format) -> str:
    """A sized hexadecimal constant, signed where the format is."""
    digits = (fmt.width + 3) // 4
    return f"{fmt.width}'{'s' if fmt.signed else ''}h{code & ((1 << fmt.width) - 1):0{digits}x}"


def declared(kind: str, signal: Signal) -> str:
    """Such as `wire signed [11:0] n3`; one bit has no range."""
    signed = " signed" if signal.signed else ""
    bits = f" [{signal.width - 1}:0]" if signal.width > 1 else ""
    return f"{kind}{signed}{bits} {signal.name}"
