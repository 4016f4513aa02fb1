"""`Program` + error budgets → `Circuit` and the ledger of its errors."""

from sr2hls.lower.program import Entry, Lowered, lower

__all__ = ["Entry", "Lowered", "lower"]
