"""The certificate's definitions, put into each other → whether they are the model's formula, by exact algebra.

Both sides are brought to one form: comparisons, selections and roundings are expressed by `positive(d)`, `choose(p, a,
b)` and `floor(x)`, polynomials are expanded, arguments of functions are brought to this form first. What is left is
decided by expansion, and where that does not do, as a rational function of the parts that are no polynomials.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy
from flint import arb, ctx
from sympy import Integer, S

from sr2hls.operators import HEADS, words
from sr2hls.verify.evaluate import Formula
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


class Size(sympy.Function):  # type: ignore[misc]
    """The absolute value."""

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


def require_equal(stated: sympy.Expr, composed: sympy.Expr, name: str) -> None:
    """Raises Wrong where the two differ somewhere, Open where they seem equal but it cannot be shown."""
    _require_equal_numbers(stated, composed, name)
    difference = canonical(stated) - canonical(composed)
    if difference == 0:
        return
    if sympy.count_ops(difference) <= _LARGEST and _vanishes(difference):
        return
    raise Open(f"output '{name}': the steps agree with the formula at every point tried, but are not shown to be it")


def canonical(expression: sympy.Expr) -> sympy.Expr:
    """The one form of an expression."""
    done: dict[sympy.Basic, sympy.Expr] = {}
    for node in sympy.postorder_traversal(expression):
        if node not in done:
            done[node] = _expanded(_rule(node, [done[arg] for arg in node.args]))
    return done[expression]


def _rule(node: sympy.Basic, args: list[sympy.Expr]) -> sympy.Expr:
    match node:
        case sympy.Pow():
            return _power(*args)
        case sympy.Abs():
            return _size(args[0])
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


def _expanded(expression: sympy.Expr) -> sympy.Expr:
    """Products of sums multiplied out; arguments of functions are left as they are."""
    return sympy.expand(expression, deep=False, power_base=False, power_exp=False, log=False, trig=False, func=False)


def _power(base: sympy.Expr, exponent: sympy.Expr) -> sympy.Expr:
    if not isinstance(exponent, sympy.Rational):
        return sympy.exp(_expanded(exponent * sympy.log(base)))
    if isinstance(base, sympy.Add):
        if isinstance(exponent, Integer) and exponent > 0:
            return sympy.expand(base**exponent, deep=False)
        content, rest = base.primitive()
        if rest.could_extract_minus_sign() and isinstance(exponent, Integer):
            content, rest = -content, _expanded(-rest)
        return content**exponent * rest**exponent if content > 0 or isinstance(exponent, Integer) else base**exponent
    return base**exponent


def _direction(d: sympy.Expr) -> tuple[sympy.Rational, sympy.Expr]:
    """(positive factor, d without it)."""
    d = _expanded(d)
    factor, rest = d.primitive() if isinstance(d, sympy.Add) else d.as_coeff_Mul(rational=True)
    return (factor, rest) if factor > 0 else (-factor, _expanded(-rest))


def _positive(d: sympy.Expr) -> sympy.Expr:
    factor, rest = _direction(d)
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


def _size(x: sympy.Expr) -> sympy.Expr:
    factor, rest = _direction(x)
    if rest.is_Rational:
        return factor * abs(rest)
    if rest.is_nonnegative:
        return factor * rest
    return factor * Size(_expanded(-rest) if rest.could_extract_minus_sign() else rest)


def _floor(x: sympy.Expr) -> sympy.Expr:
    x = _expanded(x)
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
    parts: dict[sympy.Basic, sympy.Symbol] = {}

    def plain(node: sympy.Expr) -> sympy.Expr:
        if isinstance(node, sympy.Add | sympy.Mul):
            return node.func(*map(plain, node.args))
        if isinstance(node, sympy.Pow) and isinstance(node.exp, Integer):
            return plain(node.base) ** node.exp
        if isinstance(node, sympy.Pow) and isinstance(node.exp, sympy.Rational):
            root = node.base ** sympy.Rational(1, node.exp.q)
            return parts.setdefault(root, sympy.Dummy()) ** node.exp.p
        if isinstance(node, sympy.Rational):
            return node
        return parts.setdefault(node, sympy.Dummy())

    if sympy.cancel(plain(difference)) == 0:
        return True
    return bool(_angles(difference) == 0)


def _angles(difference: sympy.Expr) -> sympy.Expr:
    """Products of sines and cosines as sums."""
    return _expanded(sympy.fu(sympy.expand(difference)) if difference.has(sympy.sin, sympy.cos) else difference)


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
