"""A design's folder → what is proven of the Verilog in it: its logic, and the balance of its registers."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from sr2hls.check.balance import balance
from sr2hls.check.netlist import read_netlist
from sr2hls.check.prove import prove
from sr2hls.check.simulate import read_files
from sr2hls.design import Design
from sr2hls.emit.verilog import module_name


def prove_folder(design: Design, folder: Path, *, seconds: float = 60.0) -> dict[str, Any]:
    """`{"verilog": Proof, "balance": Balance, "sha256": ...}` of the file on disk, as JSON data.

    Raises LoadError when the file is missing, MismatchError when it is of another design or has other ports, ToolError
    when Yosys is missing or refuses the text.
    """
    start = time.monotonic()
    text = read_files(design, folder).verilog
    netlist = read_netlist(text, module_name(design))
    proof = prove(design, seconds=seconds, netlist=netlist)
    balanced = balance(design, netlist=netlist)
    return {
        "verilog": replace(proof, seconds=round(time.monotonic() - start, 3)).data(),
        "balance": balanced.data(),
        "sha256": hashlib.sha256(text.encode()).hexdigest(),  # of the Verilog that was read
    }
