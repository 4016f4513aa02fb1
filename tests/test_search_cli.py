"""`sr2hls search` as people use it: what it prints, writes, refuses, and how Ctrl-C ends it."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from search_stubs import COSTS, STAGES, plane
from test_cli import Run, run  # noqa: F401 - a fixture

from sr2hls.search import stages, view
from sr2hls.search.candidate import Progress
from sr2hls.search.data import prepare
from sr2hls.search.run import search
from sr2hls.search.settings import Settings
from sr2hls.search.show import front_table, widest


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A data file, and the stub in the place of every engine."""
    monkeypatch.setattr("sr2hls.search.run.choose", lambda _engine: STAGES)
    X, y = plane(100)  # noqa: N806
    path = tmp_path / "toy.csv"
    np.savetxt(path, np.column_stack([X, y, -y]), delimiter=",", header="a,b,c,y,z", comments="")
    return path


def words(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


@pytest.mark.usefixtures("stub")
def test_a_search_prints_its_front_and_what_to_do_next(run: Run, tmp_path: Path) -> None:  # noqa: F811
    result = run("search", "toy.csv", "--drop", "z", "--target", "ecp5-6")
    assert result.code == 0, result.err
    head, *rows = words(result.out)[:6]
    assert head[:9] == ["index", "cycles", "ns", "LUT", "DSP", "R2", "loss", "output", "y"]
    assert [row[:3] for row in rows[:3]] == [["0", "1", "10"], ["1", "1", "10"], ["2", "1", "10"]]
    assert rows[3][:4] == ["*", "3", "3", "30"]
    assert rows[4][:3] == ["4", "-", "-"]
    assert "refused:" in result.out
    assert "next:      sr2hls compile toy_search" in result.out
    assert "engine:    stub" in result.err
    assert "data:      y from 3 inputs; 80 rows to fit, 20 to judge by" in result.err
    assert "stub: y, seed 0, 100% of the budget, 100 evaluations, " in result.err
    assert {p.name for p in tmp_path.iterdir()} == {"toy.csv", "toy_search"}


@pytest.mark.usefixtures("stub")
def test_the_next_command_makes_the_circuit_of_the_search(run: Run, tmp_path: Path) -> None:  # noqa: F811
    assert (
        run("search", "toy.csv", "--drop", "z", "-o", "found", "--quiet", "--width", "10", "--clock", "4ns").code == 0
    )
    result = run("compile", "found", "--json")
    assert result.code == 0, result.err
    report = json.loads(result.out)
    ports = {port["name"]: port["format"] for port in report["ports"]}
    assert (ports["a"], ports["b"]) == ("fixed<10,2>", "fixed<10,2>")
    design = json.loads((tmp_path / "found_sr2hls" / "design.json").read_text())
    assert (design["target"]["name"], design["clock_ns"]) == ("vu9p-2", 4.0)
    other = json.loads(run("compile", "found", "--json", "--target", "xc7-2", "--inputs", "fixed<9,4>", "-o", "o").out)
    assert {port["format"] for port in other["ports"] if port["direction"] == "input"} == {"fixed<9,4>"}
    assert json.loads((tmp_path / "o" / "design.json").read_text())["target"]["name"] == "xc7-2"


@pytest.mark.usefixtures("stub")
def test_a_long_equation_is_whole_in_a_pipe_and_folded_on_a_terminal(tmp_path: Path) -> None:
    X, y = plane(100)  # noqa: N806
    names = [f"input_with_a_long_name_{i:030d}" for i in range(3)]
    result = search(dict(zip([*names, "y"], [*X.T, y], strict=True)), outputs="y", stages=STAGES)
    equation = result.best[0].equation
    assert len(equation) > 150
    for width in (widest(result), 100):
        text = io.StringIO()
        Console(file=text, width=width, soft_wrap=True).print(front_table(result, result.outputs[0]))
        assert (equation in text.getvalue()) == (width > 100)
        head, *lines = text.getvalue().splitlines()
        shown = "".join(line[head.index("y =") :].strip() for line in lines).replace(" ", "")
        assert equation.replace(" ", "") in shown
        assert "…" not in text.getvalue()
        assert "fixed<16,6>" in text.getvalue()


@pytest.mark.usefixtures("stub")
def test_two_outputs_as_json_and_quietly(run: Run) -> None:  # noqa: F811
    result = run("search", "toy.csv", "--output", "y", "--target-column", "z", "--json")
    assert (result.code, result.err) == (0, "")
    data = json.loads(result.out)
    assert [o["name"] for o in data["outputs"]] == ["y", "z"]
    shown = run("equations", "toy_search")
    assert "*      3           3" in shown.out
    assert "z =" in shown.out
    assert "folder" not in run("compile", "toy_search", "--only", "z").err


@pytest.mark.usefixtures("stub")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.csv"], "error: nothing.csv: cannot be read (No such file or directory)"),
        (["toy.csv", "--output", "q"], "error: toy.csv: there is no target column 'q'; the columns are: a, b, c, y, z"),
        (["toy.csv", "--weights", "w"], "error: toy.csv: there is no column 'w' with weights"),
        (["toy.csv", "--clock", "fast"], "error: the clock 'fast' is not a period or frequency"),
        (["toy.csv", "--units", "a"], "error: --units 'a' is no unit of a column; write for example v=m/s"),
        (["toy.csv", "--define", "x"], "error: --define 'x' is no definition"),
        (["toy.csv", "--loss", "l1"], "error: the loss is one of mse, mae, huber, logistic, not 'l1'"),
        (["toy.csv", "--resume"], "there is no checkpoint to resume from; start without --resume"),
        (["toy.csv", "--jobs", "0"], "error: --jobs 0: give 1 or more workers"),
        (["toy.csv", "--pysr-option", "populations=3"], "error: the engine stub takes no options of PySR's"),
        (["toy.csv", "--max-cycles", "0"], "error: max_cycles is 0.0; it has to be above 0"),
        (["toy.csv", "-o", "."], "error: .: this folder holds other files"),
    ],
)
def test_one_line_for_what_is_wrong(
    run: Run, tmp_path: Path, arguments: list[str], message: str  # noqa: F811
) -> None:  # fmt: skip
    result = run("search", *arguments)
    assert result.code == 2
    assert message in result.err
    assert result.err.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["toy.csv"]


