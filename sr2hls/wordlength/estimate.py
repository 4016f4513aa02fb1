"""A program before any word is chosen → roughly its area: good enough to say which equal form to lower first."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

import sympy

from sr2hls.analyze.ranges import Analysis
from sr2hls.builder import CircuitBuilder
from sr2hls.formats import Format
from sr2hls.functions import dsp_luts
from sr2hls.program import Assignment, Kind, Program, linear_terms
from sr2hls.quantize.budget import local_budgets
from sr2hls.targets import Target

_WIDEST = 31  # bits: two such words still have a product; beyond, an estimate is no use


def estimated_area(
    program: Program, analysis: Analysis, outputs: Mapping[str, Format], targets: Mapping[str, float], target: Target
) -> float:
    """LUTs, hard multipliers counted as LUTs, of the words that equal shares of the error lead to.

    Args:
        outputs, targets: the word and the largest error of each output, by output name.
    """
    room = {symbol.name: targets[name] / 2 for name, symbol in program.outputs}
    budgets = local_budgets(program, analysis, room)
    fractions = {name: math.ceil(-math.log2(budget)) for name, budget in budgets.items()}
    fractions |= {symbol.name: outputs[name].fraction for name, symbol in program.outputs}
    widths = {symbol.name: analysis.domains[symbol.name].format.width for symbol in program.inputs}
    for step in program.assignments:
        name = step.symbol.name
        size = max(float(analysis.ranges[name].magnitude), 2.0**-60)
        widths[name] = min(_WIDEST, max(1, fractions.get(name, 16) + math.floor(math.log2(size)) + 2))
    return sum(_area(step, widths, target) for step in program.assignments)


def _area(step: Assignment, widths: Mapping[str, int], target: Target) -> float:
    width = widths[step.symbol.name]
    operands = sorted(step.expression.free_symbols, key=lambda s: s.name)
    match step.kind:
        case Kind.PRODUCT:
            a, b = operands[0], operands[-1]
            return _product(widths[a.name], widths[b.name], a == b, target)
        case Kind.FUNCTION:
            argument = widths[operands[0].name]
            table = width * 2.0 ** max(0, argument - target.lut_inputs) * 0.6
            by_pieces = 100.0 + 12.0 * width + _product(min(width, argument), width, False, target)
            return min(table, by_pieces)
        case Kind.LINEAR | Kind.TURNS:
            terms, _ = linear_terms(step.expression if step.kind is Kind.LINEAR else step.expression.args[0]) or ({}, 0)
            digits = sum(1 if _power_of_two(k) else width / 4 for k in terms.values())
            return max(0.0, digits - 1) * width
        case _:
            return 1.5 * width


def _power_of_two(k: sympy.Expr) -> bool:
    return isinstance(k, sympy.Rational) and all(n & (n - 1) == 0 for n in (abs(int(k.p)), int(k.q)))


def _product(a: int, b: int, square: bool, target: Target) -> float:
    return _multiplier(min(a, b), max(a, b), square, target.name, target)


@lru_cache(maxsize=4096)
def _multiplier(a: int, b: int, square: bool, name: str, target: Target) -> float:
    builder = CircuitBuilder()
    first = builder.input("a", Format(True, a, 0))
    second = first if square else builder.input("b", Format(True, b, 0))
    circuit = builder.build([("y", builder.mul(first, second))])
    area = target.area(circuit, circuit.outputs[0][1])
    return area.lut + area.dsp * dsp_luts(target)
