"""A region → its period in its symbol, where it depends on the symbol through sine and cosine only."""

from __future__ import annotations

import sympy

from sr2hls.program import linear_terms

_PERIODIC = (sympy.sin, sympy.cos, sympy.tan, sympy.cot, sympy.sec, sympy.csc)
_MOST_TURNS = 16


def period_in(region: sympy.Expr, atom: sympy.Symbol) -> sympy.Expr | None:
    """The common period, or None when there is none or a table over it would hold more than 16 turns."""
    rates: list[sympy.Expr] = []
    if not _collect(region, atom, rates) or not rates:
        return None
    ratios = [rate / rates[0] for rate in rates]
    if not all(isinstance(ratio, sympy.Rational) for ratio in ratios):
        return None
    common = sympy.Integer(0)
    for ratio in ratios:
        common = sympy.gcd(common, ratio)
    if max(abs(ratio / common) for ratio in ratios) > _MOST_TURNS:
        return None
    return 2 * sympy.pi / abs(common * rates[0])


def _collect(expression: sympy.Expr, atom: sympy.Symbol, rates: list[sympy.Expr]) -> bool:
    if atom not in expression.free_symbols:
        return True
    if isinstance(expression, _PERIODIC):
        terms = linear_terms(expression.args[0])
        if terms is not None:
            rates.append(terms[0][atom])
            return True
        return False
    return not expression.is_Symbol and all(_collect(arg, atom, rates) for arg in expression.args)