def test_unknown_engine(run: Run, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "d.csv").write_text("a,b\n1,2\n3,5\n4,4\n")
    result = run("search", "d.csv", "--engine", "operon")
    assert (result.code, result.err) == (2, "error: the engine is one of auto, native, pysr, not 'operon'\n")


def test_classes_are_searched_one_against_the_rest(
    run: Run, stub: Path, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    X, y = plane(120)  # noqa: N806
    np.savez(tmp_path / "labels.npz", X=X, y=np.digitize(y, [-1, 1]))
    result = run("search", "labels.npz", "--loss", "logistic")
    assert result.code == 0, result.err
    assert result.out.count("AUC") == 3
    assert json.loads((tmp_path / "labels_search" / "search.json").read_text())["classes"] == [0.0, 1.0, 2.0]


def test_ctrl_c_saves_what_was_found_and_exits_with_130(tmp_path: Path) -> None:
    X, y = plane(100)  # noqa: N806
    np.savetxt(tmp_path / "toy.csv", np.column_stack([X, y]), delimiter=",", header="a,b,c,y", comments="")
    script = (
        "import search_stubs, sr2hls.search.run as run\n"
        "run.choose = lambda _name: search_stubs.PATIENT\n"
        "from sr2hls.cli import main\n"
        "main()"
    )
    command = [sys.executable, "-c", script, "search", "toy.csv", "--budget", "100000"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent)}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            while not (tmp_path / "toy_search.checkpoint" / "job.json").is_file() and process.poll() is None:
                time.sleep(0.05)
            time.sleep(0.3)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130, err
    assert "ended early; --resume goes on from there" in out
    assert json.loads((tmp_path / "toy_search" / "search.json").read_text())["interrupted"] is True
    assert (tmp_path / "toy_search.checkpoint" / "y_0.npz").is_file()


