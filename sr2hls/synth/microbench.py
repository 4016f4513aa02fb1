"""An operation and a width → the smallest design that times it: registers, operation, registers."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from sr2hls.builder import CircuitBuilder
from sr2hls.circuit import Circuit, Overflow, Rounding
from sr2hls.design import Certificate, Design
from sr2hls.formats import Format
from sr2hls.products import product_in_rows
from sr2hls.targets import Target


@dataclass(frozen=True, slots=True)
class Probe:
    """One measurement: `law` is the name in `sr2hls.targets.coefficients.Costs`, `width` what that law takes.

    For blocks `width` is the sum of the operands' widths, `pieces` the cuts of `Dsp.pieces`, less two; for products in
    rows (`mask`) it is the bits of all rows.
    """

    law: str
    name: str
    width: int
    circuit: Circuit
    pieces: int = 0


def probes(target: Target) -> list[Probe]:
    """The measurements that fit every law of a target, narrow to wide."""
    made: list[Probe] = []
    for width in (4, 8, 16, 32, 48):
        made += [_of(law, width) for law in ("add", "less")]
    for width in (4, 8, 16, 32):
        made += [_of(law, width) for law in ("equal", "select", "negate", "absolute", "round", "saturate")]
    made += [_of("leading_zeros", width) for width in (4, 8, 16, 32)]
    for bits in (4, 6, 8, 10, 12):
        made.append(_lookup("random", bits, 8 if bits <= 10 else 3))
    for bits in (8, 10, 12):
        made.append(_lookup("smooth", bits, bits))
    dsp = target.costs.dsp
    for a, b in ((2, 2), (3, 3), (4, 4), (8, 8), (12, 12), (16, 16), (18, 18), (24, 18), (24, 24), (30, 32)):
        if dsp.least_product <= a + b:
            across, down = dsp.pieces(a, b)
            made.append(_product("dsp", a, b, across + down - 2))
    made += [_rows(width) for width in (8, 12, 16)]
    return made


def probe_design(circuit: Circuit, target: Target, name: str = "probe") -> Design:
    """The circuit in one stage between registered ports."""
    return Design(
        name=name,
        circuit=circuit,
        cycles=(0,) * len(circuit.nodes),
        stages=1,
        register_inputs=True,
        register_outputs=True,
        clock_ns=target.clock_ns,
        target=target,
        certificate=Certificate(outputs=(), nodes=(), domain=()),
        provenance={},
    )


def _signed(width: int, fraction: int = 0) -> Format:
    return Format(True, width, fraction)


def _of(law: str, width: int) -> Probe:
    b = CircuitBuilder()
    return Probe(law, f"{law}_{width}", width, b.build([("y", _BUILD[law](b, width))]))


def _binary(method: str, operand: int) -> Callable[[CircuitBuilder, int], int]:
    """`operand`: how many bits narrower than the law's width the operands are."""

    def build(b: CircuitBuilder, width: int) -> int:
        a, c = (b.input(name, _signed(width - operand)) for name in "ab")
        result: int = getattr(b, method)(a, c)
        return result

    return build


def _select(b: CircuitBuilder, width: int) -> int:
    condition = b.input("c", Format(False, 1, 0))
    return b.select(condition, b.input("a", _signed(width)), b.input("b", _signed(width)))


def _round(b: CircuitBuilder, width: int) -> int:
    return b.round_to(b.input("a", _signed(width + 3, 4)), 0, Rounding.HALF_UP)


def _saturate(b: CircuitBuilder, width: int) -> int:
    fmt = _signed(max(2, (2 * width) // 3))
    return b.cast(b.input("a", _signed(width)), fmt, Rounding.FLOOR, Overflow.SATURATE)


_BUILD: dict[str, Callable[[CircuitBuilder, int], int]] = {
    "add": _binary("add", 1),
    "less": _binary("less", 0),
    "equal": _binary("equal", 0),
    "select": _select,
    "negate": lambda b, width: b.negate(b.input("a", _signed(width - 1))),
    "absolute": lambda b, width: b.absolute(b.input("a", _signed(width))),
    "leading_zeros": lambda b, width: b.leading_zeros(b.input("a", Format(False, width, 0))),
    "round": _round,
    "saturate": _saturate,
}


def _lookup(kind: str, bits: int, out: int) -> Probe:
    """Random contents (the worst case) or a quarter of a sine."""
    rng = random.Random(bits)
    top = (1 << out) - 1
    size = 1 << bits
    codes = tuple(
        rng.randint(0, top) if kind == "random" else round(top * math.sin(math.pi * (i + 0.5) / (2 * size)))
        for i in range(size)
    )
    b = CircuitBuilder()
    y = b.lookup(b.input("a", Format(False, bits, 0)), codes, 0)
    return Probe("lookup", f"lookup_{kind}_{bits}", bits, b.build([("y", y)]))


def _rows(width: int) -> Probe:
    b = CircuitBuilder()
    y = product_in_rows(b, b.input("a", _signed(width)), b.input("b", _signed(width)))
    return Probe("mask", f"rows_{width}x{width}", width * width, b.build([("y", y)]))


def _product(law: str, wide: int, narrow: int, pieces: int) -> Probe:
    b = CircuitBuilder()
    y = b.mul(b.input("a", _signed(wide)), b.input("b", _signed(narrow)))
    return Probe(law, f"{law}_{wide}x{narrow}", wide + narrow, b.build([("y", y)]), pieces)
