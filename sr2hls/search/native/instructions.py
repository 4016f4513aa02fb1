"""A sympy expression over the closed set of heads → a slot program of primitives, for the row kernels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce

import sympy

from sr2hls import operators as ops
from sr2hls.errors import UnsupportedError
from sr2hls.search.native import primitives as p

Visit = Callable[[sympy.Basic], int]
Emit = Callable[..., int]
Instruction = tuple[int, int, int, float]  # primitive, operands (argument i is -1 - i, else a slot), constant

_UNARY = {
    sympy.sin: p.SIN,
    sympy.cos: p.COS,
    sympy.exp: p.EXP,
    sympy.log: p.LOG,
    sympy.Abs: p.ABS,
    sympy.tanh: p.TANH,
    sympy.atan: p.ATAN,
    sympy.asin: p.ASIN,
    sympy.floor: p.FLOOR,
    ops.RoundHalfEven: p.ROUND,
    sympy.erf: p.ERF,
}
_LARGEST_POWER = 64


def _select(c: sympy.Expr, a: sympy.Expr, b: sympy.Expr) -> sympy.Expr:
    chosen = ops.Greater(c, sympy.S.Zero)
    return chosen * a + (1 - chosen) * b


# Heads without a primitive of their own, written with those that have one. Real arguments only.
_WRITTEN_OUT: dict[type[sympy.Basic], Callable[..., sympy.Expr]] = {
    sympy.tan: lambda x: sympy.sin(x) / sympy.cos(x),
    sympy.sec: lambda x: 1 / sympy.cos(x),
    sympy.csc: lambda x: 1 / sympy.sin(x),
    sympy.cot: lambda x: sympy.cos(x) / sympy.sin(x),
    sympy.acos: lambda x: sympy.pi / 2 - sympy.asin(x),
    sympy.sinh: lambda x: (sympy.exp(x) - sympy.exp(-x)) / 2,
    sympy.cosh: lambda x: (sympy.exp(x) + sympy.exp(-x)) / 2,
    sympy.sech: lambda x: 2 / (sympy.exp(x) + sympy.exp(-x)),
    sympy.csch: lambda x: 2 / (sympy.exp(x) - sympy.exp(-x)),
    sympy.coth: lambda x: 1 / sympy.tanh(x),
    sympy.asinh: lambda x: sympy.log(x + sympy.sqrt(x**2 + 1)),
    sympy.acosh: lambda x: sympy.log(x + sympy.sqrt(x**2 - 1)),
    sympy.atanh: lambda x: sympy.log((1 + x) / (1 - x)) / 2,
    sympy.sinc: lambda x: sympy.sin(x) / x,
    sympy.erfc: lambda x: 1 - sympy.erf(x),
    sympy.ceiling: lambda x: -sympy.floor(-x),
    sympy.sign: lambda x: ops.Greater(x, sympy.S.Zero) - ops.Greater(sympy.S.Zero, x),
    ops.FlooredMod: lambda x, y: x - y * sympy.floor(x / y),
    ops.RealCbrt: lambda x: sympy.sign(x) * sympy.Pow(sympy.Abs(x), sympy.Rational(1, 3)),
    ops.Less: lambda x, y: ops.Greater(y, x),
    ops.GreaterEqual: lambda x, y: 1 - ops.Greater(y, x),
    ops.LessEqual: lambda x, y: 1 - ops.Greater(x, y),
    ops.Equal: lambda x, y: (1 - ops.Greater(x, y)) * (1 - ops.Greater(y, x)),
    ops.LogicalOr: lambda x, y: ops.Greater(sympy.Max(x, y), sympy.S.Zero),
    ops.LogicalAnd: lambda x, y: ops.Greater(sympy.Min(x, y), sympy.S.Zero),
    ops.Cond: lambda x, y: ops.Greater(x, sympy.S.Zero) * y,
    ops.Select: _select,
    ops.Clamp: lambda x, low, high: sympy.Min(sympy.Max(x, low), high),
}


def instructions(expression: sympy.Expr, places: Mapping[sympy.Symbol, int]) -> list[Instruction]:
    """The program of an expression; `places` numbers its arguments. The last instruction is the result.

    Raises UnsupportedError for a head that has no real-valued program (gamma, erfinv, atan2).
    """
    program: list[Instruction] = []
    known: dict[sympy.Basic, int] = {symbol: -1 - place for symbol, place in places.items()}

    def emit(primitive: int, a: int = 0, b: int = 0, value: float = 0.0) -> int:
        program.append((primitive, a, b, value))
        return len(program) - 1

    def chain(primitive: int, terms: list[sympy.Basic]) -> int:
        return reduce(lambda a, b: emit(primitive, a, b), [visit(term) for term in terms])

    def visit(node: sympy.Basic) -> int:
        if node not in known:
            known[node] = compile_node(node)
        return known[node]

    def compile_node(node: sympy.Basic) -> int:
        if not node.args or node.is_number:
            if not node.is_number:
                raise UnsupportedError(f"'{node}' is no argument of the operator")
            return emit(p.CONST, value=float(node))
        head = type(node)
        if head is sympy.Add:
            return _sum(node, visit, emit)
        if head is sympy.Mul:
            return _product(node, visit, emit)
        if head is sympy.Pow:
            return _power(node, visit, emit)
        if head in _UNARY:
            return emit(_UNARY[head], visit(node.args[0]))
        if head in (sympy.Max, sympy.Min):
            return chain(p.MAX if head is sympy.Max else p.MIN, list(node.args))
        if head is ops.Greater:
            return emit(p.GREATER, visit(node.args[0]), visit(node.args[1]))
        if head in _WRITTEN_OUT:
            return visit(_WRITTEN_OUT[head](*node.args))
        raise UnsupportedError(f"the search cannot evaluate '{node}'")

    root = visit(expression)
    if root != len(program) - 1:
        emit(p.ADD, root, emit(p.CONST))
    return program


def _sum(node: sympy.Add, visit: Visit, emit: Emit) -> int:
    positive = [t for t in node.args if not t.could_extract_minus_sign()]
    negative = [-t for t in node.args if t.could_extract_minus_sign()]
    total = reduce(lambda a, b: emit(p.ADD, a, b), [visit(t) for t in positive]) if positive else emit(p.CONST)
    return reduce(lambda a, b: emit(p.SUB, a, b), [visit(t) for t in negative], total)


def _product(node: sympy.Mul, visit: Visit, emit: Emit) -> int:
    below = [f for f in node.args if f.is_Pow and f.exp.is_Rational and f.exp < 0]
    above = [f for f in node.args if f not in below]
    total = reduce(lambda a, b: emit(p.MUL, a, b), [visit(f) for f in above]) if above else emit(p.CONST, value=1.0)
    return reduce(lambda a, b: emit(p.DIV, a, b), [visit(1 / f) for f in below], total)


def _power(node: sympy.Pow, visit: Visit, emit: Emit) -> int:
    base, exponent = node.args
    if base == sympy.E:
        return int(emit(p.EXP, visit(exponent)))
    if exponent == sympy.S.Half:
        return int(emit(p.SQRT, visit(base)))
    if exponent.is_Rational and exponent < 0:
        return int(emit(p.DIV, emit(p.CONST, value=1.0), visit(1 / node)))
    if exponent.is_Integer and exponent <= _LARGEST_POWER:
        half = base ** (exponent // 2)
        if exponent == 2:
            return int(emit(p.SQUARE, visit(base)))
        square = emit(p.SQUARE, visit(half))
        return int(square if exponent % 2 == 0 else emit(p.MUL, square, visit(base)))
    if exponent.is_Rational and exponent.q == 2:
        return int(emit(p.MUL, visit(base ** (exponent - sympy.S.Half)), visit(sympy.sqrt(base))))
    return int(emit(p.POW, visit(base), visit(exponent)))
