"""`FunctionSpec` → the function at every argument code, enclosed between two integers a few 2^-60 of its size apart.

Stretches of codes share a Taylor model of the function at their middle, evaluated in float64 with a bound of its
rounding errors (Higham, Accuracy and Stability of Numerical Algorithms, section 5.1); where there is no model (jumps,
domain edges), every code has an Arb evaluation of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from flint import arb, ctx
from numpy.typing import NDArray

from sr2hls.analyze.interval import Interval
from sr2hls.builder import CircuitBuilder
from sr2hls.errors import DomainError
from sr2hls.functions.spec import FunctionSpec
from sr2hls.interpret import interpret

Codes = NDArray[np.int64]
Reals = NDArray[np.float64]

_PRECISIONS = (80, 160, 640)  # bits
_TERMS = 9  # of a Taylor model, without its remainder
_SHORTEST = 8  # codes that are not worth a Taylor model
_MOST_DROP = 60  # bits that the reference may be finer than a result
_CLOSE = 2.0**-45  # of the function's size: how wide an enclosure by a Taylor model may be
_BITS = 60  # of the largest value as an integer


@dataclass(frozen=True, slots=True)
class Reference:
    """lower[i] <= f(argument(low + i)) · 2^fraction <= upper[i]."""

    low: int
    fraction: int
    lower: Codes
    upper: Codes


def reference_of(spec: FunctionSpec) -> Reference:
    """The function at all codes of the spec's range, kept with the function: it does not depend on the result's word.

    Raises DomainError where the function is not finite.
    """
    key = ("reference", spec.word, spec.low, spec.high, str(spec.domain))
    if key not in spec.function.tables:
        spec.function.tables[key] = _reference(spec)
    found: Reference = spec.function.tables[key]
    return found


def value_at(spec: FunctionSpec, x: arb) -> arb:
    """f(x) as a ball. Raises DomainError where it is not finite."""
    for precision in _PRECISIONS:
        with ctx.workprec(precision):
            value = spec.function.at(x)
            if value.is_finite():
                return value
    raise DomainError(
        f"'{spec.function.origin}' is not finite at its argument {float(x):.6g}. "
        "Declare a range that avoids it (--range), or clamp the argument (--domain clamp)"
    )


def measured_error(spec: FunctionSpec, build: Callable[[CircuitBuilder, int], int]) -> Interval | None:
    """Result - function over every argument, by running the circuit; None where its words are too wide for that."""
    reference = reference_of(spec)
    b = CircuitBuilder()
    circuit = b.build([("y", build(b, b.input("t", spec.word)))])
    codes = np.arange(spec.low, spec.high + 1)
    found = np.asarray(interpret(circuit, {"t": codes} if circuit.inputs else {})["y"], dtype=np.int64)
    drop = reference.fraction - circuit.nodes[circuit.outputs[0][1]].format.fraction
    if not 0 <= drop <= _MOST_DROP or int(np.abs(found).max()).bit_length() + drop > _MOST_DROP + 2:
        return None
    result = np.broadcast_to(found << drop, codes.shape)
    scale = arb(2) ** -reference.fraction
    below, above = (result - reference.upper).min(), (result - reference.lower).max()
    return Interval(arb(int(below)) * scale, arb(int(above)) * scale)


def _reference(spec: FunctionSpec) -> Reference:
    count = spec.high - spec.low + 1
    middles, radii = np.zeros(count), np.full(count, -1.0)  # a negative radius: an Arb ball of its own
    balls: dict[int, arb] = {}
    unit = arb(2) ** -spec.word.fraction
    samples = [value_at(spec, spec.argument(spec.low + i * (count - 1) // 16)) for i in range(17)]
    size = max(float(abs(value).upper()) for value in samples)
    inside_low, inside_high = spec.low, spec.high  # the codes that the domain does not cut
    while inside_low <= spec.high and arb(inside_low) * unit < spec.domain.low:
        inside_low += 1
    while inside_high >= inside_low and arb(inside_high) * unit > spec.domain.high:
        inside_high -= 1
    if inside_low > spec.low:
        balls.update(dict.fromkeys(range(spec.low, inside_low), value_at(spec, spec.domain.low)))
    if inside_high < spec.high:
        balls.update(dict.fromkeys(range(inside_high + 1, spec.high + 1), value_at(spec, spec.domain.high)))
    step = max(_SHORTEST, count // 64)
    waiting = [(c, min(c + step - 1, inside_high)) for c in range(inside_low, inside_high + 1, step)]
    while waiting:
        first, last = waiting.pop()
        model = _model(spec, first, last) if last - first >= _SHORTEST - 1 else None
        if model is not None and model[1] <= _CLOSE * size:
            middles[first - spec.low : last + 1 - spec.low] = model[0]
            radii[first - spec.low : last + 1 - spec.low] = model[1]
        elif last - first >= 2 * _SHORTEST:
            middle = (first + last) // 2
            waiting += [(first, middle), (middle + 1, last)]
        else:
            balls.update((code, value_at(spec, spec.argument(code))) for code in range(first, last + 1))
    size = max([size, *(float(abs(ball).upper()) for ball in balls.values()), float(np.abs(middles).max())])
    fraction = _BITS - (math.frexp(size)[1] if size else 0)
    scaled, apart = np.ldexp(middles, fraction), np.ceil(np.ldexp(np.maximum(radii, 0.0), fraction)) + 1
    lower = (np.floor(scaled) - apart).astype(np.int64)
    upper = (np.ceil(scaled) + apart).astype(np.int64)
    with ctx.workprec(2 * _PRECISIONS[0]):
        scale = arb(2) ** fraction
        for code, ball in balls.items():
            product = ball * scale
            lower[code - spec.low] = _integer(product.lower().floor())
            upper[code - spec.low] = _integer(product.upper().ceil())
    return Reference(spec.low, fraction, lower, upper)


def _integer(value: arb) -> int:
    whole = value.unique_fmpz()
    if whole is None:
        raise ArithmeticError(f"{value} is no integer")
    return int(whole)


def _model(spec: FunctionSpec, first: int, last: int) -> tuple[Reals, float] | None:
    """The function at the codes first…last and a bound of the error; None where there is no Taylor model."""
    with ctx.workprec(_PRECISIONS[0]):
        half_unit = arb(2) ** (-spec.word.fraction - 1)
        middle, half = arb(first + last) * half_unit, arb(last - first) * half_unit
        taylor = spec.function.taylor(middle, _TERMS)
        remainder = spec.function.taylor((middle - half).union(middle + half), _TERMS + 1)[_TERMS]
        if not remainder.is_finite() or not all(a.is_finite() for a in taylor):
            return None
        scaled = [a * half_unit**j for j, a in enumerate(taylor)]  # in t = 2 · code - first - last, exact in float64
        reach = float(last - first)
        coefficients = [float(a.mid()) for a in scaled]
        bound = abs(remainder).upper() * half**_TERMS
        total = 0.0
        for j, a in enumerate(scaled):
            bound += a.rad() * arb(reach) ** j
            total += abs(coefficients[j]) * reach**j
        error = float(bound.upper()) * (1 + 2.0**-40) + total * (2 * _TERMS + 4) * 2.0**-52
    if not math.isfinite(error):
        return None
    t = np.arange(first - last, last - first + 1, 2, dtype=np.float64)
    value = np.full(t.shape, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        value = value * t + coefficient
    return value, error
