"""Pieces that every C++ printer needs: comments that cannot leave their line, literals, integer types, tables."""

from __future__ import annotations

from sr2hls.circuit import Circuit, Node, Op, Overflow, Table
from sr2hls.ranges import round_code

_COMMENT = 100  # characters of a sub-expression that a line shows
_LINE = 100


def comment(text: str) -> str:
    """Any text as one line of ASCII that cannot continue onto the next: no final backslash, no control character."""
    line = "".join(c if " " <= c <= "~" else "?" for c in " ".join(text.split()))
    line = line.replace("??/", "? ?/").replace("*/", "* /").replace("/*", "/ *")
    if len(line) > _COMMENT:
        line = line[: _COMMENT - 3] + "..."
    return line.rstrip("\\ ")


def node_comment(node: Node) -> str:
    """Format and sub-expression of a node."""
    return f"{node.format}  {comment(node.origin)}".rstrip()


def literal(value: int) -> str:
    """A C++ literal that has the value in any integer type of at least 64 bits (|value| < 2^63)."""
    return str(value) if abs(value) < 1 << 31 else f"{value}LL"


def storage_bits(table: Table) -> tuple[bool, int]:
    """(signed, bits) of the narrowest of 8, 16, 32, 64 bit integers that holds the codes."""
    low, high = min(table.codes), max(table.codes)
    signed = low < 0
    need = max((-low - 1).bit_length(), high.bit_length()) + 1 if signed else high.bit_length()
    return signed, next(bits for bits in (8, 16, 32, 64) if need <= bits)


def table_rows(codes: tuple[int, ...]) -> str:
    """The codes, comma separated, on lines of at most 100 characters."""
    rows: list[str] = []
    row = "   "
    for code in codes:
        item = f" {literal(code)},"
        if len(row) + len(item) > _LINE:
            rows.append(row)
            row = "   "
        row += item
    rows.append(row.rstrip(","))
    return "\n".join(rows)


def rounded_range(node: Node, arg: Node) -> tuple[int, int]:
    """The codes that a cast has after its rounding, before it wraps or saturates."""
    drop = arg.format.fraction - node.format.fraction
    return round_code(arg.low, drop, node.rounding), round_code(arg.high, drop, node.rounding)


def rounds_then_saturates(circuit: Circuit, index: int) -> bool:
    """Whether node `index` is a cast that drops bits and then may saturate: it takes two statements."""
    node = circuit.nodes[index]
    if node.op is not Op.CAST or node.overflow is not Overflow.SATURATE:
        return False
    arg = circuit.nodes[node.args[0]]
    return arg.format.fraction > node.format.fraction and not node.format.holds(*rounded_range(node, arg))
