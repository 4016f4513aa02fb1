"""A tree fitted to some of the rows → the same with its constants refitted, and made simple numbers, on all rows."""

from __future__ import annotations

from sr2hls.search.refine.constants import Fit, Rows, refit
from sr2hls.search.refine.edits import simpler
from sr2hls.search.refine.normal import normal
from sr2hls.search.refine.prune import Criterion
from sr2hls.search.refine.tree import LEAVES, Path, Tree, freed, replaced, value_of, walk

_STEPS = 20
_QUICK_STEPS = 3


def settled(tree: Tree, rows: Rows, judge: Criterion) -> Fit:
    """The fit of the least criterion: of the tree as it is, or with its numbers free and made simple one by one."""
    kept = refit(tree, rows, steps=_STEPS)
    best = refit(normal(freed(tree)), rows, steps=_STEPS)
    for path in [path for path, node in walk(best.tree) if node[0] == "k"]:
        best = min([best, *_trials(best.tree, path, rows)], key=judge.of)
    best = refit(normal(best.tree), rows, steps=_STEPS)
    return min(kept, best, key=judge.of)


def _trials(tree: Tree, path: Path, rows: Rows) -> list[Fit]:
    """The constant at the path as a simpler number; not as one that would make the tree another one."""
    node = tree
    for place in path:
        if node[0] in LEAVES or place + 1 >= len(node):
            return []
        node = node[place + 1]
    if node[0] != "k":
        return []
    options = [option for option in simpler(node, exponent=False) if option[0] != "k" and abs(value_of(option)) > 0]
    return [refit(replaced(tree, path, option), rows, steps=_QUICK_STEPS) for option in options]
