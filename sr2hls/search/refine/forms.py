"""A fitted tree → equal formulas that compile to different circuits; the compiler judges which one is better."""

from __future__ import annotations

from sr2hls.search.refine.expand import expanded, factored, together
from sr2hls.search.refine.normal import normal
from sr2hls.search.refine.size import size
from sr2hls.search.refine.tree import Tree

_GROWTH = 8  # nodes that a form may have more than the formula


def forms(tree: Tree) -> tuple[Tree, ...]:
    """The tree itself first; then as sum of products, in Horner's form, and over one denominator, where they differ."""
    given = normal(tree)
    wide = expanded(given)
    found = {given: None, wide: None, factored(given): None, factored(wide): None, together(wide): None}
    return tuple(form for form in found if form == given or size(form) <= size(given) + _GROWTH)
