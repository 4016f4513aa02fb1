"""The engine `pysr`: runs `PySRRegressor` as `pysr_call` says and reads its hall of fame. PySR is imported here only.

PySR's state lives in its run folder; it is read as text through `sr2hls.load`, never through the model's sympy.
"""

from __future__ import annotations

import importlib.util
import inspect
import os
import re
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from sr2hls.errors import LoadError, ToolError
from sr2hls.search.candidate import Candidate, Progress, Tell
from sr2hls.search.costs import OperatorCosts
from sr2hls.search.problem import Problem
from sr2hls.search.pysr.call import Call, check_options, pysr_call
from sr2hls.search.pysr.rows import candidates_in
from sr2hls.search.pysr.vocabulary import Version
from sr2hls.search.settings import Settings

_HELP = "install it with pip install 'sr2hls[pysr]', or take the native engine, which needs no Julia"
_OLDEST = (1, 5)
# PySR's advice that does not apply: the length of the hall of fame is chosen here, several threads are the user's wish.
_QUIET = ("Note: Using a large maxsize", "Note: Setting `random_state`", "PYTHON_JULIACALL_THREADS")


def julia_available() -> bool:
    """Whether PySR and a Julia are installed, by looking for them; starts nothing and downloads nothing."""
    if importlib.util.find_spec("pysr") is None or importlib.util.find_spec("juliacall") is None:
        return False
    named = (os.environ.get(name) for name in ("PYTHON_JULIAPKG_EXE", "PYTHON_JULIACALL_EXE"))
    if any(path and Path(path).is_file() for path in named) or shutil.which("julia"):
        return True
    project = Path(os.environ.get("PYTHON_JULIAPKG_PROJECT") or Path(sys.prefix, "julia_env"))
    return any(project.glob("pyjuliapkg/install/bin/julia*"))


def _line(error: BaseException) -> str:
    """The first line of an error, short."""
    text = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    return f"{type(error).__name__}: {text[:200]}" if text else type(error).__name__


def _pysr(threads: int) -> tuple[Any, Version]:
    """PySR's module and version, Julia started. Raises ToolError."""
    if importlib.util.find_spec("pysr") is None:
        raise ToolError(f"the engine 'pysr' needs the Python package pysr; {_HELP}")
    if threads > 1 and "juliacall" not in sys.modules:  # Julia's threads are fixed when it starts
        os.environ.setdefault("PYTHON_JULIACALL_THREADS", str(threads))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pysr
    except Exception as error:  # whatever a missing or broken Julia raises, there is one remedy
        raise ToolError(f"PySR could not start Julia ({_line(error)}); see its message above; {_HELP}") from error
    match = re.match(r"(\d+)\.(\d+)", str(getattr(pysr, "__version__", "")))
    version = (int(match[1]), int(match[2])) if match else (0, 0)
    if version < _OLDEST:
        raise ToolError(f"PySR {version[0]}.{version[1]} is too old, the engine 'pysr' needs 1.5 or newer; {_HELP}")
    return pysr, version


def parameters(regressor: Any) -> Collection[str]:
    """The names of all options of this `PySRRegressor`."""
    signature = inspect.signature(regressor.__init__)
    return [n for n, p in signature.parameters.items() if n != "self" and p.kind is not p.VAR_KEYWORD]


def _fit(model: Any, problem: Problem, call: Call) -> bool:
    """Run the search; whether it went to its end (Ctrl-C ends it early). Raises ToolError."""
    try:
        with warnings.catch_warnings():
            for text in _QUIET:
                warnings.filterwarnings("ignore", message=re.escape(text))
            model.fit(problem.X, problem.y, **call.fit)
    except KeyboardInterrupt:
        return False
    except Exception as error:  # Julia's errors have a class of their own
        raise ToolError(f"PySR stopped: {_line(error)}") from error
    return True


def _folder(model: Any) -> Path | None:
    run, directory = getattr(model, "run_id_", None), getattr(model, "output_directory_", None)
    return None if run is None or directory is None else Path(str(directory), str(run))


def _interactive() -> bool:
    try:
        return sys.stdin.isatty()
    except (AttributeError, ValueError):
        return False


def search_with_pysr(
    problem: Problem,
    settings: Settings,
    costs: OperatorCosts,
    tell: Tell,
    options: Mapping[str, Any] | None = None,
) -> Sequence[Candidate]:
    """Search with PySR, see `Engine`; PySR shows its own progress, `tell` is called once at the end.

    options: any parameters of the installed `PySRRegressor`, in place of what the settings give; `output_directory`
    keeps the run folder (else it is temporary), `verbosity=0, progress=False` silences PySR, and
    `parallelism="multiprocessing", cluster_manager="slurm", procs=64` and the like reach its distributed back ends.
    With `threads=1` in the settings a run can be repeated. Ctrl-C returns what has been found so far.

    Raises ToolError where PySR or Julia is missing or fails, FormatError for an option that this PySR does not have
    or a setting that it cannot express, LoadError for a broken definition.
    """
    given = dict(options or {})
    pysr, version = _pysr(settings.threads)
    known = parameters(pysr.PySRRegressor)
    check_options(given, known, version)
    call = pysr_call(problem, settings, costs, version, given)
    arguments = dict(call.constructor)
    if version < (2, 0) and not _interactive():
        arguments.setdefault("input_stream", "devnull")  # PySR 1 waits for a 'q' on any standard input
    kept = arguments.get("output_directory") is not None or bool(arguments.get("temp_equation_file"))
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sr2hls_pysr_") as scratch:
        if not kept:
            arguments["output_directory"] = scratch
            if arguments.get("run_id") is None:
                arguments["run_id"] = "run"
        try:
            model = pysr.PySRRegressor(**arguments)
        except (TypeError, ValueError) as error:
            raise ToolError(f"PySR refuses its options: {_line(error)}") from error
        complete = _fit(model, problem, call)
        folder = _folder(model)
        try:
            found = candidates_in(folder, problem, call) if folder is not None else ()
        except LoadError:
            if complete:
                raise
            found = ()  # interrupted before the first result
    front = tuple((c.cost, c.loss, str(c.expression)) for c in found)
    tell(Progress("pysr", 1.0, 0, time.monotonic() - begun, front))
    return found
