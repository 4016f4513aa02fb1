"""A formula and operator costs → the number that a search minimizes: nodes, cycles summed, path, or circuit.

This is the plain reference; an engine may compute the same by faster means.

nodes    leaves and operators of the tree; x - y, x/y, -x and x² are one operator each.
sum      the cycles of all operators: what PySR calls complexity. Leaves cost nothing.
path     the longest chain of operators: cycles of the operator + the largest path of its arguments. A sum or product
         of several terms is built in the order given, one after the other.
circuit  the longest chain of what the compiler builds, which is not operators. The rules:

  1. A *region* is a sub-expression over one *atom*: an input, or the value of an inner node (an intermediate). Sums
     and products are taken with all their nested terms and factors; those over the same atom form one region.
  2. An input is clamped first (input_cycles). Affine, it is just that, and a sum (rule 6) where it has a factor or an
     offset. x² is one product of the clamped input. Any other region over an input is done at table_cycles, whatever
     it contains, or as over an intermediate where that is earlier (tables of wide inputs).
  3. A region over an intermediate is done, after the intermediate: where it is affine, by rule 6; a power c·t^n with
     2 <= n <= 8, by binary powering (floor(log2 n) + the ones of n - 1 products); another polynomial of degree n <= 8,
     by Horner (n - 1 products, n sums); else by one evaluator, with the cycles of its slowest function. 1/t takes
     cycles["/"] - cycles["*"].
  4. A product of regions over different atoms closes each and takes ceil(log2(factors)) products in a row. Constant
     factors are left out: they go to the sum (or output) that the product ends in.
  5. x^y of two atoms closes both and takes cycles["^"]; any other operator of several atoms (max, greater, ...) closes
     its arguments and takes its own cycles. So do abs, max, floor, ... of an intermediate.
  6. A sum closes its non-affine terms and is one balanced tree of adders: 1 operand a term, constant_digits operands a
     term whose factor is not ± a power of two, 1 for an offset (or for the rounding, where a factor made one needed or
     the sum is an output). It takes ceil(log2(operands)) adders. An affine sum inside a sum is part of its tree.
  7. The output adds a rounding (one adder) where it is a product, and a multiplication by a constant where a factor
     is left over (rule 6).
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
