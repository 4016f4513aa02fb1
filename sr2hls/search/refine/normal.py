"""A tree → the same function with its constants folded and no two constants doing one constant's work.

`add`, `multiply`, `power` and `call` build from normal parts; `normal` rebuilds a whole tree. Like terms and like
factors are collected, exp(a)*exp(b) is exp(a + b), and the scale of a product lives in one place: in k1/(k2 + k3*x^2)
only two of the three constants are free, so it becomes k1/(k2 + x^2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from sr2hls.search.refine.tree import CONSTANTS, LEAVES, ONE, ZERO, Tree, free, value_of

_MAX_BITS = 64  # of a structural rational; beyond, it becomes a free constant


def normal(tree: Tree) -> Tree:
    """The normal form."""
    if tree[0] in LEAVES:
        return tree
    parts = [normal(child) for child in tree[1:]]
    if tree[0] == "+":
        return add(parts)
    if tree[0] == "*":
        return multiply(parts)
    if tree[0] == "^":
        return power(parts[0], parts[1])
    return call(tree[0], parts)


def is_constant(tree: Tree) -> bool:
    return tree[0] in CONSTANTS


def _checked(value: float) -> Tree:
    return free(value)


def _plus(a: Tree, b: Tree) -> Tree:
    if a == ZERO:
        return b
    if b == ZERO:
        return a
    if a[0] == b[0] != "k":
        return _rational(a[0], a[1] + b[1])
    return _checked(value_of(a) + value_of(b))


def _times(a: Tree, b: Tree) -> Tree:
    if a == ONE:
        return b
    if b == ONE:
        return a
    if ZERO in (a, b):
        return ZERO
    if "k" not in (a[0], b[0]) and not a[0] == b[0] == "p":
        return _rational("p" if "p" in (a[0], b[0]) else "n", a[1] * b[1])
    return _checked(value_of(a) * value_of(b))


def _rational(kind: str, value: Fraction) -> Tree:
    if value == 0:
        return ZERO
    if value.numerator.bit_length() + value.denominator.bit_length() > _MAX_BITS:
        return _checked(float(value) * (math.pi if kind == "p" else 1.0))
    return (kind, value)


def raised(a: Tree, exponent: float | Fraction) -> Tree:
    """A constant to a constant power; nan where that is no real number."""
    if a[0] == "n" and isinstance(exponent, Fraction) and exponent.denominator == 1 and abs(exponent) <= 8:
        if a[1] == 0 and exponent < 0:
            return free(math.nan)
        return _rational("n", a[1] ** int(exponent))
    try:
        value = value_of(a) ** float(exponent)
    except (OverflowError, ZeroDivisionError):
        return free(math.nan)
    return free(math.nan) if isinstance(value, complex) else free(value)


def split(tree: Tree) -> tuple[Tree, Tree]:
    """A term as (constant coefficient, rest); the rest of a constant is 1."""
    if is_constant(tree):
        return tree, ONE
    if tree[0] == "*" and is_constant(tree[1]):
        return tree[1], tree[2] if len(tree) == 3 else ("*", *tree[2:])
    return ONE, tree


def joined(coefficient: Tree, rest: Tree) -> Tree:
    """The reverse of `split`, without any other simplification."""
    if rest == ONE or coefficient == ZERO:
        return coefficient
    if coefficient == ONE:
        return rest
    return ("*", coefficient, *(rest[1:] if rest[0] == "*" else (rest,)))


def add(terms: Sequence[Tree]) -> Tree:
    """A sum of normal trees."""
    constant = ZERO
    found: dict[Tree, Tree] = {}
    stack = list(reversed(terms))
    while stack:
        term = stack.pop()
        if term[0] == "+":
            stack.extend(reversed(term[1:]))
            continue
        coefficient, rest = split(term)
        if rest == ONE:
            constant = _plus(constant, coefficient)
        elif rest[0] == "+" and len(terms) > 1 and is_constant(rest[-1]):
            # c*(a + k) beside other terms: its constant joins theirs
            constant = _plus(constant, _times(coefficient, rest[-1]))
            stack.append(multiply([coefficient, add(rest[1:-1])]))
        else:
            found[rest] = _plus(found[rest], coefficient) if rest in found else coefficient
    parts = [joined(c, r) for r, c in found.items() if c != ZERO]
    if not parts:
        return constant
    if constant != ZERO:
        parts.append(constant)  # the constant is the last term, always
    return parts[0] if len(parts) == 1 else ("+", *parts)


def multiply(factors: Sequence[Tree]) -> Tree:
    """A product of normal trees."""
    coefficient = ONE
    bases: dict[Tree, Fraction] = {}
    exponents: list[Tree] = []  # of the exponentials
    stack = list(reversed(factors))
    while stack:
        factor = stack.pop()
        if factor[0] == "*":
            stack.extend(reversed(factor[1:]))
        elif is_constant(factor):
            coefficient = _times(coefficient, factor)
        elif factor[0] == "exp":
            exponents.append(factor[1])
        elif factor[0] == "^" and factor[2][0] == "n":
            bases[factor[1]] = bases.get(factor[1], Fraction(0)) + factor[2][1]
        else:
            bases[factor] = bases.get(factor, Fraction(0)) + 1
    if coefficient == ZERO:
        return ZERO
    if len(exponents) > 1:
        merged = call("exp", [add(exponents)])
        return multiply([coefficient, merged, *[power(b, ("n", e)) for b, e in bases.items()]])
    coefficient, scaled = _one_scale(coefficient, [(b, e) for b, e in bases.items() if e != 0])
    parts = [power(b, ("n", e)) for b, e in scaled] + [("exp", e) for e in exponents]
    flat: list[Tree] = []
    for part in parts:
        if is_constant(part):
            coefficient = _times(coefficient, part)
        elif part[0] == "*":
            return multiply([coefficient, *parts])
        else:
            flat.append(part)
    if not flat:
        return coefficient
    rest = flat[0] if len(flat) == 1 else ("*", *flat)
    return joined(coefficient, rest)


def _all_scaled(tree: Tree, outer: Tree) -> bool:
    """A sum each of whose terms has a coefficient, one of them free: a scale of the sum costs it nothing.

    Beside a free coefficient a constant term of 1 is as good as any other.
    """
    if tree[0] != "+":
        return False
    terms = tree[1:-1] if outer[0] == "k" and is_constant(tree[-1]) else tree[1:]
    coefficients = [split(term)[0] for term in terms]
    return all(c not in (ONE, ("n", Fraction(-1))) for c in coefficients) and any(c[0] == "k" for c in coefficients)


def scaled_sum(tree: Tree, factor: Tree) -> Tree:
    """Each term of a sum times a constant."""
    return add([joined(_times(c, factor), r) for c, r in map(split, tree[1:])])


def _one_scale(coefficient: Tree, bases: list[tuple[Tree, Fraction]]) -> tuple[Tree, list[tuple[Tree, Fraction]]]:
    """The scales of sums beside each other, and beside a coefficient, gathered in one constant."""
    places = [i for i, (base, _) in enumerate(bases) if _all_scaled(base, coefficient)]
    if not places or (len(places) == 1 and coefficient in (ONE, ("n", Fraction(-1)))):
        return coefficient, bases
    found = list(bases)
    for place in places:
        base, exponent = found[place]
        scale = split(base[1])[0]
        if exponent.denominator != 1:
            scale = free(abs(value_of(scale)))
        inverse = raised(scale, Fraction(-1))
        taken = raised(scale, exponent)
        if not (math.isfinite(value_of(inverse)) and math.isfinite(value_of(taken))) or value_of(taken) == 0:
            continue
        coefficient = _times(coefficient, taken)
        found[place] = _first_bare(scaled_sum(base, inverse), exponent), exponent
    return coefficient, found


def _first_bare(tree: Tree, exponent: Fraction) -> Tree:
    """The scaled sum with the coefficient of its first term exactly 1 (or -1 under a root)."""
    if tree[0] != "+":
        return tree
    coefficient, rest = split(tree[1])
    sign = Fraction(-1 if value_of(coefficient) < 0 else 1)
    return ("+", joined(("n", sign), rest), *tree[2:])


def power(base: Tree, exponent: Tree) -> Tree:
    """base^exponent of normal trees."""
    if exponent == ONE:
        return base
    if exponent == ZERO:
        return ONE
    if is_constant(base) and is_constant(exponent):
        return raised(base, exponent[1] if exponent[0] == "n" else value_of(exponent))
    if not is_constant(exponent):
        return ("^", base, exponent)
    if base[0] == "exp":
        return call("exp", [multiply([exponent, base[1]])])
    whole = exponent[0] == "n" and exponent[1].denominator == 1
    coefficient, rest = split(base)
    if ONE not in (coefficient, rest):
        sign = ONE
        if not whole and value_of(coefficient) < 0:
            sign, coefficient = ("n", Fraction(-1)), _times(("n", Fraction(-1)), coefficient)
        if coefficient != ONE:
            scale = raised(coefficient, exponent[1] if exponent[0] == "n" else value_of(exponent))
            return multiply([scale, power(joined(sign, rest), exponent)])
    if base[0] == "*" and whole:
        return multiply([power(factor, exponent) for factor in base[1:]])
    if base[0] == "^" and exponent[0] == "n" and base[2][0] == "n":
        inner, outer = base[2][1], exponent[1]
        if whole or inner.denominator % 2 == 0 or (inner.numerator % 2 and (inner * outer).denominator % 2):
            return power(base[1], ("n", inner * outer))
        if inner.numerator % 2 == 0:
            return power(call("Abs", [base[1]]), ("n", inner * outer))
    if base[0] == "Abs" and whole and exponent[1] % 2 == 0:
        return power(base[1], exponent)
    return ("^", base, exponent)


def call(head: str, parts: Sequence[Tree]) -> Tree:
    """Any other function of normal trees."""
    if all(is_constant(part) for part in parts):
        return _folded(head, parts)
    inner = parts[0]
    if head == "exp":
        return _exponential(inner)
    coefficient, rest = split(inner)
    if head == "log":
        if ONE not in (rest, coefficient) and value_of(coefficient) > 0:
            return add([call("log", [rest]), free(math.log(value_of(coefficient)))])
        if inner[0] == "exp":
            return tuple(inner[1])
    if head == "Abs":
        if ONE not in (rest, coefficient):
            size = coefficient if value_of(coefficient) > 0 else _times(("n", Fraction(-1)), coefficient)
            return multiply([size, call("Abs", [rest])])
        if inner[0] in ("Abs", "exp") or (inner[0] == "^" and inner[2][0] == "n" and inner[2][1] % 2 == 0):
            return inner
    return (head, *parts)


def _exponential(inner: Tree) -> Tree:
    """exp of a sum: a constant term is a factor, a multiple of a logarithm a power."""
    terms = inner[1:] if inner[0] == "+" else (inner,)
    outside: list[Tree] = []
    inside: list[Tree] = []
    for term in terms:
        coefficient, rest = split(term)
        if rest == ONE:
            try:
                outside.append(free(math.exp(value_of(coefficient))))
            except OverflowError:
                inside.append(term)
        elif rest[0] == "log":
            outside.append(power(rest[1], coefficient))
        else:
            inside.append(term)
    if not outside:
        return ("exp", inner)
    left: list[Tree] = [("exp", add(inside))] if inside else []
    return multiply([*outside, *left])


def _folded(head: str, parts: Sequence[Tree]) -> Tree:
    from sr2hls.search.refine.program import evaluate

    return free(float(evaluate((head, *parts), {})))
