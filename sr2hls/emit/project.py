"""`Design` + test vectors → every file of its folder, as relative path → text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from numpy.typing import ArrayLike

from sr2hls.design import Design
from sr2hls.emit.design_json import design_data, design_json, short_digest
from sr2hls.emit.emulator import cpp_namespace, emulator
from sr2hls.emit.hls import top_name
from sr2hls.emit.hls_project import hls_project, part_of, vivado_project
from sr2hls.emit.summary import ports, promise, ranges, timing
from sr2hls.emit.testbench import testbench
from sr2hls.emit.text import render
from sr2hls.emit.verilog import module_name, verilog

DESIGN, CERTIFICATE, README = "design.json", "certificate.json", "README.md"


def verilog_path(design: Design) -> str:
    """Where the Verilog lies in the folder."""
    return f"verilog/{module_name(design)}.v"


def emulator_path(design: Design) -> str:
    """Where the C++ header lies in the folder."""
    return f"cpp/{cpp_namespace(design)}.h"


def project_files(design: Design, vectors: Mapping[str, ArrayLike]) -> dict[str, str]:
    """Relative path → text: the design, its certificate, Verilog, C++ header, HLS and Vivado projects, test bench.

    All but the two generic scripts of the test bench state the design's digest.

    Args:
        vectors: input codes of shape (n,) per port for the test benches, n >= 1; a few hundred are enough.

    Raises:
        FormatError: the vectors do not suit the ports.
    """
    digest = short_digest(design)
    module = verilog_path(design)
    files = {
        README: readme(design),
        DESIGN: design_json(design),
        CERTIFICATE: certificate_json(design),
        module: verilog(design, digest),
        emulator_path(design): emulator(design),
    }
    files |= {f"hls/{name}": text for name, text in hls_project(design, vectors).items()}
    files |= {f"vivado/{name}": text for name, text in vivado_project(design, f"../{module}").items()}
    files |= {f"sim/{name}": text for name, text in testbench(design, vectors, f"../{module}", digest).items()}
    return files


def certificate_json(design: Design) -> str:
    """The certificate alone, with the digest of the design that it belongs to."""
    data: dict[str, Any] = {
        "schema": "sr2hls-certificate",
        "design": design.name,
        "digest": short_digest(design),
        "promises": [promise(design, entry) for entry in design.certificate.outputs],
        **design_data(design)["certificate"],
    }
    return json.dumps(data, indent=2) + "\n"


def readme(design: Design) -> str:
    """The page that explains the folder."""
    inputs = list(design.input_formats)
    return render(
        "project/README.md.j2",
        name=design.name,
        digest=short_digest(design),
        formulas=[f"{entry.name} = {entry.formula}" for entry in design.certificate.outputs],
        promises=[promise(design, entry) for entry in design.certificate.outputs],
        bands=sorted({band for entry in design.certificate.outputs for band in entry.bands}),
        notes=design.certificate.notes,
        ranges=ranges(design),
        ports=ports(design),
        timing=timing(design),
        latency=design.latency,
        registers=_registers(design),
        module=module_name(design),
        namespace=cpp_namespace(design),
        top=top_name(design),
        verilog=verilog_path(design),
        header=emulator_path(design),
        part=part_of(design),
        inputs=inputs,
        warnings=design.warnings,
    )


def _registers(design: Design) -> str:
    match design.register_inputs, design.register_outputs:
        case True, True:
            return "Inputs and outputs are registered."
        case True, False:
            return "Inputs are registered, outputs are not."
        case False, True:
            return "Outputs are registered, inputs are not."
        case _:
            return "Neither inputs nor outputs are registered."
