"""The search around its engines: what it returns, saves, loads again, resumes, and refuses."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import search_stubs
from search_stubs import PATIENT, STAGES, plane

import sr2hls
from sr2hls.errors import FormatError, LoadError, OutputError, ToolError
from sr2hls.load.search_json import recorded
from sr2hls.search.candidate import Progress
from sr2hls.search.result import SearchResult
from sr2hls.search.run import Listener, search
from sr2hls.search.settings import Settings
from sr2hls.search.stages import Stages, choose


def found(outputs: int = 1, **options: Any) -> SearchResult:
    X, y = plane(100)  # noqa: N806
    targets = y if outputs == 1 else np.stack([y * (i + 1) for i in range(outputs)], axis=1)
    return search(X, targets, stages=STAGES, **options)


# ---- what comes back


def test_the_public_function_is_the_package() -> None:
    X, y = plane()  # noqa: N806
    assert sr2hls.search(X, y, stages=STAGES).best == search(X, y, stages=STAGES).best


def test_a_front_by_cycles_then_what_has_no_circuit() -> None:
    (output,) = found().outputs
    assert [f.cycles for f in output.front] == [1, 1, 1, 3, None]
    losses = [f.circuit_loss for f in output.front[:3]]
    assert losses == sorted(losses)
    assert output.front[-1].refused == "a constant"
    assert (output.rows, output.held_out_rows, output.candidates, output.evaluations) == (80, 20, 5, 100)
    assert output.best is output.front[3]
    assert output.index("accuracy") == 3
    assert output.index("complexity=1") == 0
    with pytest.raises(LoadError, match="y: there is no equation 9"):
        output.index(9)


def test_predictions_and_model() -> None:
    result = found(2)
    X, y = plane(7, seed=3)  # noqa: N806
    predicted = result.predict(X)
    np.testing.assert_allclose(predicted, np.stack([y, 2 * y], axis=1), atol=0.1)
    np.testing.assert_array_equal(result.predict({"x2": X[:, 2], "x0": X[:, 0], "x1": X[:, 1]}), predicted)
    model = result.model([0, "best"])
    assert [o.name for o in model.outputs] == ["y0", "y1"]
    assert [len(o.expression.free_symbols) for o in model.outputs] == [1, 3]
    assert model.outputs[1].provenance.complexity == 3
    with pytest.raises(LoadError, match="3 choices for 2 outputs"):
        result.model([0, 0, 0])
    with pytest.raises(LoadError, match=r"X has the shape \(7, 2\), not \(n, 3\)"):
        result.predict(X[:, :2])
    with pytest.raises(LoadError, match="there is no output 'z'; there are: y0, y1"):
        result.output("z")


def test_the_circuit_is_that_of_the_search() -> None:
    design = found().compile()
    X, y = plane(50, seed=4)  # noqa: N806
    np.testing.assert_allclose(design.predict(X), y, atol=0.1)
    assert design.certificate.outputs[0].bound <= 2.0**-9


# ---- what is saved


@pytest.mark.parametrize("outputs", [1, 3])
def test_saved_and_loaded_exactly(tmp_path: Path, outputs: int) -> None:
    result = found(outputs)
    folder = result.save(tmp_path / "out")
    names = {p.name for p in folder.iterdir()}
    tables = {"hall_of_fame.csv"} if outputs == 1 else {f"hall_of_fame_output{i}.csv" for i in (1, 2, 3)}
    assert names == {"search.json", "best.json"} | tables
    wanted = [o.expression for o in result.model().outputs]
    for source in (folder, folder / "search.json", folder / "best.json"):
        model = sr2hls.load(source)
        assert [o.expression for o in model.outputs] == wanted
        assert [o.name for o in model.outputs] == [o.name for o in result.outputs]
    for at, table in enumerate(sorted(tables)):
        assert sr2hls.load(folder / table).outputs[0].expression == wanted[at]
    catalog = sr2hls.load.read(folder)  # type: ignore[attr-defined]
    assert [len(rows) for rows in catalog.outputs] == [5] * outputs
    for at in range(5):
        assert catalog.choose(at).outputs[0].expression == result.outputs[0].front[at].expression


def test_the_hall_of_fame_has_cycles_and_falling_loss(tmp_path: Path) -> None:
    folder = found().save(tmp_path / "out")
    lines = (folder / "hall_of_fame.csv").read_text().splitlines()
    assert lines[0] == "Complexity,Loss,Equation"
    cycles = [int(line.split(",")[0]) for line in lines[1:]]
    losses = [float(line.split(",")[1]) for line in lines[1:]]
    assert cycles == [1, 3]
    assert losses[0] > losses[1]


def test_the_record_says_everything(tmp_path: Path) -> None:
    result = found(seed=7, max_cycles=9.0, units={"x0": "m"})
    data = json.loads((result.save(tmp_path / "out") / "search.json").read_text())
    assert next(iter(data)) == "sr2hls_search"
    assert (data["engine"], data["settings"]["seed"], data["settings"]["max_cycles"]) == ("stub", 7, 9.0)
    assert {"python", "numpy", "sympy"} <= set(data["versions"])
    assert data["asked"]["units"] == {"x0": "m"}
    assert set(data["words"]) == {"x0", "x1", "x2"}
    assert data["words"]["x0"]["format"] == "fixed<12,2>"
    (output,) = data["outputs"]
    assert output["best"] == 3
    assert output["front"][3]["target_error"] == 2.0**-9
    assert output["front"][4]["refused"] == "a constant"


def test_how_the_search_compiled_is_read_back(tmp_path: Path) -> None:
    result = found(2, clock_ns=4.0)
    folder = result.save(tmp_path / "out")
    known = recorded(folder, sr2hls.load(folder))
    assert (known.target, known.clock, known.max_error, known.domain) == ("vu9p-2", "4.0ns", repr(2.0**-9), None)
    assert set(known.inputs) == set(known.ranges) == {"x0", "x1", "x2"}
    for other in ("x0 + 1", folder / "hall_of_fame_output1.csv", folder / "best.json"):
        assert recorded(other, sr2hls.load(folder)).target is None


def test_an_earlier_search_is_replaced_and_foreign_files_are_not(tmp_path: Path) -> None:
    folder = found(3).save(tmp_path / "out")
    (folder / "mine.txt").write_text("kept")
    found().save(folder)
    assert {p.name for p in folder.iterdir()} == {"search.json", "best.json", "hall_of_fame.csv", "mine.txt"}
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.txt").write_text("")
    with pytest.raises(OutputError, match="holds other files"):
        found().save(tmp_path / "other")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(sr2hls_search=2), "not a search of version 1"),
        (lambda d: d.update(inputs=["x0", 1]), "its inputs are not a list of names"),
        (lambda d: d.update(inputs=["x0", "x0"]), "not distinct"),
        (lambda d: d.update(outputs=[]), "it has no outputs"),
        (lambda d: d["outputs"][0].update(front=[]), "has no formulas"),
        (lambda d: d["outputs"][0]["front"][0].pop("equation"), "a formula without its equation"),
        (lambda d: d["outputs"][0]["front"][0].update(complexity="1"), "is not a whole number"),
        (lambda d: d["outputs"][0]["front"][0].update(rank_loss=[]), "is not a number"),
        (lambda d: d["outputs"][0]["front"][3].update(equation="__import__('os')"), "equation 3"),
        (lambda d: d["outputs"][0]["front"][3].update(equation="q + 1"), "unknown name 'q'"),
    ],
)
def test_a_damaged_record_is_refused(tmp_path: Path, change: Any, message: str) -> None:
    path = found().save(tmp_path / "out") / "search.json"
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data, indent=1))
    with pytest.raises(LoadError, match=message):
        sr2hls.load(path)
    path.write_text(path.read_text()[:-40])
    with pytest.raises(LoadError, match="damaged JSON"):
        sr2hls.load(path)


def test_formulas_without_any_circuit_are_saved_by_size(tmp_path: Path) -> None:
    def refused(*arguments: Any, **options: Any) -> Any:
        return [replace(f, cycles=None, refused="no") for f in search_stubs.finish(*arguments, **options)]

    X, y = plane(100)  # noqa: N806
    result = search(X, y, stages=replace(STAGES, refine=refused))
    folder = result.save(tmp_path / "out")
    assert (folder / "hall_of_fame.csv").read_text().splitlines()[-1].startswith("7,")
    assert sr2hls.load(folder).outputs[0].expression == result.model().outputs[0].expression
    assert sr2hls.load(folder).outputs[0].provenance.complexity == 7


# ---- wishes


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"populations": 3}, FormatError, "a search has no setting 'populations'; there are: operators"),
        ({"budget": 0}, FormatError, "budget is 0; it has to be 1 or more"),
        ({"max_cycles": -1.0}, FormatError, "max_cycles is -1.0; it has to be above 0"),
        ({"objective": "size"}, FormatError, "the objective is one of circuit, path, sum, nodes, not 'size'"),
        ({"width": 40}, FormatError, "inputs can have 2 to 32 bits, not 40"),
        ({"seeds": 0}, FormatError, "0 seeds"),
        ({"jobs": 0}, FormatError, "--jobs 0: give 1 or more workers"),
        ({"resume": True}, FormatError, "nothing to resume without a checkpoint folder"),
        ({"engine_options": {"populations": 3}}, FormatError, "the engine stub takes no options of PySR's"),
        ({"warm": {"z": []}}, LoadError, "formulas to start from are for 'z'; the outputs are y"),
        ({"loss": "l1"}, LoadError, "the loss is one of"),
    ],
)
def test_senseless_wishes(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        found(**options)


def test_engines_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FormatError, match="the engine is one of auto, native, pysr, not 'operon'"):
        choose("operon")
    assert choose("native").name == "native"
    assert choose("pysr").name == "pysr"
    monkeypatch.setattr("sr2hls.search.stages.has_julia", lambda: False)
    assert (choose("auto").name, choose("auto").why) == ("native", "there is no PySR with Julia here")
    monkeypatch.setattr("sr2hls.search.stages.has_julia", lambda: True)
    assert (choose("auto").name, choose("auto").why) == ("pysr", "Julia is installed")
    monkeypatch.setattr("sr2hls.search.stages.find_spec", lambda _name: None)
    with pytest.raises(ToolError, match=r"needs numba, which is missing; .* 'sr2hls\[search\]'"):
        choose("native")


def test_seeds_are_searched_each_and_ranked_together() -> None:
    seen: list[int] = []

    def engine(problem: Any, settings: Settings, *rest: Any) -> Any:
        seen.append(settings.seed)
        return search_stubs.linear(problem, settings, *rest)

    result = found()
    X, y = plane(100)  # noqa: N806
    three = search(X, y, stages=replace(STAGES, engine=engine), seeds=3, seed=5)
    assert seen == [5, 6, 7]
    assert three.outputs[0].candidates == 13  # the constant is the same in all of them, the rest differ
    assert three.outputs[0].evaluations == 3 * result.outputs[0].evaluations


def test_warm_formulas_come_from_a_folder_or_expressions(tmp_path: Path) -> None:
    first = found(2)
    given: dict[str, Any] = {}

    def engine(problem: Any, settings: Settings, costs: Any, tell: Any, warm: Any = ()) -> Any:
        given[problem.output] = warm
        return search_stubs.linear(problem, settings, costs, tell)

    X, y = plane(100)  # noqa: N806
    stages = replace(STAGES, engine=engine)
    search(X, np.stack([y, 2 * y], axis=1), stages=stages, warm=first.save(tmp_path / "out"))
    assert given == {o.name: tuple(f.expression for f in o.front) for o in first.outputs}
    with pytest.raises(FormatError, match="cannot start from formulas"):
        search(X, y, stages=replace(STAGES, takes=()), warm={"y": [first.outputs[0].best.expression]})


def test_what_a_listener_hears() -> None:
    heard: list[Any] = []

    class Ear(Listener):
        def start(self, engine: str, why: str, prepared: Any, settings: Settings, runs: int) -> None:
            heard.append((engine, [t.name for t in prepared.tasks], runs))

        def progress(self, run: str, progress: Progress) -> None:
            heard.append((run, progress.done, progress.evaluations))

        def refining(self, name: str, done: int, total: int) -> None:
            heard.append((name, done, total))

    found(2, listener=Ear(), seed=4)
    assert heard == [
        ("stub", ["y0", "y1"], 2), ("y0, seed 4", 1.0, 100), ("y1, seed 4", 1.0, 100),
        ("y0", 0, 2), ("y0", 1, 2), ("y1", 2, 2),
    ]  # fmt: skip


# ---- stopping and going on


def test_no_candidates_is_an_error_and_leaves_no_checkpoint(tmp_path: Path) -> None:
    X, y = plane()  # noqa: N806
    nothing = replace(STAGES, engine=lambda *_a, **_o: [])
    with pytest.raises(LoadError, match="no formula was found"):
        search(X, y, stages=nothing, checkpoint=tmp_path / "state")
    assert not (tmp_path / "state").exists()


class Impatient(Listener):
    """Presses Ctrl-C after 20 evaluations."""

    def progress(self, run: str, progress: Progress) -> None:
        if progress.evaluations == 20:
            signal.raise_signal(signal.SIGINT)


def test_ctrl_c_keeps_what_was_found_and_resume_goes_on(tmp_path: Path) -> None:
    X, y = plane()  # noqa: N806
    state = tmp_path / "state"
    stopped = search(X, y, stages=PATIENT, checkpoint=state, budget=1000, listener=Impatient())
    assert stopped.interrupted
    done = stopped.outputs[0].evaluations
    assert done == 20
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert {p.name for p in state.iterdir()} == {"job.json", "y_0.npz"}
    whole = search(X, y, stages=PATIENT, checkpoint=state, budget=done + 5, resume=True)
    assert not whole.interrupted
    assert whole.outputs[0].best.expression == (done + 5) * sr2hls.load("x0").outputs[0].expression
    assert not state.exists()


def test_an_engine_that_asks_is_not_hit_by_the_signal() -> None:
    hit: list[str] = []

    def engine(problem: Any, settings: Settings, costs: Any, tell: Any, callback: Any) -> Any:
        try:
            signal.raise_signal(signal.SIGINT)
            hit.append("asked" if callback(None) else "not told")
        except KeyboardInterrupt:
            hit.append("hit")
        return search_stubs.linear(problem, settings, costs, tell)

    X, y = plane()  # noqa: N806
    result = search(X, y, stages=replace(STAGES, engine=engine, takes=("callback",)))
    assert hit == ["asked"]
    assert result.interrupted


def test_outputs_that_were_not_begun_are_named(tmp_path: Path) -> None:
    X, y = plane()  # noqa: N806
    result = search(X, np.stack([y, -y], axis=1), stages=PATIENT, budget=1000, listener=Impatient())
    assert [o.name for o in result.outputs] == ["y0"]
    assert "no formula yet for y1" in result.notes


def test_a_checkpoint_of_another_search_is_refused(tmp_path: Path) -> None:
    X, y = plane()  # noqa: N806
    state = tmp_path / "state"
    with pytest.raises(LoadError, match="there is no checkpoint to resume from"):
        search(X, y, stages=PATIENT, checkpoint=state, resume=True)
    search(X, y, stages=PATIENT, checkpoint=state, budget=1000, listener=Impatient())
    kept = tmp_path / "kept"
    shutil.copytree(state, kept)
    for change in ({"max_nodes": 9}, {"seed": 1}):
        with pytest.raises(LoadError, match="is of another search"):
            search(X, y, stages=PATIENT, checkpoint=kept, resume=True, **change)
    with pytest.raises(LoadError, match="is of another search"):
        search(X, -y, stages=PATIENT, checkpoint=kept, resume=True)
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match="no checkpoint folder"):
        search(X, y, stages=PATIENT, checkpoint=tmp_path / "folder")


KILLED = """
import sys
from pathlib import Path
import numpy as np
import search_stubs
from sr2hls.search.run import search
X, y = search_stubs.plane()
search(X, y, stages=search_stubs.PATIENT, checkpoint=Path(sys.argv[1]), budget=10**9, jobs=1)
print("ended")
"""


def test_an_interrupted_process_ends_well(tmp_path: Path) -> None:
    state = tmp_path / "state"
    here = Path(__file__).resolve().parent
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(state)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(here)},
    )  # fmt: skip
    try:
        for _ in range(200):
            if (state / "job.json").is_file():
                break
            threading.Event().wait(0.05)
        threading.Event().wait(0.3)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (process.returncode, out, err) == (0, "ended\n", "")
    assert int((state / "y_0.npz").read_text()) > 0


def test_stages_name_what_their_engines_take() -> None:
    assert choose("native").takes == ("checkpoint", "resume", "warm", "callback")
    assert isinstance(choose("native"), Stages)
