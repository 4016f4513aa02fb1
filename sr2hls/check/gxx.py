"""C++ text → a shared library made by g++, and a batched call into it on NumPy integer codes."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sr2hls.design import Design
from sr2hls.errors import FormatError, ToolError

Case = tuple[Design, Mapping[str, ArrayLike]]  # a design and the codes of its input ports
T = TypeVar("T")
R = TypeVar("R")
Codes = NDArray[np.int64]
ENTRY = "sr2hls_run"  # the one exported function, see `dispatcher`

# Tables are static data of inline functions. Without this flag the loader would hand those of an earlier library of
# the same process to a later one, where both define the same names.
ISOLATED = "-fno-gnu-unique"


def compiler() -> str:
    """The C++ compiler: $CXX, else g++. Raises ToolError when there is none."""
    name = os.environ.get("CXX") or "g++"
    path = shutil.which(name)
    if path is None:
        raise ToolError(f"the C++ compiler '{name}' is missing; install it with 'apt-get install g++'")
    return path


@cache
def compiler_version() -> str:
    """The first line that the compiler says about itself."""
    text = subprocess.run([compiler(), "--version"], capture_output=True, text=True, check=False).stdout
    return text.splitlines()[0] if text else "unknown"


@cache
def ap_types() -> Path:
    """The folder of the open ap_int.h and ap_fixed.h that hls4ml's wheel carries; hls4ml itself is not imported.

    Raises ToolError when hls4ml is not installed or lacks the folder.
    """
    spec = find_spec("hls4ml")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(place) / "templates" / "vivado" / "ap_types"
        if (path / "ap_fixed.h").is_file():
            return path
    raise ToolError("the ap_types headers of hls4ml are missing; install them with 'pip install hls4ml'")


def body(text: str) -> str:
    """C++ text without its preprocessor lines, so that it can stand inside a namespace."""
    return re.sub(r"^[ \t]*#.*$", "", text, flags=re.MULTILINE)


def dispatcher(count: int) -> str:
    """C++: the exported function that calls case_<index>::run(in, out, n). Returns 1 for an unknown index."""
    cases = "\n".join(f"        case {i}: case_{i}::run(in, out, n); return 0;" for i in range(count))
    return f"""
extern "C" int {ENTRY}(int index, const std::int64_t* const* in, std::int64_t* const* out, std::size_t n) {{
    switch (index) {{
{cases}
        default: return 1;
    }}
}}
"""


def build_library(source: str, folder: Path, flags: Sequence[str]) -> ctypes.CDLL:
    """Compile one translation unit into folder/engine.so and load it.

    Raises ToolError with the compiler's first error lines.
    """
    unit, library = folder / "engine.cpp", folder / "engine.so"
    unit.write_text(source, encoding="utf-8")
    command = [compiler(), "-std=c++17", "-fPIC", "-shared", ISOLATED, *flags, unit.name, "-o", library.name]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error" in line] or done.stderr.splitlines()
        raise ToolError(f"{Path(command[0]).name} refused the generated C++: " + " | ".join(lines[:5]))
    return ctypes.CDLL(str(library))


def call(
    library: ctypes.CDLL, index: int, design: Design, inputs: Mapping[str, ArrayLike]
) -> tuple[dict[str, Codes], float]:
    """Output codes of case `index`, and the seconds that the run took.

    Raises FormatError when a port is missing or the shapes differ. A design without inputs gives one sample.
    """
    ports = [_port(name, inputs) for name in design.input_formats]
    sizes = {codes.size for codes in ports} or {1}
    if len(sizes) > 1:
        raise FormatError(f"the input arrays of '{design.name}' have different lengths: {sorted(sizes)}")
    samples = sizes.pop()
    outputs = {name: np.empty(samples, dtype=np.int64) for name in design.output_formats}
    start = time.perf_counter()
    status = getattr(library, ENTRY)(
        index, _pointers(ports), _pointers(list(outputs.values())), ctypes.c_size_t(samples)
    )
    seconds = time.perf_counter() - start
    if status:
        raise ToolError(f"the compiled library has no case {index}")
    return outputs, seconds


def in_batches(
    cases: Sequence[Case],
    texts: Sequence[T],
    batch: int,
    jobs: int,
    run_unit: Callable[[Sequence[Case], Sequence[T]], list[R]],
) -> list[R]:
    """`run_unit` on slices of at most `batch` cases, `jobs` at a time; the results in the order of the cases."""
    starts = range(0, len(cases), max(batch, 1))
    with ThreadPoolExecutor(max_workers=max(jobs, 1)) as pool:
        parts = [pool.submit(run_unit, cases[i : i + batch], texts[i : i + batch]) for i in starts]
        return [result for part in parts for result in part.result()]


def _port(name: str, inputs: Mapping[str, ArrayLike]) -> Codes:
    if name not in inputs:
        raise FormatError(f"no codes for the input '{name}'")
    codes = np.asarray(inputs[name])
    if codes.dtype.kind not in "iu" or codes.ndim != 1:
        raise FormatError(f"input '{name}': codes must be a one-dimensional array of integers")
    return np.ascontiguousarray(codes, dtype=np.int64)


def _pointers(arrays: list[Codes]) -> ctypes.Array[ctypes.c_void_p]:
    return (ctypes.c_void_p * max(len(arrays), 1))(*(array.ctypes.data for array in arrays))
