"""`Program` + an error target per output → the first lowering whose proven errors meet the targets."""

from __future__ import annotations

from collections.abc import Mapping

from sr2hls.analyze.ranges import Analysis
from sr2hls.errors import FormatError
from sr2hls.formats import Format
from sr2hls.lower.program import Lowered, lower
from sr2hls.program import Kind, Program
from sr2hls.quantize.budget import exact_steps, local_budgets

_OWN_ROUNDING = {Kind.FUNCTION: 0.75, Kind.LINEAR: 0.625}  # ulps that an output step may take itself
_ATTEMPTS = 16


def lower_within(
    program: Program, analysis: Analysis, outputs: Mapping[str, Format], targets: Mapping[str, float]
) -> Lowered:
    """Lower with ever smaller error budgets until the proven error of every output meets its target.

    Raises FormatError with the best proven error when that never happens.
    """
    kinds = {a.symbol: a.kind for a in program.assignments}
    exact = exact_steps(program)
    own = {
        name: _OWN_ROUNDING.get(kinds[symbol], 0.5) * 2.0 ** -outputs[name].fraction for name, symbol in program.outputs
    }
    room = {s.name: max(targets[n] - own[n], targets[n] / 16) for n, s in program.outputs}
    tightness = 1.0
    for _ in range(_ATTEMPTS):
        lowered = lower(program, analysis, local_budgets(program, analysis, room, tightness), outputs, exact)
        ratios = {name: float(lowered.errors[name].magnitude) / targets[name] for name in targets}
        name = max(ratios, key=lambda n: ratios[n])
        if ratios[name] <= 1.0:
            return lowered
        tightness *= 0.5
    raise FormatError(
        f"output '{name}': the best proven error is {ratios[name] * targets[name]:.3g}, not {targets[name]:.3g}; allow "
        "a larger error (--max-error), more output bits (--output), or narrow the ranges"
    )
