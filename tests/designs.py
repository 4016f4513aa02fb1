"""A seed → a random `Design` over the whole vocabulary with random legal stages, for tests of the backends."""

from __future__ import annotations

import random

from random_circuits import random_circuit

from sr2hls.circuit import Circuit
from sr2hls.design import Certificate, Design
from sr2hls.targets import Target

NO_PROOF = Certificate(outputs=(), nodes=(), domain=())


# the backends print a target's name and read nothing else of it
ANY_TARGET = Target(name="xc7-2", part="xc7k325tffg900-2", family="xc7", clock_ns=5.0, estimate=True)


def make_design(
    name: str,
    circuit: Circuit,
    cycles: tuple[int, ...] | None = None,
    stages: int | None = None,
    *,
    register_inputs: bool = False,
    register_outputs: bool = False,
) -> Design:
    """A design around a circuit; all nodes in stage 0 unless `cycles` says otherwise."""
    cycles = cycles or (0,) * len(circuit.nodes)
    return Design(
        name=name,
        circuit=circuit,
        cycles=cycles,
        stages=stages or max(cycles) + 1,
        register_inputs=register_inputs,
        register_outputs=register_outputs,
        clock_ns=5.0,
        target=ANY_TARGET,
        certificate=NO_PROOF,
        provenance={},
    )


def random_cycles(circuit: Circuit, rng: random.Random, stages: int) -> tuple[int, ...]:
    """Random stages below `stages`: inputs in stage 0, no node before its arguments."""
    step = rng.choice((0.05, 0.15, 0.4))
    cycles: list[int] = []
    for node in circuit.nodes:
        earliest = max((cycles[arg] for arg in node.args), default=0)
        wait = 0
        while node.args and rng.random() < step and earliest + wait < stages - 1:
            wait += 1
        cycles.append(earliest + wait)
    return tuple(cycles)


def random_design(
    seed: int, operations: int = 20, most_stages: int = 6, *, prefix: str = "random", circuit: Circuit | None = None
) -> Design:
    """A random circuit (or the given one), 1 to `most_stages` stages; the seed modulo 4 picks the register mode."""
    rng = random.Random(seed * 7919 + 1)
    circuit = circuit or random_circuit(seed, operations)
    stages = rng.randint(1, most_stages)
    cycles = random_cycles(circuit, rng, stages)
    return make_design(
        f"{prefix}_{seed}",
        circuit,
        cycles,
        rng.randint(max(cycles) + 1, max(stages, max(cycles) + 1)),  # may end in empty stages, as --latency pads
        register_inputs=bool(seed & 1),
        register_outputs=bool(seed & 2),
    )
