"""The whole N-body step: formulas, the parallel circuit, the serial circuit, certificates and trajectories."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import sympy

from sr2hls.analyze.evaluate import array_function
from sr2hls.analyze.interval import Interval
from sr2hls.check import cpp, toolchain, verilator
from sr2hls.check.measure import measured_errors
from sr2hls.circuit import Op
from sr2hls.distill.law import Law, sum_symbol
from sr2hls.distill.step import Words, fields_of, step_model, words_of
from sr2hls.distill.step.certificate import certify
from sr2hls.distill.step.model import Motion, gauged, pair_model
from sr2hls.distill.step.parallel import ParallelStep, codes_of_values, parallel_step, values_of_codes
from sr2hls.distill.step.serial import SerialStep, serial_step
from sr2hls.distill.step.simulate import simulate_serial
from sr2hls.distill.step.slopes import largest_slope
from sr2hls.distill.step.top import CERTIFICATE, check_folder, save
from sr2hls.distill.step.trajectory import accelerations, replay, trajectory
from sr2hls.emit.design_json import short_digest
from sr2hls.errors import CircuitError, DomainError, FormatError, LoadError, MismatchError, UnsupportedError
from sr2hls.interpret import interpret
from sr2hls.model import symbol
from sr2hls.operators import RoundHalfEven, Select
from sr2hls.program import Kind
from sr2hls.rewrite.fuse import fuse

DX, DY, R, M_I, M_J = (symbol(name) for name in ("dx", "dy", "r", "m_i", "m_j"))
EPS = sympy.Rational("0.01")
NEWTON = (sum_symbol(1) / M_I, sum_symbol(2) / M_I)
SPRING = Law(2, (-2 * (R - 1) * DX / (R - EPS), -2 * (R - 1) * DY / (R - EPS)), NEWTON, 0.01, "spring")
GRAVITY = Law(2, (-M_I * M_J * DX / R**2 / (R - EPS), -M_I * M_J * DY / R**2 / (R - EPS)), NEWTON, 0.01, "r2")
DAMPED = Law(
    2,
    (-2 * (1 - 1 / R) * DX, -2 * (1 - 1 / R) * DY),
    (sum_symbol(1) - symbol("vx_i") / 4, sum_symbol(2) - symbol("vy_i") / 4),
    0.01,
)
MASSES = [1.0, 2.0, 0.5, 1.5]


def states(count: int, bodies: int, seed: int = 0, far: float = 4.0) -> dict[str, np.ndarray]:
    """Random states: field → (count, bodies)."""
    rng = np.random.default_rng(seed)
    found = {field: rng.uniform(-far, far, (count, bodies)) for field in ("x", "y", "vx", "vy")}
    return found | {"m": rng.uniform(0.25, 3.0, (count, bodies))}


def words(width: int = 12) -> Words:
    return words_of(states(500, 4), width)


def pairwise(law: Law, at: dict[str, np.ndarray], nearest: float) -> list[np.ndarray]:
    """Accelerations in float64, one pair after the other: (n, bodies) for each axis. Not the code of the product."""
    n, bodies = at["x"].shape
    edge_symbols = sorted({s for part in law.edge for s in part.free_symbols}, key=str)
    node_symbols = sorted({s for part in law.node for s in part.free_symbols}, key=str)
    edges = [sympy.lambdify(edge_symbols, part) for part in law.edge]
    nodes = [sympy.lambdify(node_symbols, part) for part in law.node]
    found = [np.zeros((n, bodies)) for _ in law.node]
    for i in range(bodies):
        sums = [np.zeros(n) for _ in edges]
        for j in range(bodies):
            if j != i:
                d = [at[axis][:, i] - at[axis][:, j] for axis in law.axes]
                distance = np.maximum(np.sqrt(sum(part**2 for part in d)), nearest)
                known = {"dx": d[0], "dy": d[1], "r": distance + law.softening}
                known |= {f"{name}_i": values[:, i] for name, values in at.items()}
                known |= {f"{name}_j": values[:, j] for name, values in at.items()}
                values = [known[s.name] for s in edge_symbols]
                sums = [total + edge(*values) for total, edge in zip(sums, edges, strict=True)]
        own = {f"{name}_i": values[:, i] for name, values in at.items()}
        own |= {f"sum_{k}": total for k, total in enumerate(sums, 1)}
        for axis, node in enumerate(nodes):
            found[axis][:, i] = node(*[own[s.name] for s in node_symbols])
    return found


# ---- formulas


@pytest.mark.parametrize("law", [SPRING, GRAVITY, DAMPED], ids=["spring", "r2", "damped"])
@pytest.mark.parametrize("constants", [False, True])
def test_the_model_is_the_law(law: Law, constants: bool) -> None:
    at = states(50, 4) | ({"m": np.tile(MASSES, (50, 1))} if constants else {})
    model = step_model(law, 4, scalars={"m": MASSES} if constants else None, nearest=0.25)
    ports = [symbol(name) for name in model.inputs]
    columns = [at[name.rstrip("0123")][:, int(name[-1])] for name in model.inputs]
    want = pairwise(law, at, 0.25)
    assert [o.name for o in model.outputs] == [f"a{axis}{body}" for body in range(4) for axis in "xy"]
    assert any(name.startswith("m") for name in model.inputs) == (law is not DAMPED and not constants)
    for output in model.outputs:
        got = array_function(output.expression, ports)(*columns)
        axis, body = "xy".index(output.name[1]), int(output.name[2])
        np.testing.assert_allclose(got, want[axis][:, body], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("law", [SPRING, GRAVITY], ids=["spring", "r2"])
def test_both_directions_of_a_pair_share_their_work(law: Law) -> None:
    """Six pairs: six square roots, and with masses folded in no more products than squares and force components."""
    program = fuse(step_model(law, 4, scalars={"m": MASSES}, nearest=0.25), [])
    kinds = [step.kind for step in program.assignments]
    assert kinds.count(Kind.FUNCTION) == 6
    assert kinds.count(Kind.PRODUCT) == 6 * (2 + 2)
    with_masses = fuse(step_model(law, 4, nearest=0.25), [])
    functions = [step for step in with_masses.assignments if step.kind is Kind.FUNCTION]
    assert len(functions) == 6 + 4, "a square root a pair and 1/m a body"


def test_euler_is_semi_implicit_and_stays_in_the_box() -> None:
    limits = {"x": (-4.0, 4.0), "y": (-4.0, 4.0), "vx": (-2.0, 2.0), "vy": (-2.0, 2.0)}
    at = states(50, 3) | {"m": np.tile(MASSES[:3], (50, 1))}
    model = step_model(SPRING, 3, scalars={"m": MASSES[:3]}, nearest=0.25, integrator="euler", dt=0.125, limits=limits)
    accelerations = pairwise(SPRING, at, 0.25)
    ports = [symbol(name) for name in model.inputs]
    columns = [at[name[:-1]][:, int(name[-1])] for name in model.inputs]
    got = {o.name: array_function(o.expression, ports)(*columns) for o in model.outputs}
    for k, axis in enumerate("xy"):
        speed = at[f"v{axis}"] + 0.125 * accelerations[k]
        place = at[axis] + 0.125 * speed  # with the new velocity
        for body in range(3):
            np.testing.assert_allclose(got[f"next_v{axis}{body}"], np.clip(speed[:, body], -2, 2), atol=1e-12)
            np.testing.assert_allclose(got[f"next_{axis}{body}"], np.clip(place[:, body], -4, 4), atol=1e-12)
    assert (np.abs(got["next_vx0"]) == 2).any(), "the box is never reached"


def test_neighbors() -> None:
    at = states(20, 4) | {"m": np.tile(MASSES, (20, 1))}
    chain = [(0, 1), (1, 0), (1, 2), (2, 1)]  # body 3 is alone
    model = step_model(SPRING, 4, neighbors=chain, scalars={"m": MASSES}, nearest=0.25)
    pair = {name: values[:, [0, 1]] for name, values in at.items()}
    assert {name[1:] for name in model.inputs} == {"0", "1", "2"}
    got = {o.name: o.expression for o in model.outputs}
    assert got["ax3"] == 0
    columns = [at[name[:-1]][:, int(name[-1])] for name in model.inputs]
    value = array_function(got["ay0"], [symbol(name) for name in model.inputs])(*columns)
    np.testing.assert_allclose(value, pairwise(SPRING, pair, 0.25)[1][:, 0], rtol=1e-12)


def test_the_pair_model_is_one_message() -> None:
    model = pair_model(GRAVITY, Motion(nearest=0.25))
    assert model.inputs == ("dx", "dy", "m_i", "m_j")
    dx, dy = np.array([0.5, -1.0, 0.01]), np.array([0.25, 2.0, 0.02])
    distance = np.maximum(np.hypot(dx, dy), 0.25)
    for output, d in zip(model.outputs, (dx, dy), strict=True):
        got = array_function(output.expression, [symbol(name) for name in model.inputs])(dx, dy, 2.0, 3.0)
        np.testing.assert_allclose(got, -6 * d / distance / (distance + 0.01) ** 2, rtol=1e-12)


@pytest.mark.parametrize(
    ("law", "error"),
    [
        (Law(2, (DX * symbol("k"), DY), NEWTON), "'k'"),
        (Law(2, (DX, DY), (sum_symbol(3), sum_symbol(1))), "'sum_3'"),
        (Law(2, (DX, DY), (M_J, sum_symbol(1))), "'m_j'"),
        (Law(2, (DX, DY), (sum_symbol(1),)), "1 components in 2 dimensions"),
    ],
)
def test_a_law_of_unknown_variables_is_refused(law: Law, error: str) -> None:
    with pytest.raises(LoadError, match=error):
        fields_of(law)


def test_what_is_asked_is_checked() -> None:
    with pytest.raises(LoadError, match=r"3 numbers for 4 bodies"):
        step_model(SPRING, 4, scalars={"m": [1, 2, 3]})
    with pytest.raises(LoadError, match=r"\(1, 1\)"):
        step_model(SPRING, 4, neighbors=[(0, 1), (1, 1)])
    with pytest.raises(FormatError, match="not 'leapfrog'"):
        step_model(SPRING, 4, integrator="leapfrog", dt=0.1)
    with pytest.raises(FormatError, match="both or neither"):
        step_model(SPRING, 4, integrator="euler")
    with pytest.raises(FormatError, match="no number format for m"):
        parallel_step(SPRING, 2, Words({"x": words().formats["x"], "y": words().formats["y"]}, words().limits))
    with pytest.raises(DomainError, match="give a nearest distance"):
        parallel_step(SPRING, 2, words(), scalars={"m": [1, 1]})


def test_words_of_data() -> None:
    data = states(500, 4)
    found = words_of(data, {"x": 14, "m": 10}, room=1.5)
    assert found.formats["x"] == found.formats["y"]
    assert found.formats["x"].width == 14
    assert (found.formats["vx"].width, found.formats["m"].width) == (16, 10)
    assert found.limits["x"][1] > 1.49 * max(data["x"].max(), data["y"].max()) - 0.1
    assert found.limits["m"] == pytest.approx((data["m"].min(), data["m"].max()), abs=2.0**-8)
    codes = codes_of_values(found, data)
    back = values_of_codes(found, codes)
    for name, values in data.items():
        assert np.abs(back[name] - values).max() <= float(found.formats[name].ulp) / 2
    outside = codes_of_values(found, {name: 100 * values for name, values in data.items()})
    assert outside["x"].max() == found.codes("x")[1]


# ---- parallel


@pytest.fixture(scope="module")
def parallel() -> ParallelStep:
    return parallel_step(
        SPRING, 4, words(), motion=Motion(nearest=0.25), scalars={"m": MASSES}, max_error=2.0**-6, target="vu9p-2"
    )


def test_parallel_step_within_its_bound(parallel: ParallelStep) -> None:
    codes = codes_of_values(parallel.words, states(400, 4, seed=5))
    at = values_of_codes(parallel.words, codes) | {"m": np.tile(MASSES, (400, 1))}
    got = parallel.run(codes)
    for axis, want in zip("xy", pairwise(SPRING, at, 0.25), strict=True):
        error = np.abs(got[f"a{axis}"] - want).max()
        assert error <= parallel.bounds[f"a{axis}"] <= 2.0**-6
        assert error > parallel.bounds[f"a{axis}"] / 20, "the bound says nothing"
    measured = measured_errors(parallel.design, parallel.ports(codes))  # raises above the bound
    assert len(measured) == 8
    multipliers = [n for n in parallel.design.circuit.nodes if n.op is Op.MUL]
    assert len(multipliers) <= 6 * (2 + 2 + 3), "two squares, two components and a polynomial of degree 3 a pair"


def test_parallel_step_in_the_simulators(parallel: ParallelStep) -> None:
    ports = parallel.ports(codes_of_values(parallel.words, states(300, 4, seed=6)))
    want = interpret(parallel.design.circuit, ports)
    for engine in (cpp, verilator):
        result = engine.run(parallel.design, ports)
        assert all((result.outputs[name] == codes).all() for name, codes in want.items()), engine.__name__
        assert result.latency in (None, parallel.latency)


# ---- serial


@pytest.fixture(scope="module")
def serial() -> SerialStep:
    return serial_step(
        SPRING, 4, words(), motion=Motion(nearest=0.25), max_error=2.0**-6, target="vu9p-2", name="pairs"
    )


@pytest.fixture(scope="module")
def euler() -> SerialStep:
    motion = Motion(0.25, "euler", 2.0**-6)
    return serial_step(GRAVITY, 4, words(16), motion=motion, lanes=4, target="vu9p-2", name="all")


def cornered(step: SerialStep, count: int, seed: int) -> dict[str, np.ndarray]:
    """Codes of random states; in half of them bodies lie in the corners of the box, or all but together."""
    rng = np.random.default_rng(seed)
    codes = codes_of_values(step.words, states(count, step.bodies, seed))
    for field in step.words.formats:
        low, high = step.words.codes(field)
        extreme = rng.choice([low, high, (low + high) // 2, (low + high) // 2 + 1], codes[field].shape)
        codes[field] = np.where(
            (rng.random(codes[field].shape) < 0.7) & (np.arange(count)[:, None] % 2 > 0), extreme, codes[field]
        )
    return codes


def test_serial_step_within_its_bound(serial: SerialStep) -> None:
    for codes in (cornered(serial, 3000, 1), codes_of_values(serial.words, states(3000, 4, seed=2, far=0.5))):
        at = values_of_codes(serial.words, codes)
        got = serial.run(codes)
        for axis, want in zip("xy", pairwise(SPRING, at, 0.25), strict=True):
            error = np.abs(got[f"a{axis}"] - want).max()
            bound = serial.bounds[f"a{axis}"]
            assert error <= bound <= 2.0**-6
            assert error > bound / 4, "the bound says little"


def test_serial_euler_within_its_bound(euler: SerialStep) -> None:
    codes = cornered(euler, 3000, 3)
    at = values_of_codes(euler.words, codes)
    got = euler.run(codes)
    for axis, a in zip("xy", pairwise(GRAVITY, at, 0.25), strict=True):
        speed = at[f"v{axis}"] + 2.0**-6 * a
        want = {f"next_{axis}": at[axis] + 2.0**-6 * speed, f"next_v{axis}": speed}
        for name, value in want.items():
            field = name.removeprefix("next_")
            error = np.abs(got[name] - np.clip(value, *euler.words.limits[field])).max()
            assert error <= euler.bounds[name] <= float(euler.words.formats[field].ulp)
            assert error > euler.bounds[name] / 4


def test_the_certificate_is_what_the_circuits_can_do(serial: SerialStep) -> None:
    proof = serial.certificate
    data = json.loads(proof.text())
    assert data["sr2hls_step_certificate"] == 1
    assert data["edge"] == short_digest(serial.edge)
    edge_bounds = {o.name: o.bound for o in serial.edge.certificate.outputs}
    for message, (_, index) in zip(proof.messages, serial.edge.circuit.outputs, strict=True):
        node = serial.edge.circuit.nodes[index]
        assert (message.low, message.high) == (node.low, node.high)
        assert (message.sum_low, message.sum_high) == (3 * node.low, 3 * node.high)
        assert -(2 ** (message.accumulator - 1)) <= message.sum_low
        assert message.sum_high < 2 ** (message.accumulator - 1)
        assert Fraction(message.sum_error) >= 3 * Fraction(edge_bounds[message.name])
    for output in proof.outputs:
        steepest = 1 / Fraction(serial.words.limits["m"][0])  # d (S/m) / dS
        assert all(steepest <= Fraction(slope) <= steepest * Fraction(1001, 1000) for slope in output.slopes.values())
        least = Fraction(output.node) + sum(
            Fraction(output.slopes[f"sum_{m.name[-1]}"]) * Fraction(m.sum_error)
            for m in proof.messages
            if f"sum_{m.name[-1]}" in output.slopes
        ) * Fraction(9999, 10000)
        assert Fraction(output.bound) >= least
        assert len(output.slopes) == 1


def test_overflow_is_refused(serial: SerialStep) -> None:
    targets = dict.fromkeys(serial.outputs, 1.0)
    bits = serial.certificate.messages[0].accumulator
    certify(serial.edge, serial.node, serial.words, 4, bits, targets)
    with pytest.raises(FormatError, match="more than an accumulator"):
        certify(serial.edge, serial.node, serial.words, 4, bits - 1, targets)
    with pytest.raises(FormatError, match="more than the node's port"):  # nine bodies need more bits
        certify(serial.edge, serial.node, serial.words, 9, bits + 2, targets)
    wider = words_of({name: 2 * values for name, values in states(500, 4).items()}, 12)
    with pytest.raises(CircuitError, match="not for the whole box"):
        certify(serial.edge, serial.node, wider.of(list(serial.words.formats)), 4, bits, targets)


def test_the_certificate_of_a_folder_is_checked_again(serial: SerialStep, tmp_path: Path) -> None:
    place = save(serial, tmp_path / "step")
    assert check_folder(place) == serial.certificate
    stated = serial.certificate.text()
    bound = repr(serial.certificate.outputs[0].bound)
    for old, new in ((f'"bound": {bound}', f'"bound": {float(bound) / 2}'), ('"bodies": 4', '"bodies": 3')):
        (place / CERTIFICATE).write_text(stated.replace(old, new, 1))
        with pytest.raises(MismatchError, match="does not follow"):
            check_folder(place)
    (place / CERTIFICATE).write_text(stated[:100])
    with pytest.raises(LoadError, match="damaged"):
        check_folder(place)


@pytest.mark.parametrize("which", ["serial", "euler"])
def test_serial_step_in_verilator(which: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    step: SerialStep = request.getfixturevalue(which)
    codes = cornered(step, 200, 4)
    want = step.run_codes(codes)
    found = simulate_serial(step, codes, gap=0)
    assert all((found.outputs[name] == want[name]).all() for name in step.outputs)
    assert found.came[0] - found.taken[0] == step.latency
    assert set(np.diff(found.came)[3:]) == {step.interval}
    assert step.interval == {"serial": 12, "euler": 4}[which]
    place = save(step, tmp_path / "step")
    names = sorted(path.name for path in place.glob("*.v"))
    program = str(toolchain.verilator_root() / "bin" / "verilator")
    command = [program, "--lint-only", "-Wall", "--top-module", step.name, *names]
    toolchain.run_tool(command, place, environment=toolchain.verilator_environment())
    toolchain.run_yosys("\n".join(f"read_verilog {n}" for n in names) + f"\nhierarchy -check -top {step.name}\n", place)


def test_lanes_divide_the_bodies() -> None:
    with pytest.raises(FormatError, match="3 lanes for 4 bodies"):
        serial_step(SPRING, 4, words(), lanes=3, max_error=0.1)
    with pytest.raises(FormatError, match="absolute error"):
        serial_step(SPRING, 4, words(), motion=Motion(nearest=0.25))
    with pytest.raises(LoadError, match="do not act on each other"):
        serial_step(Law(2, (DX, DY), (symbol("vx_i"), symbol("vy_i"))), 4, words(), max_error=0.1)


def test_gauge() -> None:
    """(sum of m_i m_j f) / m_i is the sum of m_j f; the spring's F/m_i gets no shorter and stays."""
    assert gauged(SPRING) is SPRING
    moved = gauged(GRAVITY)
    assert moved.node == (sum_symbol(1), sum_symbol(2))
    assert M_I not in moved.edge[0].free_symbols
    drag = Law(2, GRAVITY.edge, tuple(part - symbol("vx_i") for part in GRAVITY.node), 0.01)
    assert gauged(drag).node[0] == sum_symbol(1) - symbol("vx_i")


