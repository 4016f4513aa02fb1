"""A target's name → `Target`: part, clock, and the delay and area of every operation, read from its TOML file."""

from sr2hls.targets.model import NO_DSP, Area, Target, load_target, target_file, target_names

__all__ = ["NO_DSP", "Area", "Target", "load_target", "target_file", "target_names"]
