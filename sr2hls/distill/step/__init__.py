"""A force law to the circuit of one whole step of N bodies: parallel (II = 1) or serial (one edge unit, II = N)."""

from sr2hls.distill.step.model import Motion, edge_model, fields_of, node_model, step_model
from sr2hls.distill.step.parallel import ParallelStep, parallel_step
from sr2hls.distill.step.serial import SerialStep, serial_step
from sr2hls.distill.step.trajectory import Driven, trajectory
from sr2hls.distill.step.words import Words, words_of

__all__ = [
    "Driven",
    "Motion",
    "ParallelStep",
    "SerialStep",
    "Words",
    "edge_model",
    "fields_of",
    "node_model",
    "parallel_step",
    "serial_step",
    "step_model",
    "trajectory",
    "words_of",
]
