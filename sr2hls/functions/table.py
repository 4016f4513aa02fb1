"""`FunctionSpec` → a plain table: every argument's correctly rounded value, proven entry by entry."""

from __future__ import annotations

from flint import arb, ctx

from sr2hls.analyze.cells import Univariate
from sr2hls.analyze.interval import Interval
from sr2hls.errors import DomainError
from sr2hls.functions.spec import Evaluator, FunctionSpec

WIDEST = 12  # address bits of a plain table
LAST_RESORT = 14  # address bits where nothing else works
_PRECISIONS = (80, 160, 640)  # bits


def plan(spec: FunctionSpec) -> Evaluator | None:
    """A table where the argument has at most 12 bits."""
    return _plan(spec, WIDEST)


def plan_large(spec: FunctionSpec) -> Evaluator | None:
    """A table of up to 14 address bits, for functions that no other family can do."""
    return _plan(spec, LAST_RESORT)


def _plan(spec: FunctionSpec, widest: int) -> Evaluator | None:
    if spec.word.width > widest:
        return None
    key = (spec.word, spec.low, spec.high, spec.fraction, str(spec.domain))
    if key not in spec.function.tables:
        spec.function.tables[key] = _evaluator(spec)
    evaluator = spec.function.tables[key]
    return evaluator if evaluator.error.magnitude <= spec.tolerance else None


def _evaluator(spec: FunctionSpec) -> Evaluator:
    low, errors, entries = spec.low, [], {}
    for code in range(low, spec.high + 1):
        entries[code], error = rounded(spec.function, spec.argument(code), spec.fraction)
        errors.append(error)
    first, last = entries[low], entries[spec.high]
    codes = tuple(
        entries.get(spec.word.wrap(pattern), first if spec.word.wrap(pattern) < low else last)
        for pattern in range(1 << spec.word.width)
    )
    error = Interval(min((e.low for e in errors), key=float), max((e.high for e in errors), key=float))
    return Evaluator(
        f"table of {len(codes)} entries", error, lambda b, arg: b.lookup(arg, codes, spec.fraction, "table")
    )


def rounded(function: Univariate, x: arb, fraction: int) -> tuple[int, Interval]:
    """The code nearest to f(x) at `fraction` bits, and code·2^-fraction - f(x); an exact tie may go either way.

    Raises DomainError where f(x) is not finite.
    """
    scale = arb(2) ** fraction
    for precision in _PRECISIONS:
        with ctx.workprec(precision):
            value = function.at(x)
            if not value.is_finite():
                continue
            scaled = value * scale
            code = (scaled + arb(0.5)).floor().unique_fmpz()
            if code is None and precision == _PRECISIONS[-1]:
                code = (scaled.mid() + arb(0.5)).floor().unique_fmpz()
            if code is not None:
                difference = (arb(code) - scaled) / scale
                return int(code), Interval(difference.lower(), difference.upper())
    raise DomainError(
        f"'{function.origin}' is not finite at its argument {float(x):.6g}. "
        "Declare a range that avoids it (--range), or clamp the argument (--domain clamp)"
    )
