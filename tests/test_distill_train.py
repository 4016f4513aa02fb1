"""Training: the same for the same seed, the same after an interruption, sound files, and forces that are recovered."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from distill_data import spring_forces, springs

from sr2hls.distill.graphs import split
from sr2hls.distill.networks.quiet import fast_bfloat16
from sr2hls.distill.networks.schedule import one_cycle
from sr2hls.distill.networks.train import Progress, train
from sr2hls.distill.networks.trained import Trained, load
from sr2hls.distill.recipe import Recipe
from sr2hls.errors import FormatError, LoadError

SMALL = Recipe(hidden=16, message=6, steps=60, batch=32, rate=1e-2, bf16=False)


def weights(trained: Trained) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in trained.network.state_dict().items()}


def same(one: Trained, other: Trained) -> bool:
    a, b = weights(one), weights(other)
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_a_seed_gives_the_same_weights_whatever_happened_before() -> None:
    graphs, held = split(springs(300))
    first = train(graphs, held, SMALL)
    torch.rand(7)
    torch.set_num_threads(2)
    try:
        state = torch.random.get_rng_state()
        again = train(graphs, held, SMALL)
        assert torch.equal(torch.random.get_rng_state(), state)
        assert torch.get_num_threads() == 2
        assert not torch.are_deterministic_algorithms_enabled()
    finally:
        torch.set_num_threads(1)
    assert same(first, again)
    assert np.array_equal(first.curve, again.curve)
    assert not same(first, train(graphs, held, replace(SMALL, seed=1)))


def test_settings_are_restored_after_an_error() -> None:
    graphs, held = split(springs(60))

    def fail(_: Progress) -> None:
        raise KeyboardInterrupt

    state = torch.random.get_rng_state()
    with pytest.raises(KeyboardInterrupt):
        train(graphs, held, SMALL, tell=fail)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize(
    ("name", "inputs"),
    [("bottleneck", "absolute"), ("kl", "relative"), ("pruning", "relative"), ("hamiltonian", "relative")],
)
def test_an_interrupted_training_ends_with_the_same_weights(tmp_path: Path, name: str, inputs: str) -> None:
    """Noise, shifts and pruning go on where they were."""
    graphs, held = split(springs(200))
    recipe = replace(SMALL, strategy=name, inputs=inputs)
    whole = train(graphs, held, recipe)
    checkpoint = tmp_path / "run" / "checkpoint.pt"
    cut = train(graphs, held, recipe, checkpoint=checkpoint, tell=lambda p: p.step >= 25)
    assert not cut.finished
    assert cut.curve[-1, 0] == 25
    rest = train(graphs, held, recipe, checkpoint=checkpoint, resume=True)
    assert rest.finished
    assert same(whole, rest)
    assert np.array_equal(whole.curve, rest.curve)
    steps: list[int] = []
    done = train(graphs, held, recipe, checkpoint=checkpoint, resume=True, tell=lambda p: steps.append(p.step))
    assert not steps
    assert same(whole, done)
    assert [path.name for path in checkpoint.parent.iterdir()] == ["checkpoint.pt"]


def test_a_checkpoint_of_something_else_is_refused(tmp_path: Path) -> None:
    graphs, held = split(springs(100))
    checkpoint = tmp_path / "checkpoint.pt"
    short = replace(SMALL, steps=4)
    train(graphs, held, short, checkpoint=checkpoint)
    with pytest.raises(LoadError, match="other data or another recipe"):
        train(graphs, held, replace(short, hidden=8), checkpoint=checkpoint, resume=True)
    with pytest.raises(LoadError, match="other data or another recipe"):
        train(springs(100, seed=3), held, short, checkpoint=checkpoint, resume=True)
    checkpoint.write_bytes(checkpoint.read_bytes()[:500])
    with pytest.raises(LoadError, match="damaged"):
        train(graphs, held, short, checkpoint=checkpoint, resume=True)
    content = torch.load(_saved(tmp_path, {"about": "x"}), weights_only=True)
    assert content == {"about": "x"}
    train(graphs, held, short, checkpoint=checkpoint)  # without resume it begins anew
    train(graphs, held, short, checkpoint=checkpoint, resume=True)


def _saved(folder: Path, content: Any) -> Path:
    path = folder / "other.pt"
    torch.save(content, path)
    return path


@pytest.mark.parametrize("name", ["newton", "kl", "hamiltonian"])
def test_a_network_survives_its_folder(tmp_path: Path, name: str) -> None:
    graphs, held = split(springs(100))
    trained = train(graphs, held, replace(SMALL, strategy=name, steps=4))
    trained.save(tmp_path / "a" / "b")
    back = load(tmp_path / "a" / "b")
    assert same(trained, back)
    assert (back.recipe, back.columns, back.finished) == (trained.recipe, trained.columns, True)
    assert np.array_equal(back.curve, trained.curve)
    assert np.array_equal(back.predict(held), trained.predict(held))
    assert back.loss(held) == trained.loss(held)


def test_files_that_are_not_networks_are_refused_and_not_executed(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="no such file"):
        load(tmp_path)

    class Trap:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return (Path.touch, (tmp_path / "executed",))  # type: ignore[return-value]

    for content in ({"about": Trap()}, {"about": "{}"}, {"about": json.dumps({"format": "other"})}, [1], {"a": 1}):
        torch.save(content, tmp_path / "network.pt")
        with pytest.raises(LoadError, match=r"network\.pt: "):
            load(tmp_path)
    assert not (tmp_path / "executed").exists()


def test_a_trained_network_takes_other_numbers_of_bodies() -> None:
    graphs, held = split(springs(100))
    trained = train(graphs, held, replace(SMALL, steps=4))
    for n in (2, 8, 16):
        many = springs(9, n=n)
        record = trained.record(many, spring_forces(many))
        e = n * (n - 1)
        assert record.messages.shape == (9, e, 2)
        assert record.predicted.shape == (9, n, 2)
        assert record.edge["dx"].shape == record.edge["m_j"].shape == (9, e)
        assert record.node["m_i"].shape == (9, n)
        assert record.forces is not None
        assert record.forces.shape == (9, e, 2)
        assert record.importance.max() == 1
        assert np.array_equal(record.predicted, trained.predict(many))
    chained = trained.record(springs(9, n=6, chain=True))
    assert chained.messages.shape == (9, 10, 2)


def test_the_error_is_that_of_the_recipe() -> None:
    graphs, held = split(springs(100))
    plain = train(graphs, held, replace(SMALL, steps=4))
    error = np.abs(plain.predict(held) - held.accelerations).sum(2)
    assert plain.loss(held) == pytest.approx(error.sum(1).mean(), rel=1e-5)
    assert plain.curve[-1, 2] == pytest.approx(plain.loss(held), rel=1e-5)
    soft = train(graphs, held, replace(SMALL, steps=4, soften=3.0))
    error = np.abs(soft.predict(held) - held.accelerations).sum(2)
    size = np.abs(held.accelerations).sum(2)
    assert soft.loss(held) == pytest.approx((error * 3 / (3 + size)).sum(1).mean(), rel=1e-5)


def test_newton_recovers_the_spring_force() -> None:
    """Three seconds on one core; 0.985 to 0.991 over three seeds."""
    graphs, held = split(springs(4000, runs=40))
    recipe = replace(SMALL, strategy="newton", hidden=32, batch=128, steps=800)
    trained = train(graphs, held, recipe)
    record = trained.record(held, spring_forces(held))
    true = spring_forces(held)
    r2 = 1 - ((record.messages - true) ** 2).sum() / ((true - true.mean((0, 1))) ** 2).sum()
    assert r2 > 0.98
    before, after = trained.curve[0, 2], trained.curve[-1, 2]
    assert after < 0.2 * before


def test_units_do_not_matter_to_the_training() -> None:
    """Powers of two scale floats exactly, so the same network comes out."""
    small, large = (split(springs(200, scale=s)) for s in (1.0, 1024.0))
    recipe = replace(SMALL, strategy="l1", steps=20)
    a, b = train(*small, recipe), train(*large, recipe)
    assert np.allclose(a.predict(small[1]) * 1024, b.predict(large[1]), rtol=1e-3, atol=1.0)
    assert a.loss(small[1]) * 1024 == pytest.approx(b.loss(large[1]), rel=1e-3)


def test_pruning_leaves_as_many_components_as_dimensions() -> None:
    graphs, held = split(springs(200))
    trained = train(graphs, held, replace(SMALL, strategy="pruning"))
    record = trained.record(held)
    assert int((record.importance > 0).sum()) == 2
    assert int((np.abs(record.messages).sum((0, 1)) > 0).sum()) == 2


def test_the_learning_rate_rises_and_falls() -> None:
    rates = [one_cycle(k / 100, 1.0)[0] for k in range(101)]
    assert rates[0] == pytest.approx(1 / 25)
    assert max(rates) == rates[30] == 1
    assert rates[100] == pytest.approx(1 / 25 / 1e5)
    assert one_cycle(0.3, 1.0)[1] == pytest.approx(0.85)
    assert one_cycle(0.0, 1.0)[1] == one_cycle(1.0, 1.0)[1] == 0.95


def test_bfloat16_only_where_it_is_asked_for_or_fast() -> None:
    graphs, held = split(springs(100))
    short = replace(SMALL, steps=4)
    assert train(graphs, held, replace(short, bf16=None)).recipe.bf16 is fast_bfloat16()
    half, full = (train(graphs, held, replace(short, bf16=bf16)) for bf16 in (True, False))
    assert not same(half, full)
    assert train(graphs, held, replace(short, bf16=True, strategy="hamiltonian")).recipe.bf16 is False


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"hidden": 0}, "hidden is 0"),
        ({"steps": -1}, "steps is -1"),
        ({"rate": 0.0}, "rate"),
        ({"soften": 0.0}, "soften"),
    ],
)
def test_recipes_that_cannot_be_are_refused(change: dict[str, Any], text: str) -> None:
    graphs, held = split(springs(40))
    with pytest.raises(FormatError, match=text):
        train(graphs, held, replace(SMALL, **change))
