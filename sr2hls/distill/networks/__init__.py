"""Graphs to trained networks: the only files that import torch; this one says what to install where it is missing."""

from sr2hls.distill.extras import need

need("torch")
