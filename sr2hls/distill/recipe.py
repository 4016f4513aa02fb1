"""What the user asks of a training → `Recipe`. Defaults: the fast recipe for two cores that recovers the force laws."""

from __future__ import annotations

from dataclasses import dataclass

STRATEGIES = ("standard", "bottleneck", "l1", "kl", "pruning", "newton", "hamiltonian")


@dataclass(frozen=True, slots=True)
class Recipe:
    """Of one training.

    strategy: see `sr2hls.distill.networks.strategies`; hidden, depth: of each perceptron; message: width of a message
    (the strategies that fix it do not look); steps, batch: of Adam with a one-cycle learning rate up to `rate`; weight:
    of the strategy's penalty, None: its default; soften: accelerations above this many units weigh less, |err|
    s/(s + |a|), None: all alike (mean absolute error); inputs: "relative" (x_i - x_j) or "absolute" (x_i, x_j, with
    random shifts of the whole graph); bf16: the first 85 % of the steps in bfloat16, None: where the processor has it;
    seed; every: uses every n-th snapshot of a trajectory; own: factor on what a node perceptron sees of the body
    itself: below 1 messages tend to be such that it need not multiply them by the receiver's mass or charge.
    """

    strategy: str = "bottleneck"
    hidden: int = 32
    depth: int = 3
    message: int = 16
    steps: int = 3000
    batch: int = 128
    rate: float = 1e-2
    weight: float | None = None
    soften: float | None = None
    inputs: str = "relative"
    bf16: bool | None = None
    seed: int = 0
    every: int = 5
    own: float = 1.0
