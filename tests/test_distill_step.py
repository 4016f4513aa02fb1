"""The whole N-body step: formulas, the parallel circuit, the serial circuit, certificates and trajectories."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

from sr2hls.analyze.evaluate import array_function
from sr2hls.check import cpp, verilator
from sr2hls.check.measure import measured_errors
from sr2hls.circuit import Op
from sr2hls.distill.law import Law, sum_symbol
from sr2hls.distill.step import Words, fields_of, step_model, words_of
from sr2hls.distill.step.model import Motion
from sr2hls.distill.step.parallel import ParallelStep, codes_of_values, parallel_step, values_of_codes
from sr2hls.errors import DomainError, FormatError, LoadError
from sr2hls.interpret import interpret
from sr2hls.model import symbol
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
