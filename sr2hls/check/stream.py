"""Designs and their input codes → a top module around all of them and the C++ loop that streams through it.

All designs of a batch share the clock and run at once. Each gets its samples in order, with a gap (in_valid = 0 and
inverted inputs) in every seventh cycle; each result is stamped with the cycle it came in. Outputs are sampled before
the clock edge, after the combinational logic has settled, so that a latency of 0 is measured like any other.
"""

from __future__ import annotations

import ctypes
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sr2hls.check.engine import EngineResult
from sr2hls.design import Design
from sr2hls.emit.verilog import module_name, port_names, verilog
from sr2hls.errors import FormatError, MismatchError
from sr2hls.formats import Format

Case = tuple[Design, Mapping[str, ArrayLike]]
Codes = NDArray[np.int64]

TOP = "sr2hls_top"
ENTRY = "sr2hls_stream"
GAP_EVERY = 7


@dataclass(frozen=True, slots=True)
class Batch:
    """Everything that the simulators need: `modules` are Verilog texts with distinct module names, `top` the wrapper.

    The wrapper's ports are `clk` and, for design d, `dDv` (in_valid), `dDiJ` (inputs), `dDw` (out_valid), `dDoJ`.
    """

    designs: tuple[Design, ...]
    inputs: tuple[tuple[Codes, ...], ...]
    samples: tuple[int, ...]
    modules: tuple[str, ...]
    top: str


def batch(cases: Sequence[Case], texts: Sequence[str] | None = None) -> Batch:
    """Prepare designs for one build.

    Args:
        texts: the Verilog of each design as it lies on disk; printed from the designs by default.

    Raises:
        FormatError: a port is missing, the lengths differ, or a code does not fit its port.
    """
    designs = tuple(design for design, _ in cases)
    inputs = tuple(port_codes(design, given) for design, given in cases)
    samples = tuple(len(ports[0]) if ports else 1 for ports in inputs)
    names = [module_name(design) for design in designs]
    modules = list(texts) if texts is not None else [verilog(design) for design in designs]
    for index, (name, count) in enumerate(zip(names, [Counter(names)[n] for n in names], strict=True)):
        if count > 1:
            names[index] = f"{name}_{index}"
            modules[index] = re.sub(rf"\bmodule\s+{name}\b", f"module {names[index]}", modules[index], count=1)
    return Batch(designs, inputs, samples, tuple(modules), _top(designs, names))


def port_codes(design: Design, inputs: Mapping[str, ArrayLike]) -> tuple[Codes, ...]:
    """The input codes as int64 arrays in the order of the ports. Raises FormatError as `interpret` does."""
    result: list[Codes] = []
    for name, fmt in design.input_formats.items():
        if name not in inputs:
            raise FormatError(f"design '{design.name}': no codes for the input '{name}'")
        codes = np.asarray(inputs[name])
        if codes.dtype.kind not in "iu" or codes.ndim != 1:
            raise FormatError(f"design '{design.name}', input '{name}': codes must be a one-dimensional integer array")
        if codes.size and not fmt.holds(int(codes.min()), int(codes.max())):
            raise FormatError(f"design '{design.name}', input '{name}': a code lies outside {fmt}")
        result.append(np.ascontiguousarray(codes, dtype=np.int64))
    if len({codes.size for codes in result}) > 1:
        raise FormatError(f"design '{design.name}': the input arrays have different lengths")
    return tuple(result)


def _range(fmt: Format) -> str:
    return f"[{fmt.width - 1}:0]"


def _top(designs: Sequence[Design], names: Sequence[str]) -> str:
    ports = ["input wire clk"]
    instances: list[str] = []
    for d, (design, name) in enumerate(zip(designs, names, strict=True)):
        safe = port_names(design)
        pins = [".clk(clk)", f".in_valid(d{d}v)", f".out_valid(d{d}w)"]
        ports += [f"input wire d{d}v", f"output wire d{d}w"]
        for j, (port, fmt) in enumerate(design.input_formats.items()):
            ports.append(f"input wire {_range(fmt)} d{d}i{j}")
            pins.append(f".{safe[port]}(d{d}i{j})")
        for j, (port, fmt) in enumerate(design.output_formats.items()):
            ports.append(f"output wire {_range(fmt)} d{d}o{j}")
            pins.append(f".{safe[port]}(d{d}o{j})")
        instances.append(f"    {name} u{d} ({', '.join(pins)});")
    head = ",\n    ".join(ports)
    return f"module {TOP} (\n    {head}\n);\n" + "\n".join(instances) + "\nendmodule\n"


@dataclass(frozen=True, slots=True)
class Access:
    """How C++ reaches a simulator's model: formats with {port}, {value} or {type}."""

    head: str  # includes and the type `Model`
    create: str  # declares `model`
    write: str  # of a port, from an unsigned expression
    read: str  # of a port, an unsigned expression
    settle: str  # evaluate after a change