X, S = symbol("x_i"), symbol("sum_1")


@pytest.mark.parametrize(
    ("formula", "slope"),
    [
        (S / M_I, 4),
        (sympy.Min(sympy.Max(X + S / M_I / 16, -4), 4), sympy.Rational(1, 4)),
        (sympy.Abs(S) * M_I, 3),
        (S * sympy.exp(-(S**2) / 100), 1),
        (sympy.sqrt(S**2 + 1), 100 / sympy.sqrt(10001)),
        (X, 0),
    ],
)
def test_largest_slope(formula: sympy.Expr, slope: sympy.Expr) -> None:
    box = {"x_i": Interval.of(-4.0, 4.0), "m_i": Interval.of(0.25, 3.0), "sum_1": Interval.of(-100.0, 100.0)}
    found = float(largest_slope(formula, S, box))
    assert float(slope) <= found <= 1.03 * float(slope) + 1e-12


@pytest.mark.parametrize("formula", [sympy.sign(S), RoundHalfEven(S), Select(S, X, 2 * X), sympy.sqrt(sympy.Abs(S))])
def test_slopes_that_do_not_exist(formula: sympy.Expr) -> None:
    with pytest.raises((UnsupportedError, DomainError)):
        largest_slope(formula, S, {"x_i": Interval.of(-4.0, 4.0), "sum_1": Interval.of(-100.0, 100.0)})


