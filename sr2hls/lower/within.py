"""`Program` + an error target per output → the first lowering whose proven errors meet the targets."""

from __future__ import annotations

from collections.abc import Mapping

from sr2hls.analyze.ranges import Analysis
from sr2hls.errors import FormatError
from sr2hls.formats import Format
from sr2hls.lower.program import Lowered, lower
from sr2hls.lower.state import Words
from sr2hls.program import Kind, Program
from sr2hls.quantize.budget import exact_steps, local_budgets
from sr2hls.targets import Target

# Scales of the first-order budgets, tried in this order: the loosest that the proof accepts is the cheapest circuit.
_TIGHTNESS = (3.0, 2.0, 1.4, *(0.5**k for k in range(14)))
_SPARE = {Kind.FUNCTION: 0.25, Kind.LINEAR: 0.125}  # ulps that an output step may take beyond its rounding


def spare_ulps(kind: Kind, target: float) -> float:
    """How much of an error target, in ulps, an output step may take beyond the half ulp of its rounding."""
    return min(_SPARE.get(kind, 0.0), 0.6 * (target - 0.5))


def lower_within(
    program: Program,
    analysis: Analysis,
    outputs: Mapping[str, Format],
    targets: Mapping[str, float],
    device: Target,
    boxes: bool = True,
) -> tuple[Words, Lowered]:
    """Lower with ever smaller error budgets until the proven error of every output meets its target.

    `targets` are errors by output name; `device` prices the function evaluators; `boxes`: see `local_budgets`.

    Raises FormatError with the best proven error when that never happens.
    """
    exact = exact_steps(program)
    kinds = {a.symbol: a.kind for a in program.assignments}
    spare = {
        name: spare_ulps(kinds[symbol], targets[name] * 2.0 ** outputs[name].fraction)
        for name, symbol in program.outputs
    }
    room = {
        symbol.name: targets[name] - (0.5 + spare[name]) * 2.0 ** -outputs[name].fraction
        for name, symbol in program.outputs
    }
    for tightness in _TIGHTNESS:
        words = Words(local_budgets(program, analysis, room, tightness, boxes), spare)
        lowered = lower(program, analysis, words, outputs, exact, device)
        ratios = {name: float(lowered.errors[name].magnitude) / targets[name] for name in targets}
        name = max(ratios, key=lambda n: ratios[n])
        if ratios[name] <= 1.0:
            return words, lowered
    raise FormatError(
        f"output '{name}': the best proven error is {ratios[name] * targets[name]:.3g}, not {targets[name]:.3g}; allow "
        "a larger error (--max-error), more output bits (--output), or narrow the ranges"
    )
