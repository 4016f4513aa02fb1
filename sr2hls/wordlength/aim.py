"""Limits + the bill of the moment → one price for every bill: limits that are exceeded first, then area, then delay."""

from __future__ import annotations

from sr2hls.wordlength.limits import Limits
from sr2hls.wordlength.price import Bill

_TIE = 0.01  # weight of the longest path beside the area where the latency is met
_LATE = 4.0  # and where it is not
_SCARCE = 20.0  # how much more a multiplier counts where there are too many, and less where there are too many LUTs
_OVER = 10.0  # weight of a limit's relative excess
_LEAST_GAIN = 1e-6


class Aim:
    """A price by which bills are compared as long as the same limits are exceeded."""

    def __init__(self, limits: Limits, bill: Bill) -> None:
        area, path = max(bill.area, 1.0), max(bill.path_ns, 0.1)
        late = limits.latency is not None and bill.latency > limits.latency
        large = limits.luts is not None and bill.luts > limits.luts
        many = limits.dsp is not None and bill.dsp > limits.dsp
        self._limits = limits
        self._path = (_LATE if late else _TIE) * area / path
        self._dsp = bill.multiplier * (_SCARCE if many else 1 / _SCARCE if large else 1.0)
        self._over = _OVER * area
        self.weights = late, large, many  # what the price stresses

    def price(self, bill: Bill) -> float:
        """In LUTs."""
        inside = bill.luts + self._dsp * bill.dsp + self._path * bill.path_ns
        return inside + self._over * self._limits.excess(bill)

    def better(self, bill: Bill, other: Bill) -> bool:
        """Not further beyond the limits, and cheaper."""
        if self._limits.excess(bill) > self._limits.excess(other):
            return False
        return self.price(bill) < self.price(other) * (1 - _LEAST_GAIN)
