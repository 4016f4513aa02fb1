"""Formats and ranges that the user gave → the domain of every input; a real range → the word of an output."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

from sr2hls.analyze.interval import Interval
from sr2hls.analyze.ranges import Domain
from sr2hls.errors import FormatError
from sr2hls.formats import Format
from sr2hls.model import SymbolicModel

AUTO_WIDTH = 16  # bits of an output whose word is left to the compiler


def domains_of(
    model: SymbolicModel, formats: Mapping[str, Format], ranges: Mapping[str, tuple[float, float]]
) -> dict[str, Domain]:
    """The domain of every input that a formula uses.

    A format under "*" serves the inputs that have none of their own, and so does a range. Raises FormatError for
    missing formats, unknown names and empty or outlying ranges, each with the option to add.
    """
    used = set().union(*(output.expression.free_symbols for output in model.outputs))
    names = [name for name in model.inputs if any(s.name == name for s in used)]
    for name in [*formats, *ranges]:
        if name != "*" and name not in model.inputs:
            raise FormatError(f"the model has no input '{name}'; its inputs are {', '.join(model.inputs) or '(none)'}")
    missing = [name for name in names if name not in formats and "*" not in formats]
    if missing:
        line = " ".join(f"--inputs '{name}=fixed<12,4>'" for name in missing)
        raise FormatError(
            f"no number format for {', '.join(missing)}: the circuit needs to know the bits and the range of its "
            f"inputs. Add for example: {line}, or give a data file: --data FILE.csv"
        )
    return {
        name: _domain(name, formats.get(name, formats.get("*")), ranges.get(name, ranges.get("*")))  # type: ignore[arg-type]
        for name in names
    }


def _domain(name: str, fmt: Format, limits: tuple[float, float] | None) -> Domain:
    if limits is None:
        return Domain(name, fmt, fmt.least, fmt.greatest)
    low, high = limits
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise FormatError(f"the range of '{name}', {low:g}:{high:g}, is empty or not finite")
    scale = Fraction(2) ** fmt.fraction
    first = max(fmt.least, math.ceil(Fraction(low) * scale))
    last = min(fmt.greatest, math.floor(Fraction(high) * scale))
    if first > last:
        raise FormatError(
            f"no value of {fmt} lies in the range {low:g}:{high:g} of '{name}'; the format covers "
            f"{float(fmt.value(fmt.least)):g} to {float(fmt.value(fmt.greatest)):g} in steps of {float(fmt.ulp):g}"
        )
    return Domain(name, fmt, first, last)


def output_format(name: str, found: Interval, asked: Mapping[str, Format], max_error: float | None) -> Format:
    """The word of an output: as asked, or the one that holds its proven range.

    Left to the compiler it has 16 bits, or as many fraction bits as `max_error` needs.
    """
    if name in asked or "*" in asked:
        return asked[name] if name in asked else asked["*"]
    low, high = found.floats()
    size = max(abs(low), abs(high), 2.0**-30)
    signed = low < 0
    integer = max(-14, math.floor(math.log2(size)) + 1) + signed
    fraction = AUTO_WIDTH - integer if max_error is None else math.ceil(-math.log2(max_error))
    margin = 2.0**-fraction * 2
    while not Format(signed, integer + fraction, fraction).holds(
        math.floor((low - (margin if signed else 0)) * 2.0**fraction), math.ceil((high + margin) * 2.0**fraction)
    ):
        integer += 1
        if max_error is None:
            fraction -= 1
            margin *= 2
    return Format(signed, integer + fraction, fraction)
