"""Units of inputs and target → which trees are consistent: sums of like with like, functions of pure numbers.

A constant may have any unit, as in PySR, so a tree that is consistent inside fits any target once it is scaled.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from sr2hls.errors import LoadError, ToolError
from sr2hls.search.native.apart import Integers, RealRows, Reals, apart, inlined
from sr2hls.search.native.symbols import FIRST, VARIABLE, Symbols, Table
from sr2hls.search.native.tree import NODES
from sr2hls.search.problem import Problem

PURE, SAME, PRODUCT, QUOTIENT, POWER, COMPARED, SECOND = range(7)
WRONG, SCALABLE, RIGHT = range(3)
_SAME = {"+", "-", "neg", "abs", "max", "min", "relu", "mod", "clamp"}
_COMPARED = {"greater", "greater_equal", "less", "less_equal", "equal", "sign", "logical_or", "logical_and"}
_POWERS = {"square": 2.0, "abs2": 2.0, "cube": 3.0, "inv": -1.0, "sqrt": 0.5, "safe_sqrt": 0.5, "cbrt": 1 / 3}
_NEAR = 1e-6


class Units(NamedTuple):
    """inputs: exponents of the base dimensions (k, dimensions), the target's (dimensions,); rule, power: per symbol."""

    inputs: RealRows
    target: Reals
    rule: Integers
    power: Reals
    given: bool


def units_of(problem: Problem, symbols: Symbols) -> Units:
    """The units of a problem; `given` is False where it has none. Raises LoadError for an unknown unit, ToolError."""
    names = symbols.names[FIRST:]
    rule = [PURE, PURE, *(_rule(name) for name in names)]
    power = [0.0, 0.0, *(_POWERS.get(name, 0.0) for name in names)]
    shared = np.array(rule, np.int64), np.array(power)
    if problem.input_units is None:
        return Units(np.zeros((len(problem.names), 0)), np.zeros(0), *shared, False)
    try:
        import pint
    except ImportError:
        raise ToolError("units need pint, which is missing; install it with pip install 'sr2hls[search]'") from None
    registry: Any = pint.UnitRegistry()
    texts = dict(zip(problem.names, problem.input_units, strict=True)) | {problem.output: problem.output_unit or "1"}
    found = {}
    for name, text in texts.items():
        try:
            found[name] = dict(registry.parse_units("" if text == "1" else text).dimensionality)
        except (pint.PintError, ValueError, TypeError, AttributeError, KeyError) as error:
            raise LoadError(f"the unit of '{name}', '{text}', is not known ({error})") from None
    bases = sorted({base for exponents in found.values() for base in exponents})
    table = {name: [float(exponents.get(base, 0)) for base in bases] for name, exponents in found.items()}
    inputs = np.array([table[name] for name in problem.names]).reshape(len(problem.names), len(bases))
    return Units(inputs, np.array(table[problem.output], dtype=np.float64), *shared, True)


def _rule(name: str) -> int:
    if name in _POWERS:
        return POWER
    if name in _SAME:
        return SAME
    if name in _COMPARED:
        return COMPARED
    return {"*": PRODUCT, "/": QUOTIENT, "cond": SECOND}.get(name, PURE)


@inlined()
def _alike(a: Reals, b: Reals) -> bool:
    for q in range(a.shape[0]):
        if abs(a[q] - b[q]) > _NEAR:
            return False
    return True


@apart()
def consistent(t: Table, u: Units, sym: Integers, arg: Integers, n: int) -> int:
    """WRONG inside, SCALABLE (right but for a constant factor), or RIGHT."""
    width = u.target.shape[0]
    have = np.empty((NODES, width))
    free = np.empty(NODES, np.bool_)  # a constant, or what a constant factor makes fit
    pure = np.empty(width)
    for q in range(width):
        pure[q] = 0.0
    depth = 0
    for j in range(n):
        s = sym[j]
        count = t.arity[s]
        base = depth - count
        last = max(base + count - 1, 0)
        rule = u.rule[s]
        source, factor, power = pure, 0.0, 1.0  # have[base] = source·power + have[last]·factor
        loose = False
        if count == 0:
            loose = s != VARIABLE
            if s == VARIABLE:
                source = u.inputs[arg[j]]
        elif rule == PRODUCT or rule == QUOTIENT:
            source, factor = have[base], 1.0 if rule == PRODUCT else -1.0
            loose = free[base] or free[last]
        elif rule == POWER:
            source, power, loose = have[base], u.power[s], free[base]
        elif rule == PURE:
            for q in range(count):
                if not free[base + q] and not _alike(have[base + q], pure):
                    return WRONG
        elif rule == SECOND:
            source, loose = have[last], free[last]
        else:
            known = -1
            for q in range(count):
                if free[base + q]:
                    continue
                if known >= 0 and not _alike(have[base + q], have[base + known]):
                    return WRONG
                known = q if known < 0 else known
            if rule != COMPARED:
                source, loose = have[base + max(known, 0)], known < 0
        for q in range(width):
            have[base, q] = source[q] * power + (have[last, q] * factor if factor != 0.0 else 0.0)
        free[base] = loose
        depth = base + 1
    return RIGHT if free[0] or _alike(have[0], u.target) else SCALABLE
