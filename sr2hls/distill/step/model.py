"""`Law` → formulas of one step: of all bodies (`step_model`), or of a pair and of a body (`edge_model`, `node_model`).

A body's state has the fields x, y, z (position), vx, vy, vz (velocity) and its scalars, such as m. Ports of the whole
step are a field and a body's number (x0, m3); ports of a pair a field and its end (x_i of the receiver, x_j of the
sender). Without an integrator the outputs are accelerations ax, ay, az; the semi-implicit Euler method (v' = v + dt a,
x' = x + dt v'; Hairer, Lubich, Wanner, "Geometric Numerical Integration", I.1) gives next_x, ... and next_vx, ....
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import sympy

from sr2hls.distill.law import Law, sum_symbol
from sr2hls.errors import FormatError, LoadError
from sr2hls.model import Output, Provenance, SymbolicModel, symbol

INTEGRATORS = ("none", "euler")
NEXT = "next_"
_ENDED = re.compile(r"(?P<field>.+)_(?P<end>[ij])")

Limits = Mapping[str, tuple[float, float]]
Scalars = Mapping[str, Sequence[float]]
Named = Callable[[str], sympy.Expr]  # a field → its expression


@dataclass(frozen=True, slots=True)
class Motion:
    """What is asked of a step beside the law.

    nearest: bodies nearer than this act as if they were at this distance (the direction's components still shrink with
    dx, so the force goes to 0 and not to a pole); None: no such floor. integrator: "none" or "euler"; dt: its time
    step. limits: the box (low, high) of each field; a next state is held inside it, so that it is always a legal state.
    """

    nearest: float | None = None
    integrator: str = "none"
    dt: float | None = None
    limits: Limits | None = None

    def __post_init__(self) -> None:
        if self.integrator not in INTEGRATORS:
            raise FormatError(f"the integrator is {' or '.join(INTEGRATORS)}, not '{self.integrator}'")
        if (self.integrator == "none") != (self.dt is None):
            raise FormatError("a time step dt goes with an integrator: give both or neither")
        if self.dt is not None and not self.dt > 0:
            raise FormatError(f"a time step of {self.dt:g} makes no sense")
        if self.nearest is not None and not self.nearest > 0:
            raise FormatError(f"the nearest distance {self.nearest:g} is not above zero")


def fields_of(law: Law, motion: Motion | None = None) -> tuple[str, ...]:
    """The fields of a body that a step reads: positions, velocities that matter, then scalars in order of name.

    Raises LoadError for a variable that no body has.
    """
    velocities = [f"v{axis}" for axis in law.axes]
    used: set[str] = set()
    for name in sorted(_names(law.edge)):
        if name in {"r", *(f"d{axis}" for axis in law.axes)}:
            continue
        match = _ENDED.fullmatch(name)
        if match is None:
            raise LoadError(f"the edge function uses '{name}'; its variables are dx, ..., r and FIELD_i, FIELD_j")
        used.add(match["field"])
    sums = {sum_symbol(k + 1).name for k in range(len(law.edge))}
    for name in sorted(_names(law.node) - sums):
        match = _ENDED.fullmatch(name)
        if match is None or match["end"] != "i" or name.startswith("sum_"):
            raise LoadError(f"the node function uses '{name}'; its variables are {', '.join(sorted(sums))} and FIELD_i")
        used.add(match["field"])
    if len(law.node) != law.dimension:
        raise LoadError(f"the node function has {len(law.node)} components in {law.dimension} dimensions")
    if motion is not None and motion.integrator == "euler":
        used.update(velocities)
    first = (*law.axes, *velocities)
    return (*law.axes, *(v for v in velocities if v in used), *sorted(used - set(first)))


def output_names(law: Law, motion: Motion) -> tuple[str, ...]:
    """ax, ay, ... or, with an integrator, next_x, ..., next_vx, ...."""
    if motion.integrator == "none":
        return tuple(f"a{axis}" for axis in law.axes)
    return (*(f"{NEXT}{axis}" for axis in law.axes), *(f"{NEXT}v{axis}" for axis in law.axes))


def step_model(
    law: Law,
    bodies: int,
    *,
    neighbors: Sequence[tuple[int, int]] | None = None,
    scalars: Scalars | None = None,
    nearest: float | None = None,
    integrator: str = "none",
    dt: float | None = None,
    limits: Limits | None = None,
) -> SymbolicModel:
    """The whole step of `bodies` bodies as one model: every pair's messages, their sums, every body's node function.

    The displacement of a pair is written with the lower body first, so the compiler finds the distance of both
    directions, and whatever else they share, once.

    Args:
        neighbors: pairs (sender, receiver); None: every body acts on every other one.
        scalars: numbers of a scalar by body, folded into the formulas; the others become inputs m0, m1, ....
        nearest, integrator, dt, limits: see `Motion`.

    Returns:
        Inputs x0, y0, ..., x1, ... (those that are used); outputs ax0, ay0, ... or next_x0, ..., next_vx0, ...

    Raises:
        LoadError: a variable that no body has, numbers that do not match the bodies. FormatError: see `Motion`.
    """
    motion = Motion(nearest, integrator, dt, limits)
    fields = fields_of(law, motion)
    known = _checked(scalars or {}, bodies, fields)

    def of_body(body: int) -> Named:
        return lambda field: sympy.Rational(known[field][body]) if field in known else symbol(f"{field}{body}")

    messages: dict[int, list[tuple[sympy.Expr, ...]]] = {body: [] for body in range(bodies)}
    for sender, receiver in pairs_of(neighbors, bodies):
        messages[receiver].append(_message(law, motion, of_body, receiver, sender))
    outputs = []
    for body in range(bodies):
        sums = [sympy.Add(*parts) for parts in zip(*messages[body], strict=True)] or [sympy.S.Zero] * len(law.edge)
        outputs += [
            _output(f"{name}{body}", formula, law) for name, formula in _node(law, motion, of_body(body), sums).items()
        ]
    return SymbolicModel(
        _used([f"{field}{body}" for body in range(bodies) for field in fields], outputs), tuple(outputs)
    )


def gauged(law: Law) -> Law:
    """The same law with factors of the receiver moved from the node function into the messages where they cancel there.

    A message is only defined up to a factor of the receiver's variables: (sum of m_i m_j f) / m_i is the sum of m_j f,
    which needs no division and has a smaller range. The law is returned as it is where this makes no message shorter.
    """
    factors: list[sympy.Expr] = []
    node = [sympy.expand(part) for part in law.node]
    for k in range(1, len(law.edge) + 1):
        found = {part.coeff(sum_symbol(k)) for part in node} - {sympy.S.Zero}
        factors.append(found.pop() if len(found) == 1 else sympy.S.One)
        if any(s.name.startswith("sum_") for s in factors[-1].free_symbols):
            return law
    edge = [factor * part for factor, part in zip(factors, law.edge, strict=True)]
    if any(factor == 0 for factor in factors) or sum(map(_size, edge)) >= sum(map(_size, law.edge)):
        return law
    back = {sum_symbol(k): sum_symbol(k) / factor for k, factor in enumerate(factors, 1)}
    moved = tuple(sympy.expand(part.xreplace(back)) for part in node)
    return replace(law, edge=tuple(edge), node=moved)


def _size(formula: sympy.Expr) -> int:
    return int(sympy.count_ops(formula))


def edge_model(law: Law, motion: Motion) -> SymbolicModel:
    """The messages of one pair: inputs x_i, x_j, y_i, ...; outputs message_1, message_2, ...."""
    fields = fields_of(law, motion)

    def of_end(end: int) -> Named:
        return lambda field: symbol(f"{field}_{'ij'[end]}")

    parts = _message(law, motion, of_end, 0, 1)
    outputs = [_output(f"message_{k}", part, law) for k, part in enumerate(parts, 1)]
    return SymbolicModel(_used([f"{field}_{end}" for field in fields for end in "ij"], outputs), tuple(outputs))


def pair_model(law: Law, motion: Motion) -> SymbolicModel:
    """The messages of one pair over its displacement: inputs dx, dy, ..., m_i, m_j, ...; outputs message_1, ...."""
    fields = [field for field in fields_of(law, motion) if field not in law.axes]
    apart = {axis: symbol(f"d{axis}") for axis in law.axes}

    def of_end(end: int) -> Named:
        return lambda field: symbol(f"{field}_{'ij'[end]}")

    parts = _over_displacement(law, motion, apart, of_end, 0, 1)
    outputs = [_output(f"message_{k}", part, law) for k, part in enumerate(parts, 1)]
    names = [*(d.name for d in apart.values()), *(f"{field}_{end}" for field in fields for end in "ij")]
    return SymbolicModel(_used(names, outputs), tuple(outputs))


def node_model(law: Law, motion: Motion) -> SymbolicModel:
    """One body's outputs: inputs vx_i, m_i, ... and sum_1, sum_2, ...; outputs as `output_names`."""
    fields = fields_of(law, motion)
    sums = [sum_symbol(k + 1) for k in range(len(law.edge))]
    found = _node(law, motion, lambda field: symbol(f"{field}_i"), sums)
    outputs = [_output(name, formula, law) for name, formula in found.items()]
    return SymbolicModel(_used([*(f"{field}_i" for field in fields), *(s.name for s in sums)], outputs), tuple(outputs))


