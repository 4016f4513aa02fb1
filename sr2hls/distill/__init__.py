"""Trajectories of bodies to a force law to a circuit: the room of the distillation of graph networks."""
