"""report.json data → what the terminal shows: a summary of the design, tables of evidence and synthesis results."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from sr2hls.emit.summary import rounded_up

Json = dict[str, Any]

_LABEL = 11  # columns of the labels
_WIDE = 200


def console(*, error: bool = False) -> Console:
    """Standard output (or error) without automatic coloring of numbers; plain text when it is no terminal."""
    out = Console(stderr=error, highlight=False, soft_wrap=True)
    if not out.is_terminal:
        out.width = _WIDE  # tables in files and pipes are not cut to a screen
    return out


def line(out: Console, label: str, text: str, style: str = "") -> None:
    """One labeled line; `text` is printed as it is."""
    out.print(f"{label + ':':<{_LABEL}}", style=style or "bold", end="", markup=False)
    out.print(text, markup=False)


def block(out: Console, title: str, words: Sequence[str]) -> None:
    """A title and words below it, in lines of the terminal's width."""
    out.print(f"{title}:", style="bold", markup=False)
    for text in textwrap.wrap("  ".join(words), min(out.width, 100) - 4, break_on_hyphens=False):
        out.print(f"    {text}", markup=False)


def table(*titles: str, right: Sequence[str] = ()) -> Table:
    """An empty table; the columns named in `right` are aligned right."""
    result = Table(box=None, pad_edge=False, header_style="bold")
    for title in titles:
        result.add_column(title, justify="right" if title in right else "left", no_wrap=True)
    return result


def show_design(out: Console, data: Json) -> None:
    """Formula, ports, promise, latency, predicted size, notes and warnings."""
    for source in data["provenance"].get("outputs", []):
        line(out, "formula", f"{source['name']} = {source['equation']}")
        line(out, "from", _origin(source))
    for step in data["provenance"].get("rewrites", []):
        line(out, "rewritten", f"{step['before']} = {step['after']} ({step['rule']})")
    rows = table("port", "direction", "format", "values")
    for port in data["ports"]:
        rows.add_row(port["name"], port["direction"], port["format"], port["values"])
    out.print()
    out.print(rows)
    out.print()
    for output in data["outputs"]:
        line(out, "proven", output["promise"], "bold green")
    for band in dict.fromkeys(band for output in data["outputs"] for band in output["bands"]):
        line(out, "band", band)
    line(out, "latency", _latency(data))
    line(out, "predicted", _predicted(data["predicted"]))
    for note in data["notes"]:
        line(out, "note", note)
    for warning in data["warnings"]:
        line(out, "warning", warning, "bold yellow")


def show_simulation(out: Console, data: Json | None) -> None:
    """Every engine with its vectors, and the measured error."""
    if data is None:
        line(out, "simulated", "not yet")
        return
    rows = table("engine", "result", "vectors", "latency", "tool", right=("vectors", "latency"))
    for engine in data["engines"]:
        cycles = "" if engine["latency"] is None else str(engine["latency"])
        vectors = str(engine["vectors"]) if engine["vectors"] else ""
        rows.add_row(engine["engine"], engine["status"], vectors, cycles, _tool(engine))
    out.print(rows)
    out.print()
    for error in data["errors"]:
        line(out, "measured", _measured(error), "bold green")


def show_synthesis(out: Console, results: Sequence[Json] | None) -> None:
    """One line a tool: what it counted, or why it did not run."""
    if not results:
        line(out, "synthesis", "not yet")
        return
    rows = table("tool", "status", "result")
    for result in results:
        rows.add_row(str(result["tool"]), str(result["status"]), _numbers(result))
    out.print(rows)


def show_proof(out: Console, data: Json | None) -> None:
    """What is proven of the Verilog, in one line; a counterexample or an unbalanced path in another."""
    if data is None:
        line(out, "proof", "not yet (sr2hls prove)")
        return
    verilog, balance = data["verilog"], data["balance"]
    solver = f"{verilog['solver']} {verilog['version']}, {verilog['seconds']:.1f} s"
    if verilog["status"] == "proven":
        text = f"the Verilog computes the integer model for all 2^{verilog['input_bits']} inputs ({solver})"
        if balance["ok"]:
            text += f"; {_crossed(balance)}"
        line(out, "proven", text, "bold green")
    elif verilog["status"] == "refuted":
        found = verilog["counterexample"]
        inputs = ", ".join(f"{name}={code}" for name, code in found["inputs"].items()) or "no inputs"
        text = f"output '{found['output']}' is {found['found']}, the integer model gives {found['expected']}"
        line(out, "refuted", f"{text}, at the codes {inputs} ({solver})", "bold red")
    else:
        line(out, "proof", f"not proven: {verilog['detail']} ({solver})", "bold yellow")
    if not balance["ok"]:
        line(out, "pipeline", f"not balanced: {balance['detail']}", "bold red")
    if netlist := data.get("netlist"):
        _show_netlist(out, netlist)


