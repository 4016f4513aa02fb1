"""True and predicted accelerations → the error of each graph."""

from __future__ import annotations

from torch import Tensor

from sr2hls.distill.networks.network import Passed


def error(passed: Passed, true: Tensor, soften: float | None) -> Tensor:
    """(b, n, d) → (b,): Σ over bodies and axes of |a - â|, in the data's units; with `soften` = s every body weighs
    s / (s + |a|), so that a few close encounters do not decide everything. |a| is the sum over axes.
    """
    per_body = (passed.accelerations.float() - true).abs().sum(2)
    if passed.residual is not None:
        per_body = per_body + passed.residual.float().abs().sum(2)
    if soften is not None:
        per_body = per_body * (soften / (soften + true.abs().sum(2)))
    return per_body.sum(1)
