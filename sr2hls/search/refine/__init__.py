"""The second stage of a search, for every engine: prune, refit, compile, rank. `stage.refine` does all of it."""

from sr2hls.search.refine.rank import front, hall_of_fame
from sr2hls.search.refine.selection import best
from sr2hls.search.refine.size import nodes
from sr2hls.search.refine.stage import refine
from sr2hls.search.refine.text import equation_text

__all__ = ["best", "equation_text", "front", "hall_of_fame", "nodes", "refine"]
