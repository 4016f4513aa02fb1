"""`SymbolicModel` + formats, ranges and an error target → `Design`: the stages of the compiler in their order."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import flint

from sr2hls.analyze.ranges import Analysis, Domain, analyze
from sr2hls.certify import certificate
from sr2hls.design import Design
from sr2hls.errors import FormatError
from sr2hls.formats import Format
from sr2hls.load.native import to_json
from sr2hls.lower import Lowered, lower
from sr2hls.model import SymbolicModel
from sr2hls.program import Kind, Program
from sr2hls.quantize.budget import exact_steps, local_budgets
from sr2hls.quantize.domains import domains_of, output_format
from sr2hls.rewrite.fuse import fuse
from sr2hls.schedule import schedule
from sr2hls.targets import load_target
from sr2hls.version import __version__

_PRECISION = 64  # bits of the interval arithmetic
_OWN_ROUNDING = {Kind.FUNCTION: 0.75, Kind.LINEAR: 0.625}  # ulps that an output step may take itself
_ATTEMPTS = 16


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asks for.

    inputs: format per input, or "*" for all; ranges: (low, high) real values per input; output: a format, per-output
    formats, or "auto"; max_error: absolute, or None for `max_error_ulps` units in the last place of each output;
    registers: "in", "out", "both", "none".
    """

    inputs: Mapping[str, Format] = field(default_factory=dict)
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    output: Mapping[str, Format] = field(default_factory=dict)
    max_error: float | None = None
    max_error_ulps: float = 1.0
    target: str = "ecp5-6"
    clock_ns: float | None = None
    latency: int | None = None
    registers: str = "out"
    name: str = "formula"


def compile_model(model: SymbolicModel, options: Options) -> Design:
    """Compile formulas to a scheduled circuit whose error is proven.

    Raises:
        FormatError: a format or range is missing or malformed, or the error target cannot be met.
        DomainError, UnsupportedError: see the stages.
    """
    with flint.ctx.workprec(_PRECISION):
        domains = domains_of(model, options.inputs, options.ranges)
        program = fuse(model, [d.name for d in domains.values() if d.narrow])
        analysis = analyze(program, domains)
        outputs = {
            name: output_format(name, analysis.ranges[symbol.name], options.output, options.max_error)
            for name, symbol in program.outputs
        }
        targets = {name: _target_error(name, word, options) for name, word in outputs.items()}
        lowered = _within(program, analysis, outputs, targets)
        ledger = certificate(model, program, analysis, lowered, outputs, targets)
    target = load_target(options.target)
    clock_ns = target.clock_ns if options.clock_ns is None else options.clock_ns
    plan = schedule(
        lowered.circuit,
        target,
        clock_ns,
        register_inputs=options.registers in ("in", "both"),
        register_outputs=options.registers in ("out", "both"),
        latency=options.latency,
    )
    return Design(
        name=options.name,
        circuit=lowered.circuit,
        cycles=plan.cycles,
        stages=plan.stages,
        register_inputs=options.registers in ("in", "both"),
        register_outputs=options.registers in ("out", "both"),
        clock_ns=clock_ns,
        target=target,
        certificate=ledger,
        provenance=_provenance(model),
        critical_ns=plan.critical_ns,
        warnings=plan.warnings,
    )


def _within(
    program: Program, analysis: Analysis, outputs: Mapping[str, Format], targets: Mapping[str, float]
) -> Lowered:
    """Lower with ever smaller error budgets until the proven error of every output meets its target."""
    kinds = {a.symbol: a.kind for a in program.assignments}
    exact = exact_steps(program)
    own = {
        name: _OWN_ROUNDING.get(kinds[symbol], 0.5) * 2.0 ** -outputs[name].fraction for name, symbol in program.outputs
    }
    room = {s.name: max(targets[n] - own[n], targets[n] / 16) for n, s in program.outputs}
    tightness = 1.0
    for _ in range(_ATTEMPTS):
        lowered = lower(program, analysis, local_budgets(program, analysis, room, tightness), outputs, exact)
        worst = max(float(lowered.errors[name].magnitude) / targets[name] for name in targets)
        if worst <= 1.0:
            return lowered
        tightness *= 0.5
    name = max(targets, key=lambda n: float(lowered.errors[n].magnitude) / targets[n])
    raise FormatError(
        f"output '{name}': the best proven error is {float(lowered.errors[name].magnitude):.3g}, not "
        f"{targets[name]:.3g}; allow a larger error (--max-error), more output bits (--output), or narrow the ranges"
    )


def _target_error(name: str, word: Format, options: Options) -> float:
    ulp = 2.0**-word.fraction
    if options.max_error is None:
        if not options.max_error_ulps > 0.5:
            raise FormatError(
                f"an error of {options.max_error_ulps:g} ulp is not to be had: rounding the output alone costs half an "
                f"ulp; ask for more than 0.5ulp"
            )
        return options.max_error_ulps * ulp
    max_error = options.max_error
    if not max_error > ulp / 2:
        raise FormatError(
            f"output '{name}' is {word}: rounding to it alone costs {ulp / 2:.3g}, so an error of {max_error:.3g} needs "
            f"at least {math.ceil(-math.log2(max_error))} fraction bits"
        )
    return max_error


def _provenance(model: SymbolicModel) -> dict[str, Any]:
    return {
        "software": f"sr2hls {__version__}",
        "outputs": [
            {
                "name": output.name,
                "source": output.provenance.source,
                "equation": output.provenance.equation,
                "formula": str(output.expression),
                "loss": output.provenance.loss,
                "complexity": output.provenance.complexity,
                "writer": output.provenance.writer,
            }
            for output in model.outputs
        ],
        "model": json.loads(to_json(model)),  # exact, so that the check can evaluate the formula itself
    }
