"""Real values → integer codes of a format, by one rule everywhere, and back."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sr2hls.errors import FormatError
from sr2hls.formats import Format

_FAR = 2.0**64  # beyond every code


def to_codes(fmt: Format, values: ArrayLike, name: str = "input") -> NDArray[np.int64]:
    """Codes of the same shape: rounded to nearest, ties up, then saturated (ap_fixed's AP_RND, AP_SAT).

    Raises FormatError for NaN, which no word can hold; infinities saturate.
    """
    array = np.asarray(values, dtype=np.float64)
    if np.isnan(array).any():
        raise FormatError(f"'{name}' holds NaN, which {fmt} cannot")
    with np.errstate(over="ignore", under="ignore"):
        scaled = np.clip(np.ldexp(array, fmt.fraction), -_FAR, _FAR)
    down = np.floor(scaled)
    rounded = down + (scaled - down >= 0.5)  # adding 0.5 first would itself round
    # a bound beyond 2^53 is no float64: the comparison with the next power of two decides, the clip is on integers
    top = float(1 << (fmt.width - 1 if fmt.signed else fmt.width))
    inside = np.clip(rounded, float(fmt.least), np.nextafter(top, 0.0)).astype(np.int64)
    return np.where(rounded >= top, fmt.greatest, inside).astype(np.int64)


def to_values(fmt: Format, codes: ArrayLike) -> NDArray[np.float64]:
    """The values of codes; exact for words of up to 53 bits, rounded to float64 above."""
    return np.ldexp(np.asarray(codes, dtype=np.int64).astype(np.float64), -fmt.fraction)
