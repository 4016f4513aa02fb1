"""A sympy expression → its tree of operators in PySR's spelling, as a search counts them: x/y is one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce

import sympy

from sr2hls import operators as ops
from sr2hls.errors import FormatError, UnsupportedError
from sr2hls.model import symbol
from sr2hls.operators import VARIADIC, arities, find, suggest

_HEADS: dict[type[sympy.Basic], str] = {
    sympy.Abs: "abs",
    sympy.ceiling: "ceil",
    ops.RoundHalfEven: "round",
    ops.FlooredMod: "mod",
    ops.RealCbrt: "cbrt",
    ops.Greater: "greater",
    ops.GreaterEqual: "greater_equal",
    ops.Less: "less",
    ops.LessEqual: "less_equal",
    ops.Equal: "equal",
    ops.LogicalOr: "logical_or",
    ops.LogicalAnd: "logical_and",
    ops.Cond: "cond",
    ops.Select: "ifelse",
    ops.Clamp: "clamp",
    sympy.Max: "max",
    sympy.Min: "min",
}

# over an intermediate these are comparisons and selections; every other function is an evaluator
_COMPARED = frozenset({"greater", "greater_equal", "less", "less_equal", "equal", "logical_or", "logical_and"})
_CHOSEN = frozenset({"max", "min", "cond", "ifelse", "clamp"})
NATIVE = _COMPARED | _CHOSEN | {"abs", "sign", "floor", "ceil", "round", "mod"}
# over an intermediate these take their argument in turns, a multiplication by a constant
PERIODIC = frozenset({"sin", "cos", "tan", "cot", "sec", "csc"})


@dataclass(frozen=True, slots=True)
class Tree:
    """An operator with its arguments; a leaf has none and the name of an input, or "" for a constant."""

    name: str
    arguments: tuple[Tree, ...] = ()


_CONSTANT = Tree("")


def head_name(head: type[sympy.Basic]) -> str:
    """PySR's name of a sympy function. Raises UnsupportedError for what is no operator of `sr2hls.operators`."""
    if head in _HEADS:
        return _HEADS[head]
    if head not in ops.HEADS:
        raise UnsupportedError(f"'{head.__name__}' is no operator that costs are known for")
    return str(head.__name__)


def tree(expression: sympy.Expr) -> Tree:
    """The operator tree. Raises UnsupportedError for foreign functions."""
    if expression.is_Symbol:
        return Tree(expression.name)
    if not expression.free_symbols:
        return _CONSTANT
    if isinstance(expression, sympy.Add):
        return _sum(list(expression.args))
    if isinstance(expression, sympy.Mul):
        return _product(list(expression.args))
    if isinstance(expression, sympy.Pow):
        return _power(expression.base, expression.exp)
    name = head_name(type(expression))
    arguments = tuple(tree(argument) for argument in expression.args)
    return _chain(name, list(arguments)) if name in ("max", "min") else Tree(name, arguments)


def heads_of(expression: sympy.Expr) -> frozenset[str]:
    """The names of all operators in an expression."""
    return frozenset(names_in(tree(expression)))


def meaning(name: str, definition: str) -> tuple[Callable[..., sympy.Expr], int]:
    """An operator as a function of expressions, and the number of its arguments: two for + - * and their like.

    Raises FormatError for an unknown name, LoadError for a broken definition.
    """
    if definition:
        from sr2hls.search.definitions import defined

        own = defined({name: definition})[name]
        return own, len(own.parameters)
    counts = [2 if arity == VARIADIC else arity for arity in arities(name)]
    if not counts:
        near = ", ".join(suggest(name))
        raise FormatError(
            f"'{name}' is no operator{f'; did you mean {near}?' if near else ''} (see 'sr2hls functions')"
        )
    arity = 2 if name in ("+", "-") else min(counts)
    operator = find(name, arity)
    if operator is None:
        raise FormatError(f"'{name}' is no operator of {arity} arguments")
    return operator.build, arity


def spelled(name: str, definition: str = "") -> Tree:
    """How sympy writes an operator of its arguments x0, x1, ...: relu is a max, a user's operator what it says."""
    build, arity = meaning(name, definition)
    return tree(build(*(symbol(f"x{i}") for i in range(arity))))


def names_in(node: Tree) -> tuple[str, ...]:
    """The operators of a tree, as often as they occur."""
    own = (node.name,) if node.arguments else ()
    return own + tuple(name for argument in node.arguments for name in names_in(argument))


def _chain(name: str, parts: list[Tree]) -> Tree:
    return reduce(lambda a, b: Tree(name, (a, b)), parts)


def _sum(terms: list[sympy.Expr]) -> Tree:
    """Terms with a minus are subtracted; a constant counts as added."""
    minus = [t for t in terms if t.free_symbols and t.could_extract_minus_sign()]
    plus = [t for t in terms if t not in minus]
    if not plus:
        return Tree("neg", (_sum([-t for t in minus]),)) if len(minus) > 1 else Tree("neg", (tree(-minus[0]),))
    return reduce(lambda a, t: Tree("-", (a, tree(-t))), minus, _chain("+", [tree(t) for t in plus]))


def _product(factors: list[sympy.Expr]) -> Tree:
    """Factors with a negative exponent make the divisor; a factor of -1 is a negation."""
    below = [f for f in factors if isinstance(f, sympy.Pow) and f.exp.could_extract_minus_sign()]
    above = [f for f in factors if f not in below]
    negated = [f for f in above if f == -1]
    above = [f for f in above if f != -1]
    number = sympy.Mul(*[f for f in above if not f.free_symbols])
    varying = [tree(f) for f in above if f.free_symbols]
    parts = ([_CONSTANT] if number != 1 or not varying else []) + varying
    result = _chain("*", parts)
    if below:
        result = Tree("/", (result, _chain("*", [tree(sympy.Pow(f.base, -f.exp)) for f in below])))
    return Tree("neg", (result,)) if negated else result


def _power(base: sympy.Expr, exponent: sympy.Expr) -> Tree:
    if exponent == 2:
        return Tree("square", (tree(base),))
    if exponent == 3:
        return Tree("cube", (tree(base),))
    if exponent == sympy.Rational(1, 2):
        return Tree("sqrt", (tree(base),))
    if exponent.is_Rational and exponent < 0:
        below = tree(base) if exponent == -1 else _power(base, -exponent)
        return Tree("/", (_CONSTANT, below))
    return Tree("^", (tree(base), tree(exponent)))
