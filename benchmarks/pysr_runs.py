"""A folder of PySR runs → a table: every row of every hall of fame compiled and bit-exact in all engines, or refused.

    python benchmarks/pysr_runs.py RUNS [--samples 1000] [--no-engines] [--markdown FILE]

Inputs are fixed<12,3>, that is -4 to 4. Where the formula has a pole or leaves its domain there, the row is compiled
on the first of the narrower ranges below that it accepts; the table says which.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from sr2hls.compiler import Options, compile_model
from sr2hls.design import Design
from sr2hls.errors import DomainError, Sr2hlsError
from sr2hls.formats import Format
from sr2hls.load import read
from sr2hls.model import SymbolicModel

WORD = Format.parse("fixed<12,3>")
RANGES = ((-4.0, 4.0), (0.25, 4.0), (0.5, 4.0), (1.0, 4.0), (2.5, 4.0), (0.25, 0.625))


@dataclass(frozen=True)
class Row:
    """One equation's fate."""

    run: str
    output: str
    complexity: int
    equation: str
    range: tuple[float, float] | None
    design: Design | None
    reason: str
    seconds: float


def compile_row(model: SymbolicModel) -> tuple[Design | None, tuple[float, float] | None, str]:
    """The design on the first range that the formula accepts, or the reason of the refusal."""
    reason = ""
    for limits in RANGES:
        try:
            options = Options(inputs={"*": WORD}, ranges={} if limits == RANGES[0] else {"*": limits})
            return compile_model(model, options), limits, ""
        except DomainError as error:
            reason = reason or str(error)
        except Sr2hlsError as error:
            return None, limits, f"{type(error).__name__}: {error}"
    return None, None, f"DomainError on every range: {reason}"


def rows_of(runs: Path) -> list[Row]:
    """All rows of all runs below a folder."""
    rows = []
    for folder in sorted(path for path in runs.iterdir() if path.is_dir()):
        try:
            catalog = read(folder)
        except Sr2hlsError as error:
            rows.append(Row(folder.name, "-", 0, "-", None, None, f"LoadError: {error}", 0.0))
            continue
        for name, equations in zip(catalog.names, catalog.outputs, strict=True):
            for equation in equations:
                start = time.perf_counter()
                try:
                    model = catalog.only(name).choose(complexity=equation.complexity)
                    design, limits, reason = compile_row(model)
                except Sr2hlsError as error:
                    design, limits, reason = None, None, f"{type(error).__name__}: {error}"
                seconds = time.perf_counter() - start
                rows.append(
                    Row(folder.name, name, equation.complexity, equation.equation, limits, design, reason, seconds)
                )
                fate = reason or "compiled"
                print(f"{folder.name} {name} {equation.complexity}: {fate} {seconds:.2f} s", file=sys.stderr)
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--no-engines", action="store_true")
    arguments = parser.parse_args()
    rows = rows_of(arguments.runs)
    done = [row for row in rows if row.design is not None]
    print("| run | output | complexity | range | latency | bound (ulp) | result |\n|---|---|---|---|---|---|---|")
    for row in rows:
        if row.design is None:
            print(f"| {row.run} | {row.output} | {row.complexity} | - | - | - | refused: {row.reason} |")
        else:
            proof = row.design.certificate.outputs[0]
            ulps = proof.bound / float(Format.parse(proof.format).ulp)
            limits = "±4" if row.range == RANGES[0] else f"{row.range[0]:g}:{row.range[1]:g}"  # type: ignore[index]
            where = f"| {row.run} | {row.output} | {row.complexity} | {limits} "
            print(f"{where}| {row.design.latency} | {ulps:.2f} | compiled |")
    print(f"\n{len(rows)} rows: {len(done)} compiled, {len(rows) - len(done)} refused")
    if arguments.no_engines:
        return 0
    from engines import compare_all

    return compare_all([row.design for row in done if row.design is not None], arguments.samples)


if __name__ == "__main__":
    sys.exit(main())
