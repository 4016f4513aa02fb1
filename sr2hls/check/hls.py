"""`Design` + input codes → output codes, as the emitted HLS C++ computes them under g++ with the open ap_types."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from numpy.typing import ArrayLike

from sr2hls.check import gxx
from sr2hls.check.engine import EngineResult
from sr2hls.design import Design
from sr2hls.emit.hls import hls_source, port_names, port_type, top_name

_HEAD = "#include <cstddef>\n#include <cstdint>\n#include <ap_fixed.h>\n#include <ap_int.h>\n"
_QUIET = ("-Wno-unknown-pragmas", "-Wno-deprecated-declarations", "-w")  # the headers warn, not our text


def run(design: Design, inputs: Mapping[str, ArrayLike], files: Mapping[str, str] | None = None) -> EngineResult:
    """Run the HLS C++ on int64 input codes of shape (n,), all ports of one length.

    Args:
        files: the texts when they lie on disk (as `hls_source` names them); by default printed from the design.

    Raises:
        ToolError: no compiler, no ap_types, or the compiler refuses the text. FormatError: inputs do not suit.
    """
    return run_many([(design, inputs)], texts=None if files is None else [files])[0]


def run_many(
    cases: Sequence[gxx.Case],
    *,
    batch: int = 100,
    jobs: int = 1,
    flags: Sequence[str] = ("-O1",),
    texts: Sequence[Mapping[str, str]] | None = None,
) -> list[EngineResult]:
    """Run many designs, `batch` of them in each translation unit, `jobs` compilers at a time; results in order."""
    given = texts or [hls_source(design) for design, _ in cases]
    return gxx.in_batches(cases, given, batch, jobs, lambda part, text: _run_unit(part, text, flags))


def _run_unit(
    cases: Sequence[gxx.Case], texts: Sequence[Mapping[str, str]], flags: Sequence[str]
) -> list[EngineResult]:
    units = [_case(index, design, text) for index, ((design, _), text) in enumerate(zip(cases, texts, strict=True))]
    source = _HEAD + "".join(units) + gxx.dispatcher(len(cases))
    with tempfile.TemporaryDirectory(prefix="sr2hls-") as folder:
        library = gxx.build_library(source, Path(folder), (f"-isystem{gxx.ap_types()}", *flags, *_QUIET))
        results = []
        for index, (design, inputs) in enumerate(cases):
            outputs, seconds = gxx.call(library, index, design, inputs)
            results.append(EngineResult("hls", outputs, None, "g++ with ap_types", gxx.compiler_version(), seconds))
    return results


def _case(index: int, design: Design, files: Mapping[str, str]) -> str:
    top, names = top_name(design), port_names(design)
    lines = []
    for place, (name, fmt) in enumerate(design.input_formats.items()):
        lines.append(f"{port_type(fmt)} p_{names[name]}; p_{names[name]}.range() = ap_int<64>(in[{place}][i]);")
    lines += [f"{port_type(fmt)} p_{names[name]};" for name, fmt in design.output_formats.items()]
    lines.append(f"{top}({', '.join(f'p_{name}' for name in names.values())});")
    for place, (name, fmt) in enumerate(design.output_formats.items()):
        word = f"ap_{'' if fmt.signed else 'u'}int<{fmt.width}>"
        lines.append(f"out[{place}][i] = {word}(p_{names[name]}.range()).to_int64();")
    inner = "\n        ".join(lines)
    return f"""
namespace case_{index} {{
{gxx.body(files[f"{top}.h"])}
{gxx.body(files[f"{top}.cpp"])}
static void run(const std::int64_t* const* in, std::int64_t* const* out, std::size_t n) {{
    for (std::size_t i = 0; i < n; ++i) {{
        {inner}
    }}
}}
}}  // namespace case_{index}
"""
