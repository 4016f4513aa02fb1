"""Logarithms, roots and exponentials → one form each, so that equal formulas of real numbers have equal forms.

With |u| for u the laws hold wherever their terms are defined at all, whatever the signs of the factors:
log(a·b) = log|a| + log|b|, and (a·b)^q = |a|^q·|b|^q for q that is no integer. So a term equals its form at every point
where the term is defined. The steps are defined on the whole domain (that was proven); where the formula is defined,
too, equal forms then mean equal values.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import reduce
from math import gcd

import sympy
from sympy import Integer, S

from sr2hls.verify.refused import Open

_LARGEST = 60  # operations of a sum that is factored
_POWER = 64  # of one part, and degree of what is factored: exp(x), exp(1.001·x) are powers 1000, 1001 of exp(x/1000)
_EVERY_ARGUMENT = (
    sympy.Add,
    sympy.Mul,
    sympy.Pow,
    sympy.exp,
    sympy.log,
    sympy.sin,
    sympy.cos,
)  # undefined where one is
_FACTORED = 2**64  # numbers up to here are taken apart into primes


class Size(sympy.Function):  # type: ignore[misc]
    """The absolute value."""

    nargs = 1


def required(expression: sympy.Expr) -> list[sympy.Expr]:
    """What must not be negative where the expression is defined: under logarithms and roots, in no branch."""
    found = []
    waiting = [expression]
    while waiting:
        node = waiting.pop()
        if isinstance(node, sympy.log):
            found.append(node.args[0])
        elif isinstance(node, sympy.Pow) and isinstance(node.exp, sympy.Rational) and not node.exp.is_Integer:
            found.append(node.base)
        if isinstance(node, _EVERY_ARGUMENT):
            waiting += node.args
    return found


def expanded(expression: sympy.Expr) -> sympy.Expr:
    """Products of sums multiplied out; arguments of functions are left as they are."""
    return sympy.expand(expression, deep=False, power_base=False, power_exp=False, log=False, trig=False, func=False)


def size(x: sympy.Expr, positive: Collection[sympy.Expr] = ()) -> sympy.Expr:
    """|x|; x itself where it is known not to be negative, by its form or because it is one of `positive`."""
    factor, rest = direction(x)
    if rest.is_Rational:
        return factor * abs(rest)
    if rest.is_nonnegative:
        return factor * rest
    if isinstance(rest, Size):
        return factor * rest
    for sign in (1, -1):
        if expanded(sign * rest) in positive:
            return expanded(factor * sign * rest)
    return factor * Size(expanded(-rest) if rest.could_extract_minus_sign() else rest)


def direction(d: sympy.Expr) -> tuple[sympy.Rational, sympy.Expr]:
    """(positive factor, d without it)."""
    d = expanded(d)
    factor, rest = d.primitive() if isinstance(d, sympy.Add) else d.as_coeff_Mul(rational=True)
    return (factor, rest) if factor > 0 else (-factor, expanded(-rest))


def logarithm(x: sympy.Expr, positive: Collection[sympy.Expr]) -> sympy.Expr:
    """log x as the sum of those of its factors, of sizes."""
    total: sympy.Expr = S.Zero
    for base, exponent in _factors(x):
        if isinstance(base, sympy.exp):
            total += exponent * base.args[0]
        elif base.is_Rational:
            total += exponent * _number_log(abs(base))
        elif base.free_symbols or base == sympy.pi:
            total += exponent * sympy.log(size(base, positive))
        else:
            total += exponent * sympy.log(abs(base))
    return expanded(total)


def root(base: sympy.Expr, exponent: sympy.Rational, positive: Collection[sympy.Expr]) -> sympy.Expr:
    """base^exponent, no integer, as the product of those of its factors' sizes."""
    result: sympy.Expr = S.One
    for part, power in _factors(base):
        inside = abs(part) if not part.free_symbols else size(part, positive)
        result *= reduce(sympy.Mul, (f ** (power * exponent) for f in sympy.Mul.make_args(inside)))
    return result


def exponential(x: sympy.Expr) -> sympy.Expr:
    """exp of a sum as the product over its terms; exp(q·log u) = u^q, where u is above 0."""
    result: sympy.Expr = S.One
    for term in sympy.Add.make_args(expanded(x)):
        k, rest = term.as_coeff_Mul(rational=True)
        if isinstance(rest, sympy.log):
            result *= rest.args[0] ** k
        else:
            result *= sympy.exp(term)
    return result


def _number_log(number: sympy.Rational) -> sympy.Expr:
    """Of a positive rational number by its primes, where those are found at once."""
    if number == 0:
        raise Open("a logarithm of zero")
    if max(number.p, number.q) > _FACTORED:
        return sympy.log(number)
    primes = {**sympy.factorint(int(number.p)), **{p: -n for p, n in sympy.factorint(int(number.q)).items()}}
    return sympy.Add(*(n * sympy.log(p) for p, n in primes.items()))


