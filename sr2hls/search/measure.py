"""One operator, a target and a width → the delay and area of its hardware, read off a circuit that the compiler made.

An operator stands in a formula between other operators, so it is measured there: on intermediates, which are too wide
for tables, and not on inputs. With t0 = x0·x1 + x2, t1 = x3·x4 + x5, ..., each input of `width` bits, op(t0, t1, ...)·z
is compiled to the default output (16 bits within 1 ulp), and the operator is what lies between the nodes of t and the
last product. So a constant factor is not in it (the compiler moves it out of products and into the next sum), nor the
rounding of an output. Sums merge with sums, so for an affine operator t is x0·x1 alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from functools import cache, reduce
from math import ceil
from operator import add

import sympy

from sr2hls.circuit import Circuit, Op
from sr2hls.compiler import Options, compile_model
from sr2hls.errors import Sr2hlsError, UnsupportedError
from sr2hls.model import Output, Provenance, SymbolicModel, symbol
from sr2hls.operators import known
from sr2hls.program import linear_terms
from sr2hls.quantize.from_data import format_for
from sr2hls.rewrite.text import short_text
from sr2hls.search.spelling import NATIVE, PERIODIC, heads_of, meaning
from sr2hls.targets import Area, Target, load_target

# Ranges of the inputs, tried in this order: all signs; positive; within a unit circle; above one.
_RANGES = ((-1.9, 1.9), (0.25, 1.9), (-0.95, 0.95), (1.05, 1.9))
_TABLES = ("sin", "exp", "inv")  # what `base_costs` takes for typical functions of an input
_CONSTANTS = ("0.7390851332", "1.3247179572", "2.6854520010", "0.2614972128")
_LEAF = "z"
_SLACK = 1e-9
_COMPOSED = {"fma": ("*", "+"), "muladd": ("*", "+")}


@dataclass(frozen=True, slots=True)
class Piece:
    """The nodes `inside` of a circuit, which compute the node `end`; the values from outside are there at the start."""

    circuit: Circuit
    device: Target
    inside: frozenset[int]
    end: int

    def cycles(self, usable_ns: float) -> float:
        """When the piece is done, in clock cycles of which `usable_ns` are usable, scheduled as soon as possible.

        Operations share a cycle as far as they fit, as in `sr2hls.schedule`, with what a path saves there behind a
        multiplier (`Target.saved`); the last cycle counts by the share of it that is used.
        """
        time = [0.0] * len(self.circuit.nodes)
        onward = list(time)  # when what follows may begin
        moving: set[int] = set()
        for index, node in enumerate(self.circuit.nodes):
            if index in self.inside and (
                node.op is Op.INPUT or any(a in moving or a not in self.inside for a in node.args)
            ):
                moving.add(index)
                begins = max((onward[arg] for arg in node.args), default=0.0)
                time[index] = after(begins, min(1.0, self.device.delay(self.circuit, index) / usable_ns))
                saved = self.device.saved(self.circuit, index) / usable_ns
                onward[index] = max(begins, time[index] - saved)
        return time[self.end]

    def area(self) -> Area:
        """LUTs and DSP blocks."""
        return reduce(add, (self.device.area(self.circuit, index) for index in self.inside), Area())


@dataclass(frozen=True, slots=True)
class Base:
    """What does not belong to an operator.

    tables: functions of one input; sum_tables: functions of a sum of three inputs, from the sum on; constants: inputs
    times constants; clamp: of an input; product: of an intermediate and an input.
    """

    tables: tuple[Piece, ...]
    sum_tables: tuple[Piece, ...]
    constants: tuple[Piece, ...]
    clamp: Piece
    product: Piece

    @property
    def digits(self) -> int:
        """Adders of a multiplication by a constant, the one of the rounding among them; rounded mean."""
        counts = [sum(p.circuit.nodes[i].op in (Op.ADD, Op.SUB) for i in p.inside) for p in self.constants]
        return round(sum(counts) / len(counts))


def after(begins: float, cycles: float) -> float:
    """When an operation of at most one cycle is done, in cycles: it is not split, so it may have to wait."""
    waits = (begins % 1.0) + cycles > 1.0 + _SLACK
    return (ceil(begins) if waits else begins) + cycles


@cache
def operator_piece(target: str, width: int, name: str, definition: str = "") -> tuple[Piece, ...]:
    """The operator `name` on intermediates; several pieces stand in a row.

    Raises FormatError (unknown), UnsupportedError (no hardware).
    """
    if name in _COMPOSED:
        return tuple(piece for part in _COMPOSED[name] for piece in operator_piece(target, width, part))
    build, arity = meaning(name, definition)
    plain = build(*(symbol(f"x{i}") for i in range(arity)))
    role = _role(plain, arity)
    merges = linear_terms(plain) is not None or bool(heads_of(plain) & PERIODIC)
    reasons: list[str] = []
    for product in (True,) if merges else (False, True):
        places = [_intermediate(i, product) for i in range(arity)]
        for low, high in _RANGES:
            whole = build(*places) * (symbol(_LEAF) if role is _Role.INNER else sympy.S.One)
            try:
                circuit = _compiled(whole, target, width, low, high)
            except Sr2hlsError as error:  # a pole, or too steep: another range may do
                reasons.append(str(error))
                continue
            found = _between(circuit, load_target(target), [short_text(place) for place in places], role)
            if found is not None:
                return (found,)
            break  # the sum has merged with the operator
    why = reasons[0] if reasons else "it leaves no circuit"
    raise UnsupportedError(f"the operator '{name}' has no hardware: {why}")


class _Role(Enum):
    """Where an operator's own hardware ends: at the output, at the last product, or before the product with z."""

    OUTPUT = auto()
    PRODUCT = auto()
    INNER = auto()


