"""A plan of qor_plan.py → the same operations as a circuit of this project, so that one cost model can price both."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from qor_formulas import Case
from qor_plan import Step, functions_of

from sr2hls.builder import CircuitBuilder
from sr2hls.circuit import Circuit, Overflow, Rounding
from sr2hls.formats import Format

WIDEST = 16  # address bits of a table, at most


def circuit_of(case: Case, steps: Sequence[Step]) -> Circuit | None:
    """Sums of shifted values, products, and full tables; None where a table has more than `WIDEST` address bits."""
    b, functions = CircuitBuilder(), functions_of(steps)
    nodes: list[int] = []
    for index, step in enumerate(steps):
        args = [nodes[i] for i in step.args]
        node: int | None
        match step.op:
            case "input":
                nodes.append(b.input(step.name, case.inputs[step.name]))
                continue
            case "linear":
                node = _sum(b, args, step)
            case "mul":
                node = b.mul(*args)
            case _:
                node = _table(b, args[0], step, functions[index])
        if node is None:
            return None
        node = b.round_to(node, step.fraction, Rounding.HALF_UP if step.nearest else Rounding.FLOOR)
        if step.wrap:
            node = b.cast(node, Format(False, max(step.fraction, 1), step.fraction), overflow=Overflow.WRAP)
        nodes.append(node)
    out = b.cast(nodes[-1], case.output, overflow=Overflow.WRAP)
    return b.build([("y", out)])


def _sum(b: CircuitBuilder, args: Sequence[int], step: Step) -> int:
    """Canonical signed digits, shared by none."""
    total = None
    for arg, coefficient in zip(args, step.coefficients, strict=True):
        code, power = round(coefficient * 2.0**step.coefficient_bits), -step.coefficient_bits
        while code:
            if code & 1:
                digit = 2 - (code & 3)
                code -= digit
                term = b.shift(arg, power)
                if total is None:
                    total = term if digit > 0 else b.negate(term)
                else:
                    total = b.add(total, term) if digit > 0 else b.sub(total, term)
            code >>= 1
            power += 1
    constant = round(step.constant * 2.0**step.fraction)
    if total is None:
        return b.constant(constant, step.fraction)
    return b.add(total, b.constant(constant, step.fraction)) if constant else total


def _table(b: CircuitBuilder, arg: int, step: Step, function: object) -> int | None:
    fmt, low, high = b[arg].format, b[arg].low, b[arg].high
    if fmt.width > WIDEST:
        return None
    codes = np.arange(1 << fmt.width)
    codes = np.where(fmt.signed & (codes >> (fmt.width - 1) == 1), codes - (1 << fmt.width), codes)
    values = function(np.clip(codes, low, high) * 2.0**-fmt.fraction)  # type: ignore[operator]
    room = 2.0 * max(abs(step.low), abs(step.high))
    values = np.clip(np.nan_to_num(values, nan=0.0, posinf=room, neginf=-room), step.low, step.high)
    found = np.floor(values * 2.0**step.fraction + 0.5).astype(np.int64)
    return b.lookup(arg, tuple(int(v) for v in found), step.fraction)
