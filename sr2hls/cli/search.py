"""`sr2hls search`: data and wishes → a folder of formulas ranked as circuits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def search_command(
    data: Annotated[Path, typer.Argument(help="CSV, npz or parquet: inputs and target(s) as columns.")],
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Output folder [default: NAME_search].")] = None,
    output: Annotated[
        list[str] | None,
        typer.Option(
            "--output",
            "--target-column",
            help="Target column; repeatable [default: y of an npz, else the last column].",
        ),
    ] = None,
    engine: Annotated[str, typer.Option("--engine", help="native, pysr, or auto: pysr where Julia is.")] = "auto",
    operators: Annotated[
        str | None, typer.Option("--operators", help="Such as '+,-,*,/,sin', see 'sr2hls functions'.")
    ] = None,
    define: Annotated[
        list[str] | None, typer.Option("--define", help="An operator, such as 'sc(x) = sin(x)*cos(x)'; repeatable.")
    ] = None,
    target: Annotated[str, typer.Option("--target", help="Device, see 'sr2hls targets'.")] = "vu9p-2",
    clock: Annotated[str | None, typer.Option("--clock", help="5ns or 200MHz [default: the target's].")] = None,
    width: Annotated[int, typer.Option("--width", help="Bits of the inputs.")] = 12,
    max_cycles: Annotated[float | None, typer.Option("--max-cycles", help="Latency that must not be exceeded.")] = None,
    max_luts: Annotated[float | None, typer.Option("--max-luts", help="LUTs that must not be exceeded.")] = None,
    max_nodes: Annotated[int | None, typer.Option("--max-nodes", help="Largest formula [default: 34].")] = None,
    objective: Annotated[
        str, typer.Option("--objective", help="What counts as cost: circuit, path, sum, nodes.")
    ] = "circuit",
    costs: Annotated[
        str, typer.Option("--costs", help="target, or a published table such as hls4sr-16-6, see 'sr2hls costs'.")
    ] = "target",
    loss: Annotated[str, typer.Option("--loss", help="mse, mae, huber, logistic (class labels).")] = "mse",
    classify: Annotated[
        bool, typer.Option("--classify", help="The target is a class label, also with another loss.")
    ] = False,
    multiclass: Annotated[
        str, typer.Option("--multiclass", help="Several classes: ovr, softmax, or auto: softmax for the logistic loss.")
    ] = "auto",
    weights: Annotated[str | None, typer.Option("--weights", help="Column of row weights.")] = None,
    drop: Annotated[list[str] | None, typer.Option("--drop", help="Column to leave out; repeatable.")] = None,
    test: Annotated[
        Path | None, typer.Option("--test", help="File of rows to judge by [default: every fifth row, drawn].")
    ] = None,
    features: Annotated[int | None, typer.Option("--features", help="Keep the K inputs that matter most.")] = None,
    units: Annotated[
        list[str] | None, typer.Option("--units", help="Unit of a column, such as v=m/s; repeatable.")
    ] = None,
    formats: Annotated[
        str | None, typer.Option("--formats", help="Words of all values in the search, such as fixed<16,6>.")
    ] = None,
    budget: Annotated[int | None, typer.Option("--budget", help="Evaluations per output [default: 1000000].")] = None,
    seconds: Annotated[float | None, typer.Option("--seconds", help="Stop then at the latest, per output.")] = None,
    finalists: Annotated[int, typer.Option("--finalists", help="Formulas per output that are compiled.")] = 40,
    seed: Annotated[int, typer.Option("--seed", help="Equal seeds give equal fronts.")] = 0,
    seeds: Annotated[int, typer.Option("--seeds", help="Runs per output, each with its own seed.")] = 1,
    threads: Annotated[int, typer.Option("--threads", help="Of the native engine; 0: all cores.")] = 0,
    jobs: Annotated[int, typer.Option("--jobs", help="Worker processes for outputs and seeds; -1: all cores.")] = 1,
    warm: Annotated[
        str | None, typer.Option("--warm", help="Formulas to start from: a folder of 'sr2hls search', a hall of fame.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where this search was interrupted.")] = False,
    pysr_option: Annotated[
        list[str] | None, typer.Option("--pysr-option", help="Passed to PySR, such as populations=40; repeatable.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that sr2hls did not make.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show nothing while searching.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Search formulas that are good as circuits: latency is their complexity.

    Ctrl-C ends the search early: what it has found is ranked and saved, and the exit code is 130.
    """
    from sr2hls import options
    from sr2hls.cli import INTERRUPTED
    from sr2hls.report.folder import check_destination
    from sr2hls.search.run import search
    from sr2hls.search.view import listener
    from sr2hls.search.wishes import definitions, fake_format, operator_names, pysr_options, unit_texts

    folder = out or Path(f"{options.name_of_source(data)}_search")
    check_destination(folder, force=force)
    given: dict[str, Any] = {
        "max_nodes": max_nodes,
        "budget": budget,
        "operators": operator_names(operators, define or ()),
        "clock_ns": None if clock is None else options.clock_ns(clock),
        "formats": None if formats is None else fake_format(formats),
    }
    with listener(quiet or json) as told:
        result = search(
            data,
            engine=engine,
            outputs=output or None,
            weights=weights,
            drop=drop or (),
            test=test,
            loss=loss,
            classify=classify or None,
            features=features,
            units=unit_texts(units or ()),
            seeds=seeds,
            jobs=jobs,
            warm=warm,
            checkpoint=folder.with_name(f"{folder.name}.checkpoint"),
            resume=resume,
            engine_options=pysr_options(pysr_option or ()),
            listener=told,
            quiet=quiet or json,
            finalists=finalists,
            multi_class=multiclass,
            definitions=definitions(define or ()),
            target=target,
            width=width,
            max_cycles=max_cycles,
            max_luts=max_luts,
            objective=objective,
            costs=costs,
            seconds=seconds,
            seed=seed,
            threads=threads,
            **{name: value for name, value in given.items() if value is not None},
        )
    result.save(folder, force=force)
    _show(result, folder, json)
    if result.interrupted:
        raise typer.Exit(INTERRUPTED)


def _show(result: Any, folder: Path, json: bool) -> None:
    """The front of every output and what to do next; or the record as JSON."""
    from sr2hls.report import terminal
    from sr2hls.search.record import record_text
    from sr2hls.search.show import front_table, next_command, widest

    if json:
        typer.echo(record_text(result), nl=False)
        return
    out = terminal.console()
    if not out.is_terminal:
        out.width = max(out.width, widest(result))
    for found in result.outputs:
        out.print(front_table(result, found))
        for formula in found.front:
            if formula.refused:
                terminal.line(out, "refused", f"{formula.equation}: {formula.refused}")
        out.print()
    for note in result.notes:
        terminal.line(out, "note", note)
    if result.interrupted:
        terminal.line(out, "note", "ended early; --resume goes on from there", "bold yellow")
    terminal.line(out, "files", f"{folder}/ (hall_of_fame.csv, search.json, best.json)")
    terminal.line(out, "next", next_command(folder))
