"""What every engine hands back: the output codes of one design on one set of input codes, and who computed them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class EngineResult:
    """The codes (int64, one per sample) of each output port, as one engine computed them."""

    engine: str  # "python", "cpp", "hls", "hls4ml", "verilator", ...
    outputs: dict[str, NDArray[np.int64]]
    latency: int | None  # measured clock cycles; None for engines without a clock
    tool: str  # such as "g++" or "verilator"
    version: str
    seconds: float  # wall time of the run, without the build where the two can be told apart
