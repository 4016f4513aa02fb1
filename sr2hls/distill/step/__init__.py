"""A force law to the circuit of one whole step of N bodies: parallel (II = 1) or serial (one edge unit, II = N)."""

from sr2hls.distill.step.model import Motion, edge_model, fields_of, gauged, node_model, pair_model, step_model
from sr2hls.distill.step.parallel import ParallelStep, parallel_step
from sr2hls.distill.step.serial import SerialStep, serial_step
from sr2hls.distill.step.simulate import simulate_serial
from sr2hls.distill.step.top import check_folder, save, step_files
from sr2hls.distill.step.trajectory import Driven, trajectory
from sr2hls.distill.step.words import Words, words_of

__all__ = [
    "Driven",
    "Motion",
    "ParallelStep",
    "SerialStep",
    "Words",
    "check_folder",
    "edge_model",
    "fields_of",
    "gauged",
    "node_model",
    "pair_model",
    "parallel_step",
    "save",
    "serial_step",
    "simulate_serial",
    "step_files",
    "step_model",
    "trajectory",
    "words_of",
]
