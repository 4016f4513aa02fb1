"""Several outputs and seeds on workers: loky processes, a local Dask cluster; the same result wherever they ran."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from joblib import parallel_config
from joblib.externals.loky import get_reusable_executor
from search_stubs import PATIENT, STAGES, WHO, linear, plane

from sr2hls.errors import FormatError, ToolError
from sr2hls.search.candidate import Candidate, Progress
from sr2hls.search.many import Job, Outcome, each, merged, run_job, workers
from sr2hls.search.run import Listener, search
from sr2hls.search.settings import Settings

HERE = str(Path(__file__).resolve().parent)


@pytest.fixture(autouse=True)
def findable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers import the stubs from this folder."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [HERE, os.environ.get("PYTHONPATH")])))


@pytest.fixture(scope="module", autouse=True)
def no_worker_stays() -> Iterator[None]:
    yield
    get_reusable_executor().shutdown(wait=True, kill_workers=True)


def data(outputs: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    X, y = plane(100)  # noqa: N806
    return X, np.stack([(i + 1) * y for i in range(outputs)], axis=1)


class Ear(Listener):
    def __init__(self) -> None:
        self.processes: dict[str, int] = {}

    def progress(self, run: str, progress: Progress) -> None:
        self.processes[run] = progress.evaluations  # the stub says its process there


def test_how_many_workers() -> None:
    assert workers(None) == workers(1) == 1
    assert workers(3) == 3
    assert workers(-1) >= 1
    with parallel_config(backend="loky", n_jobs=2):
        assert workers(None) == 2
        assert workers(1) == 1
    for bad in (0, -2):
        with pytest.raises(FormatError, match="give 1 or more workers, or -1"):
            workers(bad)


def test_workers_without_joblib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "joblib", None)
    assert workers(None) == 1
    with pytest.raises(ToolError, match=r"need joblib, which is missing; .* 'sr2hls\[search\]'"):
        workers(2)


def test_loky_gives_what_one_process_gives() -> None:
    X, y = data(2)  # noqa: N806
    alone = search(X, y, stages=STAGES, seeds=2)
    spread = search(X, y, stages=STAGES, seeds=2, jobs=2)
    assert [o.front for o in spread.outputs] == [o.front for o in alone.outputs]
    with parallel_config(backend="loky", n_jobs=2):
        configured = search(X, y, stages=STAGES, seeds=2)
    assert [o.front for o in configured.outputs] == [o.front for o in alone.outputs]


def test_workers_are_other_processes_of_one_thread_each() -> None:
    X, y = data(4)  # noqa: N806
    ear = Ear()
    result = search(X, y, stages=WHO, jobs=2, threads=5, listener=ear)
    assert set(ear.processes) == {f"y{i}, seed 0" for i in range(4)}
    assert os.getpid() not in ear.processes.values()
    assert len(set(ear.processes.values())) == 2
    for output in result.outputs:  # the stub returns threads * x0
        assert output.front[0].equation in ("x0", "1.0 * x0")
    assert search(X, y[:, 0], stages=WHO, jobs=2, threads=5).outputs[0].front[0].equation.startswith("5")


@pytest.mark.filterwarnings("ignore")  # of what Dask depends on
def test_a_dask_cluster_gives_what_one_process_gives() -> None:
    distributed = pytest.importorskip("distributed")
    X, y = data(2)  # noqa: N806
    alone = search(X, y, stages=STAGES)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
        ) as cluster,
        distributed.Client(cluster) as client,
        parallel_config(backend="dask", wait_for_workers_timeout=60),
    ):
        assert workers(None) == 2
        spread = search(X, y, stages=STAGES)
        ear = Ear()
        search(X, data(4)[1], stages=WHO, listener=ear)
        processes = set(client.run(os.getpid).values())
    assert [o.front for o in spread.outputs] == [o.front for o in alone.outputs]
    assert set(ear.processes.values()) <= processes
    assert os.getpid() not in processes


def test_the_stop_file_ends_workers_which_return_what_they_have(tmp_path: Path) -> None:
    X, y = data(2)  # noqa: N806
    state = tmp_path / "state"
    threading.Timer(1.5, (state / "stop").touch).start()
    result = search(X, y, stages=PATIENT, checkpoint=state, budget=2000, jobs=2)
    assert result.interrupted
    assert len(result.outputs) == 2
    assert all(0 < o.evaluations < 2000 for o in result.outputs)
    assert {p.name for p in state.iterdir()} == {"job.json", "stop", "y0_0.npz", "y1_0.npz"}
    again = search(X, y, stages=PATIENT, checkpoint=state, budget=20, jobs=2, resume=True)
    assert not again.interrupted


def test_an_error_in_a_worker_comes_back_as_it_is() -> None:
    X, y = data(2)  # noqa: N806
    with pytest.raises(FormatError, match="of the worker"):
        each(_fails, [X, y], 2, lambda _place, _result: None)


def _fails(_item: Any) -> None:
    raise FormatError("an error of the worker")


def test_an_engine_that_is_interrupted_before_it_has_anything() -> None:
    def engine(*_arguments: Any) -> list[Candidate]:
        raise KeyboardInterrupt

    outcome = run_job(Job(engine, None, Settings(), None))  # type: ignore[arg-type]
    assert (outcome.candidates, outcome.interrupted) == ((), True)


def test_candidates_of_seeds_are_merged() -> None:
    X, y = plane()  # noqa: N806
    from sr2hls.search.data import prepare

    task = prepare(X, y).tasks[0]
    found = linear(task.train, Settings(), None, lambda _p: None)  # type: ignore[arg-type]
    twice = merged([Outcome(tuple(found), 1, 0.0), Outcome(tuple(reversed(found)), 1, 0.0)])
    assert sorted(twice, key=str) == sorted(found, key=str)
    assert [c.cost for c in twice] == sorted(c.cost for c in found)
    assert twice == merged([Outcome(tuple(reversed(found)), 1, 0.0)])
