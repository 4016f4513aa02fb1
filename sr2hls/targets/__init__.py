"""A target's name → `Target`: part, clock, and the delay and area of every operation, read from its TOML file."""

from sr2hls.targets.model import Area, Target, load_target, target_file, target_names

__all__ = ["Area", "Target", "load_target", "target_file", "target_names"]
