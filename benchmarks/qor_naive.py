"""A formula → a circuit operator by operator, every value in one and the same word: what a plain HLS flow writes down.

Each operator of the formula as it is printed is one node, cut to the uniform word (truncated, wrapped); a quotient is
a reciprocal and a product. No fusion, no rewriting, no word lengths; the evaluators of single functions are this
project's own. The word has the integer bits of the largest value, and the fewest fraction bits with which the
measured error stays within one ulp of the output.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import flint
import numpy as np
import sympy
from numpy.typing import NDArray
from qor_formulas import Case

from sr2hls.analyze.ranges import Analysis, analyze
from sr2hls.circuit import Circuit, Node, Op, Overflow, Rounding
from sr2hls.design import Certificate, Design
from sr2hls.formats import Format
from sr2hls.interpret import interpret
from sr2hls.lower import Words, lower
from sr2hls.model import symbol
from sr2hls.program import Assignment, Program, kind_of
from sr2hls.quantize.domains import domains_of
from sr2hls.schedule import schedule
from sr2hls.targets import load_target

_WIDEST = 40  # bits of the uniform word, at most


@dataclass
class _Walk:
    steps: list[Assignment] = field(default_factory=list)
    known: dict[sympy.Expr, sympy.Symbol] = field(default_factory=dict)

    def assign(self, e: sympy.Expr) -> sympy.Symbol:
        if e not in self.known:
            name = sympy.Symbol(f"n{len(self.steps)}", real=True)
            self.known[e] = name
            self.steps.append(Assignment(name, e, kind_of(e), str(e)))
        return self.known[e]

    def value(self, e: sympy.Expr) -> sympy.Expr:
        """A symbol that holds e, or e itself where it is constant."""
        if e.is_Symbol or not e.free_symbols:
            return e
        if isinstance(e, sympy.Add | sympy.Mul):
            total = self.value(e.args[0])
            for arg in e.args[1:]:
                both = e.func(total, self.value(arg))
                total = self.assign(both) if both.free_symbols else both
            return total
        if isinstance(e, sympy.Pow) and e.exp.is_Integer:
            base = self.value(e.base)
            power = base
            for _ in range(abs(int(e.exp)) - 1):
                power = self.assign(power * base)
            return power if e.exp > 0 else self.assign(1 / power)
        return self.assign(e.func(*(self.value(arg) for arg in e.args)))


def uniform_design(
    case: Case, columns: dict[str, NDArray[np.float64]], wanted: NDArray[np.float64], clock_ns: float, target_name: str
) -> tuple[Design, str]:
    """The design and its uniform word."""
    target = load_target(target_name)
    walk = _Walk()
    last = walk.value(case.model.outputs[0].expression)
    name = case.model.outputs[0].name
    program = Program(tuple(symbol(n) for n in case.model.inputs), tuple(walk.steps), ((name, last),))
    codes = {n: np.round(v / float(case.inputs[n].ulp)).astype(np.int64) for n, v in columns.items()}
    with flint.ctx.workprec(64):
        analysis = analyze(program, domains_of(case.model, case.inputs, case.limits))
        size = max(float(r.magnitude) for r in analysis.ranges.values())
        integer = math.ceil(math.log2(size * 1.001)) + 1
        for fraction in range(case.output.fraction + 1, _WIDEST - integer):
            word = Format(True, integer + fraction, fraction)
            circuit = _lowered(case, program, analysis, word, name, target)
            found = interpret(circuit, codes)[name] * case.ulp
            if np.abs(found - wanted).max() <= case.ulp:
                break
    plan = schedule(circuit, target, clock_ns, register_inputs=True, register_outputs=True)
    nothing = Certificate(outputs=(), nodes=(), domain=())
    design = Design("naive", circuit, plan.cycles, plan.stages, True, True, clock_ns, target, nothing, {})
    return design, str(word)


def _lowered(case: Case, program: Program, analysis: Analysis, word: Format, name: str, target: object) -> Circuit:
    lowered = lower(program, analysis, Words(), {name: word}, frozenset(), target, word)
    circuit, out = lowered.circuit, case.output
    ((_, last),) = circuit.outputs
    rounded = Node(
        Op.CAST, (last,), out, out.least, out.greatest, rounding=Rounding.HALF_UP, overflow=Overflow.SATURATE
    )
    return Circuit((*circuit.nodes, rounded), ((name, len(circuit.nodes)),), circuit.tables)
