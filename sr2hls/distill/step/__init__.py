"""A force law to the circuit of one whole step of N bodies: parallel (II = 1) or serial (one edge unit, II = N)."""

from sr2hls.distill.step.model import edge_model, fields_of, node_model, step_model
from sr2hls.distill.step.words import Words, words_of

__all__ = ["Words", "edge_model", "fields_of", "node_model", "step_model", "words_of"]
