"""cocotb tests of sr2hls_accumulate around toy units: sums, order of the bodies, throughput, gaps, reset in flight."""

import itertools
import os
import random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, ReadOnly

BODIES, RECEIVERS, FIRST, EDGE, NODE = (
    int(os.environ[f"SUM_{name}"]) for name in ("BODIES", "RECEIVERS", "FIRST", "EDGE_LATENCY", "NODE_LATENCY")
)
EVERY = max(BODIES, RECEIVERS * (BODIES - 1))  # cycles from one snapshot to the next
# from the edge that takes the last body: the work, a register before the edge unit, the sum, and both units
LATENCY = RECEIVERS * (BODIES - 1) + EDGE + NODE + 2


def require(condition, message):
    if not condition:
        raise AssertionError(message)


def snapshots(rng, count):
    """Extreme values, too: the sums must hold them."""
    kinds = (lambda: rng.randint(-128, 127), lambda: -128, lambda: 127, lambda: rng.choice((-128, 127)))
    return [[(kind(), kind()) for _ in range(BODIES)] for kind in rng.choices(kinds, k=count)]


def results(snapshot):
    found = []
    for i in range(FIRST, FIRST + RECEIVERS):
        others = [body for j, body in enumerate(snapshot) if j != i]
        found.append((i, sum(snapshot[i][0] - a for a, _ in others), sum(b for _, b in others), snapshot[i][1]))
    return found


def signed(handle, width):
    value = int(handle.value)
    return value - (1 << width) if value >> (width - 1) else value


async def start(dut):
    dut.resetn.value = 0
    dut.in_valid.value = 0
    dut.in_state.value = 0
    cocotb.start_soon(Clock(dut.clk, 10, "ns").start())
    for _ in range(3):
        await FallingEdge(dut.clk)
    dut.resetn.value = 1
    for _ in range(EDGE + NODE + 4):
        await FallingEdge(dut.clk)


async def send(dut, snapshots_, offer, most):
    """Returns the results with the cycle that each came in, and the cycles in which the last bodies were taken."""
    words = [((a & 255) << 8) | (b & 255) for snapshot in snapshots_ for a, b in snapshot]
    sent, got, taken, cycle = 0, [], [], 0
    while len(got) < len(snapshots_) * RECEIVERS:
        require(cycle < most, f"{len(got)} results after {cycle} cycles")
        offering = sent < len(words) and offer()
        dut.in_valid.value = int(offering)
        dut.in_state.value = words[sent] if offering else random.getrandbits(16)
        await ReadOnly()
        if offering and str(dut.in_ready.value) == "1":
            sent += 1
            if sent % BODIES == 0:
                taken.append(cycle)
        if str(dut.out_valid.value) == "1":
            values = (signed(dut.out_difference, 16), signed(dut.out_sum, 16), signed(dut.out_own, 8))
            got.append((cycle, (int(dut.out_body.value), *values)))
        cycle += 1
        await FallingEdge(dut.clk)
    dut.in_valid.value = 0
    return got, taken


def check(got, snapshots_):
    want = [result for snapshot in snapshots_ for result in results(snapshot)]
    for index, ((_, found), expected) in enumerate(zip(got, want, strict=True)):
        require(found == expected, f"result {index} is {found}, not {expected}")


@cocotb.test()
async def full_speed(dut):
    """Snapshots back to back: the promised interval and latency, and exact sums."""
    await start(dut)
    work = snapshots(random.Random(1), 30)
    got, taken = await send(dut, work, lambda: True, 30 * EVERY + 200)
    check(got, work)
    last = [cycle for cycle, (body, *_) in got if body == FIRST + RECEIVERS - 1]
    require(last[0] - taken[0] == LATENCY, f"a latency of {last[0] - taken[0]} cycles, not {LATENCY}")
    steps = {b - a for a, b in itertools.pairwise(last[2:])}
    require(steps == {EVERY}, f"a snapshot every {steps} cycles, not {EVERY}")


@cocotb.test()
async def gaps(dut):
    """Bodies that come when they like."""
    await start(dut)
    rng = random.Random(2)
    for chance in (0.1, 0.5, 0.9):
        work = snapshots(rng, 12)
        got, _ = await send(dut, work, lambda p=chance: rng.random() < p, 9000)
        check(got, work)


@cocotb.test()
async def reset_in_flight(dut):
    """What was loaded, summed up or in a unit at a reset never comes out, and no half snapshot stays behind."""
    await start(dut)
    rng = random.Random(3)
    for wait in range(1, 2 * LATENCY + 2):
        dut.in_valid.value = 1
        for _ in range(wait):
            dut.in_state.value = rng.getrandbits(16)
            await FallingEdge(dut.clk)
        dut.in_valid.value = 0
        dut.resetn.value = 0
        await FallingEdge(dut.clk)
        dut.resetn.value = 1
        work = snapshots(rng, 2)
        got, _ = await send(dut, work, lambda: True, 500)
        check(got, work)
