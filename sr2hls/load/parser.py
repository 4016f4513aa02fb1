"""Formula text to a syntax tree, by precedence climbing; no text is ever evaluated.

Precedence, loosest first: `? :` (right), `||`, `&&`, comparisons (chains allowed), `+ -`, `* / % ÷`, unary minus,
`^` (right); `-x^2` is -(x^2), as in mathematics and in Julia. One exception, in rows that a PySR search printed: a
minus directly before a number belongs to the number, because the printer brackets every operation and no constant;
there `-1.5 ^ x0` is (-1.5)^x0.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from sr2hls.errors import LoadError
from sr2hls.load.syntax import Dialect, Token, tokens

MAX_DEPTH = 100
MAX_NODES = 5_000


@dataclass(frozen=True, slots=True)
class Number:
    """An exact constant."""

    value: Fraction
    span: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, a parameter or a named constant."""

    name: str
    span: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Call:
    """An operator applied to arguments; infix operators are called by their sign, `c ? a : b` is ifelse."""

    name: str
    arguments: tuple[Node, ...]
    span: tuple[int, int]


Node = Number | Name | Call

_BINARY = {"||": 2, "&&": 3, "+": 5, "-": 5, "*": 6, "/": 6, "//": 6, "%": 6, "÷": 6, "^": 8}
_COMPARISONS = {">", "<", ">=", "<=", "==", "!="}
_TERNARY, _COMPARE, _UNARY = 1, 4, 7
_CALLS = {"||": "logical_or", "&&": "logical_and", "//": "/"}
_OPERATOR_NAMES = {"+", "-", "*", "/", "^", "%", "÷", ">", "<", ">=", "<=", "==", "!="}  # callable as `+(a, b, c)`


