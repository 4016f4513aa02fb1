"""The AXI4-Stream top: lint clean around any design, and the right words in the right lanes under back-pressure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from designs import make_design, random_design

from sr2hls.builder import CircuitBuilder
from sr2hls.check import icarus, toolchain, vectors
from sr2hls.design import Design
from sr2hls.emit.axis import axis_files, axis_lanes
from sr2hls.emit.verilog import module_name, verilog
from sr2hls.interpret import interpret

BENCH = """module bench;
    reg aclk = 0, aresetn = 0, tvalid = 0, tready = 0;
    reg [{inw}-1:0] words [0:{n}-1];
    wire [{outw}-1:0] result;
    wire ready, valid, last;
    integer sent = 0, got = 0, cycle;
    {top} dut (.aclk(aclk), .aresetn(aresetn), .s_axis_tdata(words[sent % {n}]), .s_axis_tvalid(tvalid),
        .s_axis_tready(ready), .s_axis_tlast(sent == {n} - 1), .m_axis_tdata(result), .m_axis_tvalid(valid),
        .m_axis_tready(tready), .m_axis_tlast(last));
    reg accepted;
    initial begin
        $readmemh("words.hex", words);
        for (cycle = 0; cycle < 20 * {n} && got < {n}; cycle = cycle + 1) begin
            aresetn = cycle > 2; tvalid = sent < {n} && cycle % 5 != 1; tready = cycle % 3 == 0;
            #1 accepted = tvalid && ready;
            if (valid && tready) begin $display("%h %b", result, last); got = got + 1; end
            #1 aclk = 1;
            #1 aclk = 0; sent = sent + accepted;
        end
        $finish;
    end
endmodule
"""


def designs() -> list[Design]:
    b = CircuitBuilder()
    constant = make_design("constant", b.build([("y", b.constant(-3, 1))]), register_outputs=True)
    return [constant, *(random_design(seed, 15) for seed in range(40, 48))]


def _write(folder: Path, design: Design) -> list[str]:
    files = {**axis_files(design), f"{module_name(design)}.v": verilog(design)}
    for name, text in files.items():
        (folder / name).write_text(text)
    return list(files)


@pytest.mark.parametrize("design", designs(), ids=lambda d: d.name)
def test_lint_clean(design: Design, tmp_path: Path) -> None:
    top = f"{module_name(design)}_axis"
    program = str(toolchain.verilator_root() / "bin" / "verilator")
    command = [program, "--lint-only", "-Wall", "--top-module", top, *_write(tmp_path, design)]
    toolchain.run_tool(command, tmp_path, environment=toolchain.verilator_environment())


@pytest.mark.parametrize("design", designs()[1:5], ids=lambda d: d.name)
def test_words_under_back_pressure(design: Design, tmp_path: Path) -> None:
    if not icarus.available():
        pytest.skip("Icarus Verilog is not installed")
    inputs = vectors.random_codes(design, 60, 1)
    expected = interpret(design.circuit, inputs)
    ins, outs = axis_lanes(design)
    words = [
        sum(
            (int(codes[i]) % (1 << lane.format.width)) << lane.low
            for lane, codes in zip(ins, inputs.values(), strict=True)
        )
        for i in range(60)
    ]
    (tmp_path / "words.hex").write_text("".join(f"{word:x}\n" for word in words))
    inw, outw = (max(8, sum(lane.bits for lane in lanes)) for lanes in (ins, outs))
    text = BENCH.format(top=f"{module_name(design)}_axis", inw=inw, outw=outw, n=60)
    (tmp_path / "bench.v").write_text(text)
    sources = _write(tmp_path, design)
    toolchain.run_tool([str(toolchain.icarus()), "-s", "bench", "-o", "b.vvp", "bench.v", *sources], tmp_path)
    lines = [line.split() for line in toolchain.run_tool(["vvp", "-n", "b.vvp"], tmp_path).splitlines() if " " in line]
    assert [last for _, last in lines] == ["0"] * 59 + ["1"]
    for lane, codes in zip(outs, expected.values(), strict=True):
        found = [(int(word, 16) >> lane.low) % (1 << lane.bits) for word, _ in lines]
        assert found == [int(code) % (1 << lane.bits) for code in np.broadcast_to(codes, 60)]