def _message(
    law: Law, motion: Motion, of_body: Callable[[int], Named], receiver: int, sender: int
) -> tuple[sympy.Expr, ...]:
    """The edge function of one directed pair over the bodies' symbols."""
    first, second = of_body(min(receiver, sender)), of_body(max(receiver, sender))
    apart = {axis: sympy.Dummy(f"d{axis}", real=True) for axis in law.axes}
    where = {d: first(axis) - second(axis) for axis, d in apart.items()}
    return tuple(part.xreplace(where) for part in _over_displacement(law, motion, apart, of_body, receiver, sender))


def _over_displacement(
    law: Law,
    motion: Motion,
    apart: Mapping[str, sympy.Symbol],
    of_body: Callable[[int], Named],
    receiver: int,
    sender: int,
) -> tuple[sympy.Expr, ...]:
    """The messages over symbols of the displacement, lower body minus higher body."""
    square = sympy.Add(*(d**2 for d in apart.values()))
    if motion.nearest is not None:
        square = sympy.Max(square, sympy.Rational(motion.nearest) ** 2)
    # over symbols, sympy moves the sign of the other direction out of squares and products
    sign = 1 if receiver < sender else -1
    values: dict[sympy.Basic, sympy.Expr] = {symbol(f"d{axis}"): sign * d for axis, d in apart.items()}
    values[symbol("r")] = sympy.sqrt(square) + sympy.Rational(str(law.softening))  # as the decimal it was given as
    for name in _names(law.edge) - {s.name for s in values}:
        match = _ENDED.fullmatch(name)
        if match is not None:
            values[symbol(name)] = of_body(receiver if match["end"] == "i" else sender)(match["field"])
    return tuple(exactly(part).xreplace(values) for part in law.edge)


