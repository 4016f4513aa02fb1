"""Operators that PySR's own sympy table lacks → functions of sympy expressions for its `extra_sympy_mappings`.

After a search PySR turns every equation into sympy and fails, or takes sympy's function of another meaning (`rem`,
`sinc`), where it has no mapping. sr2hls reads the equations as text and does not depend on what is given here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import sympy

from sr2hls.operators import find
from sr2hls.operators.registry import template
from sr2hls.search.definitions import defined
from sr2hls.search.pysr.vocabulary import Operators

# Names that PySR 1.5 and later map themselves, or that mean the same in sympy.
_MAPPED_TEXT = (
    "+ - * / ^ neg square cube inv abs sign sqrt cbrt exp log log2 log10 log1p sin cos tan asin acos atan sinh cosh "
    "tanh asinh acosh atanh atanh_clip sec csc cot sech csch coth floor ceil round relu erf erfc gamma mod max min "
    "greater less greater_equal less_equal cond logical_or logical_and fma muladd clamp"
)
_MAPPED = frozenset(_MAPPED_TEXT.split())


def _plain(expression: sympy.Expr) -> bool:
    """Whether a checkpoint that holds it can be read where sr2hls is not installed."""
    return all(type(node).__module__.startswith("sympy.") for node in sympy.preorder_traversal(expression))


def sympy_mappings(operators: Operators, definitions: Mapping[str, str]) -> dict[str, Callable[..., sympy.Expr]]:
    """By name, for every operator that needs one; an undefined function where sympy itself has no word for it."""
    own = defined(definitions)
    found: dict[str, Callable[..., sympy.Expr]] = {}
    for arity, names in operators.names.items():
        for name in names:
            operator = find(name, arity)
            if name in own:
                found[name] = own[name] if _plain(own[name].body) else sympy.Function(name)
            elif name not in _MAPPED and operator is not None:
                shape, _ = template(operator, arity)
                found[name] = operator.build if _plain(shape) else sympy.Function(name)
    return found
