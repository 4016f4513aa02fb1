"""A formula and operator costs → cycles and area of what the compiler builds of it, by the rules of `objective`.

The walk is bottom-up, as `sr2hls.rewrite.fuse` does it: every converted sub-expression is a region over one atom.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import log2

import sympy

from sr2hls.errors import FormatError
from sr2hls.search.costs import OperatorCosts, cycles_of, figure
from sr2hls.search.spelling import NATIVE, PERIODIC, head_name

SLACK = 1e-9  # of a cycle
_HIGHEST = 8  # degree of a polynomial that is built from products
_FEW = 4  # inputs in a sum that a function is tabulated over
_OTHER = -1  # the degree of what is no such polynomial


@dataclass(frozen=True, slots=True)
class CircuitCost:
    """Clock cycles to the output, not rounded up; LUTs and DSP blocks, registers not counted."""

    cycles: float
    luts: float
    dsps: float


def circuit_cost(expression: sympy.Expr, costs: OperatorCosts) -> CircuitCost:
    """The objective "circuit", with the area of the same circuit.

    Raises FormatError for the costs of a flow that does not fuse, UnsupportedError for an operation without a cost.
    """
    if not costs.fused:
        raise FormatError(f"the costs '{costs.name}' are of single operators; the objective 'circuit' needs a target's")
    walk = _Walk(costs)
    cycles = walk.output(walk.region(expression))
    luts = sum(area[0] for area in walk.area.values())
    return CircuitCost(cycles, luts, sum(area[1] for area in walk.area.values()))


def after(begins: float, cycles: float, count: int = 1) -> float:
    """When `count` equal operations in a row are done, the first of which may begin at `begins` (rule 8)."""
    if cycles > 1.0 or cycles <= 0.0:
        return begins + count * cycles
    time = begins
    for _ in range(count):
        waits = time - int(time) + cycles > 1.0 + SLACK
        time = (int(time) + 1 if waits else time) + cycles
    return time


@dataclass(frozen=True, slots=True)
class _Sum:
    """The operands of a sum: the latest of them, how many terms are plain, how many have a factor."""

    latest: float
    plain: int
    scaled: int


@dataclass(frozen=True, slots=True)
class _Atom:
    """An input, or the value of an inner node; `ready` counts what makes it usable (an input's clamp)."""

    key: sympy.Expr
    ready: float
    input: bool = False
    sum: _Sum | None = None
    product: bool = False


@dataclass(frozen=True, slots=True)
class _Region:
    """An expression over at most one atom.

    degree: of a polynomial, or _OTHER; offset: it is not c·atom^n; factor: multiplied by something else than ± a power
    of two; slowest: cycles of its slowest function, luts and dsps of the same; periodic: it
    depends on the atom through sine, cosine and their like of affine arguments only.
    """

    atom: _Atom | None
    degree: int = 1
    offset: bool = False
    factor: bool = False
    slowest: tuple[float, float, float] = (0.0, 0.0, 0.0)
    periodic: bool = False


class _Walk:
    def __init__(self, costs: OperatorCosts) -> None:
        self.costs = costs
        self.area: dict[object, tuple[float, float]] = {}
        self._regions: dict[sympy.Expr, _Region] = {}
        self._add = cycles_of("+", costs)
        self._mul = cycles_of("*", costs)

    def region(self, expression: sympy.Expr) -> _Region:
        if expression not in self._regions:
            self._regions[expression] = self._region(expression)
        return self._regions[expression]

    def _region(self, expression: sympy.Expr) -> _Region:
        if not expression.free_symbols:
            return _Region(None, degree=0, factor=not _power_of_two(expression))
        if expression.is_Symbol:
            return _Region(_Atom(expression, self.costs.input_cycles, input=True))
        parts = [self.region(argument) for argument in expression.args]
        groups = _by_atom(parts)
        if isinstance(expression, sympy.Add):
            return _added(parts) if len(groups) == 1 else self._sum(expression, parts)
        if isinstance(expression, sympy.Mul):
            return _multiplied(parts) if len(groups) == 1 else self._product(expression, parts)
        if isinstance(expression, sympy.Pow):
            return self._power(expression, *parts)
        name = head_name(type(expression))
        (atom, *others) = groups
        if others or (name in NATIVE and not atom.input):
            return self._native(expression, name, parts)
        return self._function(name, parts)

    def _function(self, name: str, parts: list[_Region]) -> _Region:
        """One more function in a region."""
        figures = (cycles_of(name, self.costs), figure(name, self.costs.luts), figure(name, self.costs.dsps))
        (atom,) = _by_atom(parts)
        varying = [part for part in parts if part.atom is not None]
        affine = name in PERIODIC and all(part.degree == 1 for part in varying)
        periodic = affine or all(part.periodic for part in varying)
        return _Region(atom, _OTHER, slowest=max(figures, *(part.slowest for part in parts)), periodic=periodic)

    def _reciprocal(self, base: _Region) -> _Region:
        costs = self.costs
        whole, product = (
            (cycles_of(name, costs), figure(name, costs.luts), figure(name, costs.dsps)) for name in ("/", "*")
        )
        cycles, luts, dsps = (max(0.0, a - b) for a, b in zip(whole, product, strict=True))
        return _Region(base.atom, _OTHER, slowest=max((cycles, luts, dsps), base.slowest), periodic=base.periodic)

    def _power(self, expression: sympy.Pow, base: _Region, exponent: _Region) -> _Region:
        if base.atom is not None and exponent.atom is None:
            n = expression.exp
            if n.is_Integer and n > 0 and 0 < base.degree * n <= _HIGHEST:
                return replace(base, degree=base.degree * int(n))
            if n.is_Rational and n < 0:
                return self._reciprocal(base if n.is_Integer else self._function("sqrt", [base]))
            return self._function("sqrt" if n.is_Rational else "^", [base])
        if base.atom is None:
            return self._function("exp", [exponent])
        same = exponent.atom is not None and exponent.atom.key == base.atom.key
        return self._function("^", [base]) if same else self._native(expression, "^", [base, exponent])

    def _native(self, expression: sympy.Expr, name: str, parts: list[_Region]) -> _Region:
        """Rule 5: the arguments closed, then the operator; max and min of several in a chain."""
        count = len(parts) - 1 if name in ("max", "min") else 1
        begins = max(self._close(part) for part in parts)
        self._take(("native", expression), count, name)
        return _Region(_Atom(expression, after(begins, cycles_of(name, self.costs), count)))

    def _sum(self, expression: sympy.Expr, parts: list[_Region]) -> _Region:
        """Rule 6: a new atom for the terms; the offset stays outside."""
        latest, plain, scaled, offset = 0.0, 0, 0, False
        for atom, group in _by_atom(parts).items():
            region = _added(group)
            offset = offset or (region.degree == 1 and region.offset)
            if region.degree == 1 and atom.sum is not None:
                count = atom.sum.plain + atom.sum.scaled
                latest = max(latest, atom.sum.latest)
                plain += 0 if region.factor else atom.sum.plain
                scaled += count if region.factor else atom.sum.scaled
                continue
            ready = atom.ready if region.degree == 1 else self._close(replace(region, factor=False))
            self._clamp(region)
            latest = max(latest, ready)
            plain, scaled = (plain, scaled + 1) if region.factor else (plain + 1, scaled)
        offset = offset or any(part.atom is None for part in parts)
        found = _Sum(latest, plain, scaled)
        return _Region(_Atom(expression, self._tree(found, offset=False), sum=found), offset=offset)

    def _tree(self, terms: _Sum, *, offset: bool) -> float:
        return after(terms.latest, self._add, _levels(self._operands(terms, offset=offset)))

    def _operands(self, terms: _Sum, *, offset: bool) -> int:
        return terms.plain + self.costs.constant_digits * terms.scaled + int(offset or terms.scaled > 0)

    def _product(self, expression: sympy.Expr, parts: list[_Region]) -> _Region:
        """Rule 4: a new atom for the product; the constant factor stays outside."""
        factor = any(part.factor for part in parts if part.degree == 0)
        latest, inputs, others = 0.0, 0, 0
        for atom, group in _by_atom(parts).items():
            region = _multiplied(group)
            inside = region.degree == 1 and region.offset  # c·x + d keeps its factor
            factor = factor or (region.factor and not inside)
            latest = max(latest, self._close(region if inside else replace(region, factor=False)))
            narrow = atom.input or self._is_narrow_sum(region)
            inputs, others = inputs + int(narrow), others + int(not narrow)
        ready = self._products(("product", expression), latest, inputs, others)
        return _Region(_Atom(expression, ready, product=True), factor=factor)

    def _products(self, key: object, ready: float, inputs: int, others: int) -> float:
        """A balanced tree of products: pairs of others first, inputs last; an odd one waits for the next level."""
        costs, luts, dsps = self.costs, 0.0, 0.0
        while inputs + others > 1:
            wide, mixed = others // 2, min(others % 2, inputs)
            narrow = mixed + (inputs - mixed) // 2
            luts += wide * figure("*", costs.luts)
            dsps += wide * figure("*", costs.dsps) + narrow * costs.product_dsps
            ready = after(ready, self._mul if wide else costs.product_cycles)
            left = (inputs + others) % 2
            inputs, others = min(left, inputs), wide + narrow + left - min(left, inputs)
        self.area[key] = luts, dsps
        return ready

    def output(self, region: _Region) -> float:
        """When the whole formula is done (rule 7)."""
        atom = region.atom
        if atom is None:
            return 0.0
        affine = region.degree == 1
        if affine and atom.sum is not None:
            return self._close(replace(region, offset=True))
        rounds = (affine and atom.product) or (region.degree > 1 and not self._is_table(region))
        if rounds and not region.factor:
            self._take(("rounding", atom.key), 1, "+")
            return after(self._close(region), self._add)
        return self._close(region)

    def _is_table(self, region: _Region) -> bool:
        atom = region.atom
        return atom is not None and atom.input and not _is_square(region)

    def _close(self, region: _Region) -> float:
        """When the value of a region is there."""
        atom = region.atom
        if atom is None:
            return 0.0
        self._clamp(region)
        if region.degree == 1:
            return self._affine(region, atom)
        time = self._evaluated(region, atom)
        if not self._is_table(region):
            return time
        key = ("table", region)
        if self.costs.table_cycles <= time:
            self.area[key] = (self.costs.table_luts, 0.0)
        return min(time, self.costs.table_cycles)

    def _is_narrow_sum(self, region: _Region) -> bool:
        """Whether the atom is a sum of few inputs, none with a factor."""
        terms = None if region.atom is None else region.atom.sum
        few = terms is not None and terms.scaled == 0 and terms.plain <= _FEW
        return few and terms is not None and terms.latest == self.costs.input_cycles

    def _affine(self, region: _Region, atom: _Atom) -> float:
        terms = atom.sum or _Sum(atom.ready, 1, 0)
        if region.factor:
            terms = _Sum(terms.latest, 0, terms.plain + terms.scaled)
        self._take(("sum", atom.key, region), self._operands(terms, offset=region.offset) - 1, "+")
        return self._tree(terms, offset=region.offset)

    def _evaluated(self, region: _Region, atom: _Atom) -> float:
        """Rule 3, as over an intermediate."""
        n, key = region.degree, ("evaluator", atom.key, region)
        ready = self._affine(_Region(atom), atom)
        table = self._is_table(region)
        if n == _OTHER:
            cycles, luts, dsps = region.slowest
            tabulated = self._is_narrow_sum(region) and not region.periodic
            if tabulated and self.costs.sum_table_cycles < cycles:
                cycles, luts, dsps = self.costs.sum_table_cycles, self.costs.sum_table_luts, 0.0
            if not table:
                self.area[key] = (luts, dsps)
            return after(ready, cycles)
        if _is_square(region) and atom.input:
            return self._products(key, ready, 2, 0)
        products = n - 1 if region.offset else int(log2(n)) + n.bit_count() - 1
        if not table:
            self._take(key, products, "*")
        if region.offset:
            steps = ready
            for _ in range(products):
                steps = after(after(steps, self._add), self._mul)
            return after(steps, self._add)
        done = after(ready, self._mul, products)
        if region.factor:
            return self._tree(_Sum(done, 0, 1), offset=True)
        return done

    def _clamp(self, region: _Region) -> None:
        if region.atom is not None and region.atom.input and not (region.degree != 1 and self._is_table(region)):
            self.area["clamp", region.atom.key] = (self.costs.input_luts, 0.0)

    def _take(self, key: object, count: int, name: str) -> None:
        costs = self.costs
        self.area[key] = count * figure(name, costs.luts), count * figure(name, costs.dsps)


def _is_square(region: _Region) -> bool:
    return region.degree == 2 and not region.offset and not region.factor


def _levels(operands: int) -> int:
    return max(0, operands - 1).bit_length()


def _power_of_two(number: sympy.Expr) -> bool:
    """Whether a factor is ± a power of two, which is wiring."""
    if not number.is_Rational or number == 0:
        return False
    p, q = abs(int(number.p)), int(number.q)
    return p & (p - 1) == 0 and q & (q - 1) == 0


def _by_atom(parts: Iterable[_Region]) -> dict[_Atom, list[_Region]]:
    groups: dict[_Atom, list[_Region]] = {}
    for part in parts:
        if part.atom is not None:
            groups.setdefault(part.atom, []).append(part)
    return groups


def _added(parts: list[_Region]) -> _Region:
    """The sum of regions over one atom, constants among them."""
    varying = [part for part in parts if part.atom is not None]
    offset = len(parts) > len(varying) or any(part.offset for part in varying)
    degrees = [part.degree for part in varying]
    degree = _OTHER if _OTHER in degrees else max(degrees)
    mixed = len(varying) > 1 and degree > 1
    return _Region(
        varying[0].atom,
        degree,
        offset=offset or mixed,
        factor=any(part.factor for part in varying) or (degree == 1 and len(varying) > 1),
        slowest=max(part.slowest for part in varying),
        periodic=all(part.periodic for part in varying),
    )


def _multiplied(parts: list[_Region]) -> _Region:
    """The product of regions over one atom, constants among them."""
    varying = [part for part in parts if part.atom is not None]
    degrees = [part.degree for part in varying]
    degree = _OTHER if _OTHER in degrees or sum(degrees) > _HIGHEST else sum(degrees)
    return _Region(
        varying[0].atom,
        degree,
        offset=any(part.offset for part in varying),
        factor=any(part.factor for part in parts),
        slowest=max(part.slowest for part in varying),
        periodic=all(part.periodic for part in varying),
    )
