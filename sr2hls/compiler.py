"""`SymbolicModel` + formats, ranges and an error target → `Design`: the stages of the compiler in their order."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import flint
import numpy as np
from numpy.typing import NDArray

from sr2hls.analyze.ranges import Analysis, Domain
from sr2hls.analyze.repair import Clamping, clamp_domains, formula_of
from sr2hls.analyze.subdivide import BOXES, RESCUE, subdivided
from sr2hls.certify import certificate, with_totals
from sr2hls.design import Design
from sr2hls.errors import DomainError, FormatError
from sr2hls.formats import Format
from sr2hls.load.native import to_json
from sr2hls.lower import Words, lower, lowered_in_pieces
from sr2hls.model import SymbolicModel
from sr2hls.program import Program
from sr2hls.quantize.domains import domains_of, output_format
from sr2hls.rewrite.form import Rewrite
from sr2hls.rewrite.fuse import fuse
from sr2hls.schedule import schedule
from sr2hls.targets import NO_DSP, load_target
from sr2hls.version import __version__
from sr2hls.wordlength import EFFORTS, PATIENCE, Limits, Rung, Timing, cheapest_form, fitted

_PRECISION = 64  # bits of the interval arithmetic


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asks for.

    inputs: format per input, or "*" for all; ranges: (low, high) real values per input; output: a format, per-output
    formats, or "auto"; max_error: absolute, or None for `max_error_ulps` units in the last place of each output (None:
    1, or more where `limits` ask for it); registers: "in", "out", "both", "none". precision: one word for everything,
    truncated and wrapped as hls4ml does, for comparison. domain: "strict" stops at poles and domain edges, "clamp"
    clamps the arguments of functions: to a distance of `floor` from poles and edges, else as near as the `rows` (values
    of every input, each of shape (n,)) come. limits: cycles, LUTs and multipliers at most; effort: how long cheaper
    equal forms and words are looked for (`wordlength.PATIENCE`, `wordlength.EFFORTS`); boxes: the most that the
    domain is cut into where that tightens ranges and errors (1: none; None: by effort).
    """

    inputs: Mapping[str, Format] = field(default_factory=dict)
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    output: Mapping[str, Format] = field(default_factory=dict)
    max_error: float | None = None
    max_error_ulps: float | None = None
    target: str = "ecp5-6"
    clock_ns: float | None = None
    latency: int | None = None
    registers: str = "out"
    precision: Format | None = None
    domain: str = "strict"
    floor: float | None = None
    rows: Mapping[str, NDArray[np.float64]] = field(default_factory=dict, compare=False, repr=False)
    limits: Limits = field(default_factory=Limits)
    effort: str = "normal"
    boxes: int | None = None
    name: str = "formula"


def compile_model(model: SymbolicModel, options: Options) -> Design:
    """Compile formulas to a scheduled circuit whose error is proven.

    Raises:
        FormatError: a format or range is missing or malformed, or the error target cannot be met.
        DomainError, UnsupportedError: see the stages.
    """
    target = load_target(options.target)
    if options.limits.dsp == 0 and target.has_dsp:
        target = load_target(options.target + NO_DSP)
    clock_ns = target.clock_ns if options.clock_ns is None else options.clock_ns
    timing = Timing(clock_ns, int(options.registers in ("in", "both")) + int(options.registers in ("out", "both")))
    with flint.ctx.workprec(_PRECISION):
        inputs = options.inputs if options.precision is None else {"*": options.precision, **options.inputs}
        domains = domains_of(model, inputs, options.ranges)
        program = fuse(model, [d.name for d in domains.values() if d.narrow])
        program, analysis, notes = _analyzed(program, domains, options)
        model = _clamped(model, program) if notes else model
        steps: tuple[Rewrite, ...] = ()
        outputs = {
            name: options.precision
            or output_format(name, analysis.ranges[symbol.name], options.output, options.max_error)
            for name, symbol in program.outputs
        }
        if options.precision is None:
            targets = {name: _target_error(name, word, options) for name, word in outputs.items()}
            first, most = Rung(outputs, targets), options.limits
            if options.latency is not None and most.latency is None:
                most = replace(most, latency=options.latency)
            patience = PATIENCE["low" if notes else options.effort]  # clamps belong to the formulas as written
            chosen = cheapest_form(
                model, domains, program, analysis, first, target, timing, most, patience, options.limits.any
            )
            program, analysis, steps = chosen.program, chosen.analysis, chosen.steps
            found = fitted(
                program,
                analysis,
                first,
                _relaxed(outputs, options),
                target,
                timing,
                options.limits,
                options.latency,
                EFFORTS[options.effort],
                chosen.bench,
            )
            lowered, outputs, targets = found.lowered, dict(found.rung.outputs), dict(found.rung.targets)
            notes += (found.rung.relaxed,) if found.rung.relaxed else ()
        else:
            lowered = lower(program, analysis, Words(), outputs, frozenset(), target, options.precision)
            targets = {name: float(error.magnitude) for name, error in lowered.errors.items()}
        lowered, pieces = lowered_in_pieces(lowered, target, clock_ns)
        ledger = certificate(model, program, analysis, lowered, outputs, targets, notes)
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
        provenance=_provenance(model, steps) | ({"pieces": pieces} if pieces else {}),
        critical_ns=plan.critical_ns,
        warnings=plan.warnings,
    )
    return with_totals(design)


def _analyzed(
    program: Program, domains: Mapping[str, Domain], options: Options
) -> tuple[Program, Analysis, tuple[str, ...]]:
    """The program, clamped where that was asked for and is needed, its ranges, and a note for every clamp."""
    most = _boxes(options)
    rescue = max(most, RESCUE) if options.boxes is None and options.precision is None else most
    try:
        return program, subdivided(program, domains, most, rescue), ()
    except DomainError:
        if options.domain != "clamp":
            raise
    floor = None if options.floor is None else Fraction(options.floor)
    program, notes = clamp_domains(program, domains, Clamping(options.rows, floor))
    return program, subdivided(program, domains, most), notes


def _boxes(options: Options) -> int:
    """The most boxes that the domain is cut into."""
    if options.precision is not None:
        return 1
    return BOXES[options.effort] if options.boxes is None else options.boxes


def _relaxed(outputs: Mapping[str, Format], options: Options) -> Mapping[str, bool] | None:
    """Per output whether its word may lose bits where its error is relaxed; None where the error was asked for."""
    if options.max_error is not None or options.max_error_ulps is not None:
        return None
    return {name: not (name in options.output or "*" in options.output) for name in outputs}


def _target_error(name: str, word: Format, options: Options) -> float:
    ulp = 2.0**-word.fraction
    if options.max_error is None:
        ulps = 1.0 if options.max_error_ulps is None else options.max_error_ulps
        if not ulps > 0.5:
            raise FormatError(
                f"an error of {ulps:g} ulp is not to be had: rounding the output alone costs half an "
                f"ulp; ask for more than 0.5ulp"
            )
        return ulps * ulp
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


def _provenance(model: SymbolicModel, steps: tuple[Rewrite, ...]) -> dict[str, Any]:
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
        "rewrites": [{"rule": s.rule, "before": str(s.before), "after": s.text} for s in steps],
        "model": json.loads(to_json(model)),  # exact, so that the check can evaluate the formula itself
    }
