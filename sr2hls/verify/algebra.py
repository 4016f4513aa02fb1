"""The certificate's definitions, put into each other → whether they are the model's formula, by exact algebra.

Both sides are brought to one form: comparisons, selections and roundings are expressed by `positive(d)`, `choose(p, a,
b)` and `floor(x)`, logarithms, roots and exponentials by those of factors and terms (`kernels`), polynomials are
expanded, arguments of functions are brought to this form first. What is left is decided by expansion, and where that
does not do, as a rational function of the parts that are no polynomials.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import sympy
from flint import arb, ctx
from sympy import Integer, S

from sr2hls.operators import HEADS, words
from sr2hls.verify.evaluate import Formula
from sr2hls.verify.kernels import as_rational_function, direction, expanded, exponential, logarithm, root, size
from sr2hls.verify.refused import Open, Wrong
from sr2hls.verify.rules import ball

_LARGEST = 4000  # operations of a difference that is decided as a rational function
_TRIALS = 40
_PRECISION = 256


class Positive(sympy.Function):  # type: ignore[misc]
    """1 where the argument is above 0, else 0."""

    nargs = 1


class Choose(sympy.Function):  # type: ignore[misc]
    """The second argument where the first is 1, the third where it is 0."""

    nargs = 3


class Floor(sympy.Function):  # type: ignore[misc]
    """The largest integer not above the argument."""

    nargs = 1


_HEADS: dict[str, Any] = {head.__name__: head for head in HEADS}
_ATOMS = {"pi": sympy.pi, "E": sympy.E}


def decoded(data: Any, known: Mapping[str, sympy.Symbol]) -> sympy.Expr:
    """A definition of the certificate as an expression over known symbols, unevaluated."""
    if isinstance(data, str):
        if data in _ATOMS:
            return _ATOMS[data]
        top, _, bottom = data.partition("/")
        if len(data) > 5000 or not (top.lstrip("-").isdigit() and (bottom or "1").isdigit() and int(bottom or "1")):
            raise Wrong(f"'{data[:40]}' is no number")
        return sympy.Rational(int(top), int(bottom or "1"))
    if not isinstance(data, tuple) or len(data) < 2 or not isinstance(data[0], str):
        raise Wrong("a definition is neither a number nor an operation")
    if data[0] == "input":
        if len(data) != 2 or data[1] not in known:
            raise Wrong(f"a definition uses '{data[1]}', which is no input and no earlier step")
        return known[data[1]]
    if data[0] not in _HEADS:
        raise Wrong(f"'{data[0][:40]}' is no operation")
    return _HEADS[data[0]](*(decoded(part, known) for part in data[1:]), evaluate=False)


def require_equal(stated: sympy.Expr, composed: sympy.Expr, name: str, positive: Collection[sympy.Expr] = ()) -> None:
    """Raises Wrong where the two differ somewhere, Open where they seem equal but it cannot be shown.

    `positive`: expressions that are nowhere negative on the domain.
    """
    _require_equal_numbers(stated, composed, name)
    if stated == composed:
        return
    known: set[sympy.Expr] = set()
    for expression in positive:  # the form of one may depend on the earlier ones
        known.add(direction(canonical(expression, known))[1])
    difference = canonical(stated, known) - canonical(composed, known)
    if difference == 0:
        return
    if sympy.count_ops(difference) <= _LARGEST and _vanishes(difference):
        return
    raise Open(f"output '{name}': the steps agree with the formula at every point tried, but are not shown to be it")


def canonical(expression: sympy.Expr, positive: Collection[sympy.Expr] = ()) -> sympy.Expr:
    """The one form of an expression."""
    done: dict[sympy.Basic, sympy.Expr] = {}
    for node in sympy.postorder_traversal(expression):
        if node not in done:
            done[node] = expanded(_rule(node, [done[arg] for arg in node.args], positive))
    return done[expression]


def _rule(node: sympy.Basic, args: list[sympy.Expr], positive: Collection[sympy.Expr]) -> sympy.Expr:
    match node:
        case sympy.Pow():
            return _power(args[0], args[1], positive)
        case sympy.log():
            return logarithm(args[0], positive)
        case sympy.exp():
            return exponential(args[0])
        case sympy.Abs():
            return size(args[0], positive)
        case sympy.Max():
            return sympy.Max(*args)
        case sympy.Min():
            return sympy.Min(*args)
        case sympy.sign():
            return _positive(args[0]) - _positive(-args[0])
        case sympy.floor():
            return _floor(args[0])
        case sympy.ceiling():
            return -_floor(-args[0])
        case words.RoundHalfEven():
            return _half_even(args[0])
        case words.FlooredMod():
            return args[0] - args[1] * _floor(args[0] / args[1])
        case words.Greater():
            return _positive(args[0] - args[1])
        case words.Less():
            return _positive(args[1] - args[0])
        case words.GreaterEqual():
            return 1 - _positive(args[1] - args[0])
        case words.LessEqual():
            return 1 - _positive(args[0] - args[1])
        case words.Equal():
            return 1 - _positive(args[0] - args[1]) - _positive(args[1] - args[0])
        case words.LogicalOr():
            return _choose(_positive(args[0]), S.One, _positive(args[1]))
        case words.LogicalAnd():
            return _choose(_positive(args[0]), _positive(args[1]), S.Zero)
        case words.Cond():
            return _choose(_positive(args[0]), args[1], S.Zero)
        case words.Select():
            return _choose(_positive(args[0]), args[1], args[2])
        case words.Clamp():
            value, low, high = args
            inner = _choose(_positive(low - value), low, value)
            return _choose(_positive(value - high), high, inner)
        case _:
            return node.func(*args) if node.args else node


def _power(base: sympy.Expr, exponent: sympy.Expr, positive: Collection[sympy.Expr]) -> sympy.Expr:
    if not isinstance(exponent, sympy.Rational):
        return exponential(expanded(exponent * logarithm(base, positive)))
    if not isinstance(exponent, Integer):
        return root(base, exponent, positive)
    if isinstance(base, sympy.Add):
        if exponent > 0:
            return sympy.expand(base**exponent, deep=False)
        content, rest = base.primitive()
        if rest.could_extract_minus_sign():
            content, rest = -content, expanded(-rest)
        return content**exponent * rest**exponent
    return base**exponent


def _positive(d: sympy.Expr) -> sympy.Expr:
    factor, rest = direction(d)
    if rest.is_Rational:
        return S.One if factor * rest > 0 else S.Zero
    return rest if isinstance(rest, Positive) else Positive(rest)


def _choose(condition: sympy.Expr, a: sympy.Expr, b: sympy.Expr) -> sympy.Expr:
    if condition.is_Rational:
        return a if condition > 0 else b
    if a == b:
        return a
    if (a, b) == (S.One, S.Zero):
        return condition
    return Choose(condition, a, b)


def _floor(x: sympy.Expr) -> sympy.Expr:
    x = expanded(x)
    number, rest = x.as_coeff_Add(rational=True)
    whole = Integer(number.p // number.q)
    if rest == 0:
        return whole
    return whole + Floor(rest + (number - whole))


def _half_even(x: sympy.Expr) -> sympy.Expr:
    half = sympy.Rational(1, 2)
    up, down, even = _floor(x + half), -_floor(half - x), 2 * _floor(x / 2 + half)
    return _choose(_positive(up - down), even, up)


def _vanishes(difference: sympy.Expr) -> bool:
    """Whether it is zero as a rational function of its parts."""
    whole, relations = as_rational_function(difference)
    numerator = sympy.numer(sympy.cancel(whole))
    for symbol, vanishing in relations:
        numerator = sympy.rem(numerator, vanishing, symbol)
    if sympy.cancel(numerator) == 0:
        return True
    return bool(_angles(difference) == 0)


def _angles(difference: sympy.Expr) -> sympy.Expr:
    """Products of sines and cosines as sums."""
    return expanded(sympy.fu(sympy.expand(difference)) if difference.has(sympy.sin, sympy.cos) else difference)


def _require_equal_numbers(stated: sympy.Expr, composed: sympy.Expr, name: str) -> None:
    """Raises Wrong where balls around the two at some point do not meet. The points are of no pattern but fixed."""
    symbols = sorted(stated.free_symbols | composed.free_symbols, key=lambda s: s.name)
    first, second = Formula(stated, symbols), Formula(composed, symbols)
    state = 20230517
    with ctx.workprec(_PRECISION):
        for trial in range(_TRIALS):
            values = []
            for _ in symbols:
                state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
                values.append(arb((state >> 20) - (2**43 if trial % 2 else 0)) * arb(2) ** (-41 - trial % 5))
            a, b = ball(first(*values)), ball(second(*values))
            if a.is_finite() and b.is_finite() and not a.overlaps(b):
                where = ", ".join(f"{s.name}={float(v):.6g}" for s, v in zip(symbols, values, strict=True))
                raise Wrong(f"output '{name}': the steps give {float(b):.9g} at {where}, the formula {float(a):.9g}")