def stream_source(batch: Batch, access: Access) -> str:
    """The C++ text of the exported function `ENTRY`, see `stream`."""
    steps_in, steps_out = [], []
    place_in = place_out = 0
    for d, design in enumerate(batch.designs):
        drive = [access.write.format(port=f"d{d}v", value="(send ? 1u : 0u)", type="bool")]
        for j, fmt in enumerate(design.input_formats.values()):
            value = f"(std::uint64_t(in[{place_in}][at]) ^ (send ? 0u : ~std::uint64_t(0))) & {_mask(fmt)}"
            drive.append(access.write.format(port=f"d{d}i{j}", value=f"({value})", type=_ctype(fmt)))
            place_in += 1
        steps_in.append(
            f"        {{ State& s = state[{d}]; const bool send = s.sent < n[{d}] && !gap;\n"
            f"          const std::int64_t at = s.sent < n[{d}] ? s.sent : n[{d}] - 1; (void)at;\n"
            + "".join(f"          {line}\n" for line in drive)
            + "          if (send) { s.when.push_back(cycle); ++s.sent; } }\n"
        )
        take = []
        for j, fmt in enumerate(design.output_formats.values()):
            raw = access.read.format(port=f"d{d}o{j}", type=_ctype(fmt))
            value = f"std::int64_t({raw})"
            if fmt.signed:
                value = f"std::int64_t(std::uint64_t({raw}) << {64 - fmt.width}) >> {64 - fmt.width}"
            take.append(f"out[{place_out}][s.got] = {value};")
            place_out += 1
        valid = access.read.format(port=f"d{d}w", type="bool")
        steps_out.append(
            f"        {{ State& s = state[{d}]; if ({valid}) {{ if (!s.came(cycle)) return {d + 1};\n"
            + "".join(f"          {line}\n" for line in take)
            + "          ++s.got; } }\n"
        )
    patience = max((design.latency for design in batch.designs), default=0) + 8
    return _LOOP.format(
        head=access.head,
        entry=ENTRY,
        designs=len(batch.designs),
        create=access.create,
        gap=GAP_EVERY,
        patience=patience,
        drive="".join(steps_in),
        sample="".join(steps_out),
        low=access.write.format(port="clk", value="0u", type="bool"),
        high=access.write.format(port="clk", value="1u", type="bool"),
        settle=access.settle,
    )


_LOOP = """{head}
#include <algorithm>
#include <cstdint>
#include <vector>

struct State {{
    std::int64_t sent = 0, got = 0, least = -1, most = -1;
    std::vector<std::int64_t> when;
    // the result `got` came in this cycle; false when no sample is waiting for one
    bool came(std::int64_t cycle) {{
        if (got >= sent) return false;
        const std::int64_t wait = cycle - when[got];
        least = got == 0 ? wait : std::min(least, wait);
        most = std::max(most, wait);
        return true;
    }}
}};

extern "C" __attribute__((visibility("default"))) int {entry}(
    const std::int64_t* const* in, std::int64_t* const* out, const std::int64_t* n, std::int64_t* report) {{
    std::vector<State> state({designs});
    {create}
    std::int64_t longest = *std::max_element(n, n + {designs});
    for (std::int64_t cycle = 0, left = {patience}; left > 0; ++cycle) {{
        const bool gap = cycle % {gap} == {gap} - 1;
        {low}
{drive}        {settle}
{sample}        {high}
        {settle}
        if (cycle > longest + longest / ({gap} - 1) + 1) --left;
    }}
    for (int d = 0; d < {designs}; ++d) {{
        report[3 * d] = state[d].got; report[3 * d + 1] = state[d].least; report[3 * d + 2] = state[d].most;
    }}
    return 0;
}}
"""


def _mask(fmt: Format) -> str:
    return f"0x{(1 << fmt.width) - 1:x}u" + ("ll" if fmt.width > 32 else "")


def _ctype(fmt: Format) -> str:
    return next(f"std::uint{bits}_t" for bits in (8, 16, 32, 64) if fmt.width <= bits)


def stream(library: Path, batch: Batch, engine: str, tool: str, version: str) -> list[EngineResult]:
    """Load a library built from `stream_source` and run the batch.

    Raises MismatchError when a design answers without a sample, not for every sample, or not at a constant latency.
    """
    loaded = ctypes.CDLL(str(library))
    inputs = [codes for ports in batch.inputs for codes in ports]
    outputs = [
        {name: np.zeros(samples, dtype=np.int64) for name in design.output_formats}
        for design, samples in zip(batch.designs, batch.samples, strict=True)
    ]
    report = np.zeros(3 * len(batch.designs), dtype=np.int64)
    counts = np.array(batch.samples, dtype=np.int64)
    start = time.perf_counter()
    status = getattr(loaded, ENTRY)(
        _pointers(inputs),
        _pointers([codes for ports in outputs for codes in ports.values()]),
        ctypes.c_void_p(counts.ctypes.data),
        ctypes.c_void_p(report.ctypes.data),
    )
    seconds = time.perf_counter() - start
    if status:
        raise MismatchError(f"{engine}: design '{batch.designs[status - 1].name}' raised out_valid without a sample")
    results = []
    for index, (design, ports) in enumerate(zip(batch.designs, outputs, strict=True)):
        got, least, most = (int(x) for x in report[3 * index : 3 * index + 3])
        latency = checked_latency(f"{engine}: design '{design.name}'", got, batch.samples[index], (least, most))
        results.append(EngineResult(engine, ports, latency, tool, version, seconds))
    return results


def checked_latency(who: str, got: int, samples: int, waits: tuple[int, int]) -> int | None:
    """The measured latency from the shortest and the longest wait; None without samples.

    Raises MismatchError when results are missing or not evenly late; `who` begins the message.
    """
    if got != samples:
        raise MismatchError(f"{who} gave {got} results for {samples} samples")
    if waits[0] != waits[1]:
        raise MismatchError(f"{who} takes {waits[0]} to {waits[1]} cycles; it must be constant")
    return waits[0] if samples else None


def _pointers(arrays: Sequence[Codes]) -> ctypes.Array[ctypes.c_void_p]:
    return (ctypes.c_void_p * max(len(arrays), 1))(*(array.ctypes.data for array in arrays))
