"""`SymbolicModel` → `Program`: every maximal sub-expression of one variable becomes one function.

The walk is bottom-up. Each converted sub-expression is a *region*: an expression over at most one symbol, an input or
an earlier assignment. An operation whose operands live over different symbols closes their regions into assignments
and opens a new region over the result. So exp(-x0**2)/(1 + x0) stays one region, and sin(x0 + x1)*cos(x0 + x1)
becomes one function of x0 + x1.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

import sympy

from sr2hls import operators as ops
from sr2hls.errors import DomainError, UnsupportedError
from sr2hls.model import SymbolicModel, symbol
from sr2hls.program import Assignment, Kind, Program, Turns, kind_of, linear_terms
from sr2hls.rewrite.expand import horner, monomial, opened
from sr2hls.rewrite.period import period_in
from sr2hls.rewrite.text import short_text

_SMOOTH_BREAKS = (sympy.Abs, sympy.Max, sympy.Min, sympy.sign, sympy.floor, sympy.ceiling)
_NATIVE = (
    *_SMOOTH_BREAKS,
    ops.Greater,
    ops.GreaterEqual,
    ops.Less,
    ops.LessEqual,
    ops.Equal,
    ops.LogicalAnd,
    ops.LogicalOr,
    ops.RoundHalfEven,
    ops.Cond,
    ops.Select,
    ops.Clamp,
    ops.FlooredMod,
)

_LARGEST_SCALE = 1 << 16
_DEPTH = {Kind.TURNS: 3, Kind.FUNCTION: 2, Kind.PRODUCT: 4}  # adders in a row; 1 for the other kinds
_WHAT_CAN = (
    "hardware exists for + - * / ^, every function of one variable, abs, sign, min, max, comparisons, cond, ifelse, "
    "clamp, logical_or, logical_and, floor, ceil, round, and mod by a constant"
)


def fuse(
    model: SymbolicModel, narrow: Iterable[str], shared: Iterable[tuple[sympy.Symbol, sympy.Expr]] = ()
) -> Program:
    """Fuse the model's formulas.

    Products are ordered for the shortest path, unless an order by name leaves fewer functions and products: formulas
    that are alike share more of them then.

    Args:
        narrow: the inputs whose every code fits a table; over these a region may hold kinks and jumps. Over wider
            symbols such operations become comparisons and selections.
        shared: further symbols of the formulas and what they stand for, each over inputs and earlier ones; each is
            computed once, as an assignment of its own.

    Raises:
        UnsupportedError: an operation has no hardware yet; the message names the sub-expression.
    """
    held, named = list(narrow), list(shared)
    return min((_fused(model, held, named, early) for early in (True, False)), key=_multiplications)


def _multiplications(program: Program) -> tuple[int, int]:
    kinds = [step.kind for step in program.assignments]
    return kinds.count(Kind.FUNCTION), kinds.count(Kind.PRODUCT)


def _fused(
    model: SymbolicModel, narrow: list[str], shared: list[tuple[sympy.Symbol, sympy.Expr]], early: bool
) -> Program:
    fuser = _Fuser(model.inputs, narrow, early)
    for name, expression in shared:
        fuser.share(name, expression)
    outputs = fuser.own_outputs([(output.name, fuser.output(output.expression)) for output in model.outputs])
    needed = _needed(fuser.assignments, [s for _, s in outputs])
    inputs = tuple(symbol(name) for name in model.inputs if symbol(name) in needed)
    return Program(inputs, tuple(a for a in fuser.assignments if a.symbol in needed), tuple(outputs))


def _needed(assignments: list[Assignment], outputs: list[sympy.Symbol]) -> set[sympy.Symbol]:
    needed = set(outputs)
    for assignment in reversed(assignments):
        if assignment.symbol in needed:
            needed |= assignment.expression.free_symbols
    return needed


class _Fuser:
    def __init__(self, inputs: Iterable[str], narrow: Iterable[str], early: bool) -> None:
        self.early = early  # the shortest path first, else what can be shared
        self.inputs = {symbol(name) for name in inputs}
        self.narrow = {symbol(name) for name in narrow}
        self.assignments: list[Assignment] = []
        self._known: dict[sympy.Expr, sympy.Symbol] = {}
        self._meaning: dict[sympy.Symbol, sympy.Expr] = {}
        self._regions: dict[sympy.Expr, sympy.Expr] = {}
        self._linear: dict[sympy.Symbol, sympy.Expr] = {}
        self._depths: dict[sympy.Symbol, int] = {}
        self._apart: set[sympy.Symbol] = set()  # shared sums, which stay what they are: they become no turns

    def output(self, expression: sympy.Expr) -> sympy.Symbol:
        """The symbol of a whole formula."""
        region = self.region(expression)
        return self._assign(region) if region in self.inputs else self.close(region)

    def own_outputs(self, outputs: list[tuple[str, sympy.Symbol]]) -> list[tuple[str, sympy.Symbol]]:
        """Give an output whose value is also used elsewhere an assignment of its own: it may have its own word."""
        needed = _needed(self.assignments, [s for _, s in outputs])
        inner = set().union(*(a.expression.free_symbols for a in self.assignments if a.symbol in needed))
        result, taken = [], set()
        for name, held in outputs:
            own = self._alias(held) if held in inner or held in taken else held
            taken.add(own)
            result.append((name, own))
        return result

    def _alias(self, held: sympy.Symbol) -> sympy.Symbol:
        alias = sympy.Symbol(f"o{len(self.assignments)}", real=True)
        text = short_text(held.xreplace(self._meaning))
        self.assignments.append(Assignment(alias, held, Kind.LINEAR, text))
        return alias

    def share(self, name: sympy.Symbol, expression: sympy.Expr) -> None:
        """From here on the symbol stands for the expression."""
        region = self.region(expression)
        self._regions[name] = place = self.close(region) if region.free_symbols else region
        self._apart |= {place} & self._linear.keys()

    # Opening regions.

    def region(self, expression: sympy.Expr) -> sympy.Expr:
        """The expression over at most one symbol."""
        if expression not in self._regions:
            self._regions[expression] = self._region(expression)
        return self._regions[expression]

    def _region(self, expression: sympy.Expr) -> sympy.Expr:
        if expression.is_Symbol or not expression.free_symbols:
            return expression
        if isinstance(expression, sympy.Piecewise | sympy.Derivative | sympy.Integral):
            raise UnsupportedError(f"'{type(expression).__name__}' in '{expression}' has no hardware; {_WHAT_CAN}")
        if isinstance(expression, sympy.Pow):
            return self._power(expression)
        if isinstance(expression, sympy.Add) and self.early:
            expression = opened(expression)
        parts = [self.region(arg) for arg in expression.args]
        atoms: set[sympy.Symbol] = set().union(*(part.free_symbols for part in parts))
        if isinstance(expression, sympy.Add):
            return self._sum(parts) if len(atoms) > 1 else sympy.Add(*parts)
        if isinstance(expression, sympy.Mul):
            return self._product(parts) if len(atoms) > 1 else sympy.Mul(*parts)
        if isinstance(expression, _NATIVE) and not (len(atoms) == 1 and atoms <= self.narrow):
            return self._native(expression, parts) if atoms else expression.func(*parts)
        if len(atoms) > 1:
            name = expression.func.__name__
            raise UnsupportedError(f"'{name}' of several variables in '{expression}' has no hardware yet; {_WHAT_CAN}")
        return expression.func(*parts)

    def _power(self, expression: sympy.Pow) -> sympy.Expr:
        base, exponent = self.region(expression.base), self.region(expression.exp)
        if len(base.free_symbols | exponent.free_symbols) <= 1:
            return sympy.Pow(base, exponent)
        # x^y = exp(y log x); a base that can be negative fails later, in the analysis of the logarithm
        return sympy.exp(self._product([exponent, sympy.log(base)]))

    def _sum(self, parts: list[sympy.Expr]) -> sympy.Expr:
        total: list[sympy.Expr] = []
        for atom, group in _by_atom(parts):
            part = sympy.Add(*group)
            if atom is None or linear_terms(part) is not None:
                total.append(part)
            else:
                scale, rest = part.as_coeff_Mul()
                if self.early and rest not in self._known:  # else its table serves both
                    scale, (rest,) = _folded(scale, [rest])
                total.append(scale * self.close(rest))
        terms, constant = linear_terms(sympy.Add(*total)) or ({}, sympy.Integer(0))
        if not terms:
            return constant
        scale = _content(list(terms.values()))
        core = sympy.Add(*(k / scale * s for s, k in terms.items()))
        return scale * self._assign(core) + constant

    def _product(self, parts: list[sympy.Expr]) -> sympy.Expr:
        scale: sympy.Expr = sympy.Integer(1)
        rests: list[sympy.Expr] = []
        for atom, group in _by_atom(parts):
            part = sympy.Mul(*group)
            if atom is None:
                scale *= part
                continue
            constant, rest = _strip(part, atom)
            scale *= constant
            rests.append(rest)
        if self.early:
            scale, rests = _folded(scale, rests)
        factors = sorted((self.close(rest) for rest in rests), key=lambda s: s.name)
        while len(factors) > 1:
            if self.early:  # what is ready first is multiplied first
                factors.sort(key=lambda s: (self._depths.get(s, 0), s.name))
                factors = [self._assign(sympy.Mul(*factors[:2])), *factors[2:]]
            else:
                pairs = [factors[i : i + 2] for i in range(0, len(factors), 2)]
                factors = [self._assign(sympy.Mul(*pair)) if len(pair) == 2 else pair[0] for pair in pairs]
        return scale * factors[0]

    # Kinks and jumps over wide symbols.

    def _native(self, expression: sympy.Expr, parts: list[sympy.Expr]) -> sympy.Expr:
        match expression:
            case sympy.Abs():
                return self._assign(sympy.Abs(self.close(parts[0])))
            case sympy.Max() | sympy.Min():
                return reduce(lambda a, b: self._pair(expression.func, a, b), parts)
            case sympy.sign():
                return self._sum([self._less(sympy.S.Zero, parts[0]), -self._less(parts[0], sympy.S.Zero)])
            case sympy.floor():
                return self._floor(parts[0])
            case sympy.ceiling():
                return -self._floor(-parts[0])
            case ops.RoundHalfEven():
                return self._round_half_even(parts[0])
            case ops.Less():
                return self._less(*parts)
            case ops.Greater():
                return self._less(parts[1], parts[0])
            case ops.LessEqual():
                return 1 - self._less(parts[1], parts[0])
            case ops.GreaterEqual():
                return 1 - self._less(*parts)
            case ops.Equal():
                return self._sum([sympy.S.One, -self._less(*parts), -self._less(parts[1], parts[0])])
            case ops.Cond():
                return self._select(self._less(sympy.S.Zero, parts[0]), parts[1], sympy.S.Zero)
            case ops.Select():
                return self._select(self._less(sympy.S.Zero, parts[0]), parts[1], parts[2])
            case ops.LogicalOr():
                positive = [self._less(sympy.S.Zero, part) for part in parts]
                return self._select(positive[0], sympy.S.One, positive[1])
            case ops.LogicalAnd():
                positive = [self._less(sympy.S.Zero, part) for part in parts]
                return self._select(positive[0], positive[1], sympy.S.Zero)
            case ops.Clamp():
                value, low, high = parts
                inner = self._select(self._less(value, low), low, value)
                return self._select(self._less(high, value), high, inner)
            case _:
                return self._floored_mod(expression, parts)

    def _floored_mod(self, expression: sympy.Expr, parts: list[sympy.Expr]) -> sympy.Expr:
        value, modulus = parts
        if modulus.free_symbols:
            raise UnsupportedError(f"the modulus of '{expression}' varies; hardware exists for a constant modulus")
        return self._sum([value, -modulus * self._floor(value / modulus)])

    def _round_half_even(self, part: sympy.Expr) -> sympy.Expr:
        up = self._floor(part + sympy.Rational(1, 2))
        down = -self._floor(sympy.Rational(1, 2) - part)
        even = 2 * self._floor(part / 2 + sympy.Rational(1, 2))
        return self._select(self._less(down, up), even, up)

    def _floor(self, part: sympy.Expr) -> sympy.Expr:
        return self._assign(sympy.floor(self.close(part), evaluate=False))

    def _pair(self, function: type, a: sympy.Expr, b: sympy.Expr) -> sympy.Expr:
        first, second = self.close(a), self.close(b)
        return first if first == second else self._assign(function(first, second))

    def _less(self, a: sympy.Expr, b: sympy.Expr) -> sympy.Expr:
        scale = _whole(a, b)  # 3*x < 10*y is exact in binary, 0.3*x < y is not
        first, second = self.close(scale * a), self.close(scale * b)
        return sympy.S.Zero if first == second else self._assign(ops.Less(first, second))

    def _select(self, condition: sympy.Expr, a: sympy.Expr, b: sympy.Expr) -> sympy.Expr:
        if not condition.free_symbols:
            return a if condition > 0 else b
        first, second = self.close(a), self.close(b)
        return self._assign(ops.Select(self.close(condition), first, second))

    # Closing regions.

    def close(self, region: sympy.Expr) -> sympy.Symbol:
        """The symbol of an assignment, or an input, that holds the region's value."""
        if region.is_Symbol:
            return region
        if linear_terms(region) is not None:
            return self._assign(region)
        (atom,) = region.free_symbols
        if atom in self.narrow:
            return self._assign(region)
        expanded = monomial(region, atom) or horner(region, atom)
        if expanded is not None:
            return self._closed_steps(expanded, atom)
        period = None if atom in self._apart else period_in(region, atom)
        if period is not None:
            return self._periodic(region, atom, period)
        return self._assign(region)

    def _closed_steps(self, steps: list[sympy.Expr], atom: sympy.Symbol) -> sympy.Symbol:
        """Run the steps of `expand`: each is over `atom` and the placeholder of the step before."""
        placeholder = sympy.Symbol("_previous", real=True)
        current = atom
        for step in steps:
            current = self._assign(step.xreplace({placeholder: current}))
        return current

    def _periodic(self, region: sympy.Expr, atom: sympy.Symbol, period: sympy.Expr) -> sympy.Symbol:
        terms, constant = linear_terms(self._inlined(atom)) or ({atom: sympy.Integer(1)}, sympy.Integer(0))
        turns = sympy.Add(*(k / period * s for s, k in terms.items()), constant / period)
        angle = self._assign(Turns(turns, evaluate=False))
        return self._assign(region.xreplace({atom: period * angle}), region.xreplace(self._meaning))

    def _inlined(self, expression: sympy.Expr) -> sympy.Expr:
        """An affine expression with the affine assignments that it uses written out."""
        inner = {s: self._linear[s] for s in expression.free_symbols if s in self._linear}
        if not inner:
            return expression
        terms, constant = linear_terms(expression.xreplace(inner)) or ({}, sympy.S.Zero)
        return sympy.Add(*(k * s for s, k in terms.items()), constant)

    def _assign(self, expression: sympy.Expr, meaning: sympy.Expr | None = None) -> sympy.Symbol:
        if expression.is_Symbol and expression not in self.inputs:
            return expression
        if linear_terms(expression) is not None:
            expression = self._inlined(expression)
            if expression.is_Symbol and expression not in self.inputs:
                return expression
        if expression not in self._known:
            name = sympy.Symbol(f"v{len(self.assignments)}", real=True)
            while name in self.inputs:
                name = sympy.Symbol(f"_{name.name}", real=True)
            meaning = self._meaning[name] = self._written(expression) if meaning is None else meaning
            self._known[expression] = name
            kind = kind_of(expression)
            if kind is Kind.LINEAR and expression.free_symbols:
                self._linear[name] = expression
            self.assignments.append(Assignment(name, expression, kind, short_text(meaning)))
            before = max((self._depths.get(s, 0) for s in expression.free_symbols), default=0)
            self._depths[name] = before + _DEPTH.get(kind, 1)
        return self._known[expression]

    def _written(self, expression: sympy.Expr) -> sympy.Expr:
        """The expression of the inputs. Raises DomainError where a maximum's or minimum's operand is never real."""
        try:
            return expression.xreplace(self._meaning)
        except ValueError:
            parts = [part.xreplace(self._meaning) for part in expression.args]
            unreal = next((part for part in parts if part.is_extended_real is False), expression)
            raise DomainError(f"'{short_text(unreal)}' is not a real number, whatever the inputs are") from None


