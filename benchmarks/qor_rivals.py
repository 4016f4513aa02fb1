"""A plan of qor_plan.py (JSON on stdin) → Verilog and outputs by Alkaid or da4ml (JSON on stdout).

    PYTHON benchmarks/qor_rivals.py < plan.json

Runs under the interpreter that has the tool (`pip install alkaid==0.8.2 da4ml==0.6.0`) and needs nothing else of this
project. The outputs are those of the tool's own integer model, `predict`, on the vectors of the plan.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

_CALLS = {
    **{name: getattr(np, name) for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "log", "abs")},
    "RealCbrt": np.cbrt,
    "+": lambda *a: sum(a[1:], a[0]),
    "*": lambda *a: np.prod(np.broadcast_arrays(*a), axis=0),
    "^": np.power,
}


def value(tree: Any, t: np.ndarray) -> Any:
    """A function written as nested lists, such as ["sin", ["*", 2.0, "t"]], at t."""
    if tree == "t":
        return t
    if isinstance(tree, list):
        return _CALLS[tree[0]](*(value(arg, t) for arg in tree[1:]))
    return np.float64(tree)


def table_function(step: dict[str, Any], dont_care: bool) -> Any:
    """The table's contents; outside the argument's range: anything (nan), or the nearest value in it."""
    low, high = step["from"]

    def contents(t: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            found = value(step["function"], np.clip(t, low, high)) * np.ones_like(t)
        return np.where((t < low) | (t > high), np.nan, found) if dont_care else found

    return contents


class _Alkaid:
    name = "alkaid"

    def inputs(self, low: list[float], high: list[float], step: list[float]) -> Any:
        from alkaid.trace import FVArray

        # the trace refuses ports whose range is less than the whole word
        reach = [max(-a, b + unit) for a, b, unit in zip(low, high, step, strict=True)]
        whole = 2.0 ** np.ceil(np.log2(reach))
        least = np.where(np.array(low) < 0, -whole, 0.0)
        return FVArray.from_lhs(least, whole - np.array(step), np.array(step), (1, 1, -1))

    def vector(self, values: list[Any]) -> Any:
        from alkaid.trace import FVArray

        return FVArray(np.array([np.asarray(v).ravel()[0] for v in values], dtype=object), None, hwconf=(1, 1, -1))

    def finish(self, inputs: Any, output: Any, plan: dict[str, Any], folder: Path) -> dict[str, Any]:
        from alkaid.codegen import RTLModel
        from alkaid.trace import trace

        logic = trace(inputs, output)
        model = RTLModel(logic, folder, "rival", latency_cutoff=plan["cutoff"])
        model.write()
        stages = 1 + sum(bool(re.fullmatch(r"stage\d+_inp", name)) for name in model.fsm.signals)
        return {"cost": logic.cost, "stages": stages, "logic": logic}


class _Da4ml:
    name = "da4ml"

    def inputs(self, low: list[float], high: list[float], step: list[float]) -> Any:
        from da4ml.trace import FixedVariableArray

        return FixedVariableArray.from_lhs(np.array(low), np.array(high), np.array(step))

    def vector(self, values: list[Any]) -> Any:
        from da4ml.trace import FixedVariableArray

        return FixedVariableArray(np.array([v._vars.ravel()[0] for v in values], dtype=object), None)

    def finish(self, inputs: Any, output: Any, plan: dict[str, Any], folder: Path) -> dict[str, Any]:
        from da4ml.codegen import RTLModel
        from da4ml.trace import comb_trace

        logic = comb_trace(inputs, output)
        model = RTLModel(logic, "rival", folder, latency_cutoff=plan["cutoff"])
        model.write()
        return {"cost": logic.cost, "stages": len(model._pipe.solutions), "logic": logic}


TOOLS = {"alkaid": _Alkaid(), "da4ml": _Da4ml()}


def traced(tool: Any, plan: dict[str, Any]) -> tuple[Any, Any]:
    """(inputs, output) of the plan as the tool's symbolic arrays."""
    ports = [s for s in plan["steps"] if s["op"] == "input"]
    inputs = tool.inputs(*([p[key] for p in ports] for key in ("low", "high", "step")))
    places = {p["name"]: i for i, p in enumerate(ports)}
    values: list[Any] = []
    for step in plan["steps"]:
        args = [values[i] for i in step["args"]]
        match step["op"]:
            case "input":
                i = places[step["name"]]
                values.append(inputs[i : i + 1])
                continue
            case "linear":
                if len(args) == 1:
                    v = args[0] * step["coefficients"][0]
                else:
                    v = tool.vector(args) @ np.array(step["coefficients"])[:, None]
                v = v + step["constant"] if step["constant"] else v
            case "mul":
                v = args[0] * args[1]
            case _:
                v = args[0].apply(table_function(step, tool.name == "alkaid"))
        values.append(v.quantize(*step["word"], step["overflow"], step["rounding"]))
    return inputs, values[-1]


def sources(folder: Path) -> str:
    """All modules in one text; da4ml's tables, which read files, as case statements."""
    texts = [p.read_text() for p in sorted((folder / "src").rglob("*.v")) if "_wrapper" not in p.name]
    text = "\n".join(t for t in texts if "module lookup_table" not in t)
    modules: dict[str, str] = {}

    def inlined(found: re.Match[str]) -> str:
        bits_in, bits_out, file, rest = found.groups()
        name = "table_" + re.sub(r"\W", "_", file)
        words = next((folder / "src").rglob(file)).read_text().split()
        lines = [f"{bits_in}'d{i}: out = {bits_out}'h{word};" for i, word in enumerate(words)]
        head = f"module {name}(input [{int(bits_in) - 1}:0] in, output reg [{int(bits_out) - 1}:0] out);"
        default = f"default: out = {{{bits_out}{{1'bx}}}};"
        modules[name] = "\n".join([head, "always @(*) case (in)", *lines, default, "endcase", "endmodule"])
        return f"{name} {rest}"

    text = re.sub(r'lookup_table #\((\d+), (\d+), "([^"]+)"\) (\w+ )', inlined, text)
    return "\n".join([text, *modules.values(), ""])


def main() -> int:
    plan = json.load(sys.stdin)
    tool = TOOLS[plan["tool"]]
    with tempfile.TemporaryDirectory() as name:
        inputs, output = traced(tool, plan)
        result = tool.finish(inputs, output, plan, Path(name))
        result["verilog"] = sources(Path(name))
    outputs = np.asarray(result.pop("logic").predict(np.array(plan["vectors"], dtype=np.float64))).ravel()
    json.dump({**result, "outputs": outputs.tolist(), "version": f"{plan['tool']} {version(plan['tool'])}"}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
