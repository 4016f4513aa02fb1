"""A formula and operator costs → the number that a search minimizes: nodes, cycles summed, path, or circuit.

This is the plain reference; an engine may compute the same by faster means.

nodes    leaves and operators of the tree; x - y, x/y, -x and x² are one operator each.
sum      the cycles of all operators: what PySR calls complexity. Leaves cost nothing.
path     the longest chain of operators: cycles of the operator + the largest path of its arguments. A sum or product
         of several terms is built in the order given, one after the other.
circuit  the longest chain of what the compiler builds, which is not operators. The rules:

  1. A *region* is a sub-expression over one *atom*: an input, or the value of an inner node (an intermediate). Sums
     and products are taken with all their nested terms and factors; those over the same atom form one region.
  2. An input is clamped first (input_cycles). Where a region over it is affine, rule 6 follows; its plain square is a
     product of two inputs (rule 4); any other is done at table_cycles, whatever it contains, or by rule 3 after the
     clamp where that is earlier.
  3. A region over an intermediate is done, after the intermediate: where it is affine, by rule 6; a power c·t^n with
     2 <= n <= 8, after floor(log2 n) + (ones of n) - 1 products; another polynomial of degree n <= 8, by Horner, after
     n - 1 times a sum and a product, and a sum; else after one evaluator, with the cycles of its slowest function. 1/t
     is a function of cycles["/"] - cycles["*"], t^-n too. Over a sum of at most 4 inputs, none of them with a factor,
     an evaluator takes no more than sum_table_cycles, unless it is periodic (its argument enters sin, cos, ... of
     affine arguments only; the compiler counts it in turns).
  4. A product of regions over different atoms closes each and pairs them in a balanced tree. *Narrow* factors, which
     fit a DSP block's shorter port, are regions over an input and sums of at most 4 inputs without factors; the others
     are paired first, an odd one waits, and a product is not narrow. A level of the tree takes product_cycles, or
     cycles["*"] where it holds a pair of which neither is narrow; it begins when the latest factor is there. Constant
     factors are left out: they go to the sum, or output, that the product ends in.
  5. x^y of two atoms closes both and takes cycles["^"]; any other operator of several atoms (max, greater, ...) closes
     its arguments and takes its own cycles, max and min of n arguments n - 1 times. So do abs, floor, ... of an
     intermediate. The result is an atom.
  6. A sum over several atoms closes its non-affine terms and is one balanced tree of adders: 1 operand a term,
     constant_digits operands a term whose factor is not ± a power of two, and 1 for an offset, or for the rounding
     where one of the factors makes it needed, or where the sum is an output. After its latest operand it takes
     ceil(log2(operands)) adders. A sum inside a sum, affine, is part of its tree (a factor multiplies all its terms).
  7. The output adds a rounding (one adder) where it is a product, or by rule 6 a multiplication where a factor is left.
  8. Chained operations share a clock cycle only where they fit into what is left of it: one that does not fit waits
     for the next. Operations of more than a cycle are pipelined and begin anywhere.

ceil(circuit) predicts the latency of the compiled circuit with output registers. Common sub-expressions are shared.
"""

from __future__ import annotations

from math import ceil

import sympy

from sr2hls.errors import FormatError
from sr2hls.search.costs import OperatorCosts, cycles_of
from sr2hls.search.fusion import SLACK, circuit_cost
from sr2hls.search.settings import OBJECTIVES
from sr2hls.search.spelling import Tree, tree


def expression_cost(expression: sympy.Expr, costs: OperatorCosts, objective: str) -> float:
    """The cost of a formula; the module says what each objective means.

    Raises FormatError for an unknown objective, or for "circuit" with published costs; UnsupportedError for an
    operation without a cost.
    """
    match objective:
        case "nodes":
            return float(_nodes(tree(expression)))
        case "sum":
            return _total(tree(expression), costs)
        case "path":
            return _path(tree(expression), costs)
        case "circuit":
            return circuit_cost(expression, costs).cycles
        case _:
            raise FormatError(f"'{objective}' is no objective; choose one of {', '.join(OBJECTIVES)}")


def predicted_latency(expression: sympy.Expr, costs: OperatorCosts) -> int:
    """The latency in clock cycles that the objective "circuit" predicts, output registers included."""
    return max(1, ceil(circuit_cost(expression, costs).cycles - SLACK))


def _nodes(node: Tree) -> int:
    return 1 + sum(_nodes(argument) for argument in node.arguments)


def _total(node: Tree, costs: OperatorCosts) -> float:
    own = cycles_of(node.name, costs) if node.arguments else 0.0
    return own + sum(_total(argument, costs) for argument in node.arguments)


def _path(node: Tree, costs: OperatorCosts) -> float:
    if not node.arguments:
        return 0.0
    return cycles_of(node.name, costs) + max(_path(argument, costs) for argument in node.arguments)
