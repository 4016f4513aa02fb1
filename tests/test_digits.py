"""Shared digits of linear sums: equal values, never more adders, bounded depth; exact circuits, verified again."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from sr2hls.builder import CircuitBuilder
from sr2hls.check.vectors import input_vectors
from sr2hls.circuit import Op
from sr2hls.compiler import Options, compile_model
from sr2hls.design import Design
from sr2hls.emit.verilog import verilog
from sr2hls.formats import Format
from sr2hls.interpret import interpret
from sr2hls.load import load
from sr2hls.lower import adders
from sr2hls.lower.adders import Plans, built, cheapest, sum_by_depth
from sr2hls.lower.arrival import Arrivals
from sr2hls.lower.digits import Row, Shared, shared
from sr2hls.lower.linear import signed_digits
from sr2hls.targets import load_target
from sr2hls.verify import verify_design

TARGET = load_target("xc7-2")
WORD = Format.parse("fixed<8,8>")
ADDERS = (Op.ADD, Op.SUB)


def rows_of(matrix: Sequence[Sequence[int]]) -> tuple[Row, ...]:
    return tuple(tuple((s, p, j) for j, k in enumerate(row) for s, p in signed_digits(Fraction(k))) for row in matrix)


def values(graph: Shared, operands: Sequence[int]) -> list[int]:
    """The rows of a graph, by integers."""
    known = list(operands)
    for pair in graph.pairs:
        known.append(known[pair.first] + pair.sign * 2**pair.shift * known[pair.second])
    return [sum(sign * known[number] * 2**power for sign, power, number in row) for row in graph.rows]


def depths(graph: Shared) -> list[int]:
    """The least depth of each row's tree."""
    known = [0] * graph.operands
    for pair in graph.pairs:
        known.append(1 + max(known[pair.first], known[pair.second]))
    return [(sum(2 ** known[number] for _, _, number in row) - 1).bit_length() for row in graph.rows]


def drawn(seed: int) -> list[list[int]]:
    rng = random.Random(seed)
    most = rng.choice((7, 127, 2000))
    return [[rng.randint(-most, most) for _ in range(columns)] for columns in [rng.randint(1, 5)] * rng.randint(1, 4)]


@pytest.mark.parametrize("seed", range(60))
def test_the_graph_is_the_rows(seed: int) -> None:
    matrix = drawn(seed)
    rows, rng = rows_of(matrix), random.Random(seed)
    graph = shared(rows, len(matrix[0]))
    for _ in range(5):
        x = [rng.randint(-(10**6), 10**6) for _ in matrix[0]]
        assert values(graph, x) == [sum(k * v for k, v in zip(row, x, strict=True)) for row in matrix]
    plain = Shared(len(matrix[0]), (), rows)
    assert graph.adders <= plain.adders
    # a constant beside the digits, which rounds the sum, may take one level more than the digits alone
    assert all(deep <= len(row).bit_length() for deep, row in zip(depths(graph), rows, strict=True) if row)
    assert shared(rows, len(matrix[0])) == graph


def test_known_cases() -> None:
    common = shared(rows_of([[3, 5, 7], [3, 5, -9]]), 3)
    assert common.adders == 7  # 3x + 5y once: three of them
    assert shared(rows_of([[45]]), 1).adders == 2  # 5 * 9, of four digits
    assert shared(rows_of([[3, 3, 3]]), 3).adders == 4  # x + y, and twice: z to it
    alike = shared(rows_of([[7, -11], [-14, 22]]), 2)
    assert len(alike.rows[0]) + len(alike.rows[1]) <= 4  # -2 times the first
    nothing = rows_of([[1, 1], [1, 0]])
    assert shared(nothing, 2) == Shared(2, (), nothing)


def test_rows_of_very_many_digits_stay_as_they_are() -> None:
    rows = rows_of([[0b101010101010101] * 20])
    assert shared(rows, 20) == Shared(20, (), rows)


def summed(rows: tuple[Row, ...], graph: Shared) -> tuple[CircuitBuilder, list[int]]:
    b = CircuitBuilder()
    nodes = [b.input(f"x{j}", WORD) for j in range(graph.operands)]
    return b, [sum_by_depth(b, built(b, graph, nodes, row)) for row in graph.rows]


