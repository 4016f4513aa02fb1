"""Data to formulas that are good as circuits: the room of the search, and its public function `sr2hls.search`."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sr2hls.search.estimator import SymbolicLatencyClassifier, SymbolicLatencyRegressor
    from sr2hls.search.run import SearchResult, search
    from sr2hls.search.settings import Settings

__all__ = ["SearchResult", "Settings", "SymbolicLatencyClassifier", "SymbolicLatencyRegressor", "search"]

_HOMES = {
    "SearchResult": "sr2hls.search.run",
    "Settings": "sr2hls.search.settings",
    "SymbolicLatencyClassifier": "sr2hls.search.estimator",
    "SymbolicLatencyRegressor": "sr2hls.search.estimator",
    "search": "sr2hls.search.run",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sr2hls.search' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


class _CallableModule(ModuleType):
    """`sr2hls.search` is this package and the function of the public interface: both are to be had under one name."""

    def __call__(self, data: Any, y: Any = None, **options: Any) -> SearchResult:
        from sr2hls.search.run import search

        return search(data, y, **options)


sys.modules[__name__].__class__ = _CallableModule