class _Parser:
    def __init__(self, text: str, dialect: Dialect) -> None:
        self.tokens = tokens(text, dialect)
        self.dialect = dialect
        self.at = 0
        self.nodes = 0

    @property
    def now(self) -> Token:
        return self.tokens[self.at]

    def unexpected(self, wanted: str) -> LoadError:
        token = self.now
        if token.kind == "end":
            return LoadError(f"the formula ends where {wanted} is expected")
        return LoadError(f"unexpected {token.text!r} at column {token.start + 1}, where {wanted} is expected")

    def accept(self, *texts: str) -> Token | None:
        token = self.now
        if token.kind == "op" and token.text in texts:
            self.at += 1
            return token
        return None

    def require(self, text: str) -> Token:
        token = self.accept(text)
        if token is None:
            raise self.unexpected(repr(text))
        return token

    def count(self, depth: int) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise LoadError(f"the formula has more than {MAX_NODES} nodes")
        if depth > MAX_DEPTH:
            raise LoadError(f"the formula is nested more than {MAX_DEPTH} deep")

    def call(self, name: str, *arguments: Node, start: int | None = None) -> Call:
        self.count(0)
        first = arguments[0].span[0] if start is None else start
        return Call(name, arguments, (first, self.tokens[self.at - 1].stop))

    def expression(self, least: int, depth: int) -> Node:
        """Everything that binds at least as tightly as `least`."""
        self.count(depth)
        left = self.operand(depth)
        terms = 0  # of the sum or product that this very loop has begun, so that long chains stay flat
        while self.now.kind == "op":
            sign = self.now.text
            if sign == "?" and least <= _TERNARY:
                left, terms = self.ternary(left, depth), 0
            elif sign in _COMPARISONS and least <= _COMPARE:
                left, terms = self.comparison(left, depth), 0
            elif sign in _BINARY and least <= _BINARY[sign]:
                left, terms = self.binary(left, sign, depth, terms)
            else:
                break
        return left

    def binary(self, left: Node, sign: str, depth: int, terms: int) -> tuple[Node, int]:
        self.at += 1
        level = _BINARY[sign]
        if sign == "^":  # right-associative; the exponent may carry a sign of its own
            return self.call("^", left, self.expression(_UNARY, depth + 1)), 0
        right = self.expression(level + 1, depth + 1)
        if sign == "-":
            right = self.call("-", right)
        name = {"-": "+"}.get(sign, _CALLS.get(sign, sign))
        if terms and isinstance(left, Call) and left.name == name and name in "+*":
            start = left.span[0]
            return self.call(name, *left.arguments, right, start=start), terms + 1
        return self.call(name, left, right), int(name in "+*")

    def comparison(self, left: Node, depth: int) -> Node:
        parts: list[Node] = []
        while self.now.kind == "op" and self.now.text in _COMPARISONS:
            sign = self.now.text
            self.at += 1
            right = self.expression(_COMPARE + 1, depth + 1)
            parts.append(self.call(sign, left, right))
            left = right
        result = parts[0]
        for part in parts[1:]:
            result = self.call("logical_and", result, part)
        return result

    def ternary(self, condition: Node, depth: int) -> Node:
        self.require("?")
        yes = self.expression(_TERNARY, depth + 1)
        self.require(":")
        return self.call("ifelse", condition, yes, self.expression(_TERNARY, depth + 1))

    def operand(self, depth: int) -> Node:
        token = self.now
        if token.kind == "number":
            self.at += 1
            return self.juxtaposed(Number(self.dialect.number(token.text), (token.start, token.stop)), depth)
        if token.kind == "name":
            self.at += 1
            return self.named(token, depth)
        if token.kind != "op":
            raise self.unexpected("a value")
        follows_paren = self.tokens[self.at + 1].text == "(" and self.tokens[self.at + 1].kind == "op"
        if token.text == "(":
            self.at += 1
            inner = self.expression(_TERNARY, depth + 1)
            self.require(")")
            return inner
        if token.text in _OPERATOR_NAMES and follows_paren and (token.text not in "+-" or self.is_call()):
            self.at += 1
            return self.arguments(token, depth)
        if token.text in ("-", "+", "!"):
            self.at += 1
            after = self.now
            if token.text == "-" and self.dialect.signed_literals and after.kind == "number":
                self.at += 1
                return Number(-self.dialect.number(after.text), (token.start, after.stop))
            inner = self.expression(_UNARY, depth + 1)
            return inner if token.text == "+" else self.call(token.text, inner, start=token.start)
        raise self.unexpected("a value")

    def is_call(self) -> bool:
        """Whether `-(` or `+(` opens a list of two or more arguments, as in `+(a, b, c)`."""
        depth = 0
        for token in self.tokens[self.at + 1 :]:
            if token.kind != "op":
                continue
            depth += (token.text == "(") - (token.text == ")")
            if depth == 0:
                return False
            if depth == 1 and token.text == ",":
                return True
        return False

    def named(self, token: Token, depth: int) -> Node:
        if self.now.kind == "op" and self.now.text == "(":
            return self.arguments(token, depth)
        if self.now.kind == "op" and self.now.text == "[":  # p[1], a parameter of a template
            self.at += 1
            index = self.now
            if index.kind != "number" or not index.text.isdigit():
                raise self.unexpected("a whole number")
            self.at += 1
            close = self.require("]")
            return Name(f"{token.text}[{int(index.text[:6])}]", (token.start, close.stop))
        return Name(token.text, (token.start, token.stop))

    def arguments(self, token: Token, depth: int) -> Node:
        self.require("(")
        found = [self.expression(_TERNARY, depth + 1)]
        while self.accept(","):
            found.append(self.expression(_TERNARY, depth + 1))
        self.require(")")
        return self.call(token.text, *found, start=token.start)

    def juxtaposed(self, number: Number, depth: int) -> Node:
        """Julia's `2x` and `2(x + 1)`: a product that binds tighter than `*` and looser than `^` on its right."""
        after = self.now
        beside = after.start == number.span[1] and (after.kind == "name" or after.text == "(")
        if not beside:
            return number
        if not self.dialect.julia:
            raise LoadError(f"unexpected {after.text!r} at column {after.start + 1}; write a product with *")
        return self.call("*", number, self.expression(_UNARY + 1, depth + 1))


def parse(text: str, dialect: Dialect) -> Node:
    """The tree of one formula. Raises LoadError, naming the token and its column, for anything else."""
    parser = _Parser(text, dialect)
    try:
        tree = parser.expression(_TERNARY, 0)
    except RecursionError:
        raise LoadError("the formula is nested too deeply") from None
    if parser.now.kind != "end":
        raise parser.unexpected("an operator or the end")
    return tree
