"""What a distillation did, a `Story`, to files for people: figures, report.html and report.json."""

from sr2hls.distill.report.panels import panels
from sr2hls.distill.report.story import Candidate, Case, Curve, Formula, Front, Panel, Story, versions
from sr2hls.distill.report.write import write_report

__all__ = [
    "Candidate",
    "Case",
    "Curve",
    "Formula",
    "Front",
    "Panel",
    "Story",
    "panels",
    "versions",
    "write_report",
]