def test_help_starts_at_once_and_names_every_option(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from sr2hls.cli import main; main()", "search", "--help"]
    times = []
    for _ in range(3):
        begun = time.process_time(), os.times().children_user + os.times().children_system
        shown = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path).stdout
        times.append(os.times().children_user + os.times().children_system - begun[1])
    assert min(times) < 0.5
    wanted = re.findall(
        r"--\S+",
        "--target-column --output --engine --operators --define --target --clock --width --max-cycles --max-luts "
        "--max-nodes --objective --costs --loss --weights --budget --seconds --seed --threads --features --units "
        "--formats --resume --jobs --quiet --json --pysr-option --test --drop --warm --seeds",
    )
    assert [option for option in wanted if option not in shown] == []


# ---- the view


def told(terminal: bool, engine: str = "native") -> tuple[Any, io.StringIO]:
    text = io.StringIO()
    out = Console(file=text, force_terminal=terminal, width=120, highlight=False, soft_wrap=True)
    shown = view._Live(out) if terminal else view._Lines(out)
    X, y = plane(100)  # noqa: N806
    shown.start(engine, "", prepare(X, y), Settings(), 2)
    return shown, text


def test_the_live_view_shows_the_front_and_the_rate() -> None:
    shown, text = told(terminal=True)
    shown.progress("y, seed 0", Progress("native", 0.1, 1000, 1.0, ((1.0, 0.5, ""),)))
    shown.progress("y, seed 0", Progress("native", 1.0, 3000, 2.0, ((1.0, 0.5, ""), (2.5, 0.25, "x0 + x1"))))
    shown.out.print(view.picture(shown.state))
    shown.refining("y", 0, 1)
    shown.refined(Progress("refine", 0.5, 1, 1.0, ((3.0, 0.125, "x0"),)))
    shown.close()
    printed = text.getvalue()
    assert "native: y, seed 0, 1 of 2 runs done, 100% of the budget, 3,000 evaluations, 1,300/s" in printed
    assert "best loss 0.25 at 2.5 cycles" in printed
    assert "x0 + x1" in printed
    assert "second stage: y" in printed
    assert "Ctrl-C stops the search" in printed


def test_lines_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    shown, text = told(terminal=False)
    for step in range(50):
        shown.progress("y, seed 0", Progress("native", step / 100, 1000 * step, step / 10, ((1.0, 0.5, ""),)))
    assert text.getvalue().count("native: y, seed 0") == 1  # the first one; the others come too soon after it
    monkeypatch.setattr(view, "LINE_SECONDS", 0.0)
    shown.progress("y, seed 0", Progress("native", 0.9, 90_000, 9.0, ()))
    assert text.getvalue().count("native: y, seed 0") == 2
    shown.close()


def test_pysr_draws_its_own_progress() -> None:
    shown, text = told(terminal=True, engine="pysr")
    assert not shown.live.is_started
    shown.progress("y, seed 0", Progress("pysr", 1.0, 0, 2.0, ((2.0, 0.25, "x0"),)))
    assert "pysr: y, seed 0" in text.getvalue()
    shown.refining("y", 0, 1)
    assert shown.live.is_started
    shown.close()


def test_the_real_stages_take_what_the_search_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: dict[str, Any] = {}

    def keep(name: str) -> Callable[..., list[Any]]:
        def call(*_arguments: Any, **options: Any) -> list[Any]:
            calls[name] = options
            return []

        return call

    import sr2hls.search.native.engine
    import sr2hls.search.pysr.run
    import sr2hls.search.refine

    monkeypatch.setattr(sr2hls.search.native.engine, "search_native", keep("native"))
    monkeypatch.setattr(sr2hls.search.pysr.run, "search_with_pysr", keep("pysr"))
    monkeypatch.setattr(sr2hls.search.refine, "refine", keep("refine"))
    settings = Settings(seconds=3.0)
    for function in (stages.run_native, stages.run_pysr, stages.run_refine):
        assert function(None, settings, COSTS, settings, key=1) == []  # type: ignore[arg-type]
    assert calls == {"native": {"key": 1}, "pysr": {"key": 1}, "refine": {"key": 1, "seconds": 3.0}}
