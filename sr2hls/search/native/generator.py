"""A seed → random numbers inside compiled loops: xoshiro256++ (Blackman and Vigna 2019), one state an island.

numba's own generator is hidden state of a thread, so results would depend on the number of threads.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sr2hls.search.native.apart import Word, Words, apart, inlined

U = np.uint64


def states(seed: int, count: int) -> NDArray[np.uint64]:
    """Independent states, shape (count, 4)."""
    return np.random.SeedSequence(seed).generate_state(4 * count, np.uint64).astype(np.uint64).reshape(count, 4)


@inlined()
def _rotate(x: Word, k: int) -> Word:
    return (x << U(k)) | (x >> U(64 - k))


@apart()
def bits(state: Words) -> Word:
    """The next 64 bits."""
    result = _rotate(state[0] + state[3], 23) + state[0]
    t = state[1] << U(17)
    state[2] ^= state[0]
    state[3] ^= state[1]
    state[1] ^= state[2]
    state[0] ^= state[3]
    state[2] ^= t
    state[3] = _rotate(state[3], 45)
    return result


@apart(python=True)
def uniform(state: Words) -> float:
    """In [0, 1)."""
    return (bits(state) >> U(11)) * (1.0 / 9007199254740992.0)


@apart(python=True)
def below(state: Words, n: int) -> int:
    """An integer in [0, n); the bias of 2^-53 does not matter here."""
    return int(uniform(state) * n)


@inlined()
def normal(state: Words) -> float:
    """Standard normal (Box and Muller 1958)."""
    u = 1.0 - uniform(state)
    return math.sqrt(-2.0 * math.log(u)) * math.cos(2.0 * math.pi * uniform(state))
