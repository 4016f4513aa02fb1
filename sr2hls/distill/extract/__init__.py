"""A `Record` of a trained network to what its messages mean: significance, verdict against the truth, frame."""

from sr2hls.distill.extract.frame import Framed, frame, in_frame
from sr2hls.distill.extract.recovery import Verdict, verdict
from sr2hls.distill.extract.significance import Significance, significance, top, with_messages
from sr2hls.distill.extract.trimmed import Fit, trimmed_fit

__all__ = [
    "Fit",
    "Framed",
    "Significance",
    "Verdict",
    "frame",
    "in_frame",
    "significance",
    "top",
    "trimmed_fit",
    "verdict",
    "with_messages",
]
