"""TOML coefficients → delay (ns) and area of a circuit node on one device."""

from __future__ import annotations

from dataclasses import dataclass

from sr2hls.circuit import Circuit


@dataclass(frozen=True, slots=True)
class Area:
    """Predicted resources; `lut` are the family's lookup tables (LUT6 or LUT4)."""

    lut: float = 0.0
    dsp: float = 0.0


@dataclass(frozen=True, slots=True)
class Target:
    """One device and speed grade."""

    name: str
    part: str
    family: str
    clock_ns: float  # default clock period
    estimate: bool  # True: published delays, no vendor tool was run

    def delay(self, circuit: Circuit, index: int) -> float:
        """Combinational delay of a node, ns."""
        raise NotImplementedError

    def area(self, circuit: Circuit, index: int) -> Area:
        """Resources of a node."""
        raise NotImplementedError


def load_target(name: str) -> Target:
    """Read `sr2hls/targets/NAME.toml`. Raises FormatError naming the known targets."""
    raise NotImplementedError


def target_names() -> tuple[str, ...]:
    """All targets that ship with sr2hls."""
    raise NotImplementedError