def _role(expression: sympy.Expr, arity: int) -> _Role:
    if linear_terms(expression) is not None or heads_of(expression) & NATIVE:
        return _Role.INNER
    symbols = expression.free_symbols
    if expression.is_polynomial(*symbols) or (arity > 1 and expression.is_rational_function(*symbols)):
        return _Role.PRODUCT
    return _Role.OUTPUT


def _intermediate(index: int, product: bool) -> sympy.Expr:
    a, b, c = (symbol(f"x{3 * index + i}") for i in range(3))
    return a * b if product else a * b + c


@cache
def hardware_operators(target: str, width: int) -> tuple[str, ...]:
    """The names of all operators that the compiler has hardware for."""
    return tuple(name for name in known() if has_hardware(target, width, name))


def has_hardware(target: str, width: int, name: str) -> bool:
    """Whether the compiler has hardware for an operator. Raises FormatError for an unknown one."""
    try:
        operator_piece(target, width, name)
    except UnsupportedError:
        return False
    return True


@cache
def base_pieces(target: str, width: int) -> Base:
    """Typical functions of one input, products by typical constants, and the clamp of an input to its range."""
    device, limits, x = load_target(target), _RANGES[1], [symbol(f"x{i}") for i in range(4)]
    tables, sum_tables = [], []
    for name in _TABLES:
        build, _ = meaning(name, "")
        circuit = _compiled(build(x[0]), target, width, *limits)
        tables.append(_piece(circuit, device, circuit.outputs[0][1], set()))
        if name not in PERIODIC:
            argument = x[0] + x[1] + x[2]
            circuit = _compiled(build(argument), target, width, *limits)
            at = [i for i, node in enumerate(circuit.nodes) if node.origin == short_text(argument)]
            sum_tables.append(_piece(circuit, device, circuit.outputs[0][1], {at[-1]}))
    constants = []
    for text in _CONSTANTS:
        circuit = _compiled(sympy.Rational(text) * x[0], target, width, *limits)
        adders = {i for i, node in enumerate(circuit.nodes) if node.op in (Op.ADD, Op.SUB)}
        clamp = {arg for i in adders for arg in circuit.nodes[i].args} - adders
        constants.append(_piece(circuit, device, circuit.outputs[0][1], clamp))
    circuit = _compiled((x[0] * x[1] + x[2]) * x[3], target, width, *limits)
    first, last = (i for i, node in enumerate(circuit.nodes) if node.op is Op.MUL)
    before = set(circuit.nodes[last].args)
    return Base(
        tuple(tables),
        tuple(sum_tables),
        tuple(constants),
        clamp=_piece(circuit, device, circuit.nodes[first].args[0], set()),
        product=_piece(circuit, device, last, before),
    )


def _compiled(expression: sympy.Expr, target: str, width: int, low: float, high: float) -> Circuit:
    names = tuple(sorted(s.name for s in expression.free_symbols))
    model = SymbolicModel(names, (Output("y", expression, Provenance("costs", str(expression))),))
    options = Options(
        inputs={"*": format_for(low, high, width)}, ranges={"*": (low, high)}, target=target, effort="low"
    )
    return compile_model(model, options).circuit


def _between(circuit: Circuit, device: Target, places: list[str], role: _Role) -> Piece | None:
    """From the intermediates to where the operator ends; None where an intermediate has no node of its own."""
    nodes = list(enumerate(circuit.nodes))
    at = [[i for i, node in nodes if node.origin == text] for text in places]
    products = [i for i, node in nodes if node.op is Op.MUL]
    if not all(at) or not products:
        return None
    starts = {found[-1] for found in at}
    if role is _Role.INNER:
        return _until_leaf(circuit, device, starts)
    return _piece(circuit, device, circuit.outputs[0][1] if role is _Role.OUTPUT else products[-1], starts)


def _until_leaf(circuit: Circuit, device: Target, starts: set[int]) -> Piece | None:
    """From `starts` to what meets the leaf first: in a product, or in a selection where the operator gives 0 or 1."""
    (leaf,) = (index for name, index in circuit.inputs if name == _LEAF)
    for node in circuit.nodes:
        before = {arg: _ancestors(circuit, {arg}) for arg in node.args}
        ends = [arg for arg, found in before.items() if found & starts and leaf not in found]
        if ends and any(leaf in found for found in before.values()):
            return _piece(circuit, device, ends[0], starts)
    return None


def _piece(circuit: Circuit, device: Target, end: int, starts: set[int]) -> Piece:
    inside = _ancestors(circuit, {end}) - _ancestors(circuit, starts)
    return Piece(circuit, device, frozenset(inside), end)


def _ancestors(circuit: Circuit, ends: set[int]) -> set[int]:
    """The nodes that these depend on, and these."""
    found = set(ends)
    for index in range(len(circuit.nodes) - 1, -1, -1):
        if index in found:
            found.update(circuit.nodes[index].args)
    return found
