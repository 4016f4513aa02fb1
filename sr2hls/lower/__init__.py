"""`Program` + error budgets → `Circuit` and the ledger of its errors."""

from sr2hls.lower.pieces import in_pieces, lowered_in_pieces
from sr2hls.lower.program import Lowered, lower
from sr2hls.lower.state import Entry, Words
from sr2hls.lower.within import lower_within

__all__ = ["Entry", "Lowered", "Words", "in_pieces", "lower", "lower_within", "lowered_in_pieces"]
