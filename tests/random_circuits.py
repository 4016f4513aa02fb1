"""A seed → a random circuit over the whole vocabulary, for tests that compare engines."""

from __future__ import annotations

import random

from sr2hls.builder import CircuitBuilder
from sr2hls.circuit import Circuit, Overflow, Rounding
from sr2hls.errors import Sr2hlsError
from sr2hls.formats import Format

OPERATIONS = (
    *("add", "sub", "mul", "shift", "negate", "absolute", "less", "equal", "select"),
    *("slice", "concat", "leading_zeros", "lookup", "cast", "narrow"),
)


def random_format(rng: random.Random, widest: int = 14) -> Format:
    width = rng.randint(1, widest)
    return Format(rng.random() < 0.6, width, rng.randint(-2, width + 2))


def random_circuit(seed: int, operations: int = 20) -> Circuit:
    """1 to 4 inputs, `operations` random nodes of at most 60 bits, 1 to 3 outputs."""
    rng = random.Random(seed)
    b = CircuitBuilder()
    pool = [b.input(f"x{i}", random_format(rng)) for i in range(rng.randint(1, 4))]
    pool.append(b.constant(rng.randint(-300, 300), rng.randint(-2, 8)))
    made = 0
    while made < operations:
        b.origin = f"step {made}"
        try:
            index = _operation(rng, b, pool)
        except Sr2hlsError:
            continue  # the random operands do not suit the operation
        if b[index].format.width <= 60 and abs(b[index].format.fraction) <= 60:
            pool.append(index)
            made += 1
    chosen = [pool[-1], *rng.sample(pool, rng.randint(0, 2))]
    return b.build([(f"y{i}", index) for i, index in enumerate(chosen)])


def _operation(rng: random.Random, b: CircuitBuilder, pool: list[int]) -> int:
    def pick() -> int:
        return rng.choice(pool[-8:] if rng.random() < 0.7 else pool)

    def bit() -> int:
        return b.less(pick(), pick())

    def unsigned(a: int) -> int:
        return b.slice(a, b[a].format.width - 1, 0)

    a = pick()
    width = b[a].format.width
    match rng.choice(OPERATIONS):
        case "add":
            return b.add(a, pick())
        case "sub":
            return b.sub(a, pick())
        case "mul":
            return b.mul(a, pick())
        case "shift":
            return b.shift(a, rng.randint(-4, 4))
        case "negate":
            return b.negate(a)
        case "absolute":
            return b.absolute(a)
        case "less":
            return b.less(a, pick())
        case "equal":
            return b.equal(a, pick())
        case "select":
            return b.select(bit(), a, pick())
        case "slice":
            low = rng.randint(0, width - 1)
            return b.slice(a, rng.randint(low, width - 1), low)
        case "concat":
            return b.concat(a, pick())
        case "leading_zeros":
            return b.leading_zeros(unsigned(a))
        case "lookup":
            if width > 8:
                a = b.slice(a, width - 1, width - rng.randint(1, 8))
            low, high = sorted((rng.randint(-500, 500), rng.randint(-500, 500)))
            codes = tuple(rng.randint(low, high) for _ in range(1 << b[a].format.width))
            return b.lookup(a, codes, rng.randint(-2, 10))
        case "narrow":
            return b.round_to(a, b[a].format.fraction - rng.randint(0, 6), rng.choice(list(Rounding)))
        case _:
            fmt = random_format(rng, 20)
            return b.cast(a, fmt, rng.choice(list(Rounding)), rng.choice(list(Overflow)))
