"""A fitted tree → constants for the inputs as the circuit sees them, rounded to a few bits.

The circuit's own error is proven small, so what a narrow word costs is the rounding of the inputs. Constants fitted to
the rounded inputs take up what can be taken up of it; kept only where rows that the fit did not see agree.
"""

from __future__ import annotations

import numpy as np

from sr2hls.search.problem import Problem
from sr2hls.search.refine.circuit import quantized, words_of
from sr2hls.search.refine.constants import Rows, loss_of, refit
from sr2hls.search.refine.tree import Tree, constants
from sr2hls.search.settings import Settings

_STEPS = 20
_GAIN = 0.998  # of the loss, on the rows that judge
_EVERY = 4  # one row in so many judges


def for_quantized_inputs(tree: Tree, train: Problem, settings: Settings) -> Tree | None:
    """The tree with constants fitted to the rounded training rows; None where that is no gain."""
    if not constants(tree) or train.rows < 8 * _EVERY:
        return None
    rounded = quantized(train, words_of(train, settings.width))
    judges = np.arange(train.rows) % _EVERY == _EVERY - 1
    fitted = Rows.of(rounded.part(np.flatnonzero(~judges)))
    judging = Rows.of(rounded.part(np.flatnonzero(judges)))
    blind = refit(tree, Rows.of(train.part(np.flatnonzero(~judges))), steps=_STEPS)
    aware = refit(tree, fitted, steps=_STEPS)
    if not loss_of(aware.tree, judging) < _GAIN * loss_of(blind.tree, judging):
        return None
    return refit(tree, Rows.of(rounded), steps=_STEPS).tree
