"""`Design` + input codes → output codes and latency, as Icarus Verilog simulates the emitted Verilog."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from sr2hls.check import toolchain
from sr2hls.check.engine import EngineResult
from sr2hls.check.stream import GAP_EVERY, TOP, Batch, Case, Codes, batch, checked_latency
from sr2hls.design import Design
from sr2hls.errors import MismatchError, ToolError
from sr2hls.formats import Format

_BENCH = """module bench;
    reg clk, in_valid;
    reg [{in_bits}-1:0] word;
    reg [{in_bits}-1:0] samples [0:{samples}-1];
    wire out_valid;
    wire [{out_bits}-1:0] result;
    integer cycle, sent, file;
    {top} dut ({pins});
    initial begin
        $readmemh("samples.hex", samples);
        file = $fopen("results.txt", "w");
        clk = 0; sent = 0; word = 0;
        for (cycle = 0; cycle < {cycles}; cycle = cycle + 1) begin
            in_valid = sent < {samples} && cycle % {gap} != {gap} - 1;
            if (in_valid) begin word = samples[sent]; sent = sent + 1; end else word = ~word;
            #1 if (out_valid !== 1'b0) $fdisplay(file, "%0d %b %h", cycle, out_valid, result);
            #1 clk = 1;
            #1 clk = 0;
        end
        $fclose(file);
        $finish;
    end
endmodule
"""


def available() -> bool:
    """Whether Icarus is installed; it is optional, and a check without it says so."""
    try:
        toolchain.icarus()
    except ToolError:
        return False
    return True


def run(design: Design, inputs: Mapping[str, ArrayLike], text: str | None = None) -> EngineResult:
    """Simulate one design on int64 input codes of shape (n,); arguments and errors as in `sr2hls.check.verilator`.

    Undefined bits (X) in a valid result are a MismatchError, too.
    """
    return run_many([(design, inputs)], texts=None if text is None else [text])[0]


def run_many(cases: Sequence[Case], *, texts: Sequence[str] | None = None) -> list[EngineResult]:
    """Simulate many designs, one build each; results in the order of the cases."""
    toolchain.icarus()
    return [_run_one(batch([case], None if texts is None else [texts[index]])) for index, case in enumerate(cases)]


def _run_one(work: Batch) -> EngineResult:
    design, samples = work.designs[0], work.samples[0]
    inputs, outputs = list(design.input_formats.values()), list(design.output_formats.values())
    with tempfile.TemporaryDirectory(prefix="sr2hls-") as place:
        folder = Path(place)
        (folder / "samples.hex").write_text(_packed(work.inputs[0], inputs), encoding="ascii")
        bench = _BENCH.format(
            top=TOP,
            in_bits=max(1, sum(fmt.width for fmt in inputs)),
            out_bits=sum(fmt.width for fmt in outputs),
            samples=samples,
            cycles=samples + samples // (GAP_EVERY - 1) + design.latency + 8,
            gap=GAP_EVERY,
            pins=_pins(inputs, outputs),
        )
        (folder / "bench.v").write_text("\n".join((*work.modules, work.top, bench)), encoding="utf-8")
        iverilog = toolchain.icarus()
        toolchain.run_tool([str(iverilog), "-g2001", "-s", "bench", "-o", "bench.vvp", "bench.v"], folder)
        start = time.perf_counter()
        toolchain.run_tool([str(toolchain.find_program("vvp", "iverilog")), "-n", "bench.vvp"], folder)
        seconds = time.perf_counter() - start
        lines = (folder / "results.txt").read_text(encoding="ascii").split("\n")[:-1]
    codes, latency = _parse(design, outputs, samples, lines)
    ports = dict(zip(design.output_formats, codes, strict=True))
    return EngineResult("icarus", ports, latency, "Icarus Verilog", toolchain.icarus_version(), seconds)


def _pins(inputs: Sequence[Format], outputs: Sequence[Format]) -> str:
    pins = [".clk(clk)", ".d0v(in_valid)", ".d0w(out_valid)"]
    for letter, formats, vector in (("i", inputs, "word"), ("o", outputs, "result")):
        place = 0
        for j, fmt in enumerate(formats):
            pins.append(f".d0{letter}{j}({vector}[{place + fmt.width - 1}:{place}])")
            place += fmt.width
    return ", ".join(pins)


def _packed(ports: Sequence[Codes], formats: Sequence[Format]) -> str:
    """One hexadecimal word a sample, the first port in the low bits."""
    if not formats:
        return "0\n"
    words = []
    for row in zip(*(codes.tolist() for codes in ports), strict=True):
        word = place = 0
        for code, fmt in zip(row, formats, strict=True):
            word |= (code & ((1 << fmt.width) - 1)) << place
            place += fmt.width
        words.append(f"{word:x}\n")
    return "".join(words)


def _parse(
    design: Design, formats: Sequence[Format], samples: int, lines: Sequence[str]
) -> tuple[list[Codes], int | None]:
    who = f"icarus: design '{design.name}'"
    sent = [cycle for cycle in range(samples + samples // (GAP_EVERY - 1) + 1) if cycle % GAP_EVERY != GAP_EVERY - 1]
    result = [np.zeros(samples, dtype=np.int64) for _ in formats]
    waits = []
    for index, line in enumerate(lines):
        cycle, valid, word = line.split(" ")
        if valid != "1" or set(word.lower()) & set("xz"):
            raise MismatchError(f"{who} has undefined bits in cycle {cycle}: out_valid {valid}, outputs {word}")
        if index >= samples or int(cycle) < sent[index]:
            raise MismatchError(f"{who} raised out_valid without a sample")
        waits.append(int(cycle) - sent[index])
        bits = int(word, 16)
        for codes, fmt in zip(result, formats, strict=True):
            codes[index] = fmt.wrap(bits)
            bits >>= fmt.width
    return result, checked_latency(who, len(lines), samples, (min(waits, default=0), max(waits, default=0)))