# ---- trajectories


def begin(runs: int = 3) -> dict[str, np.ndarray]:
    return {name: 0.5 * values for name, values in states(runs, 4, seed=8, far=2.0).items()} | {
        "m": np.tile(MASSES, (runs, 1))
    }


def test_accelerations_are_the_law() -> None:
    at = states(40, 4)
    for law in (SPRING, GRAVITY, DAMPED):
        for got, want in zip(accelerations(law, 0.25, at), pairwise(law, at, 0.25), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)


def test_a_chain_of_bodies() -> None:
    chain = [(0, 1), (1, 0), (1, 2), (2, 1)]
    step = parallel_step(
        SPRING, 3, words(), motion=Motion(0.25), neighbors=chain, scalars={"m": MASSES[:3]}, max_error=0.02
    )
    begun = {name: values[:, :3] for name, values in begin(2).items() if name != "m"}
    driven = trajectory(step, begun, 10, dt=1 / 128)
    assert 0 < driven.error[-1].max() < 1e-3
    alone = {"m": np.tile(MASSES[:2], (2, 1))} | {name: values[:, :2] for name, values in begun.items()}
    pair = accelerations(SPRING, 0.25, alone)
    full = accelerations(SPRING, 0.25, begun | {"m": np.tile(MASSES[:3], (2, 1))}, chain)
    np.testing.assert_allclose(full[0][:, 0], pair[0][:, 0], rtol=1e-12)


