"""`Design` + input codes → output codes, as the emitted C++ header computes them under g++."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from numpy.typing import ArrayLike

from sr2hls.check import gxx
from sr2hls.check.engine import EngineResult
from sr2hls.design import Design
from sr2hls.emit.emulator import cpp_namespace, emulator

_HEAD = "#include <cmath>\n#include <cstddef>\n#include <cstdint>\n"
SANITIZED = ("-O1", "-fsanitize=undefined", "-fno-sanitize-recover=undefined", "-static-libubsan")


def run(design: Design, inputs: Mapping[str, ArrayLike], text: str | None = None) -> EngineResult:
    """Run the header on int64 input codes of shape (n,), all ports of one length.

    Args:
        text: the header's text when it lies on disk; by default it is printed from the design.

    Raises:
        ToolError: no compiler, or it refuses the text. FormatError: the inputs do not suit the ports.
    """
    return run_many([(design, inputs)], flags=("-O3",), texts=None if text is None else [text])[0]


def run_many(
    cases: Sequence[gxx.Case],
    *,
    batch: int = 100,
    jobs: int = 1,
    flags: Sequence[str] = ("-O1",),
    texts: Sequence[str] | None = None,
) -> list[EngineResult]:
    """Run many designs, `batch` of them in each translation unit, `jobs` compilers at a time; results in order."""
    given = texts or [emulator(design) for design, _ in cases]
    return gxx.in_batches(cases, given, batch, jobs, lambda part, text: _run_unit(part, text, flags))


def _run_unit(cases: Sequence[gxx.Case], texts: Sequence[str], flags: Sequence[str]) -> list[EngineResult]:
    units = [_case(index, design, text) for index, ((design, _), text) in enumerate(zip(cases, texts, strict=True))]
    source = _HEAD + "".join(units) + gxx.dispatcher(len(cases))
    with tempfile.TemporaryDirectory(prefix="sr2hls-") as folder:
        library = gxx.build_library(source, Path(folder), ("-Wall", "-Wextra", "-Werror", *flags))
        results = []
        for index, (design, inputs) in enumerate(cases):
            outputs, seconds = gxx.call(library, index, design, inputs)
            results.append(EngineResult("cpp", outputs, None, "g++", gxx.compiler_version(), seconds))
    return results


def _case(index: int, design: Design, text: str) -> str:
    name = cpp_namespace(design)
    return f"""
namespace case_{index} {{
{gxx.body(text)}
inline void run(const std::int64_t* const* in, std::int64_t* const* out, std::size_t n) {{
    {name}::evaluate(in, out, n);
}}
}}  // namespace case_{index}
"""
