"""`SymbolicModel` + formats, ranges and an error target → `Design`: the stages of the compiler in their order."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import flint

from sr2hls.analyze.ranges import analyze
from sr2hls.analyze.repair import clamp_domains, formula_of
from sr2hls.certify import certificate, with_totals
from sr2hls.design import Design
from sr2hls.errors import FormatError
from sr2hls.formats import Format
from sr2hls.load.native import to_json
from sr2hls.lower import lower, lower_within
from sr2hls.model import SymbolicModel
from sr2hls.program import Program
from sr2hls.quantize.domains import domains_of, output_format
from sr2hls.rewrite.fuse import fuse
from sr2hls.schedule import schedule
from sr2hls.targets import load_target
from sr2hls.version import __version__

_PRECISION = 64  # bits of the interval arithmetic


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asks for.

    inputs: format per input, or "*" for all; ranges: (low, high) real values per input; output: a format, per-output
    formats, or "auto"; max_error: absolute, or None for `max_error_ulps` units in the last place of each output;
    registers: "in", "out", "both", "none". precision: one word for everything, truncated and wrapped as hls4ml does,
    for comparison. domain: "strict" stops at poles and domain edges, "clamp" clamps the arguments of functions.
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
    precision: Format | None = None
    domain: str = "strict"
    name: str = "formula"


def compile_model(model: SymbolicModel, options: Options) -> Design:
    """Compile formulas to a scheduled circuit whose error is proven.

    Raises:
        FormatError: a format or range is missing or malformed, or the error target cannot be met.
        DomainError, UnsupportedError: see the stages.
    """
    target = load_target(options.target)
    with flint.ctx.workprec(_PRECISION):
        inputs = options.inputs if options.precision is None else {"*": options.precision, **options.inputs}
        domains = domains_of(model, inputs, options.ranges)
        program = fuse(model, [d.name for d in domains.values() if d.narrow])
        notes: tuple[str, ...] = ()
        if options.domain == "clamp":
            program, notes = clamp_domains(program, domains)
            model = _clamped(model, program) if notes else model
        analysis = analyze(program, domains)
        outputs = {
            name: options.precision
            or output_format(name, analysis.ranges[symbol.name], options.output, options.max_error)
            for name, symbol in program.outputs
        }
        if options.precision is None:
            targets = {name: _target_error(name, word, options) for name, word in outputs.items()}
            lowered = lower_within(program, analysis, outputs, targets, target)
        else:
            lowered = lower(program, analysis, {}, outputs, frozenset(), target, options.precision)
            targets = {name: float(error.magnitude) for name, error in lowered.errors.items()}
        ledger = certificate(model, program, analysis, lowered, outputs, targets, notes)
    clock_ns = target.clock_ns if options.clock_ns is None else options.clock_ns
    plan = schedule(
        lowered.circuit,
        target,
        clock_ns,
        register_inputs=options.registers in ("in", "both"),
        register_outputs=options.registers in ("out", "both"),
        latency=options.latency,
    )
    design = Design(
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
    return with_totals(design)


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
            f"output '{name}' is {word}: rounding to it alone costs {ulp / 2:.3g}, so an error of {max_error:.3g} "
            f"needs at least {math.ceil(-math.log2(max_error))} fraction bits"
        )
    return max_error


def _clamped(model: SymbolicModel, program: Program) -> SymbolicModel:
    """The model whose formulas are those of the program, clamps included."""
    held = dict(program.outputs)
    outputs = (replace(o, expression=formula_of(program, held[o.name])) for o in model.outputs)
    return replace(model, outputs=tuple(outputs))


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
