"""An expression from outside, checked: its nodes are of the closed set and no constant in it is of absurd size."""

from __future__ import annotations

import numpy as np
import sympy

from sr2hls.errors import UnsupportedError
from sr2hls.load.assemble import MAX_SIZE
from sr2hls.operators import foreign
from sr2hls.operators.numeric import evaluate
from sr2hls.operators.powers import MAX_BITS, MAX_EXPONENT, bits


def _check_node(node: sympy.Basic, constant: bool) -> None:
    if node.is_Rational and bits(node) > MAX_BITS:
        raise UnsupportedError(f"an exact constant of more than {MAX_BITS} bits")
    if isinstance(node, sympy.Pow):
        exponent = node.args[1]
        if exponent.is_Rational:
            if abs(exponent) > MAX_EXPONENT:
                raise UnsupportedError(f"an exponent beyond {MAX_EXPONENT}")
            numbers = [bits(a) for a in node.args[0].atoms(sympy.Rational)]
            if max(numbers, default=0) * abs(exponent) > 4 * MAX_BITS:
                raise UnsupportedError(f"a power of a constant of more than {4 * MAX_BITS} bits")
    if isinstance(node, sympy.loggamma) and node.args[0].is_Rational and node.args[0] > 200:
        raise UnsupportedError("loggamma of a constant beyond 200")
    if constant and node.args and not np.isfinite(float(evaluate(node, {}))):
        raise UnsupportedError("a constant part is not a finite real number")


def check(expression: sympy.Expr) -> None:
    """Raise UnsupportedError for a node outside the closed set or a constant that sympy should not fold."""
    stranger = foreign(expression)
    if stranger is not None:
        raise UnsupportedError(f"{type(stranger).__name__} ({str(stranger)[:60]}) has no meaning here")
    constant: dict[sympy.Basic, bool] = {}
    count = 0
    for node in sympy.postorder_traversal(expression):
        count += 1
        if count > MAX_SIZE:
            raise UnsupportedError(f"the formula written out has more than {MAX_SIZE} nodes")
        if node in constant:
            continue
        constant[node] = not node.is_Symbol and all(constant[a] for a in node.args)
        _check_node(node, constant[node])
