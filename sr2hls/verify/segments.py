"""A function step with too many arguments to try them all → a bound of result - formula, stretch by stretch.

A stretch is an aligned block of codes for which the circuit is one polynomial (`stretch`); the polynomial is held
against a Taylor model of the formula, and the block is halved where that does not do.
"""

from __future__ import annotations

import math
from fractions import Fraction

from flint import arb, fmpq

from sr2hls.circuit import Circuit
from sr2hls.verify.evaluate import Formula
from sr2hls.verify.grain import errors_by_grain, ignored_bits
from sr2hls.verify.refused import Open, Wrong
from sr2hls.verify.run import cone
from sr2hls.verify.span import Span, of_value, point, to_arb, to_fmpq
from sr2hls.verify.stretch import Stretch, all_followed, last_casts, shifted

_MOST = 1 << 14  # blocks
_RUN_BITS, _FEW_BITS = 20, 14  # codes of one block: the most, and those that are no work
_MOST_POINTS = 1 << 23  # of all blocks
_TERMS = 8
_PARTS = (4, 16, 64)  # intervals on which the difference of polynomials is bounded
_FINEST = 4  # halvings of a block beyond what the circuit needs


def errors_by_stretch(
    circuit: Circuit, index: int, leaf: int, codes: tuple[int, int], formula: Formula, inside: Span, stated: Span
) -> Span:
    """The hull of result - f over all codes whose value is inside an interval, once it is inside the stated one.

    Codes beyond the interval are left to the caller, and so are the ranges of the casts that the node ends in
    (`last_casts`). Raises Open where the circuit cannot be followed.
    """
    node = circuit.nodes[leaf]
    path = [i for i in cone(circuit, index, [leaf]) if i != leaf]
    unit, trusted = node.format.ulp, last_casts(circuit, index)
    low, high = max(codes[0], math.ceil(inside.low / unit)), min(codes[1], math.floor(inside.high / unit))
    bits = node.format.width
    waiting = [(node.format.least, bits, 0)]
    found: Span | None = None
    count = points = 0
    while waiting:
        base, k, extra = waiting.pop()
        if base > high or base + (1 << k) - 1 < low:
            continue
        count += 1
        if count > _MOST:
            raise Open(f"the argument of node {index} falls into more than {_MOST} stretches")
        first, last = max(base, low) - base, min(base + (1 << k) - 1, high) - base
        values, unsure = all_followed(circuit, path, leaf, base, k, trusted)
        result, error = values[index], None
        whole = result is not None and not unsure
        if result is not None and whole:
            ulp = circuit.nodes[index].format.ulp
            error = _difference(result, ulp, formula, (base, first, last), unit, stated)
        if error is None or not error.inside(stated):
            # the truncations are not as independent as intervals have it: try every code that makes a difference
            grain = ignored_bits(circuit, path, leaf, k, (values, unsure))
            spare = k - grain
            if spare <= (_RUN_BITS if grain and not whole else _FEW_BITS) and points < _MOST_POINTS:
                points += 1 << spare
                exact = errors_by_grain(circuit, index, leaf, (base + first, base + last), grain, formula)
                if exact is not None and not exact.inside(stated):
                    place = float(base * unit)
                    raise Wrong(f"node {index} is off by {exact} from {place:.6g} on, the certificate says {stated}")
                error = exact
        if error is not None and error.inside(stated):
            found = error if found is None else found.hull(error)
        elif k == 0 or (whole and extra >= _FINEST):
            raise Open(f"the errors of node {index} are not bounded at its argument {float(base * unit):.6g}")
        else:
            waiting += [(base + half, k - 1, extra + whole) for half in (0, 1 << (k - 1))]
    if found is None:
        raise Open(f"node {index}: no argument lies in its range")
    return found


def _difference(
    result: Stretch, ulp: Fraction, formula: Formula, codes: tuple[int, int, int], unit: Fraction, stated: Span
) -> Span | None:
    """result - f over r in [first, last] from the base on, as tight as the stated interval needs."""
    base, first, last = codes
    dropped = Span(_fraction(result.error.low), _fraction(result.error.high))
    left, right = (base + first) * unit, (base + last) * unit
    if left == right:
        value = of_value(formula(to_arb(left)))
        at = sum((_fraction(c) * first**j for j, c in enumerate(result.coefficients)), Fraction(0))
        return None if value is None else (point(at) + dropped) * point(ulp) - value
    middle, half = (left + right) / 2, (right - left) / 2
    taylor = formula.series(to_arb(middle), _TERMS)
    remainder = formula.series(to_arb(left).union(to_arb(right)), _TERMS + 1)[_TERMS]
    if not (remainder.is_finite() and all(a.is_finite() for a in taylor)):
        return None
    # both in s = (x - middle) / half: r = (middle / unit - base) + s · half / unit
    own = [_fraction(c) for c in shifted(result.coefficients, to_fmpq(middle / unit - base))]
    difference = []
    for j in range(max(_TERMS, len(own))):
        term = to_arb(own[j] * (half / unit) ** j * ulp) if j < len(own) else arb(0)
        difference.append(term - taylor[j] * to_arb(half) ** j if j < _TERMS else term)
    bound = abs(remainder).upper() * to_arb(half) ** _TERMS
    error: Span | None = None
    for parts in _PARTS:
        here = _polynomial_range(difference, bound, parts)
        error = None if here is None else here + dropped * point(ulp)
        if error is not None and error.inside(stated):
            break
    return error


def _polynomial_range(difference: list[arb], bound: arb, parts: int) -> Span | None:
    """The values of a polynomial on [-1, 1], widened by a bound."""
    found: Span | None = None
    for part in range(parts):
        center, radius = arb(2 * part + 1 - parts) / parts, arb(1) / parts
        moved: list[arb] = []
        for c in reversed(difference):
            moved = [arb(0), *moved] if moved else [arb(0)]
            for j in range(len(moved) - 1):
                moved[j] = moved[j] + center * moved[j + 1]
            moved[0] = moved[0] + c
        spread = sum((abs(c).upper() * radius**j for j, c in enumerate(moved[1:], 1)), arb(0))
        here = of_value(moved[0] + arb(0, 1) * (spread + bound).upper())
        if here is None:
            return None
        found = here if found is None else found.hull(here)
    return found


def _fraction(value: fmpq) -> Fraction:
    return Fraction(int(value.p), int(value.q))
