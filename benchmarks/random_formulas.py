"""Seeds → random formulas, compiled, their proven bound held against samples, and every engine compared bit for bit.

    python benchmarks/random_formulas.py --formulas 1000 --vectors 1000 [--seed 0] [--no-engines]

Formulas that cannot be compiled on the drawn formats (poles, words over 63 bits) are counted by the kind of the
refusal and replaced by the next seed, so that the number asked for is compiled. The random formulas and their
independent NumPy meaning are those of the test suite.
"""

from __future__ import annotations

import argparse
import collections
import sys
from pathlib import Path

from sr2hls.errors import Sr2hlsError

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from drawn import Drawn, draw, worst_ratio

SLOW = 20.0  # seconds after which a compilation is reported


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--formulas", type=int, default=1000)
    parser.add_argument("--vectors", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-engines", action="store_true")
    arguments = parser.parse_args()
    done: list[Drawn] = []
    refused: collections.Counter[str] = collections.Counter()
    seed, violations, continued, ratios = arguments.seed, 0, 0, []
    while len(done) < arguments.formulas:
        try:
            drawn = draw(seed)
        except Sr2hlsError as error:
            refused[type(error).__name__] += 1
            seed += 1
            continue
        ratio, same = worst_ratio(drawn, arguments.vectors)
        continued += int(not same)
        if not same:
            print(f"seed {seed}: differs from the independent reference: {drawn.text}", file=sys.stderr)
        ratios.append(ratio)
        if ratio > 1.0:
            violations += 1
            print(f"seed {seed}: measured/proven = {ratio:.4f}: {drawn.text}", file=sys.stderr)
        if drawn.seconds > SLOW:
            print(f"seed {seed}: {drawn.seconds:.1f} s to compile: {drawn.text}", file=sys.stderr)
        done.append(drawn)
        seed += 1
    inexact = sorted(r for r in ratios if 0 < r <= 1)
    print(f"{len(done)} formulas compiled (seeds {arguments.seed} to {seed - 1}); refused: {dict(refused)}")
    median = inexact[len(inexact) // 2] if inexact else 0.0
    print(f"bound: {violations} violations; measured/proven median {median:.3f} of {len(inexact)} inexact")
    print(f"{continued} formulas differ from the independent reference at some sample (listed on stderr)")
    times = sorted(d.seconds for d in done)
    late = times[int(len(times) * 0.95)]
    print(f"compile time: median {times[len(times) // 2]:.2f} s, 95 % {late:.2f} s, worst {times[-1]:.1f} s")
    if arguments.no_engines:
        return int(bool(violations))
    from engines import compare_all

    return compare_all([d.design for d in done], arguments.vectors) or int(bool(violations))


if __name__ == "__main__":
    sys.exit(main())
