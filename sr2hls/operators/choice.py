"""Sign, magnitude, extremes, comparisons and choices, with Julia's meaning."""

from __future__ import annotations

from sympy import Expr, Max, Min, S, sign

from sr2hls.operators.powers import absolute
from sr2hls.operators.registry import VARIADIC, Operator
from sr2hls.operators.words import (
    Clamp,
    Cond,
    Equal,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    LogicalAnd,
    LogicalOr,
    Select,
)


def _extreme(head: type[Expr], *args: Expr) -> Expr:
    """Max or Min. sympy's own simplification of these may take exponential time, so only constants are folded."""
    flat = [a for arg in args for a in (arg.args if type(arg) is head else (arg,))]
    numbers = [a for a in flat if a.is_Rational]
    rest = list(dict.fromkeys(a for a in flat if not a.is_Rational))
    if numbers:
        rest.append(max(numbers) if head is Max else min(numbers))
    return rest[0] if len(rest) == 1 else head(*rest, evaluate=False)


def largest(*args: Expr) -> Expr:
    """The largest of the arguments."""
    return _extreme(Max, *args)


def smallest(*args: Expr) -> Expr:
    """The smallest of the arguments."""
    return _extreme(Min, *args)


OPERATORS = (
    Operator("abs", 1, absolute),
    Operator("sign", 1, sign),
    Operator("copysign", 2, lambda x, y: Select(Less(y, S.Zero), -absolute(x), absolute(x))),
    Operator("max", VARIADIC, largest),
    Operator("min", VARIADIC, smallest),
    Operator("relu", 1, lambda x: largest(S.Zero, x)),
    Operator("clamp", 3, Clamp),
    Operator(">", 2, Greater),
    Operator("greater", 2, Greater),
    Operator(">=", 2, GreaterEqual),
    Operator("greater_equal", 2, GreaterEqual),
    Operator("<", 2, Less),
    Operator("less", 2, Less),
    Operator("<=", 2, LessEqual),
    Operator("less_equal", 2, LessEqual),
    Operator("==", 2, Equal),
    Operator("equal", 2, Equal),
    Operator("!=", 2, lambda x, y: S.One - Equal(x, y)),
    Operator("cond", 2, Cond),
    Operator("ifelse", 3, Select),
    Operator("logical_or", 2, LogicalOr),
    Operator("logical_and", 2, LogicalAnd),
    Operator("!", 1, lambda x: LessEqual(x, S.Zero)),
)
