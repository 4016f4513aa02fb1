"""`FunctionSpec` → a plain table: every argument's correctly rounded value, proven entry by entry."""

from __future__ import annotations

from functools import partial

import numpy as np
from flint import arb, ctx

from sr2hls.analyze.interval import Interval, nearest_code
from sr2hls.builder import CircuitBuilder
from sr2hls.functions.reference import reference_of, value_at
from sr2hls.functions.spec import Evaluator, FunctionSpec

WIDEST = 12  # address bits of a plain table
LAST_RESORT = 14  # address bits where nothing else works
_PRECISIONS = (80, 160, 640)  # bits
_MOST_BITS = 62  # of a value as an integer


def plan(spec: FunctionSpec, widest: int = WIDEST) -> Evaluator | None:
    """A table where the argument has at most `widest` bits, or None where that does not meet the tolerance."""
    if spec.word.width > widest:
        return None
    key = ("table", spec.word, spec.low, spec.high, spec.fraction, str(spec.domain))
    if key not in spec.function.tables:
        spec.function.tables[key] = _evaluator(spec)
    evaluator: Evaluator = spec.function.tables[key]
    return evaluator if evaluator.error.magnitude <= spec.tolerance else None


def _evaluator(spec: FunctionSpec) -> Evaluator:
    reference = reference_of(spec)
    drop = reference.fraction - spec.fraction
    if 1 <= drop <= _MOST_BITS:
        half = 1 << (drop - 1)
        entries = (((reference.lower + reference.upper) >> 1) + half) >> drop
        below, above = (entries << drop) - reference.upper, (entries << drop) - reference.lower
        unsure = np.flatnonzero((below < -half) | (above > half))
        sure = np.setdiff1d(np.arange(entries.size), unsure, assume_unique=True)
        codes = [int(entry) for entry in entries]
        parts = []
        if sure.size:
            scale = arb(2) ** -reference.fraction
            parts.append(Interval(arb(int(below[sure].min())) * scale, arb(int(above[sure].max())) * scale))
    else:
        codes, parts, unsure = [0] * reference.lower.size, [], np.arange(reference.lower.size)
    for index in map(int, unsure):
        codes[index], error = rounded(spec, spec.argument(spec.low + index))
        parts.append(error)
    table = in_word(spec, codes)
    return Evaluator(f"table of {len(table)} entries", Interval.hull(*parts), partial(_build, spec.fraction, table))


def _build(fraction: int, codes: tuple[int, ...], b: CircuitBuilder, arg: int) -> int:
    return b.lookup(arg, codes, fraction, "table")


def in_word(spec: FunctionSpec, codes: list[int]) -> tuple[int, ...]:
    """The entries of the codes low…high in the order of the word's bit patterns; the others repeat the nearer end."""
    word, low = spec.word, spec.low
    full = [codes[0]] * (low - word.least) + codes + [codes[-1]] * (word.greatest - spec.high)
    return tuple(full[-word.least :] + full[: -word.least]) if word.signed else tuple(full)


def rounded(spec: FunctionSpec, x: arb) -> tuple[int, Interval]:
    """The code nearest to f(x), and code·2^-fraction - f(x); an exact tie may go either way.

    Raises DomainError where f(x) is not finite.
    """
    scale = arb(2) ** spec.fraction
    value = value_at(spec, x)
    for precision in _PRECISIONS:
        with ctx.workprec(precision):
            value = spec.function.at(x) if precision > _PRECISIONS[0] else value
            scaled = value * scale
            whole = (scaled + arb(0.5)).floor().unique_fmpz()
            if whole is not None:
                break
    with ctx.workprec(_PRECISIONS[-1]):
        code = nearest_code(scaled, 0) if whole is None else int(whole)
        difference = (arb(code) - scaled) / scale
        return code, Interval(difference.lower(), difference.upper())
