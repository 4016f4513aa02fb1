"""cocotb tests of sr2hls_axis around an inverting core: order, TLAST, back-pressure, throughput, reset in flight."""

import os
import random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, ReadOnly

LATENCY = int(os.environ.get("AXIS_LATENCY", "5"))


def require(condition, message):
    if not condition:
        raise AssertionError(message)


async def start(dut):
    dut.aresetn.value = 0
    dut.s_axis_tvalid.value = 0
    dut.s_axis_tdata.value = 0
    dut.s_axis_tlast.value = 0
    dut.m_axis_tready.value = 0
    cocotb.start_soon(Clock(dut.aclk, 10, "ns").start())
    for _ in range(3):
        await FallingEdge(dut.aclk)
    dut.aresetn.value = 1
    for _ in range(LATENCY + 2):
        await FallingEdge(dut.aclk)


async def transfer(dut, words, offer, take, most):
    """Send `words` of (data, last); returns what came out and the cycles that it took.

    `offer()` and `take()` say whether TVALID may rise (it then stays) and whether TREADY is 1, cycle by cycle.
    """
    sent, got, cycles, offering = 0, [], 0, False
    while len(got) < len(words):
        require(cycles < most, f"{len(got)} of {len(words)} words after {cycles} cycles")
        offering = sent < len(words) and (offering or offer())
        data, last = words[sent] if offering else (random.getrandbits(16), random.getrandbits(1))
        dut.s_axis_tvalid.value = int(offering)
        dut.s_axis_tdata.value = data
        dut.s_axis_tlast.value = last
        ready = take()
        dut.m_axis_tready.value = int(ready)
        await ReadOnly()
        if offering and str(dut.s_axis_tready.value) == "1":
            sent, offering = sent + 1, False
        if ready and str(dut.m_axis_tvalid.value) == "1":
            got.append((int(dut.m_axis_tdata.value), int(dut.m_axis_tlast.value)))
        cycles += 1
        await FallingEdge(dut.aclk)
    dut.s_axis_tvalid.value = 0
    dut.m_axis_tready.value = 0
    return got, cycles


def words_and_results(rng, count):
    words = [(rng.getrandbits(16), int(rng.random() < 0.2)) for _ in range(count)]
    return words, [(data ^ 0xFFFF, last) for data, last in words]


@cocotb.test()
async def full_speed(dut):
    """A word in every cycle: only the latency is added."""
    await start(dut)
    words, expected = words_and_results(random.Random(1), 200)
    got, cycles = await transfer(dut, words, lambda: True, lambda: True, 1000)
    require(got == expected, "wrong words at full speed")
    require(cycles <= len(words) + LATENCY + 2, f"{cycles} cycles for {len(words)} words")


@cocotb.test()
async def random_pressure(dut):
    """Random gaps on both sides, from nearly idle to nearly full."""
    await start(dut)
    rng = random.Random(2)
    for offers, takes in ((0.9, 0.1), (0.1, 0.9), (0.5, 0.5), (1.0, 0.3)):
        words, expected = words_and_results(rng, 150)
        got, _ = await transfer(dut, words, lambda p=offers: rng.random() < p, lambda p=takes: rng.random() < p, 9000)
        require(got == expected, f"wrong words at offer {offers}, take {takes}")


@cocotb.test()
async def reset_in_flight(dut):
    """What was in the core or in the FIFO at a reset never comes out."""
    await start(dut)
    for wait in range(1, LATENCY + 4):
        for _ in range(wait):
            dut.s_axis_tvalid.value = 1
            dut.s_axis_tdata.value = 0xDEAD
            await FallingEdge(dut.aclk)
        dut.s_axis_tvalid.value = 0
        dut.aresetn.value = 0
        await FallingEdge(dut.aclk)
        dut.aresetn.value = 1
        words, expected = words_and_results(random.Random(wait), 20)
        got, _ = await transfer(dut, words, lambda: True, lambda: True, 500)
        require(got == expected, f"a word from before the reset came out after {wait} words")
