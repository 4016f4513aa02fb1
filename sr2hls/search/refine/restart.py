"""A fit → the same formula fitted from other frequencies: a sine fitted from a wrong one ends in a local minimum."""

from __future__ import annotations

import math

from sr2hls.search.refine.constants import Fit, Rows, refit
from sr2hls.search.refine.tree import Path, Tree, free, replaced, walk

_FREQUENCIES = (0.3, 0.6, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.5, 9.0)
_FIRST_STEPS = 6
_MOST = 3  # frequencies of one formula that are tried


def refitted_waves(fit: Fit, rows: Rows) -> Fit:
    """The best fit from any start; the given one where none is better."""
    best = fit
    for path in _frequencies(fit.tree)[:_MOST]:
        sign = math.copysign(1.0, dict(walk(fit.tree))[path][1])
        starts = [refit(replaced(fit.tree, path, free(sign * f)), rows, steps=_FIRST_STEPS) for f in _FREQUENCIES]
        nearest = min(starts, key=lambda start: start.loss)
        best = min(best, refit(nearest.tree, rows), key=lambda found: found.loss)
    return best


def _frequencies(tree: Tree) -> list[Path]:
    """Where the free coefficients of products inside a sine or cosine stand."""
    found = []
    for path, node in walk(tree):
        if node[0] in ("sin", "cos"):
            found += [
                (*path, *inner, 0)
                for inner, part in walk(node)
                if part[0] == "*" and part[1][0] == "k" and len(inner) <= 2
            ]
    return list(dict.fromkeys(found))
