"""`SerialStep` + states → what Verilator computes from its Verilog, with the cycle of every result."""

from __future__ import annotations

import ctypes
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sr2hls.check import gxx, toolchain
from sr2hls.check.verilator import WRAPPING
from sr2hls.distill.step.serial import SerialStep
from sr2hls.distill.step.top import step_files, top_names
from sr2hls.errors import MismatchError
from sr2hls.formats import Format
from sr2hls.interpret import Codes

_OPTIONS = ("-O3", "-Wno-fatal", "-Wno-lint", "--x-assign", "fast", "--x-initial", "fast", "--noassert")


@dataclass(frozen=True, slots=True)
class Simulated:
    """outputs: codes, (n, bodies) each; taken: the cycle in which a snapshot's last body was taken, (n,); came: the
    cycle in which the lanes' last results came, (n,)."""

    outputs: Mapping[str, Codes]
    taken: NDArray[np.int64]
    came: NDArray[np.int64]


def simulate_serial(step: SerialStep, states: Mapping[str, Codes], *, gap: int = 0) -> Simulated:
    """Stream the snapshots, (n, bodies) codes by field, back to back through the top module.

    Args:
        gap: no body is offered in every `gap`-th cycle (0: in none is it left out).

    Raises:
        MismatchError: results are missing, or of bodies out of turn. ToolError: a tool is missing or fails.
    """
    given = [np.ascontiguousarray(states[field], dtype=np.int64) for field in step.words.formats]
    n = given[0].shape[0]
    outputs = [np.empty((n, step.bodies), dtype=np.int64) for _ in step.outputs]
    times = np.zeros((2, n), dtype=np.int64)
    with tempfile.TemporaryDirectory(prefix="sr2hls-") as place:
        library = _build(step, Path(place))
        run = library.sr2hls_step
        run.restype = ctypes.c_longlong
        pointers = [(ctypes.c_void_p * len(arrays))(*(a.ctypes.data for a in arrays)) for arrays in (given, outputs)]
        got = run(*pointers, times.ctypes.data_as(ctypes.c_void_p), ctypes.c_longlong(n), ctypes.c_longlong(gap))
    if got < 0:
        raise MismatchError(f"'{step.name}': a result is of body {-got - 1}, out of turn")
    if got != n * step.receivers:
        raise MismatchError(f"'{step.name}': {got} of {n * step.receivers} results came")
    return Simulated(dict(zip(step.outputs, outputs, strict=True)), times[0], times[1])


def _build(step: SerialStep, folder: Path) -> ctypes.CDLL:
    runtime = toolchain.verilator_runtime()
    texts = [text for name, text in step_files(step).items() if name.endswith(".v")]
    (folder / "top.v").write_text("\n".join(texts), encoding="utf-8")
    program = str(toolchain.verilator_root() / "bin" / "verilator")
    command = [program, "--cc", *_OPTIONS, "--top-module", step.name, "--prefix", "Vstep", "-Mdir", "model", "top.v"]
    toolchain.run_tool(command, folder, environment=toolchain.verilator_environment())
    model = folder / "model"
    units = "".join(f'#include "{path.name}"\n' for path in sorted(model.glob("*.cpp")))
    (model / "engine.cc").write_text(units + _source(step), encoding="utf-8")
    flags = ("-O1", WRAPPING, *toolchain.verilator_flags(), "-shared", gxx.ISOLATED, "-I.")
    toolchain.run_tool([gxx.compiler(), *flags, "engine.cc", str(runtime), "-o", "engine.so"], model)
    return ctypes.CDLL(str(model / "engine.so"))


def _source(step: SerialStep) -> str:
    fields, lanes = top_names(step)
    drive = "".join(
        f"        model.{port} = std::uint64_t(offer ? in[{k}][sent] : ~sent) & {_mask(step.words.formats[field])};\n"
        for k, (field, port) in enumerate(fields.items())
    )
    formats = step.node.output_formats
    take = "".join(
        f"            out[{k}][at + {number * step.receivers}] = {_extended(f'model.{lane[name]}', formats[name])};\n"
        for number, lane in enumerate(lanes)
        for k, name in enumerate(step.outputs)
    )
    return _LOOP.format(
        bodies=step.bodies,
        receivers=step.receivers,
        reset=step.edge.latency + step.node.latency + 4,
        patience=4 * step.latency + 16 * step.bodies,
        drive=drive,
        take=take,
    )


def _mask(fmt: Format) -> str:
    return f"{(1 << fmt.width) - 1:#x}ull"


def _extended(raw: str, fmt: Format) -> str:
    if not fmt.signed:
        return f"std::int64_t({raw})"
    return f"std::int64_t(std::uint64_t({raw}) << {64 - fmt.width}) >> {64 - fmt.width}"


_LOOP = """
#include <cstdint>
double sc_time_stamp() {{ return 0; }}

extern "C" __attribute__((visibility("default"))) long long sr2hls_step(
    const std::int64_t* const* in, std::int64_t* const* out, std::int64_t* times, long long n, long long gap) {{
    VerilatedContext context;
    Vstep model{{&context}};
    const long long bodies = {bodies}, receivers = {receivers};
    long long sent = 0, got = 0, still = 0;
    for (long long cycle = 0; got < n * receivers && still < {patience}; ++cycle, ++still) {{
        model.clk = 0;
        model.resetn = cycle >= 2;
        const bool offer = cycle >= {reset} && sent < n * bodies && !(gap && cycle % gap == 0);
        model.in_valid = offer;
{drive}        model.eval();
        if (offer && model.in_ready) {{
            if (++sent % bodies == 0) times[sent / bodies - 1] = cycle;
            still = 0;
        }}
        if (model.out_valid) {{
            if (model.out_body != got % receivers) return -1 - model.out_body;
            const long long at = got / receivers * bodies + got % receivers;
{take}            if (++got % receivers == 0) times[n + got / receivers - 1] = cycle;
            still = 0;
        }}
        model.clk = 1;
        model.eval();
    }}
    return got;
}}
"""
