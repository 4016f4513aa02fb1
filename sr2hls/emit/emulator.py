"""`Design` → one C++17 header without dependencies that computes it bit for bit on integers of 64 bits."""

from __future__ import annotations

import re

from sr2hls.circuit import Circuit, Node, Op, Overflow, Rounding
from sr2hls.design import Design
from sr2hls.emit.cpp_text import (
    comment,
    literal,
    node_comment,
    rounded_range,
    rounds_then_saturates,
    storage_bits,
    table_rows,
)
from sr2hls.emit.design_json import short_digest
from sr2hls.emit.names import safe_names
from sr2hls.emit.text import render
from sr2hls.formats import Format

_VARIABLE = re.compile(r"(?<![\w.])n\d+(?:_rounded)?\b")


def emulator(design: Design) -> str:
    """The text of NAME.h: namespace NAME with Inputs, Outputs and `evaluate`, scalar and batched.

    Codes are int64; of an input code the port's low bits are taken, as the hardware takes them, so every argument
    has a defined result. No undefined behavior: left shifts are multiplications that cannot overflow.
    """
    circuit = design.circuit
    ports = safe_names([name for name, _ in (*circuit.inputs, *circuit.outputs)], "c++")
    return render(
        "emulator/emulator.h.j2",
        name=cpp_namespace(design),
        title=comment(design.name),
        digest=short_digest(design),
        latency=design.latency,
        clock_ns=f"{design.clock_ns:g}",
        inputs=[_port(ports[name], circuit.nodes[index]) for name, index in circuit.inputs],
        outputs=[_port(ports[name], circuit.nodes[index]) | {"node": index} for name, index in circuit.outputs],
        formulas=[f"{entry.name} = {comment(entry.formula)}" for entry in design.certificate.outputs],
        tables=[_table(circuit, index) for index in range(len(circuit.tables))],
        statements=_statements(circuit, ports),
        leading_zeros=any(node.op is Op.LEADING_ZEROS for node in circuit.nodes),
    )


def cpp_namespace(design: Design) -> str:
    """The design's name as a C++ identifier."""
    return safe_names([design.name], "c++")[design.name]


def _port(name: str, node: Node) -> dict[str, object]:
    fmt = node.format
    return {
        "name": name,
        "format": str(fmt),
        "fraction": fmt.fraction,
        "signed": fmt.signed,
        "width": fmt.width,
        "least": literal(fmt.least),
        "greatest": literal(fmt.greatest),
        "limit": fmt.width - 1 if fmt.signed else fmt.width,
    }


def _table(circuit: Circuit, index: int) -> dict[str, object]:
    table = circuit.tables[index]
    signed, bits = storage_bits(table)
    return {
        "name": f"table_{index}",
        "type": f"std::{'' if signed else 'u'}int{bits}_t",
        "size": len(table.codes),
        "rows": table_rows(table.codes),
        "comment": f"{comment(table.name)}: {table.format}",
    }


def _statements(circuit: Circuit, ports: dict[str, str]) -> list[str]:
    lines: list[tuple[str, str, str]] = []  # variable, expression, comment
    for index, node in enumerate(circuit.nodes):
        if rounds_then_saturates(circuit, index):
            arg = circuit.nodes[node.args[0]]
            drop = arg.format.fraction - node.format.fraction
            lines.append((f"n{index}_rounded", _rounded(f"n{node.args[0]}", drop, node.rounding), ""))
        lines.append((f"n{index}", _expression(circuit, index, ports), f"  // {node_comment(node)}"))
    read = set(_VARIABLE.findall(" ".join(text for _, text, _ in lines)))
    read |= {f"n{index}" for _, index in circuit.outputs}
    return [
        f"{'' if name in read else '[[maybe_unused]] '}const std::int64_t {name} = {text};{remark}"
        for name, text, remark in lines
    ]


