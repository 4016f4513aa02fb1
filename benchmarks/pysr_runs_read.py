"""A folder of genuine PySR runs to a table: per run, the rows that load, the rows that are refused, and why.

    python benchmarks/pysr_runs_read.py RUNS_DIR

Each row is also compared with the hall of fame beside it and sent through JSON and back. Exits with 1 if any run
raises anything but the loader's own errors, or if a round trip changes a model.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path

from sr2hls.errors import Sr2hlsError
from sr2hls.load import from_json, load, read, to_json
from sr2hls.load.hall_of_fame import files_in, read_rows


def one_run(folder: Path) -> tuple[str, Counter[str], int]:
    """(a line for the table, reasons of refusal, wrong results)."""
    start = time.perf_counter()
    try:
        catalog = read(folder)
    except Sr2hlsError as error:
        return f"{folder.name:28} refused: {error}", Counter([str(error).split(": ", 1)[-1][:70]]), 0
    loaded, wrong, reasons = 0, 0, Counter[str]()
    for at, name in enumerate(catalog.names):
        part = catalog.only(name)
        for row in range(len(catalog.outputs[at])):
            try:
                model = part.choose(row)
            except Sr2hlsError as error:
                reasons[str(error).split("): ", 1)[-1][:70]] += 1
                continue
            loaded += 1
            wrong += from_json(to_json(model)) != model
    tables = [read_rows(f) for f in files_in(folder)]
    same = sum(
        a.equation == b.equation
        for x, y in zip(catalog.outputs, tables, strict=False)
        for a, b in zip(x, y, strict=True)
    )
    rows = sum(len(o) for o in catalog.outputs)
    best = "" if reasons else "; best: " + " | ".join(o.provenance.equation[:40] for o in load(folder).outputs)
    took = time.perf_counter() - start
    line = f"{folder.name:28} {loaded}/{rows} rows load, {same} equal the CSV, {took:.2f} s{best}"
    return line, reasons, wrong


def main(arguments: list[str]) -> int:
    """Print the table."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print(__doc__)
        return 2
    reasons, wrong = Counter[str](), 0
    for folder in sorted(p for p in Path(arguments[0]).iterdir() if p.is_dir()):
        line, why, bad = one_run(folder)
        print(line)
        reasons += why
        wrong += bad
    for reason, count in reasons.most_common():
        print(f"{count:5d} x {reason}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
