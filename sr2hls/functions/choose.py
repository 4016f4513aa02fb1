"""`FunctionSpec` → the evaluator to use."""

from __future__ import annotations

from collections.abc import Callable

from sr2hls.errors import UnsupportedError
from sr2hls.functions import polynomial, table
from sr2hls.functions.spec import Evaluator, FunctionSpec

FAMILIES: tuple[Callable[[FunctionSpec], Evaluator | None], ...] = (table.plan, polynomial.plan, lambda s: table.plan(s, table.LAST_RESORT))


def choose(spec: FunctionSpec) -> Evaluator:
    """The first family that can do it within the tolerance.

    Raises UnsupportedError naming the sub-expression when none can.
    """
    for plan in FAMILIES:
        evaluator = plan(spec)
        if evaluator is not None:
            return evaluator
    raise UnsupportedError(
        f"no evaluator reaches an error of {float(spec.tolerance):.3g} for '{spec.function.origin}' on {spec.domain} "
        f"with a {spec.word.width}-bit argument: it varies too fast there; narrow the range (--range) or the input, "
        "or allow a larger error (--max-error)"
    )