def test_a_trajectory_of_accelerations(parallel: ParallelStep) -> None:
    driven = trajectory(parallel, begin(), 30, dt=1 / 128)
    assert driven.positions.shape == (31, 3, 4, 2)
    assert driven.held == 0
    assert (driven.error[0] == 0).all()
    assert 0 < driven.error[-1].max() < 0.01, "12 bits of a box of 8"
    assert (driven.error[-1] > driven.error[5]).all()
    with pytest.raises(FormatError, match="dt is needed"):
        trajectory(parallel, begin(), 2)
    with pytest.raises(LoadError, match="'vx'"):
        trajectory(parallel, {"x": np.zeros(4), "y": np.zeros(4)}, 2, dt=0.1)


def test_a_trajectory_inside_the_circuit(euler: SerialStep) -> None:
    """Fed with its own outputs; Verilator given the same states gives the same outputs, so it drives the same path."""
    driven = trajectory(euler, begin(2), 40)
    assert driven.times[-1] == 40 / 64
    assert driven.held == 0
    assert 0 < driven.error[-1].max() < 0.02
    for axis, at in enumerate("xy"):
        start = driven.states[at].reshape(40, 2, 4) * float(euler.words.formats[at].ulp)
        assert (start == driven.positions[:-1, ..., axis]).all()
    found = simulate_serial(euler, driven.states)
    want = replay(euler, driven)
    assert all((found.outputs[name] == want[name]).all() for name in euler.outputs)
    with pytest.raises(FormatError, match="compiled for dt"):
        trajectory(euler, begin(), 2, dt=0.5)
