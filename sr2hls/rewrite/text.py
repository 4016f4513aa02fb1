"""A sympy expression → short text for comments and messages: constants to six digits, long middles cut."""

from __future__ import annotations

from functools import lru_cache

import sympy
from sympy.printing.str import StrPrinter

_LONGEST = 100


class _Printer(StrPrinter):  # type: ignore[misc]
    def _print_Rational(self, expr: sympy.Rational) -> str:  # noqa: N802  sympy's naming
        return f"{float(expr):.6g}" if max(abs(expr.p), expr.q) > 1000 else super()._print_Rational(expr)


@lru_cache(maxsize=4096)  # equal forms of a formula share most of their parts
def short_text(expression: sympy.Basic) -> str:
    """At most 100 characters."""
    text = str(_Printer({"full_prec": False}).doprint(expression))
    if len(text) <= _LONGEST:
        return text
    half = (_LONGEST - 5) // 2
    return f"{text[:half]} ... {text[-half:]}"
