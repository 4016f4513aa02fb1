"""vectors.json → cocotb tests of one generated module: bit-exact results, constant latency, the valid protocol.

Run by run.py. Inputs change at the falling edge; outputs are read shortly before the rising edge, so that a sample
presented in cycle c is seen in cycle c + latency, also where the latency is 0.
"""

import json
import random
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, Timer

DATA = json.loads((Path(__file__).resolve().parent / "vectors.json").read_text(encoding="utf-8"))
LATENCY = DATA["latency"]
SAMPLES = DATA["samples"]


def require(condition, message):
    if not condition:
        raise AssertionError(message)


class Bench:
    """Drives samples and checks every cycle: out_valid exactly `LATENCY` cycles after in_valid, and the codes."""

    def __init__(self, dut, seed):
        self.dut = dut
        self.noise = random.Random(seed)
        self.history = []  # per cycle: the index of the sample that was presented, or None
        self.checked = 0

    async def start(self):
        self.dut.in_valid.value = 0
        self.drive(None)
        cocotb.start_soon(Clock(self.dut.clk, 10, "ns").start())
        for _ in range(LATENCY + 2):  # what an earlier test left in the pipeline runs out
            await FallingEdge(self.dut.clk)

    def drive(self, sample):
        """Present a sample, or noise with in_valid = 0."""
        self.dut.in_valid.value = int(sample is not None)
        for port in DATA["inputs"]:
            mask = (1 << port["width"]) - 1
            code = self.noise.getrandbits(port["width"]) if sample is None else port["codes"][sample]
            getattr(self.dut, port["name"]).value = code & mask

    async def cycle(self, sample=None):
        """One clock cycle: drive, let the logic settle, check, wait for the next falling edge."""
        self.drive(sample)
        self.history.append(sample)
        await Timer(2, "ns")
        due = self.history[-1 - LATENCY] if len(self.history) > LATENCY else None
        found = str(self.dut.out_valid.value)
        wanted = "0" if due is None else "1"
        require(found == wanted, f"cycle {len(self.history) - 1}: out_valid is {found}, expected {wanted}")
        if due is not None:
            self.compare(due)
        await FallingEdge(self.dut.clk)

    def compare(self, sample):
        for port in DATA["outputs"]:
            bits = str(getattr(self.dut, port["name"]).value)
            expected = port["codes"][sample] & ((1 << port["width"]) - 1)
            wanted = f"{expected:0{port['width']}b}"
            given = {p["name"]: p["codes"][sample] for p in DATA["inputs"]}
            require(bits == wanted, f"sample {sample} {given}: {port['name']} is {bits}, expected {wanted}")
        self.checked += 1

    async def drain(self, expected):
        for _ in range(LATENCY + 3):
            await self.cycle()
        require(self.checked == expected, f"{self.checked} results for {expected} samples")
        self.dut._log.info("checked %d samples", self.checked)


@cocotb.test()
async def idle(dut):
    """Without in_valid nothing ever comes out."""
    bench = Bench(dut, 1)
    await bench.start()
    await bench.drain(0)


@cocotb.test()
async def single(dut):
    """One sample alone between long gaps: the latency is the promised one."""
    bench = Bench(dut, 2)
    await bench.start()
    for sample in range(min(5, SAMPLES)):
        await bench.cycle(sample)
        for _ in range(LATENCY + 2):
            await bench.cycle()
    await bench.drain(min(5, SAMPLES))


@cocotb.test()
async def back_to_back(dut):
    """A sample in every cycle."""
    bench = Bench(dut, 3)
    await bench.start()
    for sample in range(SAMPLES):
        await bench.cycle(sample)
    await bench.drain(SAMPLES)


@cocotb.test()
async def gaps(dut):
    """Samples with random gaps, noise on the inputs in between."""
    bench = Bench(dut, 4)
    await bench.start()
    pattern = random.Random(5)
    for sample in range(SAMPLES):
        while pattern.random() < 0.4:
            await bench.cycle()
        await bench.cycle(sample)
    await bench.drain(SAMPLES)
