"""Schedules are legal, within the clock, of least stages and registers, and padded as asked."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import pytest
from random_circuits import random_circuit

from sr2hls.builder import CircuitBuilder
from sr2hls.circuit import Circuit, Op
from sr2hls.closure import heaviest_closure
from sr2hls.errors import FormatError
from sr2hls.formats import Format
from sr2hls.schedule import register_bits, schedule, stage_delays
from sr2hls.targets import Target, load_target

TARGET = load_target("ecp5-6")


def delays_of(circuit: Circuit, target: Target = TARGET) -> list[float]:
    """Delays, none for nodes that depend on no input."""
    static: list[bool] = []
    for node in circuit.nodes:
        static.append(node.op is not Op.INPUT and all(static[arg] for arg in node.args))
    return [0.0 if still else target.delay(circuit, index) for index, still in enumerate(static)]


def saved_of(circuit: Circuit) -> list[float]:
    return [TARGET.saved(circuit, index) for index in range(len(circuit.nodes))]


def chain(length: int, width: int = 8) -> Circuit:
    b = CircuitBuilder()
    x = y = b.input("x", Format(True, width))
    for _ in range(length):
        y = b.add(y, x)
    return b.build([("y", y)])


@pytest.mark.parametrize("clock", [3.5, 6.0, 9.0])
def test_legal_within_the_clock_and_deterministic(clock: float) -> None:
    pipelined = 0
    for seed in range(60):
        circuit = random_circuit(seed, 30)
        plan = schedule(circuit, TARGET, clock, register_inputs=True, register_outputs=True)
        assert plan == schedule(circuit, TARGET, clock, register_inputs=True, register_outputs=True)
        delays = delays_of(circuit)
        assert len(plan.cycles) == len(circuit.nodes)
        assert all(0 <= cycle < plan.stages for cycle in plan.cycles)
        assert all(plan.cycles[index] == 0 for _, index in circuit.inputs)
        for index, node in enumerate(circuit.nodes):
            assert all(plan.cycles[arg] <= plan.cycles[index] for arg in node.args)
            assert node.op is not Op.CONSTANT or plan.cycles[index] == 0
        worst = stage_delays(circuit, delays, saved_of(circuit), plan.cycles, plan.stages)
        least = TARGET.logic_ns if max(worst) > 0 else TARGET.net_ns
        assert plan.critical_ns == pytest.approx(max(least, *worst) + TARGET.overhead_ns)
        slow = [delay for delay in delays if delay + TARGET.overhead_ns > clock + 1e-6]
        assert len(plan.warnings) == len(slow)
        assert plan.critical_ns <= max([clock, *(delay + TARGET.overhead_ns for delay in slow)]) + 1e-6
        pipelined += plan.stages > 1
    assert pipelined > 10


def test_several_operations_share_a_stage() -> None:
    circuit = chain(6)
    delays = delays_of(circuit)
    total = sum(delays) + TARGET.overhead_ns
    assert schedule(circuit, TARGET, total + 0.01, register_inputs=False, register_outputs=False).stages == 1
    assert schedule(circuit, TARGET, total * 0.6, register_inputs=False, register_outputs=False).stages == 2


def brute_force(circuit: Circuit, clock: float, stages: int) -> int:
    """The least register bits over all legal stage assignments."""
    delays = delays_of(circuit)
    free = [i for i, node in enumerate(circuit.nodes) if node.op not in (Op.INPUT, Op.CONSTANT)]
    best = 10**9
    for choice in itertools.product(range(stages), repeat=len(free)):
        cycles = [0] * len(circuit.nodes)
        for index, cycle in zip(free, choice, strict=True):
            cycles[index] = cycle
        if any(cycles[arg] > cycles[i] for i in free for arg in circuit.nodes[i].args):
            continue
        if max(stage_delays(circuit, delays, saved_of(circuit), cycles, stages)) + TARGET.overhead_ns <= clock + 1e-9:
            best = min(best, register_bits(circuit, cycles, stages))
    return best


def test_register_bits_are_the_least_possible() -> None:
    compared = 0
    for seed in range(400):
        circuit = random_circuit(seed, 7)
        free = sum(node.op not in (Op.INPUT, Op.CONSTANT) for node in circuit.nodes)
        plan = schedule(circuit, TARGET, 6.0, register_inputs=False, register_outputs=False)
        if plan.warnings or not 1 < plan.stages <= 3 or plan.stages**free > 3000:
            continue
        assert register_bits(circuit, plan.cycles, plan.stages) == brute_force(circuit, 6.0, plan.stages)
        compared += 1
    assert compared >= 20


def test_wide_product_is_formed_late() -> None:
    """Two 4-bit inputs wait, not their sum of many bits, when the pipeline is padded."""
    b = CircuitBuilder()
    y = b.lookup(b.input("x", Format(False, 4)), tuple((i * 1234567) % (1 << 20) for i in range(16)), 0)
    circuit = b.build([("y", y)])
    plan = schedule(circuit, TARGET, 10.0, register_inputs=True, register_outputs=True, latency=6)
    assert plan.stages == 5
    assert register_bits(circuit, plan.cycles, plan.stages) == 4 * 4


@pytest.mark.parametrize(("inputs", "outputs"), list(itertools.product([False, True], repeat=2)))
def test_fixed_latency(inputs: bool, outputs: bool) -> None:
    circuit = chain(9)
    ports = int(inputs) + int(outputs)
    least = schedule(circuit, TARGET, 8.0, register_inputs=inputs, register_outputs=outputs).stages - 1 + ports
    for latency in range(least, least + 4):
        plan = schedule(circuit, TARGET, 8.0, register_inputs=inputs, register_outputs=outputs, latency=latency)
        assert plan.stages - 1 + ports == latency
        assert plan.critical_ns <= 8.0 + 1e-6
    with pytest.raises(FormatError, match=f"needs at least {least} "):
        schedule(circuit, TARGET, 8.0, register_inputs=inputs, register_outputs=outputs, latency=least - 1)


def test_combinational() -> None:
    circuit = chain(9)
    plan = schedule(circuit, TARGET, math.inf, register_inputs=False, register_outputs=False, latency=0)
    assert plan.stages == 1
    assert set(plan.cycles) == {0}
    assert plan.critical_ns == pytest.approx(sum(delays_of(circuit)) + TARGET.overhead_ns)


def test_an_operation_slower_than_the_clock_is_named() -> None:
    b = CircuitBuilder()
    x = b.input("x", Format(True, 18))
    b.origin = "x*x + x"
    product = b.mul(x, x)
    circuit = b.build([("y", b.add(product, x))])
    plan = schedule(circuit, TARGET, 4.0, register_inputs=True, register_outputs=True)
    delay = TARGET.delay(circuit, product)
    (line,) = (warning for warning in plan.warnings if "mul" in warning)
    assert "x*x + x" in line
    assert f"{delay:.2f} ns alone" in line
    assert f"{delay + TARGET.overhead_ns:.2f} ns, not 4 ns" in line
    assert plan.cycles[circuit.outputs[0][1]] == plan.cycles[product] + 1
    assert plan.critical_ns == pytest.approx(delay + TARGET.overhead_ns)


def test_a_clock_below_the_overhead() -> None:
    plan = schedule(chain(2), TARGET, 0.1, register_inputs=False, register_outputs=False)
    assert "no logic fits a stage" in plan.warnings[0]
    with pytest.raises(FormatError, match="must be positive"):
        schedule(chain(2), TARGET, 0.0, register_inputs=False, register_outputs=False)


def test_heaviest_closure_against_all_subsets() -> None:
    import random

    rng = random.Random(5)
    for _ in range(200):
        count = rng.randint(1, 8)
        weight = [rng.randint(-9, 9) for _ in range(count)]
        forced = [(rng.randrange(count), rng.randrange(count)) for _ in range(rng.randint(0, 10))]
        barred = [rng.random() < 0.15 for _ in range(count)]
        best = 0
        for bits in range(1 << count):
            chosen = {i for i in range(count) if bits >> i & 1}
            if any(barred[i] for i in chosen) or any(a in chosen and b not in chosen for a, b in forced):
                continue
            best = max(best, sum(weight[i] for i in chosen))
        found = set(heaviest_closure(weight, forced, barred))
        assert sum(weight[i] for i in found) == best
        assert not any(barred[i] for i in found)
        assert all(b in found for a, b in forced if a in found)


def test_the_net_out_of_a_multiplier_is_counted_once() -> None:
    b = CircuitBuilder()
    x, y, z = (b.input(name, Format(True, 12)) for name in "xyz")
    product = b.mul(x, y)
    circuit = b.build([("s", b.add(product, z)), ("p", product)])
    target = replace(TARGET, dsp_onward_ns=0.75)
    delays = [target.delay(circuit, index) for index in range(len(circuit.nodes))]
    plan = schedule(circuit, target, 20.0, register_inputs=True, register_outputs=True)
    assert plan.critical_ns == pytest.approx(sum(delays) - 0.75 + target.overhead_ns)
    edge = sum(delays) - 0.75 + target.overhead_ns
    for clock, stages in ((edge + 0.01, 1), (edge - 0.01, 2)):
        plan = schedule(circuit, target, clock, register_inputs=True, register_outputs=True)
        assert (plan.stages, plan.critical_ns <= clock) == (stages, True)
    alone = schedule(circuit, target, edge - 0.01, register_inputs=True, register_outputs=True)
    assert alone.critical_ns == pytest.approx(max(delays) + target.overhead_ns)  # to a register: the whole delay


def test_the_net_out_of_a_comparison_is_counted_once() -> None:
    b = CircuitBuilder()
    x, y, z = (b.input(name, Format(True, 12)) for name in "xyz")
    circuit = b.build([("m", b.minimum(b.maximum(x, y), z))])
    target = replace(TARGET, less_onward_ns=0.6)
    delays = [target.delay(circuit, index) for index in range(len(circuit.nodes))]
    plan = schedule(circuit, target, 20.0, register_inputs=True, register_outputs=True)
    assert plan.critical_ns == pytest.approx(sum(delays) - 2 * 0.6 + target.overhead_ns)
    alone = b.build([("c", b.less(x, y))])
    plan = schedule(alone, target, 20.0, register_inputs=True, register_outputs=True)
    assert plan.critical_ns == pytest.approx(delays[3] + target.overhead_ns)  # to a register: the whole delay


def test_no_stage_with_logic_is_faster_than_a_lut_into_a_reset() -> None:
    b = CircuitBuilder()
    circuit = b.build([("y", b.select(b.input("c", Format(False, 1)), *(b.input(n, Format(True, 4)) for n in "ab")))])
    target = replace(TARGET, net_ns=0.5, logic_ns=1.8)
    assert target.delay(circuit, 3) < 1.8
    plan = schedule(circuit, target, 5.0, register_inputs=True, register_outputs=True)
    assert (plan.critical_ns, plan.warnings) == (pytest.approx(1.8 + target.overhead_ns), ())
    plan = schedule(circuit, target, 2.1, register_inputs=True, register_outputs=True)
    assert plan.critical_ns > 2.1
    assert "the clock of 2.1 ns is faster than what ecp5-6 is sure to reach" in plan.warnings[0]


def test_no_stage_is_faster_than_a_net() -> None:
    b = CircuitBuilder()
    circuit = b.build([("y", b.shift(b.input("x", Format(True, 8)), 2))])
    target = replace(TARGET, net_ns=0.5)
    plan = schedule(circuit, target, 5.0, register_inputs=True, register_outputs=True)
    assert plan.critical_ns == pytest.approx(0.5 + target.overhead_ns)
