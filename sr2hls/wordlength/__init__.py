"""Steps, error targets and limits → the cheapest words whose proven error meets the targets.

The proof is the judge: every candidate is lowered and certified, and one that misses a target is never taken.
"""

from sr2hls.wordlength.bench import Bench, Outcome
from sr2hls.wordlength.descent import EFFORTS, cheapest_words
from sr2hls.wordlength.forms import PATIENCE, Chosen, cheapest_form
from sr2hls.wordlength.ladder import Fitted, Rung, fitted
from sr2hls.wordlength.limits import Limits
from sr2hls.wordlength.price import Bill, Timing, bill_of

__all__ = [
    "EFFORTS",
    "PATIENCE",
    "Bench",
    "Bill",
    "Chosen",
    "Fitted",
    "Limits",
    "Outcome",
    "Rung",
    "Timing",
    "bill_of",
    "cheapest_form",
    "cheapest_words",
    "fitted",
]
