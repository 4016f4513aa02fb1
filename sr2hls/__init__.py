"""sr2hls: from a symbolic formula to an FPGA circuit with a proven error bound. This is the public interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sr2hls.version import __version__

if TYPE_CHECKING:
    from sr2hls.api import Design, compile, simulate
    from sr2hls.distill import distill
    from sr2hls.load import load
    from sr2hls.model import SymbolicModel
    from sr2hls.search import search
    from sr2hls.targets import Target

__all__ = ["Design", "SymbolicModel", "Target", "__version__", "compile", "distill", "load", "search", "simulate"]

_HOMES = {
    "Design": "sr2hls.api",
    "SymbolicModel": "sr2hls.model",
    "Target": "sr2hls.targets",
    "compile": "sr2hls.api",
    "distill": "sr2hls.distill",
    "load": "sr2hls.load",
    "search": "sr2hls.search",
    "simulate": "sr2hls.api",
}


def __getattr__(name: str) -> Any:
    # sympy and numpy are imported when used: `sr2hls --help` answers at once
    if name not in _HOMES:
        raise AttributeError(f"module 'sr2hls' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
