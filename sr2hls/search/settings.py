"""What the user asks of a search → `Settings`: operators, limits, budget. Engine-independent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

OPERATORS = ("+", "-", "*", "/", "sin", "cos", "exp", "log", "sqrt", "square")
OBJECTIVES = ("circuit", "path", "sum", "nodes")


@dataclass(frozen=True, slots=True)
class Settings:
    """Of one search, whatever the engine.

    operators: names of `sr2hls.operators`, in PySR's spelling; definitions: user-defined ones, name → text in their
    arguments, such as {"sc": "sc(x) = sin(x)*cos(x)"}; target, clock_ns: the device that costs are counted for (None:
    its default clock); width: bits of the inputs; costs: "target" or the name of a published table such as
    "hls4sr-16-6"; objective: what the engine minimizes beside the error, see `sr2hls.search.costs`; max_cycles,
    max_luts: hard limits, checked before a tree is evaluated; max_nodes: of a tree; constraints: largest number of
    nodes of each argument of an operator (-1: any), as PySR's `constraints`; nested: how often an operator may occur
    inside another, as PySR's `nested_constraints`; budget: evaluations of the native engine (its only clock);
    seconds: a safety stop; seed; islands, island_size; threads: 0 takes all cores; formats: fake quantization in the
    loop, (width, fraction bits), or None; rows: the native engine evolves on as many rows at most, drawn by the seed,
    and scores what it found on all of them.
    """

    operators: tuple[str, ...] = OPERATORS
    definitions: Mapping[str, str] = field(default_factory=dict)
    target: str = "vu9p-2"
    clock_ns: float | None = None
    width: int = 12
    costs: str = "target"
    objective: str = "circuit"
    max_cycles: float | None = None
    max_luts: float | None = None
    max_nodes: int = 34
    constraints: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    nested: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    budget: int = 1_000_000
    seconds: float | None = None
    seed: int = 0
    islands: int = 6
    island_size: int = 150
    threads: int = 0
    formats: tuple[int, int] | None = None
    rows: int = 4000
