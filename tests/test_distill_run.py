"""Trajectories → network → law → circuit, whole; the command line, its folder, and what it refuses in one line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sr2hls
from sr2hls.check.simulate import simulate
from sr2hls.cli import main
from sr2hls.distill import Distillation
from sr2hls.distill.law_json import law_of, law_text, read_law
from sr2hls.distill.read import write_npz
from sr2hls.distill.source import source_of
from sr2hls.distill.systems import names, system, truth
from sr2hls.distill.trajectories import Trajectories
from sr2hls.errors import FormatError, LoadError
from sr2hls.operators.numeric import evaluate

SMALL: dict[str, Any] = {"runs": 300, "steps": 600, "budget": 10_000, "seed": 1}


@pytest.fixture(scope="module")
def spring() -> Distillation:
    return sr2hls.distill(system="spring", **SMALL)


def test_the_springs_law_is_distilled_from_data_alone(spring: Distillation) -> None:
    assert spring.verdict is not None
    assert spring.verdict.recovered
    assert spring.same is not None
    assert spring.same.equal, spring.same.why
    assert spring.same.error < 0.05
    inside = spring.cases[0]
    assert inside[0] == "held-out runs"
    assert inside[2].median < inside[3].median / 10  # the law against the network


def test_the_law_holds_where_the_network_was_never_trained(spring: Distillation) -> None:
    assert [graphs.size[1] for _, graphs, _, _ in spring.cases] == [4, 8, 16, 4]
    for _, _, law, network in spring.cases[1:]:
        assert law.median < 0.01 < network.median


def test_its_circuit_is_the_formula_bit_for_bit(spring: Distillation) -> None:
    design = spring.compile(target="ecp5-6", width=10, output="fixed<12,8>")
    pairs = spring.pairs()
    evidence = simulate(design, None, samples=300, data=pairs)
    states = {engine.engine: engine.status for engine in evidence.engines}
    assert {"cpp", "verilator", "cxxrtl", "hls"} <= set(states)
    assert set(states.values()) <= {"equal", "not installed"}
    force = np.asarray(design.predict(pairs))
    r = np.hypot(pairs["dx"], pairs["dy"])
    true = np.stack([-2 * (r + 0.01 - 1) * pairs[d] / r for d in ("dx", "dy")], axis=1)
    far = r > 0.1  # nearer, ten bits of a position are too few
    assert np.abs(force - true)[far].max() < 0.5


def test_a_floor_for_the_distance_is_part_of_the_circuits_formula(spring: Distillation) -> None:
    floored = replace(spring, nearest=0.5)
    assert spring.model().inputs == floored.model().inputs == ("dx", "dy")
    assert [o.name for o in floored.model().outputs] == ["fx", "fy"]
    pairs = {"dx": np.array([0.3, 1.2]), "dy": np.array([0.0, 0.5])}
    plain, held = (evaluate(m.model().outputs[0].expression, pairs) for m in (spring, floored))
    assert held[0] == pytest.approx(-2 * (0.5 + 0.01 - 1) * 0.3 / 0.5)
    assert plain[0] != pytest.approx(held[0])
    assert plain[1] == pytest.approx(held[1])
    assert 1 < spring.steepness < 1000


def test_the_same_seed_gives_the_same_law(spring: Distillation) -> None:
    again = sr2hls.distill(system="spring", outside=False, **SMALL)
    assert again.law == spring.law
    assert len(again.cases) == 1


def test_the_command_writes_a_folder_that_compile_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = source_of(None, system="spring", runs=200).trajectories
    data = tmp_path / "bodies.npz"
    write_npz(given, data)
    out = tmp_path / "out"
    with pytest.raises(SystemExit) as ended:
        main(["distill", "--data", str(data), "--steps", "500", "--budget", "20000", "-o", str(out)])
    assert ended.value.code == 0
    shown = capsys.readouterr()
    assert "sum_1/m_i" in shown.out
    assert f"sr2hls compile {out}/force.json" in shown.out.replace("\n", "")
    assert "truth" not in shown.out  # of measured data nobody knows it
    assert sorted(p.name for p in out.iterdir()) == [
        "figures", "force.json", "law.json", "network", "pairs.csv", "report.html", "report.json"
    ]  # fmt: skip
    assert read_law(out).dimension == 2
    report = json.loads((out / "report.json").read_text())
    assert report["verdict"] is None
    assert any("true forces" in line for line in report["not_run"])
    assert not list(tmp_path.glob("*checkpoint*"))
    assert [o.name for o in sr2hls.load(out / "force.json").outputs] == ["fx", "fy"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give a file of trajectories or one of the systems: charge"),
        (["--system", "spring", "--data", "x.npz"], "one of the systems"),
        (["--system", "sping"], "did you mean 'spring'"),
        (["--system", "spring", "--strategy", "magic"], "no strategy 'magic'"),
        (["--system", "spring", "--dim", "4"], "4 dimensions"),
        (["--system", "spring", "--steps", "0"], "steps is 0"),
        (["--system", "spring", "--runs", "20", "--budget", "0"], "a budget of 0"),
        (["--system", "spring", "--nearest", "-1"], "nearest distance -1"),
        (["--data", "missing.npz"], "missing.npz"),
    ],
)
def test_bad_wishes_are_one_line(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["distill", *arguments, "-o", "out"])
    assert ended.value.code == 2
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("error: ")
    assert words in last
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", names())
def test_laws_go_through_json(name: str) -> None:
    for dimension in (2, 3):
        law = truth(system(name), dimension)
        assert law_of(law_text(law)) == law


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('"dimension": 2', '"dimension": 7'), "dimension"),
        (('"softening": 0.01', '"softening": NaN'), "softening"),
        (("sr2hls_law", "other"), "not a force law"),
        (("{", "["), "damaged JSON"),
    ],
)
def test_damaged_laws_are_refused(change: tuple[str, str], words: str) -> None:
    text = law_text(truth(system("spring"), 2))
    with pytest.raises(LoadError, match=words):
        law_of(text.replace(*change, 1))


def test_a_recipe_and_a_strategy_are_too_much() -> None:
    from sr2hls.distill import Recipe

    tiny = source_of(None, system="spring", runs=4).trajectories
    assert isinstance(tiny, Trajectories)
    with pytest.raises(FormatError, match="either a recipe"):
        sr2hls.distill(tiny, recipe=Recipe(), strategy="l1")
