"""`Program` + an error target per output → the first lowering whose proven errors meet the targets."""

from __future__ import annotations

from collections.abc import Mapping

from sr2hls.analyze.ranges import Analysis
from sr2hls.errors import FormatError
from sr2hls.formats import Format
from sr2hls.lower.program import Lowered, lower
from sr2hls.program import Program
from sr2hls.quantize.budget import exact_steps, local_budgets

_ATTEMPTS = 16


def spare_ulps(target: float) -> float:
    """How much of an error target, in ulps, an output step may take beyond the half ulp of its rounding."""
    return min(0.25, 0.6 * (target - 0.5))


def lower_within(
    program: Program, analysis: Analysis, outputs: Mapping[str, Format], targets: Mapping[str, float]
) -> Lowered:
    """Lower with ever smaller error budgets until the proven error of every output meets its target.

    Raises FormatError with the best proven error when that never happens.
    """
    exact = exact_steps(program)
    spare = {name: spare_ulps(targets[name] * 2.0**word.fraction) for name, word in outputs.items()}
    room = {
        symbol.name: targets[name] - (0.5 + spare[name]) * 2.0 ** -outputs[name].fraction
        for name, symbol in program.outputs
    }
    tightness = 1.0
    for _ in range(_ATTEMPTS):
        lowered = lower(
            program, analysis, local_budgets(program, analysis, room, tightness), outputs, exact, spare=spare
        )
        ratios = {name: float(lowered.errors[name].magnitude) / targets[name] for name in targets}
        name = max(ratios, key=lambda n: ratios[n])
        if ratios[name] <= 1.0:
            return lowered
        tightness *= 0.5
    raise FormatError(
        f"output '{name}': the best proven error is {ratios[name] * targets[name]:.3g}, not {targets[name]:.3g}; allow "
        "a larger error (--max-error), more output bits (--output), or narrow the ranges"
    )
