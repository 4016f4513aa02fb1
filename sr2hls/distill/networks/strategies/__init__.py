"""The name of a strategy → the strategy: every file of this folder holds one; a further file is a further strategy."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from sr2hls.distill.networks.strategies.base import Strategy
from sr2hls.errors import LoadError


@cache
def registry() -> dict[str, Strategy]:
    """Every strategy by its name."""
    found: dict[str, Strategy] = {}
    for info in iter_modules(__path__):
        for value in vars(import_module(f"{__name__}.{info.name}")).values():
            if isinstance(value, type) and issubclass(value, Strategy) and value.name:
                found[value.name] = value()
    return found


def strategy(name: str) -> Strategy:
    """LoadError, with the names there are, for an unknown one."""
    if name not in registry():
        raise LoadError(f"strategy '{name}': known are {', '.join(sorted(registry()))}")
    return registry()[name]
