"""A formula ↔ the same with its numbers as named parameters; and numbers near simple ones → the simple ones.

A *constant* is a rational that is a term, a factor or an argument of a function; -1 as a factor is a sign, and an
exponent is structure. Parameters are sympy symbols `c_0`, `c_1`, ...; no column of the data has such a name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import sympy

from sr2hls.model import symbol
from sr2hls.operators import product, rebuild

PREFIX = "c_"
_DENOMINATORS = (1, 2, 3, 4, 5, 10, 20, 100)
_LARGEST = 1000  # numerator of a simple number


@dataclass(frozen=True, slots=True)
class Template:
    """Formulas with parameters, the parameters' names and their values."""

    expressions: tuple[sympy.Expr, ...]
    names: tuple[str, ...]
    values: tuple[float, ...]

    def at(self, values: Sequence[float] | None = None) -> tuple[sympy.Expr, ...]:
        """The formulas with these numbers (None: their own) as exact rationals."""
        numbers = self.values if values is None else values
        table = {name: rational(value) for name, value in zip(self.names, numbers, strict=True)}
        return tuple(filled(expression, table) for expression in self.expressions)


def template(expressions: Sequence[sympy.Expr], *, scales: bool = False, first: int = 0) -> Template:
    """The formulas with every constant as a parameter of its own.

    scales: terms of a formula that have no factor yet get one, of value 1 or -1: without it, -m_i*m_j/r has no
    parameter at all. first: the number of the first parameter.
    """
    values: list[float] = []

    def parameter(value: sympy.Rational) -> sympy.Symbol:
        values.append(float(value))
        return symbol(f"{PREFIX}{first + len(values) - 1}")

    def walk(node: sympy.Expr) -> sympy.Expr:
        if node.is_Rational:
            return parameter(node)
        if not node.args:
            return node
        if isinstance(node, sympy.Pow):
            base, exponent = node.args
            return walk(base) ** (exponent if exponent.is_Rational else walk(exponent))
        return rebuild(node, tuple(a if a is sympy.S.NegativeOne and node.is_Mul else walk(a) for a in node.args))

    def scaled(term: sympy.Expr) -> sympy.Expr:
        number, body = term.as_coeff_Mul(rational=True)
        if not scales or abs(number) != 1 or body is sympy.S.One or _has_scale(body):
            return walk(term)
        return product(parameter(number), walk(body))

    found = []
    for expression in map(plain_numbers, expressions):
        terms = sympy.Add.make_args(expression)
        found.append(sympy.S.Zero if expression == 0 else sympy.Add(*(scaled(term) for term in terms)))
    return Template(tuple(found), tuple(f"{PREFIX}{first + k}" for k in range(len(values))), tuple(values))


def _has_scale(product_: sympy.Expr) -> bool:
    """Whether a factor is a sum whose terms all have a constant, as in (2 - 2*r)*dx: these can take any scale."""

    def numbered(term: sympy.Expr) -> bool:
        return bool(term.is_Rational or abs(term.as_coeff_Mul(rational=True)[0]) != 1)

    sums = [factor for factor in sympy.Mul.make_args(product_) if factor.is_Add]
    return any(all(numbered(term) for term in factor.args) for factor in sums)


def plain_numbers(node: sympy.Expr) -> sympy.Expr:
    """The expression with pi, sqrt(2) and the like as rationals, and one number a product: 2*pi*r has one constant."""
    if node.is_number and not node.is_Rational:
        return rational(float(node))
    if not node.args:
        return node
    args = tuple(plain_numbers(a) for a in node.args)
    if node.is_Mul and args != node.args:
        numbers = [a for a in args if a.is_Rational]
        args = (sympy.Mul(*numbers), *(a for a in args if not a.is_Rational))
    return rebuild(node, args)


def filled(expression: sympy.Expr, values: Mapping[str, sympy.Expr]) -> sympy.Expr:
    """The expression with symbols replaced by name; sums stay unexpanded."""
    if expression.is_Symbol:
        return values.get(expression.name, expression)
    if not expression.args:
        return expression
    return rebuild(expression, tuple(filled(a, values) for a in expression.args))


def plain_signs(expression: sympy.Expr, names: Sequence[str]) -> sympy.Expr:
    """The expression with powers of variables that are 1 or -1 everywhere made plain: q_j/q_i → q_i*q_j, q_i² → 1."""
    if isinstance(expression, sympy.Pow) and expression.base.is_Symbol and expression.exp.is_Integer:
        if expression.base.name in names:
            return expression.base if expression.exp % 2 else sympy.S.One
        return expression
    if not expression.args:
        return expression
    return rebuild(expression, tuple(plain_signs(a, names) for a in expression.args))


def simple_numbers(value: float, tolerance: float) -> Iterator[Fraction]:
    """Simple rationals within a relative tolerance of the value, the simplest first.

    A fraction must be small to be a better guess than chance, so its tolerance falls with its denominator.
    """
    if not math.isfinite(value) or value == 0:
        return
    seen = set()
    for denominator in _DENOMINATORS:
        near = Fraction(round(value * denominator), denominator)
        close = abs(float(near) - value) <= tolerance * abs(value) / denominator
        if close and near != 0 and near not in seen and abs(near.numerator) <= _LARGEST:
            seen.add(near)
            yield near


def snapped(
    found: Template, loss: Callable[[Sequence[float]], float], *, tolerance: float = 0.02, margin: float = 0.01
) -> Template:
    """The template with its values made simple, one by one, where that costs next to nothing.

    A number takes the simplest value within `tolerance` (relative) with which loss(values) stays within 1 + margin of
    the loss of the values as given. The others are not refitted: a number that others could make up for is not known.
    """
    values = list(found.values)
    limit = loss(values) * (1 + margin)
    for place, value in enumerate(values):
        for near in simple_numbers(value, tolerance):
            trial = [*values[:place], float(near), *values[place + 1 :]]
            if loss(trial) <= limit:
                values = trial
                break
    return replace(found, values=tuple(values))


def rational(value: float) -> sympy.Rational:
    """The exact rational of a float; where the float is the nearest one to a short fraction, that fraction."""
    near = Fraction(value).limit_denominator(_LARGEST)
    chosen = near if float(near) == value else Fraction(value)
    return sympy.Rational(chosen.numerator, chosen.denominator)
