"""`Design` + input codes → a self-contained cocotb bench: the tests, their runner, and the vectors as integer codes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sr2hls.design import Design
from sr2hls.emit.verilog import module_name, port_names
from sr2hls.errors import FormatError
from sr2hls.formats import Format
from sr2hls.interpret import Codes, interpret
from sr2hls.resources import resource


def testbench(design: Design, inputs: Mapping[str, ArrayLike], verilog: str, digest: str = "none") -> dict[str, str]:
    """The files of the bench's folder as name → text; run it with `python run.py [--sim verilator|icarus]`.

    Args:
        inputs: codes of shape (n,) per port, n >= 1 (without ports one sample is made).
        verilog: where the module lies, relative to the folder, such as `../verilog/name.v`.
        digest: the one printed in that file; the runner refuses another.

    Raises:
        FormatError: the inputs do not suit the ports.
    """
    return {
        "run.py": resource("templates", "cocotb/run.py").read_text(encoding="utf-8"),
        "test_design.py": resource("templates", "cocotb/test_design.py").read_text(encoding="utf-8"),
        "vectors.json": vectors_json(design, inputs, verilog, digest),
    }


testbench.__test__ = False  # type: ignore[attr-defined]  # pytest: no test, in spite of its name


def vectors_json(design: Design, inputs: Mapping[str, ArrayLike], verilog: str, digest: str = "none") -> str:
    """The bench's data: ports by their Verilog names with the codes in, and those that must come out."""
    expected = interpret(design.circuit, inputs)
    (samples,) = {codes.size for codes in expected.values()}
    if samples == 0:
        raise FormatError("a test bench needs at least one sample")
    data = {
        "digest": digest,
        "module": module_name(design),
        "verilog": verilog,
        "latency": design.latency,
        "samples": samples,
        "inputs": _ports(design, design.input_formats, inputs),
        "outputs": _ports(design, design.output_formats, expected),
    }
    return json.dumps(data) + "\n"


def _ports(
    design: Design, formats: Mapping[str, Format], codes: Mapping[str, ArrayLike | Codes]
) -> list[dict[str, Any]]:
    names = port_names(design)
    return [
        {"name": names[name], "width": fmt.width, "signed": fmt.signed, "codes": np.asarray(codes[name]).tolist()}
        for name, fmt in formats.items()
    ]
