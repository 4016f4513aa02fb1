"""A table's contents → how many LUTs its logic needs: distinct sub-tables and the multiplexers above them.

The count is structural, as in multi-level table decompositions: every output bit is cut into sub-tables of `leaf`
address bits; equal and complementary ones are shared, over all output bits; above them stand multiplexers of 4:1,
shared alike. The first `free` address bits above a leaf go to the slice's hard multiplexers. For smooth functions it
is far below entries · bits / 2^leaf, which is why a formula on the size alone chooses badly.
"""

from __future__ import annotations

from functools import lru_cache

from sr2hls.circuit import Table

_Key = tuple[int, ...]

LEAF = 6  # the sharing that synthesizers find is that of 64-entry sub-tables, on families with smaller LUTs too
FREE = 2


@lru_cache(maxsize=4096)
def rom_structure(table: Table, leaf: int = LEAF, free: int = FREE) -> tuple[int, int]:
    """(LUTs of `leaf` inputs, address bits that the deepest output bit depends on)."""
    bits = len(table.codes).bit_length() - 1
    leaves: set[int] = set()
    muxes: set[_Key] = set()
    depth = 0
    for truth in _output_bits(table):
        used = _support(truth, bits)
        depth = max(depth, len(used))
        if len(used) <= leaf:
            if len(used) > 1:  # fewer is a constant or a wire
                leaves.add(_canonical(truth, 1 << bits))
            continue
        nodes = _cut(truth, bits, leaf)
        leaves.update(key for key in map(_plain, nodes, [1 << leaf] * len(nodes)) if key is not None)
        _multiplex(nodes, 1 << leaf, free, muxes)
    return len(leaves) + len(muxes), depth


def _output_bits(table: Table) -> list[int]:
    """For each output bit its truth table, as an integer with bit i = the output at address i."""
    import numpy as np

    codes = np.array(table.codes, dtype=np.int64)
    columns = ((codes >> bit) & 1 for bit in range(table.format.width))
    return [int.from_bytes(np.packbits(c.astype(np.uint8), bitorder="little").tobytes(), "little") for c in columns]


def _support(truth: int, bits: int) -> list[int]:
    """The address bits that the output depends on."""
    used = []
    for bit in range(bits):
        step = 1 << bit
        # addresses whose `bit` is 0
        low = _zeros_mask(bits, bit)
        if (truth & low) != ((truth >> step) & low):
            used.append(bit)
    return used


@lru_cache(maxsize=512)
def _zeros_mask(bits: int, bit: int) -> int:
    mask = (1 << (1 << bit)) - 1
    length = 2 << bit
    while length < 1 << bits:
        mask |= mask << length
        length *= 2
    return mask


def _cut(truth: int, bits: int, leaf: int) -> list[int]:
    """The sub-tables of the low `leaf` address bits, in the order of the high ones."""
    size = 1 << leaf
    data = truth.to_bytes(max(1, (1 << bits) // 8), "little")
    step = size // 8
    if step == 0:
        return [(truth >> (i * size)) & ((1 << size) - 1) for i in range(1 << (bits - leaf))]
    return [int.from_bytes(data[i : i + step], "little") for i in range(0, len(data), step)]


def _canonical(truth: int, size: int) -> int:
    return min(truth, truth ^ ((1 << size) - 1))


def _plain(truth: int, size: int) -> int | None:
    """The canonical sub-table, or None where it is a constant or one address bit: no LUT."""
    key = _canonical(truth, size)
    bits = size.bit_length() - 1
    return None if len(_support(key, bits)) <= 1 else key


def _multiplex(nodes: list[int], size: int, free: int, muxes: set[_Key]) -> None:
    """Add the distinct multiplexers of one output bit, keyed by everything below them, up to complement."""
    level: list[tuple[_Key, bool]] = []
    for node in nodes:
        key = _canonical(node, size)
        level.append(((key,), node != key))
    hard = free
    while len(level) > 1:
        ways = 2 if hard or len(level) == 2 else 4
        joined = []
        for start in range(0, len(level), ways):
            group = level[start : start + ways]
            if all(item == group[0] for item in group):
                joined.append(group[0])
                continue
            flip = group[0][1]
            mux: _Key = (ways, *(hash((key, flipped != flip)) for key, flipped in group))
            if not hard:
                muxes.add(mux)
            joined.append((mux, flip))
        level = joined
        hard = max(0, hard - 1)
