"""The table of exact identities: each rule takes a sub-expression, or a whole form, and gives equal ones.

| file | identities |
|---|---|
| sums | a·b + a·c = a·(b + c) and back; a² - b² = (a - b)·(a + b); common denominators; nested fractions |
| powers | 1/x·1/y = 1/(x·y), √x·√y = √(x·y) and back; x·y = exp(log x + log y); quarter squares |
| functions | exp(a)·exp(b) = exp(a + b), log(a·b) = log a + log b, and back; products of sines as sums, and back |
| arguments | f(x - y) = f(w), w = x - y; x³·f(x/y) = y³·w³·f(w), w = x/y |
| shared | one power of a base from another (1/x² from 1/x); products and powers of e that several terms share |

An identity that holds only where both sides are defined is applied here without a question: the analysis of the
rewritten formulas on the ranges at hand refuses what would be undefined (log x + log y where both are negative), and
the original formulas were analyzed first, so nothing undefined becomes defined.
"""

from __future__ import annotations

from collections.abc import Iterator

from sr2hls.rewrite.form import Form, places, rewritten
from sr2hls.rewrite.rules import arguments, functions, powers, shared, sums

LOCAL = (*sums.RULES, *powers.RULES, *functions.RULES, *arguments.RULES)
GLOBAL = shared.RULES
NAMES = tuple(name for name, _ in (*LOCAL, *GLOBAL))
RARE = frozenset({"product by logarithms", "quarter squares"})  # seldom worth it, and at every product


def neighbors(form: Form, *, rare: bool) -> Iterator[Form]:
    """Every form that one rule at one place leads to, in a fixed order; with or without the rules of `RARE`."""
    for node in places(form):
        for name, rule in LOCAL:
            for after, part in rule(node) if rare or name not in RARE else ():
                if after != node:
                    yield rewritten(form, name, {node: after}, part)
    for name, search in GLOBAL:
        for changes, part in search(form):
            yield rewritten(form, name, changes, part)
