"""A tree and rows → the loss of each way to attach it to the target: as it is, scaled, shifted, both.

The losses are means over the weighted rows, divided by the loss of the best constant, so that 1 is no fit at all.
Scale and shift of the squared error are those of linear regression; for the other losses they are found by Newton's
method on the loss itself.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sr2hls.search.native.apart import Integers, RealRows, Reals, Single, SingleRows, Singles, apart, inlined
from sr2hls.search.native.kernels import BLOCK, FAST, fast_exp, fast_log, run
from sr2hls.search.native.symbols import Table
from sr2hls.search.native.tree import SLOTS, slots

F = np.float32
MSE, MAE, HUBER, LOGISTIC = range(4)
PLAIN, SCALED, SHIFTED, BOTH = range(4)
FAILED = 1e9
_NEWTON_STEPS = 4
_NEAR = 1e-3  # of the target's deviation: the absolute error is rounded off there, so that Newton's method works


class Rows(NamedTuple):
    """What is fitted: X (k, n) and y (n,) in float32, y in units of its deviation; w: weights of mean 1."""

    X: SingleRows
    y: Singles
    w: Singles
    mean: float  # weighted, of y
    base: float  # sum of the loss of the best constant
    loss: int
    delta: float  # of the Huber loss, in units of y
    step: float  # of the fake quantization in the loop; 0: none
    top: float


class Room(NamedTuple):
    """Scratch memory of one island."""

    op: Integers
    a: Integers
    b: Integers
    v: Singles
    mine: Integers
    buf: SingleRows  # (SLOTS, BLOCK)
    adj: SingleRows  # (k + SLOTS, BLOCK)
    r: Singles  # (n,) values of the tree
    jac: SingleRows  # (constants + 2, BLOCK)
    fits: RealRows  # (4, 3): loss, scale, shift of each way to attach


def room(k: int, rows: int, constants: int) -> Room:
    """Fresh scratch memory for k inputs."""
    return Room(
        np.zeros(SLOTS, np.int64),
        np.zeros(SLOTS, np.int64),
        np.zeros(SLOTS, np.int64),
        np.zeros(SLOTS, np.float32),
        np.zeros(SLOTS, np.int64),
        np.zeros((SLOTS, BLOCK), np.float32),
        np.zeros((k + SLOTS, BLOCK), np.float32),
        np.zeros(rows, np.float32),
        np.zeros((constants + 2, BLOCK), np.float32),
        np.zeros((4, 3)),
    )


@apart()
def evaluate(t: Table, sym: Integers, arg: Integers, val: Singles, n: int, rows: Rows, m: Room) -> bool:
    """Values of the tree at all rows, into m.r. False where the program has no room."""
    X = rows.X
    k = X.shape[0]
    count, root = slots(t, sym, arg, val, n, k, m.op, m.a, m.b, m.v, m.mine)
    if count < 0:
        return False
    total = X.shape[1]
    for s in range(0, total, BLOCK):
        size = min(BLOCK, total - s)
        run(m.op, m.a, m.b, m.v, count, X, s, size, m.buf, F(rows.step), F(rows.top))
        found = X[root, s : s + size] if root < k else m.buf[root - k, :size]
        for i in range(size):
            m.r[s + i] = found[i]
    return True


@inlined(fastmath=FAST)
def moments(r: Singles, y: Singles, w: Singles) -> tuple[float, float, float]:
    """Weighted mean of r, centered sum of squares, and sum of (r - mean)·y."""
    sp = F(0)
    for i in range(r.shape[0]):
        sp += w[i] * r[i]
    mu = sp / F(r.shape[0])
    spp = F(0)
    spy = F(0)
    for i in range(r.shape[0]):
        v = r[i] - mu
        spp += w[i] * v * v
        spy += w[i] * v * y[i]
    return np.float64(mu), np.float64(spp), np.float64(spy)


@inlined(fastmath=FAST)
def squares(r: Singles, y: Singles, w: Singles, a: Single, b: Single) -> float:
    """Weighted sum of (a·r + b - y)²."""
    s = F(0)
    for i in range(r.shape[0]):
        d = y[i] - (a * r[i] + b)
        s += w[i] * d * d
    return np.float64(s)


@inlined()
def slope(p: float, y: float, loss: int, delta: float) -> tuple[float, float]:
    """First and second derivative of the loss by the prediction (the second one never negative)."""
    d = p - y
    if loss == MSE:
        return d, 1.0
    if loss == LOGISTIC:
        q = 1.0 / (1.0 + np.exp(-p))
        return q - y, max(q * (1.0 - q), 1e-6)
    edge = delta if loss == HUBER else _NEAR
    size = abs(d)
    if size <= edge:
        return d / edge, 1.0 / edge
    return np.sign(d), 1.0 / size


@apart(fastmath=FAST)
def logits(r: Singles, y: Singles, w: Singles, a: Single, b: Single) -> float:
    """Weighted sum of the logistic loss at the logit a·r + b."""
    s = F(0)
    for i in range(r.shape[0]):
        p = a * r[i] + b
        s += w[i] * (max(p, F(0)) - p * y[i] + fast_log(F(1) + fast_exp(-abs(p))))
    return np.float64(s)


@apart(fastmath=FAST)
def _logit_slopes(r: Singles, y: Singles, w: Singles, a: Single, b: Single, out: Reals) -> None:
    """Gradient and Hessian of `logits` by a and b: (a, b, aa, ab, bb) into out."""
    ga, gb, haa, hab, hbb = F(0), F(0), F(0), F(0), F(0)
    for i in range(r.shape[0]):
        p = a * r[i] + b
        e = fast_exp(-abs(p))
        inverse = F(1) / (F(1) + e)
        q = inverse if p > F(0) else e * inverse
        g = w[i] * (q - y[i])
        h = w[i] * e * inverse * inverse
        ga += g * r[i]
        gb += g
        haa += h * r[i] * r[i]
        hab += h * r[i]
        hbb += h
    out[0], out[1], out[2], out[3], out[4] = ga, gb, haa, hab, hbb


@apart()
def total_loss(r: Singles, y: Singles, w: Singles, a: float, b: float, loss: int, delta: float) -> float:
    """Weighted sum of the loss at a·r + b."""
    if loss == MSE:
        return squares(r, y, w, F(a), F(b))
    if loss == LOGISTIC:
        return logits(r, y, w, F(a), F(b))
    s = 0.0
    for i in range(r.shape[0]):
        p = a * r[i] + b
        d = p - y[i]
        if loss == MAE:
            e = abs(d)
        else:
            e = 0.5 * d * d / delta if abs(d) <= delta else abs(d) - 0.5 * delta
        s += w[i] * e
    return s


@apart()
def _newton(
    r: Singles, y: Singles, w: Singles, a: float, b: float, loss: int, delta: float
) -> tuple[float, float, float]:
    """Scale and shift that minimize the loss, from a start; (loss, a, b)."""
    best = total_loss(r, y, w, a, b, loss, delta)
    out = np.empty(5)
    for _ in range(_NEWTON_STEPS):
        if loss == LOGISTIC:
            _logit_slopes(r, y, w, F(a), F(b), out)
        else:
            for q in range(5):
                out[q] = 0.0
            for i in range(r.shape[0]):
                g, h = slope(a * r[i] + b, y[i], loss, delta)
                out[0] += w[i] * g * r[i]
                out[1] += w[i] * g
                out[2] += w[i] * h * r[i] * r[i]
                out[3] += w[i] * h * r[i]
                out[4] += w[i] * h
        ga, gb, haa, hab, hbb = out[0], out[1], out[2] + 1e-9, out[3], out[4] + 1e-9
        det = haa * hbb - hab * hab
        if not det > 1e-12 * haa * hbb:
            break
        da = (hbb * ga - hab * gb) / det
        db = (haa * gb - hab * ga) / det
        found = total_loss(r, y, w, a - da, b - db, loss, delta)
        if not found < best:
            break
        gain = best - found
        a, b, best = a - da, b - db, found
        if gain < 1e-6 * best:
            break
    return best, a, b


@inlined()
def _regression(rows: Rows, r: Singles, mu: float, spp: float, spy: float) -> tuple[float, float, bool]:
    """(scale, shift, usable) of the regression of y on r, from the moments of r."""
    if not (np.isfinite(mu) and np.isfinite(spp) and np.isfinite(spy)) or spp > 1e30:
        return 0.0, 0.0, False
    # what varies less than float32 resolves is a constant
    a = spy / spp if spp > 1e-12 and spp > 1e-9 * r.shape[0] * mu * mu else 0.0
    return a, rows.mean - a * mu, True


@apart()
def attach(rows: Rows, r: Singles) -> tuple[float, float, bool]:
    """The regression of y on r for the squared error: (scale, shift, usable)."""
    mu, spp, spy = moments(r, rows.y, rows.w)
    return _regression(rows, r, mu, spp, spy)


@apart()
def score(t: Table, sym: Integers, arg: Integers, val: Singles, n: int, rows: Rows, m: Room) -> bool:
    """Fill m.fits with (loss, scale, shift) of the four ways to attach. False where the tree is no finite function."""
    if not evaluate(t, sym, arg, val, n, rows, m):
        return False
    r, y, w, fits = m.r, rows.y, rows.w, m.fits
    count = r.shape[0]
    mu, spp, spy = moments(r, y, w)
    a, b, usable = _regression(rows, r, mu, spp, spy)
    if not usable:
        return False
    for way in range(4):
        fits[way, 0] = FAILED
    if rows.loss != MSE:
        if rows.loss == LOGISTIC:  # the regression on 0 and 1 as a first logit
            a, b = 4.0 * a, 4.0 * (b - 0.5)
        fits[PLAIN, 0] = total_loss(r, y, w, 1.0, 0.0, rows.loss, rows.delta) / rows.base
        fits[PLAIN, 1] = 1.0
        fits[PLAIN, 2] = 0.0
        best, a, b = _newton(r, y, w, a, b, rows.loss, rows.delta)
        fits[BOTH, 0] = best / rows.base
        fits[BOTH, 1] = a
        fits[BOTH, 2] = b
        return np.isfinite(best)
    fits[PLAIN, 0] = squares(r, y, w, F(1), F(0)) / rows.base
    fits[PLAIN, 1] = 1.0
    fits[PLAIN, 2] = 0.0
    # a large mean beside a small deviation cancels in float32: only the plain tree is believed then
    if not (mu * mu > 1e5 * spp / count or abs(mu) > 1e4):
        fits[BOTH, 0] = squares(r, y, w, F(a), F(b)) / rows.base
        fits[BOTH, 1] = a
        fits[BOTH, 2] = b
        fits[SHIFTED, 0] = squares(r, y, w, F(1), F(rows.mean - mu)) / rows.base
        fits[SHIFTED, 1] = 1.0
        fits[SHIFTED, 2] = rows.mean - mu
        q = spp + count * mu * mu
        a = (spy + count * rows.mean * mu) / q if q > 1e-12 else 0.0
        fits[SCALED, 0] = squares(r, y, w, F(a), F(0)) / rows.base
        fits[SCALED, 1] = a
        fits[SCALED, 2] = 0.0
    return np.isfinite(fits[PLAIN, 0]) or np.isfinite(fits[BOTH, 0])
