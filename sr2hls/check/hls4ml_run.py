"""`Design` + input codes → output codes, as an hls4ml model of the design predicts them."""

from __future__ import annotations

import contextlib
import io
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from numpy.typing import ArrayLike

from sr2hls.check.engine import EngineResult
from sr2hls.check.gxx import Case, compiler
from sr2hls.design import Design
from sr2hls.emit.hls4ml_model import predict_codes, to_hls4ml
from sr2hls.errors import ToolError

Backend = Literal["Vitis", "Vivado"]


def run(design: Design, inputs: Mapping[str, ArrayLike], backend: Backend = "Vitis") -> EngineResult:
    """Compile the model in a temporary folder (about 4 s) and predict (about 20 us a sample).

    Not for threads: hls4ml changes the working directory while it predicts.

    Raises:
        ToolError: no g++, no hls4ml, or its build failed. FormatError: inputs that do not suit, or ports of more
        than 53 bits. UnsupportedError: a design without inputs.
    """
    compiler()  # hls4ml does not say what is missing
    with tempfile.TemporaryDirectory(prefix="sr2hls-") as folder, contextlib.redirect_stdout(io.StringIO()):
        model = to_hls4ml(design, Path(folder) / "model", backend)
        try:
            model.compile()
        except Exception as error:  # hls4ml raises bare Exception and OSError alike
            raise ToolError(f"hls4ml could not compile '{design.name}' for {backend}: {error}") from error
        start = time.perf_counter()
        outputs = predict_codes(design, model, inputs)
        seconds = time.perf_counter() - start
    import hls4ml

    return EngineResult("hls4ml", outputs, None, f"hls4ml {backend}", str(hls4ml.__version__), seconds)


def run_many(cases: Sequence[Case], backend: Backend = "Vitis") -> list[EngineResult]:
    """`run` for each case: hls4ml has no build for several models."""
    return [run(design, inputs, backend) for design, inputs in cases]
