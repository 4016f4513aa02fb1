"""The engine `pysr` at work: over a stand-in regressor, over real PySR without Julia, and live where there is Julia."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import inspect
import json
import os
import subprocess
import sys
import types
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy

from sr2hls.errors import FormatError, LoadError, ToolError, UnsupportedError
from sr2hls.model import symbol
from sr2hls.search.candidate import Progress
from sr2hls.search.costs import OperatorCosts
from sr2hls.search.problem import Problem
from sr2hls.search.pysr import julia_available, search_with_pysr
from sr2hls.search.pysr.call import pysr_call
from sr2hls.search.pysr.run import parameters
from sr2hls.search.settings import Settings

HERE = Path(__file__).resolve().parent
SIGNATURES = {name: HERE / f"data/pysr_signatures/pysr-{name}.json" for name in ("1.5.9", "2.7.2")}
CYCLES = {"+": 0.3, "-": 0.3, "*": 0.8, "/": 2.5, "^": 4.0, "sin": 1.2, "cos": 1.2, "log": 1.7, "sc": 3.0}
COSTS = OperatorCosts("test", 5.0, CYCLES, {n: 100 * c for n, c in CYCLES.items()}, {}, 1.0, 60.0, 0.4, 20.0, "test")
X = np.random.default_rng(0).normal(size=(60, 2))
PROBLEM = Problem(X, ("beta", "x1"), X[:, 0] ** 2)
NAMES = ("+", "-", "*", "/", "^", "sin", "log")
ROWS = 'Complexity,Loss,Equation\n1,1.0,"0.9"\n3,0.5,"x0 * x0"\n9,0.4,"(x0 * x0) - (sin(x1) * -1.0e-9)"\n'
SHORT = "Complexity,Loss,Equation\n"


def pretend(monkeypatch: pytest.MonkeyPatch, run: Any, version: str = "2.7.2") -> list[Any]:
    """A module `pysr` whose regressor has the real signature and whose `fit` is `run`; gives the regressors made."""
    made: list[Any] = []
    facts = json.loads(SIGNATURES[version].read_text(encoding="utf-8"))["constructor"]
    kind = inspect.Parameter.KEYWORD_ONLY
    listed = [inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)]
    listed += [inspect.Parameter(name, kind, default=None) for name in facts]

    class PySRRegressor:
        def __init__(self, **given: Any) -> None:
            assert set(given) <= set(facts)
            self.given = given
            made.append(self)

        def fit(self, x: Any, y: Any, **given: Any) -> None:
            self.data = (x, y, given)
            self.output_directory_, self.run_id_ = self.given["output_directory"], self.given.get("run_id", "generated")
            folder = Path(self.output_directory_, self.run_id_)
            folder.mkdir(parents=True)
            run(folder)

    PySRRegressor.__init__.__signature__ = inspect.Signature(listed)  # type: ignore[attr-defined]
    module = types.ModuleType("pysr")
    module.__version__ = version  # type: ignore[attr-defined]
    module.PySRRegressor = PySRRegressor  # type: ignore[attr-defined]
    module.__spec__ = importlib.util.spec_from_loader("pysr", loader=None)
    monkeypatch.setitem(sys.modules, "pysr", module)
    return made


def search(options: dict[str, Any] | None = None, problem: Problem = PROBLEM, **settings: Any) -> Any:
    told: list[Progress] = []
    chosen = Settings(**({"operators": NAMES, "threads": 1} | settings))
    found = search_with_pysr(problem, chosen, COSTS, told.append, options)
    return found, told


def writing(text: str) -> Any:
    return lambda folder: (folder / "hall_of_fame.csv").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("version", SIGNATURES)
def test_a_run_is_read_as_text(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    made = pretend(monkeypatch, writing(ROWS), version)
    found, told = search(objective="path")
    beta, x1 = symbol("beta"), symbol("x1")
    assert [c.cost for c in found] == [0.0, 0.8, 0.8 + 0.3 + 1.2] == [c.cycles for c in found]
    assert found[0].expression == sympy.Rational(*np.float32(0.9).as_integer_ratio())
    assert found[1].expression == beta**2
    assert found[1].loss == 0.0
    assert found[2].expression.free_symbols == {beta, x1}
    assert abs(found[0].loss - float(np.mean((np.float64(np.float32(0.9)) - PROBLEM.y) ** 2))) < 1e-15
    assert {c.source for c in found} == {"pysr"}
    assert made[0].data[2]["variable_names"] == ["x0", "x1"]  # sympy has a word `beta`
    assert ("input_stream" in made[0].given) == (version == "1.5.9")
    assert not Path(made[0].given["output_directory"]).exists()
    assert [p.done for p in told] == [1.0]
    assert told[0].front[1] == (0.8, 0.0, "beta**2")


def test_costs_are_those_of_the_objective(monkeypatch: pytest.MonkeyPatch) -> None:
    row = 'Complexity,Loss,Equation\n9,0.4,"sin(x0 * (x0 + 1.5)) / (x1 - -2.0)"\n'
    for objective, cost in (("nodes", 10.0), ("sum", 5.1), ("path", 4.8), ("circuit", 3.5)):
        pretend(monkeypatch, writing(row))
        found, _ = search(objective=objective)
        assert [c.cost for c in found] == [pytest.approx(cost)]


def test_the_user_s_operators_are_read_as_the_search_used_them(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, writing('Complexity,Loss,Equation\n5,0.4,"sc(x1) + x0"\n'))
    (found,), _ = search(definitions={"sc": "sc(x) = 0.1*sin(x)"}, objective="path")
    tenth = sympy.Rational(*np.float32(0.1).as_integer_ratio())
    assert found.expression == tenth * sympy.sin(symbol("x1")) + symbol("beta")
    assert found.cycles == pytest.approx(3.3)


def test_hard_limits_hold_for_what_is_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    for settings, count in (
        ({"max_cycles": 2.0, "objective": "path"}, 2),
        ({"max_cycles": 2.3, "objective": "path"}, 3),
        ({"max_cycles": 2.9, "objective": "sum"}, 2),
        ({"max_luts": 200.0, "objective": "nodes"}, 2),
        ({"max_cycles": 2.3, "objective": "nodes"}, 3),
        ({"max_nodes": 7, "objective": "nodes"}, 2),
        ({"max_nodes": 2, "objective": "nodes"}, 1),  # PySR's own least limit is 7
    ):
        pretend(monkeypatch, writing(ROWS))
        found, _ = search(**settings)
        assert len(found) == count, settings


def test_the_run_folder_is_kept_where_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = pretend(monkeypatch, writing(ROWS))
    search({"output_directory": str(tmp_path), "run_id": "mine", "verbosity": 0})
    assert (tmp_path / "mine/hall_of_fame.csv").read_text(encoding="utf-8") == ROWS
    assert made[0].given["verbosity"] == 0


def test_an_interrupt_returns_what_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(folder: Path) -> None:
        writing(ROWS)(folder)
        raise KeyboardInterrupt

    pretend(monkeypatch, stopped)
    assert len(search()[0]) == 3

    def at_once(folder: Path) -> None:
        raise KeyboardInterrupt

    pretend(monkeypatch, at_once)
    assert search()[0] == ()


def test_failures_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(folder: Path) -> None:
        raise RuntimeError("\nUndefVarError: `x` not defined\nStacktrace: ...")

    pretend(monkeypatch, broken)
    with pytest.raises(ToolError, match=r"^PySR stopped: RuntimeError: UndefVarError: `x` not defined$"):
        search()
    pretend(monkeypatch, lambda folder: None)
    with pytest.raises(LoadError, match="hall_of_fame"):
        search()
    pretend(monkeypatch, writing(SHORT + '3,1.0,"x0 * Inf"\n'))
    with pytest.raises((UnsupportedError, LoadError)):
        search()
    pretend(monkeypatch, writing(ROWS))
    with pytest.raises(FormatError, match="no option 'niteration'; did you mean niterations"):
        search({"niteration": 3})


def test_a_row_without_meaning_is_passed_over_loudly(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, writing(ROWS + '12,0.1,"log(-1.0) + x0"\n13,0.01,"log(x0) * x0"\n'))
    with pytest.warns(RuntimeWarning, match="passed over") as caught:
        found, _ = search(objective="nodes")
    assert len(found) == 3  # log(x0) is not finite on the rows
    assert len(caught) == 1


def test_a_missing_pysr_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "pysr", raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert not julia_available()
    with pytest.raises(ToolError, match=r"pip install 'sr2hls\[pysr\]'.*native engine.*no Julia"):
        search()


def test_a_broken_julia_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pysr.py").write_text("raise RuntimeError('no Julia 1.10 found\\nsecond line')", encoding="utf-8")
    (tmp_path / "juliacall.py").write_text("", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "pysr", raising=False)
    with pytest.raises(ToolError, match=r"could not start Julia \(RuntimeError: no Julia 1.10 found\); .*pip install"):
        search()
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setenv("PYTHON_JULIAPKG_PROJECT", str(tmp_path))
    monkeypatch.delenv("PYTHON_JULIACALL_EXE", raising=False)
    monkeypatch.delenv("PYTHON_JULIAPKG_EXE", raising=False)
    assert not julia_available()
    monkeypatch.setenv("PYTHON_JULIACALL_EXE", str(tmp_path / "pysr.py"))
    assert julia_available()


def test_an_old_pysr_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, writing(ROWS))
    sys.modules["pysr"].__version__ = "0.19.4"  # type: ignore[attr-defined]
    with pytest.raises(ToolError, match=r"PySR 0.19 is too old"):
        search()


REQUESTS: list[dict[str, Any]] = [
    {
        "names": ["beta", "x1"],
        "cycles": CYCLES,
        "hall_of_fame": ROWS + '14,0.1,"sc(x1) - (log(x0 + 9.0) ^ 2.5)"\n',
        "settings": {
            "operators": ["+", "-", "*", "/", "^", "sin", "log"],
            "definitions": {"sc": "sc(x) = 0.1*sin(x)*cos(x)^2"},
            "objective": objective,
            "threads": 1,
            "nested": {"sin": {"sc": 0}},
            "constraints": {"^": [-1, 1]},
            **limits,
        },
        "weights": weights,
        "loss": "huber",
        "options": {"niterations": 2, "verbosity": 0, "progress": False},
    }
    for objective in ("circuit", "path", "sum", "nodes")
    for limits in ({}, {"max_cycles": 9.0, "max_luts": 400.0})
    for weights in (False, True)
]


@pytest.fixture(scope="session", params=list(SIGNATURES))
def real_pysr(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, Path]:
    """A PySR wheel from the package index: version, wheel, folder where it is unpacked."""
    if "slow" not in str(request.config.getoption("-m")):
        pytest.skip("fetches real PySR wheels from the package index; run with -m slow")
    folder = tmp_path_factory.mktemp("pysr")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "-q", "-d", str(folder), f"pysr=={request.param}"]
    subprocess.run(command, check=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([sys.executable, "-m", "zipfile", "-e", str(wheel), str(folder / "unpacked")], check=True)
    return request.param, wheel, folder / "unpacked"


@pytest.mark.slow
def test_the_facts_are_those_of_the_wheel(real_pysr: tuple[str, Path, Path]) -> None:
    version, wheel, _ = real_pysr
    made = subprocess.run(
        [sys.executable, str(HERE / "tools/pysr_signature.py"), str(wheel)], check=True, capture_output=True, text=True
    )
    assert made.stdout == SIGNATURES[version].read_text(encoding="utf-8")


def stubbed(unpacked: Path, requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The requests answered by a process with this PySR and a stub in place of Julia."""
    path = os.pathsep.join([str(HERE / "tools/julia_stub"), str(unpacked), str(HERE.parent)])
    done = subprocess.run(
        [sys.executable, str(HERE / "tools/pysr_run.py")],
        input=json.dumps(requests),
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answers: list[dict[str, Any]] = json.loads(done.stdout[done.stdout.index("[{") :])
    return answers


@pytest.mark.slow
def test_real_pysr_takes_the_call(real_pysr: tuple[str, Path, Path]) -> None:
    """The whole of PySR's own `fit` in front of Julia, which a stub records, and behind it."""
    version, _, unpacked = real_pysr
    for request, answer in zip(REQUESTS, stubbed(unpacked, REQUESTS), strict=True):
        assert "error" not in answer, answer
        settings, options = request["settings"], answer["options"]
        free = "max_luts" not in settings or settings["objective"] == "circuit"  # two tables, a subtraction
        assert len(answer["candidates"]) == (4 if free else 3)
        assert answer["candidates"][1][0] == "beta**2"
        assert answer["search"]["parallelism"] == "serial"
        assert options["deterministic"] is True
        assert options["nested_constraints"] == "Dict((sin) => Dict((sc) => 0, ), )"
        operators = ["sin", "log", "sc"]
        places = [answer["evaluated"].index(name) for name in operators]
        assert places == sorted(places)
        assert "sc(x) = (0.1f0 * sin(x) * (cos(x))^(2))" in answer["evaluated"]
        mapped = settings["objective"] in ("circuit", "path")
        text = options["complexity_mapping"]
        assert (text is not None) == mapped
        assert not mapped or "cycles_unary = (1200, 1700, 3000)" in text
        costs = options["complexity_of_operators"]
        assert (costs is not None) == (settings["objective"] == "sum")
        assert costs is None or (("(safe_log) => " in costs) == (version == "2.7.2"))
        assert costs is None or "(sc) => " in costs
        limited = "max_luts" in settings
        assert (options["loss_function"] not in (None, "nothing")) == limited
        assert (options["elementwise_loss"] not in (None, "nothing")) == (not limited)
        assert not limited or ("dataset.weights" in options["loss_function"]) == request["weights"]


@pytest.mark.slow
def test_distributed_back_ends_are_reached(real_pysr: tuple[str, Path, Path]) -> None:
    _, _, unpacked = real_pysr
    options = {"parallelism": "multiprocessing", "cluster_manager": "slurm", "procs": 8, "verbosity": 0}
    (answer,) = stubbed(unpacked, [{**REQUESTS[0], "options": options}])
    assert answer["search"]["parallelism"] == "multiprocessing"
    assert answer["search"]["numprocs"] == 8
    assert answer["search"]["addprocs_function"] not in (None, "nothing")
    assert answer["options"]["deterministic"] is False
    (answer,) = stubbed(unpacked, [{**REQUESTS[0], "options": {"populatons": 3}}])
    assert answer["error"].startswith("FormatError: PySR ")
    assert "no option 'populatons'; did you mean populations" in answer["error"]


@pytest.mark.skipif(importlib.util.find_spec("pysr") is None, reason="PySR is not installed")
def test_the_installed_pysr_has_every_parameter() -> None:
    """Where PySR is installed, its own signature (read without starting Julia) has all that it is passed."""
    places = importlib.util.find_spec("pysr").submodule_search_locations  # type: ignore[union-attr]
    source = ast.parse(Path(str(next(iter(places or []))), "sr.py").read_text(encoding="utf-8"))
    spec = importlib.util.spec_from_file_location("pysr_signature", HERE / "tools/pysr_signature.py")
    tool = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
    spec.loader.exec_module(tool)  # type: ignore[union-attr]
    version = tuple(int(part) for part in importlib.metadata.version("pysr").split(".")[:2])
    for objective in ("circuit", "sum"):
        settings = Settings(operators=NAMES, objective=objective, max_cycles=5.0, threads=1, seconds=5.0)
        described = pysr_call(PROBLEM, settings, COSTS, (version[0], version[1]))
        assert set(described.constructor) <= set(tool.parameters(source, "__init__"))
        assert set(described.fit) <= set(tool.parameters(source, "fit"))


live = pytest.mark.skipif(
    not julia_available(), reason="NOT RUN: the live search with PySR needs Julia, and there is none on this machine"
)


@live
@pytest.mark.parametrize("objective", ["circuit", "path", "sum", "nodes"])
def test_live_search(objective: str, tmp_path: Path) -> None:
    """Julia evaluates the generated text: equal results for one seed, the limits kept, complexities as counted here."""
    problem = Problem(X, ("beta", "x1"), 2.0 * np.sin(X[:, 0]) + X[:, 1] ** 2)
    results = []
    for name in ("first", "second"):
        options = {"niterations": 8, "verbosity": 0, "progress": False, "output_directory": str(tmp_path)}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Julia's packages warn while they compile
            results.append(search({**options, "run_id": name}, problem, objective=objective, max_cycles=6.0)[0])
    assert results[0] == results[1]
    assert results[0]
    assert min(c.loss for c in results[0]) < 0.5 * float(np.var(problem.y))
    assert all(c.cycles is None or c.cycles <= 6.0 or objective == "sum" for c in results[0])


@live
def test_live_safe_names_are_charged(tmp_path: Path) -> None:
    """The cost of `log` counts although PySR evaluates `safe_log` in its place."""
    problem = Problem(np.exp(X), ("x0", "x1"), X[:, 0])
    options = {"niterations": 3, "verbosity": 0, "progress": False, "output_directory": str(tmp_path), "run_id": "r"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search(options, problem, operators=("+", "log"), objective="sum", max_cycles=6.0)
    rows = (tmp_path / "r/hall_of_fame.csv").read_text(encoding="utf-8").splitlines()
    (row,) = [line for line in rows if line.endswith('"log(x0)"')]
    assert int(row.split(",")[0]) > 10


def test_parameters_are_those_of_the_class() -> None:
    class Regressor:
        def __init__(self, model_selection: str = "best", *, maxsize: int = 30, **kwargs: Any) -> None:
            """Like PySR's."""

    assert list(parameters(Regressor)) == ["model_selection", "maxsize"]
