"""A tree → equal trees: products multiplied out, common factors taken out, sums over one denominator."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from sr2hls.search.refine.normal import add, is_constant, joined, multiply, normal, power, split
from sr2hls.search.refine.size import size
from sr2hls.search.refine.tree import LEAVES, ONE, Tree

_MOST_TERMS = 40


def expanded(tree: Tree) -> Tree:
    """Products over sums and their whole powers up to the third multiplied out; what gets too long stays as it is."""
    if tree[0] in LEAVES:
        return tree
    parts = [expanded(child) for child in tree[1:]]
    if tree[0] == "*":
        return _multiplied(parts)
    if tree[0] == "^" and parts[0][0] == "+" and parts[1] in (("n", Fraction(2)), ("n", Fraction(3))):
        return _multiplied([parts[0]] * int(parts[1][1]))
    return normal((tree[0], *parts))


def _multiplied(factors: list[Tree]) -> Tree:
    flat = [f for factor in factors for f in (factor[1:] if factor[0] == "*" else (factor,))]
    terms: list[list[Tree]] = [[]]
    for factor in flat:
        options = factor[1:] if factor[0] == "+" else (factor,)
        terms = [[*term, option] for term in terms for option in options]
        if len(terms) > _MOST_TERMS:
            return multiply(factors)
    return add([multiply(term) for term in terms])


def _factors(term: Tree) -> list[tuple[Tree, Fraction]]:
    """Bases and rational exponents of a term, its coefficient left out."""
    _, rest = split(term)
    if rest == ONE:
        return []
    found = []
    for factor in rest[1:] if rest[0] == "*" else (rest,):
        if factor[0] == "^" and factor[2][0] == "n":
            found.append((factor[1], factor[2][1]))
        else:
            found.append((factor, Fraction(1)))
    return found


def factored_once(tree: Tree) -> Iterator[Tree]:
    """A sum with one factor taken out of all terms that share it, for each such factor."""
    if tree[0] != "+":
        return
    holders: dict[tuple[Tree, int], list[tuple[int, Fraction]]] = {}
    for place, term in enumerate(tree[1:]):
        for base, exponent in _factors(term):
            if not is_constant(base):
                holders.setdefault((base, 1 if exponent > 0 else -1), []).append((place, exponent))
    for (base, _), found in holders.items():
        if len(found) < 2:
            continue
        shared = min((e for _, e in found), key=abs)
        taken = {place for place, _ in found}
        common = power(base, ("n", shared))
        inverse = power(base, ("n", -shared))
        inside = add([multiply([term, inverse]) for i, term in enumerate(tree[1:]) if i in taken])
        outside = [term for i, term in enumerate(tree[1:]) if i not in taken]
        yield add([joined_product(common, inside), *outside])


def joined_product(common: Tree, inside: Tree) -> Tree:
    """A factor times a sum."""
    coefficient, rest = split(inside)
    return joined(coefficient, multiply([common, rest])) if rest != ONE else multiply([common, coefficient])


def factored(tree: Tree) -> Tree:
    """Common factors taken out of every sum while that makes the tree smaller; of a polynomial, Horner's form."""
    if tree[0] in LEAVES:
        return tree
    best = normal((tree[0], *[factored(child) for child in tree[1:]]))
    while best[0] == "+":
        options = sorted(factored_once(best), key=size)
        if not options or size(options[0]) >= size(best):
            break
        best = options[0]
    if best[0] == "+":
        return add([_inside(term) for term in best[1:]])
    return _inside(best)


def _inside(term: Tree) -> Tree:
    """The sums that are factors of a term, factored themselves."""
    if term[0] != "*":
        return term
    return multiply([factored(f) if f[0] == "+" and size(f) < size(term) else f for f in term[1:]])


def together(tree: Tree) -> Tree:
    """A sum of quotients as one quotient."""
    if tree[0] != "+":
        return tree
    powers: dict[Tree, Fraction] = {}
    for term in tree[1:]:
        for base, exponent in _factors(term):
            if exponent < 0:
                powers[base] = min(powers.get(base, Fraction(0)), exponent)
    if not powers:
        return tree
    below = [power(base, ("n", e)) for base, e in powers.items()]
    above = [power(base, ("n", -e)) for base, e in powers.items()]
    return multiply([add([multiply([term, *above]) for term in tree[1:]]), *below])
