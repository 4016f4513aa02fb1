"""A seed → random numbers inside compiled loops: xoshiro256++ (Blackman and Vigna 2019), one state an island.

numba's own generator is hidden state of a thread, so results would depend on the number of threads.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

U = np.uint64


def states(seed: int, count: int) -> NDArray[np.uint64]:
    """Independent states, shape (count, 4)."""
    return np.random.SeedSequence(seed).generate_state(4 * count, np.uint64).astype(np.uint64).reshape(count, 4)


@njit(cache=True, nogil=True)
def _rotate(x, k):
    return (x << U(k)) | (x >> U(64 - k))


@njit(cache=True, nogil=True)
def bits(state):
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


@njit(cache=True, nogil=True)
def uniform(state):
    """In [0, 1)."""
    return (bits(state) >> U(11)) * (1.0 / 9007199254740992.0)


@njit(cache=True, nogil=True)
def below(state, n):
    """An integer in [0, n); the bias of 2^-53 does not matter here."""
    return int(uniform(state) * n)


@njit(cache=True, nogil=True)
def normal(state):
    """Standard normal (Box and Muller 1958)."""
    u = 1.0 - uniform(state)
    return math.sqrt(-2.0 * math.log(u)) * math.cos(2.0 * math.pi * uniform(state))
