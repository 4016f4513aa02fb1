"""The name of a published table → `OperatorCosts`: clock cycles of single operators as vivado_hls reported them.

The figures stand in vivado_hls.toml, with their source. They hold for ap_fixed<W,I> on an xcvu9p-2 at 5 ns: each
operator was synthesized on its own through hls4ml and rounded up to a cycle, so they neither chain nor fuse, and they
say nothing of area.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from sr2hls.errors import FormatError, UnsupportedError
from sr2hls.search.costs import OperatorCosts, figure
from sr2hls.search.spelling import names_in, spelled

_FILE = Path(__file__).resolve().parent / "vivado_hls.toml"


def published_names() -> tuple[str, ...]:
    """The names of all tables, as `hls4sr-16-6` (W-I) and `hls4sr-fork-16-6`."""
    return tuple(_tables()["cycles"])


def published_costs(
    name: str, operators: Sequence[str] | None = None, definitions: Mapping[str, str] | None = None
) -> OperatorCosts:
    """A published table, with the cycles of `operators` (None: all of the table).

    A user-defined operator, and one that the table does not know but sympy writes in operators that it does, costs the
    sum of its parts. Areas are 0: none were published.

    Raises:
        FormatError: there is no such table, or it has no figure for an operator.
        LoadError: a broken definition.
    """
    tables = _tables()
    if name not in tables["cycles"]:
        raise FormatError(f"'{name}' is no table of costs; choose target or one of {', '.join(published_names())}")
    cycles = {key: float(value) for key, value in tables["cycles"][name].items()}
    for operator in operators or ():
        if operator not in cycles:
            cycles[operator] = _composed(operator, cycles, name, (definitions or {}).get(operator, ""))
    zero = dict.fromkeys(cycles, 0.0)
    return OperatorCosts(
        name=name,
        clock_ns=float(tables["clock_ns"]),
        cycles=cycles,
        luts=zero,
        dsps=zero,
        table_cycles=0.0,
        table_luts=0.0,
        constant_cycles=cycles["*"],
        constant_luts=0.0,
        source=str(tables["source"]["fork" if "fork" in name else "original"]),
        fused=False,
    )


def _composed(operator: str, cycles: Mapping[str, float], table: str, definition: str) -> float:
    try:
        if not definition:
            try:
                return figure(operator, cycles, table)
            except UnsupportedError:
                if spelled(operator).name == operator:
                    raise
        return sum(figure(part, cycles, table) for part in names_in(spelled(operator, definition)))
    except UnsupportedError as error:
        raise FormatError(f"{error}; leave it out or use --costs target") from None


@cache
def _tables() -> Mapping[str, Any]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))
