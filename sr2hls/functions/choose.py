"""`FunctionSpec` + target → the evaluator to use: the smallest there, unless a little larger one is much faster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from sr2hls.analyze.cells import Univariate
from sr2hls.errors import UnsupportedError
from sr2hls.functions import fold, horner, multipartite, polynomial, scaled, table
from sr2hls.functions.cost import Price, Taste, price_of, table_luts
from sr2hls.functions.spec import Evaluator, FunctionSpec
from sr2hls.targets import Target

_USUAL = Taste()


def choose(spec: FunctionSpec | Sequence[FunctionSpec], target: Target, taste: Taste = _USUAL) -> Evaluator:
    """The cheapest evaluator on the target by taste: the least product of LUTs and root of the delay, if usual.

    Several specs are the same function and word with ever more fraction bits of the result: a plain table is planned
    for the first, which may be met by half an ulp only, the other families for the last.

    Raises UnsupportedError naming the sub-expression when no family meets the tolerance.
    """
    specs = [spec] if isinstance(spec, FunctionSpec) else list(spec)
    first = specs[0]
    key = (
        "choice",
        target.name,
        *((s.word, s.low, s.high, str(s.domain), s.fraction, str(s.tolerance), s.spare_bits) for s in specs),
    )
    if key not in first.function.tables:
        first.function.tables[key] = _priced(specs, target)
    found: list[tuple[Price, Evaluator]] = first.function.tables[key]
    return min(found, key=lambda item: taste.cost(item[0]))[1]


def planned_widths(function: Univariate) -> list[int]:
    """The argument's width of every choice that was made for a function."""
    return [key[2][0].width for key in function.tables if isinstance(key, tuple) and key[0] == "choice"]


def _priced(specs: Sequence[FunctionSpec], target: Target) -> list[tuple[Price, Evaluator]]:
    priced: list[tuple[Price, Evaluator]] = []
    for candidate in candidates(specs, target):
        priced.append((price_of(candidate, specs[0].word, target), candidate))
    if priced:
        return priced
    last = table.plan(specs[0], table.LAST_RESORT)
    if last is not None:
        return [(Price(0.0, 0.0), last)]
    spec = specs[-1]
    raise UnsupportedError(
        f"no evaluator reaches an error of {float(spec.tolerance):.3g} for '{spec.function.origin}' on {spec.domain} "
        f"with a {spec.word.width}-bit argument: it varies too fast there; narrow the range (--range) or the input, "
        "or allow a larger error (--max-error)"
    )


def candidates(specs: Sequence[FunctionSpec], target: Target) -> Iterator[Evaluator]:
    """All evaluators that meet the tolerance of the first spec (tables) or of the last (the other families)."""
    plain, spec = specs[0], specs[-1]  # the last has the most room beyond the final rounding
    found = 0
    for evaluator in _whole(plain, spec, target):
        found += 1
        yield evaluator
    yield from fold.plans(spec, lambda half: _whole(replace(half, fraction=plain.fraction), half, target))
    for evaluator in scaled.plans(spec, lambda octave: _octave(octave, target)):
        found += 1
        yield evaluator
    if found == 0:
        general = polynomial.plan(spec)
        if general is not None:
            yield general


def _octave(spec: FunctionSpec, target: Target) -> Iterator[Evaluator]:
    """One octave: the general polynomials are for those with too many arguments to run through."""
    found = False
    for evaluator in _whole(spec, spec, target):
        found = True
        yield evaluator
    general = None if found else polynomial.plan(spec)
    if general is not None:
        yield general


def _whole(plain: FunctionSpec, spec: FunctionSpec, target: Target) -> Iterator[Evaluator]:
    """The families that are proven by running through all arguments."""
    table_of_all = table.plan(plain)
    if table_of_all is not None:
        yield table_of_all
    yield from multipartite.plans(spec, partial(table_luts, target=target), target.costs.add.luts)
    yield from horner.plans(spec)
