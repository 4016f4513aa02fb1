"""`FunctionSpec` of an even or odd function → evaluators of half the arguments, behind an absolute value.

The symmetry is read off the function's values; the whole (absolute value, evaluator, sign) is then run on every
argument, and the error that comes out is the proven one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

import numpy as np
from flint import arb

from sr2hls.analyze.interval import Interval
from sr2hls.builder import CircuitBuilder
from sr2hls.circuit import Overflow
from sr2hls.formats import Format
from sr2hls.functions.reference import measured_error, reference_of
from sr2hls.functions.spec import Evaluator, FunctionSpec

NARROWEST, WIDEST = 8, 14  # bits of an argument; below, the negations cost what they save
_MOST_DROP = 60


def plans(spec: FunctionSpec, families: Callable[[FunctionSpec], Iterable[Evaluator]]) -> Iterator[Evaluator]:
    """The evaluators that `families` finds for the nonnegative half, folded; none without a symmetry about zero."""
    word = spec.word
    if not word.signed or not NARROWEST <= word.width <= WIDEST or not -1 <= spec.low + spec.high <= 1:
        return
    odd = _odd(spec)
    if odd is None:
        return
    half = Format(False, word.width - 1, word.fraction)
    domain = Interval(arb(0), spec.domain.high)
    folded = FunctionSpec(spec.function, half, 0, spec.high, domain, spec.fraction, spec.tolerance)
    for inner in families(folded):
        build = partial(_build, inner=inner.build, half=half, top=max(-spec.low, spec.high), odd=odd)
        error = measured_error(spec, build)
        if error is not None and error.magnitude <= spec.tolerance:
            yield Evaluator(f"{inner.method}, folded ({'odd' if odd else 'even'})", error, build)


def _odd(spec: FunctionSpec) -> bool | None:
    """True: f(-x) = -f(x) to far below the tolerance; False: f(-x) = f(x); None: neither."""
    reference = reference_of(spec)
    near = np.int64(1) << max(0, min(_MOST_DROP, reference.fraction - spec.fraction - 12))
    zero, reach = -spec.low, min(-spec.low, spec.high)
    values = (reference.lower >> 1) + (reference.upper >> 1)
    right, left = values[zero + 1 : zero + reach + 1], values[zero - reach : zero][::-1]
    if reach < 1:
        return None
    if np.abs(right - left).max() <= near:
        return False
    return True if np.abs(right + left).max() <= near else None


def _build(
    b: CircuitBuilder, arg: int, inner: Callable[[CircuitBuilder, int], int], half: Format, top: int, odd: bool
) -> int:
    width = b[arg].format.width
    size = b.narrow(b.absolute(arg), 0, top)
    value = inner(b, b.cast(size, half, overflow=Overflow.SATURATE))
    return b.select(b.slice(arg, width - 1, width - 1), b.negate(value), value) if odd else value
