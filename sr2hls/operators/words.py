"""What sympy has no word for: small functions with an exact meaning over the reals (listed in the package docstring).

`eval` folds rational arguments only, so a fold is always exact. `fdiff` is the derivative almost everywhere; a jump
contributes 0, and where the jumps lie is the caller's business.
"""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Integer, S


class Word(sympy.Function):  # type: ignore[misc]  # sympy has no types
    """Base of our functions: real-valued; rational arguments are folded by `exact`."""

    is_commutative = True

    @staticmethod
    def exact(*args: sympy.Rational) -> sympy.Rational | None:
        """The value at rational arguments, or None where it is not rational or not defined."""
        raise NotImplementedError

    @classmethod
    def eval(cls, *args: sympy.Expr) -> sympy.Expr | None:
        """Fold rational arguments exactly; otherwise leave the call as it stands."""
        return cls.exact(*args) if all(a.is_Rational for a in args) else None

    def _eval_is_extended_real(self) -> bool | None:
        return True if all(a.is_extended_real for a in self.args) else None

    def _eval_is_finite(self) -> bool | None:
        return True if all(a.is_finite for a in self.args) else None

    def _eval_evalf(self, prec: int) -> sympy.Expr | None:
        values = [a._eval_evalf(prec) for a in self.args]
        if not all(v is not None and (v.is_Float or v.is_Rational) and v.is_finite for v in values):
            return None
        folded = self.exact(*(sympy.Rational(v) for v in values))
        return None if folded is None else folded._eval_evalf(prec)

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """Derivative with respect to the 1-based argument, almost everywhere."""
        return S.Zero


class Indicator(Word):
    """Base of the functions whose value is 1 or 0."""

    def _eval_is_integer(self) -> bool | None:
        return self._eval_is_extended_real()

    def _eval_is_extended_nonnegative(self) -> bool | None:
        return self._eval_is_extended_real()

    @staticmethod
    def one_if(condition: Any) -> sympy.Rational:
        """1 or 0."""
        return S.One if condition else S.Zero


class RoundHalfEven(Word):
    """The integer nearest to x; of two equally near ones, the even one."""

    nargs = 1

    @staticmethod
    def exact(x: sympy.Rational) -> sympy.Rational:
        twice, floor = 2 * x.p, x.p // x.q
        middle = (2 * floor + 1) * x.q
        return Integer(floor + (twice > middle or (twice == middle and floor % 2)))

    def _eval_is_integer(self) -> bool | None:
        return self._eval_is_extended_real()


class FlooredMod(Word):
    """x - y*floor(x/y): in [0, y) for y > 0, in (y, 0] for y < 0; not defined at y = 0."""

    nargs = 2

    @staticmethod
    def exact(x: sympy.Rational, y: sympy.Rational) -> sympy.Rational | None:
        if y.p == 0:
            return None
        ratio = x / y
        return x - y * Integer(ratio.p // ratio.q)

    def _eval_is_finite(self) -> bool | None:
        return True if all(a.is_finite for a in self.args) and self.args[1].is_nonzero else None

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        x, y = self.args
        return S.One if argindex == 1 else -sympy.floor(x / y)


class RealCbrt(Word):
    """The real cube root: sign(x)*|x|^(1/3)."""

    nargs = 1

    @staticmethod
    def exact(x: sympy.Rational) -> sympy.Rational | None:
        if x.p.bit_length() + x.q.bit_length() > 4096:
            return None
        top, exact_top = sympy.integer_nthroot(abs(x.p), 3)
        bottom, exact_bottom = sympy.integer_nthroot(x.q, 3)
        if not (exact_top and exact_bottom):
            return None
        return sympy.Rational(top if x.p >= 0 else -top, bottom)

    def _eval_evalf(self, prec: int) -> sympy.Expr | None:
        x = self.args[0]._eval_evalf(prec)
        if x is None or not x.is_comparable:
            return None
        root = (abs(x) ** sympy.Rational(1, 3))._eval_evalf(prec)
        return -root if x.is_negative else root

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return 1 / (3 * RealCbrt(self.args[0]) ** 2)


class Greater(Indicator):
    """1 where x > y, else 0."""

    nargs = 2

    @staticmethod
    def exact(x: sympy.Rational, y: sympy.Rational) -> sympy.Rational:
        return Indicator.one_if(x > y)


class GreaterEqual(Indicator):
    """1 where x >= y, else 0."""

    nargs = 2

    @staticmethod
    def exact(x: sympy.Rational, y: sympy.Rational) -> sympy.Rational:
        return Indicator.one_if(x >= y)


class Less(Indicator):
    """1 where x < y, else 0."""

    nargs = 2

    @staticmethod
    def exact(x: sympy.Rational, y: sympy.Rational) -> sympy.Rational:
        return Indicator.one_if(x < y)


class LessEqual(Indicator):
    """1 where x <= y, else 0."""

    nargs = 2

    @staticmethod
    def exact(x: sympy.Rational, y: sympy.Rational) -> sympy.Rational:
        return Indicator.one_if(x <= y)


class Equal(Indicator):
    """1 where x == y, else 0."""

    nargs = 2

    @staticmethod
    def exact(x: sympy.Rational, y: sympy.Rational) -> sympy.Rational:
        return Indicator.one_if(x == y)


class LogicalOr(Indicator):
    """1 where x > 0 or y > 0, else 0."""

    nargs = 2

    @staticmethod
    def exact(x: sympy.Rational, y: sympy.Rational) -> sympy.Rational:
        return Indicator.one_if(x > 0 or y > 0)


class LogicalAnd(Indicator):
    """1 where x > 0 and y > 0, else 0."""

    nargs = 2

    @staticmethod
    def exact(x: sympy.Rational, y: sympy.Rational) -> sympy.Rational:
        return Indicator.one_if(x > 0 and y > 0)


class Cond(Word):
    """y where x > 0, else 0."""

    nargs = 2

    @staticmethod
    def exact(x: sympy.Rational, y: sympy.Rational) -> sympy.Rational:
        return y if x > 0 else S.Zero

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        return S.Zero if argindex == 1 else Greater(self.args[0], 0)


class Select(Word):
    """a where c > 0, else b. A constant condition is folded whatever the branches are."""

    nargs = 3

    @staticmethod
    def exact(c: sympy.Rational, a: sympy.Rational, b: sympy.Rational) -> sympy.Rational:
        return a if c > 0 else b

    @classmethod
    def eval(cls, c: sympy.Expr, a: sympy.Expr, b: sympy.Expr) -> sympy.Expr | None:
        """Fold a rational condition."""
        if c.is_Rational:
            return a if c > 0 else b
        return None

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        c = self.args[0]
        return (S.Zero, Greater(c, 0), LessEqual(c, 0))[argindex - 1]


class Clamp(Word):
    """hi where x > hi, else lo where x < lo, else x: Julia's `clamp`, in which hi wins when lo > hi."""

    nargs = 3

    @staticmethod
    def exact(x: sympy.Rational, lo: sympy.Rational, hi: sympy.Rational) -> sympy.Rational:
        if x > hi:
            return hi
        return lo if x < lo else x

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        x, lo, hi = self.args
        above, not_above, below = Greater(x, hi), LessEqual(x, hi), Less(x, lo)
        return (LogicalAnd(not_above, GreaterEqual(x, lo)), LogicalAnd(not_above, below), above)[argindex - 1]