def _show_netlist(out: Console, data: Json) -> None:
    what, how = f"Yosys' {data['family']} netlist", f"({data['engine']}, {data['seconds']:.1f} s)"
    if data["status"] == "proven":
        line(out, "proven", f"{what} computes what the Verilog computes, for every input {how}", "bold green")
    elif data["status"] == "refuted":
        line(out, "refuted", f"{what}: {data['detail']} {how}", "bold red")
    else:
        text = f"{what} is only tested, on {data['vectors']} samples; not proven: {data['detail']} {how}"
        line(out, "netlist", text, "bold yellow")


def show_verification(out: Console, data: Json | None) -> None:
    """What the second program says of the certificate: a line for each output, or the first discrepancy."""
    if data is None:
        line(out, "verified", "not yet (sr2hls verify)")
    elif data["status"] == "verified":
        for text in data["outputs"]:
            line(out, "verified", text, "bold green")
        line(out, "checked", f"{data['detail']} ({data['seconds']:.1f} s)")
    else:
        line(out, data["status"], data["detail"], "bold red" if data["status"] == "refused" else "bold yellow")


def show_standing(out: Console, data: Json) -> None:
    """What is proven, what is measured, what is only tested: one line an output."""
    for text in data["standing"]:
        line(out, "standing", text)


def show_nodes(out: Console, certificate: Sequence[Json]) -> None:
    """The proof's ledger: one line a step."""
    rows = table("kind", "format", "range", "error", "share", "step", right=("share",))
    for node in certificate:
        low, high = (float(end) for end in node["range"])
        worst = max(abs(float(end)) for end in node["error"])
        share = f"{100 * float(node['share']):.0f}%"
        kind = f"{node['kind']} ({node['method']})" if node["method"] else node["kind"]
        rows.add_row(kind, node["format"], f"{low:g} to {high:g}", f"{worst:.2g}", share, _short(node["expression"]))
    out.print(rows)


def _crossed(balance: Json) -> str:
    counts = {count for count in balance["registers"].values() if count is not None}
    count = max(counts, default=0)
    return f"every path crosses {count} register{'' if count == 1 else 's'}" if count else "no registers"


def _origin(source: Json) -> str:
    parts = [source.get("source") or "text", source.get("writer") or ""]
    if source.get("complexity") is not None:
        parts.append(f"complexity {source['complexity']}")
    if source.get("loss") is not None:
        parts.append(f"loss {source['loss']:.4g}")
    return ", ".join(part for part in parts if part)


def _latency(data: Json) -> str:
    cycles, clock = data["latency_cycles"], data["clock_ns"]
    kind = "estimate from published delays" if data["target"]["estimate"] else "delays calibrated by place-and-route"
    return (
        f"{cycles} cycle{'' if cycles == 1 else 's'} x {clock:g} ns = {data['latency_ns']:g} ns on "
        f"{data['target']['name']} ({kind}); slowest stage {data['critical_ns']:.3g} ns; a new sample every cycle"
    )


def _predicted(data: Json) -> str:
    return (
        f"{data['lut']} LUT, {data['dsp']} DSP, {data['register_bits']} register bits "
        f"(by the model of {data['target']}, not by a tool)"
    )


def _measured(error: Json) -> str:
    where = "on all" if error["method"] == "exhaustive" else "on a sample of"
    text = (
        f"|{error['output']} - f| <= {rounded_up(float(error['measured']))} {where} {error['points']} inputs "
        f"(proven: {rounded_up(float(error['proven']))})"
    )
    if error["in_bands"]:
        text += f"; {error['in_bands']} inside the bands left out"
    if error["undefined"]:
        text += f"; {error['undefined']} left out where float64 has no value of the formula"
    return text


def _tool(engine: Json) -> str:
    version = re.search(r"\d+(\.\d+)+", re.sub(r"\(.*?\)", "", str(engine["version"])))
    return f"{engine['tool']} {version[0]}" if version else str(engine["tool"])


def _numbers(result: Json) -> str:
    """The few numbers that people compare; the rest is in report.json."""
    if result["status"] != "done":
        return _short(str(result.get("message", "")), 110)
    found = []
    if result.get("median_mhz"):
        found.append(f"{result['median_mhz']:.1f} MHz (median of {len(result.get('seeds', []))} seeds)")
        cycles = "1 cycle" if result["latency_cycles"] == 1 else f"{result['latency_cycles']} cycles"
        found.append(f"{cycles} = {result['latency_ns']:.1f} ns")
    counts = result.get("utilization") or result
    names = {"lut": "LUT", "ff": "FF", "dsp": "DSP", "carry": "carry", "bram": "BRAM"}
    found += [f"{counts[key]} {title}" for key, title in names.items() if isinstance(counts, dict) and counts.get(key)]
    return ", ".join(found) + (f" - {result['note']}" if result.get("note") else "")


def _short(text: str, most: int = 60) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."
