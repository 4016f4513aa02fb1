"""A target and a word width → what each operator costs in a circuit: clock cycles, LUTs, DSPs.

The figures are the compiler's own: each operator is compiled on its own and the target's delay and area model is read
off the circuit (see `sr2hls.search.measure`), so a search in cycles and the compiler's latency rest on one model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

from sr2hls.errors import FormatError, UnsupportedError
from sr2hls.search.settings import Settings

_ALWAYS = ("+", "-", "*", "/", "abs")  # abs: sympy makes it of sqrt(x²)


@dataclass(frozen=True, slots=True)
class OperatorCosts:
    """Costs of operators by their names in PySR's spelling.

    cycles: clock cycles, not rounded up, since operators share a cycle where their delays fit; luts, dsps: area.
    table_cycles, table_luts: any function of one input is one table, whatever it contains. constant_cycles,
    constant_luts: multiplication by a constant. source: where the numbers come from, in a line.

    What follows concerns the objective "circuit" only. input_cycles, input_luts: the clamp of an input to its range,
    before anything but a table; product_cycles, product_dsps: a product with an input or its table (cycles["*"]: of
    intermediates, whose words are wider); sum_table_cycles, sum_table_luts: a function of a sum of few inputs;
    constant_digits: adders that a multiplication by a constant takes in a sum; fused: False for the figures of a flow
    that builds every operator on its own.
    """

    name: str
    clock_ns: float
    cycles: Mapping[str, float]
    luts: Mapping[str, float]
    dsps: Mapping[str, float]
    table_cycles: float
    table_luts: float
    constant_cycles: float
    constant_luts: float
    source: str
    input_cycles: float = 0.0
    input_luts: float = 0.0
    product_cycles: float = 0.0
    product_dsps: float = 0.0
    sum_table_cycles: float = 0.0
    sum_table_luts: float = 0.0
    constant_digits: int = 1
    fused: bool = True


def operator_cycles(
    target: str,
    width: int,
    operators: Sequence[str] | None = None,
    clock_ns: float | None = None,
    definitions: Mapping[str, str] | None = None,
) -> OperatorCosts:
    """What operators cost on a target.

    Args:
        target: a name of `sr2hls targets`.
        width: bits of the inputs, 4 to 24.
        operators: names of `sr2hls functions` or of `definitions`; + - * / and the operators that sympy writes them in
            (relu: max) are added. None: all that the compiler has hardware for, which takes a minute or two.
        clock_ns: None: the target's default clock.
        definitions: user-defined operators, as in `Settings.definitions`.

    Raises:
        FormatError: an unknown target or operator, a width out of range, a clock not above the register overhead.
        UnsupportedError: an operator without hardware.
        LoadError: a broken definition.
    """
    from sr2hls.search.measure import base_pieces, hardware_operators, has_hardware, operator_piece
    from sr2hls.search.spelling import names_in, spelled
    from sr2hls.targets import load_target

    device = load_target(target)
    if not 4 <= width <= 24:
        raise FormatError(f"costs are known for inputs of 4 to 24 bits, not {width}")
    clock = device.clock_ns if clock_ns is None else clock_ns
    usable = clock - device.overhead_ns
    if not usable > 0:
        raise FormatError(
            f"a clock period of {clock:g} ns is not above the register overhead of {target}, {device.overhead_ns:g} ns"
        )
    given = {} if definitions is None else dict(definitions)
    names = hardware_operators(target, width) if operators is None else tuple(operators)
    parts = {part for name in names for part in names_in(spelled(name, given.get(name, "")))}
    extra = [part for part in sorted(parts - {"^", *names}) if has_hardware(target, width, part)]
    names = tuple(dict.fromkeys((*names, *extra, *_ALWAYS)))
    found = {name: operator_piece(target, width, name, given.get(name, "")) for name in names}
    base = base_pieces(target, width)
    area = {name: reduce(add, (piece.area() for piece in pieces)) for name, pieces in found.items()}
    estimate = "estimated" if device.estimate else "calibrated"
    return OperatorCosts(
        name="target",
        clock_ns=clock,
        cycles={name: sum(piece.cycles(usable) for piece in pieces) for name, pieces in found.items()},
        luts={name: taken.lut for name, taken in area.items()},
        dsps={name: taken.dsp for name, taken in area.items()},
        table_cycles=_mean([piece.cycles(usable) for piece in base.tables]),
        table_luts=_mean([piece.area().lut for piece in base.tables]),
        constant_cycles=_mean([piece.cycles(usable) for piece in base.constants]),
        constant_luts=_mean([piece.area().lut for piece in base.constants]),
        source=f"{target} at {clock:g} ns, {width}-bit inputs: the compiler's delay model ({estimate})",
        input_cycles=base.clamp.cycles(usable),
        input_luts=base.clamp.area().lut,
        product_cycles=base.product.cycles(usable),
        product_dsps=base.product.area().dsp,
        sum_table_cycles=_mean([piece.cycles(usable) for piece in base.sum_tables]),
        sum_table_luts=_mean([piece.area().lut for piece in base.sum_tables]),
        constant_digits=base.digits,
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def cycles_of(name: str, costs: OperatorCosts) -> float:
    """Cycles of an operator by its name in PySR's spelling; see `figure`. Raises UnsupportedError."""
    return figure(name, costs.cycles, costs.name)


