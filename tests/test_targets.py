"""Targets load, cost more for wider words, and count tables by their contents."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import pytest
from random_circuits import random_circuit

from sr2hls.builder import CircuitBuilder
from sr2hls.circuit import WIRING, Circuit, Op, Overflow, Rounding, Table
from sr2hls.errors import FormatError
from sr2hls.formats import Format
from sr2hls.targets import Area, Target, load_target, target_names
from sr2hls.targets.model import parse_target
from sr2hls.targets.rom import rom_structure
from sr2hls.targets.text import target_text

NAMES = ("ecp5-5g-8", "ecp5-6", "vu9p-2", "xc7-2")


def binary(method: str, width: int, other: int | None = None, signed: bool = True) -> Circuit:
    b = CircuitBuilder()
    x, y = b.input("x", Format(signed, width)), b.input("y", Format(signed, other or width))
    return b.build([("z", getattr(b, method)(x, y))])


def unary(operation: str, width: int) -> Circuit:
    b = CircuitBuilder()
    x = b.input("x", Format(operation != "leading_zeros", width, 4))
    match operation:
        case "round":
            z = b.round_to(x, 0, Rounding.HALF_UP)
        case "saturate":
            z = b.cast(x, Format(True, 3, 4), Rounding.FLOOR, Overflow.SATURATE)
        case "select":
            z = b.select(b.input("c", Format(False, 1)), x, b.input("y", Format(True, width, 4)))
        case _:
            z = getattr(b, operation)(x)
    return b.build([("z", z)])


def last(target: Target, circuit: Circuit) -> tuple[float, Area]:
    index = circuit.outputs[0][1]
    return target.delay(circuit, index), target.area(circuit, index)


def table_of(codes: list[int], width: int) -> Table:
    return Table("t", Format(False, width), tuple(codes))


def test_shipped_targets() -> None:
    assert target_names() == NAMES
    for name in NAMES:
        target = load_target(name)
        assert target.name == name
        assert 0 < target.overhead_ns < target.clock_ns
        assert target.estimate == (target.family != "ecp5")
        assert bool(target.nextpnr) == (target.family == "ecp5")
    assert load_target("vu9p-2").part == "xcvu9p-flga2577-2-e"
    assert load_target("vu9p-2").clock_ns == 5.0
    assert load_target("ecp5-6").clock_ns == 10.0


def test_every_coefficient_has_a_provenance() -> None:
    for name in NAMES:
        target = load_target(name)
        laws = [getattr(target.costs, field) for field in target.costs.__dataclass_fields__]
        for source in [target.overhead_source, *(law.source for law in laws)]:
            measured = source.startswith(("placed and routed", "median clock-to-output"))
            assert measured or source.startswith("estimate: " if target.estimate else "not measured: ")
        assert any("placed and routed" in law.source for law in laws) != target.estimate


def test_unknown_target_is_refused_with_the_known_ones() -> None:
    with pytest.raises(FormatError, match="ecp5-6"):
        load_target("../../etc/passwd")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("method", ["add", "sub", "less", "equal", "mul"])
def test_binary_operations_grow_with_the_width(name: str, method: str) -> None:
    target = load_target(name)
    costs = [last(target, binary(method, width)) for width in range(2, 31)]
    for (d0, a0), (d1, a1) in itertools.pairwise(costs):
        assert d1 >= d0 > 0 or method == "mul"  # a narrow soft product may be slower than a DSP block
        assert a1.dsp >= a0.dsp
        assert a1.lut >= a0.lut or a1.dsp > a0.dsp
    assert costs[-1][0] > costs[0][0]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("operation", ["negate", "absolute", "leading_zeros", "round", "saturate", "select"])
def test_unary_operations_grow_with_the_width(name: str, operation: str) -> None:
    target = load_target(name)
    costs = [last(target, unary(operation, width)) for width in range(6, 40)]
    for (d0, a0), (d1, a1) in itertools.pairwise(costs):
        assert d1 >= d0 > 0
        assert a1.lut >= a0.lut > 0


@pytest.mark.parametrize("name", NAMES)
def test_faster_grade_and_wiring(name: str) -> None:
    target = load_target(name)
    for seed in range(20):
        circuit = random_circuit(seed)
        for index, node in enumerate(circuit.nodes):
            delay, area = target.delay(circuit, index), target.area(circuit, index)
            if node.op in WIRING:
                assert (delay, area) == (0.0, Area())
            assert delay >= 0
            if name == "ecp5-5g-8":
                assert delay <= load_target("ecp5-6").delay(circuit, index)


# counted with Yosys 0.70: synth_ecp5 and synth_xilinx -family xc7
@pytest.mark.parametrize(
    ("name", "a", "b", "signed", "dsp"),
    [
        ("ecp5-6", 2, 2, True, 1),
        ("ecp5-6", 18, 18, False, 1),
        ("ecp5-6", 20, 18, True, 2),
        ("ecp5-6", 24, 24, True, 4),
        ("ecp5-6", 30, 32, True, 4),
        ("xc7-2", 4, 4, True, 0),
        ("xc7-2", 3, 8, True, 1),
        ("xc7-2", 24, 18, True, 1),
        ("xc7-2", 26, 18, True, 2),
        ("xc7-2", 18, 18, False, 2),
        ("xc7-2", 24, 17, False, 1),
        ("xc7-2", 25, 18, False, 4),
        ("xc7-2", 24, 24, True, 2),
        ("vu9p-2", 27, 18, True, 1),
    ],
)
def test_multiplier_blocks(name: str, a: int, b: int, signed: bool, dsp: int) -> None:
    assert last(load_target(name), binary("mul", a, b, signed))[1].dsp == dsp


def test_a_constant_power_of_two_is_wiring() -> None:
    b = CircuitBuilder()
    x = b.input("x", Format(True, 12))
    circuit = b.build(
        [("p", b.mul(x, b.constant(64))), ("n", b.mul(x, b.constant(-64))), ("t", b.mul(x, b.constant(5)))]
    )
    target = load_target("xc7-2")
    (_, p), (_, n), (_, t) = circuit.outputs
    assert target.delay(circuit, p) == 0.0
    assert 0 < target.delay(circuit, n) < target.delay(circuit, t)
    assert target.area(circuit, t).dsp == 1


def test_table_count_by_contents() -> None:
    rng = random.Random(1)
    noise = table_of([rng.randint(0, 255) for _ in range(1024)], 8)
    ramp = table_of([i >> 2 for i in range(1024)], 8)
    step = table_of([int(i >= 640) for i in range(1024)], 1)
    assert rom_structure(noise, 6, 2)[0] == 8 * 16 + 8  # 16 leaves and a multiplexer an output bit
    assert rom_structure(ramp, 6, 2) == (0, 1)  # wires
    assert rom_structure(step, 6, 2) == (1, 3)  # three address bits decide
    constant = table_of([3] * 16, 2)
    assert rom_structure(constant, 4, 3) == (0, 0)
    # the complement of a sub-table is the same LUT
    parity = table_of([i.bit_count() & 1 for i in range(4096)], 1)
    assert rom_structure(parity, 6, 0) == (1 + 3, 12)  # one multiplexer a level, shared up to complement


def test_toml_round_trip() -> None:
    for name in NAMES:
        target = load_target(name)
        assert parse_target(target_text(target, "two\nlines")) == target


def test_damaged_target_files() -> None:
    target = load_target("ecp5-6")
    text = target_text(target, "x")
    with pytest.raises(FormatError, match="damaged"):
        parse_target(text.replace("clock_ns", "klock_ns"))
    with pytest.raises(FormatError, match="damaged"):
        parse_target(text.replace("[costs.add]", "[costs.and]"))
    with pytest.raises(FormatError, match="unknown operations in a target file: xor"):
        parse_target(text + "\n[costs.xor]\nns = 1.0\n")
    negative = replace(target.costs, add=replace(target.costs.add, ns_bit=-0.5))
    with pytest.raises(FormatError, match=r"negative coefficient: add\.ns_bit"):
        parse_target(target_text(replace(target, costs=negative), "x"))


def test_a_target_needs_five_words() -> None:
    target = Target(name="t", part="p", family="f", clock_ns=5.0, estimate=True)
    assert last(target, binary("add", 8))[0] > 0


@pytest.mark.parametrize("name", NAMES)
def test_without_dsp_every_product_is_luts(name: str) -> None:
    hard, soft = load_target(name), load_target(f"{name}-nodsp")
    assert (hard.has_dsp, soft.has_dsp, soft.name) == (True, False, f"{name}-nodsp")
    for width in (4, 8, 16, 30):
        circuit = binary("mul", width)
        (product,) = (i for i, node in enumerate(circuit.nodes) if node.op is Op.MUL)
        assert hard.area(circuit, product).dsp > 0 or 2 * width < hard.costs.dsp.least_product
        assert soft.area(circuit, product).dsp == 0
        assert soft.area(circuit, product).lut >= width * width
        assert soft.delay(circuit, product) > 0
    with pytest.raises(FormatError, match="no target"):
        load_target("nothing-nodsp")
