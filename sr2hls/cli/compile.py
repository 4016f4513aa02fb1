"""`sr2hls compile`: a model and options → the folder of a circuit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

FORMATS = "name=fixed<12,4>, or one format for all; repeatable"


def compile_command(
    model: Annotated[str, typer.Argument(help="PySR checkpoint, run folder, hall of fame, JSON, or formula text.")],
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Output folder [default: NAME_sr2hls].")] = None,
    inputs: Annotated[list[str] | None, typer.Option("--inputs", help=f"Input formats: {FORMATS}.")] = None,
    ranges: Annotated[
        list[str] | None, typer.Option("--range", help="Input ranges: x0=-4:4, or one for all; repeatable.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option("--data", help="CSV, npz or parquet: formats and ranges of the other inputs, and test vectors."),
    ] = None,
    width: Annotated[int | None, typer.Option("--width", help="Bits of inputs taken from data [default: 12].")] = None,
    label: Annotated[
        list[str] | None, typer.Option("--label", help="Column of --data with the labels: y, or output=column.")
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option("--metric", help="rmse or auc on held-out rows, to be kept within --max-loss."),
    ] = None,
    max_loss: Annotated[
        str | None, typer.Option("--max-loss", help="0.1% of the formula's metric, or 0.001 in its unit.")
    ] = None,
    output: Annotated[list[str] | None, typer.Option("--output", help=f"auto, or formats: {FORMATS}.")] = None,
    max_error: Annotated[str | None, typer.Option("--max-error", help="0.001 or 2ulp [default: 1ulp].")] = None,
    precision: Annotated[
        str | None, typer.Option("--precision", help="One format for every value, such as ap_fixed<16,6>.")
    ] = None,
    target: Annotated[
        str | None, typer.Option("--target", help="Device, see 'sr2hls targets' [default: the search's, else ecp5-6].")
    ] = None,
    clock: Annotated[str | None, typer.Option("--clock", help="5ns or 200MHz [default: the target's].")] = None,
    latency: Annotated[int | None, typer.Option("--latency", help="Cycles to reach exactly.")] = None,
    max_latency: Annotated[int | None, typer.Option("--max-latency", help="Cycles at most.")] = None,
    max_luts: Annotated[int | None, typer.Option("--max-luts", help="LUTs at most, by the target's model.")] = None,
    max_dsp: Annotated[int | None, typer.Option("--max-dsp", help="Hard multipliers at most.")] = None,
    effort: Annotated[
        str, typer.Option("--effort", help="Search for cheaper words under the same error: low, normal, high.")
    ] = "normal",
    subdivide: Annotated[
        int | None,
        typer.Option("--subdivide", help="Boxes of the domain in the proof, at most; 1: none [default: by effort]."),
    ] = None,
    register: Annotated[str, typer.Option("--register", help="Registers at the ports: in, out, both, none.")] = "out",
    select: Annotated[
        str | None, typer.Option("--select", help="best, accuracy, score, an index, or complexity=N.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Output to keep, by name or index; repeatable.")
    ] = None,
    operator: Annotated[
        list[str] | None,
        typer.Option("--operator", help="A custom operator in Julia, such as 'quart(x) = x^4'; repeatable."),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="Of the module [default: from the file].")] = None,
    domain: Annotated[
        str | None,
        typer.Option("--domain", help="Poles and edges: strict (refuse), clamp, or clamp=0.05 [default: strict]."),
    ] = None,
    simulate: Annotated[bool, typer.Option("--simulate", help="Check all engines before writing.")] = False,
    synth: Annotated[bool, typer.Option("--synth", help="Run the synthesis tools before writing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that sr2hls did not make.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Compile a formula to a circuit with a proven error bound.

    The folder of a search says for which device, formats and error; any option given here goes before.
    """
    from sr2hls import api, options
    from sr2hls.cli.progress import progress
    from sr2hls.load import load
    from sr2hls.load.search_json import recorded
    from sr2hls.report.folder import check_destination

    title = options.design_name(name) if name else options.name_of_source(model)
    folder = out or Path(f"{title}_sr2hls")
    check_destination(folder, force=force)
    symbolic = load(model, select=select, output=only or None, operators=operator or ())
    known = recorded(model, symbolic)
    words_given = bool(inputs or ranges or data or precision)
    columns = None if data is None else api.read_data(data, api.used_inputs(symbolic), width)
    words: Any = options.formats(output or [], "--output", "fixed<16,6>") if output not in (None, ["auto"]) else {}
    with progress(json) as tell:
        tell("compiling", 0.0)
        design = api.compile(
            symbolic,
            inputs=options.formats(inputs or [], "--inputs", "x0=fixed<12,4>") if words_given else known.inputs,
            ranges=options.ranges(ranges or []) if words_given else known.ranges,
            data=data if metric or max_loss else columns,
            labels=_labels(label),
            metric=metric,
            max_loss=max_loss,
            width=width,
            output=words or _shared(known.output, output, words_given, max_error),
            max_error=max_error or (None if precision or words else known.max_error),
            precision=precision,
            target=target or known.target or "ecp5-6",
            clock=clock or (known.clock if target in (None, known.target) else None),
            latency=latency,
            max_latency=max_latency,
            max_luts=max_luts,
            max_dsp=max_dsp,
            effort=effort,
            subdivide=subdivide,
            registers=register,
            name=title,
            domain=domain or known.domain or "strict",
        )
    with api.staged_project(design, folder, data=columns, force=force) as place:
        report = _checked(design, place, columns, simulate, synth, json)
    _show(report, folder, simulate, synth, json)


def _shared(word: str | None, output: Any, words_given: bool, max_error: str | None) -> dict[str, str] | str:
    """The output format that a search gave all classes, unless something is asked for that it depends on."""
    from sr2hls import options

    asked = output is not None or words_given or max_error is not None
    return "auto" if word is None or asked else {options.ALL: word}


def _labels(named: list[str] | None) -> dict[str, str] | str | None:
    """`y`, or `output=column` several times."""
    from sr2hls import options

    found = options.named(named or [], "--label", "y=column")
    return found.get(options.ALL) or found or None


def _checked(design: Any, place: Path, columns: Any, simulate: bool, synth: bool, quiet: bool) -> dict[str, Any]:
    """Simulate and synthesize what lies in the temporary folder."""
    from sr2hls.cli.progress import progress
    from sr2hls.report.data import read_report, update_report

    if simulate:
        from sr2hls.check.simulate import simulate as run

        with progress(quiet) as tell:
            evidence = run(design, place, data=columns, tell=tell)
        update_report(design, place, evidence=evidence)
    if synth:
        from sr2hls.cli.synth import run_tools

        update_report(design, place, synthesis=run_tools(design, place, 3, None, quiet))
    return read_report(design, place)


def _show(report: dict[str, Any], folder: Path, simulated: bool, synthesized: bool, json: bool) -> None:
    from sr2hls.report import terminal
    from sr2hls.report.data import report_text

    if json:
        typer.echo(report_text({**report, "folder": str(folder)}), nl=False)
        return
    out = terminal.console()
    terminal.show_design(out, report)
    if simulated:
        out.print()
        terminal.show_simulation(out, report["simulation"])
    if synthesized:
        out.print()
        terminal.show_synthesis(out, report["synthesis"])
    out.print()
    terminal.line(out, "files", f"{folder}/ (start with its README.md)")
    following = "simulate" if not simulated else "synth" if not synthesized else "show"
    terminal.line(out, "next", f"sr2hls {following} {folder}")