def _factors(x: sympy.Expr) -> list[tuple[sympy.Expr, sympy.Expr]]:
    """(base, exponent) of every factor; sums of rational functions by their irreducible factors."""
    found: list[tuple[sympy.Expr, sympy.Expr]] = []
    for part in sympy.Mul.make_args(x):
        base, exponent = (part, S.One) if isinstance(part, sympy.exp) else part.as_base_exp()
        if not isinstance(exponent, sympy.Rational):
            base, exponent = part, S.One
        if isinstance(base, sympy.Add) and sympy.count_ops(base) <= _LARGEST and _plain(base):
            for side, sign in zip(sympy.fraction(sympy.together(base)), (1, -1), strict=True):
                content, factors = _factor_list(side)
                found += [(content, sign * exponent)] if content != 1 else []
                found += [(factor, sign * n * exponent) for factor, n in factors]
        elif isinstance(base, sympy.Add):
            content, rest = base.primitive()
            found += [(content, exponent)] if content != 1 else []
            found.append((rest, exponent))
        else:
            found.append((base, exponent))
    return found


def _factor_list(polynomial: sympy.Expr) -> tuple[sympy.Expr, list[tuple[sympy.Expr, int]]]:
    """(number, irreducible factors); of a polynomial of large degree itself."""
    if polynomial.free_symbols and sympy.Poly(polynomial).total_degree() > _POWER:
        return S.One, [(polynomial, 1)]
    number, factors = sympy.factor_list(polynomial)
    return number, factors


def _plain(total: sympy.Add) -> bool:
    """Whether it is a rational function of symbols with rational coefficients."""
    return bool(total.is_rational_function(*total.free_symbols)) and all(
        n.is_Rational for n in total.atoms(sympy.Number, sympy.NumberSymbol)
    )


def as_rational_function(expression: sympy.Expr) -> tuple[sympy.Expr, list[tuple[sympy.Symbol, sympy.Expr]]]:
    """The same with a symbol for every part that is no rational function; powers of one part are powers of its symbol.

    The second value holds (s, polynomial that vanishes) for the symbol s of a root of a rational function. Parts that
    depend on each other in another way count as independent, so a difference that vanishes here vanishes.
    """
    rates: dict[sympy.Expr, list[sympy.Rational]] = {}
    for node in _parts(expression):
        base, exponent = _as_power(node)
        rates.setdefault(base, []).append(exponent)
    units = {base: _common(exponents) for base, exponents in rates.items()}
    apart = {base for base, exponents in rates.items() if max(map(abs, exponents)) > _POWER * units[base]}
    names: dict[sympy.Expr, sympy.Dummy] = {}

    def plain(node: sympy.Expr) -> sympy.Expr:
        if isinstance(node, sympy.Add | sympy.Mul):
            return node.func(*map(plain, node.args))
        if isinstance(node, sympy.Pow) and isinstance(node.exp, Integer) and isinstance(node.base, sympy.Add):
            return plain(node.base) ** node.exp
        if isinstance(node, sympy.Rational):
            return node
        base, exponent = _as_power(node)
        if base in apart:
            return names.setdefault(node, sympy.Dummy())
        return names.setdefault(base, sympy.Dummy()) ** (exponent / units.get(base, S.One))

    whole = plain(expression)
    roots = [(s, base, units[base]) for base, s in names.items() if isinstance(base, sympy.Add) and _plain(base)]
    bases = [(s, int(1 / unit), sympy.fraction(sympy.together(plain(base)))) for s, base, unit in roots if unit.p == 1]
    return whole, [(s, sympy.expand(below * s**n - above)) for s, n, (above, below) in bases]


def _parts(expression: sympy.Expr) -> list[sympy.Expr]:
    if isinstance(expression, sympy.Add | sympy.Mul):
        return [part for arg in expression.args for part in _parts(arg)]
    if (
        isinstance(expression, sympy.Pow)
        and isinstance(expression.exp, Integer)
        and isinstance(expression.base, sympy.Add)
    ):
        return _parts(expression.base)
    return [] if isinstance(expression, sympy.Rational) else [expression]


def _as_power(node: sympy.Expr) -> tuple[sympy.Expr, sympy.Rational]:
    if isinstance(node, sympy.exp):
        k, rest = node.args[0].as_coeff_Mul(rational=True)
        return sympy.exp(rest), k
    if isinstance(node, sympy.Pow) and isinstance(node.exp, sympy.Rational):
        return node.base, node.exp
    return node, S.One


def _common(exponents: list[sympy.Rational]) -> sympy.Rational:
    """The largest number of which all are integer multiples."""
    bottom = reduce(lambda a, b: a * b // gcd(a, b), (int(e.q) for e in exponents))
    top = reduce(gcd, (abs(int(e.p)) * (bottom // int(e.q)) for e in exponents))
    return sympy.Rational(top, bottom)
