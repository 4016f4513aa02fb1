"""`Design` → HLS C++: one top function with fixed-point ports and integer nodes of exact widths, II = 1.

Every node is an ap_int or ap_uint of the code's width; ap_int arithmetic grows, so each statement is exact, and the
assignment takes the bits that the node's range needs. Tables are arrays of native integers: they survive
synthesis, which constructors do not (hls4ml issue 994), and they compile fast.
"""

from __future__ import annotations

from dataclasses import dataclass

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
from sr2hls.emit.names import fresh_prefix, safe_names
from sr2hls.emit.text import render
from sr2hls.formats import Format
from sr2hls.ranges import align

_NATIVE = {8: "char", 16: "short", 32: "int", 64: "long long"}


@dataclass(frozen=True, slots=True)
class _Scope:
    """The C++ names that an expression may use."""

    variables: list[str]  # of the nodes
    ports: dict[str, str]
    prefix: str  # of tables and functions of the file


def hls_source(design: Design) -> dict[str, str]:
    """File name → text: the top function's header and source, for Vivado HLS, Vitis HLS and g++ with ap_types."""
    top, prefix = top_name(design), local_prefix(design)
    values = {
        "top": top,
        "title": comment(design.name),
        "digest": short_digest(design),
        "latency": design.latency,
        "clock_ns": f"{design.clock_ns:g}",
        "formulas": [f"{entry.name} = {comment(entry.formula)}" for entry in design.certificate.outputs],
        "arguments": hls_arguments(design),
        "ports": list(port_names(design).values()),
    }
    return {
        f"{top}.h": render("hls/top.h.j2", **values),
        f"{top}.cpp": render(
            "hls/top.cpp.j2",
            **values,
            tables=hls_tables(design, prefix),
            leading_zeros=uses_leading_zeros(design),
            prefix=prefix,
            statements=hls_statements(design, prefix),
        ),
    }


def top_name(design: Design) -> str:
    """The top function: the design's name, or that with `_top` where a port has it."""
    name = safe_names([design.name], "c++")[design.name]
    return f"{name}_top" if name in port_names(design).values() else name


def port_names(design: Design) -> dict[str, str]:
    """Port → argument of the top function."""
    return safe_names([*design.input_formats, *design.output_formats], "c++")


def port_type(fmt: Format, modes: str = "") -> str:
    """The ap_fixed or ap_ufixed of a port; `modes` such as ",AP_RND,AP_SAT"."""
    return f"ap_{'' if fmt.signed else 'u'}fixed<{fmt.width},{fmt.integer}{modes}>"


def hls_arguments(design: Design) -> list[str]:
    """The arguments of the top function: inputs by value, then outputs by reference."""
    names = port_names(design)
    return [f"{port_type(fmt)} {names[name]}" for name, fmt in design.input_formats.items()] + [
        f"{port_type(fmt)} &{names[name]}" for name, fmt in design.output_formats.items()
    ]


def uses_leading_zeros(design: Design) -> bool:
    """Whether the statements call `leading_zeros`."""
    return any(node.op is Op.LEADING_ZEROS for node in design.circuit.nodes)


def local_prefix(design: Design, wish: str = "") -> str:
    """What stands before the names of the file's tables and functions, so that ports and the top function differ."""
    names = [*port_names(design).values(), top_name(design)]
    while any(name.startswith((f"{wish}table_", f"{wish}leading_zeros")) for name in names):
        wish = f"own_{wish}"
    return wish


def hls_tables(design: Design, prefix: str) -> list[str]:
    """One static array of native integers per table."""
    lines = []
    for index, table in enumerate(design.circuit.tables):
        signed, bits = storage_bits(table)
        sign = "signed" if signed else "unsigned"
        lines.append(
            f"// {comment(table.name)}: codes of {table.format}\n"
            f"static const {sign} {_NATIVE[bits]} {prefix}table_{index}[{len(table.codes)}] = {{\n"
            f"{table_rows(table.codes)}\n}};"
        )
    return lines


def hls_statements(design: Design, prefix: str) -> list[str]:
    """The body: one statement per node, from the bits of the input ports to those of the output ports."""
    circuit = design.circuit
    names = port_names(design)
    stem = fresh_prefix(names.values(), "n")
    variables = [f"{stem}{index}" for index in range(len(circuit.nodes))]
    scope = _Scope(variables, names, prefix)
    lines = []
    for index, (node, variable) in enumerate(zip(circuit.nodes, variables, strict=True)):
        text = _expression(circuit, index, scope)
        if rounds_then_saturates(circuit, index):
            lines.append(_rounded_statement(circuit, node, variables[node.args[0]], variable))
        lines.append(f"{_type(node.format)} {variable} = {text};  // {node_comment(node)}")
    lines += [f"{names[name]}.range() = {variables[index]};" for name, index in circuit.outputs]
    return lines


def _type(fmt: Format) -> str:
    return f"ap_{'' if fmt.signed else 'u'}int<{fmt.width}>"