def figure(name: str, figures: Mapping[str, float], table: str = "target") -> float:
    """What a table of costs says of an operator.

    sympy spells some operators in other ways than the user, so where the table lacks one: another name of the same
    operator counts, a square as a product, a cube as two, a negation as a subtraction, and a power as the costliest
    entry and a product (the compiler makes it exp(y log x)). Raises UnsupportedError where none of this helps.
    """
    for other in (name, *_INSTEAD.get(name, ())):
        if other in figures:
            return figures[other]
    if name == "cube":
        return 2 * figure("*", figures, table)
    if name == "^" and figures:
        return max(figures.values()) + figure("*", figures, table)
    raise UnsupportedError(f"the costs '{table}' have no figure for the operator '{name}'")


_INSTEAD = {
    "+": ("plus", "add"),
    "-": ("sub", "+"),
    "neg": ("-", "sub", "+"),
    "*": ("mult",),
    "/": ("div",),
    "square": ("abs2", "*", "mult"),
    "^": ("pow", "safe_pow", "pow_abs"),
    "sqrt": ("safe_sqrt", "sqrt_abs"),
    "log": ("safe_log", "log_abs"),
    "asin": ("safe_asin",),
    "acos": ("safe_acos",),
    "acosh": ("safe_acosh", "acosh_abs"),
    "atanh": ("safe_atanh", "atanh_clip"),
    "greater": (">",),
    "greater_equal": (">=",),
    "less": ("<",),
    "less_equal": ("<=",),
    "equal": ("==",),
    "gamma": ("safe_gamma",),
    "loggamma": ("lgamma",),
}


def costs_by_name(name: str, settings: Settings) -> OperatorCosts:
    """The costs that `Settings.costs` names: "target", or a published table such as "hls4sr-16-6".

    Raises FormatError for an unknown name, for an operator that a published table lacks, and for a published table
    with the objective "circuit": such a table has figures for single operators only.
    """
    from sr2hls.search.published import published_costs

    if name == "target":
        return operator_cycles(
            settings.target, settings.width, settings.operators, settings.clock_ns, settings.definitions
        )
    if settings.objective == "circuit":
        raise FormatError(
            f"the published costs '{name}' are of single operators, the objective 'circuit' fuses them; choose the "
            "objective path, sum or nodes"
        )
    return published_costs(name, settings.operators, settings.definitions)


def integer_costs(costs: OperatorCosts, unit: float = 0.25) -> dict[str, int]:
    """Cycles in whole multiples of `unit` cycles, at least 1, as PySR's `complexity_of_operators` takes them.

    Raises FormatError for a unit that is not positive.
    """
    if not unit > 0:
        raise FormatError(f"the unit of integer costs must be positive, not {unit:g}")
    return {name: max(1, round(cycles / unit)) for name, cycles in costs.cycles.items()}
