"""`Design` + input vectors → a standalone HLS project, and a Vivado out-of-context run of the Verilog: file texts.

None of it was run with Vivado or Vitis here; the C simulation is run with g++ and the open ap_types.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from sr2hls.design import Design
from sr2hls.emit.cpp_text import comment
from sr2hls.emit.design_json import short_digest
from sr2hls.emit.hls import hls_source, port_names, port_type, top_name
from sr2hls.emit.names import safe_names
from sr2hls.emit.text import render
from sr2hls.errors import FormatError
from sr2hls.formats import Format
from sr2hls.interpret import interpret

FALLBACK_PART = "xcvu9p-flga2577-2-e"  # for designs whose target is not a device of AMD


def hls_project(design: Design, inputs: Mapping[str, ArrayLike]) -> dict[str, str]:
    """File name → text of the folder of an HLS project.

    `TOP.h`, `TOP.cpp`, `TOP_test.cpp` (exact comparison of integer codes), `TOP_vectors.txt`, `build_prj.tcl` (for
    `vivado_hls -f`, `vitis_hls -f` and `vitis-run --mode hls --tcl`) and a `Makefile` for g++ with the open ap_types.

    Args:
        inputs: integer codes of each input port, shape (n,), n >= 1; the expected outputs are `interpret`'s.

    Raises:
        FormatError: the codes do not suit the ports.
    """
    top = top_name(design)
    values = _values(design) | {"top": top}
    return {
        **hls_source(design),
        f"{top}_test.cpp": render("hls/test.cpp.j2", **values),
        f"{top}_vectors.txt": vectors_text(design, inputs),
        "build_prj.tcl": render("hls/build_prj.tcl.j2", **values),
        "Makefile": render("hls/Makefile.j2", **values),
    }


def vectors_text(design: Design, inputs: Mapping[str, ArrayLike]) -> str:
    """The vectors: digest, number of samples, then one line a sample with the codes of inputs and outputs."""
    outputs = interpret(design.circuit, inputs)
    columns = [np.asarray(inputs[name], dtype=np.int64) for name in design.input_formats]
    samples = len(columns[0]) if columns else 1
    if samples == 0:
        raise FormatError(f"'{design.name}': a test bench needs at least one vector")
    columns += [np.broadcast_to(outputs[name], (samples,)) for name in design.output_formats]
    head = " ".join([*design.input_formats, *design.output_formats])
    rows = "\n".join(" ".join(map(str, row)) for row in np.stack(columns, axis=1).tolist())
    digest = short_digest(design)
    return f"# sr2hls-digest: {digest}; integer codes, one sample a line: {head}\n{digest} {samples}\n{rows}\n"


def vivado_project(design: Design, verilog: str = "") -> dict[str, str]:
    """File name → text: `vivado_synth.tcl` and `NAME_ooc.xdc`, which place and route the Verilog out of context.

    Args:
        verilog: the Verilog file, relative to the folder of the Tcl file; by default `NAME.v` in it.
    """
    module = safe_names([design.name], "verilog")[design.name]
    values = _values(design) | {"module": module, "verilog": verilog or f"{module}.v"}
    return {
        "vivado_synth.tcl": render("vivado/vivado_synth.tcl.j2", **values),
        f"{module}_ooc.xdc": render("vivado/ooc.xdc.j2", **values),
    }


def part_of(design: Design) -> str:
    """The AMD part to synthesize for."""
    return design.target.part if design.target.part.startswith("xc") else FALLBACK_PART


def _values(design: Design) -> dict[str, object]:
    names = port_names(design)
    return {
        "title": comment(design.name),
        "digest": short_digest(design),
        "part": part_of(design),
        "target": comment(design.target.name),
        "foreign": part_of(design) != design.target.part,
        "clock_ns": f"{design.clock_ns:g}",
        "latency": design.latency,
        "inputs": [_port(names[name], fmt) for name, fmt in design.input_formats.items()],
        "outputs": [_port(names[name], fmt) for name, fmt in design.output_formats.items()],
    }


def _port(name: str, fmt: Format) -> dict[str, str]:
    return {"name": name, "type": port_type(fmt), "word": f"ap_{'' if fmt.signed else 'u'}int<{fmt.width}>"}
