"""The bits: a circuit as an SSA list of integer operations. This page is the whole vocabulary.

Every node is an integer code with a `Format`; its value is code · 2^-fraction. Arguments are indices of earlier
nodes. Every operation is exact except `cast`, the only one that loses information, so the meaning of a circuit is
integer arithmetic: the same in Python, C++, Verilog and HLS.

| op            | code of the result                                               | fraction of the result |
|---------------|------------------------------------------------------------------|------------------------|
| input         | the port `name`                                                  | given                  |
| constant      | `value`                                                          | given                  |
| add, sub      | a ± b, aligned to the larger fraction                            | max(a, b)              |
| mul           | a · b                                                            | a + b                  |
| shift         | a (wiring; the value is multiplied by 2^`value`)                 | a - `value`            |
| negate        | -a                                                               | a                      |
| absolute      | |a|                                                              | a                      |
| less, equal   | 1 if a < b (a = b), else 0, compared as values                   | 0                      |
| select        | b if a else c, aligned to the larger fraction (a is 1 bit)       | max(b, c)              |
| slice         | bits `value` + width - 1 … `value` of a's two's complement       | 0 (unsigned)           |
| concat        | the bits of a, then the bits of b                                | 0 (unsigned)           |
| leading_zeros | zeros above the highest 1 in a's word (a unsigned)               | 0 (unsigned)           |
| lookup        | entry of `table` at the bit pattern of a (2^width entries)       | the table's            |
| cast          | a rounded (`rounding`) to the fraction, then wrapped or saturated | given                  |

`low` and `high` bound the code of each node. They follow from those of the arguments (`sr2hls.ranges`), but for a
wrapping `cast`, where they are what the analysis proved.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sr2hls.formats import Format


class Op(StrEnum):
    """The operations of the table above."""

    INPUT = "input"
    CONSTANT = "constant"
    ADD = "add"
    SUB = "sub"
    MUL = "mul"
    SHIFT = "shift"
    NEGATE = "negate"
    ABSOLUTE = "absolute"
    LESS = "less"
    EQUAL = "equal"
    SELECT = "select"
    SLICE = "slice"
    CONCAT = "concat"
    LEADING_ZEROS = "leading_zeros"
    LOOKUP = "lookup"
    CAST = "cast"


class Rounding(StrEnum):
    """How a cast drops fraction bits: toward minus infinity, or to nearest with ties toward plus infinity."""

    FLOOR = "floor"
    HALF_UP = "half_up"


class Overflow(StrEnum):
    """What a cast does with a code outside its format."""

    WRAP = "wrap"
    SATURATE = "saturate"


ARITY = {
    Op.INPUT: 0,
    Op.CONSTANT: 0,
    Op.ADD: 2,
    Op.SUB: 2,
    Op.MUL: 2,
    Op.SHIFT: 1,
    Op.NEGATE: 1,
    Op.ABSOLUTE: 1,
    Op.LESS: 2,
    Op.EQUAL: 2,
    Op.SELECT: 3,
    Op.SLICE: 1,
    Op.CONCAT: 2,
    Op.LEADING_ZEROS: 1,
    Op.LOOKUP: 1,
    Op.CAST: 1,
}

WIRING = frozenset({Op.INPUT, Op.CONSTANT, Op.SHIFT, Op.SLICE, Op.CONCAT})  # no logic, no delay


@dataclass(frozen=True, slots=True)
class Table:
    """A read-only table: `codes[i]` is the code, in `format`, at the bit pattern i."""

    name: str
    format: Format
    codes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """One operation; see the module's table. `origin` is the sub-expression that it came from, for readers."""

    op: Op
    args: tuple[int, ...]
    format: Format
    low: int
    high: int
    value: int = 0  # constant: the code; shift: the power of two; slice: the lowest bit taken
    name: str = ""  # input: the port
    table: int = -1  # lookup: index into Circuit.tables
    rounding: Rounding = Rounding.FLOOR  # cast
    overflow: Overflow = Overflow.WRAP  # cast
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Circuit:
    """Nodes in topological order, named outputs as (name, node index), and the tables that lookups name."""

    nodes: tuple[Node, ...]
    outputs: tuple[tuple[str, int], ...]
    tables: tuple[Table, ...] = ()

    @property
    def inputs(self) -> tuple[tuple[str, int], ...]:
        """The ports as (name, node index), in the order of the nodes."""
        return tuple((node.name, index) for index, node in enumerate(self.nodes) if node.op is Op.INPUT)
