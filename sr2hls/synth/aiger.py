"""Pairs of literals of a graph → a file in the AIGER format (Biere, 2007), and ABC's answer whether they are equal."""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from sr2hls.check.toolchain import wheel_folder
from sr2hls.errors import ToolError
from sr2hls.synth.gate_simulation import evaluate, value
from sr2hls.synth.gates import AND, Graph

EQUAL, DIFFERENT, UNKNOWN = "equal", "different", "unknown"
Pair = tuple[int, int]


def equal(graph: Graph, pairs: Sequence[Pair], seconds: float, possible: int = 1) -> tuple[str, dict[int, bool]]:
    """Whether the literals of every pair are equal for all inputs for which `possible` is 1, as ABC's `&cec` proves it.

    Returns the answer and, where it is "different", an example: input node → its value. Nodes that are no ANDs count
    as inputs. "unknown" is the answer when the time is over. Raises ToolError when ABC is missing or fails.
    """
    different = 0  # one output: with more, `&cec -m` takes a network for proven when one of them is
    for pair in pairs:
        different = graph.either(different, graph.differ(*pair))
    different = graph.both(possible, different)
    if different == 0:
        return EQUAL, {}
    nodes = cone(graph, [different >> 1])
    with tempfile.TemporaryDirectory(prefix="sr2hls_abc_") as name:
        folder, deadline = Path(name), time.monotonic() + seconds
        (folder / "miter.aig").write_bytes(aiger(graph, nodes, [different]))
        _abc("&r miter.aig; &fraig -x; &w swept.aig", folder, seconds)
        swept = folder / "swept.aig"
        if swept.is_file() and _is_zero(swept.read_bytes()):
            return EQUAL, {}
        left = deadline - time.monotonic()
        log = _abc(f"&r {'swept' if swept.is_file() else 'miter'}.aig; &cec -m -T {max(1, int(left))}", folder, left)
    if re.search(r"^Networks are equivalent", log, re.MULTILINE):
        return EQUAL, {}
    if "NOT EQUIVALENT" not in log:
        return UNKNOWN, {}
    found = re.search(r"^INPUT: a = \d+'h([0-9A-Fa-f]+)", log, re.MULTILINE)
    return DIFFERENT, _example(graph, nodes, different, int(found[1], 16) if found else 0)


def _is_zero(text: bytes) -> bool:
    """Whether a file of one output says that it is the constant 0."""
    head, output = text.split(b"\n", 2)[:2]
    return head.split()[:1] == [b"aig"] and head.split()[3:] == [b"0", b"1", b"0"] and output == b"0"


def _example(graph: Graph, nodes: Sequence[int], different: int, code: int) -> dict[int, bool]:
    """The inputs that ABC prints as one number; {} unless something differs for them."""
    free = [node for node in nodes if graph.kinds[node] != AND]
    for places in (range(len(free)), reversed(range(len(free)))):
        example = {node: code >> place & 1 for node, place in zip(free, places, strict=True)}
        if value(evaluate(graph, example, 1), different, 1):
            return {node: bool(bit) for node, bit in example.items()}
    return {}


def cone(graph: Graph, roots: Iterable[int]) -> list[int]:
    """All nodes before the roots, in order, without the constant; nodes that are no ANDs first."""
    wanted, stack = set[int](), list(roots)
    while stack:
        node = stack.pop()
        if node and node not in wanted:
            wanted.add(node)
            if graph.kinds[node] == AND:
                stack += (graph.left[node] >> 1, graph.right[node] >> 1)
    return sorted(wanted, key=lambda node: (graph.kinds[node] == AND, node))


def aiger(graph: Graph, nodes: Sequence[int], outputs: Sequence[int]) -> bytes:
    """The binary form; `nodes` as `cone` gives them."""
    numbers = {0: 0} | {node: number for number, node in enumerate(nodes, 1)}
    free = sum(graph.kinds[node] != AND for node in nodes)
    gates = nodes[free:]

    def literal(bit: int) -> int:
        return 2 * numbers[bit >> 1] + (bit & 1)

    head = f"aig {len(nodes)} {free} 0 {len(outputs)} {len(gates)}\n"
    text = bytearray((head + "".join(f"{literal(bit)}\n" for bit in outputs)).encode())
    for node in gates:
        low, high = sorted((literal(graph.left[node]), literal(graph.right[node])))
        for delta in (2 * numbers[node] - high, high - low):
            rest = delta
            while rest >= 128:
                text.append(rest & 127 | 128)
                rest >>= 7
            text.append(rest)
    return bytes(text)


def abc_program() -> Path:
    """The ABC that comes with pyosys. Raises ToolError when it is missing."""
    path = wheel_folder("pyosys", "pyosys") / "yosys-abc"
    if not path.is_file():
        raise ToolError("the installed 'pyosys' package has no yosys-abc; install it with 'pip install pyosys'")
    return path


def _abc(command: str, folder: Path, seconds: float) -> str:
    if seconds <= 0:
        return ""
    try:
        done = subprocess.run(
            [str(abc_program()), "-c", command],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=seconds,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return ""
    if done.returncode:
        raise ToolError(f"yosys-abc failed (exit code {done.returncode})")
    return done.stdout