def _expression(circuit: Circuit, index: int, ports: dict[str, str]) -> str:
    nodes = circuit.nodes
    node = nodes[index]
    names = [f"n{i}" for i in node.args]
    args = [nodes[i] for i in node.args]
    match node.op:
        case Op.INPUT:
            return _wrap(f"in.{ports[node.name]}", node.format)
        case Op.CONSTANT:
            return literal(node.value)
        case Op.LESS | Op.EQUAL if node.args[0] == node.args[1]:
            return str(int(node.op is Op.EQUAL))  # compilers warn of a self-comparison
        case Op.ADD | Op.SUB | Op.LESS | Op.EQUAL:
            a, b = _aligned(names, args)
            sign = {Op.ADD: "+", Op.SUB: "-", Op.LESS: "<", Op.EQUAL: "=="}[node.op]
            return f"{a} {sign} {b}" if node.op in (Op.ADD, Op.SUB) else f"({a} {sign} {b}) ? 1 : 0"
        case Op.MUL:
            return f"{names[0]} * {names[1]}"
        case Op.SHIFT:
            return names[0]
        case Op.NEGATE:
            return f"-{names[0]}"
        case Op.ABSOLUTE:
            return f"({names[0]} < 0) ? -{names[0]} : {names[0]}"
        case Op.SELECT:
            b, c = _aligned(names[1:], args[1:])
            return f"({names[0]} != 0) ? {b} : {c}"
        case Op.SLICE:
            return f"{_shifted_right(names[0], node.value)} & {_mask(node.format.width)}"
        case Op.CONCAT:
            high, low = (_bits(name, arg.format) for name, arg in zip(names, args, strict=True))
            return f"{_shifted_left(high, args[1].format.width)} + {low}"
        case Op.LEADING_ZEROS:
            return f"detail::leading_zeros({names[0]}) - {64 - args[0].format.width}"
        case Op.LOOKUP:
            return f"table_{node.table}[{_bits(names[0], args[0].format)}]"
        case Op.CAST:
            return _cast(names[0], args[0], node, f"n{index}")


def _aligned(names: list[str], args: list[Node]) -> list[str]:
    common = max(arg.format.fraction for arg in args)
    return [
        name if arg.low == arg.high == 0 else _shifted_left(name, common - arg.format.fraction)
        for name, arg in zip(names, args, strict=True)
    ]


def _shifted_left(name: str, power: int) -> str:
    """The code times 2^power; the checker holds that the product is less than 2^63 in magnitude."""
    return f"{name} * {literal(1 << power)}" if power else name


def _shifted_right(name: str, power: int) -> str:
    return f"({name} >> {power})" if power else name


def _mask(width: int) -> str:
    return f"{(1 << width) - 1:#x}" + ("LL" if width > 31 else "")


def _bits(name: str, fmt: Format) -> str:
    return f"({name} & {_mask(fmt.width)})" if fmt.signed else name


def _wrap(name: str, fmt: Format) -> str:
    if not fmt.signed:
        return f"{name} & {_mask(fmt.width)}"
    return f"(({name} & {_mask(fmt.width)}) ^ {literal(1 << (fmt.width - 1))}) - {literal(1 << (fmt.width - 1))}"


def _cast(name: str, arg: Node, node: Node, variable: str) -> str:
    fmt, drop = node.format, arg.format.fraction - node.format.fraction
    low, high = rounded_range(node, arg)
    if low == high and fmt.holds(low, high):
        return literal(low)  # also where the shift would leave the 64 bits
    if node.overflow is Overflow.SATURATE and not fmt.holds(low, high):
        return _saturated(f"{variable}_rounded" if drop > 0 else name, fmt, max(-drop, 0), low, high)
    if drop > 0:
        rounded = _rounded(name, drop, node.rounding)
        return rounded if fmt.holds(low, high) else _wrap(f"({rounded})", fmt)
    return _shifted_left(name, -drop) if fmt.holds(low, high) else _wrap_left(name, fmt, -drop)


def _rounded(name: str, drop: int, rounding: Rounding) -> str:
    floor = f"({name} >> {min(drop, 63)})"
    if rounding is Rounding.FLOOR:
        return floor
    return f"{floor} + (({name} >> {min(drop - 1, 63)}) & 1)"  # not code + half, which could overflow


def _wrap_left(name: str, fmt: Format, power: int) -> str:
    if not power:
        return _wrap(name, fmt)
    if power >= fmt.width:
        return "0"
    kept = Format(fmt.signed, fmt.width - power)  # the bits that stay inside the word
    return f"({_wrap(name, kept)}) * {literal(1 << power)}"


def _saturated(name: str, fmt: Format, power: int, low: int, high: int) -> str:
    """Compared before the shift to the left, which could overflow."""
    inside = _shifted_left(name, power) if power < 63 else "0"
    if high > fmt.greatest:
        inside = f"({name} > {literal(fmt.greatest >> power)}) ? {literal(fmt.greatest)} : {inside}"
    if low < fmt.least:
        inside = f"({name} < {literal(-(-fmt.least >> power))}) ? {literal(fmt.least)} : {inside}"
    return inside
