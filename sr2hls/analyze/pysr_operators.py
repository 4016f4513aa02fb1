"""The operators that sympy has no word for → their meaning on balls, series and arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from flint import arb, arb_series

from sr2hls import operators as ops
from sr2hls.analyze.meaning import Meaning, as_series, register, register_step, with_value

_BOTH = arb(0.5, 0.5)  # the ball [0, 1]


def _greater(x: arb, y: arb) -> arb:
    if x > y:
        return arb(1)
    return arb(0) if x <= y else _BOTH


def _greater_equal(x: arb, y: arb) -> arb:
    if x >= y:
        return arb(1)
    return arb(0) if x < y else _BOTH


def _equal(x: arb, y: arb) -> arb:
    if x > y or x < y:
        return arb(0)
    return arb(1) if x == y else _BOTH


def _round_half_even(x: arb) -> arb:
    low, high = (_round_exact(end) for end in (x.lower(), x.upper()))
    return low if low == high else low.union(high)


def _round_exact(x: arb) -> arb:
    below = (x + arb(0.5)).floor()
    if (x + arb(0.5)) == below and int(below.fmpq().p) % 2:
        return below - 1
    return below


def _float(condition: Any) -> Any:
    return np.asarray(condition, dtype=float)


register_step(ops.Greater, _greater, lambda x, y: _float(np.greater(x, y)))
register_step(ops.GreaterEqual, _greater_equal, lambda x, y: _float(np.greater_equal(x, y)))
register_step(ops.Less, lambda x, y: _greater(y, x), lambda x, y: _float(np.less(x, y)))
register_step(ops.LessEqual, lambda x, y: _greater_equal(y, x), lambda x, y: _float(np.less_equal(x, y)))
register_step(ops.Equal, _equal, lambda x, y: _float(np.equal(x, y)))
register_step(ops.RoundHalfEven, _round_half_even, np.rint)
register_step(
    ops.LogicalOr,
    lambda x, y: arb(1) if x > 0 or y > 0 else (arb(0) if x <= 0 and y <= 0 else _BOTH),
    lambda x, y: _float((np.asarray(x) > 0) | (np.asarray(y) > 0)),
)
register_step(
    ops.LogicalAnd,
    lambda x, y: arb(1) if x > 0 and y > 0 else (arb(0) if x <= 0 or y <= 0 else _BOTH),
    lambda x, y: _float((np.asarray(x) > 0) & (np.asarray(y) > 0)),
)


def _select(condition: Any, a: Any, b: Any) -> Any:
    parts = [p for p in (condition, a, b) if isinstance(p, arb_series)]
    chosen = condition[0] if isinstance(condition, arb_series) else condition
    if parts:
        a, b = as_series(a, parts[0]), as_series(b, parts[0])
    if not chosen.is_finite():
        return chosen
    if chosen > 0:
        return a
    if chosen <= 0:
        return b
    if parts:
        return arb_series([a[0].union(b[0]), *([arb("nan")] * (parts[0].prec - 1))], prec=parts[0].prec)
    return a.union(b)


def _cond(x: Any, y: Any) -> Any:
    return _select(x, y, arb(0))


register(
    ops.Select,
    Meaning(_select, _select, lambda c, a, b: np.where(np.asarray(c) > 0, a, b), smooth=False, jumps=True),
)
register(ops.Cond, Meaning(_cond, _cond, lambda x, y: np.where(np.asarray(x) > 0, y, 0.0), smooth=False, jumps=True))


def _mod(x: Any, y: Any) -> Any:
    part = [p for p in (x, y) if isinstance(p, arb_series)]
    if not part:
        turns = (x / y).floor()
        if not turns.is_finite():
            return arb("nan")
        return x - turns * y if turns.is_exact() else arb(0).union(y)
    x, y = as_series(x, part[0]), as_series(y, part[0])
    turns = (x[0] / y[0]).floor()
    if turns.is_finite() and turns.is_exact():
        return x - y * turns
    return arb_series([arb(0).union(y[0]), *([arb("nan")] * (part[0].prec - 1))], prec=part[0].prec)


register(ops.FlooredMod, Meaning(_mod, _mod, np.mod, smooth=False, jumps=True))


def _cbrt(x: arb) -> arb:
    if x.is_zero():
        return arb(0)
    if x < 0:
        return -_cbrt(-x)
    if x > 0:
        return x.root(3)
    top = x.abs_upper().root(3)
    return (-top).union(top)


def _cbrt_series(s: arb_series) -> arb_series:
    if s[0] > 0:
        return (s.log() / 3).exp()
    if s[0] < 0:
        return -((-s).log() / 3).exp()
    return with_value(s, _cbrt(s[0]), arb("nan"))


register(ops.RealCbrt, Meaning(_cbrt, _cbrt_series, np.cbrt))


def _clamp(x: Any, low: Any, high: Any) -> Any:
    return _select(_greater_of(x, high), high, _select(_greater_of(low, x), low, x))


def _greater_of(x: Any, y: Any) -> arb:
    return _greater(*(p[0] if isinstance(p, arb_series) else p for p in (x, y)))


register(
    ops.Clamp,
    Meaning(_clamp, _clamp, lambda x, lo, hi: np.where(x > hi, hi, np.where(x < lo, lo, x)), smooth=False, jumps=True),
)
