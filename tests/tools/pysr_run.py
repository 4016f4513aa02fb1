"""Searches with the real PySR over the stub of Julia → JSON of what Julia was asked and what came back.

Run with the stub and an unpacked PySR on PYTHONPATH; the request is JSON on standard input: settings, options, the
hall of fame that the search leaves, weights or not.
"""

from __future__ import annotations

import json
import sys
import warnings
from typing import Any

import juliacall
import numpy as np

from sr2hls.errors import Sr2hlsError
from sr2hls.search.candidate import Progress
from sr2hls.search.costs import OperatorCosts
from sr2hls.search.problem import Problem
from sr2hls.search.pysr import search_with_pysr
from sr2hls.search.settings import Settings


def plain(value: Any) -> Any:
    """A recorded argument as JSON."""
    if isinstance(value, juliacall.AnyValue):
        return str(value)
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value if isinstance(value, str | int | float | bool | None) else repr(value)


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """One search."""
    juliacall.EVALUATED.clear()
    juliacall.CALLS.clear()
    juliacall.HALL_OF_FAME = request["hall_of_fame"]
    random = np.random.default_rng(1)
    inputs = random.normal(size=(60, len(request["names"])))
    weights = np.full(60, 1.0) if request.get("weights") else None
    y = (inputs[:, 0] > 0) * 1.0 if request.get("loss") == "logistic" else inputs[:, 0] ** 2
    problem = Problem(inputs, tuple(request["names"]), y, weights=weights, loss=request.get("loss", "mse"))
    luts = {name: 100 * cycles for name, cycles in request["cycles"].items()}
    costs = OperatorCosts("test", 5.0, request["cycles"], luts, {}, 1.0, 60.0, 0.4, 20.0, "test")
    told: list[Progress] = []
    try:
        found = search_with_pysr(problem, Settings(**request["settings"]), costs, told.append, request.get("options"))
    except Sr2hlsError as error:
        return {"error": f"{type(error).__name__}: {error}"}
    options = next((kw for name, _, kw in juliacall.CALLS if name == "Options"), {})
    search = next((kw for name, _, kw in juliacall.CALLS if name == "equation_search"), {})
    return {
        "options": plain(options),
        "search": plain({k: v for k, v in search.items() if k != "options"}),
        "evaluated": juliacall.EVALUATED[:],
        "candidates": [[str(c.expression), c.loss, c.cost, c.cycles] for c in found],
        "told": [plain([p.engine, p.done, p.front]) for p in told],
    }


if __name__ == "__main__":
    warnings.simplefilter("error", RuntimeWarning)
    json.dump([answer(request) for request in json.load(sys.stdin)], sys.stdout)