@pytest.mark.parametrize("seed", range(20))
def test_what_is_chosen_is_exact_smaller_and_no_later(seed: int) -> None:
    matrix = [[k or 1 for k in row] for row in drawn(seed)]
    rows, count = rows_of(matrix), len(matrix[0])
    words = ((WORD, WORD.least, WORD.greatest),) * count
    times = tuple(random.Random(seed).choice((0.0, 1.3)) for _ in range(count))
    graph = cheapest(rows, words, times, TARGET)
    plain = Shared(count, (), rows)
    found, reference = (adders._bill(one, words, times, TARGET) for one in (graph, plain))
    assert found is not None
    assert reference is not None
    assert found[0] <= reference[0]
    assert all(late <= before + 1e-9 for late, before in zip(found[1], reference[1], strict=True))
    b, tops = summed(rows, graph)
    circuit = b.build([(f"y{i}", top) for i, top in enumerate(tops)])
    x = np.random.default_rng(seed).integers(-128, 128, (count, 500))
    got = interpret(circuit, {f"x{j}": column for j, column in enumerate(x)})
    for i, (row, (_, at)) in enumerate(zip(matrix, circuit.outputs, strict=True)):
        assert np.array_equal(got[f"y{i}"] * 2.0 ** -circuit.nodes[at].format.fraction, np.array(row) @ x)


def test_a_row_is_planned_once() -> None:
    b = CircuitBuilder()
    nodes = [b.input(name, WORD) for name in "xy"]
    plans = Plans(b, TARGET, Arrivals(b, TARGET))
    first, second = rows_of([[3, 5], [3, -7]])
    first, second = (tuple((s, p, nodes[j]) for s, p, j in row) for row in (first, second))
    before = plans.leaves(first)
    plans.plan([first, second])
    assert plans.leaves(first) == before


def compiled(text: str, **options: object) -> Design:
    inputs = {"*": Format.parse("fixed<8,4>")}
    return compile_model(load(text), Options(inputs=inputs, name="f", target="xc7-2", **options))  # type: ignore[arg-type]


def additions(design: Design) -> int:
    return sum(node.op in ADDERS for node in design.circuit.nodes)


PAIR = ("0.6875*x + 0.8125*y + 0.21875*z", "0.6875*x + 0.8125*y - 0.28125*z")


def test_outputs_share_nodes_and_are_verified() -> None:
    design = compiled("\n".join(f"{name} = {text}" for name, text in zip("uv", PAIR, strict=True)))
    alone = [compiled(text) for text in PAIR]
    assert additions(design) < sum(map(additions, alone))
    verdict = verify_design(design)
    assert verdict.verified, verdict
    codes = input_vectors(design, 4000)
    got = interpret(design.circuit, codes)
    x, y, z = (codes[name] * 2.0**-4 for name in "xyz")
    bounds = {proof.name: proof.bound for proof in design.certificate.outputs}
    for (name, at), exact in zip(
        design.circuit.outputs, (11 * x + 13 * y + 3.5 * z, 11 * x + 13 * y - 4.5 * z), strict=True
    ):
        error = np.abs(got[name] * float(design.circuit.nodes[at].format.ulp) - exact / 16)
        assert error.max() <= bounds[name]


def test_an_altered_shared_node_is_refused() -> None:
    design = compiled("\n".join(f"{name} = {text}" for name, text in zip("uv", PAIR, strict=True)))
    nodes = design.circuit.nodes
    users = [sum(at in node.args for node in nodes) for at in range(len(nodes))]
    altered = 0
    for at, node in enumerate(nodes):
        if node.op in ADDERS and users[at] > 1:
            other = Op.SUB if node.op is Op.ADD else Op.ADD
            changed = (*nodes[:at], replace(node, op=other), *nodes[at + 1 :])
            assert not verify_design(replace(design, circuit=replace(design.circuit, nodes=changed))).verified
            altered += 1
    assert altered


def test_inner_sums_share_and_every_run_is_the_same() -> None:
    text = "u = abs(0.6875*x + 0.8125*y)\nv = max(0.34375*x + 0.40625*y - 3, z)"
    design = compiled(text)
    assert verify_design(design).verified
    assert design.circuit == compiled(text).circuit
    assert verilog(design) == verilog(compiled(text))


def test_nothing_shared_nothing_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "u = 0.75*x + 0.5*y + 0.1\nv = abs(x) - 0.5*z"
    before = compiled(text).circuit
    monkeypatch.setattr(adders, "_recurring", lambda rows, operands: Shared(operands, (), rows))
    assert compiled(text).circuit == before
