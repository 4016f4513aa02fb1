"""Names → systems: every file of `sr2hls.distill.systems.families` is read once."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from sr2hls.distill.systems import families
from sr2hls.distill.systems.definition import System
from sr2hls.errors import FormatError


@cache
def _known() -> Mapping[str, System]:
    files = sorted(found.name for found in pkgutil.iter_modules(families.__path__))
    modules = [importlib.import_module(f"{families.__name__}.{file}") for file in files]
    return MappingProxyType({one.name: one for module in modules for one in module.SYSTEMS})


def names() -> tuple[str, ...]:
    """The known systems in alphabetical order."""
    return tuple(sorted(_known()))


def system(name: str) -> System:
    """A system by its name. Raises FormatError for an unknown one, with the names that are known."""
    if name in _known():
        return _known()[name]
    near = difflib.get_close_matches(name, names(), 1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    raise FormatError(f"there is no system '{name[:60]}'{hint} (known: {', '.join(names())})")
