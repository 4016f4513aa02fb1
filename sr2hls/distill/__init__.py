"""Trajectories of bodies to a force law to a circuit: the room of the distillation of graph networks.

Its public function is `sr2hls.distill`; the module is callable, as `sr2hls.search` is.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sr2hls.distill.law import Law
    from sr2hls.distill.recipe import Recipe
    from sr2hls.distill.result import Distillation
    from sr2hls.distill.run import distill
    from sr2hls.distill.trajectories import Trajectories

__all__ = ["Distillation", "Law", "Recipe", "Trajectories", "distill"]

_HOMES = {
    "Distillation": "sr2hls.distill.result",
    "Law": "sr2hls.distill.law",
    "Recipe": "sr2hls.distill.recipe",
    "Trajectories": "sr2hls.distill.trajectories",
    "distill": "sr2hls.distill.run",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sr2hls.distill' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


class _CallableModule(ModuleType):
    """`sr2hls.distill` is this package and the function of the public interface: both are to be had under one name."""

    def __call__(self, data: Any = None, **options: Any) -> Distillation:
        from sr2hls.distill.run import distill

        return distill(data, **options)


sys.modules[__name__].__class__ = _CallableModule
