"""Synthetic messages with known forces → what extraction says: significance, verdicts, frames."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from sr2hls.distill.extract import Framed, frame, in_frame, significance, top, trimmed_fit, verdict, with_messages
from sr2hls.distill.extract.significance import principal
from sr2hls.distill.records import Record
from sr2hls.distill.trajectories import AXES, Floats
from sr2hls.errors import FormatError

Factor = Callable[[Floats, Floats], Floats]
N = 4
RECEIVERS = np.repeat(np.arange(N), N - 1)
SENDERS = np.array([j for i in range(N) for j in range(N) if j != i])


def one(m: Floats, _q: Floats) -> Floats:
    return np.ones_like(m)


def per_mass(m: Floats, _q: Floats) -> Floats:
    return 1 / m


def sign(_m: Floats, q: Floats) -> Floats:
    return q


def sign_per_mass(m: Floats, q: Floats) -> Floats:
    return q / m


def record_of(
    law: str = "spring",
    d: int = 2,
    factors: tuple[Factor, ...] = (one, one, one),
    *,
    b: int = 1000,
    width: int = 0,
    offset: float = 0.3,
    noise: float = 0.01,
    drag: float = 0.0,
    seed: int = 0,
) -> Record:
    """Messages A(m_i, q_i) F + offset + noise of `width` (d) components, of which the last ones are the true ones.

    Noise is relative to the message; the largest forces are cut as a network of finite size does.
    """
    rng = np.random.default_rng(seed)
    x, v = rng.standard_normal((2, b, N, d))
    m, q = np.exp(rng.standard_normal((b, N))), rng.choice([-1.0, 1.0], (b, N))
    dx = x[:, RECEIVERS] - x[:, SENDERS]
    r = np.sqrt((dx**2).sum(-1)) + 0.01
    pairs = {
        "spring": -2 * (r - 1) / r,
        "r2": -m[:, RECEIVERS] * m[:, SENDERS] / r**3,
        "charge": q[:, RECEIVERS] * q[:, SENDERS] / r**3,
    }
    forces = pairs[law][..., None] * dx
    sums = np.zeros((b, N, d))
    for e, i in enumerate(RECEIVERS):
        sums[:, i] += forces[:, e]
    accelerations = (sums - drag * v) / m[..., None]
    turn = np.linalg.qr(rng.standard_normal((d, d)))[0] * np.linspace(0.7, 1.6, d)[:, None]
    size = np.linalg.norm(forces, axis=-1, keepdims=True)
    cut = forces / (1 + (size / 300) ** 2)
    messages = (cut * (1 + noise * rng.standard_normal(cut.shape))) @ turn.T
    for c in range(d):
        messages[..., c] *= factors[c](m[:, RECEIVERS], q[:, RECEIVERS])
    messages = messages + offset * (1 + np.arange(d))
    if width > d:
        quiet = 0.02 * rng.standard_normal((*messages.shape[:2], width - d))
        messages = np.concatenate([quiet, messages], axis=-1)
    edge = {f"d{axis}": dx[..., k] for k, axis in enumerate(AXES[:d])} | {"r": r}
    node: dict[str, Floats] = {}
    for k, axis in enumerate(AXES[:d]):
        edge |= {f"v{axis}_i": v[:, RECEIVERS, k], f"v{axis}_j": v[:, SENDERS, k]}
        node |= {f"v{axis}_i": v[..., k]}
    for name, values in (("m", m), ("q", q)):
        edge |= {f"{name}_i": values[:, RECEIVERS], f"{name}_j": values[:, SENDERS]}
        node |= {f"{name}_i": values}
    summed = np.zeros((b, N, messages.shape[-1]))
    for e, i in enumerate(RECEIVERS):
        summed[:, i] += messages[:, e]
    std = messages.std(axis=(0, 1))
    predicted = accelerations * (1 + 0.02 * rng.standard_normal(accelerations.shape))
    return Record(
        edge,
        messages,
        std / std.max(),
        SENDERS,
        RECEIVERS,
        node,
        summed,
        predicted,
        accelerations,
        forces=forces,
    )


def against_truth(record: Record, framed: Framed) -> tuple[Floats, Floats]:
    """(trimmed R² by axis, matrix) of the framed vectors as an affine function of the true force or acceleration."""
    assert record.forces is not None
    true = record.forces if framed.target == "force" else record.forces / record.edge["m_i"][..., None]
    d = true.shape[-1]
    flat = true.reshape(-1, d)
    fit = trimmed_fit(flat, framed.vectors.reshape(-1, d), np.linalg.norm(flat, axis=1))
    assert np.abs(fit.offset).max() < 0.02
    return fit.trimmed, fit.coefficients


# ---- the trimmed fit


def test_a_trimmed_fit_finds_the_line_that_a_tenth_of_the_rows_hides() -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal((2000, 2))
    y = x @ np.array([[1.0, -3.0], [2.0, 0.5]]) + [0.5, -1.0] + 0.01 * rng.standard_normal((2000, 2))
    y[:180] = rng.uniform(-500, 500, (180, 2))
    fit = trimmed_fit(x, y, np.abs(y).sum(1))
    np.testing.assert_allclose(fit.coefficients, [[1.0, -3.0], [2.0, 0.5]], atol=2e-3)
    np.testing.assert_allclose(fit.offset, [0.5, -1.0], atol=2e-3)
    assert fit.trimmed.min() > 0.999
    assert fit.plain.max() < 0.1


def test_the_second_start_does_not_see_leverage_points() -> None:
    """Saturated messages at forces of 1e5: concentration steps from ordinary least squares alone stay flat."""
    rng = np.random.default_rng(2)
    force = rng.standard_normal((4000, 1))
    force[:300] = 1e5 * rng.standard_normal((300, 1))
    message = np.clip(force, -3, 3) * 0.7 + 0.1
    size = np.abs(force[:, 0])
    fit = trimmed_fit(force, message, size)
    assert fit.coefficients[0, 0] == pytest.approx(0.7, abs=1e-3)
    assert fit.trimmed[0] > 0.999
    assert fit.plain[0] < 0.3
    blind = trimmed_fit(force, message, np.zeros(4000))  # both starts see every row
    assert blind.trimmed[0] < 0.5


def test_linear_dependences_and_constants_are_no_trouble() -> None:
    rng = np.random.default_rng(3)
    x = rng.standard_normal((500, 1))
    y = np.concatenate([3 * x, np.full((500, 1), 2.0)], axis=1)
    fit = trimmed_fit(np.concatenate([x, 2 * x, np.ones((500, 1)), np.zeros((500, 1))], axis=1), y, np.ones(500))
    assert fit.trimmed[0] == pytest.approx(1.0)
    assert fit.trimmed[1] == fit.plain[1] == 0.0  # nothing varies, nothing is explained


def test_figures_do_not_depend_on_the_units() -> None:
    rng = np.random.default_rng(3)
    x = rng.standard_normal((500, 2))
    y = x[:, :1] + 0.2 * rng.standard_normal((500, 1))
    one, other = (trimmed_fit(s * x, s * y, s * np.abs(y[:, 0])) for s in (1.0, 1e-14))
    np.testing.assert_allclose(other.trimmed, one.trimmed, rtol=1e-9)
    np.testing.assert_allclose(other.coefficients, one.coefficients, rtol=1e-9, atol=1e-9)


def test_fits_refuse_too_few_rows_and_bad_numbers() -> None:
    with pytest.raises(FormatError, match="too few"):
        trimmed_fit(np.ones((5, 2)), np.ones((5, 1)), np.ones(5))
    with pytest.raises(FormatError, match="not finite"):
        trimmed_fit(np.full((50, 2), np.nan), np.ones((50, 1)), np.ones(50))


# ---- significance


def test_a_few_close_encounters_do_not_decide_the_ranking_by_spread() -> None:
    record = record_of(width=5)
    loud = record.messages.copy()
    loud[:3, 0, 0] = 1e4  # three edges of a quiet component
    record = replace(record, messages=loud)
    assert 0 in top(record, 2, "std")
    assert set(top(record, 2, "spread")) == {3, 4}
    assert list(top(record, 9, "spread")[:2]) == list(top(record, 2))
    assert len(top(record, 9)) == 5
    with pytest.raises(FormatError, match="spread"):
        top(record, 2, "size")  # type: ignore[arg-type]


def test_principal_components_span_the_messages_whatever_the_axes() -> None:
    record = record_of(width=6)
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((6, 6)))[0]
    turned = replace(record, messages=record.messages @ turn)
    shares = significance(turned).principal
    assert shares.sum() == pytest.approx(1.0)
    assert shares[:2].sum() > 0.99
    np.testing.assert_allclose(shares, significance(record).principal, atol=1e-9)
    directions = principal(turned, 2).directions
    assert np.linalg.norm(turn.T[:, -2:].T @ directions) == pytest.approx(np.sqrt(2), abs=0.01)


def test_information_of_sampled_messages() -> None:
    record = record_of(width=4)
    assert significance(record).information is None
    mean, log_variance = np.zeros_like(record.messages), np.zeros_like(record.messages)
    mean[..., 1] = 2.0
    log_variance[..., 2] = -4.0
    nats = significance(replace(record, messages=mean, spread=log_variance)).information
    assert nats is not None
    np.testing.assert_allclose(nats, [0.0, 2.0, (np.exp(-4) + 3) / 2, 0.0])


# ---- verdict


@pytest.mark.parametrize(
    ("law", "factors", "gauge"),
    [
        ("spring", (one, one), ("F", "F")),
        ("r2", (per_mass, per_mass), ("F/m_i", "F/m_i")),
        ("charge", (one, sign), ("F", "q_i*F")),
        ("charge", (sign_per_mass, per_mass), ("q_i*F/m_i", "F/m_i")),
    ],
)
def test_a_verdict_finds_the_gauge_of_each_component(
    law: str, factors: tuple[Factor, ...], gauge: tuple[str, ...]
) -> None:
    record = record_of(law, 2, factors)
    found = verdict(record)
    order = found.scores[found.ranking].components
    assert found.recovered
    assert tuple(found.gauge[order.index(c)] for c in range(2)) == gauge
    assert min(found.trimmed) > 0.99
    assert min(found.conditional) >= min(found.trimmed) - 1e-3
    if law != "spring":
        assert max(found.plain) < 0.9  # the plain one is spoilt by the cut forces
    if "F" not in gauge:
        assert min(found.scores[found.ranking].by_gauge["F"]) < 0.95


def test_a_verdict_in_three_dimensions_with_idle_components() -> None:
    found = verdict(record_of("r2", 3, (per_mass,) * 3, width=8))
    assert found.recovered
    assert found.gauge == ("F/m_i",) * 3
    assert set(found.scores["spread"].components) == {5, 6, 7}


def test_a_verdict_says_no_to_messages_that_are_not_the_force() -> None:
    record = record_of("spring", b=500)
    rng = np.random.default_rng(0)
    blurred = replace(record, messages=record.messages + 0.6 * rng.standard_normal(record.messages.shape))
    found = verdict(blurred)
    assert not found.recovered
    assert found.line.startswith("not recovered: trimmed R²")
    assert "0.95" in found.line
    assert verdict(blurred, threshold=0.5).recovered


def test_two_components_that_say_the_same_are_not_two_axes() -> None:
    record = record_of("spring", b=500, offset=0.0)
    copied = record.messages[..., :1]
    twin = np.concatenate([copied, copied * 1.1, record.messages[..., 1:]], axis=-1)
    same = verdict(replace(record, messages=np.concatenate([copied, 2 * copied], axis=-1)))
    assert min(same.scores["spread"].trimmed) > 0.99
    assert not same.recovered
    assert "say the same" in same.line
    narrow = verdict(replace(record, messages=copied, importance=np.ones(1)))
    assert not narrow.recovered
    assert "too few" in narrow.line
    # Principal components see both axes where the two most spread components do not.
    twin[..., 2] *= 0.1
    wide = verdict(replace(record, messages=twin, importance=np.ones(3)))
    assert wide.recovered
    assert wide.ranking == "principal components"


def test_a_heavy_tail_alone_does_not_pass() -> None:
    """A sign that is drawn for each receiver: the tenth that is dropped holds the large forces of the wrong sign."""
    record = record_of("charge", offset=0.0)
    signs = np.random.default_rng(4).choice([-1.0, 1.0], (1000, N))[:, RECEIVERS, None]
    assert record.forces is not None
    found = verdict(replace(record, messages=record.forces * signs))
    assert min(found.trimmed) > 0.95
    assert not found.recovered
    assert "large forces alone" in found.line


def test_a_verdict_needs_the_truth() -> None:
    record = record_of(b=50)
    with pytest.raises(FormatError, match="true forces"):
        verdict(replace(record, forces=None))
    with pytest.raises(FormatError, match="diverged"):
        verdict(replace(record, messages=np.full_like(record.messages, np.nan)))


def test_a_verdict_is_data_and_one_line() -> None:
    found = verdict(record_of("r2", factors=(per_mass, per_mass), b=400))
    assert "\n" not in found.line
    assert "F/m_i" in found.line
    assert "0.95" in found.criterion
    data = json.loads(json.dumps(found.data(), allow_nan=False))
    assert data["recovered"] is True
    assert set(data["by_ranking"]) == {"spread", "std", "importance", "principal components"}


def test_a_verdict_without_mass_or_charge_has_the_force_gauge_only() -> None:
    record = record_of("spring", b=400)
    bare = replace(record, edge={k: v for k, v in record.edge.items() if k[0] not in "mq"})
    assert set(verdict(bare).scores["spread"].by_gauge) == {"F"}


# ---- frame


@pytest.mark.parametrize(
    ("law", "d", "factors", "target"),
    [
        ("spring", 2, (one, one), "force"),
        ("spring", 3, (one, one, one), "force"),
        ("r2", 2, (per_mass, per_mass), "acceleration"),
        ("r2", 2, (one, one), "acceleration"),
        ("charge", 2, (one, sign), "force"),
        ("charge", 3, (sign_per_mass, one, per_mass), "force"),
    ],
)
def test_a_frame_turns_messages_into_forces_without_the_truth(
    law: str, d: int, factors: tuple[Factor, ...], target: str
) -> None:
    record = record_of(law, d, factors)
    framed = frame(replace(record, forces=None))
    assert framed.good
    assert framed.target == target
    assert not framed.has_own
    r2, matrix = against_truth(record, framed)
    assert r2.min() > 0.99
    np.testing.assert_allclose(matrix, np.eye(d), atol=0.04)


def test_a_frame_finds_the_axes_among_idle_components_and_in_a_rotated_space() -> None:
    record = record_of("spring", width=6)
    turn = np.linalg.qr(np.random.default_rng(5).standard_normal((6, 6)))[0]
    for given in (record, replace(record, messages=record.messages @ turn, summed=record.summed @ turn)):
        framed = frame(given)
        r2, matrix = against_truth(record, framed)
        assert r2.min() > 0.99
        np.testing.assert_allclose(matrix, np.eye(2), atol=0.03)
    assert "principal" in framed.gauge


def test_a_frame_with_a_general_receiver_matrix() -> None:
    """A(m_i, q_i) that mixes the components: no single factor fits, their sum does."""
    record = record_of("charge", offset=0.0)
    m, q = record.edge["m_i"], record.edge["q_i"]
    field = record.messages / (m + 0.5 * q * m)[..., None]  # inverse: factors m_i and q_i*m_i together
    framed = frame(with_messages(record, field))
    assert set(framed.matrix) == {"1", "m_i", "q_i", "q_i*m_i"}
    assert against_truth(record, framed)[0].min() > 0.99


def test_drag_is_found_as_a_term_of_the_body() -> None:
    record = record_of("spring", drag=1.0)
    framed = frame(record)
    assert framed.target == "force"
    assert framed.has_own
    np.testing.assert_allclose([framed.own["vx_i"][0], framed.own["vy_i"][1]], [-1.0, -1.0], atol=0.05)
    assert abs(framed.own["vx_i"][1]) < 0.05
    assert against_truth(record, framed)[0].min() > 0.99


def newton(record: Record, drag: float = 0.0) -> Record:
    """Messages that are forces by construction; a drag can only hide in them."""
    assert record.forces is not None
    speed = np.stack([record.edge["vx_i"], record.edge["vy_i"]], axis=-1)
    messages = record.forces - drag * speed / (N - 1)
    found = with_messages(record, messages)
    return replace(found, predicted=found.summed / record.node["m_i"][..., None])


def test_messages_that_are_forces_stay_what_they_are() -> None:
    record = newton(record_of("r2"))
    framed = frame(record)
    assert framed.gauge == "identity (force)"
    assert framed.target == "force"
    assert framed.good
    assert record.forces is not None
    np.testing.assert_array_equal(framed.matrix["1"], np.eye(2))
    scale = np.median(np.abs(record.forces))
    assert np.median(np.abs(framed.vectors - record.forces)) < 0.01 * scale
    asked = frame(record, target="acceleration")
    np.testing.assert_allclose(asked.vectors, framed.vectors / record.edge["m_i"][..., None])
    assert frame(record, identity=False).gauge != framed.gauge


def test_drag_that_hides_in_messages_is_taken_out_of_them() -> None:
    framed = frame(newton(record_of("spring", drag=0.9), 0.9))
    assert framed.offset["vx_i"][0] == pytest.approx(-0.3, abs=0.02)
    assert framed.has_own
    assert framed.own["vy_i"][1] == pytest.approx(-0.9, abs=0.05)


def test_weight_that_hides_in_messages_is_taken_out_of_them() -> None:
    """A uniform field of 3 along y: without room in the node function each of three messages holds a third of m g."""
    record = newton(record_of("spring", b=500))
    weight = np.stack([np.zeros_like(record.edge["m_i"]), -record.edge["m_i"]], axis=-1)
    heavy = with_messages(record, record.messages + weight)
    a = heavy.summed / record.node["m_i"][..., None]
    heavy = replace(heavy, predicted=a, accelerations=a)
    assert not verdict(heavy).recovered
    framed = frame(heavy)
    assert framed.offset["m_i"][1] == pytest.approx(-1.0, abs=0.02)
    assert framed.has_own
    assert framed.own["m_i"][1] == pytest.approx(-3.0, abs=0.06)
    assert verdict(with_messages(heavy, framed.vectors)).recovered


def test_friction_between_pairs_stays_in_the_messages() -> None:
    record = newton(record_of("spring"))
    speed = np.stack([record.edge[f"v{a}_i"] - record.edge[f"v{a}_j"] for a in "xy"], axis=-1)
    rubbed = with_messages(record, record.messages - 0.5 * speed)
    a = rubbed.summed / record.node["m_i"][..., None]
    framed = frame(replace(rubbed, predicted=a, accelerations=a))
    assert "vx_i" not in framed.offset
    assert not framed.has_own


def test_a_poor_frame_says_so() -> None:
    record = record_of("spring", b=500)
    rng = np.random.default_rng(0)
    framed = frame(with_messages(record, rng.standard_normal(record.messages.shape)))
    assert not framed.good
    assert "poor" in framed.line
    assert any("need not be the law" in note for note in framed.notes)


def test_a_frame_without_masses_is_one_of_accelerations() -> None:
    record = record_of("spring", b=500)
    assert record.forces is not None
    sums = with_messages(record, record.forces).summed
    bare = replace(
        record,
        edge={k: v for k, v in record.edge.items() if k[0] not in "mq"},
        node={k: v for k, v in record.node.items() if k[0] not in "mq"},
        accelerations=sums,  # all masses are 1
        predicted=sums,
    )
    framed = frame(bare)
    assert framed.target == "acceleration"
    assert framed.good
    with pytest.raises(FormatError, match="masses"):
        frame(bare, target="force")


def test_the_frame_of_one_record_holds_for_another() -> None:
    record, other = record_of("charge", factors=(one, sign)), record_of("charge", factors=(one, sign))
    framed = frame(record)
    np.testing.assert_array_equal(in_frame(framed, record), framed.vectors)
    part = replace(
        other,
        edge={name: values[:10] for name, values in other.edge.items()},
        messages=other.messages[:10],
        accelerations=other.accelerations[:10],
    )
    np.testing.assert_allclose(in_frame(framed, part), framed.vectors[:10])


def test_frames_refuse_what_cannot_be_framed() -> None:
    record = record_of("spring", width=4, b=100)
    with pytest.raises(FormatError, match="as many components"):
        frame(record, identity=True)
    with pytest.raises(FormatError, match="learnt nothing"):
        frame(with_messages(record, np.zeros_like(record.messages)), identity=False)


def test_a_frame_is_data() -> None:
    data = json.loads(json.dumps(frame(record_of("spring", b=300)).data(), allow_nan=False))
    assert data["target"] == "force"
    assert data["good"] is True
