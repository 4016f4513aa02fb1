"""Formulas + rules → the equal form whose circuit is cheapest, by the bill of its first lowering.

Best first: forms are reached by one rule at a time, those of the least estimated area first; the most promising ones
are lowered, and their bills compared as the descent compares them. No form is taken that has more cycles or hard
multipliers than the formulas as written (unless limits say what counts), that is undefined anywhere on the ranges at
hand, or that does not agree with them at random points.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, replace

import sympy

from sr2hls.analyze.boxes import Cut
from sr2hls.analyze.cells import Univariate
from sr2hls.analyze.identity import agree
from sr2hls.analyze.ranges import Analysis, Domain, analyze, functions_of
from sr2hls.analyze.subdivide import on_cuts
from sr2hls.errors import DomainError, Sr2hlsError, UnsupportedError
from sr2hls.model import SymbolicModel
from sr2hls.program import Kind, Program
from sr2hls.rewrite.form import Form, Rewrite, form_of
from sr2hls.rewrite.fuse import fuse
from sr2hls.rewrite.rules import neighbors
from sr2hls.targets import Target
from sr2hls.wordlength.aim import Aim
from sr2hls.wordlength.bench import Bench
from sr2hls.wordlength.descent import first_found
from sr2hls.wordlength.estimate import estimated_area
from sr2hls.wordlength.ladder import Rung
from sr2hls.wordlength.limits import Limits
from sr2hls.wordlength.price import Timing

_DEEPEST = 4  # rules one after the other
_STEPS = 1.6  # times the weight of the steps as written: more are not even analyzed
_WEIGHTS = {Kind.PRODUCT: 1.0, Kind.FUNCTION: 3.0, Kind.LINEAR: 0.2}
_OF_INPUT = 1.5  # a function whose argument is enumerated
_LEAST_GAIN = 0.02  # of the price: less may be lost again when words are chosen


@dataclass(frozen=True, slots=True)
class Patience:
    """How many forms are fused, and how much may be lowered: in lowerings, as in `descent.Effort`.

    hopeless: forms whose estimate is so many times that of the formulas as written are not lowered; rare: whether
    the rules that are seldom worth it are tried.
    """

    forms: int
    work: float
    hopeless: float = 1.0
    rare: bool = False


PATIENCE = {"low": Patience(0, 0.0), "normal": Patience(24, 20.0), "high": Patience(500, 1000.0, 1.5, True)}


@dataclass(frozen=True, slots=True)
class Chosen:
    """The program to compile, its analysis and bench, and the rules that led to it (none: the formulas as written)."""

    program: Program
    analysis: Analysis
    bench: Bench
    steps: tuple[Rewrite, ...] = ()


@dataclass(frozen=True, slots=True)
class _Candidate:
    form: Form
    program: Program
    analysis: Analysis
    estimate: float


class _Forms:
    """The forms reached so far, by their fused programs."""

    def __init__(self, model: SymbolicModel, domains: Mapping[str, Domain], rung: Rung, target: Target) -> None:
        self.model, self.domains, self.rung, self.target = model, domains, rung, target
        self.narrow = [domain.name for domain in domains.values() if domain.narrow]
        self.tried = 0
        self.most_steps = math.inf
        self._known: set[object] = set()
        self._cuts: tuple[Cut, ...] = ()
        self._inputs: tuple[sympy.Symbol, ...] = ()
        self._functions: dict[sympy.Expr, Univariate] = {}

    def candidate(self, form: Form) -> _Candidate | None:
        """None where it was seen before, has no hardware, or is undefined somewhere on the ranges."""
        self.tried += 1
        try:
            program = fuse(form.model(self.model), self.narrow, form.shared)
        except (Sr2hlsError, RecursionError):
            return None
        key = _meaning(program)
        if key in self._known or self._weight(program) > self.most_steps:
            return None
        self._known.add(key)
        try:
            return self._estimated(form, program, self._analyzed(program))
        except (Sr2hlsError, ArithmeticError, ValueError):
            return None

    def first(self, form: Form, program: Program, analysis: Analysis) -> _Candidate:
        self._known.add(_meaning(program))
        self.most_steps = _STEPS * self._weight(program) + 1.0
        for step in program.assignments:
            if step.kind is Kind.FUNCTION and step.symbol.name not in analysis.cells:
                function = copy(analysis.functions[step.symbol.name])
                function.tables = dict(function.tables)  # what the forms plan is no concern of the formulas as written
                self._functions[step.expression] = function
        if analysis.partition is not None:
            self._cuts, self._inputs = analysis.partition.cuts, program.inputs
            analysis = self._analyzed(program)
        return self._estimated(form, program, analysis)

    def in_boxes(self, candidate: _Candidate) -> Analysis:
        """The candidate's analysis on the boxes of the formulas as written, where these have some."""
        program, analysis = candidate.program, candidate.analysis
        if not self._cuts or analysis.partition is not None:
            return analysis
        return on_cuts(program, self.domains, self._cuts, analysis.functions, analysis)

    def _analyzed(self, program: Program) -> Analysis:
        """In one box: enough to order forms by; on boxes only where one will not do."""
        functions = functions_of(program, self._functions)
        if self._cuts and set(program.inputs) != set(self._inputs):
            raise UnsupportedError("the boxes belong to other inputs")
        try:
            return analyze(program, self.domains, functions=functions)
        except (DomainError, UnsupportedError):
            if not self._cuts:
                raise
            return on_cuts(program, self.domains, self._cuts, functions)

    def _weight(self, program: Program) -> float:
        narrow = {symbol for symbol in program.inputs if self.domains[symbol.name].narrow}
        return sum(
            _OF_INPUT if a.kind is Kind.FUNCTION and a.expression.free_symbols <= narrow else _WEIGHTS.get(a.kind, 0.5)
            for a in program.assignments
        )

    def _estimated(self, form: Form, program: Program, analysis: Analysis) -> _Candidate:
        area = estimated_area(program, analysis, self.rung.outputs, self.rung.targets, self.target)
        return _Candidate(form, program, analysis, area)


