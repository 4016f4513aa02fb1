"""`Circuit` + `Target` + clock → the pipeline stage of every node, at an initiation interval of 1.

Two steps. As-soon-as-possible chaining gives the least number of stages: operations share a stage as long as their
delays and the register overhead fit the clock. Then, for that number of stages, the nodes are moved to the stages
that need the fewest register bits. That second problem is exact: its constraints are differences of stages, its cost
is linear, so it is minimized by raising maximum-weight closures of nodes (`sr2hls.closure`), the dual of the
minimum-area retiming of Leiserson and Saxe (Algorithmica 6, 1991).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sr2hls.circuit import Circuit, Op
from sr2hls.closure import heaviest_closure
from sr2hls.errors import FormatError
from sr2hls.targets import Target

_SLACK = 1e-9  # ns: sums of decimal coefficients must not miss the clock by a rounding error


@dataclass(frozen=True, slots=True)
class Schedule:
    """`cycles[i]` is the stage of node i; see `sr2hls.design.Design` for what registers and latency follow."""

    cycles: tuple[int, ...]
    stages: int
    critical_ns: float  # the slowest stage: longest path plus register overhead
    warnings: tuple[str, ...] = ()


def schedule(
    circuit: Circuit,
    target: Target,
    clock_ns: float,
    *,
    register_inputs: bool,
    register_outputs: bool,
    latency: int | None = None,
) -> Schedule:
    """Place every node in a stage of at most `clock_ns`.

    `latency` fixes the clock cycles from input port to output port; the stages beyond those that the logic needs are
    spent where they take the fewest registers. An operation slower than the clock gets a stage of its own and a
    warning. Without registers at the ports and with latency 0 the design is combinational.

    Raises FormatError when the clock is not positive, or `latency` is less than the logic needs (the message says
    the least).
    """
    if not clock_ns > 0:
        raise FormatError(f"the clock period must be positive, not {clock_ns:g} ns")
    static, delays, saved = _delays(circuit, target)
    budget = clock_ns - target.overhead_ns + _SLACK
    cycles = _earliest(circuit, delays, saved, budget, static)
    ports = int(register_inputs) + int(register_outputs)
    least = max(cycles, default=0) + ports
    if latency is not None and latency < least:
        raise FormatError(
            f"a latency of {latency} cycles at {clock_ns:g} ns is too short; on {target.name} this circuit needs at "
            f"least {least} (or a slower clock)"
        )
    stages = (least if latency is None else latency) - ports + 1
    cycles = _fewest_registers(circuit, delays, saved, budget, static, earliest=cycles, stages=stages)
    slowest = max(stage_delays(circuit, delays, saved, cycles, stages))
    critical = max(slowest, target.logic_ns if slowest > 0 else target.net_ns) + target.overhead_ns
    return Schedule(tuple(cycles), stages, critical, _too_slow(circuit, target, clock_ns, delays, budget))


def earliest(circuit: Circuit, target: Target, clock_ns: float) -> tuple[int, float]:
    """The least number of register ranks between the ports, and the longest path without any, ns."""
    static, delays, saved = _delays(circuit, target)
    cycles = _earliest(circuit, delays, saved, clock_ns - target.overhead_ns + _SLACK, static)
    return max(cycles, default=0), max(stage_delays(circuit, delays, saved, [0] * len(delays), 1))


def soonest(circuit: Circuit, target: Target, clock_ns: float) -> tuple[int, ...]:
    """The earliest stage of every node: the least latency, but not the fewest registers."""
    static, delays, saved = _delays(circuit, target)
    return tuple(_earliest(circuit, delays, saved, clock_ns - target.overhead_ns + _SLACK, static))


def _delays(circuit: Circuit, target: Target) -> tuple[list[bool], list[float], list[float]]:
    """Which nodes are static; of each node its delay, and what it saves whatever follows it in a stage, ns."""
    static = _static(circuit)
    count = range(len(circuit.nodes))
    delays = [0.0 if static[index] else target.delay(circuit, index) for index in count]
    return static, delays, [0.0 if static[index] else target.saved(circuit, index) for index in count]


def stage_delays(
    circuit: Circuit, delays: Sequence[float], saved: Sequence[float], cycles: Sequence[int], stages: int
) -> list[float]:
    """The longest combinational path of each stage, ns, without register overhead.

    `delays` and `saved` are those of the target for each node; see `sr2hls.targets.Target.saved`.
    """
    onward = [0.0] * len(circuit.nodes)  # when what follows in the same stage may begin
    worst = [0.0] * stages
    for index, node in enumerate(circuit.nodes):
        begins = max((onward[arg] for arg in node.args if cycles[arg] == cycles[index]), default=0.0)
        worst[cycles[index]] = max(worst[cycles[index]], begins + delays[index])
        onward[index] = begins + delays[index] - saved[index]
    return worst


def register_bits(circuit: Circuit, cycles: Sequence[int], stages: int) -> int:
    """Register bits between the stages, those of the ports not counted: each value lives until its last use."""
    static = _static(circuit)
    last = list(cycles)
    for index, node in enumerate(circuit.nodes):
        for arg in node.args:
            last[arg] = max(last[arg], cycles[index])
    for _, index in circuit.outputs:
        last[index] = stages - 1
    return sum(
        node.format.width * (last[index] - cycles[index])
        for index, node in enumerate(circuit.nodes)
        if not static[index]
    )


def _static(circuit: Circuit) -> list[bool]:
    """Which nodes depend on no input: they are the same in every cycle and need no register."""
    static: list[bool] = []
    for node in circuit.nodes:
        static.append(node.op is not Op.INPUT and all(static[arg] for arg in node.args))
    return static


def _earliest(
    circuit: Circuit, delays: list[float], saved: list[float], budget: float, static: list[bool]
) -> list[int]:
    """The least stage of every node; the least number of stages follows."""
    cycles: list[int] = []
    onward: list[float] = []
    for index, node in enumerate(circuit.nodes):
        moving = [arg for arg in node.args if not static[arg]]
        cycle = max((cycles[arg] for arg in moving), default=0)
        begins = max((onward[arg] for arg in moving if cycles[arg] == cycle), default=0.0)
        if begins > 0 and delays[index] > 0 and begins + delays[index] > budget:
            cycle, begins = cycle + 1, 0.0
        cycles.append(0 if static[index] else cycle)
        onward.append(0.0 if static[index] else begins + delays[index] - saved[index])
    return cycles


def _separations(
    circuit: Circuit, delays: list[float], saved: list[float], budget: float, static: list[bool]
) -> list[tuple[int, int]]:
    """Pairs (u, v) that cannot share a stage: some path from u to v, both included, is longer than the budget."""
    users: list[list[int]] = [[] for _ in circuit.nodes]
    for index, node in enumerate(circuit.nodes):
        for arg in set(node.args):
            if not static[arg]:
                users[arg].append(index)
    pairs = []
    for start, delay in enumerate(delays):
        if delay <= 0 or static[start]:
            continue
        reached = {start: delay - saved[start]}
        frontier = [start]
        while frontier:
            index = min(frontier)  # topological order: every predecessor in reach is final
            frontier.remove(index)
            for user in users[index]:
                length = reached[index] + delays[user]
                if delays[user] > 0 and length > budget:
                    pairs.append((start, user))
                elif length - saved[user] > reached.get(user, -1.0):
                    if user not in reached:
                        frontier.append(user)
                    reached[user] = length - saved[user]
    return sorted(set(pairs))


def _fewest_registers(
    circuit: Circuit,
    delays: list[float],
    saved: list[float],
    budget: float,
    static: list[bool],
    *,
    earliest: list[int],
    stages: int,
) -> list[int]:
    """The stages of least register bits.

    Variables: the stage of each node and of its last use. Cost: width · (last use - stage). Starting from the least
    feasible stages, the set of variables whose raising by one saves the most bits is raised, until none saves any;
    the cost is L-natural convex, so that is the minimum.
    """
    count = len(circuit.nodes)
    outputs = {index for _, index in circuit.outputs}
    above: list[tuple[int, int, int]] = []  # (a, b, least): value[b] >= value[a] + least
    for index, node in enumerate(circuit.nodes):
        above.append((index, count + index, 0))
        for arg in set(node.args):
            if not static[arg]:
                above += [(arg, index, 0), (index, count + arg, 0)]
    above += [(u, v, 1) for u, v in _separations(circuit, delays, saved, budget, static)]
    last = list(earliest)
    for index, node in enumerate(circuit.nodes):
        for arg in node.args:
            last[arg] = max(last[arg], earliest[index])
    for index in outputs:
        last[index] = stages - 1
    value = earliest + last
    fixed = [static[i] or node.op is Op.INPUT for i, node in enumerate(circuit.nodes)]
    gain = [0 if static[i] else node.format.width for i, node in enumerate(circuit.nodes)]
    gain += [-bits for bits in gain]
    while True:
        stuck = [value[i] >= stages - 1 or (i < count and fixed[i]) for i in range(2 * count)]
        # raising a forces b up as well where the constraint is tight
        forced = [(a, b) for a, b, least in above if value[b] == value[a] + least]
        chosen = heaviest_closure(gain, forced, stuck)
        if not chosen:
            return value[:count]
        for index in chosen:
            value[index] += 1


def _too_slow(circuit: Circuit, target: Target, clock_ns: float, delays: list[float], budget: float) -> tuple[str, ...]:
    """One line for each operation that is slower than the clock on its own."""
    if target.overhead_ns >= clock_ns:
        return (
            f"the clock of {clock_ns:g} ns is not above the register overhead of {target.name}, "
            f"{target.overhead_ns:.2f} ns: no logic fits a stage",
        )
    if 0 < max(delays, default=0.0) <= budget < target.logic_ns:
        return (
            f"the clock of {clock_ns:g} ns is faster than what {target.name} is sure to reach with any logic between "
            f"registers, {target.logic_ns + target.overhead_ns:.2f} ns",
        )
    return tuple(
        f"node {index} ({node.op} of '{node.origin or node.op}', {node.format}) takes {delays[index]:.2f} ns alone; "
        f"with registers it reaches a clock of {delays[index] + target.overhead_ns:.2f} ns, not {clock_ns:g} ns; "
        f"it cannot be cut into pieces: ask for that clock, or for narrower words"
        for index, node in enumerate(circuit.nodes)
        if delays[index] > budget
    )
