"""Formulas → torch modules with trainable constants, in the place of perceptrons; and back into formulas."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any

import sympy
import torch
from torch import Tensor, nn

from sr2hls.distill.networks.columns import ABSOLUTE, Columns
from sr2hls.distill.symbolic.constants import template
from sr2hls.distill.trajectories import AXES
from sr2hls.errors import LoadError, UnsupportedError
from sr2hls.operators import words

Named = Mapping[str, Tensor]

_TABLE: dict[type[sympy.Basic], Callable[..., Tensor]] = {
    sympy.Add: lambda *a: reduce(torch.add, a),
    sympy.Mul: lambda *a: reduce(torch.mul, a),
    sympy.Pow: torch.pow,
    sympy.Abs: torch.abs,
    sympy.sign: torch.sign,
    sympy.Max: lambda *a: reduce(torch.maximum, a),
    sympy.Min: lambda *a: reduce(torch.minimum, a),
    sympy.floor: torch.floor,
    sympy.ceiling: torch.ceil,
    sympy.exp: torch.exp,
    sympy.log: torch.log,
    sympy.sin: torch.sin,
    sympy.cos: torch.cos,
    sympy.tan: torch.tan,
    sympy.asin: torch.asin,
    sympy.acos: torch.acos,
    sympy.atan: torch.atan,
    sympy.atan2: torch.atan2,
    sympy.sinh: torch.sinh,
    sympy.cosh: torch.cosh,
    sympy.tanh: torch.tanh,
    sympy.erf: torch.erf,
    sympy.erfc: torch.erfc,
    words.Greater: lambda x, y: (x > y).to(x.dtype),
    words.GreaterEqual: lambda x, y: (x >= y).to(x.dtype),
    words.Less: lambda x, y: (x < y).to(x.dtype),
    words.LessEqual: lambda x, y: (x <= y).to(x.dtype),
    words.Equal: lambda x, y: (x == y).to(x.dtype),
    words.Cond: lambda x, y: torch.where(x > 0, y, torch.zeros_like(y)),
    words.Select: lambda c, a, b: torch.where(c > 0, a, b),
    words.Clamp: lambda x, lo, hi: torch.where(x > hi, hi, torch.where(x < lo, lo, x)),
    words.RealCbrt: lambda x: torch.sign(x) * torch.abs(x) ** (1 / 3),
}


class Formula(nn.Module):
    """Named columns → the formulas' values, stacked in the last axis.

    `constants`, (k,), are the numbers of the formulas in the order of `template(expressions)`, in float64.
    """

    constants: nn.Parameter

    def __init__(self, expressions: Sequence[sympy.Expr], *, scales: bool = False) -> None:
        """scales: as in `template`. Raises UnsupportedError for an operator that torch has no function for."""
        super().__init__()
        self.template = template(expressions, scales=scales)
        self.constants = nn.Parameter(torch.tensor(self.template.values, dtype=torch.float64))
        for expression in self.template.expressions:
            _check(expression)

    def forward(self, columns: Named) -> Tensor:
        """columns: name → tensors of one shape; KeyError for one that is missing."""
        given = next(iter(columns.values()))
        numbers = dict(zip(self.template.names, self.constants.to(given.dtype).unbind(), strict=True))
        values = {**columns, **numbers}
        parts = [_value(expression, values, given) for expression in self.template.expressions]
        return torch.stack([part.expand(given.shape) for part in parts], -1)

    def expressions(self) -> tuple[sympy.Expr, ...]:
        """The formulas with the constants as they are now, as exact rationals."""
        return self.template.at([float(v) for v in self.constants.detach()])


class EdgeFormula(nn.Module):
    """Formulas of messages in the place of a network's edge perceptron: same inputs, messages in the data's units."""

    sizes: Tensor

    def __init__(
        self, columns: Columns, sizes: Tensor, softening: float, expressions: Sequence[sympy.Expr], scales: bool = False
    ) -> None:
        super().__init__()
        self.columns, self.softening, self.formula = columns, softening, Formula(expressions, scales=scales)
        self.register_buffer("sizes", sizes.clone())

    def forward(self, pair: Tensor) -> Tensor:
        """pair: what `Columns.pair` gives, in typical units, (..., pair_width) → (..., w)."""
        return torch.as_tensor(self.formula(pair_columns(pair, self.columns, self.sizes, self.softening)))


class NodeFormula(nn.Module):
    """Formulas of accelerations in the place of a network's node perceptron; sums of messages in the data's units."""

    sizes: Tensor
    unit: Tensor

    def __init__(
        self, columns: Columns, sizes: Tensor, unit: float, expressions: Sequence[sympy.Expr], scales: bool = False
    ) -> None:
        super().__init__()
        self.columns, self.formula = columns, Formula(expressions, scales=scales)
        self.register_buffer("sizes", sizes.clone())
        self.register_buffer("unit", torch.tensor(unit))

    def forward(self, x: Tensor, summed: Tensor) -> Tensor:
        """x: (..., F) in typical units, summed: (..., w) → accelerations in typical units, (..., d)."""
        state = x * self.sizes
        d = self.columns.dimension
        own = {f"v{axis}_i": state[..., d + k] for k, axis in enumerate(AXES[:d])}
        own |= {f"{name}_i": state[..., 2 * d + k] for k, name in enumerate(self.columns.scalars)}
        own |= {f"sum_{k + 1}": summed[..., k] for k in range(summed.shape[-1])}
        return torch.as_tensor(self.formula(own) / self.unit)


def pair_columns(pair: Tensor, columns: Columns, sizes: Tensor, softening: float) -> dict[str, Tensor]:
    """What an edge perceptron sees → the edge variables by name, in the data's units."""
    d, f = columns.dimension, columns.width
    own = f - (0 if columns.inputs == ABSOLUTE else d)
    first = d if columns.inputs != ABSOLUTE else 0
    x_i, x_j = pair[..., first : first + own], pair[..., first + own :]
    if columns.inputs == ABSOLUTE:
        away, x_i, x_j = x_i[..., :d] - x_j[..., :d], x_i[..., d:], x_j[..., d:]
    else:
        away = pair[..., :d]
    away = away * sizes[:d]
    found = {f"d{axis}": away[..., k] for k, axis in enumerate(AXES[:d])}
    found["r"] = torch.sqrt((away**2).sum(-1)) + softening
    for end, state in (("i", x_i * sizes[d:]), ("j", x_j * sizes[d:])):
        found |= {f"v{axis}_{end}": state[..., k] for k, axis in enumerate(AXES[:d])}
        found |= {f"{name}_{end}": state[..., d + k] for k, name in enumerate(columns.scalars)}
    return found


def freeze(module: nn.Module) -> nn.Module:
    """The module with nothing left to train."""
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    return module


def _check(expression: sympy.Expr) -> None:
    for node in sympy.preorder_traversal(expression):
        if node.args and type(node) not in _TABLE:
            raise UnsupportedError(f"{type(node).__name__} in {expression} has no torch function here")


def _value(node: sympy.Expr, values: Mapping[str, Tensor], like: Tensor) -> Tensor:
    if node.is_Symbol:
        if node.name not in values:
            raise LoadError(f"the formula uses '{node.name}', which the network does not see")
        return values[node.name]
    if not node.args:
        return torch.tensor(float(node), dtype=like.dtype)
    if isinstance(node, sympy.Pow) and node.exp.is_Rational:
        return _power(_value(node.base, values, like), node.exp)
    return _TABLE[type(node)](*(_value(a, values, like) for a in node.args))


def _power(base: Tensor, exponent: Any) -> Tensor:
    if exponent == -1:
        return 1 / base
    if exponent == sympy.Rational(1, 2):
        return torch.sqrt(base)
    return torch.pow(base, int(exponent) if exponent.is_Integer else float(exponent))
