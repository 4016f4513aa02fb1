"""One circuit node and the signals of its arguments → the right-hand side of its Verilog statement.

The meaning is that of `sr2hls.interpret`. Sums and products are formed modulo 2^width in the node's own width, which
is exact because the node's format holds its range.
"""

from __future__ import annotations

from sr2hls.circuit import Node, Op, Overflow, Rounding
from sr2hls.emit.words import Signal, Words, literal
from sr2hls.errors import CircuitError
from sr2hls.formats import Format


def expression(words: Words, node: Node, args: list[Signal]) -> str:
    """The value of the node, exactly `node.format.width` bits wide.

    Raises CircuitError for the operations that are no expression (lookup, leading_zeros, saturating cast).
    """
    width = node.format.width
    match node.op:
        case Op.ADD | Op.SUB:
            a, b = _aligned(words, args, width)
            return f"{a} {'+' if node.op is Op.ADD else '-'} {b}"
        case Op.MUL:
            return _product(words, args, width)
        case Op.NEGATE:
            return f"-{words.resized(args[0], 0, width)}"
        case Op.ABSOLUTE:
            plain = words.resized(args[0], 0, width)
            if not args[0].signed:
                return plain
            sign = words.bits(args[0], args[0].width - 1, args[0].width - 1)
            # ~x + 1 below 0: the inversion fits in front of the carry chain, where a selection behind it takes LUTs
            if width == 1:
                return plain
            return f"({plain} ^ {{{width}{{{sign}}}}}) + {{{width - 1}'d0, {sign}}}"
        case Op.LESS | Op.EQUAL:
            return _comparison(words, args, "<" if node.op is Op.LESS else "==")
        case Op.SELECT:
            a, b = _aligned(words, args[1:], width)
            return f"{words.whole(args[0])} ? {a} : {b}"
        case Op.SHIFT:
            return words.whole(args[0])
        case Op.SLICE:
            return words.bits(args[0], node.value + width - 1, node.value)
        case Op.CONCAT:
            return f"{{{words.whole(args[0])}, {words.whole(args[1])}}}"
        case Op.CAST if node.overflow is Overflow.WRAP:
            return rounded(words, node, args[0], width)
        case _:
            raise CircuitError(f"{node.op} is no Verilog expression")


def rounded(words: Words, node: Node, arg: Signal, width: int) -> str:
    """The argument of a cast with the cast's fraction bits, modulo 2^width."""
    drop = arg.fraction - node.format.fraction
    floor = words.resized(arg, drop, width)
    if drop <= 0 or node.rounding is Rounding.FLOOR:
        return floor
    # floor(x + 1/2): the highest dropped bit is the carry; beyond the word that is the sign
    if drop > arg.width and not arg.signed:
        return floor
    place = min(drop, arg.width) - 1
    half = words.bits(arg, place, place)
    carry = half if width == 1 else f"{{{width - 1}'d0, {half}}}"
    return f"{floor} + {carry}"


def rounded_signal(name: str, node: Node, arg: Signal) -> Signal:
    """A word that holds the rounded argument of a saturating cast, before it is saturated."""
    drop = arg.fraction - node.format.fraction
    carry = int(drop > 0 and node.rounding is Rounding.HALF_UP)
    return Signal(name, arg.signed, max(1, arg.width - drop) + carry, node.format.fraction)


def saturated(words: Words, wide: Signal, fmt: Format) -> str:
    """The wide word clipped to the format: a check of the bits above it instead of two comparisons."""
    top, width = wide.width - 1, fmt.width
    most, least = literal(fmt.greatest, fmt), literal(fmt.least, fmt)
    kept = words.resized(wide, 0, width)
    sign = words.bits(wide, top, top) if wide.signed else ""
    # bits that must be zero in a value that is not negative
    first = width - int(fmt.signed)
    above = words.bits(wide, top - int(wide.signed), first) if top - int(wide.signed) >= first else ""
    if not sign:
        return f"|{above} ? {most} : {kept}" if above else kept
    if not fmt.signed:
        clipped = f"|{above} ? {most} : {kept}" if above else kept
        return f"{sign} ? {least} : {clipped}"
    if not above:
        return kept
    return f"(~{sign} & |{above}) ? {most} : ({sign} & ~&{above}) ? {least} : {kept}"


def _aligned(words: Words, args: list[Signal], width: int) -> list[str]:
    common = max(arg.fraction for arg in args)
    return [words.resized(arg, arg.fraction - common, width) for arg in args]


def _comparison(words: Words, args: list[Signal], operator: str) -> str:
    common = max(arg.fraction for arg in args)
    signed = any(arg.signed for arg in args)
    width = max(arg.width + common - arg.fraction + int(signed and not arg.signed) for arg in args)
    if not signed or operator != "<":
        a, b = _aligned(words, args, width)
        return f"{a} {operator} {b}"
    # Signed a < b is, of words without sign, a < b with their top bits exchanged. Synthesis then needs the carry alone;
    # for a signed comparison Yosys reads the carry into the top bit too, for which an ECP5 cuts the chain in two.
    tops = [words.bits(arg, arg.width - 1, arg.width - 1) if arg.signed else "1'd0" for arg in reversed(args)]
    if width == 1:
        return f"{tops[0]} < {tops[1]}"
    low = _aligned(words, args, width - 1)
    return f"{{{tops[0]}, {low[0]}}} < {{{tops[1]}, {low[1]}}}"


def _product(words: Words, args: list[Signal], width: int) -> str:
    signed = any(arg.signed for arg in args)
    # a signed multiplier reads the added zero of an unsigned factor as its sign
    if any(arg.width + int(signed and not arg.signed) > width for arg in args):
        factors = [words.resized(arg, 0, width) for arg in args]  # modulo 2^width
    else:
        factors = [
            f"$signed({{1'b0, {words.whole(arg)}}})" if signed and not arg.signed else words.whole(arg) for arg in args
        ]
    return f"{factors[0]} * {factors[1]}"
