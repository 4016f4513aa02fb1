"""`Design` → its measured error: the interpreter against the formula of the design's provenance, in float64.

Over every input there is where all ports together have at most 22 bits, else over the given vectors.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import flint
import numpy as np
import sympy
from numpy.typing import NDArray

from sr2hls.analyze.evaluate import array_function, ball_function
from sr2hls.design import Design, OutputCertificate
from sr2hls.errors import LoadError, MismatchError
from sr2hls.interpret import Codes, interpret
from sr2hls.load.native import from_json
from sr2hls.model import SymbolicModel, symbol
from sr2hls.operators import (
    Clamp,
    Cond,
    Equal,
    FlooredMod,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    LogicalAnd,
    LogicalOr,
    RoundHalfEven,
    Select,
)
from sr2hls.values import to_values

EXHAUSTIVE_BITS = 22
NOISE = 1e-12  # relative error granted to the float64 evaluation of the formula
_BLOCK = 1 << 18
_COMPARISONS = (Greater, GreaterEqual, Less, LessEqual, Equal)
_MOST_SUSPECTS = 1 << 14  # samples a block that are evaluated again with more bits, about a second
_WITHIN = re.compile(r"\bwithin ([0-9][0-9.e+-]*)\b")

Values = dict[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class MeasuredError:
    """The largest |hardware - formula| found for one output. `points` inputs were compared."""

    output: str
    proven: float
    measured: float
    method: str  # "exhaustive" or "sampled"
    points: int
    in_bands: int  # left out: a comparison or rounding lies within the band that the certificate names
    undefined: int  # left out: float64 has no value of the formula there, or none with a digit that is right
    worst: dict[str, float]  # the input values where it was found


def model_of(design: Design) -> SymbolicModel:
    """The formulas that the design was compiled from. Raises LoadError when its provenance does not hold them."""
    if "model" not in design.provenance:
        raise LoadError(f"'{design.name}' does not say which formula it was compiled from; compile the model again")
    return from_json(json.dumps(design.provenance["model"]))


def measured_errors(
    design: Design,
    vectors: Mapping[str, Codes],
    tell: Callable[[float], None] = lambda _: None,
    *,
    exhaustive_bits: int = EXHAUSTIVE_BITS,
) -> tuple[MeasuredError, ...]:
    """Compare the interpreter with the formula, in blocks; `tell` gets the fraction done.

    Args:
        vectors: input codes of shape (n,), used where the inputs are too many to try them all.
        exhaustive_bits: up to so many bits of all ports together every input is tried.

    Raises:
        LoadError: the design does not hold its formula. MismatchError: an error above the proven bound.
    """
    model = model_of(design)
    exhaustive = sum(fmt.width for fmt in design.input_formats.values()) <= exhaustive_bits
    blocks = list(_all_codes(design)) if exhaustive else list(_parts(vectors, design))
    tallies = [_Tally(design, model, entry) for entry in design.certificate.outputs]
    for index, block in enumerate(blocks):
        codes = block()
        size = len(next(iter(codes.values()))) if codes else 1
        values = _domain_values(design, codes, size)
        hardware = interpret(design.circuit, codes)
        for tally in tallies:
            tally.add(values, to_values(design.output_formats[tally.entry.name], hardware[tally.entry.name]), size)
        tell((index + 1) / len(blocks))
    results = tuple(tally.result("exhaustive" if exhaustive else "sampled") for tally in tallies)
    for found in results:
        _require_below(design, found)
    return results


def _require_below(design: Design, found: MeasuredError) -> None:
    if found.measured <= found.proven:
        return
    where = ", ".join(f"{name}={value:.17g}" for name, value in found.worst.items())
    raise MismatchError(
        f"design '{design.name}', output '{found.output}': the error is {found.measured:.6g} at {where}, above the "
        f"proven {found.proven:.6g}; this is a bug of sr2hls, please report it with the model and the command"
    )


class _Tally:
    """Accumulates the largest error of one output over blocks."""

    def __init__(self, design: Design, model: SymbolicModel, entry: OutputCertificate) -> None:
        self.entry = entry
        symbols = [symbol(name) for name in model.inputs]
        self.names = model.inputs
        expression = next(output.expression for output in model.outputs if output.name == entry.name)
        self.formula = array_function(expression, symbols)
        self.balls = ball_function(expression, symbols)
        widths = [float(found[1]) for band in entry.bands for found in _WITHIN.finditer(band)]
        self.band = max(widths, default=0.0)
        self.gaps = [(array_function(gap, symbols), grid) for gap, grid in _jumps(expression)] if self.band else []
        self.measured, self.points, self.in_bands, self.undefined = 0.0, 0, 0, 0
        self.worst: dict[str, float] = {}

    def add(self, values: Values, hardware: NDArray[np.float64], size: int) -> None:
        columns = [values.get(name, np.zeros(size)) for name in self.names]
        exact = np.broadcast_to(np.asarray(self.formula(*columns), dtype=np.float64), (size,))
        defined = np.isfinite(exact)
        near = np.zeros(size, dtype=bool)
        for gap, offset in self.gaps:
            distance = np.broadcast_to(np.asarray(gap(*columns), dtype=np.float64), (size,))
            if offset is not None:  # to the nearest integer (0) or half-integer (1/2)
                distance = distance - offset - np.round(distance - offset)
            near |= np.abs(distance) <= self.band * (1 + NOISE)
        compared = defined & ~near
        self.undefined += int(size - defined.sum())
        self.in_bands += int((defined & near).sum())
        with np.errstate(invalid="ignore"):
            error = np.where(compared, np.abs(hardware - exact) - NOISE * np.abs(exact), 0.0)
        suspects = np.flatnonzero(error > self.entry.bound)
        again = suspects[:: max(1, math.ceil(suspects.size / _MOST_SUSPECTS))]
        error[suspects] = 0.0
        for sample in again:
            error[sample] = self.exact_error([float(column[sample]) for column in columns], float(hardware[sample]))
        self.undefined += suspects.size - again.size
        self.points += int(compared.sum()) - suspects.size + again.size
        at = int(error.argmax())
        if error[at] > self.measured:
            self.measured = float(error[at])
            self.worst = {name: float(column[at]) for name, column in values.items()}

    def exact_error(self, point: list[float], hardware: float) -> float:
        """|hardware - formula| with 256 bits: float64 may be what is wrong, as in sin(exp(x)) for large x."""
        with flint.ctx.workprec(256):
            exact = self.balls(*[flint.arb(value) for value in point])
            return float(abs(flint.arb(hardware) - exact).lower())

    def result(self, method: str) -> MeasuredError:
        return MeasuredError(
            self.entry.name,
            self.entry.bound,
            self.measured,
            method,
            self.points,
            self.in_bands,
            self.undefined,
            self.worst,
        )


def _jumps(expression: sympy.Expr) -> Iterator[tuple[sympy.Expr, float | None]]:
    """(g, offset) for every place where the formula may jump: at g = 0, or where offset is given at g - offset = k."""
    for node in sympy.preorder_traversal(expression):
        args = node.args
        match node:
            case Greater() | GreaterEqual() | Less() | LessEqual() | Equal():
                yield sympy.Add(args[0], sympy.Mul(-1, args[1], evaluate=False), evaluate=False), None
            case LogicalAnd() | LogicalOr():
                yield args[0], None
                yield args[1], None
            case Clamp():  # jumps where its ends have changed places
                for end in args[1:]:
                    yield sympy.Add(args[0], sympy.Mul(-1, end, evaluate=False), evaluate=False), None
            case Cond() | Select() if isinstance(args[0], _COMPARISONS):
                pass  # jumps where the comparison does
            case Cond() | Select() | sympy.sign() | sympy.Heaviside():
                yield args[0], None
            case sympy.floor() | sympy.ceiling():
                yield args[0], 0.0
            case RoundHalfEven():
                yield args[0], 0.5
            case FlooredMod():
                yield sympy.Mul(args[0], sympy.Pow(args[1], -1, evaluate=False), evaluate=False), 0.0


def _domain_values(design: Design, codes: Mapping[str, Codes], size: int) -> Values:
    """Real values of the codes, clamped to the declared ranges as the circuit clamps them.

    An input that the formula names but the circuit has no port for does not matter: any value serves.
    """
    values: Values = {}
    for name, low, high in design.certificate.domain:
        fmt = design.input_formats.get(name)
        if fmt is None:
            values[name] = np.full(size, 0.0 if low <= 0 <= high else low)
        else:
            values[name] = np.clip(to_values(fmt, codes[name]), low, high)
    return values


def _parts(vectors: Mapping[str, Codes], design: Design) -> Iterator[Callable[[], dict[str, Codes]]]:
    size = len(next(iter(vectors.values()))) if vectors else 1
    for start in range(0, size, _BLOCK):
        part = slice(start, start + _BLOCK)
        yield lambda part=part: {name: vectors[name][part] for name in design.input_formats}  # type: ignore[misc]


def _all_codes(design: Design) -> Iterator[Callable[[], dict[str, Codes]]]:
    """Every input there is, in blocks, the last port fastest."""
    formats = design.input_formats
    total = math.prod(1 << fmt.width for fmt in formats.values())

    def block(start: int) -> dict[str, Codes]:
        rest: Any = np.arange(start, min(start + _BLOCK, total), dtype=np.int64)
        codes: dict[str, Codes] = {}
        for name, fmt in reversed(formats.items()):
            codes[name] = (rest & ((1 << fmt.width) - 1)) + fmt.least
            rest = rest >> fmt.width
        return {name: codes[name] for name in formats}

    for start in range(0, total, _BLOCK):
        yield lambda start=start: block(start)  # type: ignore[misc]
