"""`sr2hls costs`: what operators cost on a target, beside published figures."""

from __future__ import annotations

from typing import Annotated, Any

import typer

BESIDE = "hls4sr-16-6"


def costs_command(
    target: Annotated[str, typer.Option(help="The device: a name of 'sr2hls targets'.")] = "vu9p-2",
    width: Annotated[int, typer.Option(help="Bits of the inputs.", min=4, max=24)] = 12,
    clock: Annotated[
        str | None, typer.Option(help="Clock period or frequency, such as 5ns or 200MHz. Default: the target's.")
    ] = None,
    operators: Annotated[
        str | None,
        typer.Option(help="Operators, separated by blanks or commas; 'all': all with hardware. Default: the search's."),
    ] = None,
    costs: Annotated[
        str, typer.Option(help="The published table to print beside: hls4sr-W-I or hls4sr-fork-W-I.")
    ] = BESIDE,
    json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Show what operators cost in a search: cycles, LUTs and DSP blocks, beside the published cycles."""
    from dataclasses import asdict
    from json import dumps

    from sr2hls.options import clock_ns
    from sr2hls.search.costs import operator_cycles
    from sr2hls.search.published import published_costs
    from sr2hls.search.settings import OPERATORS

    beside = published_costs(costs)
    names = OPERATORS if operators is None else tuple(operators.replace(",", " ").split())
    period = None if clock is None else clock_ns(clock)
    found = operator_cycles(target, width, None if names == ("all",) else names, period)
    shown = list(found.cycles) if names == ("all",) else list(names)
    if json:
        data = {"target": target, "width": width, "operators": shown, **asdict(found)}
        typer.echo(dumps({**data, "published": {"name": costs, **asdict(beside)}}, indent=2))
        return
    _print(found, beside, shown, target)


def _print(found: Any, beside: Any, shown: list[str], target: str) -> None:
    from sr2hls.report import terminal
    from sr2hls.targets import load_target

    right = ("cycles", "LUTs", "DSPs", beside.name)
    rows = terminal.table("operator", "cycles", "LUTs", "DSPs", beside.name, right=right)
    for name in shown:
        published = beside.cycles.get({"^": "pow"}.get(name, name))
        other = "-" if published is None else f"{published:g}"
        rows.add_row(name, f"{found.cycles[name]:.2f}", f"{found.luts[name]:.0f}", f"{found.dsps[name]:g}", other)
    rows.add_section()
    for text, cycles, luts, dsps in _structure(found):
        rows.add_row(text, f"{cycles:.2f}", f"{luts:.0f}", f"{dsps:g}", "")
    out = terminal.console()
    out.print(rows)
    out.print()
    terminal.line(out, "costs", found.source)
    if load_target(target).estimate:
        terminal.line(
            out, "note", f"the figures of {target} are estimates from published delays; no vendor tool was run"
        )
    terminal.line(out, "meaning", "of an operator between other operators; cycles are shared, so not rounded up")
    terminal.line(out, "published", f"{beside.name}, {beside.source}")


def _structure(found: Any) -> list[tuple[str, float, float, float]]:
    return [
        ("any function of one input", found.table_cycles, found.table_luts, 0),
        ("function of a sum of inputs", found.sum_table_cycles, found.sum_table_luts, 0),
        ("product with an input", found.product_cycles, 0, found.product_dsps),
        ("product with a constant", found.constant_cycles, found.constant_luts, 0),
        ("clamp of an input", found.input_cycles, found.input_luts, 0),
    ]
