"""Two designs of one name, simulated one after the other in one process, must not share their tables."""

from __future__ import annotations

import numpy as np
import pytest

from sr2hls.check import cpp, cxxrtl, hls, verilator
from sr2hls.check.compare import first_mismatch
from sr2hls.compiler import Options, compile_model
from sr2hls.formats import Format
from sr2hls.load import load


@pytest.mark.parametrize("engine", [cpp, hls, verilator, cxxrtl], ids=lambda module: module.__name__.split(".")[-1])
def test_tables_of_an_earlier_build_do_not_leak(engine):
    options = Options(inputs={"*": Format.parse("fixed<8,3>")})
    codes = {"x": np.arange(-128, 128)}
    for text in ("sin(x)", "cos(x)"):
        design = compile_model(load(text), options)
        assert first_mismatch(design, codes, engine.run(design, codes)) is None
