"""Random formulas on random formats → is the measured error ever above the proven bound, and how far below it?

    python benchmarks/soundness.py --out soundness.jsonl --formulas 5000 [--samples 1000000] [--jobs 2]

Every input is tried where all ports together have at most --exhaustive-bits bits, else corners and random samples; what
looks too large in float64 is evaluated again with 256 bits. Formulas that the compiler refuses (poles, words over 63
bits) are counted and replaced. Blocks of formulas that the file holds already are skipped. Exit code 1 on a violation.

Tightness: proven / measured on the exhaustively tried designs that err at all and have no band left out. It is shown by
the number of rounded steps too: a formula of one variable is one table, and its bound is what is measured.
"""

from __future__ import annotations

import argparse
import collections
import json
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from types import FrameType

from resumable import Record, run_all

from sr2hls.check.measure import measured_errors
from sr2hls.check.vectors import input_bits, input_vectors
from sr2hls.errors import MismatchError, Sr2hlsError

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from drawn import draw

BLOCK, APART = 25, 1000  # formulas of a block, and seeds between the first ones of two blocks
LIMIT = 600  # seconds for one formula
WORST = 10


class _TooLongError(Exception):
    pass


def _alarm(_signal: int, _frame: FrameType | None) -> None:
    raise _TooLongError


def run(task: Record) -> Record:
    """One block: the first formulas from its seed on that compile."""
    signal.signal(signal.SIGALRM, _alarm)
    rows: list[Record] = []
    refused: collections.Counter[str] = collections.Counter()
    begun = time.process_time()
    for seed in range(task["first"], task["first"] + APART):
        if len(rows) == task["formulas"]:
            break
        signal.alarm(LIMIT)
        try:
            rows.append(one(seed, task["samples"], task["exhaustive_bits"]))
        except MismatchError as error:
            rows.append({"seed": seed, "violation": str(error)})
        except Sr2hlsError as error:
            refused[type(error).__name__] += 1
        except _TooLongError:
            refused[f"longer than {LIMIT} s"] += 1
        finally:
            signal.alarm(0)
    return {"rows": rows, "refused": refused, "cpu": round(time.process_time() - begun, 1)}


def one(seed: int, samples: int, exhaustive_bits: int) -> Record:
    """Compile and measure the formula of a seed. Raises MismatchError where the bound does not hold."""
    drawn = draw(seed)
    design = drawn.design
    vectors = {} if input_bits(design) <= exhaustive_bits else input_vectors(design, samples, seed, exhaustive_bits=0)
    (found,) = measured_errors(design, vectors, exhaustive_bits=exhaustive_bits)
    rounded = sum(any(node.local_error) for node in design.certificate.nodes)
    return {
        "seed": seed,
        "text": drawn.text,
        "bits": input_bits(design),
        "rounded": rounded,
        "method": found.method,
        "points": found.points,
        "bands": found.in_bands,
        "proven": found.proven,
        "measured": found.measured,
        "ulp": float(design.output_formats["y"].ulp),
    }


def summary(blocks: Sequence[Record]) -> tuple[list[str], bool]:
    """The lines of the table, and whether the bound held everywhere."""
    done = [block for block in blocks if "error" not in block]
    rows = [row for block in done for row in block["rows"]]
    refused = sum((collections.Counter(block["refused"]) for block in done), collections.Counter())
    violations = [row for row in rows if "violation" in row]
    sound = [row for row in rows if "violation" not in row]
    tried = [row for row in sound if row["method"] == "exhaustive"]
    lines = [
        f"{len(rows)} formulas ({len(tried)} on every input, {len(sound) - len(tried)} sampled; "
        f"{sum(row['points'] for row in sound):.3g} inputs), refused: {dict(refused)}; "
        f"{sum(block['cpu'] for block in done):.0f} CPU-s",
        f"measured above proven: {len(violations)}",
        *(f"  seed {row['seed']}: {row['violation']}" for row in violations),
    ]
    loose = [row for row in tried if row["measured"] > 0 and not row["bands"]]
    lines.append(
        f"exact circuits: {sum(row['proven'] == 0 for row in sound)}; "
        f"tightness on the {len(loose)} exhaustive ones that err:"
    )
    for title, least, most in (("1 rounded step", 1, 1), ("2", 2, 2), ("3 and more", 3, 999), ("all", 0, 999)):
        ratios = sorted(row["proven"] / row["measured"] for row in loose if least <= row["rounded"] <= most)
        if ratios:
            high = ratios[min(len(ratios) - 1, int(0.95 * len(ratios)))]
            lines.append(
                f"  {title:15} {len(ratios):5} formulas: proven / measured median {median(ratios):.3f}, "
                f"95 % {high:.2f}, worst {ratios[-1]:.2f}"
            )
    worst = sorted(loose, key=lambda row: -row["proven"] / row["measured"])[:WORST]
    lines += [
        f"  seed {row['seed']}: {row['proven'] / row['measured']:.2f} ({row['proven'] / row['ulp']:.2f} ulp proven, "
        f"{row['bits']} input bits, {row['rounded']} rounded steps): {row['text']}"
        for row in worst
    ]
    failed = [block for block in blocks if "error" in block]
    lines += [f"block {block['first']} failed: {block['error']}" for block in failed]
    return lines, not violations and not failed


def describe(record: Record) -> str:
    if "error" in record:
        return f"block {record['first']}: {record['error']}"
    bad = sum("violation" in row for row in record["rows"])
    return f"block {record['first']}: {len(record['rows'])} formulas, {bad} violations, {record['cpu']} CPU-s"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("soundness.jsonl"))
    parser.add_argument("--formulas", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1_000_000, help="the first block's first seed")
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--exhaustive-bits", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--task", help="one block, as JSON; for the benchmark's own use")
    options = parser.parse_args()
    if options.task:
        print(json.dumps(run(json.loads(options.task))))
        return 0
    tasks = [
        {
            "first": options.seed + APART * (start // BLOCK),
            "formulas": min(BLOCK, options.formulas - start),
            "samples": options.samples,
            "exhaustive_bits": options.exhaustive_bits,
        }
        for start in range(0, options.formulas, BLOCK)
    ]
    records = run_all(Path(__file__).resolve(), tasks, options.out, options.jobs, LIMIT * BLOCK, describe)
    lines, sound = summary(records)
    print("\n".join(lines))
    return int(not sound)


if __name__ == "__main__":
    sys.exit(main())