def _node(law: Law, motion: Motion, own: Named, sums: Sequence[sympy.Expr]) -> dict[str, sympy.Expr]:
    values: dict[sympy.Basic, sympy.Expr] = {sum_symbol(k): part for k, part in enumerate(sums, 1)}
    for name in _names(law.node) - {s.name for s in values}:
        values[symbol(name)] = own(name.removesuffix("_i"))
    accelerations = [exactly(part).xreplace(values) for part in law.node]
    if motion.dt is None:
        return dict(zip(output_names(law, motion), accelerations, strict=True))
    dt = sympy.Rational(motion.dt)
    speeds = {f"v{axis}": own(f"v{axis}") + dt * a for axis, a in zip(law.axes, accelerations, strict=True)}
    places = {axis: own(axis) + dt * speeds[f"v{axis}"] for axis in law.axes}
    found = places | speeds
    return {f"{NEXT}{name}": _held(formula, (motion.limits or {}).get(name)) for name, formula in found.items()}


def _held(formula: sympy.Expr, limits: tuple[float, float] | None) -> sympy.Expr:
    """Inside the box; minimum and maximum are continuous, so no comparison can flip."""
    if limits is None:
        return formula
    low, high = (sympy.Rational(end) for end in limits)
    return sympy.Min(sympy.Max(formula, low), high)


def exactly(formula: sympy.Expr) -> sympy.Expr:
    """Floats as the exact rationals that they are."""
    return formula.xreplace({f: sympy.Rational(f) for f in formula.atoms(sympy.Float)})


def pairs_of(neighbors: Sequence[tuple[int, int]] | None, bodies: int) -> list[tuple[int, int]]:
    """(sender, receiver), sorted by receiver."""
    if bodies < 2:
        raise LoadError(f"a step of {bodies} bodies: interactions need two or more")
    if neighbors is None:
        return [(j, i) for i in range(bodies) for j in range(bodies) if i != j]
    found = sorted({(int(j), int(i)) for j, i in neighbors}, key=lambda pair: (pair[1], pair[0]))
    for j, i in found:
        if i == j or not (0 <= i < bodies and 0 <= j < bodies):
            raise LoadError(f"the pair ({j}, {i}) of sender and receiver is none of {bodies} different bodies")
    return found


def _checked(scalars: Scalars, bodies: int, fields: Sequence[str]) -> dict[str, list[float]]:
    known = {}
    for name, numbers in scalars.items():
        if len(numbers) != bodies:
            raise LoadError(f"'{name}' has {len(numbers)} numbers for {bodies} bodies")
        if name in fields:  # a scalar that the law does not use is no error: tables of bodies have more columns
            known[name] = [float(number) for number in numbers]
    return known


def _names(formulas: Sequence[sympy.Expr]) -> set[str]:
    return {s.name for formula in formulas for s in formula.free_symbols}


def _output(name: str, formula: sympy.Expr, law: Law) -> Output:
    return Output(name, formula, Provenance(law.system, str(formula), writer="distill"))


def _used(names: Sequence[str], outputs: Sequence[Output]) -> tuple[str, ...]:
    used = _names([output.expression for output in outputs])
    return tuple(name for name in names if name in used)
