"""A tree's constants → better ones: Levenberg-Marquardt on the loss, jointly with scale and shift of the tree.

Derivatives by one reverse sweep (Griewank and Walther, Evaluating Derivatives, 2008); for losses other than squares the
second derivative of the loss takes the place of 1 in the normal equations (Fisher scoring).
"""

from __future__ import annotations

import numpy as np

from sr2hls.search.native.apart import Integers, RealRows, Reals, Single, SingleRows, Singles, apart, inlined
from sr2hls.search.native.kernels import BLOCK, FAST, backward, run
from sr2hls.search.native.score import BOTH, MSE, Room, Rows, attach, evaluate, score, slope, total_loss
from sr2hls.search.native.symbols import CONSTANT, Table
from sr2hls.search.native.tree import slots

F = np.float32
CONSTANTS = 12  # of a tree that are worth fitting
_TRIES = 3  # dampings tried in a step


@apart(fastmath=FAST)
def _gram(J: SingleRows, g: Singles, h: Singles, count: int, n: int, H: RealRows, G: Reals) -> None:
    """H += J h Jᵀ and G += J g over the first n columns."""
    for p in range(count):
        jp = J[p]
        s = F(0)
        for i in range(n):
            s += jp[i] * g[i]
        G[p] += s
        for q in range(p, count):
            jq = J[q]
            s = F(0)
            for i in range(n):
                s += jp[i] * jq[i] * h[i]
            H[p, q] += s


@apart()
def _solve(M: RealRows, G: Reals, x: Reals) -> bool:
    """x with M x = G by Cholesky's factorization, in place on M; False where M is not positive definite."""
    n = M.shape[0]
    for i in range(n):
        for j in range(i + 1):
            s = M[i, j]
            for q in range(j):
                s -= M[i, q] * M[j, q]
            if i == j:
                if not s > 0.0:
                    return False
                M[i, i] = np.sqrt(s)
            else:
                M[i, j] = s / M[j, j]
    for i in range(n):
        s = G[i]
        for q in range(i):
            s -= M[i, q] * x[q]
        x[i] = s / M[i, i]
    for i in range(n - 1, -1, -1):
        s = x[i]
        for q in range(i + 1, n):
            s -= M[q, i] * x[q]
        x[i] = s / M[i, i]
    return True


@inlined()
def _fill(row: Singles, x: Single, n: int) -> None:
    for i in range(n):
        row[i] = x


@inlined()
def _copy(row: Singles, out: Singles, n: int) -> None:
    for i in range(n):
        out[i] = row[i]


@inlined()
def _finite(H: RealRows, G: Reals) -> bool:
    for p in range(G.shape[0]):
        if not np.isfinite(G[p]):
            return False
        for q in range(G.shape[0]):
            if not np.isfinite(H[p, q]):
                return False
    return True


@apart()
def _normal(
    rows: Rows,
    m: Room,
    count: int,
    root: int,
    place: Integers,
    k: int,
    a: float,
    b: float,
    H: RealRows,
    G: Reals,
    g: Singles,
    h: Singles,
) -> None:
    """Normal equations of the constants, the scale and the shift at the present point."""
    X = rows.X
    inputs = X.shape[0]
    total = X.shape[1]
    for p in range(k + 2):
        G[p] = 0.0
        for q in range(k + 2):
            H[p, q] = 0.0
    for s in range(0, total, BLOCK):
        size = min(BLOCK, total - s)
        run(m.op, m.a, m.b, m.v, count, X, s, size, m.buf, F(rows.step), F(rows.top))
        for q in range(inputs, inputs + count):
            _fill(m.adj[q], F(0), size)
        _fill(m.adj[root], F(a), size)
        backward(m.op, m.a, m.b, count, X, s, size, m.buf, m.adj)
        r = m.buf[root - inputs]
        for c in range(k):
            _copy(m.adj[inputs + place[c]], m.jac[c], size)
        _copy(r, m.jac[k], size)
        _fill(m.jac[k + 1], F(1), size)
        if rows.loss == MSE:
            for i in range(size):
                g[i] = rows.w[s + i] * (rows.y[s + i] - (F(a) * r[i] + F(b)))
                h[i] = rows.w[s + i]
        else:
            for i in range(size):
                d1, d2 = slope(a * r[i] + b, rows.y[s + i], rows.loss, rows.delta)
                g[i] = -rows.w[s + i] * d1
                h[i] = rows.w[s + i] * d2
        _gram(m.jac, g, h, k + 2, size, H, G)
    for p in range(k + 2):
        for q in range(p):
            H[p, q] = H[q, p]


@apart(python=True)
def polish(t: Table, sym: Integers, arg: Integers, val: Singles, n: int, rows: Rows, m: Room, steps: int) -> int:
    """At most `steps` steps, in place on val. Returns how often the tree was evaluated."""
    k = 0
    for j in range(n):
        k += sym[j] == CONSTANT
    if k == 0 or k > CONSTANTS:
        return 1
    if rows.loss == MSE:
        if not evaluate(t, sym, arg, val, n, rows, m):
            return 1
        a, b, usable = attach(rows, m.r)
        current = total_loss(m.r, rows.y, rows.w, a, b, MSE, 0.0)
    else:
        usable = score(t, sym, arg, val, n, rows, m)
        a, b = m.fits[BOTH, 1], m.fits[BOTH, 2]
        current = m.fits[BOTH, 0] * rows.base
    if not usable or not np.isfinite(current):
        return 1
    evaluations = 1
    place = np.empty(k, np.int64)
    node = np.empty(k, np.int64)
    old = np.empty(k, np.float32)
    H = np.empty((k + 2, k + 2))
    M = np.empty((k + 2, k + 2))
    G = np.empty(k + 2)
    g = np.empty(BLOCK, np.float32)
    h = np.empty(BLOCK, np.float32)
    delta = np.empty(k + 2)
    damping = 1e-3
    inputs = rows.X.shape[0]
    for _ in range(steps):
        count, root = slots(t, sym, arg, val, n, inputs, m.op, m.a, m.b, m.v, m.mine)
        if root < inputs:
            break
        found = 0
        for q in range(count):
            if m.mine[q] >= 0:
                place[found] = q
                node[found] = m.mine[q]
                found += 1
        _normal(rows, m, count, root, place, k, a, b, H, G, g, h)
        evaluations += 1
        if not _finite(H, G):
            break
        improved = False
        gain = 0.0
        for _ in range(_TRIES):
            for p in range(k + 2):
                for q in range(k + 2):
                    M[p, q] = H[p, q]
                M[p, p] = H[p, p] * (1.0 + damping) + 1e-9
            if not _solve(M, G, delta):
                damping = min(damping * 8.0, 1e6)
                continue
            for c in range(k):
                old[c] = val[node[c]]
                val[node[c]] = F(old[c] + delta[c])
            evaluate(t, sym, arg, val, n, rows, m)
            evaluations += 1
            a2, b2 = a + delta[k], b + delta[k + 1]
            usable = True
            if rows.loss == MSE:
                a2, b2, usable = attach(rows, m.r)
            after = total_loss(m.r, rows.y, rows.w, a2, b2, rows.loss, rows.delta)
            if usable and np.isfinite(after) and after < current:
                gain = (current - after) / current
                current, a, b = after, a2, b2
                damping = max(damping * 0.2, 1e-9)
                improved = True
                break
            for c in range(k):
                val[node[c]] = old[c]
            damping = min(damping * 8.0, 1e6)
        if not improved or gain < 1e-4:
            break
    return evaluations
