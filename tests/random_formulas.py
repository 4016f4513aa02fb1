"""Random formulas as (text as PySR prints it, text as a person writes it, an independent numpy function)."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Function = Callable[[dict[str, np.ndarray]], np.ndarray]


@dataclass(frozen=True)
class Formula:
    """One random formula; `row` and `plain` are two spellings of it, `value` its meaning in Julia's semantics."""

    row: str
    plain: str
    value: Function
    atom: bool = False


def _lift(function: Callable[..., float]) -> Callable[..., np.ndarray]:
    def safe(*arguments: float) -> float:
        try:
            return function(*arguments)
        except (ValueError, OverflowError, ZeroDivisionError):
            return math.nan

    return np.vectorize(safe, otypes=[float])


def _trunc(x: np.ndarray) -> np.ndarray:
    return np.trunc(x)


# Julia's meaning, written from its documentation and from PySR's operator table.
UNARY: dict[str, Callable[..., np.ndarray]] = {
    "neg": lambda x: -x,
    "square": lambda x: x * x,
    "cube": lambda x: x * x * x,
    "inv": lambda x: 1 / x,
    "abs": np.abs,
    "sign": np.sign,
    "sqrt": np.sqrt,
    "sqrt_abs": lambda x: np.sqrt(np.abs(x)),
    "cbrt": np.cbrt,
    "exp": np.exp,
    "expm1": np.expm1,
    "exp2": np.exp2,
    "log": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "log1p": np.log1p,
    "log_abs": lambda x: np.log(np.abs(x)),
    "log2_abs": lambda x: np.log2(np.abs(x)),
    "log10_abs": lambda x: np.log10(np.abs(x)),
    "log1p_abs": lambda x: np.log1p(np.abs(x)),
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "sec": lambda x: 1 / np.cos(x),
    "csc": lambda x: 1 / np.sin(x),
    "cot": lambda x: 1 / np.tan(x),
    "sinpi": lambda x: np.sin(np.pi * x),
    "cospi": lambda x: np.cos(np.pi * x),
    "sinc": np.sinc,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "sech": lambda x: 1 / np.cosh(x),
    "csch": lambda x: 1 / np.sinh(x),
    "coth": lambda x: 1 / np.tanh(x),
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "acosh_abs": lambda x: np.arccosh(np.abs(x) + 1),
    "atanh": np.arctanh,
    "atanh_clip": lambda x: np.arctanh(np.mod(x + 1, 2) - 1),
    "erf": _lift(math.erf),
    "erfc": _lift(math.erfc),
    "gamma": _lift(math.gamma),
    "relu": lambda x: (x > 0) * x,
    "round": np.rint,
    "floor": np.floor,
    "ceil": np.ceil,
    "trunc": _trunc,
}
INFIX: dict[str, Callable[..., np.ndarray]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "^": np.power,
}
BINARY: dict[str, Callable[..., np.ndarray]] = {
    "max": np.maximum,
    "min": np.minimum,
    "mod": np.mod,
    "rem": np.fmod,
    "greater": lambda x, y: 1.0 * (x > y),
    "greater_equal": lambda x, y: 1.0 * (x >= y),
    "less": lambda x, y: 1.0 * (x < y),
    "less_equal": lambda x, y: 1.0 * (x <= y),
    "cond": lambda x, y: (x > 0) * y,
    "logical_or": lambda x, y: 1.0 * ((x > 0) | (y > 0)),
    "logical_and": lambda x, y: 1.0 * ((x > 0) & (y > 0)),
    "atan": np.arctan2,
    "hypot": np.hypot,
}
TERNARY: dict[str, Callable[..., np.ndarray]] = {
    "fma": lambda x, y, z: x * y + z,
    "muladd": lambda x, y, z: x * y + z,
    "clamp": lambda x, lo, hi: np.where(x > hi, hi, np.where(x < lo, lo, x)),
    "ifelse": lambda c, a, b: np.where(c > 0, a, b),
    "max": lambda x, y, z: np.maximum(np.maximum(x, y), z),
    "min": lambda x, y, z: np.minimum(np.minimum(x, y), z),
}
NAMES = ("x0", "x1", "x2")


def _leaf(rng: random.Random) -> Formula:
    if rng.random() < 0.7:
        name = rng.choice(NAMES)
        return Formula(name, name, lambda v: v[name], atom=True)
    number = rng.randrange(-64, 65) / 16
    text = repr(number)
    # a person's -1.5 needs brackets where it is a base or follows a sign; PySR never brackets a constant
    return Formula(text, text if number >= 0 else f"({text})", lambda v: np.full_like(v["x0"], number), atom=True)


def _wrapped(part: Formula, text: str) -> str:
    return text if part.atom else f"({text})"


def formula(rng: random.Random, depth: int) -> Formula:
    """A random formula over x0, x1, x2 of at most this depth."""
    if depth == 0:
        return _leaf(rng)
    kind = rng.choice("uuiiibt")
    if kind == "u":
        name, function = rng.choice(sorted(UNARY.items()))
        a = formula(rng, depth - 1)
        return Formula(f"{name}({a.row})", f"{name}( {a.plain} )", lambda v: function(a.value(v)), atom=True)
    if kind == "i":
        name, function = rng.choice(sorted(INFIX.items()))
        a, b = formula(rng, depth - 1), formula(rng, rng.randrange(depth))
        plain = "**" if name == "^" and rng.random() < 0.5 else name
        return Formula(
            f"{_wrapped(a, a.row)} {name} {_wrapped(b, b.row)}",
            f"{_wrapped(a, a.plain)}{plain}{_wrapped(b, b.plain)}",
            lambda v: function(a.value(v), b.value(v)),
        )
    table = BINARY if kind == "b" else TERNARY
    name, function = rng.choice(sorted(table.items()))
    parts = [formula(rng, rng.randrange(depth)) for _ in range(2 if kind == "b" else 3)]
    return Formula(
        f"{name}({', '.join(p.row for p in parts)})",
        f"{name}({','.join(p.plain for p in parts)})",
        lambda v: function(*(p.value(v) for p in parts)),
        atom=True,
    )