def _meaning(program: Program) -> frozenset[object]:
    """What a program computes, step by step, whatever the order and the names."""
    whole: dict[sympy.Symbol, sympy.Expr] = {}
    for step in program.assignments:
        whole[step.symbol] = step.expression.xreplace(whole)
    kinds = [(step.kind, whole[step.symbol]) for step in program.assignments]
    return frozenset([*kinds, *((name, whole[symbol]) for name, symbol in program.outputs)])


def cheapest_form(
    model: SymbolicModel,
    domains: Mapping[str, Domain],
    program: Program,
    analysis: Analysis,
    rung: Rung,
    target: Target,
    timing: Timing,
    limits: Limits,
    patience: Patience,
    tabled: bool = False,
) -> Chosen:
    """The form to compile. `program` and `analysis` are those of the formulas as written, defined on their ranges.

    tabled: as `Bench` has it.

    Raises FormatError where the formulas as written have no circuit within the error.
    """
    start = Bench(program, analysis, rung.outputs, rung.targets, target, timing, tabled)
    written = Chosen(program, analysis, start)
    if patience.forms <= 0:
        return written
    bill = first_found(start, limits).bill
    forms = _Forms(model, domains, rung, target)
    first = forms.first(form_of(model), program, analysis)
    found = _reached(forms, first, patience)
    aim = Aim(_kept(limits, bill.latency, math.ceil(bill.dsp)), bill)
    best, ahead, price, work = written, bill, aim.price(bill), 0.0
    for candidate in sorted(found, key=lambda c: c.estimate):
        if work >= patience.work or candidate.estimate > patience.hopeless * first.estimate:
            break
        work += len(candidate.program.assignments) / 8
        try:
            analysis = forms.in_boxes(candidate)
            bench = Bench(candidate.program, analysis, rung.outputs, rung.targets, target, timing, tabled)
            bill = first_found(bench, limits).bill
        except Sr2hlsError:
            continue
        work += bench.planned()
        little = limits.excess(ahead) == 0.0 and aim.price(bill) > price * (1 - _LEAST_GAIN)
        if aim.better(bill, ahead) and not little and _confirmed(candidate.form, model, domains):
            best = Chosen(candidate.program, analysis, bench, candidate.form.steps)
            ahead, price = bill, aim.price(bill)
    return best


def _kept(limits: Limits, latency: int, dsp: int) -> Limits:
    """The limits; where none are given, what the formulas as written take."""
    if limits.latency is None:
        limits = replace(limits, latency=latency)
    return replace(limits, dsp=dsp) if limits.dsp is None and limits.luts is None else limits


def _reached(forms: _Forms, first: _Candidate, patience: Patience) -> list[_Candidate]:
    """Forms, the neighbors of the least estimated area first."""
    found: list[_Candidate] = []
    heap = [(first.estimate, 0, first)]
    while heap:
        _, _, at = heapq.heappop(heap)
        if len(at.form.steps) >= _DEEPEST:
            continue
        for form in neighbors(at.form, rare=patience.rare):
            if forms.tried >= patience.forms:
                return found
            candidate = forms.candidate(form)
            if candidate is not None:
                found.append(candidate)
                heapq.heappush(heap, (candidate.estimate, len(found), candidate))
    return found


def _confirmed(form: Form, model: SymbolicModel, domains: Mapping[str, Domain]) -> bool:
    """Every applied rule, and the whole, by Arb on the inputs' domains."""
    pairs = [(step.before, step.after) for step in form.steps]
    pairs += [(o.expression, form.over_inputs(e)) for o, e in zip(model.outputs, form.outputs, strict=True)]
    return all(agree(before, after, domains, seed) for seed, (before, after) in enumerate(pairs))
