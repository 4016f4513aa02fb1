"""A formula of one symbol → its values: exact rationals where they are rational, else balls; and Taylor series.

What the heads mean is in `rules`. Values are
`fmpq` as long as the operations are rational, so that floors and comparisons at codes are decided exactly; then `arb`
balls. A Taylor series (`arb_series`) is not finite beyond the value where the ball reaches a kink or a jump.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import sympy
from flint import arb, arb_series, fmpq

from sr2hls.verify.refused import Open
from sr2hls.verify.rules import NAN, Rule, Value, ball, rational_power, rule_of


class Formula:
    """An expression of one symbol, or of none."""

    def __init__(self, expression: sympy.Expr, symbols: Sequence[sympy.Symbol]) -> None:
        self._places: dict[sympy.Basic, int] = {symbol: i for i, symbol in enumerate(symbols)}
        self._steps: list[tuple[Rule, tuple[int, ...]]] = []
        self._count = len(symbols)
        self._last = self._add(expression)

    def __call__(self, *arguments: Value) -> Value:
        """The value at fmpq, arb or arb_series arguments; a ball that is not finite where undefined."""
        values = list(arguments)
        try:
            for rule, places in self._steps:
                values.append(rule(*[values[i] for i in places]))
        except (ZeroDivisionError, ValueError):
            return NAN
        return values[self._last]

    def series(self, x: arb, terms: int) -> list[arb]:
        """Enclosures of f(x), f'(x), f''(x)/2, ... over the ball; NaN where undefined."""
        result = self(arb_series([x, 1], prec=terms))
        if isinstance(result, arb_series):
            return [result[i] for i in range(terms)]
        value = ball(result)
        return [value, *([arb(0) if value.is_finite() else NAN] * (terms - 1))]

    def _add(self, node: sympy.Basic) -> int:
        if node in self._places:
            return self._places[node]
        if node.is_Symbol:
            raise Open(f"'{node}' is not an operand")
        places: tuple[int, ...]
        rule: Rule
        if isinstance(node, sympy.Pow) and isinstance(node.exp, sympy.Rational):
            places, rule = (self._add(node.base),), rational_power(Fraction(int(node.exp.p), int(node.exp.q)))
        elif isinstance(node, sympy.Rational):
            number = fmpq(int(node.p), int(node.q))
            places, rule = (), lambda: number
        else:
            places, rule = tuple(self._add(arg) for arg in node.args), rule_of(node)
        self._steps.append((rule, places))
        self._places[node] = self._count + len(self._steps) - 1
        return self._places[node]


def constant(expression: sympy.Expr) -> Value:
    """A number, as fmpq or ball."""
    return Formula(expression, ())()
