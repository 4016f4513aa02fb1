"""Simulated bodies with known force laws: a system's name to its trajectories, true forces, energy and formula.

A family of systems is one file in `families` with a tuple `SYSTEMS`; adding a file adds its systems.
"""

from sr2hls.distill.systems.definition import System
from sr2hls.distill.systems.exact import canonical, energy, forces, momentum, truth
from sr2hls.distill.systems.registry import names, system
from sr2hls.distill.systems.simulation import simulate

__all__ = ["System", "canonical", "energy", "forces", "momentum", "names", "simulate", "system", "truth"]
