"""Compiled designs with one number altered → a table of how `sr2hls verify` refuses them: 100 % must be.

    python benchmarks/verify_mutants.py [--tables 40] [--ways 2] [--seed 1]

Every number of design.json is altered in turn (of a table: --tables random entries), each in --ways random ways: by
one, by the last bit, by a factor, in sign; numbers inside texts (formats, definitions, methods, notes) digit by digit.
All SHA-256 digests are recomputed, and certificate.json would be written anew: neither gives the change away. Columns:
refused when read (the rules of the vocabulary), by the proof and the ledger, by the totals alone. What the totals
alone refuse makes no difference to the promise: an altered circuit among those that errs by more on samples is unsound.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from pathlib import Path

from sr2hls.check.measure import measured_errors
from sr2hls.check.vectors import input_vectors
from sr2hls.emit.design_read import parse_design
from sr2hls.errors import MismatchError

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from mutants import DESIGNS, applied, built, data_of, fate, mutants

KINDS = ("read", "proof", "undecided", "totals", "missed")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, default=40, help="entries altered in each table")
    parser.add_argument("--ways", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=list(DESIGNS))
    arguments = parser.parse_args()
    print("| design | nodes | mutants | read | proof | undecided | totals only | missed | unsound | s each |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    whole: Counter[str] = Counter()
    for name in [arguments.only] if arguments.only else DESIGNS:
        design = built(name)
        data = data_of(design)
        first = fate(data)
        if first[0] != "missed":
            print(f"{name}: unaltered, it is not verified: {first}", file=sys.stderr)
            return 2
        counts: Counter[str] = Counter()
        where: Counter[tuple[str, str]] = Counter()
        start = time.perf_counter()
        for mutant in mutants(data, random.Random(arguments.seed), arguments.tables, arguments.ways):
            changed = applied(data, mutant)
            result, _ = fate(changed)
            if result == "totals" and mutant.place[0] in ("nodes", "tables") and unsound(changed):
                counts["unsound"] += 1
                print(f"UNSOUND {name}: {mutant}", file=sys.stderr)
            counts[result] += 1
            column = ".".join(str(key) for key in mutant.place if not isinstance(key, int))
            where[result, column] += 1
            if result == "missed":
                print(f"MISSED {name}: {mutant}", file=sys.stderr)
        total = sum(counts[kind] for kind in KINDS)
        seconds = (time.perf_counter() - start) / max(1, total)
        cells = " | ".join(str(counts[kind]) for kind in (*KINDS, "unsound"))
        print(f"| {name} | {len(design.circuit.nodes)} | {total} | {cells} | {seconds:.3f} |", flush=True)
        for (kind, column), count in sorted(where.items()):
            if kind in ("totals", "missed", "undecided"):
                print(f"    {name}: {kind} {column}: {count}", file=sys.stderr)
        whole += counts
    total = sum(whole[kind] for kind in KINDS)
    print(f"\n{total} mutants, {whole['missed']} missed, {whole['unsound']} unsound; {whole['totals']} by totals alone")
    return int(whole["missed"] + whole["unsound"] > 0)


def unsound(data: object) -> bool:
    """Whether a circuit that only the totals refuse errs by more than the stated bound, on samples."""
    design = parse_design(data)
    try:
        measured_errors(design, input_vectors(design, 20_000, seed=1))
    except MismatchError:
        return True
    return False


if __name__ == "__main__":
    sys.exit(main())