def _expression(circuit: Circuit, index: int, scope: _Scope) -> str:
    node, variable, prefix = circuit.nodes[index], scope.variables[index], scope.prefix
    names = [scope.variables[i] for i in node.args]
    args = [circuit.nodes[i] for i in node.args]
    word = _type(node.format)
    match node.op:
        case Op.INPUT:
            return f"{scope.ports[node.name]}.range()"
        case Op.CONSTANT:
            return literal(node.value)
        case Op.ADD | Op.SUB:
            a, b = _aligned(names, args)
            return f"{a} {'+' if node.op is Op.ADD else '-'} {b}"
        case Op.LESS | Op.EQUAL:
            a, b = _comparable(names, args)
            return f"({a} {'<' if node.op is Op.LESS else '=='} {b}) ? 1 : 0"
        case Op.MUL:
            return f"{names[0]} * {names[1]}"
        case Op.SHIFT:
            return names[0]
        case Op.NEGATE:
            return f"-{names[0]}"
        case Op.ABSOLUTE:
            return f"({names[0]} < 0) ? {word}(-{names[0]}) : {word}({names[0]})"
        case Op.SELECT:
            b, c = _aligned(names[1:], args[1:])
            return f"({names[0]} == 1) ? {word}({b}) : {word}({c})"
        case Op.SLICE:
            return f"{names[0]}.range({node.value + node.format.width - 1}, {node.value})"
        case Op.CONCAT:
            return f"(ap_uint<{args[0].format.width}>({names[0]}), ap_uint<{args[1].format.width}>({names[1]}))"
        case Op.LEADING_ZEROS:
            return f"{prefix}leading_zeros({names[0]})"
        case Op.LOOKUP:
            return f"{prefix}table_{node.table}[ap_uint<{args[0].format.width}>({names[0]}).to_uint()]"
        case Op.CAST:
            return _cast(names[0], args[0], node, variable)


def _aligned(names: list[str], args: list[Node]) -> list[str]:
    common = max(arg.format.fraction for arg in args)
    return [_left(name, arg, common - arg.format.fraction) for name, arg in zip(names, args, strict=True)]


def _comparable(names: list[str], args: list[Node]) -> list[str]:
    """Aligned words of one signedness: the open headers compare a negative ap_int with a wide ap_uint wrongly."""
    common = max(arg.format.fraction for arg in args)
    texts = _aligned(names, args)
    words = [_left_format(arg, common - arg.format.fraction) for arg in args]
    if words[0].signed == words[1].signed:
        return texts
    return [
        text if word.signed else f"ap_int<{word.width + 1}>({text})" for text, word in zip(texts, words, strict=True)
    ]


def _left_format(arg: Node, power: int) -> Format:
    """A word that holds the code times 2^power."""
    if power == 0 or arg.low == arg.high == 0:
        return arg.format
    return Format.least_for(align(arg.low, 0, power), align(arg.high, 0, power), 0)


def _left(name: str, arg: Node, power: int) -> str:
    """The code times 2^power, in a word that holds it: ap_int's own shift keeps the width of its operand."""
    if power == 0 or arg.low == arg.high == 0:
        return name
    return f"({_type(_left_format(arg, power))}({name}) << {power})"


def _cast(name: str, arg: Node, node: Node, variable: str) -> str:
    fmt, drop = node.format, arg.format.fraction - node.format.fraction
    low, high = rounded_range(node, arg)
    if low == high and fmt.holds(low, high):
        return literal(low)
    if node.overflow is Overflow.SATURATE and not fmt.holds(low, high):
        return _saturated(f"{variable}_rounded" if drop > 0 else name, fmt, max(-drop, 0), low, high)
    if drop >= 0:  # the assignment wraps
        return _rounded(name, arg.format, drop, node.rounding) if drop > 0 else name
    return f"{_type(fmt)}({name}) << {-drop}" if -drop < fmt.width else "0"


def _rounded_statement(circuit: Circuit, node: Node, name: str, variable: str) -> str:
    """The rounded code of a cast that then saturates, in a word of its own."""
    arg = circuit.nodes[node.args[0]]
    word = _type(Format.least_for(*rounded_range(node, arg), 0))
    text = _rounded(name, arg.format, arg.format.fraction - node.format.fraction, node.rounding)
    return f"{word} {variable}_rounded = {text};"


def _rounded(name: str, fmt: Format, drop: int, rounding: Rounding) -> str:
    """floor, or floor + the highest dropped bit; in words of ap_int a shift cannot exceed the width."""
    if drop > fmt.width or (drop == fmt.width and not fmt.signed and rounding is Rounding.FLOOR):
        # nothing of the word is left: -1 or 0; half up gives 0
        return "0" if rounding is Rounding.HALF_UP or not fmt.signed else f"({name} >> {fmt.width - 1})"
    floor = (
        f"({name} >> {drop})" if drop < fmt.width else (f"({name} >> {drop - 1})" if fmt.signed else "ap_uint<1>(0)")
    )
    if rounding is Rounding.FLOOR:
        return floor
    return f"({floor} + ap_uint<1>({name}[{drop - 1}]))"


def _saturated(name: str, fmt: Format, power: int, low: int, high: int) -> str:
    """Compared before the shift to the left, which would lose bits."""
    word = _type(fmt)
    inside = (
        f"{word}({name})" if power == 0 else f"{word}({word}({name}) << {power})" if power < fmt.width else f"{word}(0)"
    )
    if high > fmt.greatest:
        inside = f"({name} > {literal(fmt.greatest >> power)}) ? {word}({literal(fmt.greatest)}) : {inside}"
    if low < fmt.least:
        inside = f"({name} < {literal(-(-fmt.least >> power))}) ? {word}({literal(fmt.least)}) : {inside}"
    return inside
