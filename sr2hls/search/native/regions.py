"""Regions of a tree → when their values are there: the rules of `sr2hls.search.objective`, one function each.

A region is a row of numbers (`FIELDS`): what it is of its atom, and what the atom is. `spent` collects cycles of work
and LUTs.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from sr2hls.search.native.apart import Flags, Integers, Reals, apart, inlined

# How an operator enters the rules.
FUNCTION, PLUS, MINUS, TIMES, OVER, SQUARE, CUBE, INVERSE, NEGATE, NATIVE = range(10)
_SLACK = 1e-9
_HIGHEST = 8
_FEW = 4
_OTHER = -1.0
# Fields of a region; a sum has _PLAIN >= 0, a product _INPUTS >= 0.
(
    IS_INPUT,
    READY,
    _SUM,
    _PLAIN,
    _SCALED,
    _PRODUCT,
    _INPUTS,
    _OTHERS,
    DEGREE,
    OFFSET,
    FACTOR,
    _SLOW,
    _LUTS,
    _PERIODIC,
) = range(14)
FIELDS = 14


class Rates(NamedTuple):
    """What the rules need of `OperatorCosts`; per symbol: role, cycles, LUTs (DSPs weighed), whether periodic."""

    role: Integers
    cycles: Reals
    luts: Reals
    periodic: Flags
    add: float
    add_luts: float
    multiply: float
    multiply_luts: float
    product: float
    product_luts: float
    reciprocal: float
    reciprocal_luts: float
    root: float
    table: float
    table_luts: float
    sum_table: float
    sum_table_luts: float
    clamp: float
    clamp_luts: float
    digits: float


@inlined()
def after(begins: float, cycles: float, count: float) -> float:
    if cycles > 1.0 or cycles <= 0.0:
        return begins + count * cycles
    time = begins
    for _ in range(int(count)):
        if time - math.floor(time) + cycles > 1.0 + _SLACK:
            time = math.floor(time) + 1.0
        time += cycles
    return time


@inlined()
def _levels(operands: float) -> int:
    n, levels = int(operands) - 1, 0
    while n > 0:
        n >>= 1
        levels += 1
    return levels


@apart()
def _sum_done(c: Rates, latest: float, plain: float, scaled: float, offset: bool, spent: Reals) -> float:
    """When a balanced sum is done; its work goes to spent."""
    operands = plain + c.digits * scaled + (1.0 if offset or scaled > 0.0 else 0.0)
    spent[0] += max(0.0, operands - 1.0) * c.add
    spent[1] += max(0.0, operands - 1.0) * c.add_luts
    return after(latest, c.add, _levels(operands))


@apart()
def _products(c: Rates, ready: float, inputs: float, others: float, spent: Reals) -> float:
    """A balanced tree of products: pairs of others first, inputs last."""
    while inputs + others > 1.0:
        wide = others // 2
        mixed = min(others % 2, inputs)
        narrow = mixed + (inputs - mixed) // 2
        spent[0] += wide * c.multiply + narrow * c.product
        spent[1] += wide * c.multiply_luts + narrow * c.product_luts
        ready = after(ready, c.multiply if wide > 0.0 else c.product, 1)
        left = (inputs + others) % 2
        inputs, others = min(left, inputs), wide + narrow + left - min(left, inputs)
    return ready


@inlined()
def _is_square(r: Reals) -> bool:
    return r[DEGREE] == 2.0 and r[OFFSET] == 0.0 and r[FACTOR] == 0.0


@inlined()
def _is_table(r: Reals) -> bool:
    return r[IS_INPUT] > 0.0 and not _is_square(r)


@inlined()
def _is_narrow_sum(c: Rates, r: Reals) -> bool:
    return r[_PLAIN] >= 0.0 and r[_SCALED] == 0.0 and r[_PLAIN] <= _FEW and r[_SUM] == c.clamp


@inlined()
def _affine(c: Rates, r: Reals, factor: bool, offset: bool, spent: Reals) -> float:
    latest, plain, scaled = (r[_SUM], r[_PLAIN], r[_SCALED]) if r[_PLAIN] >= 0.0 else (r[READY], 1.0, 0.0)
    if factor:
        plain, scaled = 0.0, plain + scaled
    return _sum_done(c, latest, plain, scaled, offset, spent)


@inlined()
def _evaluated(c: Rates, r: Reals, factor: bool, spent: Reals) -> float:
    ready = _affine(c, r, False, False, spent)
    n = r[DEGREE]
    if n == _OTHER:
        cycles, luts = r[_SLOW], r[_LUTS]
        if _is_narrow_sum(c, r) and r[_PERIODIC] == 0.0 and c.sum_table < cycles:
            cycles, luts = c.sum_table, c.sum_table_luts
        spent[0] += cycles
        spent[1] += luts
        return after(ready, cycles, 1)
    if _is_square(r) and r[IS_INPUT] > 0.0:
        return _products(c, ready, 2.0, 0.0, spent)
    degree = int(n)
    if r[OFFSET] > 0.0:
        spent[0] += (degree - 1) * c.multiply + degree * c.add
        spent[1] += (degree - 1) * c.multiply_luts + degree * c.add_luts
        for _ in range(degree - 1):
            ready = after(after(ready, c.add, 1), c.multiply, 1)
        return after(ready, c.add, 1)
    ones, left, top = 0, degree, -1
    while left:
        ones += left & 1
        left >>= 1
        top += 1
    count = top + ones - 1
    spent[0] += count * c.multiply
    spent[1] += count * c.multiply_luts
    done = after(ready, c.multiply, count)
    return _sum_done(c, done, 0.0, 1.0, True, spent) if factor else done


@apart()
def close(c: Rates, r: Reals, factor: bool, offset: bool, spent: Reals) -> float:
    """When the value of a region is there."""
    if r[DEGREE] == 1.0:
        return _affine(c, r, factor, offset, spent)
    if not _is_table(r):
        return _evaluated(c, r, factor, spent)
    before, luts = spent[0], spent[1]
    time = _evaluated(c, r, factor, spent)
    if c.table <= time:
        spent[0], spent[1] = before + c.table, luts + c.table_luts
    return min(time, c.table)


@inlined()
def copy(r: Reals, out: Reals) -> None:
    for q in range(FIELDS):
        out[q] = r[q]


@inlined()
def added(a: Reals, b: Reals, has_a: bool, has_b: bool, out: Reals) -> None:
    """The sum of regions over one atom, or of one and a constant, into out."""
    if has_a and has_b:
        degree = _OTHER if a[DEGREE] == _OTHER or b[DEGREE] == _OTHER else max(a[DEGREE], b[DEGREE])
        offset = a[OFFSET] > 0.0 or b[OFFSET] > 0.0 or degree > 1.0
        factor = a[FACTOR] > 0.0 or b[FACTOR] > 0.0 or degree == 1.0
        slow, luts = max(a[_SLOW], b[_SLOW]), max(a[_LUTS], b[_LUTS])
        periodic = min(a[_PERIODIC], b[_PERIODIC])
        copy(a, out)
        out[DEGREE], out[OFFSET], out[FACTOR] = degree, (1.0 if offset else 0.0), (1.0 if factor else 0.0)
        out[_SLOW], out[_LUTS], out[_PERIODIC] = slow, luts, periodic
    else:
        copy(a if has_a else b, out)
        out[OFFSET] = 1.0


@inlined()
def multiplied(a: Reals, b: Reals, has_a: bool, has_b: bool, out: Reals) -> None:
    """The product of regions over one atom, or of one and a constant, into out."""
    factor = max(a[FACTOR], b[FACTOR])
    if has_a and has_b:
        degree = a[DEGREE] + b[DEGREE]
        if a[DEGREE] == _OTHER or b[DEGREE] == _OTHER or degree > _HIGHEST:
            degree = _OTHER
        offset, slow, luts = max(a[OFFSET], b[OFFSET]), max(a[_SLOW], b[_SLOW]), max(a[_LUTS], b[_LUTS])
        periodic = min(a[_PERIODIC], b[_PERIODIC])
        copy(a, out)
        out[DEGREE], out[OFFSET], out[_SLOW], out[_LUTS], out[_PERIODIC] = degree, offset, slow, luts, periodic
    else:
        copy(a if has_a else b, out)
    out[FACTOR] = factor


@inlined()
def no_atom(out: Reals, factor: float) -> None:
    for q in range(FIELDS):
        out[q] = 0.0
    out[_PLAIN] = -1.0
    out[_INPUTS] = -1.0
    out[FACTOR] = factor


@apart()
def summed(c: Rates, a: Reals, b: Reals, out: Reals, spent: Reals) -> None:
    """The sum of regions over two atoms: a new atom, into out."""
    latest, plain, scaled, offset = 0.0, 0.0, 0.0, 0.0
    for q in range(2):
        r = a if q == 0 else b
        factor = r[FACTOR] > 0.0
        if r[DEGREE] == 1.0:
            offset = max(offset, r[OFFSET])
            if r[_PLAIN] >= 0.0:
                latest = max(latest, r[_SUM])
                plain += 0.0 if factor else r[_PLAIN]
                scaled += r[_PLAIN] + r[_SCALED] if factor else r[_SCALED]
                continue
            latest = max(latest, r[READY])
        else:
            latest = max(latest, close(c, r, False, False, spent))
        if factor:
            scaled += 1.0
        else:
            plain += 1.0
    no_atom(out, 0.0)
    out[_SUM], out[_PLAIN], out[_SCALED] = latest, plain, scaled
    out[DEGREE], out[OFFSET] = 1.0, offset
    before, luts = spent[0], spent[1]
    out[READY] = _sum_done(c, latest, plain, scaled, False, spent)
    spent[0], spent[1] = before, luts  # the adders are counted where the sum is used


@apart()
def product_of(c: Rates, a: Reals, b: Reals, out: Reals, spent: Reals) -> None:
    """The product of regions over two atoms: a new atom, into out; the constant factor stays outside."""
    latest, inputs, others, factor = 0.0, 0.0, 0.0, 0.0
    for q in range(2):
        r = a if q == 0 else b
        inside = r[DEGREE] == 1.0 and r[OFFSET] > 0.0
        if not inside:
            factor = max(factor, r[FACTOR])
            if r[DEGREE] == 1.0 and r[_INPUTS] >= 0.0:
                latest = max(latest, r[_PRODUCT])
                inputs += r[_INPUTS]
                others += r[_OTHERS]
                continue
        latest = max(latest, close(c, r, inside and r[FACTOR] > 0.0, r[OFFSET] > 0.0, spent))
        if r[IS_INPUT] > 0.0 or _is_narrow_sum(c, r):
            inputs += 1.0
        else:
            others += 1.0
    no_atom(out, factor)
    out[_PRODUCT], out[_INPUTS], out[_OTHERS] = latest, inputs, others
    out[DEGREE] = 1.0
    before, luts = spent[0], spent[1]
    out[READY] = _products(c, latest, inputs, others, spent)
    spent[0], spent[1] = before + c.product, luts + c.product_luts  # one product more than the factors had


@inlined()
def function(c: Rates, r: Reals, cycles: float, luts: float, periodic: bool, out: Reals) -> None:
    """One more function over the region's atom."""
    again = r[_PERIODIC] > 0.0 or (periodic and r[DEGREE] == 1.0)
    slow, area = (r[_SLOW], r[_LUTS]) if r[_SLOW] >= cycles else (cycles, luts)
    copy(r, out)
    out[DEGREE], out[OFFSET], out[FACTOR] = _OTHER, 0.0, 0.0
    out[_SLOW], out[_LUTS], out[_PERIODIC] = slow, area, (1.0 if again else 0.0)


@inlined()
def power(c: Rates, r: Reals, n: float, out: Reals) -> None:
    degree = r[DEGREE] * n
    if 0.0 < degree <= _HIGHEST:
        copy(r, out)
        out[DEGREE] = degree
    else:
        function(c, r, c.root, c.table_luts, False, out)


@apart()
def output(c: Rates, r: Reals, spent: Reals) -> float:
    if r[DEGREE] == 1.0 and r[_PLAIN] >= 0.0:
        return close(c, r, r[FACTOR] > 0.0, True, spent)
    product = r[DEGREE] == 1.0 and r[_INPUTS] >= 0.0
    rounds = product or (r[DEGREE] > 1.0 and not _is_table(r))
    time = close(c, r, r[FACTOR] > 0.0, r[OFFSET] > 0.0, spent)
    if rounds and r[FACTOR] == 0.0:
        spent[0] += c.add
        spent[1] += c.add_luts
        return after(time, c.add, 1)
    return time
