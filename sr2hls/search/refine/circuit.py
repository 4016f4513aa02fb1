"""A formula, rows and settings → its circuit's latency, area and bit-accurate loss, or why there is none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import sympy
from numpy.typing import NDArray

from sr2hls.errors import DomainError, FormatError, Sr2hlsError
from sr2hls.formats import Format
from sr2hls.model import Output, Provenance, SymbolicModel
from sr2hls.operators.numeric import evaluate
from sr2hls.search.problem import Problem
from sr2hls.search.refine.metrics import loss, score
from sr2hls.search.settings import Settings

if TYPE_CHECKING:
    from sr2hls.api import Design

Floats = NDArray[np.float64]
MOST_BITS = 24  # of the output word
_SHARE = 4.0  # the formula's own error is at least this many times the circuit's
_LOGIT_STEPS = 64.0  # units of the output per standard deviation of a logit
_FINEST = 40  # fraction bits
_LEAST_LEVELS = 4.0  # of the output, between 0 and its largest value


@dataclass(frozen=True, slots=True)
class Circuit:
    """What the compiler makes of a formula, as in `Found`; None where `refused` says why it makes nothing."""

    loss: float | None = None
    score: float | None = None
    cycles: int | None = None
    luts: float | None = None
    dsps: float | None = None
    max_error: float | None = None
    output_format: str | None = None
    target_error: float | None = None
    domain: str = "strict"
    refused: str = ""


def values_of(expression: sympy.Expr, problem: Problem) -> Floats:
    """The float64 values of a formula on a problem's rows, shape (n,)."""
    found = evaluate(expression, problem.columns())
    return np.broadcast_to(found, (problem.rows,)).astype(np.float64)


def quantized(problem: Problem, words: Mapping[str, tuple[Format, tuple[float, float]]]) -> Problem:
    """The problem with its inputs as the ports see them: rounded to their formats, ties up, and clamped."""
    columns = []
    for i, name in enumerate(problem.names):
        fmt, (low, high) = words[name]
        ulp = float(fmt.ulp)
        columns.append(np.clip(np.floor(problem.X[:, i] / ulp + 0.5) * ulp, low, high))
    return replace(problem, X=np.stack(columns, axis=1) if columns else problem.X)


def words_of(problem: Problem, width: int) -> dict[str, tuple[Format, tuple[float, float]]]:
    """The format and the range of each input, from the rows, as `sr2hls compile --data` takes them."""
    from sr2hls.quantize.from_data import words_from_data

    return words_from_data(problem.port_columns(), width)


def error_target(expression: sympy.Expr, train: Problem, settings: Settings, coarser: float = 1.0) -> float:
    """The largest error of the circuit, a power of two: small against what the formula and the input words lose anyway.

    A quarter of the root mean square error (of the residuals, or of what the rounding of the inputs does to the
    formula, whichever is larger); for a logit, 1/64 of its standard deviation. That times `coarser`, but no finer than
    the output word allows, and never so coarse that the output is zero everywhere.
    """
    predicted = values_of(expression, train)
    coarse = values_of(expression, quantized(train, words_of(train, settings.width)))
    good = np.isfinite(predicted) & np.isfinite(coarse)
    if not good.any():
        return 2.0**-10
    predicted, coarse, target = predicted[good], coarse[good], train.y[good]
    largest = float(np.abs(predicted).max())
    if train.loss == "logistic":
        wanted = float(predicted.std()) / _LOGIT_STEPS
    else:
        moved = float(np.sqrt(np.mean((coarse - predicted) ** 2)))
        wanted = max(float(np.sqrt(np.mean((predicted - target) ** 2))), moved) / _SHARE
    finest = max(largest * 2.0 ** (3 - MOST_BITS), 2.0**-_FINEST)  # a sign, and a factor of two for the proven range
    wanted = max(min(wanted * coarser, largest / _LEAST_LEVELS), finest)
    return float(2.0 ** math.floor(math.log2(wanted)))


@dataclass(frozen=True, slots=True)
class Compiled:
    """A design with the error and the domain rule that it was compiled with; or None and the reason."""

    design: Design | None
    target_error: float
    domain: str = "strict"
    refused: str = ""

    def values(self, problem: Problem) -> Floats:
        """What the circuit gives on a problem's rows, shape (n,). There has to be one."""
        if self.design is None:
            raise FormatError(self.refused)
        columns = problem.columns()
        outputs = self.design.predict({name: columns[name] for name in self.design.input_formats})
        return np.broadcast_to(outputs, (problem.rows,))  # a formula without inputs gives one value

    def circuit(self, held_out: Problem) -> Circuit:
        """The figures of the circuit, its loss and score on the held-out rows."""
        from sr2hls.synth.run import predicted

        if self.design is None:
            return Circuit(refused=self.refused)
        values, area = self.values(held_out), predicted(self.design)
        return Circuit(
            loss=loss(held_out, values),
            score=score(held_out, values),
            cycles=self.design.latency,
            luts=float(area["lut"]),
            dsps=float(area["dsp"]),
            max_error=float(self.design.certificate.outputs[0].bound),
            output_format=str(next(iter(self.design.output_formats.values()))),
            target_error=self.target_error,
            domain=self.domain,
        )


def circuit_of(
    expression: sympy.Expr, train: Problem, held_out: Problem, settings: Settings, coarser: float = 1.0
) -> Circuit:
    """Compile a formula for the words of the training rows and run the circuit on the held-out rows.

    A formula that the compiler refuses comes back with the reason.
    """
    wanted = error_target(expression, train, settings, coarser)
    return compiled_within(wanted, expression, train, settings).circuit(held_out)


def compiled_within(wanted: float, expression: sympy.Expr, train: Problem, settings: Settings) -> Compiled:
    """Compile a formula with at most this error, for the words of the training rows.

    A pole or domain edge inside the ranges is clamped.
    """
    from sr2hls.api import compile as compile_formula

    names = [n for n in train.names if any(s.name == n for s in expression.free_symbols)]
    model = SymbolicModel(tuple(names), (Output(train.output, expression, Provenance("search", str(expression))),))
    words = words_of(train, settings.width)
    refused = ""
    for domain in ("strict", "clamp"):
        try:
            design = compile_formula(
                model,
                inputs={name: words[name][0] for name in names},
                ranges={name: words[name][1] for name in names},
                max_error=wanted,
                target=settings.target,
                clock=settings.clock_ns,
                effort="low",  # many are compared; the one that is taken is compiled with more
                domain=domain,
                name="found",
            )
        except DomainError as error:
            refused = refused or _reason(error)
        except Sr2hlsError as error:
            return Compiled(None, wanted, refused=_reason(error))
        else:
            return Compiled(design, wanted, domain)
    return Compiled(None, wanted, refused=refused)


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())
