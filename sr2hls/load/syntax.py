"""Formula text to tokens: what counts as a number, a name or an operator in each of the three dialects."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from sr2hls.errors import LoadError

MAX_TEXT = 100_000  # characters of one formula


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one kind of text is read.

    number           text of a literal without sign -> its exact value
    signed_literals  a minus directly before a number belongs to the number, so that `-1.5 ^ x` is (-1.5)^x
    julia            Julia source: `2x` is a product, `1.5f0` a number, `div` truncates
    """

    name: str
    number: Callable[[str], Fraction]
    signed_literals: bool = False
    julia: bool = False


@dataclass(frozen=True, slots=True)
class Token:
    """One token; `kind` is number, name, op or end; `start` and `stop` delimit it in the text."""

    kind: str
    text: str
    start: int
    stop: int


_PATTERN = re.compile(
    r"(?P<number>(?:\d[\d_]*\.?\d*|\.\d+)(?:[eEfF][+-]?\d+)?|(?:Inf|NaN)(?:16|32|64)?(?!\w))"
    r"|(?P<name>\#\d+|[^\W\d]\w*!?(?!=)|[^\W\d]\w*)"
    r"|(?P<op>\*\*|//|&&|\|\||>=|<=|==|!=|[-+*/^%<>(),?:!\[\];÷≤≥≠])"
)
_SPELLING = {"**": "^", "≤": "<=", "≥": ">=", "≠": "!="}


def tokens(text: str, dialect: Dialect) -> list[Token]:
    """The tokens of `text`, closed by one of kind "end". Raises LoadError for a character that belongs to none."""
    if len(text) > MAX_TEXT:
        raise LoadError(f"a formula of {len(text)} characters; the limit is {MAX_TEXT}")
    found: list[Token] = []
    at = 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if at == len(text):
            return [*found, Token("end", "", at, at)]
        match = _PATTERN.match(text, at)
        if match is None:
            raise LoadError(f"unexpected {text[at : at + 12]!r} at column {at + 1}")
        kind = str(match.lastgroup)
        word = match.group()
        if kind == "number" and "f" in word.lower() and not dialect.julia and not word.startswith("Inf"):
            raise LoadError(f"{word!r} at column {at + 1} is a Julia literal; write {word.lower().replace('f', 'e')}")
        if word == "**" and dialect.julia:
            raise LoadError(f"'**' at column {at + 1} is not Julia; a power is written ^")
        found.append(Token(kind, _SPELLING.get(word, word), at, match.end()))
        at = match.end()


def _float(value: Fraction, precision: int, least: int) -> Fraction:
    """The nearest binary float of `precision` significand bits, ties to even; `least` is the place of its last bit."""
    if value == 0:
        return value
    place = max(abs(value.numerator).bit_length() - value.denominator.bit_length() - precision, least)
    while abs(value) >= Fraction(2) ** (place + precision):
        place += 1
    unit = Fraction(2) ** place
    return round(value / unit) * unit


_WIDTHS = {16: (11, -24, 16), 32: (24, -149, 128), 64: (53, -1074, 1024)}


def as_float(value: Fraction, width: int) -> Fraction:
    """`value` rounded to the nearest IEEE float of 16, 32 or 64 bits. Raises LoadError where that is infinite."""
    precision, least, top = _WIDTHS[width]
    rounded = _float(value, precision, least)
    if abs(rounded) >= Fraction(2) ** top:
        raise LoadError(f"the constant {float(value) if abs(value) < 2**1000 else value:.6g} overflows float{width}")
    return rounded


def decimal(text: str) -> Fraction:
    """A decimal literal, taken exactly. Raises LoadError for Inf, NaN and absurd exponents."""
    if text[:1] in "IN":
        raise LoadError(f"the constant {text} is not a finite number")
    body = text.lower().replace("_", "").replace("f", "e")
    _, _, exponent = body.partition("e")
    if exponent and abs(int(exponent[:8])) > 400:
        raise LoadError(f"the constant {text} is out of the range of any float")
    if len(body) > 1200:
        raise LoadError(f"a constant of {len(body)} characters")
    return Fraction(body)


def row_dialect(width: int) -> Dialect:
    """Text as a PySR search of this precision prints it: constants are floats of `width` bits."""
    return Dialect("PySR row", lambda t: as_float(decimal(t), width), signed_literals=True)


def _julia_number(text: str) -> Fraction:
    value = decimal(text)
    if "f" in text.lower() and text[:1] not in "IN":
        return as_float(value, 32)
    return value if text.isdigit() else as_float(value, 64)


JULIA = Dialect("Julia", _julia_number, julia=True)  # literals: 1.5 is a Float64, 1.5f0 a Float32
PLAIN = Dialect("text", decimal)  # decimals are taken exactly
