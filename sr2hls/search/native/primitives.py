"""The instructions of a compiled formula: what the row kernels execute, with the codes and their NumPy meaning.

An operator of the search is one of these or a macro over them (`symbols.py`). To add one: a code and its NumPy meaning
here, a branch in `kernels.run` and one in `kernels.backward`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

(
    CONST,
    ADD,
    SUB,
    MUL,
    DIV,
    SIN,
    COS,
    EXP,
    LOG,
    SQRT,
    SQUARE,
    ABS,
    TANH,
    ATAN,
    ASIN,
    FLOOR,
    ROUND,
    GREATER,
    MAX,
    MIN,
    POW,
    ERF,
) = range(22)


def _erf(x: Any) -> Any:
    from scipy.special import erf

    return erf(x)


MEANING: dict[int, Callable[..., Any]] = {
    ADD: np.add,
    SUB: np.subtract,
    MUL: np.multiply,
    DIV: np.divide,
    SIN: np.sin,
    COS: np.cos,
    EXP: np.exp,
    LOG: np.log,
    SQRT: np.sqrt,
    SQUARE: np.square,
    ABS: np.abs,
    TANH: np.tanh,
    ATAN: np.arctan,
    ASIN: np.arcsin,
    FLOOR: np.floor,
    ROUND: np.rint,
    GREATER: lambda a, b: np.greater(a, b) * 1.0,
    MAX: np.maximum,
    MIN: np.minimum,
    POW: np.power,
    ERF: _erf,
}
