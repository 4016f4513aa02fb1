"""Input formats (and data) → input codes to test with: corners, seeded random, data, or every input there is."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice, product

import numpy as np
from numpy.typing import ArrayLike

from sr2hls.design import Design
from sr2hls.errors import FormatError
from sr2hls.formats import Format
from sr2hls.interpret import Codes

EXHAUSTIVE_BITS = 20
_MOST_CORNERS = 4096


def input_bits(design: Design) -> int:
    """All input ports together."""
    return sum(fmt.width for fmt in design.input_formats.values())


def input_vectors(
    design: Design,
    samples: int = 1000,
    seed: int = 0,
    data: Mapping[str, ArrayLike] | None = None,
    exhaustive_bits: int = EXHAUSTIVE_BITS,
) -> dict[str, Codes]:
    """Codes of shape (n,) for each port.

    Every input there is where all ports together have at most `exhaustive_bits` bits, else corners, then the data,
    then `samples` random codes. A design without inputs gives an empty dict.

    Args:
        data: codes (not values) of shape (m,) per port, such as quantized calibration data.

    Raises:
        FormatError: the data lack a port, differ in length, or hold a code outside a port's format.
    """
    given = {} if data is None else data_codes(design, data)
    if input_bits(design) <= exhaustive_bits:
        return exhaustive(design)
    parts = [corners(design), *([given] if given else []), random_codes(design, samples, seed)]
    return {name: np.concatenate([part[name] for part in parts]) for name in design.input_formats}


def exhaustive(design: Design) -> dict[str, Codes]:
    """Every combination of input codes, the last port fastest. Raises FormatError above 2^24 combinations."""
    formats = design.input_formats
    if input_bits(design) > 24:
        raise FormatError(f"design '{design.name}' has 2^{input_bits(design)} inputs; too many to test them all")
    axes = [np.arange(fmt.least, fmt.greatest + 1, dtype=np.int64) for fmt in formats.values()]
    grid = np.meshgrid(*axes, indexing="ij") if axes else []
    return {name: np.ascontiguousarray(codes.ravel()) for name, codes in zip(formats, grid, strict=True)}


def corners(design: Design, most: int = _MOST_CORNERS) -> dict[str, Codes]:
    """All combinations of the corner codes of each port: least, greatest, zero, one, minus one and their neighbors.

    Where there are more than `most`, first each port's corners with all others least, zero and greatest, then as many
    combinations as fit.
    """
    formats = design.input_formats
    each = [corner_codes(fmt) for fmt in formats.values()]
    rows: list[tuple[int, ...]] = []
    for rest in ("least", "zero", "greatest"):
        base = [{"least": f.least, "zero": 0, "greatest": f.greatest}[rest] for f in formats.values()]
        rows += [(*base[:i], code, *base[i + 1 :]) for i, codes in enumerate(each) for code in codes]
    if formats:
        rows += islice(product(*each), most)
    unique = list(dict.fromkeys(rows))[:most]
    table = np.array(unique, dtype=np.int64).reshape(len(unique), len(formats))
    return {name: np.ascontiguousarray(table[:, i]) for i, name in enumerate(formats)}


def corner_codes(fmt: Format) -> list[int]:
    """The codes of one port where wrapping, sign and carry errors show."""
    candidates = (fmt.least, fmt.greatest, 0, 1, -1, fmt.least + 1, fmt.greatest - 1)
    return [code for code in dict.fromkeys(candidates) if fmt.holds(code, code)]


def random_codes(design: Design, samples: int, seed: int) -> dict[str, Codes]:
    """Uniform codes; a port's stream depends on the seed and the ports before it only."""
    rng = np.random.default_rng(seed)
    formats = design.input_formats
    return {name: rng.integers(f.least, f.greatest, samples, np.int64, endpoint=True) for name, f in formats.items()}


def data_codes(design: Design, data: Mapping[str, ArrayLike]) -> dict[str, Codes]:
    """The data's codes, checked against the ports; see `input_vectors`."""
    result: dict[str, Codes] = {}
    for name, fmt in design.input_formats.items():
        if name not in data:
            raise FormatError(f"the data have no codes for the input '{name}'")
        codes = np.asarray(data[name])
        if codes.dtype.kind not in "iu" or codes.ndim != 1:
            raise FormatError(f"data for '{name}': codes must be a one-dimensional array of integers")
        if codes.size and not fmt.holds(int(codes.min()), int(codes.max())):
            raise FormatError(f"data for '{name}': a code lies outside {fmt}")
        result[name] = codes.astype(np.int64)
    if len({codes.size for codes in result.values()}) > 1:
        raise FormatError("the data columns have different lengths")
    return result
