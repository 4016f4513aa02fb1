"""`sr2hls distill`: trajectories of bodies → a graph network → a force law as formulas, ready for `sr2hls compile`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def distill_command(
    data: Annotated[
        Path | None, typer.Option("--data", help="Trajectories: npz, csv, parquet (see 'sr2hls distill --layout').")
    ] = None,
    system: Annotated[
        str | None, typer.Option("--system", help="Simulate: spring, r1, r2, charge, damped, discontinuous, string.")
    ] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Output folder [default: NAME_distill].")] = None,
    dim: Annotated[int, typer.Option("--dim", help="Dimensions of the simulation, 2 or 3.")] = 2,
    bodies: Annotated[int | None, typer.Option("--bodies", help="Bodies of the simulation [default: its own].")] = None,
    runs: Annotated[int, typer.Option("--runs", help="Trajectories of the simulation.")] = 2000,
    strategy: Annotated[
        str | None,
        typer.Option(
            "--strategy",
            help="standard, bottleneck, l1, kl, pruning, newton (needs masses), hamiltonian "
            "[default: newton with masses, else bottleneck].",
        ),
    ] = None,
    steps: Annotated[int | None, typer.Option("--steps", help="Of the training [default: the recipe's].")] = None,
    hidden: Annotated[int | None, typer.Option("--hidden", help="Width of the perceptrons.")] = None,
    batch: Annotated[int | None, typer.Option("--batch", help="Snapshots of one step.")] = None,
    message: Annotated[int | None, typer.Option("--message", help="Components of a message.")] = None,
    weight: Annotated[float | None, typer.Option("--weight", help="Of the strategy's penalty.")] = None,
    soften: Annotated[
        float | None, typer.Option("--soften", help="Accelerations above it weigh less; for forces of heavy tails.")
    ] = None,
    budget: Annotated[int | None, typer.Option("--budget", help="Evaluations of a symbolic fit.")] = None,
    target: Annotated[str, typer.Option("--target", help="Device whose cycles are the complexity.")] = "vu9p-2",
    seed: Annotated[int, typer.Option("--seed", help="Equal seeds give equal laws.")] = 0,
    outside: Annotated[
        bool, typer.Option("--outside/--no-outside", help="Errors on more bodies and wider ranges, for --system.")
    ] = True,
    nearest: Annotated[
        float | None, typer.Option("--nearest", help="In force.json nearer pairs act as if at this distance.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where the training was interrupted.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that sr2hls did not make.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show nothing while it runs.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    layout: Annotated[bool, typer.Option("--layout", help="Print how a file of trajectories is laid out.")] = False,
) -> None:
    """Learn a force law from moving bodies: train a graph network, fit formulas to its parts, put them back, refit.

    Ctrl-C keeps the training's checkpoint; --resume goes on from there.
    """
    if layout:
        from sr2hls.distill import read

        typer.echo((read.__doc__ or "").rstrip())
        return
    from sr2hls.distill.run import distill
    from sr2hls.distill.view import listener
    from sr2hls.report.folder import check_destination

    folder = out or Path(f"{system or (data.stem if data else 'trajectories')}_distill")
    check_destination(folder, force=force)
    checkpoint = folder.with_name(f"{folder.name}.checkpoint.pt")
    recipe: dict[str, Any] = {
        "strategy": strategy, "steps": steps, "hidden": hidden, "batch": batch, "message": message, "weight": weight,
        "soften": soften,
    }  # fmt: skip
    with listener(quiet or json) as told:
        result = distill(
            data,
            system=system,
            dimension=dim,
            bodies=bodies,
            runs=runs,
            budget=budget,
            target=target,
            seed=seed,
            outside=outside,
            nearest=nearest,
            checkpoint=checkpoint,
            resume=resume,
            listener=told,
            **{name: value for name, value in recipe.items() if value is not None},
        )
    result.save(folder, force=force)
    checkpoint.unlink(missing_ok=True)
    _show(result, folder, json)


def _show(result: Any, folder: Path, json: bool) -> None:
    """The law, how good it is, and what to do next; or the record as JSON."""
    from sr2hls.distill.tell import lines
    from sr2hls.report import terminal

    if json:
        typer.echo((folder / "report.json").read_text(encoding="utf-8"), nl=False)
        return
    out = terminal.console()
    for label, text in lines(result, folder):
        terminal.line(out, label, text)
