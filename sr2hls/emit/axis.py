"""`Design` → a Verilog top module that puts its core behind the AXI4-Stream shell of hw/."""

from __future__ import annotations

from dataclasses import dataclass

from sr2hls.design import Design
from sr2hls.emit.text import render
from sr2hls.emit.verilog import module_name, port_names
from sr2hls.formats import Format
from sr2hls.resources import resource

SHELL_FILES = ("sr2hls_delay.v", "sr2hls_axis.v")


@dataclass(frozen=True, slots=True)
class Lane:
    """Where a port lies in TDATA: bits `low` … `low` + width - 1, filled up to whole bytes."""

    port: str
    format: Format
    low: int

    @property
    def bits(self) -> int:
        return 8 * ((self.format.width + 7) // 8)


def axis_lanes(design: Design) -> tuple[list[Lane], list[Lane]]:
    """The lanes of the inputs in s_axis_tdata and of the outputs in m_axis_tdata: in order, each in whole bytes."""
    names = port_names(design)
    return _lanes(design.input_formats, names), _lanes(design.output_formats, names)


def axis_files(design: Design, digest: str = "none") -> dict[str, str]:
    """File name → text of the top module `NAME_axis` and of the shell that it needs (the core is not among them)."""
    files = {name: resource("hw", name).read_text(encoding="utf-8") for name in SHELL_FILES}
    return {f"{module_name(design)}_axis.v": axis_top(design, digest), **files}


def axis_top(design: Design, digest: str = "none") -> str:
    """The module `NAME_axis`: AXI4-Stream in and out, TLAST beside the data, back-pressure by the shell's FIFO.

    Inputs are read from the low bits of their lanes; outputs are extended by sign or zero to whole bytes.
    """
    inputs, outputs = axis_lanes(design)
    return render(
        "verilog/axis_top.v.j2",
        name=f"{module_name(design)}_axis",
        core=module_name(design),
        digest=" ".join(digest.split()),
        latency=design.latency,
        depth=(design.latency + 1).bit_length(),  # 2^depth >= latency + 2 keeps the full rate
        inputs=inputs,
        outputs=outputs,
        in_width=max(8, sum(lane.bits for lane in inputs)),
        out_width=sum(lane.bits for lane in outputs),
    )


def _lanes(formats: dict[str, Format], names: dict[str, str]) -> list[Lane]:
    lanes: list[Lane] = []
    low = 0
    for name, fmt in formats.items():
        lanes.append(Lane(names[name], fmt, low))
        low += lanes[-1].bits
    return lanes
