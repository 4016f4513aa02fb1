"""A tree → cycles of the circuit that the compiler would build of it: the compiled twin of `sr2hls.search.fusion`.

The rules (`sr2hls.search.objective`, `regions.py`) are applied operator by operator to a postfix tree, where sums and
products of several terms grow one term at a time. LUTs are an estimate from the same pieces.
"""

from __future__ import annotations

import math

import numpy as np

from sr2hls.search.native.apart import Integers, Singles, Word, apart, inlined
from sr2hls.search.native.regions import (
    CUBE,
    DEGREE,
    FACTOR,
    FIELDS,
    INVERSE,
    IS_INPUT,
    MINUS,
    NATIVE,
    NEGATE,
    OFFSET,
    OVER,
    PLUS,
    READY,
    SQUARE,
    TIMES,
    Rates,
    added,
    after,
    close,
    copy,
    function,
    multiplied,
    no_atom,
    output,
    power,
    product_of,
    summed,
)
from sr2hls.search.native.symbols import CONSTANT, VARIABLE, Table
from sr2hls.search.native.tree import NODES


@inlined()
def _mix(h: Word, s: int) -> Word:
    x = (h ^ (np.uint64(s) * np.uint64(0x9E3779B97F4A7C15))) * np.uint64(0xBF58476D1CE4E5B9)
    return x ^ (x >> np.uint64(29))


@inlined()
def _power_of_two(x: float) -> bool:
    if x == 0.0 or not np.isfinite(x):
        return False
    mantissa, _ = math.frexp(x)
    return abs(mantissa) == 0.5


@apart()
def circuit(
    t: Table, c: Rates, sym: Integers, arg: Integers, val: Singles, n: int, scaled: bool, shifted: bool
) -> tuple[float, float, float]:
    """(cycles, cycles of all work, LUTs) of a tree, attached with a scale and a shift or without."""
    regions = np.empty((NODES + 4, FIELDS))
    made = np.empty(FIELDS)
    other = np.empty(FIELDS)
    atoms = np.empty(NODES + 4, np.uint64)  # 0: a constant
    shapes = np.empty(NODES + 4, np.uint64)
    known = np.empty(NODES + 4, np.uint64)
    spent = np.empty(2)
    spent[0], spent[1] = 0.0, 0.0
    seen, depth = 0, 0
    steps = n + (2 if scaled else 0) + (2 if shifted else 0)
    for j in range(steps):
        own = j < n
        s = sym[j] if own else CONSTANT
        count = t.arity[s] if own else (0 if (j - n) % 2 == 0 else 2)
        role = c.role[s] if own else (TIMES if scaled and j - n < 2 else PLUS)
        if count == 0:
            no_atom(regions[depth], 0.0)
            if s == VARIABLE:
                atoms[depth] = _mix(np.uint64(17), arg[j] + 1) | np.uint64(1)
                shapes[depth] = atoms[depth]
                regions[depth, IS_INPUT], regions[depth, DEGREE] = 1.0, 1.0
                regions[depth, READY] = c.clamp
            else:
                atoms[depth] = np.uint64(0)
                shapes[depth] = _mix(np.uint64(31), np.int64(val[j] * 65536.0)) if own else np.uint64(j)
                regions[depth, FACTOR] = 0.0 if own and _power_of_two(val[j]) else 1.0
            depth += 1
            continue
        base = depth - count
        a = regions[base]
        b = regions[base + count - 1]
        code = _mix(np.uint64(99), s + 1000 * (role + 1))
        one, several = np.uint64(0), False
        for q in range(count):
            code = code + shapes[base + q] if count == 2 and own and t.twin[s] else _mix(code, 3) + shapes[base + q]
            x = atoms[base + q]
            if x != np.uint64(0):
                several |= one != np.uint64(0) and one != x
                one = x
        code |= np.uint64(1)
        old = False
        for q in range(seen):
            old |= known[q] == code
        before, luts = spent[0], spent[1]
        if one == np.uint64(0):
            no_atom(made, 1.0)
        elif role == PLUS or role == MINUS:
            if several:
                summed(c, a, b, made, spent)
                one = code
            else:
                added(a, b, atoms[base] != np.uint64(0), atoms[base + 1] != np.uint64(0), made)
        elif role == TIMES or role == OVER:
            copy(b, other)
            if role == OVER and atoms[base + 1] != np.uint64(0):
                function(c, b, c.reciprocal, c.reciprocal_luts, False, other)
            if several:
                product_of(c, a, other, made, spent)
                one = code
            else:
                multiplied(a, other, atoms[base] != np.uint64(0), atoms[base + 1] != np.uint64(0), made)
        elif role == SQUARE or role == CUBE:
            power(c, a, 2.0 if role == SQUARE else 3.0, made)
        elif role == INVERSE:
            function(c, a, c.reciprocal, c.reciprocal_luts, False, made)
        elif role == NEGATE:
            copy(a, made)
        else:
            single = regions[base]
            for q in range(count):
                if atoms[base + q] != np.uint64(0):
                    single = regions[base + q]
            if several or (role == NATIVE and single[IS_INPUT] == 0.0):
                latest = 0.0
                for q in range(count):
                    if atoms[base + q] != np.uint64(0):
                        r = regions[base + q]
                        latest = max(latest, close(c, r, r[FACTOR] > 0.0, r[OFFSET] > 0.0, spent))
                spent[0] += c.cycles[s]
                spent[1] += c.luts[s]
                no_atom(made, 0.0)
                made[DEGREE] = 1.0
                made[READY] = after(latest, c.cycles[s], 1)
                one = code
            else:
                function(c, single, c.cycles[s], c.luts[s], c.periodic[s], made)
        if old:  # a common sub-expression is built once
            spent[0], spent[1] = before, luts
        elif seen < NODES:
            known[seen] = code
            seen += 1
        depth = base + 1
        copy(made, regions[base])
        atoms[base] = one
        shapes[base] = code
    if atoms[0] == np.uint64(0):
        return 0.0, 0.0, 0.0
    path = output(c, regions[0], spent)
    return path, spent[0], spent[1]