def _by_atom(parts: list[sympy.Expr]) -> list[tuple[sympy.Symbol | None, list[sympy.Expr]]]:
    groups: dict[sympy.Symbol | None, list[sympy.Expr]] = {}
    for part in parts:
        groups.setdefault(next(iter(part.free_symbols), None), []).append(part)
    return sorted(groups.items(), key=lambda item: item[0].name if item[0] is not None else "")


def _strip(part: sympy.Expr, atom: sympy.Symbol) -> tuple[sympy.Expr, sympy.Expr]:
    """A region as constant · rest, where the constant is not hidden in a sum."""
    constants = [f for f in sympy.Mul.make_args(part) if atom not in f.free_symbols]
    rest = [f for f in sympy.Mul.make_args(part) if atom in f.free_symbols]
    return sympy.Mul(*constants), sympy.Mul(*rest)


def _folded(scale: sympy.Expr, rests: list[sympy.Expr]) -> tuple[sympy.Expr, list[sympy.Expr]]:
    """A product's scale put into the first factor that is a function: there it costs nothing. Its sign stays."""
    sign = sympy.Integer(-1) if scale.could_extract_minus_sign() else sympy.Integer(1)
    size = sign * scale
    if isinstance(size, sympy.Rational) and size.p.bit_count() == 1 and size.q.bit_count() == 1:
        return scale, rests
    for index, rest in enumerate(rests):
        (atom,) = rest.free_symbols
        if linear_terms(rest) is None and not rest.is_polynomial(atom):
            return sign, [*rests[:index], size * rest, *rests[index + 1 :]]
    return scale, rests


def _whole(a: sympy.Expr, b: sympy.Expr) -> sympy.Integer:
    """The factor that makes the constants of two affine regions dyadic; 1 where they are not affine and rational."""
    parts = [linear_terms(region) for region in (a, b)]
    numbers = [k for part in parts if part is not None for k in (*part[0].values(), part[1])]
    if None in parts or not all(isinstance(k, sympy.Rational) for k in numbers):
        return sympy.Integer(1)
    common = reduce(sympy.ilcm, (k.q for k in numbers), 1)
    while common % 2 == 0:
        common //= 2
    return sympy.Integer(common) if common < _LARGEST_SCALE else sympy.Integer(1)


def _content(coefficients: list[sympy.Expr]) -> sympy.Expr:
    """What to pull out of a linear combination so that equal ones up to scale share their hardware.

    The greatest common divisor when that leaves small integers, else the sign of the first coefficient.
    """
    sign = sympy.Integer(-1) if coefficients[0].could_extract_minus_sign() else sympy.Integer(1)
    if all(isinstance(k, sympy.Rational) for k in coefficients):
        divisor = reduce(sympy.gcd, coefficients)
        if divisor != 0 and max(abs(k / divisor) for k in coefficients) <= 1024:
            return sign * abs(divisor)
    return sign
