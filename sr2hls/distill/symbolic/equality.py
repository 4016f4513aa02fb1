"""A found law and the true one → are they the same formula? Symbolically, constant by constant; never by values alone.

Two formulas are the same here if, written as quotients of expanded polynomials (`canonical`), they have the same terms,
and each coefficient is within a tolerance (5 %) of the true one, relative to it; functions in them must be the same
with arguments that are the same in this sense. A term that the other formula has not is a difference, however small its
coefficient. Where both have the same shape already, factors and all, the constants are compared as they stand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import sympy

from sr2hls.distill.law import Law, sum_symbol
from sr2hls.distill.symbolic.canonical import INDICATOR, Above, atoms_of, prepared, terms
from sr2hls.distill.symbolic.constants import template
from sr2hls.model import symbol

TOLERANCE = 0.05
_M_I, _Q_I = symbol("m_i"), symbol("q_i")
GAUGES: Mapping[str, sympy.Expr] = {"F": sympy.S.One, "F/m_i": 1 / _M_I, "q_i F": _Q_I, "q_i F/m_i": _Q_I / _M_I}


@dataclass(frozen=True, slots=True)
class Constant:
    """One number of the true formula and its counterpart. term: what it stands with."""

    term: str
    found: float
    true: float

    @property
    def error(self) -> float:
        """Relative to the true value."""
        return abs(self.found - self.true) / abs(self.true)


@dataclass(frozen=True, slots=True)
class Verdict:
    """equal; why: in a line what differs, or how it was compared; constants: all that were compared; gauge: the factor
    of receiver variables in which the messages agree."""

    equal: bool
    why: str
    constants: tuple[Constant, ...] = ()
    gauge: str = "F"

    @property
    def error(self) -> float:
        """The largest relative error of a constant; 0 without constants."""
        return max((constant.error for constant in self.constants), default=0.0)


def same(found: sympy.Expr, true: sympy.Expr, *, tolerance: float = TOLERANCE, signs: Sequence[str] = ()) -> Verdict:
    """Whether two formulas are the same; see the module.

    signs: variables that are 1 or -1 everywhere, so that q_j/q_i is q_i*q_j.
    """
    left, right = prepared(found, signs), prepared(true, signs)
    straight = _by_shape(left, right, tolerance)
    if straight is not None and straight.equal:
        return straight
    constants: list[Constant] = []
    matched = _atoms_matched(left, right, tolerance, signs)
    if isinstance(matched, Verdict):
        return matched
    left, right, inner = matched
    constants += inner
    return _by_terms(left, right, tolerance, signs, constants)


def same_edge(
    found: Sequence[sympy.Expr],
    true: Sequence[sympy.Expr],
    *,
    tolerance: float = TOLERANCE,
    signs: Sequence[str] = (),
    gauges: Mapping[str, sympy.Expr] = GAUGES,
    softening: float = 0.0,
) -> Verdict:
    """Whether messages are the true force, up to one factor of receiver variables for all components.

    A message is only defined up to such a factor, which the node function can undo. softening: where it is above 0, r
    and |x_i - x_j| = r - softening count as one: on data of bodies farther apart they cannot be told from each other.
    """
    if len(found) != len(true):
        return Verdict(False, f"{len(found)} components, not {len(true)}")
    first = None
    for name, factor in gauges.items():
        verdict = _all(found, [factor * force for force in true], tolerance, signs, softening)
        if verdict.equal:
            return replace(verdict, gauge=name)
        first = first or verdict
    return first or Verdict(False, "no gauge was given")


def same_law(found: Law, true: Law, *, tolerance: float = TOLERANCE, signs: Sequence[str] = ()) -> Verdict:
    """Whether two laws give the same accelerations: per pair of bodies, and what a body does on its own.

    Edge and node function are composed, so that no gauge is left. The node functions must be linear in the sums.
    """
    if found.dimension != true.dimension:
        return Verdict(False, f"{found.dimension} dimensions, not {true.dimension}")
    parts = [pair_and_own(found), pair_and_own(true)]
    if None in parts:
        return Verdict(False, "a node function is not linear in the summed messages")
    (pair, own), (true_pair, true_own) = (part for part in parts if part is not None)
    verdict = _all([*pair, *own], [*true_pair, *true_own], tolerance, signs, true.softening)
    return replace(verdict, gauge="")


def pair_and_own(law: Law) -> tuple[tuple[sympy.Expr, ...], tuple[sympy.Expr, ...]] | None:
    """What one sender adds to the receiver's acceleration, and the rest, per axis; None for a node function that is
    not linear in the sums."""
    sums = [sum_symbol(k + 1) for k in range(len(law.edge))]
    pair, own = [], []
    for node in law.node:
        slopes = [sympy.diff(node, total) for total in sums]
        if any(slope.has(total) for slope in slopes for total in sums):
            if any(sympy.simplify(sympy.diff(slope, total)) != 0 for slope in slopes for total in sums):
                return None
            slopes = [sympy.simplify(slope) for slope in slopes]
        pair.append(sympy.Add(*(slope * edge for slope, edge in zip(slopes, law.edge, strict=True))))
        own.append(node.subs(dict.fromkeys(sums, 0)))
    return tuple(pair), tuple(own)


def _all(
    found: Sequence[sympy.Expr], true: Sequence[sympy.Expr], tolerance: float, signs: Sequence[str], softening: float
) -> Verdict:
    constants: list[Constant] = []
    for left, right in zip(found, true, strict=True):
        verdict = same(left, right, tolerance=tolerance, signs=signs)
        if not verdict.equal and softening:
            here = same(_hard(left, softening), _hard(right, softening), tolerance=tolerance, signs=signs)
            verdict = replace(here, why=f"{here.why}, with r for |x_i - x_j|") if here.equal else verdict
        if not verdict.equal:
            return verdict
        constants += verdict.constants
    return Verdict(True, verdict.why, tuple(dict.fromkeys(constants)))


def _hard(node: sympy.Expr, softening: float) -> sympy.Expr:
    """With r in the place of r - softening."""
    r = symbol("r")
    if node.is_Add and (node - r + sympy.Rational(str(softening))) == 0:
        return r
    return node.func(*(_hard(a, softening) for a in node.args)) if node.args else node


def _by_shape(left: sympy.Expr, right: sympy.Expr, tolerance: float) -> Verdict | None:
    """Constant by constant, where the formulas differ in nothing else; None where they do."""
    ours, theirs = template([left], scales=True), template([right], scales=True)
    if ours.expressions != theirs.expressions or 0.0 in theirs.values:
        return None
    pairs = zip(ours.names, ours.values, theirs.values, strict=True)
    return _judged([Constant(name, a, b) for name, a, b in pairs], tolerance, "the same shape")


def _judged(constants: Sequence[Constant], tolerance: float, how: str) -> Verdict:
    worst = max(constants, key=lambda c: c.error, default=None)
    if worst is not None and worst.error > tolerance:
        line = f"the factor of {worst.term} is {worst.found:.5g}, not {worst.true:.5g} ({worst.error:.1%})"
        return Verdict(False, line, tuple(constants))
    return Verdict(True, how, tuple(constants))


def _atoms_matched(
    left: sympy.Expr, right: sympy.Expr, tolerance: float, signs: Sequence[str]
) -> tuple[sympy.Expr, sympy.Expr, list[Constant]] | Verdict:
    """Functions of the same arguments replaced by one symbol in both; or what has no counterpart."""
    ours, theirs = atoms_of(left), atoms_of(right)
    constants: list[Constant] = []
    for place, true in enumerate(theirs):
        for atom in ours:
            inner = _same_atom(atom, true, tolerance, signs)
            if inner is not None:
                break
        else:
            return Verdict(False, f"{true} does not occur")
        ours.remove(atom)
        constants += inner
        mark = sympy.Symbol(f"{INDICATOR if isinstance(true, Above) else 'atom_'}{place}", real=True)
        left, right = left.xreplace({atom: mark}), right.xreplace({true: mark})
    if ours:
        return Verdict(False, f"{ours[0]} occurs, but not in the true formula")
    return left, right, constants


def _same_atom(
    atom: sympy.Expr, true: sympy.Expr, tolerance: float, signs: Sequence[str]
) -> tuple[Constant, ...] | None:
    if atom.func is not true.func or len(atom.args) != len(true.args):
        return None
    constants: list[Constant] = []
    for a, b in zip(atom.args, true.args, strict=True):
        verdict = same(a, b, tolerance=tolerance, signs=signs)
        if not verdict.equal:
            return None
        constants += verdict.constants
    return tuple(constants)


def _by_terms(
    left: sympy.Expr, right: sympy.Expr, tolerance: float, signs: Sequence[str], before: Sequence[Constant]
) -> Verdict:
    ours, theirs = terms(left, signs), terms(right, signs)
    for mine, true in ((ours.bottom, theirs.bottom), (ours.top, theirs.top)):
        if more := [body for body in mine if body not in true]:
            return Verdict(False, f"the term {more[0]} (factor {float(mine[more[0]]):.3g}) is not in the true formula")
        if less := [body for body in true if body not in mine]:
            return Verdict(
                False, f"the term {less[0]} (factor {float(true[less[0]]):.3g}) of the true formula is missing"
            )
    anchor = next(iter(theirs.bottom))
    scale = theirs.bottom[anchor] / ours.bottom[anchor]
    constants = [
        Constant(f"{body}{where}", float(mine[body] * scale), float(true[body]))
        for mine, true, where in ((ours.top, theirs.top, ""), (ours.bottom, theirs.bottom, " in the denominator"))
        for body in true
        if (where, body) != (" in the denominator", anchor)
    ]
    return _judged([*before, *constants], tolerance, "the same terms")
