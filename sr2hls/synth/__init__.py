"""Verilog and HLS files → numbers of the synthesis tools: resources, clock frequency, latency, as plain JSON data."""

from sr2hls.synth.run import TOOLS, synthesize

__all__ = ["TOOLS", "synthesize"]
