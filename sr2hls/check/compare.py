"""Output codes of an engine against `interpret` → the first sample that differs, with the value of every node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sr2hls.check.engine import EngineResult
from sr2hls.circuit import Circuit
from sr2hls.design import Design
from sr2hls.errors import MismatchError
from sr2hls.interpret import Codes, interpret


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The first difference of one engine from the interpreter. All values are integer codes."""

    engine: str
    design: str
    output: str
    sample: int
    expected: int
    found: int
    count: int  # samples of this output that differ
    inputs: dict[str, int]
    nodes: tuple[str, ...]  # one line per node: what it is, its format, its code

    def __str__(self) -> str:
        inputs = ", ".join(f"{name}={code}" for name, code in self.inputs.items())
        return (
            f"{self.engine} disagrees on design '{self.design}': output '{self.output}' is {self.found}, expected "
            f"{self.expected}, at sample {self.sample} ({inputs}); {self.count} samples differ"
        )


def reference(design: Design, inputs: Mapping[str, ArrayLike]) -> dict[str, Codes]:
    """The output codes by the interpreter, shape (n,)."""
    return interpret(design.circuit, inputs)


def first_mismatch(
    design: Design,
    inputs: Mapping[str, ArrayLike],
    result: EngineResult,
    expected: Mapping[str, Codes] | None = None,
) -> Mismatch | None:
    """The first sample, over all outputs, whose codes differ; None when all agree.

    Args:
        inputs: the codes that the engine was given.
        expected: from `reference`, where it is at hand.

    Raises:
        MismatchError: an output is missing or has another number of samples.
    """
    expected = reference(design, inputs) if expected is None else expected
    worst: Mismatch | None = None
    for name, wanted in expected.items():
        found = result.outputs.get(name)
        if found is None or found.shape != wanted.shape:
            got = "missing" if found is None else f"{found.size} samples long, not {wanted.size}"
            raise MismatchError(f"{result.engine}, design '{design.name}': output '{name}' is {got}")
        different = np.flatnonzero(found != wanted)
        if different.size and (worst is None or different[0] < worst.sample):
            at = int(different[0])
            sample = {port: int(np.asarray(inputs[port])[at]) for port in design.input_formats}
            worst = Mismatch(
                engine=result.engine,
                design=design.name,
                output=name,
                sample=at,
                expected=int(wanted[at]),
                found=int(found[at]),
                count=int(different.size),
                inputs=sample,
                nodes=node_values(design.circuit, sample),
            )
    return worst


def require_equal(
    design: Design,
    inputs: Mapping[str, ArrayLike],
    result: EngineResult,
    expected: Mapping[str, Codes] | None = None,
) -> None:
    """Raise MismatchError unless all codes agree and a measured latency is the promised one."""
    mismatch = first_mismatch(design, inputs, result, expected)
    if mismatch is not None:
        raise MismatchError("\n  ".join((str(mismatch), *mismatch.nodes)))
    if result.latency is not None and result.latency != design.latency:
        raise MismatchError(
            f"{result.engine}, design '{design.name}': the latency is {result.latency} cycles, "
            f"but {design.latency} were promised"
        )


def node_values(circuit: Circuit, sample: Mapping[str, int]) -> tuple[str, ...]:
    """One line per node with its code on one sample."""
    whole = Circuit(circuit.nodes, tuple((f"n{i}", i) for i in range(len(circuit.nodes))), circuit.tables)
    codes = interpret(whole, {name: [code] for name, code in sample.items()})
    return tuple(
        f"n{i} = {node.op.value}({', '.join(f'n{a}' for a in node.args)}) {node.format} = {int(codes[f'n{i}'][0])}"
        + (f"  {node.origin}" if node.origin else "")
        for i, node in enumerate(circuit.nodes)
    )
