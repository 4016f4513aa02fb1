"""A slot program + rows → values, and adjoints back: the two loops in which a search spends its time.

Instruction j writes slot k + j (slots below k are the inputs). Rows come in blocks, so that all slots stay in cache.
The functions are polynomials in float32 (after the Cephes library's, Moshier 1989) that the compiler vectorizes.
`error_model="numpy"` keeps a division by zero from raising, which would also block vectorization.
"""

from __future__ import annotations

import math

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from sr2hls.search.native.apart import Integers, Single, SingleRows, Singles, apart
from sr2hls.search.native.primitives import (
    ABS,
    ADD,
    ASIN,
    ATAN,
    CONST,
    COS,
    DIV,
    ERF,
    EXP,
    FLOOR,
    GREATER,
    LOG,
    MAX,
    MIN,
    MUL,
    POW,
    ROUND,
    SIN,
    SQRT,
    SQUARE,
    SUB,
    TANH,
)

F = np.float32
FAST = {"nsz", "arcp", "contract", "reassoc"}  # NaN and infinity keep their meaning
BLOCK = 1024


@intrinsic
def _as_float(_context, x):
    def generate(_, builder, __, args):
        return builder.bitcast(args[0], ir.FloatType())

    return types.float32(types.int32), generate


@intrinsic
def _as_int(_context, x):
    def generate(_, builder, __, args):
        return builder.bitcast(args[0], ir.IntType(32))

    return types.int32(types.float32), generate


@njit(fastmath=FAST, error_model="numpy", cache=True, nogil=True, inline="always")
def fast_exp(x0):
    x = min(max(x0, F(-87.0)), F(88.0))
    z = np.floor(x * F(1.44269504088896341) + F(0.5))
    x = x - z * F(0.693359375)
    x = x + z * F(2.12194440e-4)
    y = F(1.9875691500e-4) * x + F(1.3981999507e-3)
    y = (y * x + F(8.3334519073e-3)) * x + F(4.1665795894e-2)
    y = (y * x + F(1.6666665459e-1)) * x + F(5.0000001201e-1)
    y = y * (x * x) + x + F(1.0)
    return y * _as_float((np.int32(z) + np.int32(127)) << np.int32(23)) + (x0 - x0)


@njit(fastmath=FAST, error_model="numpy", cache=True, nogil=True, inline="always")
def _sin(x):
    k = np.floor(x * F(0.31830988618) + F(0.5))
    r = x - k * F(3.140625)
    r = r - k * F(9.67502593994140625e-4)
    r = r - k * F(1.509957990978376432e-7)
    z = r * r
    y = r + r * z * (F(-1.6666654611e-1) + z * (F(8.3321608736e-3) + z * (F(-1.9515295891e-4) + z * F(2.6e-6))))
    h = k * F(0.5)
    odd = (h - np.floor(h)) * F(2.0)
    return y * (F(1.0) - F(2.0) * odd)


@njit(fastmath=FAST, error_model="numpy", cache=True, nogil=True, inline="always")
def fast_log(x):
    i = _as_int(x)
    e = (i >> np.int32(23)) - np.int32(126)
    m = _as_float((i & np.int32(0x007FFFFF)) | np.int32(0x3F000000))  # [0.5, 1)
    small = m < F(0.707106781)
    ef = F(e) - (F(1.0) if small else F(0.0))
    m = (m + m - F(1.0)) if small else (m - F(1.0))
    z = m * m
    y = F(7.0376836292e-2) * m - F(1.1514610310e-1)
    y = (y * m + F(1.1676998740e-1)) * m - F(1.2420140846e-1)
    y = (y * m + F(1.4249322787e-1)) * m - F(1.6668057665e-1)
    y = (y * m + F(2.0000714765e-1)) * m - F(2.4999993993e-1)
    y = (y * m + F(3.3333331174e-1)) * m * z
    y = y + ef * F(-2.12194440e-4) - F(0.5) * z
    r = m + y + ef * F(0.693359375)
    return r if x > F(0.0) else (F(-np.inf) if x == F(0.0) else F(np.nan))


@njit(fastmath=FAST, error_model="numpy", cache=True, nogil=True, inline="always")
def _tanh(x):
    e = fast_exp(F(2.0) * min(max(x, F(-10.0)), F(10.0)))
    return (e - F(1.0)) / (e + F(1.0)) + (x - x)


@njit(cache=True, nogil=True, inline="always")
def _row(X, buf, slot, k, s, n):
    return X[slot, s : s + n] if slot < k else buf[slot - k, :n]


