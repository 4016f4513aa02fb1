"""A formula → its terms, as a quotient of two expanded polynomials: equal functions come out with equal terms.

Polynomials are over the variables. Functions, such as log(r) or [r > 2], are *atoms*: `equality` puts a symbol in the
place of each. Comparisons are written by one indicator [x], 1 where x > 0 and else 0 (that 1 where x >= 0 differs on a
set of measure zero is not seen), so that a < b, cond(b - a, ...) and 1 - (a >= b) are one thing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy

from sr2hls.distill.symbolic.constants import plain_signs
from sr2hls.operators import words

INDICATOR = "above_"  # how the symbols begin that stand for indicators


class Above(sympy.Function):  # type: ignore[misc]  # sympy has no types
    """[x]: 1 where x > 0, else 0."""

    nargs = 1


@dataclass(frozen=True, slots=True)
class Terms:
    """top / bottom, each monomial → coefficient."""

    top: dict[sympy.Expr, sympy.Rational]
    bottom: dict[sympy.Expr, sympy.Rational]


def prepared(expression: sympy.Expr, signs: Sequence[str] = ()) -> sympy.Expr:
    """With indicators, distances and masses above zero, and powers of signs made plain."""
    found = _indicators(plain_signs(expression, signs))
    positive = {
        s: sympy.Symbol(s.name, positive=True) for s in found.free_symbols if s.name == "r" or s.name[:2] == "m_"
    }
    real = {s: sympy.Symbol(s.name, real=True) for s in found.free_symbols if s not in positive}
    return sympy.powdenest(sympy.expand_log(found.xreplace({**positive, **real})))


def terms(expression: sympy.Expr, signs: Sequence[str] = ()) -> Terms:
    """The terms of a prepared expression."""
    reduced = sympy.expand(sympy.powsimp(sympy.expand(expression)))
    top, bottom = sympy.fraction(sympy.cancel(sympy.together(reduced)))
    return Terms(_monomials(top, signs), _monomials(bottom, signs))


def atoms_of(expression: sympy.Expr) -> list[sympy.Expr]:
    """The outermost functions in an expression, indicators too; powers with a variable exponent count."""
    if isinstance(expression, sympy.Function) or (isinstance(expression, sympy.Pow) and not expression.exp.is_Rational):
        return [expression]
    found: dict[sympy.Expr, None] = {}
    for part in expression.args:
        found |= dict.fromkeys(atoms_of(part))
    return list(found)


def _monomials(polynomial: sympy.Expr, signs: Sequence[str]) -> dict[sympy.Expr, sympy.Rational]:
    found: dict[sympy.Expr, sympy.Rational] = {}
    for term in sympy.Add.make_args(sympy.expand(polynomial)):
        number, body = plain_signs(_plain_indicators(term), signs).as_coeff_Mul(rational=True)
        found[body] = found.get(body, sympy.S.Zero) + number
    return {body: number for body, number in found.items() if number != 0}


def _plain_indicators(term: sympy.Expr) -> sympy.Expr:
    """An indicator is its own square."""
    powers = {e: e.base for e in term.atoms(sympy.Pow) if e.base.is_Symbol and e.base.name.startswith(INDICATOR)}
    return term.xreplace(powers)


def _indicators(node: sympy.Expr) -> sympy.Expr:
    if not node.args:
        return node
    parts = [_indicators(part) for part in node.args]
    match node:
        case words.Greater() | words.GreaterEqual():
            return _above(parts[0] - parts[1])
        case words.Less() | words.LessEqual():
            return _above(parts[1] - parts[0])
        case words.Cond():
            return _above(parts[0]) * parts[1]
        case words.Select():
            return parts[2] + _above(parts[0]) * (parts[1] - parts[2])
        case _:
            return node.func(*parts)


def _above(x: sympy.Expr) -> sympy.Expr:
    """[x], its argument scaled so that the first term with a variable has the factor 1."""
    expanded = sympy.expand(x)
    if isinstance(expanded, Above):  # [x] is above zero where x is
        return expanded
    leading = [t.as_coeff_Mul(rational=True)[0] for t in sympy.Add.make_args(expanded) if t.free_symbols]
    if not leading:
        return sympy.S.One if expanded.is_positive else sympy.S.Zero
    scaled = sympy.expand(expanded / abs(leading[0]))
    return Above(scaled) if leading[0] > 0 else 1 - Above(sympy.expand(-scaled))
