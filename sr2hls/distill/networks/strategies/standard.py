"""No bias: messages as wide as the recipe says, no penalty. The control of Cranmer et al. 2020."""

from __future__ import annotations

from typing import ClassVar

from sr2hls.distill.networks.strategies.base import Strategy


class Standard(Strategy):
    name: ClassVar[str] = "standard"
