"""Wide messages of which the least varying components are removed on the way, until the dimensions are left."""

from __future__ import annotations

import math
from typing import ClassVar

from sr2hls.distill.networks.strategies.base import Strategy

END = 0.65


class Pruning(Strategy):
    """The number of components falls along a cosine and reaches the dimension at 65 % of the steps (Tan et al. 2026,
    arXiv 2602.21307, found this schedule the best of nine).
    """

    name: ClassVar[str] = "pruning"

    def kept(self, share: float, width: int, dimension: int) -> int:
        left = (1 + math.cos(math.pi * min(share / END, 1.0))) / 2
        return dimension + round((width - dimension) * left)