@apart(fastmath=FAST)
def run(
    op: Integers,
    a: Integers,
    b: Integers,
    v: Singles,
    m: int,
    X: SingleRows,
    s: int,
    n: int,
    buf: SingleRows,
    step: Single,
    top: Single,
) -> None:
    """Rows s..s+n of all m instructions into buf[:m, :n]. step > 0: every result is rounded to multiples of it and
    saturated at ±top (fake quantization)."""
    k = X.shape[0]
    for j in range(m):
        o = op[j]
        d = buf[j, :n]
        if o == CONST:
            c = v[j]
            for i in range(n):
                d[i] = c
        else:
            p = _row(X, buf, a[j], k, s, n)
            q = _row(X, buf, b[j], k, s, n)  # of a function of one argument: any row
            if o == ADD:
                for i in range(n):
                    d[i] = p[i] + q[i]
            elif o == SUB:
                for i in range(n):
                    d[i] = p[i] - q[i]
            elif o == MUL:
                for i in range(n):
                    d[i] = p[i] * q[i]
            elif o == DIV:
                for i in range(n):
                    d[i] = p[i] / q[i]
            elif o == SQUARE:
                for i in range(n):
                    d[i] = p[i] * p[i]
            elif o == SIN:
                for i in range(n):
                    d[i] = _sin(p[i])
            elif o == COS:
                for i in range(n):
                    d[i] = _sin(p[i] + F(1.57079632679))
            elif o == EXP:
                for i in range(n):
                    d[i] = fast_exp(p[i])
            elif o == LOG:
                for i in range(n):
                    d[i] = fast_log(p[i])
            elif o == SQRT:
                for i in range(n):
                    d[i] = np.sqrt(p[i])
            elif o == ABS:
                for i in range(n):
                    d[i] = abs(p[i])
            elif o == TANH:
                for i in range(n):
                    d[i] = _tanh(p[i])
            elif o == ATAN:
                for i in range(n):
                    d[i] = np.arctan(p[i])
            elif o == ASIN:
                for i in range(n):
                    d[i] = np.arcsin(p[i])
            elif o == FLOOR:
                for i in range(n):
                    d[i] = np.floor(p[i])
            elif o == ROUND:
                for i in range(n):
                    d[i] = np.rint(p[i])
            elif o == ERF:
                for i in range(n):
                    d[i] = F(math.erf(p[i]))
            elif o == GREATER:
                for i in range(n):
                    d[i] = F(1.0) if p[i] > q[i] else F(0.0)
            elif o == MAX:
                for i in range(n):
                    d[i] = max(p[i], q[i])
            elif o == MIN:
                for i in range(n):
                    d[i] = min(p[i], q[i])
            else:  # POW
                for i in range(n):
                    d[i] = p[i] ** q[i]
        if step > F(0.0):
            for i in range(n):
                d[i] = min(max(np.floor(d[i] / step + F(0.5)) * step, -top), top)


@apart(fastmath=FAST)
def backward(
    op: Integers,
    a: Integers,
    b: Integers,
    m: int,
    X: SingleRows,
    s: int,
    n: int,
    buf: SingleRows,
    adj: SingleRows,
) -> None:
    """Adjoints of all slots from adj[root]: adj has a row a slot, inputs included (those are only written).

    Comparisons and roundings have the derivative 0.
    """
    k = X.shape[0]
    for j in range(m - 1, -1, -1):
        o = op[j]
        if o == CONST:
            continue
        g = adj[k + j, :n]
        d = buf[j, :n]
        p = _row(X, buf, a[j], k, s, n)
        ga = adj[a[j], :n]
        q = _row(X, buf, b[j], k, s, n)  # of a function of one argument: any row
        gb = adj[b[j], :n]
        if o == ADD:
            for i in range(n):
                ga[i] += g[i]
            for i in range(n):
                gb[i] += g[i]
        elif o == SUB:
            for i in range(n):
                ga[i] += g[i]
            for i in range(n):
                gb[i] -= g[i]
        elif o == MUL:
            for i in range(n):
                ga[i] += g[i] * q[i]
            for i in range(n):
                gb[i] += g[i] * p[i]
        elif o == DIV:
            for i in range(n):
                t = g[i] / q[i]
                ga[i] += t
                gb[i] -= t * d[i]
        elif o == SQUARE:
            for i in range(n):
                ga[i] += F(2.0) * g[i] * p[i]
        elif o == SIN:
            for i in range(n):
                ga[i] += g[i] * _sin(p[i] + F(1.57079632679))
        elif o == COS:
            for i in range(n):
                ga[i] -= g[i] * _sin(p[i])
        elif o == EXP:
            for i in range(n):
                ga[i] += g[i] * d[i]
        elif o == LOG:
            for i in range(n):
                ga[i] += g[i] / p[i]
        elif o == SQRT:
            for i in range(n):
                ga[i] += F(0.5) * g[i] / d[i]
        elif o == ABS:
            for i in range(n):
                ga[i] += g[i] if p[i] > F(0.0) else -g[i]
        elif o == TANH:
            for i in range(n):
                ga[i] += g[i] * (F(1.0) - d[i] * d[i])
        elif o == ATAN:
            for i in range(n):
                ga[i] += g[i] / (F(1.0) + p[i] * p[i])
        elif o == ASIN:
            for i in range(n):
                ga[i] += g[i] / np.sqrt(F(1.0) - p[i] * p[i])
        elif o == ERF:
            for i in range(n):
                ga[i] += g[i] * F(1.1283791670955126) * fast_exp(-p[i] * p[i])
        elif o in (MAX, MIN):
            sign = F(1.0) if o == MAX else F(-1.0)
            for i in range(n):
                if (p[i] - q[i]) * sign >= F(0.0):
                    ga[i] += g[i]
                else:
                    gb[i] += g[i]
        elif o == POW:
            for i in range(n):
                ga[i] += g[i] * q[i] * p[i] ** (q[i] - F(1.0))
                gb[i] += g[i] * d[i] * (np.log(p[i]) if p[i] > F(0.0) else F(0.0))
