"""A function's name → its value in numpy, and what a change of its result means for its arguments.

Each rule takes the arguments, the value and the adjoint (the sensitivity of the output to this value) and gives the
adjoints of the arguments; None stands for zero. Jumps and steps have the derivative zero.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Array = Any  # a float64 array of shape (rows,), or a scalar
Value = Callable[..., Array]
Slope = Callable[[Array, Array], Array]  # argument, value → derivative
Rule = Callable[[Sequence[Array], Array, Array], tuple[Array | None, ...]]


def _erf(x: Array) -> Array:
    from scipy.special import erf

    return erf(x)


def _erfc(x: Array) -> Array:
    from scipy.special import erfc

    return erfc(x)


def _erfinv(x: Array) -> Array:
    from scipy.special import erfinv

    return erfinv(x)


def _gamma(x: Array) -> Array:
    from scipy.special import gamma

    return gamma(x)


def _loggamma(x: Array) -> Array:
    from scipy.special import gammaln

    return np.where(np.asarray(x) > 0, gammaln(x), np.nan)


def _digamma(x: Array) -> Array:
    from scipy.special import digamma

    return digamma(x)


def _sinc_slope(x: Array, v: Array) -> Array:
    safe = np.where(x == 0, 1.0, x)
    return np.where(x == 0, 0.0, (np.cos(safe) - v) / safe)


def _flat(x: Array, v: Array) -> Array:
    return np.zeros_like(x)


_ROOT_PI = float(np.sqrt(np.pi))

# Functions of one argument: value and derivative.
UNARY: dict[str, tuple[Value, Slope]] = {
    "exp": (np.exp, lambda x, v: v),
    "log": (np.log, lambda x, v: 1 / x),
    "sin": (np.sin, lambda x, v: np.cos(x)),
    "cos": (np.cos, lambda x, v: -np.sin(x)),
    "tan": (np.tan, lambda x, v: 1 + v * v),
    "sec": (lambda x: 1 / np.cos(x), lambda x, v: v * np.tan(x)),
    "csc": (lambda x: 1 / np.sin(x), lambda x, v: -v / np.tan(x)),
    "cot": (lambda x: 1 / np.tan(x), lambda x, v: -(1 + v * v)),
    "asin": (np.arcsin, lambda x, v: 1 / np.sqrt(1 - x * x)),
    "acos": (np.arccos, lambda x, v: -1 / np.sqrt(1 - x * x)),
    "atan": (np.arctan, lambda x, v: 1 / (1 + x * x)),
    "sinh": (np.sinh, lambda x, v: np.cosh(x)),
    "cosh": (np.cosh, lambda x, v: np.sinh(x)),
    "tanh": (np.tanh, lambda x, v: 1 - v * v),
    "sech": (lambda x: 1 / np.cosh(x), lambda x, v: -v * np.tanh(x)),
    "csch": (lambda x: 1 / np.sinh(x), lambda x, v: -v / np.tanh(x)),
    "coth": (lambda x: 1 / np.tanh(x), lambda x, v: 1 - v * v),
    "asinh": (np.arcsinh, lambda x, v: 1 / np.sqrt(x * x + 1)),
    "acosh": (np.arccosh, lambda x, v: 1 / np.sqrt(x * x - 1)),
    "atanh": (np.arctanh, lambda x, v: 1 / (1 - x * x)),
    "sinc": (lambda x: np.sinc(x / np.pi), _sinc_slope),
    "Abs": (np.abs, lambda x, v: np.sign(x)),
    "sign": (np.sign, _flat),
    "floor": (np.floor, _flat),
    "ceiling": (np.ceil, _flat),
    "RoundHalfEven": (np.rint, _flat),
    "RealCbrt": (np.cbrt, lambda x, v: 1 / (3 * v * v)),
    "erf": (_erf, lambda x, v: 2 / _ROOT_PI * np.exp(-x * x)),
    "erfc": (_erfc, lambda x, v: -2 / _ROOT_PI * np.exp(-x * x)),
    "erfinv": (_erfinv, lambda x, v: _ROOT_PI / 2 * np.exp(v * v)),
    "gamma": (_gamma, lambda x, v: v * _digamma(x)),
    "loggamma": (_loggamma, lambda x, v: _digamma(x)),
}


def _sum(*args: Array) -> Array:
    result = args[0] + args[1]
    for arg in args[2:]:
        result = result + arg
    return result


def _product(*args: Array) -> Array:
    result = args[0] * args[1]
    for arg in args[2:]:
        result = result * arg
    return result


def _sum_rule(args: Sequence[Array], value: Array, adjoint: Array) -> tuple[Array | None, ...]:
    return (adjoint,) * len(args)


def _product_rule(args: Sequence[Array], value: Array, adjoint: Array) -> tuple[Array | None, ...]:
    if len(args) == 2:
        return adjoint * args[1], adjoint * args[0]
    before = [adjoint]
    for arg in args[:-1]:
        before.append(before[-1] * arg)
    after = args[-1]
    found = [before[-1]]
    for at in range(len(args) - 2, -1, -1):
        found.append(before[at] * after)
        after = after * args[at]
    return tuple(reversed(found))


def _power_rule(args: Sequence[Array], value: Array, adjoint: Array) -> tuple[Array | None, ...]:
    base, exponent = args
    return adjoint * exponent * np.power(base, exponent - 1.0), adjoint * value * np.log(base)


def _extreme_rule(args: Sequence[Array], value: Array, adjoint: Array) -> tuple[Array | None, ...]:
    return tuple(adjoint * (arg == value) for arg in args)


def _atan2_rule(args: Sequence[Array], value: Array, adjoint: Array) -> tuple[Array | None, ...]:
    y, x = args
    scale = adjoint / (x * x + y * y)
    return scale * x, -scale * y


def _select_rule(args: Sequence[Array], value: Array, adjoint: Array) -> tuple[Array | None, ...]:
    chosen = args[0] > 0
    return None, adjoint * chosen, adjoint * np.logical_not(chosen)


def _clamp_rule(args: Sequence[Array], value: Array, adjoint: Array) -> tuple[Array | None, ...]:
    x, low, high = args
    above = x > high
    below = np.logical_and(x < low, np.logical_not(above))
    return adjoint * np.logical_not(above | below), adjoint * below, adjoint * above


def _no_slope(args: Sequence[Array], value: Array, adjoint: Array) -> tuple[Array | None, ...]:
    return (None,) * len(args)


# Functions of several arguments: value and rule.
SEVERAL: dict[str, tuple[Value, Rule]] = {
    "+": (_sum, _sum_rule),
    "*": (_product, _product_rule),
    "^": (np.power, _power_rule),
    "Max": (lambda *a: np.maximum.reduce(np.broadcast_arrays(*a)), _extreme_rule),
    "Min": (lambda *a: np.minimum.reduce(np.broadcast_arrays(*a)), _extreme_rule),
    "atan2": (np.arctan2, _atan2_rule),
    "FlooredMod": (
        lambda x, y: x - y * np.floor(x / y),
        lambda a, v, g: (g, -g * np.floor(a[0] / a[1])),
    ),
    "Greater": (lambda x, y: 1.0 * (x > y), _no_slope),
    "GreaterEqual": (lambda x, y: 1.0 * (x >= y), _no_slope),
    "Less": (lambda x, y: 1.0 * (x < y), _no_slope),
    "LessEqual": (lambda x, y: 1.0 * (x <= y), _no_slope),
    "Equal": (lambda x, y: 1.0 * (x == y), _no_slope),
    "LogicalOr": (lambda x, y: 1.0 * ((x > 0) | (y > 0)), _no_slope),
    "LogicalAnd": (lambda x, y: 1.0 * ((x > 0) & (y > 0)), _no_slope),
    "Cond": (lambda x, y: np.where(x > 0, y, 0.0), lambda a, v, g: (None, g * (a[0] > 0))),
    "Select": (lambda c, a, b: np.where(c > 0, a, b), _select_rule),
    "Clamp": (lambda x, lo, hi: np.where(x > hi, hi, np.where(x < lo, lo, x)), _clamp_rule),
}

# Constant powers with something quicker than `numpy.power`.
POWERS: dict[float, tuple[Value, Slope]] = {
    2.0: (np.square, lambda x, v: 2 * x),
    3.0: (lambda x: x * x * x, lambda x, v: 3 * x * x),
    4.0: (lambda x: np.square(x * x), lambda x, v: 4 * x * x * x),
    -1.0: (np.reciprocal, lambda x, v: -v * v),
    -2.0: (lambda x: 1 / (x * x), lambda x, v: -2 * v / x),
    -3.0: (lambda x: 1 / (x * x * x), lambda x, v: -3 * v / x),
    0.5: (np.sqrt, lambda x, v: 0.5 / v),
    -0.5: (lambda x: 1 / np.sqrt(x), lambda x, v: -0.5 * v / x),
    1.5: (lambda x: x * np.sqrt(x), lambda x, v: 1.5 * np.sqrt(x)),
    -1.5: (lambda x: 1 / (x * np.sqrt(x)), lambda x, v: -1.5 * v / x),
}


def constant_power(exponent: float) -> tuple[Value, Slope]:
    """x^exponent and its derivative."""
    known = POWERS.get(exponent)
    if known is not None:
        return known
    return (lambda x: np.power(x, exponent)), (lambda x, v: exponent * np.power(x, exponent - 1.0))
